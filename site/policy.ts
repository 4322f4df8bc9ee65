// SPDX-License-Identifier: MIT
//
// What a page of the course may load: its own files, and nothing from anywhere else. It stands in every page as a <meta>,
// for hosts that send no headers; `contig read` sends it as a header too. `blob:` is for cells: their worker starts from
// one, and so inherits this policy, and a cell is a module made from text. No eval(), no connection but to the site.

export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** TypeDoc's theme writes style attributes; its scripts are files (code/cli/site_build.ts sees to that). */
const API_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
  "img-src 'self'",
  "img-src 'self' data:",
)

/** What a host should send with each address; a later rule wins. Written to headers.json. */
export const HEADERS = [
  {
    match: '',
    headers: {
      'Content-Security-Policy': `${PAGE_POLICY}; frame-ancestors 'none'`,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    },
  },
  { match: '^/api/', headers: { 'Content-Security-Policy': `${API_POLICY}; frame-ancestors 'none'` } },
]
