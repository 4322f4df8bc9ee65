// SPDX-License-Identifier: MIT
//
// What binds the documents of an EPUB together: the package file, and the table of contents with its landmarks.
import type { Book, Entry } from '../data/book.ts'
import type { BookPage } from '../formats/read_pages.ts'
import { escapeHtml } from '../html.ts'
import { FIRST } from '../languages.ts'
import { document, fileOf } from './chapter.ts'

/** Ours for good: an edition is told from another by its date. */
const IDENTIFIER = 'urn:uuid:5d0f8f0e-6a3c-4f4b-9c3e-1c0a7f3b2c11'

export interface Item {
  readonly file: string
  readonly mediaType: string
  readonly properties: readonly string[]
  /** Whether it is read in its turn, from the first page to the last. */
  readonly inSpine: boolean
}

const idOf = (file: string): string => `f-${file.replace(/[^A-Za-z0-9]+/g, '-')}`

/** What a library or a screen reader's user wants to know before opening the book. */
function accessibility(): string {
  const meta = (property: string, value: string): string =>
    `<meta property="schema:${property}">${value}</meta>`
  return [
    ...['textual', 'visual'].map((mode) => meta('accessMode', mode)),
    meta('accessModeSufficient', 'textual'),
    ...['tableOfContents', 'structuralNavigation', 'readingOrder', 'alternativeText'].map((feature) =>
      meta('accessibilityFeature', feature),
    ),
    meta('accessibilityHazard', 'none'),
    meta('accessibilitySummary', escapeHtml(FIRST.epub.accessibility)),
  ].join('\n')
}

export function packageFile(book: Book, items: readonly Item[], modified: Date): string {
  const manifest = items.map(({ file, mediaType, properties }) => {
    const said = properties.length > 0 ? ` properties="${properties.join(' ')}"` : ''
    return `<item id="${idOf(file)}" href="${file}" media-type="${mediaType}"${said}/>`
  })
  const spine = items.filter(({ inSpine }) => inSpine).map(({ file }) => `<itemref idref="${idOf(file)}"/>`)
  return `<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="${FIRST.lang}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">${IDENTIFIER}</dc:identifier>
<dc:title>${escapeHtml(book.title)}</dc:title>
<dc:language>${FIRST.lang}</dc:language>
<dc:creator>${escapeHtml(FIRST.epub.creator)}</dc:creator>
<dc:description>${escapeHtml(FIRST.description)}</dc:description>
<dc:rights>${escapeHtml(FIRST.licence)}</dc:rights>
<meta property="dcterms:modified">${modified.toISOString().replace(/\.\d+Z$/, 'Z')}</meta>
${accessibility()}
</metadata>
<manifest>
${manifest.join('\n')}
</manifest>
<spine>
${spine.join('\n')}
</spine>
</package>
`
}

function row(page: BookPage): string {
  const { entry, title, headings } = page
  const file = fileOf(entry.slug)
  const name = entry.number === null ? title : `${entry.number} ${title}`
  const inner = headings
    .filter(({ level }) => level === 2)
    .map((heading) => `<li><a href="${file}#${heading.id}">${escapeHtml(heading.title)}</a></li>`)
  const below = inner.length > 0 ? `\n<ol>${inner.join('')}</ol>` : ''
  return `<li><a href="${file}">${escapeHtml(name)}</a>${below}</li>`
}

export function navigation(book: Book, pages: readonly BookPage[]): string {
  const rows = (entries: readonly Entry[]): string =>
    pages
      .filter(({ entry }) => entries.some(({ slug }) => slug === entry.slug))
      .map(row)
      .join('\n')
  const groups = [
    ...book.parts.map((part) => ({
      name: `${FIRST.part} ${part.numeral}, ${part.title}`,
      rows: rows(part.chapters),
    })),
    { name: FIRST.front.appendices, rows: rows(book.appendices) },
  ].filter((group) => group.rows !== '')
  const toc = groups.map(
    (group) => `<li><span>${escapeHtml(group.name)}</span>\n<ol>\n${group.rows}\n</ol></li>`,
  )
  const glossary = pages.find(({ entry }) => entry.slug === 'glossary')
  const landmark = (type: string, href: string, name: string): string =>
    `<li><a epub:type="${type}" href="${href}">${escapeHtml(name)}</a></li>`
  const landmarks = [
    landmark('cover', 'cover.xhtml', FIRST.epub.cover),
    landmark('toc', 'nav.xhtml', FIRST.front.contents),
    ...(pages[0] ? [landmark('bodymatter', fileOf(pages[0].entry.slug), FIRST.epub.begin)] : []),
    ...(glossary ? [landmark('glossary', fileOf('glossary'), glossary.title)] : []),
  ]
  const body = `<nav epub:type="toc" role="doc-toc" aria-labelledby="contents"><h1 id="contents">${FIRST.front.contents}</h1>
<ol>
${toc.join('\n')}
</ol></nav>
<nav epub:type="landmarks" hidden="hidden" aria-label="${escapeHtml(FIRST.epub.landmarks)}"><ol>
${landmarks.join('\n')}
</ol></nav>`
  return document(FIRST.front.contents, 'frontmatter', body)
}
