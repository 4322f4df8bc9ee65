// SPDX-License-Identifier: MIT
//
// Builds a kernel of ours (own_kernel.ts) when it is not in the cache yet, and says what went wrong in a person's words.
import { existsSync } from 'node:fs'
import { Complaint } from '../lib/complaint.ts'
import { Cache, folderComplaint } from './cache.ts'
import { CommandFailed } from './command.ts'
import { hostSources } from './debian_sources.ts'
import { type Hands, perform, type Progress } from './execute.ts'
import { interruptible } from './interruption.ts'
import { type KernelSource, rememberedSource, rememberSource, resolveSource } from './kernel_source.ts'
import { OWN_KERNELS, ownKernel, type OwnArch, type OwnKernel, type OwnName } from './own_kernel.ts'
import { aptComplaint, forgetAptStep, privateAptStep } from './private_apt.ts'
import { needTools } from './tools.ts'

/** The sources, half of them unpacked, and what is compiled from them. */
const BUILD_BYTES = 2048 * 1024 * 1024
const FETCH_BYTES = 600 * 1024 * 1024

/** A private apt that is set up when it is needed first. */
export interface AptDesk {
  readonly folder: string
  open(): Promise<string>
}

// make takes a space for the end of a name and a colon for the end of a rule's target.
function needPlainPath(cache: Cache): void {
  const bad = /[^\w/.+,@%^~-]/.exec(cache.folder)?.[0]
  if (bad === undefined) return
  throw new Complaint({
    text: `the cache folder ${cache.folder} has '${bad}' in its name: Linux cannot be built in such a folder`,
    next: ['name another folder: CONTIG_CACHE=/some/folder contig …'],
  })
}

/** A failed build in a person's words: the options that did not stick, or what make said. */
export function ownKernelComplaint(kernel: OwnKernel, error: CommandFailed): Complaint {
  const head = `the kernel ${kernel.name} (${kernel.arch}, Linux ${kernel.packageVersion})`
  const loose = [...error.output.matchAll(/^did not stick: (.*)$/gm)].map((match) => `  ${match[1]}`)
  if (loose.length > 0) {
    return new Complaint({
      text: [`${head} did not take these options of kernel/configs:`, ...loose].join('\n'),
      next: [
        'an option sticks when all that it depends on is set too: see its `depends on` in the Kconfig files',
      ],
    })
  }
  const errors = error.output.split('\n').filter((line) => /\b(error|Error|fatal)\b|No space/.test(line))
  const said = (errors.length > 0 ? errors.slice(0, 12) : error.lastLines(12)).map((line) => `  ${line}`)
  const why = error.timedOut ? 'ran out of time' : 'was not built'
  return new Complaint({ text: [`${head} ${why}:`, ...said].join('\n') })
}

const isMade = (kernel: OwnKernel, step: number): boolean =>
  existsSync(kernel.steps[step]?.makes?.final ?? '')

async function findSource(hands: Hands, desk: AptDesk, fresh: boolean): Promise<KernelSource> {
  const known = fresh ? null : rememberedSource(hands.cache)
  if (known) return known
  hands.cache.needRoom(FETCH_BYTES)
  const source = await resolveSource(await desk.open(), hands.signal)
  rememberSource(hands.cache, source)
  return source
}

async function makeIt(kernel: OwnKernel, hands: Hands, desk: AptDesk): Promise<void> {
  const [fetch, build] = kernel.steps
  // Told by whoever plans with it.
  if (isMade(kernel, 1)) return
  needTools(kernel.arch === 'arm' ? ['kernel', 'arm32'] : ['kernel', 'board'])
  hands.cache.needRoom(BUILD_BYTES, 'building a kernel')
  if (!isMade(kernel, 0)) await desk.open()
  await perform(fetch!, hands)
  await perform(build!, hands).catch((error: unknown) => {
    throw error instanceof CommandFailed ? ownKernelComplaint(kernel, error) : error
  })
}

/**
 * The kernel, built if it must be.
 *
 * @param refresh - ask Debian for the sources anew
 * @throws Complaint for what a person can mend; CommandFailed of apt
 */
export async function needOwnKernel(
  name: OwnName,
  arch: OwnArch,
  hands: Hands,
  desk: AptDesk,
  refresh = false,
): Promise<OwnKernel> {
  needPlainPath(hands.cache)
  for (let fresh = refresh; ; fresh = true) {
    const kernel = ownKernel(hands.cache, desk.folder, await findSource(hands, desk, fresh), name, arch)
    try {
      await makeIt(kernel, hands, desk)
      return kernel
    } catch (error) {
      if (!(error instanceof CommandFailed) || fresh) throw error
      // Debian has newer sources than those that were remembered: ask again, once.
      if (!/was not found|Unable to (locate|find)|404/.test(error.output)) throw error
    }
  }
}

export interface BuildOptions {
  readonly cache?: Cache
  readonly progress?: Progress
  readonly refresh?: boolean
  /** Debian sources to use in the place of this machine's. */
  readonly sources?: string
}

/** Builds a kernel by itself: `contig kernel build`. @throws Complaint */
export async function buildOwnKernel(
  name: OwnName,
  arch: OwnArch,
  options: BuildOptions = {},
): Promise<OwnKernel> {
  const cache = options.cache ?? new Cache()
  cache.open()
  return interruptible(async (signal) => {
    const hands: Hands = { cache, signal, progress: options.progress ?? (() => undefined) }
    const folder = cache.part(cache.path('apt'))
    let opened = false
    const desk: AptDesk = {
      folder,
      open: async () => {
        if (!opened) await perform(privateAptStep(folder, options.sources ?? hostSources()), hands)
        opened = true
        return folder
      },
    }
    try {
      return await needOwnKernel(name, arch, hands, desk, options.refresh)
    } catch (error) {
      if (error instanceof CommandFailed && error.argv[0]?.startsWith('apt')) throw aptComplaint(error)
      throw folderComplaint(cache.folder, error) ?? error
    } finally {
      if (opened) await perform(forgetAptStep(folder), { ...hands, signal: new AbortController().signal })
    }
  })
}

/** Every kernel of ours, and whether it stands in the cache. */
export function listOwnKernels(cache: Cache): { name: OwnName; arch: OwnArch; kernel: OwnKernel | null }[] {
  const source = rememberedSource(cache)
  return (Object.keys(OWN_KERNELS) as OwnName[]).flatMap((name) =>
    OWN_KERNELS[name].map((arch) => {
      const kernel = source && ownKernel(cache, cache.path('apt'), source, name, arch)
      return { name, arch, kernel: kernel && existsSync(kernel.folder) ? kernel : null }
    }),
  )
}
