// SPDX-License-Identifier: MIT
//
// A rendition is the course in one language: its words, its chapters, its table of contents. A page belongs to the rendition
// below whose folder it lies.
import { type Book, bookOf, type Entry, placeInBook, type PlaceInBook } from './data/book.ts'
import { FIRST, languageFolder, languageOf, LANGUAGES, type SiteText } from './languages.ts'
import type { Weave } from './weave/types.ts'
import { loadWeave } from './weave/weave.ts'

export interface Rendition {
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

/** Every rendition, the first language's at the head. */
export function readRenditions(root: string): readonly [Rendition, ...Rendition[]] {
  const renditionOf = (text: SiteText): Rendition => {
    const folder = languageFolder(text)
    const weave = loadWeave(root, folder)
    return { text, folder, top: `/${folder}`, weave, book: bookOf(weave, text) }
  }
  const [, ...others] = LANGUAGES
  return [renditionOf(FIRST), ...others.map(renditionOf)]
}

/** Where a page stands in the book of its rendition. */
export function placeOfPage(renditions: readonly Rendition[], url: string): PlaceInBook | null {
  return renditions.map(({ book }) => placeInBook(book, url)).find((place) => place !== null) ?? null
}

/** The languages in which there is the page at `url`, its own among them; none when there is no other. */
export function alternatesOf(renditions: readonly Rendition[], url: string): Alternate[] {
  const own = renditions.findLast(({ top }) => url.startsWith(top))
  const path = url.slice(own?.top.length ?? 1)
  const found = renditions.flatMap(({ text, top, book }) => {
    const { lang, languageName } = text
    const written = book.entries.some((entry) => entry.url === top + path && entry.lang === lang)
    return path === '' || written ? [{ lang, languageName, url: top + path }] : []
  })
  return found.length > 1 ? found : []
}

/** What a template knows of the page it makes. */
interface PageData {
  readonly page: { readonly inputPath: string; readonly url: string }
  readonly rendition?: Rendition
}

/**
 * What the templates see under these names, by page: the words, the table of contents, the first chapter, the other
 * languages. A page that is made for each rendition is told which; any other lies in the folder of its language.
 */
export function renditionData(
  renditions: () => readonly [Rendition, ...Rendition[]],
): Record<string, (data: PageData) => unknown> {
  const renditionOf = ({ rendition, page }: PageData): Rendition => {
    const { lang } = languageOf(page.inputPath)
    const [first, ...others] = renditions()
    return rendition ?? others.find(({ text }) => text.lang === lang) ?? first
  }
  return {
    text: (data) => renditionOf(data).text,
    book: (data) => renditionOf(data).book,
    top: (data) => renditionOf(data).top,
    firstChapter: (data): Entry | null => renditionOf(data).book.entries.find((entry) => entry.url) ?? null,
    alternates: ({ page }) => alternatesOf(renditions(), page.url),
  }
}
