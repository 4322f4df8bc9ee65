// SPDX-License-Identifier: MIT
//
// Every link of the built site leads to a page that there is, and to an id that the page has. TypeDoc answers for the
// links among its own pages.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { type CheckContext, type CheckReport, error } from './report.ts'

/** Every page below `folder`, as an address: `/`, `/02-carving-memory-out/`, `/404.html`. */
export function pagesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.html'))
    .map((file) => '/' + file.replaceAll('\\', '/').replace(/(^|\/)index\.html$/, '$1'))
    .sort()
}

/** Rules: `link-page`, `link-anchor`. The file of a finding is the page's address. */
export function checkLinks(folder: string): { diagnostics: Diagnostic[]; pages: number; links: number } {
  const pages = pagesUnder(folder)
  const texts = new Map<string, string>()
  const htmlOf = (page: string): string => {
    const known =
      texts.get(page) ?? readFileSync(join(folder, page.endsWith('/') ? `${page}index.html` : page), 'utf8')
    texts.set(page, known)
    return known
  }
  const ids = new Map<string, ReadonlySet<string>>()
  const idsOf = (page: string): ReadonlySet<string> => {
    const known =
      ids.get(page) ?? new Set([...htmlOf(page).matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!))
    ids.set(page, known)
    return known
  }
  const diagnostics: Diagnostic[] = []
  const seen = new Set<string>()
  let links = 0
  for (const page of pages) {
    const isApi = page.startsWith('/api/')
    for (const match of htmlOf(page).matchAll(/\shref="([^"]*)"/g)) {
      const href = match[1]!
      if (/^[a-z]+:/.test(href)) continue
      const target = new URL(href.replaceAll('&amp;', '&'), `http://site${page}`)
      if (isApi && target.pathname.startsWith('/api/')) continue
      links += 1
      if (seen.has(`${page} ${href}`)) continue
      seen.add(`${page} ${href}`)
      const report = (rule: string, text: string): void => {
        const line = htmlOf(page).slice(0, match.index).split('\n').length
        diagnostics.push(error(rule, page, line, 0, text))
      }
      const file = join(folder, decodeURIComponent(target.pathname))
      const found = target.pathname.endsWith('/') ? join(file, 'index.html') : file
      if (!existsSync(found) || !statSync(found).isFile()) report('link-page', `${href} leads to no page`)
      else if (target.hash && !target.pathname.startsWith('/api/')) {
        const id = decodeURIComponent(target.hash.slice(1))
        if (!idsOf(target.pathname).has(id))
          report('link-anchor', `${href}: ${target.pathname} has no id ${id}`)
      }
    }
  }
  return { diagnostics, pages: pages.length, links }
}

/** Builds the site into a temporary folder and follows every link in it. */
export async function linksReport({ buildSite, progress }: CheckContext): Promise<CheckReport> {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-verify-'))
  try {
    progress('building the site')
    await buildSite(folder)
    progress('following links')
    const { diagnostics, pages, links } = checkLinks(folder)
    return { diagnostics, counts: { pages, links } }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
