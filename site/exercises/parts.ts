// SPDX-License-Identifier: MIT
//
// Small pieces of HTML that the exercises put into a page. Text is text: nothing of a reader's becomes markup.
import { siteUrl } from '../client/site_url.ts'

/** An element with a class, attributes and children; a string is text. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

export function button(label: string, className: string, action: () => void): HTMLButtonElement {
  const made = make('button', { type: 'button', class: className }, label)
  made.addEventListener('click', action)
  return made
}

/** HTML that came with the site, its addresses made those of this page. */
export function ownHtml(html: string, className: string): HTMLDivElement {
  const made = make('div', { class: className })
  made.innerHTML = html
  for (const link of made.querySelectorAll<HTMLAnchorElement>('a[href^="/"]'))
    link.href = siteUrl((link.getAttribute('href') ?? '').slice(1)).href
  return made
}

/** A block of lines that a machine said. */
export function said(lines: readonly string[], label: string): HTMLElement {
  const block = make(
    'pre',
    { class: 'code', tabindex: '0', role: 'group', 'aria-label': label },
    make('code', {}, lines.join('\n')),
  )
  return make('figure', { class: 'said' }, block)
}

/** A file of the site as JSON. */
export async function fetchData<Data>(path: string): Promise<Data> {
  const answer = await fetch(siteUrl(path))
  if (!answer.ok) throw new Error(`${path}: the server answers ${answer.status}`)
  return (await answer.json()) as Data
}
