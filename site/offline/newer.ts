// SPDX-License-Identifier: MIT
//
// A newer edition has been fetched and waits: the reader is told, and chooses when. Until then the page and its parts are
// all of the old edition; where all its pages are closed, the new one takes over by itself.
import type { Asked } from './list.ts'
import { offlineWords } from './words.ts'

const words = (await offlineWords()).newer

/** sessionStorage: the reader does not want to be asked again in this visit. */
const LATER = 'contiguous:newer-later'

function wantsLater(): boolean {
  try {
    return sessionStorage.getItem(LATER) !== null
  } catch {
    return false
  }
}

function putOff(): void {
  try {
    sessionStorage.setItem(LATER, '')
  } catch {
    // Then the next page asks again.
  }
}

function button(text: string, act: () => void): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = text
  made.addEventListener('click', act)
  return made
}

/** The bar lies over the foot of the window: it moves nothing. */
function showBar(worker: ServiceWorker): void {
  if (document.querySelector('.newer')) return
  const bar = document.createElement('aside')
  bar.className = 'newer'
  bar.setAttribute('aria-label', words.label)
  const text = document.createElement('p')
  text.setAttribute('role', 'status')
  bar.append(
    text,
    button(words.read, () => takeOver(worker)),
    button(words.later, () => {
      putOff()
      bar.remove()
    }),
  )
  document.body.append(bar)
  // A status is read out when it changes, not when it comes.
  setTimeout(() => (text.textContent = words.text), 100)
}

/** This page is loaded again when the new edition answers; others stay as they are. */
function takeOver(worker: ServiceWorker): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  worker.postMessage({ kind: 'take-over' } satisfies Asked)
}

/** Tells the reader of an edition that waits, now or as soon as one does. */
export function offerNewer(registration: ServiceWorkerRegistration): void {
  const offer = (): void => {
    if (registration.waiting && registration.active && !wantsLater()) showBar(registration.waiting)
  }
  offer()
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', offer)
  })
}
