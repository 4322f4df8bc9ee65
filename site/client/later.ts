// SPDX-License-Identifier: MIT
//
// A script that nobody needs to read, such as that of the cells, is named in the page and fetched when the browser has
// nothing better to do; the place of what it brings is kept free.
import { siteUrl } from './site_url.ts'

const path = document.querySelector<HTMLScriptElement>('script[data-later]')?.dataset['later']

function fetchIt(): void {
  if (path) void import(siteUrl(path).href).catch(console.warn)
}

// Safari has no idle callbacks.
if ('requestIdleCallback' in globalThis) requestIdleCallback(fetchIt, { timeout: 1000 })
else setTimeout(fetchIt, 200)
