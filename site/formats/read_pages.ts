// SPDX-License-Identifier: MIT
//
// The chapters and appendices of a built folder, in reading order, as trees: what EPUB and PDF are made from. So an
// edition prints what the course prints, claims and outputs included, whatever made it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Book, Entry } from '../data/book.ts'
import { all, type Element, hasClass, type Node, parse, textOf } from './dom.ts'

export interface BookPage {
  readonly entry: Entry
  /** Without mark-up. */
  readonly title: string
  readonly question: string
  /** The children of the page's article. */
  readonly text: Node[]
  readonly headings: readonly { readonly id: string; readonly level: number; readonly title: string }[]
}

function only(
  nodes: readonly Node[],
  file: string,
  what: string,
  test: (element: Element) => boolean,
): Element {
  const found = all(nodes, test)[0]
  if (!found) throw new Error(`${file}: found no ${what}, expected what site/layouts/chapter.njk writes`)
  return found
}

function readPage(folder: string, entry: Entry): BookPage {
  const file = join(folder, entry.slug, 'index.html')
  const tree = parse(readFileSync(file, 'utf8'))
  const article = only(tree, file, '<article>', ({ name }) => name === 'article')
  const question = all(tree, (element) => element.name === 'p' && hasClass(element, 'question'))[0]
  return {
    entry,
    title: textOf(only(tree, file, '<h1>', ({ name }) => name === 'h1').children),
    question: question ? textOf(question.children) : '',
    text: article.children,
    headings: all(
      article.children,
      ({ name, attribs }) => /^h[23]$/.test(name) && attribs['id'] !== undefined,
    ).map((heading) => ({
      id: heading.attribs['id'] ?? '',
      level: Number(heading.name.slice(1)),
      title: textOf(heading.children),
    })),
  }
}

export function readPages(folder: string, book: Book): BookPage[] {
  return book.entries.filter(({ url }) => url !== null).map((entry) => readPage(folder, entry))
}

/** Where a link of a page leads, when that is in the book: a slug, empty for the contents, and an id, empty for none. */
export function targetOf(
  href: string,
  from: Entry,
  pages: readonly BookPage[],
): { slug: string; id: string } | null {
  const { origin, pathname, hash } = new URL(href, `http://course/${from.slug}/`)
  if (origin !== 'http://course') return null
  const slug = pathname.slice(1, -1)
  const known = pathname === '/' || pages.some(({ entry }) => entry.slug === slug)
  return known ? { slug, id: decodeURIComponent(hash.slice(1)) } : null
}
