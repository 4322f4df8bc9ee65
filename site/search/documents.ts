// SPDX-License-Identifier: MIT
//
// What can be found: sections of the book, entries of the glossary, definitions in the sources, source files.
import { textOf } from './page_text.ts'

export type Kind = 'section' | 'term' | 'symbol' | 'file'

/** A result, and what the page shows of it. */
export interface Found {
  readonly kind: Kind
  /** The address from the site's top, without a slash before it: `11-cma-alloc/#the-search`. */
  readonly address: string
  readonly title: string
  /** Where it stands: the chapter, the file. */
  readonly context: string
  /** What a snippet is cut from. */
  readonly text: string
}

export interface SearchDocument extends Found {
  /** Names in the code beside the text: they are found, and not shown. */
  readonly code: string
}

interface Page {
  /** `/11-cma-alloc/` */
  readonly url: string
  /** `Chapter 11, cma_alloc` */
  readonly name: string
  readonly title: string
  /** Rendered HTML of the text. */
  readonly html: string
}

/** The sections of a page: what stands below each heading down to the next, and the page's beginning. */
export function sectionsOf(page: Page): SearchDocument[] {
  const address = page.url.slice(1)
  const pieces = page.html.split(/(?=<h[23] id=")/)
  return pieces.flatMap((piece, index) => {
    const heading = /^<h[23] id="([^"]+)"[^>]*>([\s\S]*?)<\/h[23]>/.exec(piece)
    if (!heading && index > 0) return []
    const { text, code } = textOf(heading ? piece.slice(heading[0].length) : piece)
    const title = heading ? textOf(heading[2]!).text : page.title
    if (heading?.[1] === 'sources') return []
    return [
      {
        kind: 'section' as const,
        address: heading ? `${address}#${heading[1]}` : address,
        title,
        context: page.name,
        text,
        code,
      },
    ]
  })
}
