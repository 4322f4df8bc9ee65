// SPDX-License-Identifier: MIT
//
// What came of a call, from a model or from a kernel, in the same words:
//
//     3 0 address=50000000                                    what replay_run said
//     tracing_mark_write: call 3                              the events between two marks
//     cma_alloc_start: name=area@50000000 count=375 align=8
//     …
//     → { errno: 0, values: { address: '50000000' }, events: […] }
//
// Pointers that the kernel hashes are replaced by whether there was one.

// #region replay-answers-imports
import type { KernelVersion } from '../lib/kernel_version.ts'
import { Complaint } from '../lib/complaint.ts'
import type { TraceRecord } from '../lib/trace.ts'
import { formatTraceRecord } from '../lib/trace_format.ts'
// #endregion replay-answers-imports

// #region replay-answers-type
/** What came of a call. */
export interface Answer {
  /** 0, or a negative errno. */
  readonly errno: number
  /** What else was answered, by name, as text. */
  readonly values: Readonly<Record<string, string>>
  /** `event: fields` in order. */
  readonly events: readonly string[]
  /** Lines of the kernel log. */
  readonly log: readonly string[]
}
// #endregion replay-answers-type

// #region replay-answers-watched
/** The events that are looked at; `dma_*` and `mm_alloc_contig_*` are of 6.12. */
export const WATCHED_EVENTS = [
  ...(['cma_alloc_start', 'cma_alloc_busy_retry', 'cma_alloc_finish', 'cma_release'] as const),
  ...(['test_pages_isolated', 'mm_migrate_pages_start', 'mm_migrate_pages'] as const),
  ...(['mm_alloc_contig_migrate_range_info', 'dma_alloc', 'dma_free'] as const),
] as const

const watched: ReadonlySet<string> = new Set(WATCHED_EVENTS)

/** Events that tell how many pages an allocation has moved, and those among them that tell of some. */
export const MIGRATION_EVENTS = /^mm_(migrate_pages|alloc_contig)/
export const MOVED_PAGES =
  /^mm_migrate_pages: nr_succeeded=[1-9]|^mm_alloc_contig_migrate_range_info: .*nr_reclaimed=[1-9]/

// Hashed by the kernel, differently at each boot.
const POINTER = / (page|virt_addr)=(\S+)/g

const withoutPointers = (text: string): string =>
  text.replace(POINTER, (_all, name: string, value: string) =>
    /^(0+|\(null\))$/.test(value) ? ` ${name}=none` : ` ${name}=some`,
  )

/** The watched ones among a model's events, as `kernel` prints them, without task, time and pointers. */
export function eventLines(records: readonly TraceRecord[], kernel: KernelVersion): string[] {
  return pointerless(
    records.filter(({ event }) => watched.has(event)),
    kernel,
  )
}

/** A model's events likewise, all of them. */
export function pointerless(records: readonly TraceRecord[], kernel: KernelVersion): string[] {
  return records.flatMap((record) => {
    const line = formatTraceRecord(record, kernel)
    const event = line === null ? null : EVENT.exec(line)
    return event ? [withoutPointers(`${event[1]!}: ${event[2]!}`)] : []
  })
}

// Task, with the option record-tgid its group, CPU, flags, time; then the event and its fields.
const EVENT = /^ *\S.*-\d+ +(?:\([ \d-]+\) +)?\[\d+\] +\S+ +[\d.]+: ([a-z_0-9]+): (.*)$/
const MARK = /^call (\d+)$/

/** What ftrace recorded behind the mark `call <number>`; lines of the log come as the event `console`. */
interface Recorded {
  readonly events: string[]
  readonly log: string[]
}

/** Every event of a trace in the same words. */
export function tracedEvents(trace: string): string[] {
  return trace.split('\n').flatMap((line) => {
    const [, event, fields = ''] = EVENT.exec(line) ?? []
    return event === undefined ? [] : [withoutPointers(`${event}: ${fields}`)]
  })
}

const BEFORE = -1

/** By the number of the call. Throws a Complaint when the buffer was too small for all of them. */
function recordedByCall(trace: string): Map<number, Recorded> {
  if (/\[LOST \d+ EVENTS\]/.test(trace)) {
    throw new Complaint({ text: 'the trace has lost events', next: ['Give it a larger buffer_size_kb.'] })
  }
  let current: Recorded = { events: [], log: [] }
  const calls = new Map([[BEFORE, current]])
  for (const line of trace.split('\n')) {
    const [, event, fields = ''] = EVENT.exec(line) ?? []
    if (event === undefined) continue
    const mark = event === 'tracing_mark_write' ? MARK.exec(fields) : null
    if (mark) calls.set(Number(mark[1]), (current = { events: [], log: [] }))
    else if (event === 'console') speak(current.log, fields)
    else if (watched.has(event)) current.events.push(withoutPointers(`${event}: ${fields}`))
  }
  return calls
}

// The list of what is free in an area is printed in pieces, `pr_cont()`: each is an event of its own.
function speak(log: string[], text: string): void {
  const before = log.at(-1)
  const goesOn =
    before !== undefined && /^cma: number of available pages: /.test(before) && !/total pages$/.test(before)
  if (goesOn) log[log.length - 1] = before + text
  else log.push(text)
}
// #endregion replay-answers-watched

// #region replay-answers-read
/** What a kernel answered, and what it had recorded before the first call. */
export interface KernelAnswers {
  readonly answers: readonly Answer[]
  readonly before: readonly string[]
}

/**
 * The answers of a kernel: what replay_run printed, with what ftrace recorded meanwhile.
 * Throws a Complaint when there are not `calls` of them.
 */
export function readAnswers(printed: string, trace: string, calls: number): KernelAnswers {
  const recorded = recordedByCall(trace)
  const answers: Answer[] = []
  for (const line of printed.split('\n')) {
    const [number, errno, ...words] = line.trim().split(' ')
    const events = recorded.get(answers.length)
    if (errno === undefined || Number(number) !== answers.length || !events) continue
    const values = Object.fromEntries(words.map((word) => word.split('=') as [string, string]))
    answers.push({ errno: Number(errno), values, ...events })
  }
  if (answers.length === calls) return { answers, before: recorded.get(BEFORE)!.events }
  throw new Complaint({
    text: `replay_run answered ${answers.length} of ${calls} calls`,
    next: [`What it said last: ${printed.trimEnd().split('\n').at(-1) || 'nothing'}`],
  })
}
// #endregion replay-answers-read
