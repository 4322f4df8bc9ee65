// SPDX-License-Identifier: MIT
//
// Reads a trace from a file, counts its events, and tells the story of each cma_alloc(): which pages it wanted, what stood
// in its way, what moved, how it ended. Events belong to an allocation when its task made them between start and finish.
import { type Diagnostic, formatDiagnostic } from '../lib/diagnostic.ts'
import type { KernelVersion } from '../lib/kernel_version.ts'
import { parseTrace } from '../lib/trace_parse.ts'
import { MiB } from '../lib/units.ts'
import type { TraceRecord, TraceValue } from '../lib/trace.ts'
import { readAtMost } from './read_file.ts'

/** A cma_alloc() as the trace shows it. */
export interface Allocation {
  readonly task: string
  /** Microseconds since the machine started: of its first event. */
  readonly usec: number
  /** Null where the trace names no area: 4.12. */
  area: string | null
  /** Pages. */
  count: number
  align: number
  /** First pfn of each range that was busy, in order. */
  readonly busy: number[]
  /** The page that stood in the way of a range, where the trace has test_pages_isolated. */
  readonly blockers: number[]
  /** Pages that migrated to make room; pages that would not, counted once a try. */
  migrated: number
  failedToMigrate: number
  /** `unknown`: the trace has no finish event. */
  outcome: 'allocated' | 'failed' | 'unknown'
  /** First page, or null. */
  pfn: number | null
  /** Where the kernel tells it: 6.12. */
  errno: number | null
  /** From start to finish; null without either. */
  took: number | null
}

export interface TraceReport {
  readonly file: string
  readonly kernel: KernelVersion | null
  readonly diagnostics: readonly Diagnostic[]
  readonly lostEvents: number
  /** By event, most frequent first. */
  readonly counts: Readonly<Record<string, number>>
  readonly allocations: readonly Allocation[]
}

const NEXT = 'On the board: cat /sys/kernel/tracing/trace > trace.txt, and copy that file here.'

// A name of a task may hold any bytes: what is not UTF-8 is replaced.
const readText = (file: string): string => new TextDecoder().decode(readAtMost(file, MiB(64), NEXT))

const number = (value: TraceValue | undefined): number =>
  typeof value === 'string' ? NaN : Number(value ?? NaN)

function begin({ comm, pid, usec, fields }: TraceRecord): Allocation {
  const { name } = fields
  return {
    task: `${comm}-${pid}`,
    usec,
    area: name === undefined ? null : String(name),
    count: number(fields['count']),
    align: number(fields['align']),
    busy: [],
    blockers: [],
    migrated: 0,
    failedToMigrate: 0,
    outcome: 'unknown',
    pfn: null,
    errno: null,
    took: null,
  }
}

// 6.1 has no errno: a failure is a page that is NULL, or no pfn at all.
function finish(allocation: Allocation, { usec, fields }: TraceRecord, began: boolean): void {
  const errno = fields['errorno']
  const page = String(fields['page'] ?? '')
  const none = typeof fields['pfn'] === 'bigint' || number(fields['pfn']) < 0 || /^0+$/.test(page)
  const failed = errno === undefined ? none || page === '(null)' : number(errno) !== 0
  allocation.outcome = failed ? 'failed' : 'allocated'
  allocation.pfn = failed ? null : number(fields['pfn'])
  allocation.errno = errno === undefined ? null : number(errno)
  allocation.took = began ? usec - allocation.usec : null
}

function during(allocation: Allocation, { event, fields }: TraceRecord): void {
  if (event === 'cma_alloc_busy_retry') allocation.busy.push(number(fields['pfn']))
  if (event === 'mm_migrate_pages') {
    allocation.migrated += number(fields['nr_succeeded'])
    allocation.failedToMigrate += number(fields['nr_failed'])
  }
  const fin = number(fields['fin_pfn'])
  if (event === 'test_pages_isolated' && fin < number(fields['end_pfn'])) allocation.blockers.push(fin)
}

function allocationsIn(records: readonly TraceRecord[]): Allocation[] {
  const all: Allocation[] = []
  const open = new Map<number, Allocation>()
  const first = (record: TraceRecord): Allocation => {
    const allocation = begin(record)
    all.push(allocation)
    return allocation
  }
  for (const record of records) {
    const { event, pid, fields } = record
    if ('verbatim' in fields) continue
    const running = open.get(pid)
    if (event === 'cma_alloc_start') open.set(pid, first(record))
    else if (event === 'cma_alloc_finish' || event === 'cma_alloc') {
      finish(running ?? first(record), record, running !== undefined)
      open.delete(pid)
    } else if (running) during(running, record)
  }
  return all
}

/** @throws Complaint: the file cannot be read */
export function reportTrace(file: string): TraceReport {
  const { records, kernel, diagnostics, lostEvents } = parseTrace(readText(file), file)
  const counts = new Map<string, number>()
  for (const { event } of records) counts.set(event, (counts.get(event) ?? 0) + 1)
  return {
    file,
    kernel: kernel ?? null,
    diagnostics,
    lostEvents,
    counts: Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
    allocations: allocationsIn(records),
  }
}

const hex = (pfn: number): string => `0x${pfn.toString(16)}`
const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

function ending({ outcome, pfn, count, errno, took }: Allocation): string {
  const after = took === null ? '' : ` after ${took} µs`
  if (outcome === 'allocated') return `It got pfn ${hex(pfn!)} … ${hex(pfn! + count - 1)}${after}.`
  if (outcome === 'failed') return `It failed${errno === null ? '' : ` with ${errno}`}${after}.`
  return 'There is no finish event: it asked for more pages than the area has, or the trace ends before it did.'
}

function story(allocation: Allocation): string {
  const { usec, task, count, area, align, busy, blockers, migrated, failedToMigrate } = allocation
  const place = area === null ? '' : ` from ${area}`
  const sentences = [
    `${(usec / 1e6).toFixed(6)} ${task}: cma_alloc of ${plural(count, 'page')}${place}, align ${align}.`,
  ]
  if (busy.length > 0)
    sentences.push(`Busy: ${plural(busy.length, 'range')}, at pfn ${busy.map(hex).join(', ')}.`)
  if (blockers.length > 0) sentences.push(`In the way: pfn ${[...new Set(blockers)].map(hex).join(', ')}.`)
  if (migrated > 0) sentences.push(`${plural(migrated, 'page')} migrated.`)
  if (failedToMigrate > 0) sentences.push(`${plural(failedToMigrate, 'time')} a page would not.`)
  return [...sentences, ending(allocation)].join(' ')
}

export function traceReportText(report: TraceReport): string {
  const { file, kernel, diagnostics, lostEvents, counts, allocations } = report
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
  const whose = kernel === null ? '' : `, as Linux ${kernel} prints them`
  const width = Math.max(0, ...Object.values(counts).map((n) => String(n).length))
  return [
    ...diagnostics.map(formatDiagnostic),
    `${file}: ${plural(total, 'event')}${whose}`,
    ...(total === 0 && diagnostics.length === 0 ? [`  no event in it: was tracing on? ${NEXT}`] : []),
    ...(lostEvents > 0 ? [`  ${plural(lostEvents, 'event')} lost: the counts are too low`] : []),
    ...Object.entries(counts).map(([event, n]) => `  ${String(n).padStart(width)} ${event}`),
    ...allocations.flatMap((allocation) => ['', story(allocation)]),
    '',
  ].join('\n')
}
