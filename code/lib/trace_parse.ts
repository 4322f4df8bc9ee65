// SPDX-License-Identifier: MIT
//
// Trace in: the text of /sys/kernel/tracing/trace, of a model or of a board, as records.
//
//     const trace = parseTrace(text, 'board.txt')
//     trace.records, trace.kernel, trace.diagnostics
//     printTrace(trace) === text
//
// Nothing is lost on the way back. An event that no format fits is a record with its text in the field `verbatim`; a line
// that its record would not print the same (another clock, a column TGID) is kept as it came, and so are headers, the
// lines of other tracers, and `CPU:0 [LOST 12 EVENTS]`. Not read: trace.dat, and the latency format.

// #region trace-parse-lines
import type { Diagnostic } from './diagnostic.ts'
import { KERNEL_VERSIONS, type KernelVersion } from './kernel_version.ts'
import type { TraceRecord, TraceValue } from './trace.ts'
import { printsLike, type TraceEventFormat, traceEventFormats } from './trace_events.ts'
import { formatTraceRecord, pageOf, tracePieces } from './trace_format.ts'
import { readTraceValue, TRACE_PATTERN } from './trace_values.ts'

/** A line of the file: an event, or text; an event has text only where its record would print otherwise. */
export interface TraceLine {
  readonly record?: TraceRecord
  readonly text?: string
}

/** A trace that was read. */
export interface ParsedTrace {
  readonly records: readonly TraceRecord[]
  /** The kernel that prints its events like this, when only one of the models' does. */
  readonly kernel?: KernelVersion
  /** A kernel that prints the lines without text as they came; there are none where there is no such kernel. */
  readonly printsAs?: KernelVersion
  readonly diagnostics: readonly Diagnostic[]
  readonly lines: readonly TraceLine[]
  /** How many events the kernel says it had no room for; a line that tells no number counts as one. */
  readonly lostEvents: number
  /** Whether the last line ended. */
  readonly terminated: boolean
}

const matchers = new Map<TraceEventFormat, RegExp>()

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function matcherOf(format: TraceEventFormat): RegExp {
  let matcher = matchers.get(format)
  if (!matcher) {
    const source = tracePieces(format.print).map((piece) =>
      typeof piece === 'string' ? literal(piece) : `(${TRACE_PATTERN[piece.conversion]})`,
    )
    matcher = new RegExp(`^${source.join('')}$`)
    matchers.set(format, matcher)
  }
  return matcher
}

// The fields of a line; what can be made of other fields is none.
function readFields(said: string, format: TraceEventFormat): Record<string, TraceValue> | null {
  const match = matcherOf(format).exec(said)
  if (!match) return null
  const fields: Record<string, TraceValue> = {}
  let group = 0
  for (const piece of tracePieces(format.print)) {
    if (typeof piece === 'string') continue
    const word = match[++group]!
    if (piece.conversion !== 'derived') fields[piece.field] = readTraceValue(word, piece.conversion)
  }
  const { page, ...rest } = fields
  const bits = typeof page === 'string' && page.length === 8 ? 32 : 64
  return page !== undefined && page === pageOf(rest, bits) ? rest : fields
}

// comm-pid (tgid) [cpu] flags time: the name of a task may hold spaces and dashes. trace-cmd report prints no flags, and
// spaces after the event's name.
const TASK = /^ *(.*?)-(\d+) +(?:\([ \d-]+\) )?\[(\d{3,})\] (\S*) +(\d+)(?:\.(\d{6}))?: /
const EVENT = /^(\w+): +(.*)$/
const LOST = /^CPU:\d+ \[LOST (?:(\d+) )?EVENTS\]$/

/** A line of an event, by itself. */
export interface ReadTraceLine {
  readonly record: TraceRecord
  /** Those that print an event like this; none: `record.fields` has its text as `verbatim`. */
  readonly formats: readonly TraceEventFormat[]
  /** Column of the event's text. */
  readonly column: number
}

/**
 * Reads one line, for whom a trace is too long to have as one text; null when it is of no event. A carriage return that a
 * copy has brought is no part of it.
 */
export function readTraceLine(text: string): ReadTraceLine | null {
  const line = text.replace(/\r$/, '')
  const task = TASK.exec(line)
  const event = task && EVENT.exec(line.slice(task[0].length))
  if (!task || !event) return null
  const [, comm = '', pid, cpu, flags = '', seconds, micros] = task
  const [, name = '', said = ''] = event
  const usec = micros === undefined ? Number(seconds) : Number(seconds) * 1e6 + Number(micros)
  const formats = traceEventFormats(name).filter((format) => matcherOf(format).test(said))
  const fields = (formats[0] && readFields(said, formats[0])) ?? { verbatim: said }
  const record = { comm, pid: Number(pid), cpu: Number(cpu), flags, usec, event: name, fields }
  return { record, formats, column: line.length - said.length + 1 }
}

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)

function expected(event: string): string {
  const prints = traceEventFormats(event).map(({ print }) => `"${print.replace(/\{(\w+):\w+\}/g, '<$1>')}"`)
  return prints.join(' or ')
}

type Say = (rule: string, severity: 'error' | 'warning', column: number, text: string, note: string) => void

// What is wrong with a line, if anything is.
function judge(line: string, read: ReadTraceLine | null, whole: boolean, say: Say): void {
  const known = read !== null && traceEventFormats(read.record.event).length > 0
  const fits = read !== null && (!known || read.formats.length > 0)
  if (!whole) sayCut(line, read, fits, say)
  else if (known && !fits) {
    const { event, fields } = read.record
    const got = `${event}: got "${shown(String(fields['verbatim']))}", expected ${expected(event)}`
    const note = 'It is kept as it came. Another kernel than those of the models, or a line that was cut?'
    say('trace-event-format', 'warning', read.column, got, note)
  } else if (!read && !isOtherLine(line)) {
    const got = `got "${shown(line)}", expected <task>-<pid> [<cpu>] <flags> <seconds>: <event>: <fields>`
    const note = 'It is kept as it came. Is this the text of /sys/kernel/tracing/trace?'
    say('trace-line', 'warning', 1, got, note)
  }
}

function sayCut(line: string, read: ReadTraceLine | null, fits: boolean, say: Say): void {
  const got = `the trace ends in the middle of a line: got "${shown(line.trimStart())}"`
  const prints = read && !fits ? expected(read.record.event) : 'a line end, as after every line'
  const note = fits
    ? 'Its last number may have lost digits. Copy the file again, or end the last line.'
    : 'The records before it are read. Copy the file again, or delete the line.'
  say('trace-cut', fits ? 'warning' : 'error', line.length + 1, `${got}, expected ${prints}`, note)
}

// Comments, the head of trace-cmd report, lost events, a line of another tracer.
function isOtherLine(line: string): boolean {
  return (
    line.trim() === '' ||
    line.startsWith('#') ||
    /^cpus=\d+$/.test(line) ||
    LOST.test(line) ||
    line === '[LINE TOO BIG]' ||
    TASK.test(line)
  )
}
// #endregion trace-parse-lines

// #region trace-parse-kernel
// The kernels that print every event of the trace like this.
function kernelsOf(reads: readonly (ReadTraceLine | null)[]): KernelVersion[] {
  const seen = new Set<string>()
  let kernels: KernelVersion[] = [...KERNEL_VERSIONS]
  for (const read of reads) {
    if (!read || read.formats.length === 0) continue
    const key = read.formats.map(({ event, since }) => `${event} ${since}`).join()
    if (seen.has(key)) continue
    seen.add(key)
    kernels = kernels.filter((kernel) => read.formats.some((format) => printsLike(format, kernel)))
  }
  return kernels
}
// #endregion trace-parse-kernel

// #region trace-parse-text
/**
 * Reads the text of a trace. `file` is its name in diagnostics. A trace that was cut in the middle of a line gives
 * `trace-cut`, and the records before that line.
 */
export function parseTrace(text: string, file: string): ParsedTrace {
  const diagnostics: Diagnostic[] = []
  const texts = text === '' ? [] : text.split('\n')
  const terminated = texts.at(-1) === ''
  if (terminated) texts.pop()
  let lostEvents = 0
  const reads = texts.map((line, index) => {
    const read = readTraceLine(line)
    const whole = terminated || index < texts.length - 1
    judge(line, read, whole, (rule, severity, column, said, note) =>
      diagnostics.push({ rule, severity, file, line: index + 1, column, text: said, note }),
    )
    const lost = LOST.exec(line)
    if (lost) lostEvents += Number(lost[1] ?? 1)
    const cut = !whole && diagnostics.at(-1)?.severity === 'error'
    return cut ? null : read
  })
  const kernels = kernelsOf(reads)
  const printsAs = kernels.at(-1)
  const lines = reads.map((read, index) => keep(texts[index]!, read, printsAs))
  const records = lines.flatMap(({ record }) => record ?? [])
  const told = { ...(kernels.length === 1 && { kernel: kernels[0]! }), ...(printsAs && { printsAs }) }
  return { records, ...told, diagnostics, lines, lostEvents, terminated }
}

function keep(text: string, read: ReadTraceLine | null, kernel: KernelVersion | undefined): TraceLine {
  if (!read) return { text }
  const { record } = read
  const same = kernel !== undefined && formatTraceRecord(record, kernel) === text
  return same ? { record } : { record, text }
}

/** The text that was read, byte for byte. */
export function printTrace({ lines, printsAs, terminated }: ParsedTrace): string {
  const texts = lines.map(({ record, text }) => text ?? printed(record, printsAs))
  return texts.join('\n') + (terminated ? '\n' : '')
}

function printed(record: TraceRecord | undefined, kernel: KernelVersion | undefined): string {
  const line = record && kernel && formatTraceRecord(record, kernel)
  if (line) return line
  throw new Error(
    'printTrace: got a line without text whose record no kernel prints, expected lines of parseTrace(); give it text',
  )
}
// #endregion trace-parse-text
