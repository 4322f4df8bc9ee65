// SPDX-License-Identifier: MIT
//
// The course as a PDF, by Chromium: tagged (a structure that screen readers follow), with an outline, page numbers, title
// and language. Chapters are laid out one by one first, to count their pages for the table of contents.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import type { Book } from '../data/book.ts'
import { CHROMIUM, CHROMIUM_ARGS } from '../diagrams/render.ts'
import { editionDate } from '../formats/date.ts'
import { readPages } from '../formats/read_pages.ts'
import { readText } from '../paths.ts'
import { bookPage, idOf, type PageNumbers, setChapters } from './book_page.ts'

export const PDF = 'contiguous.pdf'

const LIMIT_MS = 300_000
/** 168 mm: A4 without the margins of book.css. */
const PAPER_PX = 635

/** The style sheets that the built pages load, that for paper last. */
function siteCss(folder: string, book: Book): string {
  const files = new Set<string>()
  for (const { slug } of [{ slug: '' }, ...book.entries.filter(({ url }) => url !== null)]) {
    const html = readFileSync(join(folder, slug, 'index.html'), 'utf8')
    for (const [, file = ''] of html.matchAll(/<link rel="stylesheet" href="[^"]*(assets\/[^"]+\.css)"/g))
      files.add(file)
  }
  const paper = [...files].filter((file) => file.startsWith('assets/print-'))
  if (paper.length !== 1)
    throw new Error(
      `${folder}: its pages name ${paper.length} style sheets assets/print-…, expected one; build it again`,
    )
  return [...files]
    .filter((file) => !paper.includes(file))
    .concat(paper)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
}

/** Pages of a PDF, from the root of its page tree: the largest count there is. */
export function pageCount(pdf: Uint8Array): number {
  const counts = [
    ...Buffer.from(pdf)
      .toString('latin1')
      .matchAll(/\/Type\s*\/Pages\b[^>]*?\/Count (\d+)/g),
  ]
  return Math.max(0, ...counts.map(([, count]) => Number(count)))
}

/** Where each chapter begins: the pages of what stands before it, counted by printing nothing else. */
async function countPages(page: Page, slugs: readonly string[]): Promise<PageNumbers> {
  const pagesOf = async (show: string): Promise<number> => {
    const hide = await page.addStyleTag({ content: `body > :not(${show}) { display: none !important }` })
    const pdf = await page.pdf({ preferCSSPageSize: true })
    await hide.evaluate((style) => (style as HTMLElement).remove())
    return pageCount(pdf)
  }
  const numbers = new Map<string, number>()
  let next = 1 + (await pagesOf('.title-page, .book-contents'))
  for (const slug of slugs) {
    const isFirstOfPart = await page.evaluate(
      (id) =>
        document.getElementById(id)?.closest('.chapter')?.previousElementSibling?.className === 'part-title',
      idOf(slug),
    )
    if (isFirstOfPart) next += 1
    numbers.set(slug, next)
    next += await pagesOf(`.in-${slug}`)
  }
  return numbers
}

/** What is wider than the paper between its margins, at most one thing a chapter: Chromium would shrink every page for it. */
async function tooWide(page: Page): Promise<string[]> {
  await page.setViewportSize({ width: PAPER_PX, height: 900 })
  await page.emulateMedia({ media: 'print' })
  return page.evaluate((width) => {
    const right = (element: Element): number => element.getBoundingClientRect().right
    return [...document.querySelectorAll('.chapter')].flatMap((chapter) => {
      const wide = [...chapter.querySelectorAll('*')].find((element) => right(element) > width + 1)
      return wide
        ? [
            `${chapter.className.replace('chapter in-', '')}: <${wide.localName}> ${Math.round(right(wide))} px`,
          ]
        : []
    })
  }, PAPER_PX)
}

export interface Printed {
  readonly pages: number
  readonly bytes: number
  /** Things that are wider than the paper, for the author to mend. */
  readonly wide: readonly string[]
}

/** Prints the course of a built folder into it. */
export async function printBook(folder: string, book: Book): Promise<Printed> {
  const pages = readPages(folder, book)
  const chapters = setChapters(pages)
  const css = `${siteCss(folder, book)}\n${readText('site/print/book.css')}`
  const htmlWith = (numbers: PageNumbers): string =>
    bookPage(book, pages, chapters, { css, date: editionDate(), numbers })
  const work = mkdtempSync(join(tmpdir(), 'contiguous-print-'))
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS, timeout: 60_000 })
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(LIMIT_MS)
    const open = async (numbers: PageNumbers): Promise<void> => {
      writeFileSync(join(work, 'book.html'), htmlWith(numbers))
      await page.goto(pathToFileURL(join(work, 'book.html')).href)
    }
    await open(null)
    const wide = await tooWide(page)
    await open(
      await countPages(
        page,
        pages.map(({ entry }) => entry.slug),
      ),
    )
    const pdf = await page.pdf({
      preferCSSPageSize: true,
      printBackground: true,
      tagged: true,
      outline: true,
    })
    writeFileSync(join(folder, PDF), pdf)
    return { pages: pageCount(pdf), bytes: pdf.length, wide }
  } finally {
    await browser.close()
    rmSync(work, { recursive: true, force: true })
  }
}
