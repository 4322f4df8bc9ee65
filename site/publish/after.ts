// SPDX-License-Identifier: MIT
//
// What can be written only when all pages are: the lists of pages for machines, and what a host is asked to send.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIRST } from '../languages.ts'
import { type ChangeEntry, readChangelog } from './changelog.ts'
import { atomFeed } from './feed.ts'
import { HEADER_RULES, hostHeaders } from './headers.ts'
import { siteAddress, sitePath } from './site_address.ts'
import { robotsTxt, sitemapXml } from './sitemap.ts'
import { changeHtml } from './texts.ts'

/** Written by TypeDoc beside the pages, perhaps later. */
const API = 'api'

const entriesOf = (root: string): ChangeEntry[] =>
  readChangelog(root, true).flatMap((version) => version.entries)

/** `pages` are the addresses of all pages. Without the site's address there is no sitemap and no feed. */
export function writeAfter(root: string, out: string, pages: readonly string[]): void {
  const site = siteAddress()
  const write = (name: string, text: string | null): void => {
    if (text === null) rmSync(join(out, name), { force: true })
    else writeFileSync(join(out, name), text)
  }
  mkdirSync(out, { recursive: true })
  write('headers.json', JSON.stringify(HEADER_RULES, null, 2) + '\n')
  write('robots.txt', robotsTxt(site))
  const listed = pages.filter((page) => page.endsWith('/'))
  write('sitemap.xml', site === null ? null : sitemapXml(site, listed))
  write('feed.xml', site === null ? null : atomFeed(site, entriesOf(root), FIRST, changeHtml))
  // GitHub Pages leaves out what begins with an underscore, unless this file is there.
  write('.nojekyll', '')
  const names = readdirSync(out).filter((name) => !name.startsWith('.') && name !== '_headers')
  write('_headers', hostHeaders([...new Set([...names, API])].sort(), sitePath()))
}
