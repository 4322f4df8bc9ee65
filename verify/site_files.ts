// SPDX-License-Identifier: MIT
//
// A built site as files: which there are, what each refers to, and where that leads. Nothing is served.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every file below `folder`, as an address from the site's top: `/source/index.html`. */
export function filesOf(folder: string): Set<string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const path = (parent: string, name: string): string =>
    join(parent, name).slice(join(folder, '/').length).replaceAll('\\', '/')
  return new Set(
    entries.filter((entry) => entry.isFile()).map((entry) => `/${path(entry.parentPath, entry.name)}`),
  )
}

/** Every page below `folder`, as an address: `/`, `/02-carving-memory-out/`, `/404.html`. */
export function pagesUnder(folder: string): string[] {
  return [...filesOf(folder)]
    .filter((file) => file.endsWith('.html'))
    .map((file) => file.replace(/\/index\.html$/, '/'))
    .sort()
}

/** The file that an address is answered with. */
export const fileOf = (address: string): string => (address.endsWith('/') ? `${address}index.html` : address)

export const textOf = (folder: string, address: string): string =>
  readFileSync(join(folder, fileOf(address)), 'utf8')

/** Where the page says that the site's top is, as a path of its host: `/`, unless it is shown at any address. */
export function pathOfSite(html: string): string {
  const top = /<html\b[^>]*\sdata-root="([^"]*)"/.exec(html)?.[1] ?? '/'
  return top.startsWith('/') ? top : '/'
}

/** Where a reference of the file at `address` leads, from the site's top; null when that is another host. */
export function resolved(address: string, reference: string, sitePath = '/'): URL | null {
  const target = new URL(reference.replaceAll('&amp;', '&'), `http://site${sitePath}${address.slice(1)}`)
  if (target.origin !== 'http://site') return null
  if (!target.pathname.startsWith(sitePath)) return null
  return new URL(target.pathname.slice(sitePath.length - 1) + target.search + target.hash, 'http://site')
}
