// SPDX-License-Identifier: MIT
//
// The folder works under any address: templates and Markdown write addresses from the site's top, `/source/`, and here, at
// the end, each becomes one from the page it stands in, `../source/`. The page says where its top is, for scripts:
// `<html data-root="../">`.

/** A tag with its attributes; a `>` in quotes does not end it. */
const TAG = /<[a-zA-Z](?:[^>"']|"[^"]*"|'[^']*')*>/g
/** An attribute that holds an address from the top. `//host` is another host. */
const FROM_TOP = /(\s(?:xlink:)?(?:href|src|action|poster|data)=")(\/(?!\/)[^"]*)"/g

/** The way from a page to an address, both from the site's top: `/a/b/`, `/source/#x` → `../../source/#x`. */
export function relativeAddress(page: string, address: string): string {
  const [path, rest] = /^([^?#]*)(.*)$/s.exec(address)!.slice(1) as [string, string]
  const from = page.split('/').slice(1, -1)
  if (path === page.replace(/[^/]*$/, '')) return rest.startsWith('#') ? rest : `./${rest}`
  const to = path.split('/').slice(1)
  let shared = 0
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared += 1
  const way = '../'.repeat(from.length - shared) + to.slice(shared).join('/')
  return (way || './') + rest
}

/** The HTML of `page` with every address from the top rewritten by `address`. */
function rewritten(html: string, top: string, address: (given: string) => string): string {
  return html.replace(TAG, (tag) => {
    const own = tag.replace(FROM_TOP, (_whole, name: string, given: string) => `${name}${address(given)}"`)
    return /^<html\b/.test(own) ? own.replace(/>$/, ` data-root="${top}">`) : own
  })
}

/** The HTML of `page` (`/02-carving-memory-out/`) with relative addresses. */
export function relativeHtml(html: string, page: string): string {
  return rewritten(html, relativeAddress(page, '/'), (given) => relativeAddress(page, given))
}

/** The same for a page that a host shows at any address, such as 404.html: `top` is the path of the site, `/` or `/course/`. */
export function absoluteHtml(html: string, top: string): string {
  return rewritten(html, top, (given) => top + given.slice(1))
}
