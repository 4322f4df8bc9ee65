// SPDX-License-Identifier: MIT
//
// Inside a worker, in the page and in Node: what a cell finds around itself. Its console is ours, its output is counted,
// and what reaches beyond the worker is taken away. This keeps an example honest (it prints the same anywhere, it needs
// no network); against a hostile script the worker, the page's policy and the browser are the fence, not this file.
import { formatLog, formatThrown } from './format.ts'
import type { CellEnd, WorkerReport } from './types.ts'

/** Each is replaced by a function that says so when called; a cell that never calls it never notices. */
const BEYOND = [
  'fetch',
  'XMLHttpRequest',
  'WebSocket',
  'WebSocketStream',
  'WebTransport',
  'EventSource',
  'Worker',
  'SharedWorker',
  'BroadcastChannel',
  'MessageChannel',
  'importScripts',
  'postMessage',
  'close',
  'process',
  'require',
  'indexedDB',
  'caches',
] as const

/** Takes away what reaches beyond the worker. Called once, before a cell runs. */
export function shutIn(scope: object): void {
  for (const name of BEYOND) {
    if (!(name in scope)) continue
    const refuse = () => {
      throw new Error(`${name} is not there: a cell has no network and nothing outside its worker`)
    }
    Object.defineProperty(scope, name, { value: refuse, writable: true, configurable: true })
  }
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    // A pair of surrogates is four bytes, two for each half.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1
  }
  return bytes
}

/** The longest beginning of `text` within `limit` bytes that ends between characters. */
function cutTo(text: string, limit: number): string {
  let cut = text.slice(0, limit)
  while (utf8Length(cut) > limit) cut = cut.slice(0, -1)
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut
}

/** A console whose every word is printed through `report`, up to `limit` bytes; beyond that, one end and silence. */
export function countedConsole(limit: number, report: (message: WorkerReport) => void): Console {
  let left = limit
  const print = (...values: unknown[]) => {
    if (left < 0) return
    const text = `${formatLog(values)}\n`
    const bytes = utf8Length(text)
    if (bytes <= left) {
      left -= bytes
      report({ kind: 'print', text })
      return
    }
    report({ kind: 'print', text: cutTo(text, left) })
    left = -1
    report({ kind: 'end', end: { kind: 'output', limitBytes: limit } })
  }
  const silent = () => undefined
  return new Proxy({} as Console, {
    get: (_, name) => (/^(log|info|debug|warn|error)$/.test(String(name)) ? print : silent),
  })
}

/** The end of a cell that threw. `address` is that of its module: the line is the topmost that lies in it. */
export function endOfThrown(thrown: unknown, address: string): CellEnd {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : ''
  const at = stack.indexOf(`${address}:`)
  const line = at < 0 ? 0 : Number(/^\d+/.exec(stack.slice(at + address.length + 1))?.[0] ?? 0)
  return { kind: 'error', text: formatThrown(thrown), line }
}

/** The end with the line that an early error hides, as far as its text tells. */
export function withLine(end: CellEnd, code: string): CellEnd {
  if (end.kind !== 'error' || end.line > 0) return end
  return { ...end, line: lineOfEarlyError(end.text, code) }
}

/**
 * The line of a syntax error that the engine reports without one: a name declared twice, or a name that a model does
 * not export. 0 when the text does not tell.
 */
function lineOfEarlyError(text: string, code: string): number {
  const lines = code.split('\n')
  const twice = /Identifier '([^']+)' has already been declared/.exec(text)?.[1]
  const missing = /does not provide an export named '([^']+)'/.exec(text)?.[1]
  const name = (twice ?? missing ?? '').replace(/\$/g, '\\$')
  if (name === '') return 0
  const pattern = twice
    ? new RegExp(`\\b(?:const|let|var|class|function|import)\\b[^=;]*?(?<![\\w$])${name}(?![\\w$])`)
    : new RegExp(`(?<![\\w$])${name}(?![\\w$])`)
  const hits = lines.flatMap((line, index) => (pattern.test(line) ? index + 1 : []))
  return (twice ? hits[1] : hits[0]) ?? 0
}
