// SPDX-License-Identifier: MIT
//
// What the head of a page says to machines when it is known where the site stands: which address is the page's own, and
// what to show where somebody shares it.
import { escapeHtml } from '../html.ts'
import type { SiteText } from '../languages.ts'

/** A picture of 1200 by 630, for all pages. */
export interface Card {
  /** From the site's top. */
  readonly url: string
  readonly alt: string
}

const found = (html: string, pattern: RegExp): string => pattern.exec(html)?.[1] ?? ''

/** The tags of a page at `url`, from its own title and description. */
function tagsOf(html: string, page: { site: string; url: string; text: SiteText; card: Card }): string {
  const { site, url, text, card } = page
  const address = escapeHtml(site + url.slice(1))
  const property = (name: string, content: string): string =>
    `<meta property="og:${name}" content="${content}">`
  return [
    `<link rel="canonical" href="${address}">`,
    `<link rel="alternate" type="application/atom+xml" title="${escapeHtml(text.changes.title)}" href="/feed.xml">`,
    property('type', 'website'),
    property('site_name', escapeHtml(text.name)),
    property('locale', text.lang),
    property('title', found(html, /<title>([^<]*)<\/title>/)),
    property('description', found(html, /<meta name="description" content="([^"]*)"/)),
    property('url', address),
    property('image', escapeHtml(site + card.url.slice(1))),
    property('image:alt', escapeHtml(card.alt)),
    '<meta name="twitter:card" content="summary_large_image">',
  ].join('\n')
}

/** The page with those tags; languages name each other by whole addresses, as search engines want them. */
export function withHead(
  html: string,
  page: { site: string; url: string; text: SiteText; card: Card },
): string {
  const end = html.indexOf('</head>')
  const head = html
    .slice(0, end)
    .replace(
      /(<link rel="alternate" hreflang="[^"]*" href=")\//g,
      (_whole, start: string) => start + page.site,
    )
  return `${head}${tagsOf(html, page)}\n${html.slice(end)}`
}
