// SPDX-License-Identifier: MIT
//
// The whole course as one page, to be printed: title, contents, parts, chapters, appendices. Headings go one level down
// for the parts above them, ids carry the chapter they came from, links lead within the page.
import { all, dropAttributes, hasClass, remove, toHtml } from '../formats/dom.ts'
import { type BookPage, targetOf } from '../formats/read_pages.ts'
import { makeStill } from '../formats/still.ts'
import type { Book, Entry } from '../data/book.ts'
import { strip } from '../figures/strip.ts'
import { escapeHtml } from '../html.ts'
import { FIRST } from '../languages.ts'

/** Attributes that name ids of the same page, one or several. */
const NAMES_OF_IDS = ['id', 'aria-labelledby', 'aria-describedby', 'for', 'headers']

export const idOf = (slug: string, id = ''): string => (id === '' ? slug : `${slug}--${id}`)

/** The page number at which each chapter begins, by slug; null before they are known. */
export type PageNumbers = ReadonlyMap<string, number> | null

function nameApart({ entry, text }: BookPage): void {
  const apart = (ids: string): string =>
    ids
      .split(/\s+/)
      .map((id) => idOf(entry.slug, id))
      .join(' ')
  for (const { attribs } of all(text, () => true))
    for (const [name, value] of Object.entries(attribs))
      if (NAMES_OF_IDS.includes(name)) attribs[name] = apart(value)
      else if (value.startsWith('url(#'))
        attribs[name] = value.replace(/url\(#([^)]+)\)/, (_all, id: string) => `url(#${apart(id)})`)
}

function leadWithin(page: BookPage, pages: readonly BookPage[]): void {
  for (const link of all(page.text, ({ name }) => name === 'a')) {
    const href = link.attribs['href'] ?? ''
    if (/^https?:/.test(href)) continue
    const target = targetOf(href, page.entry, pages)
    if (target) link.attribs['href'] = `#${target.slug === '' ? 'contents' : idOf(target.slug, target.id)}`
    else if (hasClass(link, 'api')) remove(link)
    else link.name = 'span'
    if (link.name === 'span') dropAttributes(link, (name) => ['href', 'title', 'aria-label'].includes(name))
  }
}

function chapterHtml(page: BookPage, place: number): string {
  const { entry, title, question, text } = page
  for (const heading of all(text, ({ name }) => /^h[2-4]$/.test(name)))
    heading.name = `h${Number(heading.name.slice(1)) + 1}`
  const kicker = entry.number === null ? FIRST.appendix : `${FIRST.chapter} ${entry.number}`
  const asked = question === '' ? '' : `<p class="question">${escapeHtml(question)}</p>`
  return (
    `<section class="chapter in-${entry.slug}"><div class="title" id="${idOf(entry.slug)}">` +
    `<p class="kicker"><b>${escapeHtml(kicker)}</b></p><h2>${escapeHtml(title)}</h2>${asked}${strip(place, 7, 1)}</div>\n` +
    `<div class="prose">${toHtml(text)}</div></section>\n`
  )
}

const nameOf = ({ entry, title }: BookPage): string =>
  entry.number === null ? title : `${entry.number}  ${title}`

/** Running heads: a chapter's pages are pages of their own kind, with its name in the upper corner. */
function runningHeads(pages: readonly BookPage[]): string {
  const text = (value: string): string => JSON.stringify(value.replaceAll('\n', ' '))
  return pages
    .map((page) => {
      const name = `in-${page.entry.slug}`
      return `.${name}{page:${name}}@page ${name}{@top-right{content:${text(nameOf(page))}}}`
    })
    .join('\n')
    .replaceAll('<', '\\3c ')
}

interface Group {
  readonly kicker: string
  readonly title: string
  readonly entries: readonly Entry[]
}

const groupsOf = (book: Book): Group[] =>
  [
    ...book.parts.map((part) => ({
      kicker: `${FIRST.part} ${part.numeral}`,
      title: part.title,
      entries: part.chapters,
    })),
    { kicker: '', title: FIRST.front.appendices, entries: book.appendices },
  ].filter(({ entries }) => entries.some(({ url }) => url !== null))

function contentsHtml(book: Book, pages: readonly BookPage[], numbers: PageNumbers): string {
  const row = (page: BookPage): string =>
    `<li><a href="#${idOf(page.entry.slug)}"><span>${escapeHtml(nameOf(page))}</span>` +
    `<span class="page-number">${numbers?.get(page.entry.slug) ?? '000'}</span></a></li>`
  const groups = groupsOf(book).map(({ kicker, title, entries }) => {
    const rows = pages.filter(({ entry }) => entries.some(({ slug }) => slug === entry.slug)).map(row)
    return `<li><b>${escapeHtml([kicker, title].filter(Boolean).join(', '))}</b><ol>${rows.join('')}</ol></li>`
  })
  return `<nav class="book-contents" id="contents" aria-labelledby="contents-heading"><h1 id="contents-heading">${FIRST.front.contents}</h1><ol>${groups.join('')}</ol></nav>\n`
}

function titleHtml(book: Book, date: Date): string {
  return (
    `<section class="title-page"><p class="book-title">${escapeHtml(book.title)}</p><p class="question">${escapeHtml(FIRST.tagline)}</p>` +
    `${strip(0.42, 23, 5)}<p class="small">${escapeHtml(`${FIRST.epub.edition} ${date.toISOString().slice(0, 10)}. ${FIRST.licence}`)}</p>` +
    `${FIRST.epub.about.map((paragraph) => `<p class="small">${escapeHtml(paragraph)}</p>`).join('')}</section>\n`
  )
}

/** What of the book is set once, whatever the page numbers are: the chapters, by slug. Uses up the pages' trees. */
export function setChapters(pages: readonly BookPage[]): ReadonlyMap<string, string> {
  return new Map(
    pages.map((page, index) => {
      makeStill(page.text)
      leadWithin(page, pages)
      nameApart(page)
      return [page.entry.slug, chapterHtml(page, index / Math.max(1, pages.length - 1))] as const
    }),
  )
}

/** The page. `css` is what the site's own pages are printed with. */
export function bookPage(
  book: Book,
  pages: readonly BookPage[],
  chapters: ReadonlyMap<string, string>,
  options: { css: string; date: Date; numbers: PageNumbers },
): string {
  const groups = groupsOf(book).map(({ kicker, title, entries }) => {
    const above = `<header class="part-title">${kicker === '' ? '' : `<p class="kicker">${escapeHtml(kicker)}</p>`}<h1>${escapeHtml(title)}</h1></header>\n`
    return above + entries.map(({ slug }) => chapters.get(slug) ?? '').join('')
  })
  return (
    `<!doctype html><html lang="${FIRST.lang}" data-theme="light"><head><meta charset="utf-8"><title>${escapeHtml(book.title)}</title>` +
    `<style>${options.css}\n${runningHeads(pages)}</style></head><body class="book">\n` +
    titleHtml(book, options.date) +
    contentsHtml(book, pages, options.numbers) +
    groups.join('') +
    '</body></html>\n'
  )
}
