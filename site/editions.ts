// SPDX-License-Identifier: MIT
//
// An edition is the course in one language: its words, its chapters, its table of contents. A page belongs to the edition
// below whose folder it lies.
import { type Book, bookOf, type Entry, placeInBook, type PlaceInBook } from './data/book.ts'
import { FIRST, languageFolder, languageOf, LANGUAGES, type SiteText } from './languages.ts'
import type { Weave } from './weave/types.ts'
import { loadWeave } from './weave/weave.ts'

export interface Edition {
  readonly text: SiteText
  /** Of its pages below the site's top, and of its texts below chapters/: empty for the first. */
  readonly folder: string
  /** The address of its front page. */
  readonly top: string
  readonly weave: Weave
  readonly book: Book
}

/** The same page in a language: what it is called, and where. */
export interface Alternate {
  readonly lang: string
  readonly languageName: string
  readonly url: string
}

/** Every edition, the first language's at the head. */
export function readEditions(root: string): readonly [Edition, ...Edition[]] {
  const editionOf = (text: SiteText): Edition => {
    const folder = languageFolder(text)
    const weave = loadWeave(root, folder)
    return { text, folder, top: `/${folder}`, weave, book: bookOf(weave, text) }
  }
  const [, ...others] = LANGUAGES
  return [editionOf(FIRST), ...others.map(editionOf)]
}

/** Where a page stands in the book of its edition. */
export function placeOfPage(editions: readonly Edition[], url: string): PlaceInBook | null {
  return editions.map(({ book }) => placeInBook(book, url)).find((place) => place !== null) ?? null
}

/** The languages in which there is the page at `url`, its own among them; none when there is no other. */
export function alternatesOf(editions: readonly Edition[], url: string): Alternate[] {
  const own = editions.findLast(({ top }) => url.startsWith(top))
  const path = url.slice(own?.top.length ?? 1)
  const found = editions.flatMap(({ text, top, book }) => {
    const { lang, languageName } = text
    const written = book.entries.some((entry) => entry.url === top + path && entry.lang === lang)
    return path === '' || written ? [{ lang, languageName, url: top + path }] : []
  })
  return found.length > 1 ? found : []
}

/** What a template knows of the page it makes. */
interface PageData {
  readonly page: { readonly inputPath: string; readonly url: string }
  readonly edition?: Edition
}

/**
 * What the templates see under these names, by page: the words, the table of contents, the first chapter, the other
 * languages. A page that is made for each edition is told which; any other lies in the folder of its language.
 */
export function editionData(
  editions: () => readonly [Edition, ...Edition[]],
): Record<string, (data: PageData) => unknown> {
  const editionOf = ({ edition, page }: PageData): Edition => {
    const { lang } = languageOf(page.inputPath)
    const [first, ...others] = editions()
    return edition ?? others.find(({ text }) => text.lang === lang) ?? first
  }
  return {
    text: (data) => editionOf(data).text,
    book: (data) => editionOf(data).book,
    top: (data) => editionOf(data).top,
    firstChapter: (data): Entry | null => editionOf(data).book.entries.find((entry) => entry.url) ?? null,
    alternates: ({ page }) => alternatesOf(editions(), page.url),
  }
}
