// SPDX-License-Identifier: MIT
//
// Where the reader was, kept on this machine alone: a chapter notes it when the reader rests or leaves, and the front page
// offers to go on there, in a line that is kept free for it.
import { element } from './element.ts'
import { siteUrl } from './site_url.ts'
import { keep, kept } from './storage.ts'
import { fill, wordsOf } from './words.ts'

interface Place {
  /** From the top of the site: `11-cma-alloc/#the-search`. */
  readonly address: string
  readonly chapter: string
  /** Empty at a chapter's beginning. */
  readonly section: string
}

/** What lies in the storage may be of another version, or anybody's. */
function read(): Place | null {
  try {
    const found = JSON.parse(kept('place') ?? 'null') as Partial<Place> | null
    const whole = [found?.address, found?.chapter, found?.section].every((part) => typeof part === 'string')
    const inside = /^[\w-]+\/(?:#[^\s/]+)?$/.test(found?.address ?? '')
    return whole && inside ? (found as Place) : null
  } catch {
    return null
  }
}

let noted = false

function note(article: Element): void {
  const headings = [...article.querySelectorAll<HTMLElement>('h2[id], h3[id]')]
  // The section that fills the middle of the window.
  const heading = headings.findLast((each) => each.getBoundingClientRect().top < innerHeight / 2)
  // Who opens a chapter and leaves keeps the place of before; who comes back to its top has read on from there.
  if (scrollY === 0 && !location.hash && !noted) return
  noted = true
  const chapter = document.querySelector('.title h1')?.textContent ?? ''
  const page = location.pathname.slice(siteUrl('').pathname.length)
  const place: Place = {
    address: page + (heading ? `#${heading.id}` : ''),
    chapter,
    section: heading?.textContent ?? '',
  }
  keep('place', JSON.stringify(place))
}

function offer(line: HTMLElement): void {
  const place = read()
  if (!place) return
  const words = wordsOf('place')
  const name = place.section === '' ? place.chapter : fill(words.section, { ...place })
  line.append(element('a', { href: siteUrl(place.address).href }, `${words.goOn}: `, element('b', {}, name)))
}

const article = document.querySelector('main.with-contents article')
if (article) {
  // A page that is hidden may never be shown again: that is the last moment that every browser tells. One that is
  // closed may be gone before its note is written, so where the reader rests is noted too.
  addEventListener('visibilitychange', () => document.hidden && note(article))
  addEventListener('scrollend', () => note(article))
}
const line = document.querySelector<HTMLElement>('.went')
if (line) offer(line)
