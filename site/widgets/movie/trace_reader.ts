// SPDX-License-Identifier: MIT
//
// A trace of any size, a piece at a time: it keeps the events that are asked for, counts the others by name, and lets
// go of the text. What it keeps is bounded, and so is what it looks at before it says that this is no trace.
//
//     const reader = openTraceReader(LIMITS, PLAYED)
//     for (const text of pieces) if (!reader.push(text)) break        false: enough was seen
//     reader.end()                                                    what there was
import { readTraceLine } from '../../../code/lib/trace_parse.ts'
import type { KeptEvent } from './film_types.ts'

export interface Limits {
  /** Events that are kept; the rest of the file is not read. */
  readonly kept: number
  /** Characters of a line; what is longer is cut off. */
  readonly line: number
  /** Names of events that are counted. */
  readonly names: number
  /** Lines after which a file without one line of a trace is none. */
  readonly strangeLines: number
}

export const LIMITS: Limits = { kept: 20_000, line: 4096, names: 500, strangeLines: 5000 }

/** What a file turned out to be. */
export interface TraceReading {
  readonly kept: readonly KeptEvent[]
  readonly lines: number
  /** Every event, by name, most frequent first. */
  readonly events: readonly (readonly [name: string, count: number])[]
  /** Lines that are of no trace. */
  readonly strange: number
  /** The first of them; else the first line of the file. */
  readonly first: { readonly line: number; readonly text: string } | null
  /** Wanted events that no known kernel prints like this, and the first of them. */
  readonly unread: number
  readonly firstUnread: { readonly line: number; readonly text: string } | null
  /** Events that the kernel had no room for. */
  readonly lost: number
  /** The line after which nothing was read, because enough had been kept or all was strange; null: all was read. */
  readonly stoppedAt: number | null
  /** The last line has no end: it may have been cut. */
  readonly cut: boolean
}

export interface TraceReader {
  /** False: no more is wanted. */
  push(text: string): boolean
  end(): TraceReading
}

const EVENT_LINE = /\[\d{3,}\].*?\d: (\w+):/
// A line of another tracer has its columns, and no event.
const TASK_LINE = /-\d+ .*\[\d{3,}\]/
const HEAD_LINE = /^(?:#|cpus=\d|CPU:? ?\d|\[LINE TOO BIG\]|\s*$|\s*=>)/
const LOST_LINE = /^CPU:\d+ \[LOST (?:(\d+) )?EVENTS\]/

type Noted = { line: number; text: string }
/** So much of a line is shown to say which it is. */
const NOTED = 120

/** Keeps the events of these names. */
export function openTraceReader(limits: Limits, wanted: readonly string[]): TraceReader {
  const wantedLine = new RegExp(`: (?:${wanted.join('|')}): `)
  const kept: KeptEvent[] = []
  const names = new Map<string, number>()
  let [lines, strange, unread, lost] = [0, 0, 0, 0]
  let [carry, skipping, stopped] = ['', false, false]
  let first: Noted | null = null
  let firstUnread: Noted | null = null
  let seen = 0

  const noted = (text: string): Noted => ({ line: lines, text: text.slice(0, NOTED) })
  const keep = (text: string): void => {
    const read = readTraceLine(text)
    if (!read || read.formats.length === 0) {
      unread++
      firstUnread ??= noted(text)
    } else kept.push({ line: lines, text: text.replace(/\r$/, ''), record: read.record })
  }
  const oneLine = (text: string): void => {
    lines++
    const name = EVENT_LINE.exec(text)?.[1]
    const lostHere = LOST_LINE.exec(text)
    if (lostHere) lost += Number(lostHere[1] ?? 1)
    if (name !== undefined || TASK_LINE.test(text)) seen++
    else if (!HEAD_LINE.test(text)) {
      if (strange++ === 0) first = noted(text)
    }
    if (name !== undefined && (names.has(name) || names.size < limits.names))
      names.set(name, (names.get(name) ?? 0) + 1)
    if (wantedLine.test(text)) keep(text)
    stopped = kept.length >= limits.kept || (seen === 0 && strange >= limits.strangeLines)
  }
  // A line without end: its head is what counts, and the rest goes by.
  const bounded = (): void => {
    if (carry.length <= limits.line) return
    if (!skipping) oneLine(carry.slice(0, limits.line))
    skipping = true
    carry = ''
  }
  return {
    push: (text) => {
      let from = 0
      for (let at = text.indexOf('\n'); at >= 0 && !stopped; at = text.indexOf('\n', from)) {
        if (!skipping) oneLine((carry + text.slice(from, at)).slice(0, limits.line))
        skipping = false
        carry = ''
        from = at + 1
      }
      if (!stopped) carry += text.slice(from, from + limits.line + 1)
      bounded()
      return !stopped
    },
    end: () => {
      const cut = !stopped && carry !== '' && !skipping
      if (cut) oneLine(carry)
      const events = [...names].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      const stoppedAt = stopped ? lines : null
      return { ...{ kept, lines, events, strange, first, unread, firstUnread, lost, stoppedAt, cut } }
    },
  }
}
