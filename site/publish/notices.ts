// SPDX-License-Identifier: MIT
//
// What others wrote and the pages carry: each package that a bundle took a file from, with the text of its licence. The
// bundler says which (its metafile), so nothing can be forgotten that way; what comes another way is named here.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export interface Notice {
  readonly name: string
  readonly version: string
  /** As its package.json has it, an SPDX expression. */
  readonly licence: string
  readonly text: string
}

/** Shipped without our bundler: TypeDoc's theme in /api/, and the search that it has inside. */
const SHIPPED = ['typedoc', 'lunr']

/** The package folders that these inputs of a bundle, paths from `root`, lie in. */
export function packageFolders(root: string, inputs: readonly string[]): string[] {
  const folders = inputs.flatMap(
    (input) => /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [],
  )
  const shipped = SHIPPED.map((name) => `node_modules/${name}`)
  return [...new Set([...folders, ...shipped].map((folder) => resolve(root, folder)))]
}

/** A package's notice. @throws Error when it comes without the text of its licence */
export function noticeOf(folder: string): Notice {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string
  }
  const files = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
    .sort()
  if (license === undefined || files.length === 0) {
    throw new Error(
      `notices: ${name} ${version} is bundled into the pages, and its package has ${license ?? 'no licence'} and ` +
        `${files.length} licence texts, expected both: choose another package, or add its text to LICENSES/ and here`,
    )
  }
  return {
    name,
    version,
    licence: license,
    text: files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n'),
  }
}

/** Every package in the pages, by name. */
export function noticesOf(root: string, inputs: readonly string[]): Notice[] {
  const notices = packageFolders(root, inputs).map(noticeOf)
  const unique = new Map(notices.map((notice) => [`${notice.name} ${notice.version}`, notice]))
  return [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** All notices as one text. */
export function noticesText(notices: readonly Notice[]): string {
  const rule = '='.repeat(78)
  return notices
    .map(
      ({ name, version, licence, text }) => `${rule}\n${name} ${version}: ${licence}\n${rule}\n\n${text}\n`,
    )
    .join('\n')
}
