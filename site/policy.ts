// SPDX-License-Identifier: MIT
//
// What a page of the course may load: its own files, and nothing from anywhere else. It stands in every page as a <meta>,
// for hosts that send no headers; `contig read` sends it as a header too.
import { WORKER_POLICY } from './cells/build.ts'

export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
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
  { match: '^/assets/cell-(check_)?worker-', headers: { 'Content-Security-Policy': WORKER_POLICY } },
]
