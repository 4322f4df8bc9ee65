// SPDX-License-Identifier: MIT
//
// The site may lie in any folder of a server: each page says where its top is.

/** The address of `path`, which is given from the site's top without a slash before it: `source/`. */
export function siteUrl(path: string): URL {
  const top = new URL(document.documentElement.dataset['root'] ?? '/', location.href)
  return new URL(path, top)
}
