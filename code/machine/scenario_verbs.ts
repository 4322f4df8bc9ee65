// SPDX-License-Identifier: MIT
//
// The words of a scenario: what a step can do, what it needs, what it makes and what it gives back.
//
//     - cma_alloc: { area: reserved, count: 256, align: 8 }        snake_case: the kernel's function
//     - fill: { process: editor, fraction: 0.6 }                   the rest: things that happen to a machine
//         as: heap                                                 what it made, by name, for later steps
//         gives: { pages: 20000 }                                  what must have come out
//
// scenario_steps_*.ts do them. `refs` are the keys that name an earlier result, with the kinds that will do.

// #region scenario-verbs
import { z } from 'zod'
import { countValue, expectedValue, nameValue } from './scenario_values.ts'
import { verb } from './scenario_verb.ts'
import {
  dmaVerbs,
  dmaMapVerbs,
  streamingVerbs,
  sgVerbs,
  hardwareVerbs,
  deviceVerbs,
} from './scenario_verbs_dma.ts'
import {
  pageVerbs,
  processVerbs,
  addressVerbs,
  fillVerbs,
  fileVerbs,
  cmaVerbs,
} from './scenario_verbs_memory.ts'

const line = z.union([z.string().min(1), z.strictObject({ text: z.string().min(1), times: countValue })])
const numbers = z.record(z.string(), z.number())

/** What `show` can print. */
export const SHOWN = [
  ...(['iomem', 'meminfo', 'buddyinfo', 'pagetypeinfo', 'zoneinfo', 'vmstat'] as const),
  ...(['cma', 'log', 'memory', 'bitmap'] as const),
] as const
export type Shown = (typeof SHOWN)[number]

const lookVerbs = {
  snapshot: verb({ args: z.strictObject({}), makes: 'snapshot' }),
  restore: verb({ args: z.strictObject({ snapshot: nameValue }), refs: { snapshot: ['snapshot'] } }),
  /** What must hold now; each counter by its name in the file that has it. */
  expect: verb({
    args: z.strictObject({
      log: z.array(line).optional(),
      noLog: z.array(z.string().min(1)).optional(),
      iomem: z.array(z.string().min(1)).optional(),
      /** kB, as in /proc/meminfo. */
      meminfo: numbers.optional(),
      vmstat: numbers.optional(),
      /** How many events there were so far. */
      trace: z.record(z.string(), countValue).optional(),
      /** debugfs files of an area. */
      cma: z.record(z.string(), numbers).optional(),
      /** Fields of an earlier result. */
      results: z.record(z.string(), z.record(z.string(), expectedValue)).optional(),
    }),
  }),
  show: verb({ args: z.strictObject({ what: z.array(z.enum(SHOWN)).min(1) }) }),
}

/** All verbs by name. */
export const VERBS = {
  ...pageVerbs,
  ...processVerbs,
  ...addressVerbs,
  ...fillVerbs,
  ...fileVerbs,
  ...cmaVerbs,
  ...dmaVerbs,
  ...dmaMapVerbs,
  ...streamingVerbs,
  ...sgVerbs,
  ...hardwareVerbs,
  ...deviceVerbs,
  ...lookVerbs,
} as const

export type VerbName = keyof typeof VERBS
export const VERB_NAMES = Object.keys(VERBS) as VerbName[]

/** The arguments of a verb as a step's handler gets them: defaults filled in, sizes in bytes. */
export type VerbArgs<V extends VerbName> = z.output<(typeof VERBS)[V]['args']>
// #endregion scenario-verbs
