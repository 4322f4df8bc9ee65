// SPDX-License-Identifier: MIT
//
// Where an attempt begins is said by its last lines: test_pages_isolated, cma_alloc_busy_retry, cma_alloc_finish. A film
// shows the place from the start on, so the events are read backwards once before they are played.
import type { KeptEvent } from './film_types.ts'
import { gotPfn, numberOf } from './film_fields.ts'

/** By index of each event that begins an attempt (a start, a retry): its first page frame, where the trace tells it. */
export function placesOf(events: readonly KeptEvent[]): ReadonlyMap<number, number> {
  const places = new Map<number, number>()
  // By pid: the place of the attempt that is being read, from its end.
  const open = new Map<number, number | null>()
  for (let i = events.length - 1; i >= 0; i--) {
    const { record } = events[i]!
    const begun = open.get(record.pid)
    const begins = record.event === 'cma_alloc_start' || record.event === 'cma_alloc_busy_retry'
    if (begins && begun !== undefined && begun !== null) places.set(i, begun)
    const told = toldBy(events[i]!)
    if (record.event === 'cma_alloc_start') open.delete(record.pid)
    else if (told !== undefined) open.set(record.pid, told)
  }
  return places
}

// Null: the attempt failed before it had a place. Undefined: the event says nothing of it.
function toldBy({ record }: KeptEvent): number | null | undefined {
  switch (record.event) {
    case 'cma_alloc_busy_retry':
      return numberOf(record, 'pfn')
    case 'cma_alloc_finish':
      return gotPfn(record)
    case 'test_pages_isolated':
      return numberOf(record, 'start_pfn')
    default:
      return undefined
  }
}
