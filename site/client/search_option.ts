// SPDX-License-Identifier: MIT
//
// One result: its kind, its title, where it stands, and the words around.
import type { Found, Kind } from '../search/documents.ts'
import { marked, type Piece, snippet } from '../search/snippet.ts'
import { queryWords } from '../search/tokens.ts'
import { element } from './element.ts'
import { siteUrl } from './site_url.ts'

const nodesOf = (pieces: readonly Piece[]): (Node | string)[] =>
  pieces.map(({ text, mark }) => (mark ? element('mark', {}, text) : text))

/** Definitions and files are names of code. */
const CODE: readonly Kind[] = ['symbol', 'file']

export function optionOf(
  found: Found,
  at: number,
  query: string,
  kinds: Readonly<Record<Kind, string>>,
): HTMLElement {
  const { kind, address, title, context, text } = found
  const words = queryWords(query.toLowerCase())
  const name = element(CODE.includes(kind) ? 'code' : 'b', {}, ...nodesOf(marked(title, words)))
  const place = element('small', {}, kind === 'section' && context.endsWith(title) ? '' : context)
  if (kind === 'term') place.lang = 'zh-Hans'
  const head = element('span', { className: 'name' }, name, ' ', place)
  const label = element('span', { className: 'kind' }, kinds[kind])
  const option = element('a', { id: `found-${at}`, href: siteUrl(address).href, tabIndex: -1 }, head, label)
  if (text !== '') {
    const around = element(kind === 'symbol' ? 'code' : 'span', { className: 'words' })
    around.append(...nodesOf(kind === 'symbol' ? marked(text, words) : snippet(text, words)))
    option.append(around)
  }
  option.setAttribute('role', 'option')
  option.setAttribute('aria-selected', 'false')
  return option
}
