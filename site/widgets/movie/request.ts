// SPDX-License-Identifier: MIT
//
// One cma_alloc() while it runs: what has been collected and has not moved yet, and what is counted.
import type { Counts } from './film_types.ts'
import type { Span } from './runs.ts'

/** Pages that were collected out of a range: all of them, or some, and which is not said. */
export interface Batch extends Span {
  readonly taken: number
}

export interface Request {
  readonly task: string
  readonly area: string | null
  readonly count: number
  readonly align: number
  /** The place that is tried; null when the trace has not said. */
  place: Span | null
  /** Collected since pages moved last. */
  pending: Batch[]
  /** How many of `pending` stayed at the last attempt to move them; null before the first. */
  stayed: number | null
  /** Ranges out of which all moved but a few. */
  incomplete: Batch[]
  counts: Counts
}

export function beginRequest(task: string, area: string | null, count: number, align: number): Request {
  return {
    ...{ task, area, count, align, place: null, pending: [], stayed: null, incomplete: [] },
    counts: { tries: 0, moved: 0, dropped: 0, failed: 0 },
  }
}

/** Adds to what is counted. */
export function count(request: Request, more: Partial<Counts>): void {
  const { tries, moved, dropped, failed } = request.counts
  request.counts = {
    tries: tries + (more.tries ?? 0),
    moved: moved + (more.moved ?? 0),
    dropped: dropped + (more.dropped ?? 0),
    failed: failed + (more.failed ?? 0),
  }
}

export const lengthOf = ({ start, end }: Span): number => end - start

/** From the first page of these ranges to the last. */
export function hull(spans: readonly Span[]): Span {
  return {
    start: Math.min(...spans.map(({ start }) => start)),
    end: Math.max(...spans.map(({ end }) => end)),
  }
}
