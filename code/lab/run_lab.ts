// SPDX-License-Identifier: MIT
//
// Runs a lab: fetches and builds what is not in the cache, boots each board, reads what it handed over, judges it.
//
//     const result = await runLab(findLab(root, 'reserved-coherent'), { kernels: ['6.1'] })
//     result.verdict            // 'passed'
//     result.boots[0].checks    // what was looked at, with reasons
//
// What a person can mend (no network, a missing tool, a module that does not build) is a Complaint. A board that hangs,
// panics or prints the wrong thing is a result: its verdict is 'failed'.
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { Cache, folderComplaint } from './cache.ts'
import { CommandFailed, type Step } from './command.ts'
import { hostSources } from './debian_sources.ts'
import { type Hands, perform, type Progress } from './execute.ts'
import { buildComplaint } from './guest_build.ts'
import type { CallScenario } from './guest_calls.ts'
import { collects, stepWords } from './guest_init.ts'
import { interruptible } from './interruption.ts'
import { type Chosen, isSeries, rememberedKernel, resolveLabKernel } from './kernel_choice.ts'
import type { GuestArch, KernelName, Series } from './kernels.ts'
import { needOwnKernel } from './own_kernel_build.ts'
import type { KtapReport } from './ktap.ts'
import type { Lab } from './lab_file.ts'
import type { LabBoot } from './lab_schema.ts'
import {
  archOf,
  type KernelPlan,
  kernelTitle,
  type PlanChoice,
  planKernel,
  type PlannedBoot,
} from './plan.ts'
import { aptComplaint, forgetAptStep, privateAptStep } from './private_apt.ts'
import { runGroup } from './process_group.ts'
import { needTools } from './tools.ts'
import { readTranscript } from './transcript.ts'
import { type Check, compareCheck, compareFailed, type Compared, judge, wholeLogCheck } from './verdict.ts'

/** Package lists, archives and what is unpacked from them, for two kernels. */
const FETCH_BYTES = 400 * 1024 * 1024

/**
 * A serial log longer than this is a board that prints without end, unless `RunOptions.serialBytes` says otherwise. Of the
 * debug kernel more is ordinary: under memblock=debug it tells of each page of KASAN's shadow, 9 MB for a GiB of RAM.
 */
const serialLimit = (name: KernelName): number => (name === 'debug' ? 64 : 8) * 1024 * 1024

/** What a booted kernel said, for a model to compare itself with. */
export interface Observed {
  readonly lab: string
  /** The boot as its lab has it, and where the lab's paths count from. */
  readonly asked?: LabBoot
  readonly root?: string
  /** The calls that it made, when they are not those that its lab asks for. */
  readonly calls?: readonly CallScenario[]
  readonly boot: string
  /** The kernel's name in the lab. */
  readonly name: KernelName
  readonly series: Series
  /** Unsaid: arm64. */
  readonly arch?: GuestArch
  /** The patch level, `6.1.192`. */
  readonly kernel: string
  readonly cmdline: string
  /** Everything on the serial line. With `compare`, the kernel speaks there from its first line. */
  readonly console: string
  /** The kernel log without times. */
  readonly dmesg: readonly string[]
  /** As much of it as came before the first step. */
  readonly bootLog?: readonly string[]
  /** /proc/iomem before the first step. */
  readonly iomem: string
  /**
   * What the lab collects, by name; base64 where it says `binary`. With `compare` also `kallsyms`, the lines of the
   * kernel's own sections, and `fdt`, /sys/firmware/fdt in base64; with `trace`, `trace`.
   */
  readonly collected: Readonly<Record<string, string>>
}

/** Compares a model with what a kernel said. */
export type Compare = (observed: Observed) => Compared | Promise<Compared>

export interface BootResult extends Observed {
  /** Where the kernel came from. */
  readonly origin: string
  /** A report for each program that was run, in order. */
  readonly ktap: readonly KtapReport[]
  readonly checks: readonly Check[]
  readonly compared: Compared | null
  readonly verdict: 'passed' | 'failed'
  /** From QEMU's start to its end. */
  readonly seconds: number
  /** The serial log, kept. */
  readonly log: string
}

export interface LabResult {
  readonly lab: string
  readonly title: string
  readonly verdict: 'passed' | 'failed'
  readonly boots: readonly BootResult[]
  /** Everything, fetching and building too. */
  readonly seconds: number
}

export interface RunOptions extends PlanChoice {
  /** Default: those that the lab names. */
  readonly kernels?: readonly KernelName[]
  readonly cache?: Cache
  readonly progress?: Progress
  /** Ask Debian again which kernels it has. */
  readonly refresh?: boolean
  readonly compare?: Compare
  /** Debian sources to use in the place of this machine's. */
  readonly sources?: string
  /** The longest serial log, in bytes; 8 MiB unless said, 64 of the debug kernel. */
  readonly serialBytes?: number
}

// The private apt of one run: set up when it is needed first, forgotten at the end.
class DebianDesk {
  private readonly hands: Hands
  private readonly arch: GuestArch
  private readonly sources: () => string
  readonly folder: string
  private ready = false

  constructor(hands: Hands, arch: GuestArch, sources: () => string) {
    this.hands = hands
    this.arch = arch
    this.sources = sources
    this.folder = hands.cache.part(hands.cache.path('apt'))
  }

  async open(): Promise<string> {
    if (!this.ready) {
      this.hands.cache.needRoom(FETCH_BYTES)
      await perform(privateAptStep(this.folder, this.sources(), this.arch), this.hands)
    }
    this.ready = true
    return this.folder
  }

  async resolve(name: KernelName): Promise<Chosen> {
    const apt = await this.open()
    return resolveLabKernel(this.hands.cache, apt, name, this.arch, this.hands.signal)
  }

  close(): void {
    for (const command of forgetAptStep(this.folder).commands) {
      if (command.do === 'remove') rmSync(command.path, { recursive: true, force: true })
    }
  }
}

const isMade = (step: Step): boolean => step.makes !== undefined && existsSync(step.makes.final)

/** Fetches what a kernel needs. A remembered version that the mirror has no more is asked for anew, once. */
async function fetchKernel(
  lab: Lab,
  name: KernelName,
  options: RunOptions,
  desk: DebianDesk,
  hands: Hands,
  stamp: string,
): Promise<KernelPlan> {
  const { cache } = hands
  if (!isSeries(name)) await needOwnKernel(name, archOf(lab), hands, desk, options.refresh)
  const known = rememberedKernel(cache, desk.folder, name, archOf(lab))
  let fresh = options.refresh === true || known === null
  for (;;) {
    const chosen = fresh || !known ? await desk.resolve(name) : known
    const plan = planKernel(lab, options, cache, { ...chosen, apt: desk.folder }, stamp)
    try {
      for (const step of plan.fetch) {
        if (!isMade(step)) await desk.open()
        await perform(step, hands)
      }
      return plan
    } catch (error) {
      if (!(error instanceof CommandFailed) || error.argv[0] !== 'apt-get') throw error
      if (fresh || !/was not found|Unable to (locate|find)|404/.test(error.output)) throw error
      fresh = true
    }
  }
}

async function buildGuest(plan: KernelPlan, lab: Lab, hands: Hands): Promise<void> {
  for (const build of plan.builds) {
    if (!build.step) continue
    try {
      await perform(build.step, hands)
    } catch (error) {
      if (error instanceof CommandFailed) throw buildComplaint(build, error, lab.root)
      throw error
    }
  }
}

/** Boots one board and keeps its serial log. */
async function bootBoard(
  planned: PlannedBoot,
  log: string,
  longest: number,
  hands: Hands,
): Promise<{ seconds: number; ending: Omit<Parameters<typeof judge>[3], 'lastLines'> }> {
  const { board, boot, limit } = planned
  const steps = boot.steps ?? []
  let bytes = 0
  let flooded = false
  let tail = ''
  let last = performance.now()
  let running = 'reach the first step'
  const tell = (next: string): void => {
    hands.progress({ title: `  ${running}`, state: 'done', seconds: (performance.now() - last) / 1000 })
    last = performance.now()
    running = next
  }
  const exit = await runGroup(board.qemu.argv, {
    limit,
    signal: hands.signal,
    log,
    onData: (piece) => {
      bytes += piece.length
      flooded ||= bytes > longest
      if (flooded) return false
      const lines = (tail + piece.toString('latin1')).split('\n')
      tail = lines.pop() ?? ''
      for (const line of lines) {
        const mark = /^@contig (?:step (\d+)|(done))\s*$/.exec(line)
        const step = steps[Number(mark?.[1])]
        if (mark) tell(step ? stepWords(step).title : 'power off')
      }
      return true
    },
  })
  if (flooded) truncateSync(log, longest)
  // 124: the belt that timeout(1) is; 137: it had to pull hard, or somebody else killed QEMU before its time.
  const belt = exit.code === 124 || (exit.code === 137 && exit.seconds >= limit)
  const timedOut = !flooded && (exit.timedOut || belt)
  return { seconds: exit.seconds, ending: { timedOut, limit, code: exit.code, flooded } }
}

const lastLines = (serial: Buffer): string[] =>
  serial
    .subarray(-16384)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('@contig'))
    .slice(-15)

// What dtc and its friends say of a wrong overlay is for the reader.
async function makeTree(step: Step, lab: Lab, boot: LabBoot, hands: Hands): Promise<void> {
  await perform(step, hands).catch((error: unknown) => {
    if (!(error instanceof CommandFailed)) throw error
    const said = error.lastLines(8).map((line) => `  ${line.replaceAll(`${lab.root}/`, '')}`)
    throw new Complaint({
      text: [`${boot.tree ?? lab.name}: ${error.argv[0]} refused it`, ...said].join('\n'),
    })
  })
}

async function runBoot(
  lab: Lab,
  plan: KernelPlan,
  planned: PlannedBoot,
  options: RunOptions,
  hands: Hands,
): Promise<BootResult> {
  const { board, boot } = planned
  const { kernel } = plan
  await perform(board.initramfs, hands)
  for (const step of [board.deviceTree, board.handedOver]) if (step) await makeTree(step, lab, boot, hands)
  mkdirSync(board.run, { recursive: true })
  const log = join(board.run, 'serial.log')
  const title = `boot ${boot.name} on ${kernelTitle(kernel)}`
  hands.progress({ title, state: 'start', seconds: 0 })
  const { seconds, ending } = await bootBoard(
    planned,
    log,
    options.serialBytes ?? serialLimit(kernel.name),
    hands,
  )
  hands.progress({ title, state: 'done', seconds })
  const serial = readFileSync(log)
  const transcript = readTranscript(serial)
  const judged = judge(boot, kernel, transcript, { ...ending, lastLines: lastLines(serial) })
  const text = (name: string): string => transcript.texts.get(name)?.text ?? ''
  const observed: Observed = {
    lab: lab.name,
    asked: boot,
    root: lab.root,
    ...(options.calls ? { calls: options.calls } : {}),
    boot: boot.name,
    name: kernel.name,
    series: kernel.series,
    arch: kernel.arch,
    kernel: kernel.version,
    cmdline: board.cmdline,
    console: serial.toString('utf8'),
    dmesg: judged.log.records.map((record) => record.text),
    bootLog: judged.log.records.flatMap(({ text }, index) =>
      judged.log.steps[index] === null ? [text] : [],
    ),
    iomem: text('iomem-before'),
    collected: {
      ...Object.fromEntries(collects(boot).map(({ name }) => [name, text(`own-${name}`)])),
      ...(boot.trace ? { trace: text('trace') } : {}),
    },
  }
  const checks = [...judged.checks]
  if (transcript.done) checks.push(wholeLogCheck(boot, transcript))
  let compared: Compared | null = null
  if (boot.compare !== undefined && transcript.done) {
    try {
      if (!options.compare) throw new Complaint({ text: 'no model was given to compare with' })
      compared = await options.compare(observed)
      checks.push(compareCheck(compared))
    } catch (error) {
      if (!(error instanceof Complaint)) throw error
      checks.push(compareFailed(error))
    }
  }
  const verdict = checks.every((each) => each.ok) ? 'passed' : 'failed'
  return {
    ...observed,
    origin: kernel.origin,
    ktap: [...judged.ktap.values()],
    checks,
    compared,
    verdict,
    seconds,
    log,
  }
}

/** A name for the folders of one run, that no other run has. */
const stampOf = (): string =>
  `${new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, '')}-${process.pid}-${runs++}`
let runs = 0

/** What can be asked of a run that only fetches. */
type FetchOptions = Pick<RunOptions, 'cache' | 'progress' | 'refresh' | 'sources'>

/** Opens the cache, and a private apt for as long as `work` takes. */
async function atDesk<T>(
  lab: Lab,
  options: FetchOptions,
  work: (hands: Hands, desk: DebianDesk) => Promise<T>,
): Promise<T> {
  const cache = options.cache ?? new Cache()
  cache.open()
  needTools(['board'])
  return interruptible(async (signal) => {
    const hands: Hands = { cache, signal, progress: options.progress ?? (() => undefined) }
    const desk = new DebianDesk(hands, archOf(lab), () => options.sources ?? hostSources())
    try {
      return await work(hands, desk)
    } catch (error) {
      if (error instanceof CommandFailed && error.argv[0]?.startsWith('apt')) throw aptComplaint(error)
      throw folderComplaint(cache.folder, error) ?? error
    } finally {
      desk.close()
    }
  })
}

/** Fetches these kernels and their headers for a lab's architecture, and builds nothing. @throws Complaint for what a person can mend */
export function fetchKernels(
  lab: Lab,
  kernels: readonly KernelName[],
  options: FetchOptions = {},
): Promise<void> {
  return atDesk(lab, options, async (hands, desk) => {
    for (const name of kernels) await fetchKernel(lab, name, options, desk, hands, stampOf())
  })
}

/** Runs a lab on each of its kernels. @throws Complaint for what a person can mend */
export async function runLab(lab: Lab, options: RunOptions = {}): Promise<LabResult> {
  const began = performance.now()
  const stamp = stampOf()
  const boots = await atDesk(lab, options, async (hands, desk) => {
    const done: BootResult[] = []
    for (const name of options.kernels ?? lab.kernels) {
      const plan = await fetchKernel(lab, name, options, desk, hands, stamp)
      await buildGuest(plan, lab, hands)
      for (const planned of plan.boots) done.push(await runBoot(lab, plan, planned, options, hands))
    }
    return done
  })
  const verdict = boots.length > 0 && boots.every((boot) => boot.verdict === 'passed') ? 'passed' : 'failed'
  return { lab: lab.name, title: lab.title, verdict, boots, seconds: (performance.now() - began) / 1000 }
}
