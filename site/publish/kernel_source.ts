// SPDX-License-Identifier: MIT
//
// The source offer of the GPL: everything that the kernel modules are built from, as one archive beside the pages. The same
// files give the same bytes, whoever builds and when.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'

/** Folder of the archive in which all lies. */
const TOP = 'contiguous-kernel'
/** Sources; what a build left beside them is not. */
const SOURCE = /(?:\.(?:c|h|dts|dtsi|dtso|config|patch|gitignore)|\/(?:Kbuild|Makefile))$/

export interface SourceArchive {
  readonly bytes: Buffer
  readonly files: readonly string[]
}

function sourcesUnder(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((file) => SOURCE.test(file) && statSync(join(root, file)).isFile())
}

/** What the archive holds: kernel/, the drivers of the exercises, the drivers that are wrong, the licences. */
export function kernelSources(root: string): string[] {
  const licences = [
    'LICENSE.md',
    'LICENSES/GPL-2.0-only.txt',
    'LICENSES/Linux-syscall-note.txt',
    'LICENSES/MIT.txt',
  ]
  return [
    ...licences.filter((file) => existsSync(join(root, file))),
    ...['chapters', 'kernel', 'test/kernel'].flatMap((folder) => sourcesUnder(root, folder)),
  ].sort()
}

export async function kernelSourceArchive(root: string): Promise<SourceArchive> {
  const files = kernelSources(root)
  const tar = await packTar(
    files.map((file) => {
      const body = readFileSync(join(root, file))
      return {
        header: {
          name: `${TOP}/${file}`,
          size: body.length,
          mode: 0o644,
          mtime: new Date(0),
          uid: 0,
          gid: 0,
        },
        body,
      }
    }),
  )
  const bytes = gzipSync(tar, { level: 9 })
  // The byte of the header that names the system it was packed on: unknown.
  bytes[9] = 255
  return { bytes, files }
}
