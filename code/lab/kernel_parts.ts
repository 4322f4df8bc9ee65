// SPDX-License-Identifier: MIT
//
// A few files of Debian's linux-source-6.1 or -6.12, for a benchmark to build, a check to run or a claim to be looked up:
// taken out of the archive that our own kernels are built from, once, and kept beside it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cache, contentKey } from './cache.ts'
import { hostSources } from './debian_sources.ts'
import { type Hands, perform, type Progress } from './execute.ts'
import {
  type KernelSource,
  rememberedSource,
  rememberSource,
  resolveSource,
  sourceArchive,
  sourcePackage,
  sourceStep,
} from './kernel_source.ts'
import type { Series } from './kernels.ts'
import { forgetAptStep, privateAptStep } from './private_apt.ts'

/** The package and what tar makes of it, for a moment. */
const ROOM_BYTES = 400 * 1024 * 1024
const LIMIT_S = 600

export interface PartsOptions {
  readonly series?: Series
  readonly progress?: Progress
  readonly signal?: AbortSignal
}

/** The archive of a series, fetched if it must be, handed to `use` with what it needs to work on it. */
async function withArchive<T>(
  { series = '6.12', progress = () => undefined, signal = AbortSignal.timeout(900_000) }: PartsOptions,
  use: (archive: string, source: KernelSource, hands: Hands) => Promise<T>,
): Promise<T> {
  const cache = new Cache()
  cache.open()
  const hands = { cache, signal, progress }
  const apt = cache.part(cache.path('apt'))
  let opened = false
  const open = async (): Promise<void> => {
    if (!opened) await perform(privateAptStep(apt, hostSources()), hands)
    opened = true
  }
  try {
    if (!rememberedSource(cache, series)) {
      await open()
      rememberSource(cache, await resolveSource(apt, signal, series), series)
    }
    const source = rememberedSource(cache, series)!
    const archive = sourceArchive(cache, source, series)
    if (!existsSync(archive)) {
      cache.needRoom(ROOM_BYTES)
      await open()
    }
    await perform(sourceStep(cache, apt, source, series), hands)
    return await use(archive, source, hands)
  } finally {
    if (opened) await perform(forgetAptStep(apt), { ...hands, signal: new AbortController().signal })
  }
}

/** The folder with these paths of the kernel's tree; a path that the tree does not have is a failure of tar. */
export function partsOfKernelSource(wanted: readonly string[], options: PartsOptions = {}): Promise<string> {
  return withArchive(options, async (archive, source, hands) => {
    const { cache } = hands
    // Part of the folder's name is the list, so that a longer one is taken anew.
    const final = cache.path('sources', `${source.key}-parts-${contentKey(...wanted)}`)
    if (existsSync(final)) return final
    cache.needRoom(ROOM_BYTES)
    const part = cache.part(final)
    const tree = sourcePackage(options.series ?? '6.12')
    const paths = wanted.map((path) => `${tree}/${path}`)
    const argv = ['tar', '-xJf', archive, '-C', part, '--strip-components=1', ...paths]
    const title = `take ${wanted.length} parts out of ${tree}`
    await perform({ title, makes: { final, part }, commands: [{ do: 'exec', argv, limit: LIMIT_S }] }, hands)
    return final
  })
}

/** Every path of the kernel's tree, folders with a slash at their end, and Debian's version of the package. */
export function pathsOfKernelSource(
  options: PartsOptions = {},
): Promise<{ paths: ReadonlySet<string>; version: string }> {
  return withArchive(options, async (archive, source, hands) => {
    const tree = sourcePackage(options.series ?? '6.12')
    const final = hands.cache.path('sources', `${source.key}-paths`)
    const part = hands.cache.part(final)
    const argv = ['tar', '-tJf', archive]
    const commands = [{ do: 'exec' as const, argv, stdout: join(part, 'paths'), limit: LIMIT_S }]
    await perform({ title: `list ${tree}`, makes: { final, part }, commands }, hands)
    const lines = readFileSync(join(final, 'paths'), 'utf8').split('\n')
    const paths = new Set(lines.map((line) => line.slice(tree.length + 1)))
    return { paths, version: source.packageVersion }
  })
}
