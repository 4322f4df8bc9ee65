// SPDX-License-Identifier: MIT
//
// The book as the templates see it: parts, chapters, neighbours. What there is and in which order comes from the weave,
// which reads chapters/book.json; a translation's entry leads to the original while it has no text of its own.
import { FIRST, type SiteText } from '../languages.ts'
import type { Chapter, Weave } from '../weave/types.ts'

export interface Entry {
  readonly slug: string
  readonly title: string
  readonly summary: string
  /** The chapter's number; null for an appendix. */
  readonly number: number | null
  /** The address of its page; null while it is planned. */
  readonly url: string | null
  /** The language of that page, and what it calls itself. */
  readonly lang: string
  readonly languageName: string
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

export function bookOf(weave: Weave, text: SiteText): Book {
  const titles = [...new Set(weave.chapters.map((chapter) => chapter.part))].filter((title) => title !== null)
  const entryOf = (chapter: Chapter): Entry => {
    const original = weave.original.find(({ slug }) => slug === chapter.slug)
    const page = chapter.planned && original ? original : chapter
    const { lang, languageName } = page === chapter ? text : FIRST
    return {
      slug: chapter.slug,
      title: chapter.title,
      summary: chapter.summary,
      number: chapter.number,
      url: page.planned ? null : page.url,
      lang,
      languageName,
      numeral: chapter.part === null ? '' : (NUMERALS[titles.indexOf(chapter.part)] ?? ''),
      partTitle: chapter.part ?? '',
    }
  }
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

export interface PlaceInBook {
  readonly entry: Entry
  /** From 0 to 1: how far into the book it is. */
  readonly fraction: number
  readonly previous: Entry | null
  readonly next: Entry | null
}

/** The entry whose page is at `url`, with its written neighbours; null for a page that is in no table of contents. */
export function placeInBook(book: Book, url: string): PlaceInBook | null {
  const at = book.entries.findIndex((entry) => entry.url === url)
  const entry = book.entries[at]
  if (!entry) return null
  const isWritten = (other: Entry): boolean => other.url !== null
  return {
    entry,
    fraction: at / Math.max(1, book.entries.length - 1),
    previous: book.entries.slice(0, at).findLast(isWritten) ?? null,
    next: book.entries.slice(at + 1).find(isWritten) ?? null,
  }
}
