// SPDX-License-Identifier: MIT
//
// The built pages, and Chromium to look at them. A new chapter is tested by existing.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { pagesUnder } from '../../verify/site_files.ts'
import { CHROMIUM, CHROMIUM_ARGS, chromiumMissing } from '../../site/diagrams/render.ts'

export { chromiumMissing }

/** Every page of ours, as an address: `/`, `/02-carving-memory-out/`, `/404.html`. TypeDoc's pages are its own. */
export function pagesOf(folder: string): string[] {
  return pagesUnder(folder).filter((page) => !page.startsWith('/api/'))
}

export function apiPagesOf(folder: string): string[] {
  return pagesUnder(folder).filter((page) => page.startsWith('/api/'))
}

/** The pages that differ in more than their text: of source pages the longest of each language, of exercises of each kind. */
export function kindsOfPages(folder: string): string[] {
  const pages = pagesOf(folder)
  const isSource = (page: string): boolean => page.startsWith('/source/') && page !== '/source/'
  const longest = new Map<string, string>()
  for (const page of pages.filter(isSource)) {
    const language = page.replace(/\/$/, '').split(/[./]/).at(-1) ?? ''
    const known = longest.get(language)
    if (!known || htmlOf(folder, page).length > htmlOf(folder, known).length) longest.set(language, page)
  }
  const isExercise = (page: string): boolean => /\/exercises\/./.test(page)
  for (const page of pages.filter(isExercise)) {
    const [, kind = 'question'] = /<contig-exercise[^>]* data-kind="(\w+)"/.exec(htmlOf(folder, page)) ?? []
    const known = longest.get(`exercise ${kind}`)
    if (!known || htmlOf(folder, page).length > htmlOf(folder, known).length)
      longest.set(`exercise ${kind}`, page)
  }
  return [...pages.filter((page) => !isSource(page) && !isExercise(page)), ...longest.values()]
}

/** The chapters and appendices among the pages, the longest first. */
export function chaptersOf(folder: string, pages: readonly string[]): string[] {
  const isChapter = (page: string): boolean =>
    /<main[^>]* class="[^"]*with-contents/.test(htmlOf(folder, page))
  return pages.filter(isChapter).sort((a, b) => htmlOf(folder, b).length - htmlOf(folder, a).length)
}

/** The same pages with one chapter or appendix, the longest. */
export function withoutShorterChapters(folder: string, pages: readonly string[]): string[] {
  const [, ...shorter] = chaptersOf(folder, pages)
  return pages.filter((page) => !shorter.includes(page))
}

export function htmlOf(folder: string, page: string): string {
  return readFileSync(join(folder, page.endsWith('/') ? `${page}index.html` : page), 'utf8')
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS, timeout: 60_000 })
}

/** How far the parts of a page have moved by themselves so far, as the layout-shift API counts. */
export function shiftOf(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((done) => {
        let sum = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value
        }).observe({ type: 'layout-shift', buffered: true })
        setTimeout(() => done(sum), 200)
      }),
  )
}
