// SPDX-License-Identifier: MIT
//
// The chapters in the order of chapters/book.json, the only table of contents, and behind them the appendices. One whose
// text does not exist yet is planned: it is listed, and it may be named in the ledger. A translation is the same below
// chapters/<language>/, with a book.json of its own.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import { chapterUrl } from '../paths.ts'
import { weaveFences } from './fences.ts'
import type { Chapter } from './types.ts'

interface BookEntry {
  slug: string
  title: string
  summary?: string
  number?: number
  written?: boolean
}

interface Book {
  title: string
  parts: { title: string; chapters: BookEntry[] }[]
  appendices?: BookEntry[]
}

function readChapter(root: string, folder: string, entry: BookEntry, part: string | null) {
  const path = `chapters/${folder}${entry.slug}`
  const places = [`${path}/index.md`, ...(part === null ? [`${path}.md`] : [])]
  const found = places.find((place) => existsSync(join(root, place)))
  const file = found ?? places[0] ?? ''
  const markdown = found ? readFileSync(join(root, found), 'utf8') : ''
  const { fences, diagnostics } = weaveFences(markdown, file)
  const chapter: Chapter = {
    number: entry.number ?? null,
    slug: entry.slug,
    url: chapterUrl(entry.slug, folder),
    title: entry.title,
    summary: entry.summary ?? '',
    part,
    file,
    planned: !found,
    markdown,
    fences,
  }
  return { chapter, diagnostics }
}

/** Every text that lies where that of a chapter or an appendix does. */
function textsUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, 'chapters', folder))
    .sort()
    .map((name) => `chapters/${folder}${name}`)
    .flatMap((path) => (path.endsWith('.md') ? [path] : [`${path}/index.md`]))
    .filter((file) => existsSync(join(root, file)))
}

/**
 * Every chapter and appendix of the book, planned ones too; `folder` is that of a translation, `zh/`. Rules: `book-syntax` (book.json is no JSON),
 * `book-written` (book.json says written, and there is no text), `book-slug` (two chapters of one slug), `book-unlisted`
 * (a text that has no row there).
 */
export function readChapters(root: string, folder = '') {
  const bookFile = `chapters/${folder}book.json`
  const chapters: Chapter[] = []
  const diagnostics: Diagnostic[] = []
  const report = (rule: string, text: string) =>
    diagnostics.push({ rule, severity: 'error', file: bookFile, line: 0, column: 0, text })

  let book: Book
  try {
    book = JSON.parse(readFileSync(join(root, bookFile), 'utf8')) as Book
  } catch (error) {
    report('book-syntax', `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    return { title: '', chapters, diagnostics }
  }
  const entries = [
    ...book.parts.flatMap((part) =>
      part.chapters.map((entry) => ({ entry, part: part.title as string | null })),
    ),
    ...(book.appendices ?? []).map((entry) => ({ entry, part: null })),
  ]
  for (const { entry, part } of entries) {
    if (chapters.some((chapter) => chapter.slug === entry.slug)) {
      report('book-slug', `two chapters have the slug ${entry.slug}`)
      continue
    }
    const read = readChapter(root, folder, entry, part)
    chapters.push(read.chapter)
    diagnostics.push(...read.diagnostics)
    if (entry.written && read.chapter.planned) {
      report('book-written', `${entry.slug} is said to be written, and ${read.chapter.file} does not exist`)
    }
  }
  for (const file of textsUnder(root, folder)) {
    if (!chapters.some((chapter) => chapter.file === file)) {
      report('book-unlisted', `${file} would be a page that no check looks at: give it a row`)
    }
  }
  return { title: book.title, chapters, diagnostics }
}
