// SPDX-License-Identifier: MIT
//
// The fields of the events that the movie plays, as numbers.
import type { TraceRecord } from '../../../code/lib/trace.ts'

/** The events that are played, of all that a trace may hold. */
export const PLAYED = [
  'cma_alloc_start',
  'cma_alloc_busy_retry',
  'cma_alloc_finish',
  'cma_alloc',
  'cma_release',
  'mm_compaction_isolate_migratepages',
  'mm_migrate_pages',
  'test_pages_isolated',
] as const

/** The field as a number; NaN when it has none. */
export function numberOf({ fields }: TraceRecord, name: string): number {
  const value = fields[name]
  return typeof value === 'string' || value === undefined ? NaN : Number(value)
}

/** The area's name; null where the event has none. */
export function areaOf({ fields }: TraceRecord): string | null {
  const { name } = fields
  return name === undefined ? null : String(name)
}

/** First page frame that a finished allocation got; null when it failed. 6.1 says so by a page that is NULL. */
export function gotPfn(record: TraceRecord): number | null {
  const { fields } = record
  const page = String(fields['page'] ?? '')
  const pfn = numberOf(record, 'pfn')
  const none = typeof fields['pfn'] === 'bigint' || !(pfn >= 0) || /^(0+|\(null\))$/.test(page)
  const errno = numberOf(record, 'errorno')
  return none || (!Number.isNaN(errno) && errno !== 0) ? null : pfn
}

/** Whether pages moved to make room for contiguous memory, and not for another reason. */
export function movedForRange({ fields }: TraceRecord): boolean {
  return ['contig_range', 'cma', undefined].includes(fields['reason'] as string | undefined)
}
