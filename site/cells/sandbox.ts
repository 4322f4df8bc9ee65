// SPDX-License-Identifier: MIT
//
// Inside a worker, in the page and in Node: what a cell finds around itself. Its console is ours, its output is counted,
// and of the world only the language is left: what a worker has beyond it is taken away, from its prototypes too, so
// that a cell has no way to the network, to what the site keeps in the browser, or to other pages of it. Behind that
// stand the page's policy, which a worker made from a blob: inherits, and the browser.
import { fill } from '../client/fill.ts'
import type { CellWords } from './cell_words.ts'
import { formatLog, formatThrown } from './format.ts'
import type { CellEnd, WorkerReport } from './types.ts'

/** Each is replaced by something that says so when it is used; a cell that never does never notices. */
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
  'navigator',
  'location',
]

/** What is left of the worker's global scope, the language itself aside. */
const KEPT = new Set(
  (
    'constructor self globalThis global console structuredClone queueMicrotask setTimeout clearTimeout setInterval ' +
    'clearInterval atob btoa TextEncoder TextDecoder URL URLSearchParams AbortController AbortSignal Event EventTarget ' +
    'DOMException performance WebAssembly'
  ).split(' '),
)

const LANGUAGE = new Set(
  (
    'Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp ' +
    'Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError JSON Math ' +
    'Intl Temporal ArrayBuffer SharedArrayBuffer Atomics DataView Uint8Array Int8Array Uint16Array Int16Array ' +
    'Uint32Array Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array ' +
    'BigInt Map Set WeakMap WeakSet WeakRef FinalizationRegistry Iterator AsyncDisposableStack DisposableStack Proxy ' +
    'Reflect decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN'
  ).split(' '),
)

/** Something that may be called, made with `new`, or asked for a property, and answers each with `refuse`. */
function refusal(refuse: () => never): unknown {
  return new Proxy(function () {}, { apply: refuse, construct: refuse, get: refuse, set: refuse })
}

/** Leaves the language and what `KEPT` names; called once, before a cell runs. `words.beyond` is what a use says. */
export function shutIn(scope: object, words: Pick<CellWords, 'beyond'>): void {
  const refused = BEYOND.filter((name) => name in scope)
  for (let level: object | null = scope; level; level = Object.getPrototypeOf(level) as object | null) {
    if (level === Object.prototype || level === globalThis.EventTarget?.prototype) break
    for (const name of Reflect.ownKeys(level)) {
      if (typeof name === 'symbol' || KEPT.has(name) || LANGUAGE.has(name)) continue
      Reflect.deleteProperty(level, name)
    }
  }
  for (const name of refused) {
    const refuse = (): never => {
      throw new Error(fill(words.beyond, { name }))
    }
    Object.defineProperty(scope, name, { value: refusal(refuse), writable: true, configurable: true })
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

/** So many reports go out at once, each a line; a flood after them in pieces of `PIECE` characters. */
const AT_ONCE = 500
const PIECE = 1024

export interface CountedConsole {
  readonly console: Console
  /** Reports what is still held back. */
  flush(): void
}

/** A console whose every word is printed through `report`, up to `limit` bytes; beyond that, one end and silence. */
export function countedConsole(limit: number, report: (message: WorkerReport) => void): CountedConsole {
  let left = limit
  let reports = 0
  let held = ''
  const flush = () => {
    if (held !== '') report({ kind: 'print', text: held })
    held = ''
  }
  const send = (text: string) => {
    held += text
    if (reports < AT_ONCE || held.length >= PIECE) flush()
    reports += 1
  }
  const print = (...values: unknown[]) => {
    if (left < 0) return
    const text = `${formatLog(values)}\n`
    const bytes = text.length > left ? Infinity : utf8Length(text)
    if (bytes <= left) {
      left -= bytes
      return send(text)
    }
    send(cutTo(text, left))
    flush()
    left = -1
    report({ kind: 'end', end: { kind: 'output', limitBytes: limit } })
  }
  const silent = () => undefined
  const console = new Proxy({} as Console, {
    get: (_, name) => (/^(log|info|debug|warn|error)$/.test(String(name)) ? print : silent),
  })
  return { console, flush }
}

/** Longer texts of errors are cut: a page shows them in one line. */
const LONGEST_TEXT = 2_000

/**
 * The end of a cell that threw. `address` is that of its module: the line is the topmost that lies in it. What a cell
 * throws may itself throw when it is looked at.
 */
export function endOfThrown(thrown: unknown, address: string): CellEnd {
  let text = 'Error'
  let line = 0
  try {
    const stack = thrown instanceof Error ? String(thrown.stack ?? '') : ''
    const at = stack.indexOf(`${address}:`)
    if (at >= 0) line = Number(/^\d+/.exec(stack.slice(at + address.length + 1))?.[0] ?? 0)
    text = formatThrown(thrown)
  } catch {
    // Then it is an error, and no more is known of it.
  }
  return { kind: 'error', text: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text, line }
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
