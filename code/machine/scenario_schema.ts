// SPDX-License-Identifier: MIT
//
// A scenario: a board, a kernel, and what happens. It is YAML, and every object is strict: an unknown key is an error, so
// that a misspelt expectation cannot pass by never being looked at.
//
//     title: A pin makes cma_alloc() step over it
//     kernels: [6.1, 6.12]
//     board: { ram: 512M, cmdline: cma=64M }
//     trace: [cma_alloc_busy_retry]
//     steps:
//       - process: {}
//         as: editor
//       - fill: { process: editor, pages: 4096, in: reserved }
//         as: heap
//       - cma_alloc: { area: reserved, count: 4096, align: 8 }
//         gives: { errno: -16 }
//
// `gives` may be a list of cases, of which the first that fits the kernel counts: [{ kernels: [3.5], pfn: … }, { pfn: … }].

// #region scenario-schema-parts
import { z } from 'zod'
import type { KernelVersion } from '../lib/kernel_version.ts'
import { GiB, MiB } from '../lib/units.ts'
import { expectedValue, kernelValue, nameValue, sizeValue, type Expected } from './scenario_values.ts'
import { VERB_NAMES, VERBS, type VerbArgs, type VerbName } from './scenario_verbs.ts'

// A machine of 256 GiB takes 1.4 GB of the host for its struct pages.
const ramSize = sizeValue.refine((size) => size >= MiB(1) && size <= GiB(256), {
  error: 'expected 1M to 256G',
})
const ram = z.strictObject({ base: z.int().min(0), size: ramSize })
const powerOfTwo = (from: number, to: number) =>
  sizeValue.refine((size) => size >= from && size <= to && Number.isInteger(Math.log2(size)), {
    error: `expected a power of two from ${from} to ${to}`,
  })

/** What differs from the configuration of that kernel: code/machine/config.ts. */
const config = z.strictObject({
  pageSize: powerOfTwo(4096, 65536).optional(),
  maxOrder: z.int().min(1).max(16).optional(),
  pageblockOrder: z.int().min(1).max(16).optional(),
  cmaAlignment: powerOfTwo(4096, MiB(256)).optional(),
  lowmem: sizeValue.optional(),
  highmem: z.boolean().optional(),
})

/** What the device tree does not say: code/machine/system.ts. */
const hardware = z.strictObject({
  lineSize: powerOfTwo(4, 2048).optional(),
  outerCache: z.boolean().optional(),
  hwDirtyBit: z.boolean().optional(),
  dmaRangesLast: z.int().min(0).optional(),
  dma_zone_size: sizeValue.optional(),
})

/** RAM and what is in it; a whole tree of one's own instead of `ram`, `reserved` and `nodes`. */
const board = z.strictObject({
  ram: z.union([ramSize, z.array(ram).min(1)]).optional(),
  /** Where RAM begins, when `ram` is a size; 0x40000000 when unsaid. */
  at: z.int().min(0).optional(),
  /** Children of /reserved-memory as device-tree source; cells are 2 and 2. */
  reserved: z.string().optional(),
  /** Children of the root as device-tree source. */
  nodes: z.string().optional(),
  /** A whole device tree: a file beside the scenario. */
  tree: z.string().optional(),
  cmdline: z.string().optional(),
  config: config.optional(),
  hardware: hardware.optional(),
  /** True for a machine with a kernel image in its RAM; without, nothing is in the way. */
  image: z.boolean().optional(),
})

const given = z.record(z.string(), expectedValue)
const cases = z.array(z.object({ kernels: z.array(kernelValue).min(1).optional() }).catchall(expectedValue))

const common = {
  /** The name of what the step makes or finds. */
  as: nameValue.optional(),
  gives: z.union([cases, given]).optional(),
  /** Only on these kernels. */
  kernels: z.array(kernelValue).min(1).optional(),
  /** What a reader is told about this step. */
  note: z.string().optional(),
}

const verbShape = Object.fromEntries(VERB_NAMES.map((name) => [name, VERBS[name].args.optional()])) as {
  [V in VerbName]: z.ZodOptional<(typeof VERBS)[V]['args']>
}

const step = z.strictObject({ ...common, ...verbShape }).superRefine((value, context) => {
  const verbs = VERB_NAMES.filter((name) => value[name] !== undefined)
  if (verbs.length === 1) return
  const got = verbs.length === 0 ? 'none' : verbs.join(' and ')
  context.addIssue({ code: 'custom', message: `expected one thing to do, got ${got}` })
})
// #endregion scenario-schema-parts

// #region scenario-schema
export const scenarioSchema = z.strictObject({
  title: z.string().min(1),
  /** A paragraph for whoever lists scenarios. */
  about: z.string().optional(),
  /** The contracts and vectors of the fact sheet that it shows. */
  shows: z.array(z.string()).optional(),
  /** The kernels it is right for; the first is the one it runs on unless told otherwise. */
  kernels: z.array(kernelValue).min(1),
  arch: z.enum(['arm', 'arm64']).default('arm64'),
  board,
  /** For whatever is drawn by lot. */
  seed: z.int().min(0).default(1),
  /** Events to print with --trace; all when unsaid. */
  trace: z.array(z.string()).optional(),
  steps: z.array(step).min(1),
})

export type ScenarioData = z.output<typeof scenarioSchema>
export type ScenarioBoard = ScenarioData['board']
export type ScenarioStep = ScenarioData['steps'][number]
// #endregion scenario-schema

// #region scenario-schema-step
/** A step's verb with its arguments. */
export type Doing = { [V in VerbName]: { verb: V; args: VerbArgs<V> } }[VerbName]

/** What a step does. A step that the schema let through does one thing. */
export function doingOf(step: ScenarioStep): Doing {
  const name = VERB_NAMES.find((each) => step[each] !== undefined)!
  return { verb: name, args: step[name] } as Doing
}

/** What a step must give on some kernels, or on all: a case of `gives`. */
export interface GivesCase {
  readonly kernels: readonly KernelVersion[] | null
  readonly fields: Readonly<Record<string, Expected>>
}

/** The cases of a step's `gives`, in order; of a plain mapping, the one case. */
export function givesCases({ gives }: ScenarioStep): GivesCase[] {
  if (gives === undefined) return []
  if (!Array.isArray(gives)) return [{ kernels: null, fields: gives as Record<string, Expected> }]
  return gives.map(({ kernels, ...fields }) => ({
    kernels: kernels ?? null,
    fields: fields as Record<string, Expected>,
  }))
}
// #endregion scenario-schema-step
