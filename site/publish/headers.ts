// SPDX-License-Identifier: MIT
//
// What a host should send with each address, in two shapes. headers.json: rules of which a later one wins, for a server that
// somebody configures, and for ours. `_headers`: the file that Netlify and Cloudflare Pages read. There a header that two
// rules set is sent twice or joined by a comma, so no two rules for one address may disagree: pages carry their policy
// themselves, and what is cached for how long is said folder by folder.
import { HEADERS, type HeaderRule } from '../policy.ts'

const POLICY = 'Content-Security-Policy'
const FOR_EVER = 'public, max-age=31536000, immutable'
const ASK_AGAIN = 'no-cache'

/** headers.json: scripts, styles and models have their hash in their names; all else is asked for again. */
export const HEADER_RULES: readonly HeaderRule[] = [
  { match: '', headers: { 'Cache-Control': ASK_AGAIN } },
  { match: '^/assets/', headers: { 'Cache-Control': FOR_EVER } },
  ...HEADERS,
]

/** A rule's expression as the pattern of a host: `^/api/` → `/api/*`. */
const patternOf = (match: string): string => `${match.replace(/^\^/, '') || '/'}*`

/** The headers of all pages, without what each says of itself in a <meta>. */
function common(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { [POLICY]: policy = '', ...others } = headers
  const ancestors = policy.split('; ').filter((directive) => directive.startsWith('frame-ancestors'))
  return { ...others, [POLICY]: ancestors.join('; ') }
}

/**
 * The text of `_headers` for a folder with these names at its top (`index.html`, `source`), which a host serves below
 * `path`. Folders of assets are for ever.
 */
export function hostHeaders(names: readonly string[], path: string): string {
  const rules: { pattern: string; headers: Record<string, string> }[] = HEADERS.map(({ match, headers }) => ({
    pattern: patternOf(match),
    headers: match === '' ? common(headers) : headers,
  }))
  const cached = names.map((name) => ({
    pattern: name.includes('.') ? `/${name}` : `/${name}/*`,
    headers: { 'Cache-Control': name === 'assets' ? FOR_EVER : ASK_AGAIN },
  }))
  return [...rules, { pattern: '/', headers: { 'Cache-Control': ASK_AGAIN } }, ...cached]
    .map(({ pattern, headers }) =>
      [
        path.replace(/\/$/, '') + pattern,
        ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n')
}
