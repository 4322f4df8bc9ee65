// SPDX-License-Identifier: MIT
//
// A lab and a kernel become a plan: what to fetch, build and boot, as exact commands. Carrying the plan out (run_lab.ts)
// and printing it (dryRun) start from the same steps.
import { existsSync } from 'node:fs'
import type { Cache } from './cache.ts'
import type { Step } from './command.ts'
import { type BoardPlan, planBoard } from './board_qemu.ts'
import {
  askBusybox,
  askKernel,
  busyboxStep,
  type DebianBusybox,
  type DebianKernel,
  kernelStep,
  kernelVersion,
  remembered,
  type Series,
} from './debian_kernel.ts'
import { buildModules, buildPrograms, type GuestBuild } from './guest_build.ts'
import { guestSources, type SourceChanges } from './guest_sources.ts'
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
  readonly kernel: DebianKernel
  readonly fetch: readonly Step[]
  readonly builds: readonly GuestBuild[]
  readonly boots: readonly PlannedBoot[]
}

export interface PlanChoice extends SourceChanges {
  /** Seconds a boot may take; overrides the lab's. */
  readonly timeout?: number
  /** Only these boots, by name. */
  readonly boots?: readonly string[]
}

/** The boots of a lab for one kernel series. */
export function bootsFor(lab: Lab, series: Series, only?: readonly string[]): LabBoot[] {
  return lab.boots.filter(
    (boot) => (boot.kernels?.includes(series) ?? true) && (only === undefined || only.includes(boot.name)),
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
  debian: { kernel: DebianKernel; busybox: DebianBusybox; apt: string },
  stamp: string,
): KernelPlan {
  const { kernel, busybox, apt } = debian
  const sources = guestSources(lab, choice)
  const builds = [
    buildModules(cache, lab, sources.modules, kernel),
    buildPrograms(cache, lab, sources.programs),
  ]
  const limit = choice.timeout ?? lab.timeout ?? BOOT_LIMIT_S
  return {
    kernel,
    fetch: [kernelStep(cache, apt, kernel), busyboxStep(cache, apt, busybox)],
    builds,
    boots: bootsFor(lab, kernel.series, choice.boots).map((boot) => {
      const run = cache.path('runs', `${lab.name}-${kernel.series}-${boot.name}-${stamp}`)
      return { boot, limit, board: planBoard(cache, lab, boot, { kernel, busybox, builds, run, limit }) }
    }),
  }
}

/** A plan's steps in order; each build step comes before what packs it. */
export function planSteps(plan: KernelPlan): Step[] {
  return [
    ...plan.fetch,
    ...plan.builds.flatMap((build) => (build.step ? [build.step] : [])),
    ...plan.boots.flatMap(({ boot, board }) => [
      board.initramfs,
      board.deviceTree,
      { title: `boot ${boot.name} on Linux ${plan.kernel.series}`, commands: [board.qemu] },
    ]),
  ]
}

/** Makes the folders that things appear in: a rename needs the place it goes to. */
function placesStep(cache: Cache): Step {
  const kinds = ['debian', 'kernels', 'busybox', 'modules', 'programs', 'initramfs', 'runs']
  return { title: 'the cache', commands: kinds.map((kind) => ({ do: 'mkdir', path: cache.path(kind) })) }
}

/**
 * The plan as a script for sh, with real paths. Nothing is done, not even asking Debian: what the cache does not know
 * yet stands in shell variables that the script itself fills.
 */
export function dryRun(
  lab: Lab,
  kernels: readonly Series[],
  choice: PlanChoice,
  cache: Cache,
  sources: () => string,
): string {
  const apt = cache.path('apt-by-hand')
  const asked: Step[] = []
  const rest: Step[] = []
  for (const series of kernels) {
    const known = remembered(cache, series)
    const cold = { ...askKernel(apt, series), ...{ busybox: askBusybox(apt) } }
    const kernel = known?.kernel ?? cold.kernel
    const busybox = known?.busybox ?? cold.busybox.busybox
    if (!known) {
      const commands = [...cold.commands, ...cold.busybox.commands]
      asked.push({ title: `what Debian has for Linux ${series}`, commands })
    }
    const version = known ? ` (${kernelVersion(kernel.packageVersion)})` : ''
    rest.push({ title: `---- Linux ${series}${version}`, commands: [] })
    rest.push(...planSteps(planKernel(lab, choice, cache, { kernel, busybox, apt }, 'by-hand')))
  }
  const made = (path: string): boolean => existsSync(path)
  const fetches = rest.some(
    (step) => step.title.startsWith('fetch ') && step.makes && !made(step.makes.final),
  )
  const before = fetches ? [privateAptStep(apt, sources()), ...asked] : []
  const after = fetches ? [forgetAptStep(apt)] : []
  return shellScript(
    `contig lab ${lab.name}: ${lab.title}`,
    [placesStep(cache), ...before, ...rest, ...after],
    made,
  )
}
