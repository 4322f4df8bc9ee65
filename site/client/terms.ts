// SPDX-License-Identifier: MIT
//
// A term in the text leads to the glossary. Whoever rests on the link, or comes to it by keyboard, is shown the entry; a
// first tap shows it too, and the second goes there.
const TERM = 'main a[href*="glossary/#term-"]:not(.term-popup *)'
/** A pointer on its way elsewhere rests no longer than this. */
const REST_MS = 250

const termAt = (event: Event): HTMLAnchorElement | null =>
  event.target instanceof Element ? event.target.closest<HTMLAnchorElement>(TERM) : null
const show = (link: HTMLAnchorElement): void =>
  void import('./term_popup.ts').then((popup) => popup.show(link))

let isTouch = false
addEventListener('pointerdown', (event) => (isTouch = event.pointerType === 'touch'), true)

addEventListener('pointerover', (event) => {
  const link = termAt(event)
  if (link && event.pointerType !== 'touch') setTimeout(() => link.matches(':hover') && show(link), REST_MS)
})
addEventListener('focusin', (event) => {
  const link = termAt(event)
  if (link?.matches(':focus-visible')) show(link)
})
addEventListener('click', (event) => {
  const link = termAt(event)
  // The pop-up writes `data-told` on the link that it belongs to.
  if (!link || !isTouch || link.hasAttribute('data-told')) return
  event.preventDefault()
  show(link)
})
