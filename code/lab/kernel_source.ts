// SPDX-License-Identifier: MIT
//
// Debian's linux-source-6.12 and -6.1: the same sources, patches and all, that its kernels are built from. The archive in
// the package is kept (150 MB) for the next kernel built from it; unpacked it would be ten times that. Kernels of our own
// are built from 6.12; what the book says of Linux is looked up in both.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { type Cache, contentKey } from './cache.ts'
import type { Command, Step } from './command.ts'
import type { Series } from './kernels.ts'
import { downloadCommand, showArgv, showPackages } from './private_apt.ts'

/** The package; also the folder that its archive unpacks to. */
export const sourcePackage = (series: Series): string => `linux-source-${series}`
/** The folder that the archive of 6.12 unpacks to. */
export const TREE = sourcePackage('6.12')

/** The sources as Debian has them now. In a cold dry run the values are shell variables. */
export interface KernelSource {
  /** `6.12.117-1~deb12u1`; Debian's kernel 6.12 of the same version is built from it. */
  readonly packageVersion: string
  /** Names its content: a hash of the package's SHA-256. */
  readonly key: string
}

/** Asks Debian for the sources. @throws Complaint (4) when its mirror has none */
export async function resolveSource(
  apt: string,
  signal: AbortSignal,
  series: Series = '6.12',
): Promise<KernelSource> {
  const [record] = await showPackages(apt, [sourcePackage(series)], signal)
  return { packageVersion: record!.version, key: contentKey(record!.sha256) }
}

/** What a cold dry run prints in the place of resolveSource(). */
export function askSource(apt: string): { source: KernelSource; commands: Command[] } {
  const show = showArgv(apt, [TREE])
  const sum = [['sed', '-n', 's/^SHA256: //p'], ['sha256sum'], ['cut', '-c', '1-16']]
  return {
    source: { packageVersion: '${contig_version_source}', key: '${contig_key_source}' },
    commands: [
      { do: 'ask', variable: 'contig_version_source', pipeline: [show, ['sed', '-n', 's/^Version: //p']] },
      { do: 'ask', variable: 'contig_key_source', pipeline: [show, ...sum] },
    ],
  }
}

const sourceFolder = (cache: Cache, source: KernelSource): string => cache.path('sources', source.key)

/** Where the archive stands once it was fetched. */
export const sourceArchive = (cache: Cache, source: KernelSource, series: Series = '6.12'): string =>
  join(sourceFolder(cache, source), `${sourcePackage(series)}.tar.xz`)

/** Downloads the package and keeps the archive in it. */
export function sourceStep(cache: Cache, apt: string, source: KernelSource, series: Series = '6.12'): Step {
  const name = sourcePackage(series)
  const final = sourceFolder(cache, source)
  const part = cache.part(final)
  const { packageVersion: version } = source
  return {
    title: `fetch Debian’s ${name} ${version} (150 MB)`,
    makes: { final, part },
    commands: [
      { do: 'mkdir', path: join(part, 'debs') },
      downloadCommand(apt, [`${name}=${version}`], join(part, 'debs')),
      { do: 'mkdir', path: join(part, 'deb') },
      {
        do: 'exec',
        argv: ['find', 'debs', '-name', '*.deb', '-exec', 'dpkg-deb', '-x', '{}', 'deb', ';'],
        cwd: part,
        limit: 300,
      },
      {
        do: 'copy',
        from: join(part, 'deb/usr/src', `${name}.tar.xz`),
        to: join(part, `${name}.tar.xz`),
      },
      { do: 'remove', path: join(part, 'debs') },
      { do: 'remove', path: join(part, 'deb') },
    ],
  }
}

const rememberedPath = (cache: Cache, series: Series): string =>
  cache.path('debian', `${sourcePackage(series)}.json`)

/** What Debian said of the sources last time; null when it was never asked. */
export function rememberedSource(cache: Cache, series: Series = '6.12'): KernelSource | null {
  const path = rememberedPath(cache, series)
  if (!existsSync(path)) return null
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as KernelSource
  } catch {
    throw new Complaint({ text: `${path} is not what this program wrote there`, next: [`rm ${path}`] })
  }
}

/** Keeps what Debian said. */
export function rememberSource(cache: Cache, source: KernelSource, series: Series = '6.12'): void {
  cache.writeWhole(rememberedPath(cache, series), `${JSON.stringify(source, null, 2)}\n`)
}
