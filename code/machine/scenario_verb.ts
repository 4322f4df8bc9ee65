// SPDX-License-Identifier: MIT
//
// What a verb of a scenario is: its arguments, which of them name earlier results, what it makes, what it gives.
// The verbs themselves are in scenario_verbs_memory.ts, scenario_verbs_dma.ts and scenario_verbs.ts.

// #region scenario-verb
import type { z } from 'zod'
import { countValue, gfpValue } from './scenario_values.ts'

/** What a step can make. */
export const KINDS = [
  ...(['pages', 'range', 'process', 'area', 'file', 'pin'] as const),
  ...(['device', 'buffer', 'map', 'sgmap', 'snapshot'] as const),
] as const
export type Kind = (typeof KINDS)[number]

/** A verb. */
export interface Verb<Args extends z.ZodObject> {
  readonly args: Args
  /** Keys of `args` that name an earlier result (`parts.in`: in each part), and the kinds of result that will do. */
  readonly refs?: Readonly<Record<string, readonly Kind[]>>
  readonly makes?: Kind
  /** What `gives` may ask for. */
  readonly gives?: readonly string[]
}

/** A verb as it is written down, its arguments' types kept. */
export const verb = <Args extends z.ZodObject>(what: Verb<Args>): Verb<Args> => what
/** gfp flags, those when unsaid. */
export const gfp = (flags: number) => gfpValue.optional().transform((value) => value ?? flags)
/** The number of a page; 0 when unsaid. */
export const page = countValue.default(0)
// #endregion scenario-verb
