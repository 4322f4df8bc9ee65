// SPDX-License-Identifier: MIT
//
// A page of the course → a content document of an EPUB: XHTML, its links among the book's own files, its sources as
// footnotes that a reader may show in place.
import { all, dropAttributes, type Element, hasClass, prepend, remove, toXml } from '../formats/dom.ts'
import { type BookPage, targetOf } from '../formats/read_pages.ts'
import { makeStill } from '../formats/still.ts'
import { escapeHtml } from '../html.ts'
import { FIRST } from '../languages.ts'

export const fileOf = (slug: string): string => (slug === '' ? 'nav.xhtml' : `${slug}.xhtml`)

/** A whole document. `type` is the body's place in the book, `bodymatter` or another of EPUB's words. */
export function document(title: string, type: string, body: string, head = ''): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="${FIRST.lang}" xml:lang="${FIRST.lang}">
<head>
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" type="text/css" href="book.css"/>${head}
</head>
<body epub:type="${type}">
${body}
</body>
</html>
`
}

/** A link out of the book has nowhere to lead on an aeroplane: its words stay. One to the API has no words of its own. */
function bringHome(link: Element, page: BookPage, pages: readonly BookPage[]): void {
  const href = link.attribs['href'] ?? ''
  if (/^https?:/.test(href)) return
  const target = targetOf(href, page.entry, pages)
  if (target) {
    const file = target.slug === page.entry.slug ? '' : fileOf(target.slug)
    link.attribs['href'] = file + (target.id === '' ? '' : `#${target.id}`) || fileOf(target.slug)
    return
  }
  if (hasClass(link, 'api')) return remove(link)
  link.name = 'span'
  dropAttributes(link, (name) => ['href', 'title', 'aria-label', 'rel', 'type'].includes(name))
}

function markFootnotes(page: BookPage): void {
  for (const link of all(page.text, ({ name, parent }) => name === 'a' && isReference(parent)))
    Object.assign(link.attribs, { 'epub:type': 'noteref', role: 'doc-noteref' })
  const section = all(page.text, (element) => hasClass(element, 'sources'))[0]
  if (!section) return
  Object.assign(section.attribs, { 'epub:type': 'footnotes', role: 'doc-endnotes' })
  for (const list of all(section.children, ({ name }) => name === 'ol')) list.name = 'div'
  const notes = all(
    section.children,
    ({ name, attribs }) => name === 'li' && /^source-/.test(attribs['id'] ?? ''),
  )
  for (const note of notes) {
    note.name = 'aside'
    Object.assign(note.attribs, { 'epub:type': 'footnote', role: 'doc-footnote' })
    prepend(note, `<b class="number">${note.attribs['id']?.replace('source-', '') ?? ''}</b> `)
  }
  for (const back of all(section.children, (element) => hasClass(element, 'back')))
    back.attribs['role'] = 'doc-backlink'
}

const isReference = (parent: Element['parent']): boolean =>
  parent !== null && 'attribs' in parent && hasClass(parent, 'ref')

/** In XML a language is said twice, and a drawing says what it is. */
function speakXml(page: BookPage): void {
  for (const element of all(page.text, ({ attribs }) => attribs['lang'] !== undefined))
    element.attribs['xml:lang'] = element.attribs['lang'] ?? ''
  for (const svg of all(page.text, ({ name }) => name === 'svg'))
    Object.assign(svg.attribs, { xmlns: 'http://www.w3.org/2000/svg' })
  for (const svg of all(page.text, ({ attribs }) => attribs['focusable'] !== undefined))
    delete svg.attribs['focusable']
}

export interface ContentDocument {
  readonly file: string
  readonly xhtml: string
  readonly hasSvg: boolean
  readonly hasMath: boolean
}

/** Uses up the page's tree. */
export function contentDocument(page: BookPage, pages: readonly BookPage[]): ContentDocument {
  makeStill(page.text)
  for (const link of all(page.text, ({ name }) => name === 'a')) bringHome(link, page, pages)
  markFootnotes(page)
  speakXml(page)
  const { entry, title, question } = page
  const kicker =
    entry.number === null
      ? FIRST.appendix
      : `${FIRST.part} ${entry.numeral}, ${entry.partTitle} · ${FIRST.chapter} ${entry.number}`
  const kind = entry.number === null ? 'appendix' : 'chapter'
  const asked = question === '' ? '' : `<p class="question">${escapeHtml(question)}</p>\n`
  const body =
    `<section epub:type="${kind}" role="doc-${kind}" aria-labelledby="title-of-page">\n` +
    `<header><p class="kicker">${escapeHtml(kicker)}</p>\n<h1 id="title-of-page">${escapeHtml(title)}</h1>\n${asked}</header>\n` +
    `${toXml(page.text)}\n</section>`
  const has = (tag: string): boolean => all(page.text, ({ name }) => name === tag).length > 0
  return {
    file: fileOf(entry.slug),
    xhtml: document(title, entry.number === null ? 'backmatter' : 'bodymatter', body),
    hasSvg: has('svg'),
    hasMath: has('math'),
  }
}
