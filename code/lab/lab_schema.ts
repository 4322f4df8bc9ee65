// SPDX-License-Identifier: MIT
//
// What a lab file may say. Every object is strict: an unknown key is an error, so that a misspelt expectation cannot pass
// by never being looked at.
import { z } from 'zod'
import { MACHINE_NAMES } from './boards.ts'
import { KERNEL_NAMES } from './kernels.ts'

const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case words joined by hyphens')
const guestName = z.string().regex(/^[a-zA-Z0-9_-]+$/, 'expected letters, digits, _ and -')
const size = z.string().regex(/^\d+[MG]$/, 'expected a size such as 512M or 3G')
const kernel = z.enum(KERNEL_NAMES)
const path = z.string().min(1)

/** The regular expression in `/words/flags`; null for text that is looked for as it stands. @throws SyntaxError */
export const patternOf = (text: string): RegExp | null => {
  const match = /^\/(.*)\/([imsu]*)$/s.exec(text)
  return match ? new RegExp(match[1] ?? '', match[2]) : null
}

const soundPattern = (text: string): boolean => {
  try {
    patternOf(text)
    return true
  } catch {
    return false
  }
}

const words = z.string().min(1).refine(soundPattern, {
  error: 'expected text, or a regular expression that JavaScript takes, between slashes',
})

// Text to look for, or a regular expression between slashes; with a count or a kernel where that matters.
const lookFor = z.union([
  words,
  z.strictObject({
    text: words,
    /** Exactly so many lines; without it, at least one. */
    times: z.int().min(1).optional(),
    kernels: z.array(kernel).min(1).optional(),
  }),
])

const look = z.strictObject({ must: z.array(lookFor).optional(), mustNot: z.array(lookFor).optional() })

// The kernel log has lines that no lab may show (kernel_log.ts); a lab that provokes one names it under `allow`.
const lookAtLog = look.extend({ allow: z.array(lookFor).optional() })

const place = z.strictObject({ driver: guestName, device: z.string().min(1) })

const step = z
  .strictObject({
    load: guestName.optional(),
    params: z.string().optional(),
    run: guestName.optional(),
    args: z.array(z.string()).optional(),
    unload: guestName.optional(),
    shell: z.string().optional(),
    bind: place.optional(),
    unbind: place.optional(),
    /** The exit code that is right; 0 when unsaid. */
    exit: z.int().min(0).max(255).optional(),
    /** Look at what the step printed. */
    output: look.optional(),
    /** For `run`: false when the program does not speak KTAP. */
    ktap: z.boolean().optional(),
    /** For `run`: the tests that may say SKIP here. */
    skip: z.array(z.string().min(1)).optional(),
  })
  .superRefine((value, context) => {
    const verbs = STEP_VERBS.filter((verb) => value[verb] !== undefined)
    if (verbs.length !== 1) {
      context.addIssue({
        code: 'custom',
        message: `expected one of ${STEP_VERBS.join(', ')}, got ${verbs.length === 0 ? 'none' : verbs.join(' and ')}`,
      })
    }
    const only = (key: 'params' | 'args' | 'ktap' | 'skip', verb: 'load' | 'run'): void => {
      if (value[key] !== undefined && value[verb] === undefined) {
        context.addIssue({ code: 'custom', path: [key], message: `expected only beside ${verb}` })
      }
    }
    only('params', 'load')
    only('args', 'run')
    only('ktap', 'run')
    only('skip', 'run')
  })

export const STEP_VERBS = ['load', 'run', 'unload', 'shell', 'bind', 'unbind'] as const

const collected = z
  .strictObject({
    name: guestName,
    file: path.optional(),
    shell: z.string().optional(),
    /** Bytes rather than text: comes back as base64. */
    binary: z.boolean().optional(),
  })
  .refine((value) => (value.file === undefined) !== (value.shell === undefined), {
    message: 'expected either file or shell',
  })

// What QEMU plugs in: its device `edu`, and the widest address that it can reach.
const device = z.string().regex(/^edu(,dma_mask=0x[0-9a-f]+)?$/, 'expected edu or edu,dma_mask=0x…')
const traceEvent = z
  .string()
  .regex(
    /^[a-z0-9_]+(\/[a-z0-9_]+)?$/,
    'expected a group of trace events such as cma, or one: cma/cma_alloc_start',
  )

const boot = z
  .strictObject({
    name,
    /** A device-tree overlay for the board's own tree; without it the board boots as it is. */
    tree: path.optional(),
    ram: size.optional(),
    cmdline: z.string().optional(),
    /** Instead of the board's. */
    devices: z.array(device).optional(),
    iommu: z.literal('smmuv3').optional(),
    kernels: z.array(kernel).min(1).optional(),
    /** Kernels that this boot says nothing of, by their own names. */
    notOn: z.array(kernel).min(1).optional(),
    /** Trace events that are on from the first step to the last; what they recorded comes back as `trace`. */
    trace: z.array(traceEvent).min(1).optional(),
    steps: z.array(step).optional(),
    collect: z.array(collected).optional(),
    expect: z.strictObject({ log: lookAtLog.optional(), iomem: look.optional() }).optional(),
    /** Let a model boot the same tree and compare what both say. */
    compare: z.literal('model').optional(),
    /** With it: calls of the DMA API by chance, for replay_run in /programs/calls, made on the model too. */
    calls: z
      .strictObject({
        seed: z.int().min(0),
        scenarios: z.int().min(1).max(1000),
      })
      .optional(),
    /** With it: a scenario that the model plays on the machine that booted here; its events must be those of `trace`. */
    scenario: path.optional(),
  })
  .superRefine((value, context) => {
    const need = (key: 'calls' | 'scenario', other: 'compare' | 'trace'): void => {
      if (value[key] === undefined || value[other] !== undefined) return
      context.addIssue({ code: 'custom', path: [key], message: `expected only beside ${other}` })
    }
    need('calls', 'compare')
    need('scenario', 'compare')
    need('scenario', 'trace')
  })

const program = z.union([
  guestName,
  z.strictObject({
    name: guestName,
    sources: z.array(path).min(1),
    /** 32: a program of the 32-bit ABI, on a 64-bit kernel. */
    bits: z.literal([32, 64]).optional(),
  }),
])

export const labSchema = z.strictObject({
  name,
  title: z.string().min(1),
  board: z
    .strictObject({
      machine: z.enum(MACHINE_NAMES).optional(),
      cpu: z.string().optional(),
      ram: size.optional(),
      smp: z.int().min(1).max(8).optional(),
      cmdline: z.string().optional(),
      devices: z.array(device).optional(),
      /** Let the guest's clock jump ahead when it has nothing to do: what it sleeps takes none of our time. */
      skipIdle: z.boolean().optional(),
      /** Let the guest's clock count instructions, one a nanosecond: what a program measures is the same on a busy host. */
      countInstructions: z.boolean().optional(),
    })
    .optional(),
  kernels: z.array(kernel).min(1),
  /** Folders of modules, each named as its module. */
  modules: z.array(path).optional(),
  /** `kernel/user/<name>.c`, or a name and its sources. */
  programs: z.array(program).optional(),
  /** Folders that modules and programs include from, copied beside them. */
  include: z.array(path).optional(),
  /** Seconds that one boot may take; 180 when unsaid. */
  timeout: z.int().min(1).max(3600).optional(),
  boots: z.array(boot).min(1),
})

export type LabData = z.infer<typeof labSchema>
export type LabBoot = LabData['boots'][number]
export type LabStep = NonNullable<LabBoot['steps']>[number]
export type Look = z.infer<typeof look>
export type LookFor = z.infer<typeof lookFor>
