// SPDX-License-Identifier: MIT
//
// A film: what a trace tells of one CMA area, step by step. Plain data, so that a worker can hand it to the page.
import type { TraceRecord } from '../../../code/lib/trace.ts'
import type { Paint, Span } from './runs.ts'

/** An event that the movie plays, with the line of the file that it comes from. */
export interface KeptEvent {
  /** Counted from 1. */
  readonly line: number
  readonly text: string
  readonly record: TraceRecord
}

/** What a step is, and what its sentence needs (site/text/en_movie.ts). Page frames are numbers. */
export type StepKind =
  | 'ask'
  | 'try'
  | 'search'
  | 'collect'
  | 'collect-some'
  | 'move'
  | 'move-untold'
  | 'stuck'
  | 'free'
  | 'held'
  | 'busy'
  | 'take'
  | 'refuse'
  | 'release'
  | 'open'

export type StepValues = Readonly<Record<string, number | string>>

/** Of the request that runs, or ran last. */
export interface Counts {
  /** Places that were tried. */
  readonly tries: number
  /** Pages that moved elsewhere. */
  readonly moved: number
  /** Pages that were collected and neither moved nor failed: reclaimed. */
  readonly dropped: number
  /** How often a page would not move. */
  readonly failed: number
}

export interface Step {
  readonly kind: StepKind
  readonly values: StepValues
  /** Line of the trace that says so; a step that follows from a later line has that of the line before. */
  readonly line: number
  readonly text: string
  /** Since the machine started. */
  readonly usec: number
  readonly paints: readonly Paint[]
  /** The place that is being tried, isolated; null between requests. */
  readonly range: Span | null
  readonly counts: Counts
}

export interface Film {
  /** Name of the area; null where the trace has none (4.12). */
  readonly area: string | null
  /** All page frames that the film shows. */
  readonly span: Span
  readonly steps: readonly Step[]
}
