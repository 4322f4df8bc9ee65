// SPDX-License-Identifier: MIT
//
// Pages that a trace sees go and not come back.
import type { TraceRecord } from 'contiguous/lib/trace'

/** How many pages were allocated in the trace, and not released in it. */
export function stillOut(records: readonly TraceRecord[]): number {
  let out = 0
  for (const { event, fields } of records) {
    if (event === 'cma_alloc_finish' && Number(fields['errorno']) === 0) out += Number(fields['count'])
    if (event === 'cma_release') out -= Number(fields['count'])
  }
  return out
}
