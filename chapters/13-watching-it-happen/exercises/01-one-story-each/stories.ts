// SPDX-License-Identifier: MIT
//
// What became of each allocation in a trace.
import type { TraceRecord } from 'contiguous/lib/trace'

/** What became of one cma_alloc(). */
export interface Story {
  readonly pid: number
  /** Pages that were asked for. */
  readonly count: number
  /** Places that were given up. */
  retries: number
  outcome: 'allocated' | 'failed' | 'not tried'
  /** First page, or null. */
  pfn: number | null
}

/** A story for each cma_alloc_start, in the order of the starts. */
export function stories(records: readonly TraceRecord[]): Story[] {
  const all: Story[] = []
  for (const { event, pid, fields } of records) {
    // Yours.
    void [event, pid, fields]
  }
  return all
}
