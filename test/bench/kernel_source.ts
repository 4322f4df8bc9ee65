// SPDX-License-Identifier: MIT
//
// The few files of Debian's linux-source-6.12 that a benchmark builds, fetched once and kept where a lab's kernels are kept.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Cache, contentKey } from '../../code/lab/cache.ts'
import { hostSources } from '../../code/lab/debian_sources.ts'
import { perform } from '../../code/lab/execute.ts'
import { downloadCommand, forgetAptStep, privateAptStep, showPackages } from '../../code/lab/private_apt.ts'

const PACKAGE = 'linux-source-6.12'
const TREE = 'linux-source-6.12'
const WANTED = [
  'mm/memblock.c',
  'include/linux',
  'tools/include',
  'tools/arch/x86/include',
  'tools/testing/memblock',
]
/** The package and what tar makes of it, for a moment. */
const ROOM_BYTES = 400 * 1024 * 1024

/** Part of the folder's name, so that a longer list is fetched anew. */
const KEY = contentKey(...WANTED)

/** The folder with the wanted files, fetched if it must be; with the package's version in its name. */
export async function kernelSource(): Promise<string> {
  const cache = new Cache()
  cache.open()
  const kept = existsSync(cache.path('bench'))
    ? readdirSync(cache.path('bench')).find((name) => name.endsWith(`-${KEY}`))
    : undefined
  if (kept !== undefined) return cache.path('bench', kept)
  cache.needRoom(ROOM_BYTES)
  const signal = AbortSignal.timeout(900_000)
  const hands = { cache, signal, progress: tell }
  const apt = cache.part(cache.path('apt'))
  await perform(privateAptStep(apt, hostSources()), hands)
  try {
    const [record] = await showPackages(apt, [PACKAGE], signal)
    const version = record!.version.replace(/[^\w.+-]/g, '_')
    return await fetched(hands, apt, record!.version, cache.path('bench', `${TREE}-${version}-${KEY}`))
  } finally {
    await perform(forgetAptStep(apt), hands)
  }
}

async function fetched(hands: Hands, apt: string, version: string, final: string): Promise<string> {
  const part = hands.cache.part(final)
  const debs = join(part, 'debs')
  await perform(
    {
      title: `fetch ${PACKAGE} (150 MB) and take ${WANTED.length} parts of it`,
      makes: { final, part },
      commands: [
        { do: 'mkdir', path: debs },
        downloadCommand(apt, [`${PACKAGE}=${version}`], debs),
        // The package holds one archive; dpkg-deb writes it to tar, and tar to the second tar.
        {
          do: 'exec',
          argv: [
            'sh',
            '-c',
            `dpkg-deb --fsys-tarfile "$1"/*.deb | tar -xO --wildcards '*/${TREE}.tar.xz' | tar -xJ -C "$2" --strip-components=1 ${WANTED.map((path) => `${TREE}/${path}`).join(' ')}`,
            'sh',
            debs,
            part,
          ],
          limit: 600,
        },
        { do: 'remove', path: debs },
      ],
    },
    hands,
  )
  return final
}

type Hands = Parameters<typeof perform>[1]

function tell({ title, state, seconds }: Parameters<Hands['progress']>[0]): void {
  if (state === 'start') console.error(`${title} …`)
  if (state === 'failed') console.error(`${title}: failed after ${seconds.toFixed(0)} s`)
}
