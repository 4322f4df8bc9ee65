// SPDX-License-Identifier: MIT
//
// A lab and a kernel become a plan: what to fetch, build and boot, as exact commands. Carrying the plan out (run_lab.ts)
// and printing it (dryRun) start from the same steps.
import { existsSync } from 'node:fs'
import type { Cache } from './cache.ts'
import type { Step } from './command.ts'
import { type BoardPlan, planBoard } from './board_qemu.ts'
import { BOARDS } from './boards.ts'
import { busyboxStep, type DebianBusybox } from './debian_kernel.ts'
import { buildModules, buildPrograms, type GuestBuild } from './guest_build.ts'
import { buildCalls, callScenarios, type CallScenario } from './guest_calls.ts'
import { guestSources, type SourceChanges } from './guest_sources.ts'
import { askLabKernel, rememberedKernel } from './kernel_choice.ts'
import { type GuestArch, type KernelName, type KernelTag, type LabKernel, speaksOf } from './kernels.ts'
import type { Lab } from './lab_file.ts'
import type { LabBoot } from './lab_schema.ts'
import { forgetAptStep, privateAptStep } from './private_apt.ts'
import { shellScript } from './shell_script.ts'

/** Seconds that a boot may take when neither the lab nor the caller says. */
export const BOOT_LIMIT_S = 180

export interface PlannedBoot {
  readonly boot: LabBoot
  readonly board: BoardPlan
  readonly limit: number
}

/** Everything one kernel needs for one lab. */
export interface KernelPlan {
  readonly kernel: LabKernel
  readonly fetch: readonly Step[]
  readonly builds: readonly GuestBuild[]
  readonly boots: readonly PlannedBoot[]
}

export interface PlanChoice extends SourceChanges {
  /** Seconds a boot may take; overrides the lab's. */
  readonly timeout?: number
  /** Keep each board's device tree, as its kernel gets it, beside the serial log. */
  readonly keep?: boolean
  /** Only these boots, by name. */
  readonly boots?: readonly string[]
  /** Instead of the calls that a boot's `calls` stands for. */
  readonly calls?: readonly CallScenario[]
}

/** The architecture of a lab's board. */
export const archOf = (lab: Lab): GuestArch => BOARDS[lab.board?.machine ?? 'virt'].arch

/** The boots of a lab for one kernel. */
export function bootsFor(lab: Lab, kernel: KernelTag, only?: readonly string[]): LabBoot[] {
  return lab.boots.filter(
    (boot) =>
      speaksOf(boot.kernels, kernel) &&
      !boot.notOn?.includes(kernel.name) &&
      (only === undefined || only.includes(boot.name)),
  )
}

/**
 * Plans one kernel of a lab.
 *
 * @param apt - where the private apt has, or would have, its state
 * @param stamp - makes the folders of this run unlike those of any other
 */
export function planKernel(
  lab: Lab,
  choice: PlanChoice,
  cache: Cache,
  from: { kernel: LabKernel; busybox: DebianBusybox; apt: string },
  stamp: string,
): KernelPlan {
  const { kernel, busybox, apt } = from
  const sources = guestSources(lab, choice)
  const builds = [
    buildModules(cache, lab, sources.modules, kernel),
    buildPrograms(cache, lab, sources.programs, kernel.arch),
  ]
  const limit = choice.timeout ?? lab.timeout ?? BOOT_LIMIT_S
  const callsFor = ({ calls }: LabBoot): GuestBuild[] =>
    calls ? [buildCalls(cache, choice.calls ?? callScenarios(calls))] : []
  return {
    kernel,
    fetch: [...kernel.fetch, busyboxStep(cache, apt, busybox)],
    builds: [...builds, ...bootsFor(lab, kernel, choice.boots).flatMap(callsFor)],
    boots: bootsFor(lab, kernel, choice.boots).map((boot) => {
      const run = cache.path('runs', `${lab.name}-${kernel.name}-${boot.name}-${stamp}`)
      return {
        boot,
        limit,
        board: planBoard(cache, lab, boot, {
          kernel,
          busybox,
          builds: [...builds, ...callsFor(boot)],
          run,
          limit,
          keep: choice.keep === true,
          tree: sources.trees.find(({ path }) => path === boot.tree),
        }),
      }
    }),
  }
}

/** A kernel in a title: `Linux 6.12.117`, `Linux 6.12.117 (lab)`. */
export const kernelTitle = ({ name, series, version }: LabKernel): string =>
  `Linux ${version}${name === series ? '' : ` (${name})`}`

/** A plan's steps in order; each build step comes before what packs it. */
export function planSteps(plan: KernelPlan): Step[] {
  return [
    ...plan.fetch,
    ...plan.builds.flatMap((build) => (build.step ? [build.step] : [])),
    ...plan.boots.flatMap(({ boot, board }) => [
      board.initramfs,
      ...(board.deviceTree ? [board.deviceTree] : []),
      ...(board.handedOver ? [board.handedOver] : []),
      { title: `boot ${boot.name} on ${kernelTitle(plan.kernel)}`, commands: [board.qemu] },
    ]),
  ]
}

/** Makes the folders that things appear in: a rename needs the place it goes to. */
function placesStep(cache: Cache): Step {
  const kinds = ['debian', 'kernels', 'busybox', 'modules', 'programs', 'initramfs', 'trees', 'calls', 'runs']
  return { title: 'the cache', commands: kinds.map((kind) => ({ do: 'mkdir', path: cache.path(kind) })) }
}

/**
 * The plan as a script for sh, with real paths. Nothing is done, not even asking Debian: what the cache does not know
 * yet stands in shell variables that the script itself fills.
 */
export function dryRun(
  lab: Lab,
  kernels: readonly KernelName[],
  choice: PlanChoice,
  cache: Cache,
  sources: () => string,
): string {
  const apt = cache.path('apt-by-hand')
  const asked: Step[] = []
  const rest: Step[] = []
  for (const name of kernels) {
    const known = rememberedKernel(cache, apt, name, archOf(lab))
    const cold = known ? null : askLabKernel(cache, apt, name, archOf(lab))
    const { kernel, busybox } = known ?? cold!
    if (cold) asked.push({ title: `what Debian has for kernel ${name}`, commands: cold.commands })
    rest.push({ title: `---- ${known ? kernelTitle(kernel) : `kernel ${name}`}`, commands: [] })
    rest.push(...planSteps(planKernel(lab, choice, cache, { kernel, busybox, apt }, 'by-hand')))
  }
  const made = (path: string): boolean => existsSync(path)
  const fetches = rest.some(
    (step) => step.title.startsWith('fetch ') && step.makes && !made(step.makes.final),
  )
  const before = fetches ? [privateAptStep(apt, sources(), archOf(lab)), ...asked] : []
  const after = fetches ? [forgetAptStep(apt)] : []
  return shellScript(
    `contig lab ${lab.name}: ${lab.title}`,
    [placesStep(cache), ...before, ...rest, ...after],
    made,
  )
}
