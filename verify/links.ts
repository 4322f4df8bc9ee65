// SPDX-License-Identifier: MIT
//
// Every link of the built site leads to a page that there is, and to an id that the page has; what stands in the pages of
// TypeDoc is its own, and only asked for the page.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { type CheckContext, type CheckReport, error } from './report.ts'
import { checkSelfContained } from './self_contained.ts'
import { fileOf, filesOf, pagesUnder, pathOfSite, resolved, textOf } from './site_files.ts'

function idsTwice(page: string, html: string): Diagnostic[] {
  const seen = new Set<string>()
  return [...html.matchAll(/<[^>]*?\sid="([^"]+)"/g)].flatMap((match) => {
    const id = match[1]!
    const line = html.slice(0, match.index).split('\n').length
    if (seen.has(id))
      return error('link-id-twice', page, line, 0, `two elements of this page have the id ${id}`)
    seen.add(id)
    return []
  })
}

/** A function of a page that is asked for each page once. */
function once<T>(make: (page: string) => T): (page: string) => T {
  const known = new Map<string, T>()
  return (page) => {
    if (!known.has(page)) known.set(page, make(page))
    return known.get(page)!
  }
}

/** Rules: `link-page`, `link-anchor`, `link-id-twice`. The file of a finding is the page's address. */
export function checkLinks(folder: string): { diagnostics: Diagnostic[]; pages: number; links: number } {
  const pages = pagesUnder(folder)
  const files = filesOf(folder)
  const isApi = (page: string): boolean => page.startsWith('/api/')
  const idsOf = once(
    (page) => new Set([...textOf(folder, page).matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!)),
  )
  const diagnostics: Diagnostic[] = []
  let links = 0
  for (const page of pages) {
    const html = textOf(folder, page)
    const sitePath = pathOfSite(html)
    // A browser goes to the first of two.
    if (!isApi(page)) diagnostics.push(...idsTwice(page, html))
    const seen = new Set<string>()
    for (const match of html.matchAll(/\shref="([^"]*)"/g)) {
      const href = match[1]!
      if (/^[a-z]+:/.test(href)) continue
      links += 1
      if (seen.has(href)) continue
      seen.add(href)
      const report = (rule: string, text: string): void => {
        const line = html.slice(0, match.index).split('\n').length
        diagnostics.push(error(rule, page, line, 0, text))
      }
      const target = resolved(page, href, sitePath)
      const path = target && decodeURIComponent(target.pathname)
      if (path === null || !files.has(fileOf(path))) report('link-page', `${href} leads to no page`)
      else if (target?.hash && !isApi(path)) {
        const id = decodeURIComponent(target.hash.slice(1))
        if (!idsOf(path).has(id)) report('link-anchor', `${href}: ${path} has no id ${id}`)
      }
    }
  }
  return { diagnostics, pages: pages.length, links }
}

/** Builds the site into a temporary folder, follows every link in it, and sees that the folder needs nothing else. */
export async function linksReport({ buildSite, progress }: CheckContext): Promise<CheckReport> {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-verify-'))
  try {
    progress('building the site')
    await buildSite(folder)
    progress('following links')
    const { diagnostics, pages, links } = checkLinks(folder)
    const own = checkSelfContained(folder)
    const counts = { pages, links, 'files that need nothing else': own.files }
    return { diagnostics: [...diagnostics, ...own.diagnostics], counts }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
