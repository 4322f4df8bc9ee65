// SPDX-License-Identifier: MIT
//
// The files of /licences/ and what its page and /changes/ show: written when a build begins, before the first page.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import MarkdownIt from 'markdown-it'
import { slugOf } from '../markdown/slug.ts'
import { readChangelog } from './changelog.ts'
import { kernelSourceArchive } from './kernel_source.ts'
import { type Notice, noticesOf, noticesText } from './notices.ts'

export interface LicencesData {
  readonly notices: readonly Notice[]
  readonly archive: {
    readonly name: string
    readonly url: string
    readonly files: number
    readonly size: string
    /** SHA-256, in hexadecimal. */
    readonly hash: string
  }
}

const ARCHIVE = 'contiguous-kernel.tar.gz'

/** Writes `out`/licences/: our licences, the source of the modules, the notices of what `inputs` of bundles came from. */
export async function writeLicences(
  root: string,
  out: string,
  inputs: readonly string[],
): Promise<LicencesData> {
  const folder = join(out, 'licences')
  mkdirSync(folder, { recursive: true })
  const own = existsSync(join(root, 'LICENSES')) ? readdirSync(join(root, 'LICENSES')) : []
  for (const file of own) writeFileSync(join(folder, file), readFileSync(join(root, 'LICENSES', file)))
  const { bytes, files } = await kernelSourceArchive(root)
  writeFileSync(join(folder, ARCHIVE), bytes)
  const notices = noticesOf(root, inputs)
  writeFileSync(join(folder, 'third-party.txt'), noticesText(notices))
  return {
    notices,
    archive: {
      name: ARCHIVE,
      url: `/licences/${ARCHIVE}`,
      files: files.length,
      size: `${Math.ceil(bytes.length / 1024)} KiB`,
      hash: createHash('sha256').update(bytes).digest('hex'),
    },
  }
}

export interface ChangesData {
  readonly id: string
  readonly title: string
  readonly entries: readonly { readonly id: string; readonly html: string }[]
}

/** An entry of the changelog as HTML. */
export const changeHtml = (markdown: string): string => new MarkdownIt().renderInline(markdown)

export function changesData(root: string): ChangesData[] {
  return readChangelog(root, false).map(({ title, entries }) => ({
    id: `version-${slugOf(title)}`,
    title,
    entries: entries.map(({ id, markdown }) => ({ id, html: changeHtml(markdown) })),
  }))
}
