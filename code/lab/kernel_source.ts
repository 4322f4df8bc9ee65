// SPDX-License-Identifier: MIT
//
// Debian's linux-source-6.12: the same sources, patches and all, that its kernel 6.12 is built from. The archive in the
// package is kept (150 MB) for the next kernel built from it; unpacked it would be ten times that.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { type Cache, contentKey } from './cache.ts'
import type { Command, Step } from './command.ts'
import { downloadCommand, showArgv, showPackages } from './private_apt.ts'

const PACKAGE = 'linux-source-6.12'
/** The folder that the archive unpacks to. */
export const TREE = PACKAGE

/** The sources as Debian has them now. In a cold dry run the values are shell variables. */
export interface KernelSource {
  /** `6.12.117-1~deb12u1`; Debian's kernel 6.12 of the same version is built from it. */
  readonly packageVersion: string
  /** Names its content: a hash of the package's SHA-256. */
  readonly key: string
}

/** Asks Debian for the sources. @throws Complaint (4) when its mirror has none */
export async function resolveSource(apt: string, signal: AbortSignal): Promise<KernelSource> {
  const [record] = await showPackages(apt, [PACKAGE], signal)
  return { packageVersion: record!.version, key: contentKey(record!.sha256) }
}

/** What a cold dry run prints in the place of resolveSource(). */
export function askSource(apt: string): { source: KernelSource; commands: Command[] } {
  const show = showArgv(apt, [PACKAGE])
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
export const sourceArchive = (cache: Cache, source: KernelSource): string =>
  join(sourceFolder(cache, source), `${TREE}.tar.xz`)

/** Downloads the package and keeps the archive in it. */
export function sourceStep(cache: Cache, apt: string, source: KernelSource): Step {
  const final = sourceFolder(cache, source)
  const part = cache.part(final)
  const { packageVersion: version } = source
  return {
    title: `fetch Debian’s ${PACKAGE} ${version} (150 MB)`,
    makes: { final, part },
    commands: [
      { do: 'mkdir', path: join(part, 'debs') },
      downloadCommand(apt, [`${PACKAGE}=${version}`], join(part, 'debs')),
      { do: 'mkdir', path: join(part, 'deb') },
      {
        do: 'exec',
        argv: ['find', 'debs', '-name', '*.deb', '-exec', 'dpkg-deb', '-x', '{}', 'deb', ';'],
        cwd: part,
        limit: 300,
      },
      {
        do: 'copy',
        from: join(part, 'deb/usr/src', `${TREE}.tar.xz`),
        to: join(part, `${TREE}.tar.xz`),
      },
      { do: 'remove', path: join(part, 'debs') },
      { do: 'remove', path: join(part, 'deb') },
    ],
  }
}

const rememberedPath = (cache: Cache): string => cache.path('debian', `${PACKAGE}.json`)

/** What Debian said of the sources last time; null when it was never asked. */
export function rememberedSource(cache: Cache): KernelSource | null {
  const path = rememberedPath(cache)
  if (!existsSync(path)) return null
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as KernelSource
  } catch {
    throw new Complaint({ text: `${path} is not what this program wrote there`, next: [`rm ${path}`] })
  }
}

/** Keeps what Debian said. */
export function rememberSource(cache: Cache, source: KernelSource): void {
  cache.writeWhole(rememberedPath(cache), `${JSON.stringify(source, null, 2)}\n`)
}
