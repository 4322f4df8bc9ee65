// SPDX-License-Identifier: MIT
//
// The book as the templates see it: parts, chapters, neighbours. What there is and in which order comes from the weave,
// which reads chapters/book.json.
import { chapterUrl } from '../paths.ts'
import type { Chapter, Weave } from '../weave/types.ts'

export interface Entry {
  readonly slug: string
  readonly title: string
  readonly summary: string
  /** The chapter's number; null for an appendix. */
  readonly number: number | null
  /** The address of its page; null while it is planned. */
  readonly url: string | null
  /** The part it belongs to, `I`, `II`…; empty for an appendix. */
  readonly numeral: string
  readonly partTitle: string
}

export interface Book {
  readonly title: string
  readonly parts: readonly {
    readonly numeral: string
    readonly title: string
    readonly chapters: readonly Entry[]
  }[]
  readonly appendices: readonly Entry[]
  /** Every entry in reading order. */
  readonly entries: readonly Entry[]
}

const NUMERALS = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X']

export function bookOf(weave: Weave): Book {
  const titles = [...new Set(weave.chapters.map((chapter) => chapter.part))].filter((title) => title !== null)
  const entryOf = (chapter: Chapter): Entry => ({
    slug: chapter.slug,
    title: chapter.title,
    summary: chapter.summary,
    number: chapter.number,
    url: chapter.planned ? null : chapterUrl(chapter.slug),
    numeral: chapter.part === null ? '' : (NUMERALS[titles.indexOf(chapter.part)] ?? ''),
    partTitle: chapter.part ?? '',
  })
  const entries = weave.chapters.map(entryOf)
  return {
    title: weave.title,
    parts: titles.map((title, index) => ({
      numeral: NUMERALS[index] ?? String(index + 1),
      title,
      chapters: entries.filter((entry) => entry.partTitle === title),
    })),
    appendices: entries.filter((entry) => entry.numeral === ''),
    entries,
  }
}

/** The entry whose page is at `url`, with its written neighbours; null for a page that is in no table of contents. */
export function placeInBook(
  book: Book,
  url: string,
): { entry: Entry; previous: Entry | null; next: Entry | null } | null {
  const at = book.entries.findIndex((entry) => entry.url === url)
  const entry = book.entries[at]
  if (!entry) return null
  const isWritten = (other: Entry): boolean => other.url !== null
  return {
    entry,
    previous: book.entries.slice(0, at).findLast(isWritten) ?? null,
    next: book.entries.slice(at + 1).find(isWritten) ?? null,
  }
}
