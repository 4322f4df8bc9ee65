// SPDX-License-Identifier: MIT
//
// Where things lie, and under which addresses they are served. The site is always built from the project's root.
import { readFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'

/** The project's root, absolute. The command line starts Eleventy there. */
export const root = process.cwd()

/** The path of `file` from the root, as a message names it. */
export function fromRoot(file: string): string {
  return relative(root, isAbsolute(file) ? file : join(root, file))
}

/** The folders that pages are made of: an edit in one of them makes new pages. */
export const PAGE_FOLDERS = ['code', 'kernel', 'site', 'chapters'] as const

export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The page that shows a source file, at a line. */
export function sourceUrl(file: string, line?: number): string {
  return `/source/${file}/` + (line === undefined ? '' : `#L${line}`)
}

/** The same page, at the first line that is a region's own. */
export function regionUrl(file: string, region: string): string {
  return `${sourceUrl(file)}#region-${region}`
}

/** The page on which TypeDoc documents a file of the models; null for a file that is not TypeScript. */
export function apiUrl(file: string): string | null {
  const module = /^(code\/.+)\.ts$/.exec(file)?.[1]
  return module ? `/api/${module}/` : null
}

/** The page of an exercise. */
export function exerciseUrl({
  id,
  chapter,
}: {
  readonly id: string
  readonly chapter: { readonly slug: string }
}): string {
  return `/${chapter.slug}/exercises/${id}/`
}

/** The page of a chapter or an appendix; `folder` is that of a language (site/languages.ts). */
export function chapterUrl(slug: string, folder = ''): string {
  return `/${folder}${slug}/`
}
