// SPDX-License-Identifier: MIT
//
// The course as an EPUB 3, from the pages of a built folder:
//
//   mimetype  META-INF/container.xml  EPUB/ package.opf nav.xhtml cover.xhtml title.xhtml <slug>.xhtml… book.css cover.png
//
// Two builds of the same sources make the same bytes: dates are the edition's, and the archive is written by a library that
// compresses by itself, whatever zlib a machine has.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { strToU8, type Zippable, zipSync } from 'fflate'
import type { Book } from '../data/book.ts'
import { editionDate } from '../formats/date.ts'
import { lightCss } from '../formats/light_css.ts'
import { type BookPage, readPages } from '../formats/read_pages.ts'
import { escapeHtml } from '../html.ts'
import { readText, root } from '../paths.ts'
import { FIRST } from '../languages.ts'
import { type ContentDocument, contentDocument, document } from './chapter.ts'
import { type Item, navigation, packageFile } from './package.ts'

export const EPUB = 'contiguous.epub'

/** What is drawn is drawn as on the pages. */
const FIGURES = ['figures', 'widget_pictures', 'widget_kinds'].map((name) => `site/css/${name}.css`)

const CONTAINER = `<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
`

const XHTML = 'application/xhtml+xml'

function cover(book: Book): string {
  const image = `<p class="cover"><img src="cover.png" alt="${escapeHtml(book.title)}"/></p>`
  return document(book.title, 'cover', image)
}

function titlePage(book: Book, modified: Date): string {
  const about = FIRST.epub.about.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')
  const date = modified.toISOString().slice(0, 10)
  const body = `<section class="title-page" epub:type="titlepage">
<h1>${escapeHtml(book.title)}</h1>
<p class="question">${escapeHtml(FIRST.tagline)}</p>
${about}
<p class="small">${escapeHtml(`${FIRST.epub.edition} ${date}. ${FIRST.licence}`)}</p>
</section>`
  return document(book.title, 'frontmatter', body)
}

const item = (file: string, mediaType: string, inSpine: boolean, ...properties: string[]): Item => ({
  file,
  mediaType,
  inSpine,
  properties,
})

function itemsOf(documents: readonly ContentDocument[]): Item[] {
  return [
    item('cover.xhtml', XHTML, true),
    item('title.xhtml', XHTML, true),
    item('nav.xhtml', XHTML, true, 'nav'),
    ...documents.map(({ file, hasSvg, hasMath }) =>
      item(file, XHTML, true, ...(hasSvg ? ['svg'] : []), ...(hasMath ? ['mathml'] : [])),
    ),
    item('book.css', 'text/css', false),
    item('cover.png', 'image/png', false, 'cover-image'),
  ]
}

/** An archive has no time zones: the hour that it shows is UTC's. */
function archiveDate(date: Date): Date {
  return new Date(
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
  )
}

/** The bytes of the book. `pages` are used up. */
export function epubOf(book: Book, pages: readonly BookPage[], modified: Date): Uint8Array {
  const contents = navigation(book, pages)
  const documents = pages.map((page) => contentDocument(page, pages))
  // A reader's own size of type counts, and epubcheck takes no rem.
  const figures = FIGURES.map(lightCss)
    .join('\n')
    .replace(/(?<=\d)rem\b/g, 'em')
  const css = `${readText('site/epub/book.css')}\n${figures}`
  const inside: Record<string, string> = {
    'package.opf': packageFile(book, itemsOf(documents), modified),
    'nav.xhtml': contents,
    'cover.xhtml': cover(book),
    'title.xhtml': titlePage(book, modified),
    ...Object.fromEntries(documents.map(({ file, xhtml }) => [file, xhtml])),
    'book.css': css,
  }
  const files: Zippable = {
    // First and as it is, so that a reader knows the kind of archive by its first bytes.
    mimetype: [strToU8('application/epub+zip'), { level: 0 }],
    'META-INF/container.xml': strToU8(CONTAINER),
    ...Object.fromEntries(Object.entries(inside).map(([file, text]) => [`EPUB/${file}`, strToU8(text)])),
    'EPUB/cover.png': [readFileSync(join(root, 'site/epub/cover.png')), { level: 0 }],
  }
  return zipSync(files, { level: 9, mtime: archiveDate(modified) })
}

/** Writes the book into a folder whose pages are built. */
export function writeEpub(folder: string, book: Book): void {
  writeFileSync(join(folder, EPUB), epubOf(book, readPages(folder, book), editionDate()))
}
