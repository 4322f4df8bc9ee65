// SPDX-License-Identifier: MIT
//
// The last step of every page: what its head says where the site's address is known, and addresses that hold in any folder.
import { languageNamed } from '../languages.ts'
import { withHead } from './head.ts'
import { absoluteHtml, relativeHtml } from './relative.ts'
import { siteAddress, sitePath } from './site_address.ts'

/** What Eleventy knows of a page that it has rendered. */
export interface RenderedPage {
  /** From the site's top; false for what is not written. */
  readonly url: string | false
}

/** `card` is the address of the picture for sharing, from the site's top. */
export function pageTransform(card: () => string): (this: { page: RenderedPage }, content: string) => string {
  return function (content) {
    const { url } = this.page
    if (url === false || !content.startsWith('<!doctype html>')) return content
    // A host shows it at the address that was asked for.
    if (url.endsWith('/404.html')) return absoluteHtml(content, sitePath())
    const site = siteAddress()
    const text = languageNamed(/<html lang="([^"]*)"/.exec(content)?.[1] ?? '')
    const whole = site
      ? withHead(content, { site, url, text, card: { url: card(), alt: text.front.figure } })
      : content
    return relativeHtml(whole, url)
  }
}
