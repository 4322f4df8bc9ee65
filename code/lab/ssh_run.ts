// SPDX-License-Identifier: MIT
//
// Runs a lab on a real board: `contig lab NAME --on ssh:user@host`. What a boot of the virtual board would change (device
// tree, command line) a running board either has or has not; a boot whose wants are met is run and judged as always,
// another is skipped with its reason. A board is never rebooted, and is left as it was found.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { DeviceTree } from '../of/tree.ts'
import { Cache, folderComplaint } from './cache.ts'
import { CommandFailed } from './command.ts'
import { hostSources } from './debian_sources.ts'
import { type Hands, perform, type Progress } from './execute.ts'
import { buildComplaint, buildModules, buildPrograms, type GuestBuild } from './guest_build.ts'
import { collects, stepWords } from './guest_init.ts'
import { type GuestSources, guestSources } from './guest_sources.ts'
import { interruptible } from './interruption.ts'
import type { GuestArch, LabKernel } from './kernels.ts'
import type { Lab } from './lab_file.ts'
import { BOOT_LIMIT_S, type PlanChoice } from './plan.ts'
import { forgetAptStep, privateAptStep } from './private_apt.ts'
import type { BootResult, LabResult } from './run_lab.ts'
import { addressText, type SshAddress } from './ssh_address.ts'
import { type BoardRun, boardSteps } from './ssh_board_script.ts'
import {
  boardBuildComplaint,
  boardKernel,
  needCompilers,
  needRightMagic,
  planBoardBuild,
} from './ssh_build.ts'
import { asksForTree, bootsOnBoard, type SkippedBoot, type WantedBoot } from './ssh_boots.ts'
import { SshConnection, type SshOptions } from './ssh_connection.ts'
import { askBoard, boardArch, type BoardFacts, obstacle } from './ssh_facts.ts'
import {
  debianAbi,
  debianHeadersStep,
  headersHere,
  type ModuleTree,
  namedHeaders,
  noHeaders,
  rememberHeaders,
} from './ssh_headers.ts'
import { BoardSession } from './ssh_session.ts'
import { liveTree } from './ssh_tree.ts'
import { judgeBoard } from './ssh_verdict.ts'
import { needTools } from './tools.ts'

/** A board, and how to reach it. */
export interface SshBoard extends SshOptions {
  readonly address: SshAddress
  /** A module build tree on this machine, of the kernel that the board runs. */
  readonly headers?: string | null
}

export interface SshRunOptions extends PlanChoice {
  readonly cache?: Cache
  readonly progress?: Progress
  /** Seconds of silence after which the board cleans up by itself. */
  readonly silence?: number
  /** Debian sources to use in the place of this machine's. */
  readonly sources?: string
}

/** As of the virtual board, and beside it what could not be run. */
export interface SshLabResult extends Omit<LabResult, 'verdict'> {
  /** `skipped`: no boot could be run. */
  readonly verdict: LabResult['verdict'] | 'skipped'
  readonly board: { readonly address: string } & Pick<BoardFacts, 'release' | 'machine' | 'system'>
  readonly skipped: readonly SkippedBoot[]
}

const FETCH_BYTES = 200 * 1024 * 1024
const COPY_LIMIT_S = 300
const BUILD_LIMIT_S = 1200

/** KiB beside the files: what steps print, and what a module's build on the board takes. */
const SPARE_KIB = 4096
const BUILD_KIB = 65536

// Everything that a run needs at hand.
interface Desk {
  readonly lab: Lab
  readonly connection: SshConnection
  readonly facts: BoardFacts
  readonly kernel: LabKernel
  readonly hands: Hands
  readonly options: SshRunOptions
  /** Built against a tree here; null: the modules are built on the board. */
  readonly modules: GuestBuild | null
  readonly programs: GuestBuild
  readonly sources: GuestSources
}

/** A command there, as root. */
const asRoot = (facts: BoardFacts, words: readonly string[]): string => {
  const quoted = words.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`,
  )
  return `exec ${facts.uid === 0 ? '' : 'sudo -n '}${quoted.join(' ')}`
}

async function told<T>(hands: Hands, title: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1000
  hands.progress({ title, state: 'start', seconds: 0 })
  try {
    const result = await work()
    hands.progress({ title, state: 'done', seconds: seconds() })
    return result
  } catch (error) {
    hands.progress({ title, state: 'failed', seconds: seconds() })
    throw error
  }
}

async function readTree(
  connection: SshConnection,
  facts: BoardFacts,
  signal: AbortSignal,
): Promise<DeviceTree | null> {
  const said = await connection.run(asRoot(facts, ['cat', '/sys/firmware/fdt']), { limit: 60, signal })
  return said.code === 0 && said.stdout.length > 0 ? liveTree(new Uint8Array(said.stdout)) : null
}

/** Debian's headers of exactly this release; a string tells why there are none. */
async function fetchHeaders(
  release: string,
  options: SshRunOptions,
  hands: Hands,
): Promise<ModuleTree | string> {
  const { cache, signal } = hands
  const apt = cache.part(cache.path('apt'))
  try {
    cache.needRoom(FETCH_BYTES, 'fetching a kernel’s headers')
    await perform(privateAptStep(apt, options.sources ?? hostSources(), 'arm64'), hands)
    const { step, tree } = await debianHeadersStep(cache, apt, release, signal)
    await perform(step, hands)
    rememberHeaders(cache, tree)
    return tree
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Complaint) return error.message.split('\n')[0] ?? ''
    if (error instanceof CommandFailed) return `Debian’s mirror: ${error.lastLines(1).join('')}`
    throw error
  } finally {
    for (const command of forgetAptStep(apt).commands)
      if (command.do === 'remove') rmSync(command.path, { recursive: true, force: true })
  }
}

/** What to build against; null: on the board. @throws Complaint (4) when there is nothing */
async function chooseHeaders(
  board: SshBoard,
  facts: BoardFacts,
  arch: GuestArch,
  options: SshRunOptions,
  hands: Hands,
): Promise<ModuleTree | null> {
  if (board.headers) return namedHeaders(board.headers, facts)
  const here = headersHere(hands.cache, facts.release, arch)
  if (here) return here
  let why: string | null = null
  if (debianAbi(facts.release) !== null && (facts.system === '' || /debian/i.test(facts.system))) {
    const fetched = await fetchHeaders(facts.release, options, hands)
    if (typeof fetched !== 'string') return fetched
    why = fetched
  }
  if (facts.buildTree && facts.compiler) return null
  throw noHeaders(facts, addressText(board.address), why)
}

async function build(made: GuestBuild, lab: Lab, hands: Hands): Promise<void> {
  if (!made.step) return
  try {
    await perform(made.step, hands)
  } catch (error) {
    if (error instanceof CommandFailed) throw buildComplaint(made, error, lab.root)
    throw error
  }
}

async function copyFile(desk: Desk, path: string, bytes: Uint8Array, mode: string): Promise<void> {
  const { connection, facts, hands } = desk
  const words = asRoot(facts, ['sh', '-c', `umask 077; cat > ${path} && chmod ${mode} ${path}`])
  const said = await connection.run(words, { input: bytes, limit: COPY_LIMIT_S, signal: hands.signal })
  if (said.code === 0) return
  const why = said.stderr.trim().split('\n').at(-1) ?? ''
  throw new Complaint({ text: `${basename(path)} could not be copied to the board: ${why}`, exitCode: 4 })
}

async function buildOnBoard(desk: Desk, place: string): Promise<void> {
  const { lab, connection, facts, hands, sources } = desk
  const folder = `${place}/src`
  const plan = planBoardBuild(lab, sources.modules, facts, folder)
  const run = (words: readonly string[], limit: number): ReturnType<SshConnection['run']> =>
    connection.run(asRoot(facts, words), { limit, signal: hands.signal })
  await run(['mkdir', '-p', ...plan.folders], COPY_LIMIT_S)
  for (const { path, bytes } of plan.files) await copyFile(desk, path, bytes, '600')
  const said = await run(plan.command, BUILD_LIMIT_S)
  if (said.code !== 0) {
    const output = `${said.stdout.toString('utf8')}\n${said.stderr}`
    throw boardBuildComplaint(lab, sources.modules, folder, {
      command: plan.command,
      code: said.code,
      output,
    })
  }
  for (const path of plan.made) {
    const module = await run(['cat', path], COPY_LIMIT_S)
    needRightMagic(basename(path), module.stdout, facts)
    await run(['mv', path, `${place}/modules/${basename(path)}`], COPY_LIMIT_S)
  }
  await run(['rm', '-rf', folder], COPY_LIMIT_S)
}

// Everything that the steps need, in the board's private folder.
async function fill(desk: Desk, wanted: WantedBoot, run: BoardRun, place: string): Promise<void> {
  const { lab, facts, hands, modules, programs } = desk
  const where = addressText(desk.connection.address)
  if (modules === null) await told(hands, `build modules on ${where}`, () => buildOnBoard(desk, place))
  await told(hands, `copy the lab’s files to ${where}`, async () => {
    for (const file of modules?.files ?? []) {
      const bytes = readFileSync(file)
      needRightMagic(basename(file), bytes, facts)
      await copyFile(desk, `${place}/modules/${basename(file)}`, bytes, '600')
    }
    for (const file of lab.programs.length > 0 ? programs.files : [])
      await copyFile(desk, `${place}/programs/${basename(file)}`, readFileSync(file), '700')
    await copyFile(desk, `${place}/steps`, Buffer.from(boardSteps(wanted.boot, run, place)), '600')
  })
}

// Tells of each step when the next one begins.
function stepTeller(wanted: WantedBoot, hands: Hands): (words: readonly string[]) => void {
  const steps = wanted.boot.steps ?? []
  let last = performance.now()
  let running: string | null = null
  return ([verb, number]) => {
    const step = verb === 'step' ? steps[Number(number)] : undefined
    if (!step && verb !== 'done' && !(verb === 'begin' && number === 'text')) return
    if (running !== null)
      hands.progress({ title: `  ${running}`, state: 'done', seconds: (performance.now() - last) / 1000 })
    last = performance.now()
    running = step ? stepWords(step).title : null
  }
}

async function runBoot(desk: Desk, wanted: WantedBoot, log: string): Promise<BootResult> {
  const { lab, connection, facts, kernel, hands, options, modules, programs } = desk
  const { boot } = wanted
  const bytes = [...(modules?.files ?? []), ...programs.files].reduce(
    (sum, file) => sum + readFileSync(file).length,
    0,
  )
  const run: BoardRun = {
    id: randomBytes(8).toString('hex'),
    link: connection.mark,
    room: Math.ceil(bytes / 1024) + SPARE_KIB + (modules === null ? BUILD_KIB : 0),
    modules: lab.modules.map((folder) => basename(folder)).reverse(),
    ...(options.silence === undefined ? {} : { silence: options.silence }),
  }
  const limit = options.timeout ?? lab.timeout ?? BOOT_LIMIT_S
  const sudo = facts.uid !== 0
  const began = performance.now()
  const session = new BoardSession(connection, run, { sudo, log, onMark: stepTeller(wanted, hands) })
  let end: Awaited<ReturnType<BoardSession['go']>>
  try {
    const place = await session.folder(hands.signal)
    await fill(desk, wanted, run, place)
    end = await session.go(limit, hands.signal)
  } finally {
    await session.end(hands.signal.aborted)
  }
  const seconds = (performance.now() - began) / 1000
  const { cleaned, left } = session
  const handed = readFileSync(log)
  const ending = { end, limit, cleaned, left, notes: wanted.notes }
  const { transcript, judged, checks } = judgeBoard(boot, kernel, handed, run.id, ending)
  const text = (name: string): string => transcript.texts.get(name)?.text ?? ''
  return {
    ...{ lab: lab.name, boot: boot.name, name: kernel.name, series: kernel.series, kernel: kernel.version },
    ...{ cmdline: facts.cmdline, console: handed.toString('utf8'), iomem: text('iomem-before') },
    asked: boot,
    dmesg: judged.log.records.map((record) => record.text),
    collected: {
      ...Object.fromEntries(collects(boot).map(({ name }) => [name, text(`own-${name}`)])),
      ...(boot.trace ? { trace: text('trace') } : {}),
    },
    ...{ origin: kernel.origin, ktap: [...judged.ktap.values()], checks, compared: null, seconds, log },
    verdict: checks.every((each) => each.ok) ? 'passed' : 'failed',
  }
}

async function runOn(
  connection: SshConnection,
  lab: Lab,
  board: SshBoard,
  options: SshRunOptions,
  hands: Hands,
): Promise<Omit<SshLabResult, 'seconds'>> {
  const { signal, cache } = hands
  const where = addressText(board.address)
  const names = lab.modules.map((folder) => basename(folder))
  const facts = await told(hands, `ask ${where} what it is`, () => askBoard(connection, names, signal))
  const stops = obstacle(facts, where, names)
  const arch = boardArch(facts)
  if (stops || arch === null) throw stops
  const live = asksForTree(lab) ? await readTree(connection, facts, signal) : null
  const overlays = cache.path('overlays')
  const tag = boardKernel(facts, arch, null)
  const { wanted, skipped } = bootsOnBoard(lab, tag, { facts, live, overlays, only: options.boots })
  const boots: BootResult[] = []
  if (wanted.length > 0) {
    needCompilers(lab, arch)
    const tree = names.length > 0 ? await chooseHeaders(board, facts, arch, options, hands) : null
    const kernel = boardKernel(facts, arch, tree)
    const sources = guestSources(lab, options)
    const modules = tree || names.length === 0 ? buildModules(cache, lab, sources.modules, kernel) : null
    const programs = buildPrograms(cache, lab, sources.programs, arch)
    for (const made of [modules, programs]) if (made) await build(made, lab, hands)
    const desk: Desk = { lab, connection, facts, kernel, hands, options, modules, programs, sources }
    for (const each of wanted) {
      const run = cache.path('runs', `${lab.name}-ssh-${each.boot.name}-${stampOf()}`)
      mkdirSync(run, { recursive: true })
      boots.push(await runBoot(desk, each, join(run, 'board.log')))
    }
  }
  const failed = boots.some(({ verdict }) => verdict === 'failed')
  return {
    ...{ lab: lab.name, title: lab.title, boots, skipped },
    verdict: failed ? 'failed' : boots.length > 0 ? 'passed' : 'skipped',
    board: { address: where, release: facts.release, machine: facts.machine, system: facts.system },
  }
}

const stampOf = (): string =>
  `${new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, '')}-${process.pid}-${runs++}`
let runs = 0

/**
 * Runs on a board what of a lab it can. Whatever happens, the board is left without a file, a module or a process of
 * ours: it cleans up itself when it hears nothing more.
 * @throws Complaint for what a person can mend: 4 when the board cannot be reached or cannot run a lab
 */
export async function runLabOverSsh(
  lab: Lab,
  board: SshBoard,
  options: SshRunOptions = {},
): Promise<SshLabResult> {
  const cache = options.cache ?? new Cache()
  const began = performance.now()
  cache.open()
  needTools(['ssh'])
  return interruptible(async (signal) => {
    const hands: Hands = { cache, signal, progress: options.progress ?? (() => undefined) }
    const connection = await told(hands, `connect to ${addressText(board.address)}`, () =>
      SshConnection.open(board.address, board, signal),
    )
    try {
      const result = await runOn(connection, lab, board, options, hands)
      return { ...result, seconds: (performance.now() - began) / 1000 }
    } catch (error) {
      throw folderComplaint(cache.folder, error) ?? error
    } finally {
      await connection.close(signal.aborted)
    }
  })
}
