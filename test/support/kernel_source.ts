// SPDX-License-Identifier: MIT
//
// A few files of Debian's linux-source-6.12, for a benchmark to build or a check to run: taken out of the archive that our
// own kernels are built from, once, and kept beside it.
import { existsSync } from 'node:fs'
import { Cache, contentKey } from '../../code/lab/cache.ts'
import { hostSources } from '../../code/lab/debian_sources.ts'
import { type Hands, perform } from '../../code/lab/execute.ts'
import {
  rememberedSource,
  rememberSource,
  resolveSource,
  sourceArchive,
  sourceStep,
  TREE,
} from '../../code/lab/kernel_source.ts'
import { forgetAptStep, privateAptStep } from '../../code/lab/private_apt.ts'

/** The package and what tar makes of it, for a moment. */
const ROOM_BYTES = 400 * 1024 * 1024
const LIMIT_S = 600

function tell({ title, state, seconds }: Parameters<Hands['progress']>[0]): void {
  if (state === 'start') console.error(`${title} …`)
  if (state === 'failed') console.error(`${title}: failed after ${seconds.toFixed(0)} s`)
}

/** The folder with these paths of the kernel's tree, fetched if they must be. */
export async function partsOfKernelSource(wanted: readonly string[]): Promise<string> {
  const cache = new Cache()
  cache.open()
  const hands = { cache, signal: AbortSignal.timeout(900_000), progress: tell }
  const apt = cache.part(cache.path('apt'))
  let opened = false
  const open = async (): Promise<void> => {
    if (!opened) await perform(privateAptStep(apt, hostSources()), hands)
    opened = true
  }
  try {
    if (!rememberedSource(cache)) {
      await open()
      rememberSource(cache, await resolveSource(apt, hands.signal))
    }
    const source = rememberedSource(cache)!
    // Part of the folder's name is the list, so that a longer one is taken anew.
    const final = cache.path('sources', `${source.key}-parts-${contentKey(...wanted)}`)
    if (existsSync(final)) return final
    cache.needRoom(ROOM_BYTES)
    if (!existsSync(sourceArchive(cache, source))) await open()
    await perform(sourceStep(cache, apt, source), hands)
    const part = cache.part(final)
    const paths = wanted.map((path) => `${TREE}/${path}`)
    const argv = ['tar', '-xJf', sourceArchive(cache, source), '-C', part, '--strip-components=1', ...paths]
    await perform(
      {
        title: `take ${wanted.length} parts out of ${TREE}`,
        makes: { final, part },
        commands: [{ do: 'exec', argv, limit: LIMIT_S }],
      },
      hands,
    )
    return final
  } finally {
    if (opened) await perform(forgetAptStep(apt), { ...hands, signal: new AbortController().signal })
  }
}
