// SPDX-License-Identifier: MIT
//
// The changelog as an Atom feed (RFC 4287), the youngest entries first.
import { escapeHtml } from '../html.ts'
import type { SiteText } from '../languages.ts'
import type { ChangeEntry } from './changelog.ts'

const MOST = 40

/** `html` renders an entry; `site` is the address of the site's top. */
export function atomFeed(
  site: string,
  entries: readonly ChangeEntry[],
  text: SiteText,
  html: (markdown: string) => string,
): string {
  const page = `${site}changes/`
  const recent = [...entries].sort((a, b) => b.updated.getTime() - a.updated.getTime()).slice(0, MOST)
  const rows = recent.map(({ id, title, markdown, updated }) => {
    const address = escapeHtml(`${page}#${id}`)
    return `<entry>
<title>${escapeHtml(title)}</title>
<link href="${address}"/>
<id>${address}</id>
<updated>${updated.toISOString()}</updated>
<content type="html">${escapeHtml(html(markdown))}</content>
</entry>`
  })
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${text.lang}">
<title>${escapeHtml(`${text.name}: ${text.changes.title}`)}</title>
<subtitle>${escapeHtml(text.tagline)}</subtitle>
<link href="${escapeHtml(page)}"/>
<link rel="self" href="${escapeHtml(site)}feed.xml"/>
<id>${escapeHtml(site)}</id>
<author><name>${escapeHtml(text.name)}</name></author>
<updated>${(recent[0]?.updated ?? new Date(0)).toISOString()}</updated>
${rows.join('\n')}
</feed>
`
}
