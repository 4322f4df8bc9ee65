// SPDX-License-Identifier: MIT
//
// Which files of a built folder a reader keeps for reading offline. Left out: what only hosts, feeds, search engines and
// those who show a link read, what is a course of its own (EPUB, PDF, archives of sources), and the API, which is kept page by page as it is
// visited (worker.ts).
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ListedFile } from './list.ts'

const LEFT_OUT = [
  /^api\//,
  /(^|\/)[._][^/]*$/,
  /\.(epub|pdf|xml|zip|gz|xz|map)$/,
  /^(404\.html|headers\.json|robots\.txt|worker\.js)$/,
  /^assets\/edition-[0-9a-f]+\.json$/,
  /^assets\/card-[^/]+\.png$/,
  /^CNAME$/,
]

/** A page is asked for by its folder. */
const addressOf = (path: string): string => path.replace(/(^|\/)index\.html$/, '$1')

const isSourcePage = (path: string): boolean => /^source\/.+\/index\.html$/.test(path)

/** The files of `folder` in the order of their addresses. */
export function listFolder(folder: string): ListedFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !LEFT_OUT.some((pattern) => pattern.test(path)))
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort()
    .map((path) => {
      const content = readFileSync(join(folder, path))
      return {
        address: addressOf(path),
        hash: createHash('sha256').update(content).digest('base64'),
        size: content.length,
        stage: isSourcePage(path) ? 'later' : 'first',
      }
    })
}
