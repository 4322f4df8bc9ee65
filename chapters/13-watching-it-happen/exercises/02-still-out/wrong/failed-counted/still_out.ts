// SPDX-License-Identifier: MIT
//
// Pages that a trace sees go and not come back.
import type { TraceRecord } from 'contiguous/lib/trace'

/** How many pages were allocated in the trace, and not released in it. */
export function stillOut(records: readonly TraceRecord[]): number {
  const out = new Set<number>()
  for (const { event, fields } of records) {
    const [pfn, count] = [Number(fields['pfn']), Number(fields['count'])]
    for (let i = 0; i < count; i++) {
      if (event === 'cma_alloc_finish') out.add(pfn + i)
      if (event === 'cma_release') out.delete(pfn + i)
    }
  }
  return out.size
}
