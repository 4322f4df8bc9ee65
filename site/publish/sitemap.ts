// SPDX-License-Identifier: MIT
//
// For search engines: every page, and where the list is. robots.txt is read at the top of a host only.
import { escapeHtml } from '../html.ts'

/** `pages` are addresses from the site's top. */
export function sitemapXml(site: string, pages: readonly string[]): string {
  const rows = [...pages].sort().map((page) => `<url><loc>${escapeHtml(site + page.slice(1))}</loc></url>`)
  return `<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${rows.join('\n')}\n</urlset>\n`
}

export function robotsTxt(site: string | null): string {
  return `User-agent: *\nAllow: /\n${site === null ? '' : `Sitemap: ${site}sitemap.xml\n`}`
}
