// SPDX-License-Identifier: MIT
//
// Where the folder will stand, if its builder says so: `contig build --site https://host/course/`. Only what needs a whole
// address uses it: 404.html, canonical links, social cards, the sitemap, the feed. `contig build` has checked it.

/** The address of the site's top, with a slash at its end; null when nobody said. */
export function siteAddress(): string | null {
  return process.env['CONTIG_SITE'] || null
}

/** The path of the site on its host, `/` or `/course/`. */
export function sitePath(): string {
  const site = siteAddress()
  return site === null ? '/' : new URL(site).pathname
}
