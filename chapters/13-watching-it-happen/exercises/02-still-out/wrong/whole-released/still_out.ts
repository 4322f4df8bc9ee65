// SPDX-License-Identifier: MIT
//
// Pages that a trace sees go and not come back.
import type { TraceRecord } from 'contiguous/lib/trace'

/** How many pages were allocated in the trace, and not released in it. */
export function stillOut(records: readonly TraceRecord[]): number {
  const out = new Map<number, number>()
  for (const { event, fields } of records) {
    const pfn = Number(fields['pfn'])
    if (event === 'cma_alloc_finish' && Number(fields['errorno']) === 0) out.set(pfn, Number(fields['count']))
    if (event === 'cma_release') out.delete(pfn)
  }
  return [...out.values()].reduce((sum, count) => sum + count, 0)
}
