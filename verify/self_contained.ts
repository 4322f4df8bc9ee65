// SPDX-License-Identifier: MIT
//
// A built site needs nothing else and stands under any address: what its pages, styles and scripts load is in the folder, and
// no reference begins at the top of a host. The exception is 404.html, which a host shows at any address: its references
// begin with the path of the site that it names.
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { error } from './report.ts'
import { fileOf, filesOf, pathOfSite, resolved, textOf } from './site_files.ts'

interface Reference {
  readonly address: string
  readonly index: number
  /** False for what a reader follows, and for what only names an address. */
  readonly loads: boolean
}

const TAG = /<([a-zA-Z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/g
const ATTRIBUTE = /\s(?:xlink:)?(href|src|srcset|poster|action|data)="([^"]*)"/g

function inHtml(html: string): Reference[] {
  return [...html.matchAll(TAG)].flatMap((tag) => {
    const [, name = '', attributes = ''] = tag
    const names =
      name === 'a' || (name === 'link' && /\srel="(?:canonical|alternate|prev|next)"/.test(attributes))
    return [...attributes.matchAll(ATTRIBUTE)].flatMap(([, attribute, value = '']) => {
      const addresses =
        attribute === 'srcset' ? value.split(',').map((each) => each.trim().split(' ')[0]!) : [value]
      return addresses.map((address) => ({ address, index: tag.index, loads: !names }))
    })
  })
}

const ofMatches = (text: string, pattern: RegExp): Reference[] =>
  [...text.matchAll(pattern)].map((match) => ({
    address: match[1] ?? match[2] ?? '',
    index: match.index,
    loads: true,
  }))

const inCss = (css: string): Reference[] => ofMatches(css, /url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)/g)

/** Modules that a script imports and files it finds beside itself, as esbuild writes them: addresses, not names. */
const inScript = (script: string): Reference[] => [
  ...ofMatches(script, /(?:\bfrom|\bimport)\s*\(?\s*["']((?:\.{0,2}\/|https?:)[^"'\s]*)["']/g),
  ...ofMatches(script, /new URL\(\s*["']([^"']+)["']\s*,\s*import\.meta\.url/g),
]

const READERS: Readonly<Record<string, (text: string) => Reference[]>> = {
  html: inHtml,
  svg: inHtml,
  css: inCss,
  js: inScript,
}

/** Rules: `site-foreign` (loads from another host), `site-absolute`, `site-missing`. */
export function checkSelfContained(folder: string): { diagnostics: Diagnostic[]; files: number } {
  const files = filesOf(folder)
  const diagnostics: Diagnostic[] = []
  let read = 0
  for (const file of files) {
    const reader = READERS[/\.(\w+)$/.exec(file)?.[1] ?? '']
    if (!reader) continue
    read += 1
    const text = textOf(folder, file)
    const sitePath = file.endsWith('/404.html') ? pathOfSite(text) : null
    for (const { address, index, loads } of reader(text)) {
      const found = wrong(file, { address, index, loads }, files, sitePath)
      if (!found) continue
      const line = text.slice(0, index).split('\n').length
      diagnostics.push(error(found.rule, file, line, 0, found.text))
    }
  }
  return { diagnostics, files: read }
}

/** `sitePath` is null for a file that must not know where it stands. */
function wrong(
  file: string,
  { address, loads }: Reference,
  files: ReadonlySet<string>,
  sitePath: string | null,
): { rule: string; text: string } | null {
  if (/^(?:data|blob|mailto):/.test(address)) return null
  const absolute = address.startsWith('/') && !address.startsWith('//')
  if (absolute && sitePath === null)
    return { rule: 'site-absolute', text: `${address} begins at the top of the host: it must be relative` }
  const target = resolved(file, address, sitePath ?? '/')
  if (target === null)
    return loads ? { rule: 'site-foreign', text: `${address} is loaded from outside the folder` } : null
  // Where links lead is asked in links.ts.
  if (!loads || files.has(fileOf(decodeURIComponent(target.pathname)))) return null
  return { rule: 'site-missing', text: `${address} is not in the folder` }
}
