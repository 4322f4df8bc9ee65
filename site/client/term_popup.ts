// SPDX-License-Identifier: MIT
//
// The entry of a term beside its link, above everything and moving nothing. It stays while the pointer is on it or on the
// link, or the focus in either; Esc and a tap elsewhere end it.
import type { GlossaryData } from '../search/write.ts'
import css from './term_popup.css'
import { element } from './element.ts'
import { type finding } from '../text/en_finding.ts'
import { findingWords } from './finding_words.ts'
import { siteUrl } from './site_url.ts'
import { useStyles } from './styles.ts'
import { fill } from './words.ts'

type Words = (typeof finding)['term']

/** Time to get from the link to the pop-up. */
const LEAVE_MS = 250
/** Between the link and the pop-up, and to the window's edge. */
const GAP = 6

let glossary: Promise<GlossaryData> | null = null
let current: HTMLAnchorElement | null = null
let leaving: ReturnType<typeof setTimeout> | undefined

const popup = element('div', { className: 'term-popup', id: 'term-popup' })
popup.popover = 'manual'
useStyles(css)

async function readGlossary(): Promise<GlossaryData> {
  const response = await fetch(siteUrl(`data/glossary.${document.documentElement.lang}.json`))
  if (!response.ok) throw new Error(`the glossary's data: ${response.status}`)
  return (await response.json()) as GlossaryData
}

/** What stands between backticks is code. */
function withCode(text: string): (Node | string)[] {
  return text.split('`').map((part, index) => (index % 2 ? element('code', {}, part) : part))
}

function fillPopup(link: HTMLAnchorElement, entry: GlossaryData[string] | undefined, words: Words): void {
  const links = element('p', { className: 'links' }, element('a', { href: link.href }, words.entry))
  const told = element('div', { id: 'term-popup-text' })
  if (entry) {
    const [names, chinese, meaning, address, chapter] = entry
    const name = element('b', {}, ...withCode(names))
    told.append(element('p', {}, name, ' ', element('span', { lang: 'zh-Hans' }, chinese)))
    told.append(element('p', {}, ...withCode(meaning)))
    if (address !== '')
      links.append(element('a', { href: siteUrl(address).href }, fill(words.defined, { chapter })))
  } else told.append(element('p', {}, words.failed))
  popup.replaceChildren(told, links)
}

/** Below the link, or above it where there is no room; never over it. */
function placeAt(link: HTMLAnchorElement): void {
  const at = link.getClientRects()[0] ?? link.getBoundingClientRect()
  const { width, height } = popup.getBoundingClientRect()
  const right = document.documentElement.clientWidth - width - GAP
  const below = at.bottom + GAP + height <= innerHeight
  popup.style.left = `${Math.max(GAP, Math.min(at.left, right))}px`
  popup.style.top = `${below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height)}px`
}

export async function show(link: HTMLAnchorElement): Promise<void> {
  clearTimeout(leaving)
  if (current === link) return
  hide()
  current = link
  glossary ??= readGlossary()
  const words = (await findingWords()).term
  const data = await glossary.catch(() => {
    glossary = null
    return null
  })
  if (current !== link) return
  fillPopup(link, data?.[decodeURIComponent(link.hash.slice(1))], words)
  // Behind the link, so that Tab goes on into it.
  link.after(popup)
  popup.showPopover()
  placeAt(link)
  link.dataset['told'] = ''
  link.setAttribute('aria-describedby', 'term-popup-text')
}

function hide(): void {
  clearTimeout(leaving)
  current?.removeAttribute('data-told')
  current?.removeAttribute('aria-describedby')
  current = null
  if (popup.isConnected) popup.remove()
}

const isOurs = (target: EventTarget | null): boolean =>
  target instanceof Node && (popup.contains(target) || current?.contains(target) === true)

addEventListener('pointerover', (event) => {
  if (!current || event.pointerType === 'touch') return
  if (isOurs(event.target)) clearTimeout(leaving)
  else if (!isOurs(document.activeElement)) {
    clearTimeout(leaving)
    leaving = setTimeout(hide, LEAVE_MS)
  }
})
addEventListener('focusout', (event) => {
  if (current && isOurs(event.target) && !isOurs(event.relatedTarget)) hide()
})
addEventListener('pointerdown', (event) => {
  if (current && !isOurs(event.target)) hide()
})
/** Focus scrolls to its link, so scrolling does not end a pop-up; losing sight of the link does. */
addEventListener(
  'scroll',
  () => {
    if (!current) return
    const { top, bottom } = current.getBoundingClientRect()
    if (isOurs(document.activeElement) || (bottom > 0 && top < innerHeight)) placeAt(current)
    else hide()
  },
  { passive: true },
)
addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !current) return
  event.preventDefault()
  const link = current
  if (popup.contains(document.activeElement)) link.focus()
  hide()
})
