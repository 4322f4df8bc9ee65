// SPDX-License-Identifier: MIT
//
// Rendered HTML as a reader searches it: the running text and what machines said, in one line; and beside it the names in
// the listings, once each.
import { unescapeHtml, withoutTags } from '../html.ts'

/** Numbers of sources, drawings, captions, buttons: nobody's words. */
const ASIDE =
  /<sup class="ref">[\s\S]*?<\/sup>|<svg\b[\s\S]*?<\/svg>|<figcaption>[\s\S]*?<\/figcaption>|<script\b[\s\S]*?<\/script>/g
const LISTING = /<pre class="code lang-(?!output|console)[^>]*>[\s\S]*?<\/pre>/g
/** A name that no sentence has: `pfn_valid`, `bootMachine`, `EBUSY`. */
const NAME = /\b(?=\w*(?:\w_\w|[a-z][A-Z]|[A-Z]{2}))[A-Za-z_]\w{2,}/g

const oneLine = (html: string): string => unescapeHtml(withoutTags(html)).replace(/\s+/g, ' ').trim()

export function textOf(html: string): { text: string; code: string } {
  const told = html.replace(ASIDE, ' ')
  const names = new Set<string>()
  for (const [listing] of told.matchAll(LISTING)) {
    for (const [name] of unescapeHtml(withoutTags(listing)).matchAll(NAME)) names.add(name)
  }
  const blocks = told.replace(LISTING, ' ').replace(/<\/(?:p|li|t[dhr]|div|h\d|dt|dd|pre)>/g, '$& ')
  return { text: oneLine(blocks), code: [...names].join(' ') }
}
