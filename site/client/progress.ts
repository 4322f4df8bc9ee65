// SPDX-License-Identifier: MIT
//
// How far the reader is, on every page that names exercises: a mark beside each (`data-mark="id"`), a count where several
// are meant (`data-tally="id id …"`). What is kept, and how, is for site/exercises/store.ts; here it is only looked at,
// and what cannot be read shows nothing.
import { fill, wordsOf } from './words.ts'

/** In localStorage; the text of the terminal's progress.json. */
export const PROGRESS_KEY = 'contiguous:progress'

/** Sent to the window when this page has changed it; other pages hear of it by `storage`. */
export const PROGRESS_EVENT = 'contiguous:progress'

type Mark = 'done' | 'seen' | 'started'

const SIGNS: Record<Mark, string> = { done: '✓', seen: '?', started: '…' }

/** The exercises that were begun; null when none was, or when nothing can be read. */
export function readMarks(): ReadonlyMap<string, Mark> | null {
  try {
    const kept = JSON.parse(localStorage.getItem(PROGRESS_KEY) ?? '{}') as {
      exercises?: Record<string, { passed?: unknown; gaveUp?: unknown }>
    }
    const begun = Object.entries(kept.exercises ?? {})
    if (begun.length === 0) return null
    return new Map(
      begun.map(([id, { passed, gaveUp }]) => [id, passed ? 'done' : gaveUp ? 'seen' : 'started']),
    )
  } catch {
    return null
  }
}

function showMark(place: HTMLElement, mark: Mark | undefined): void {
  place.textContent = mark ? SIGNS[mark] : ''
  if (!mark) return place.removeAttribute('role')
  place.setAttribute('role', 'img')
  place.setAttribute('aria-label', wordsOf('progress')[mark])
}

function showTally(place: HTMLElement, marks: ReadonlyMap<string, Mark>): void {
  const ids = (place.dataset['tally'] ?? '').split(' ')
  const done = ids.filter((id) => marks.get(id) === 'done').length
  // What stands there says how many there are.
  place.dataset['all'] ??= place.textContent ?? ''
  place.textContent =
    done === 0 ? place.dataset['all'] : fill(wordsOf('progress').tally, { done, all: ids.length })
}

let shown = false

function show(): void {
  const marks = readMarks()
  if (!marks && !shown) return
  shown = true
  const known = marks ?? new Map<string, Mark>()
  for (const place of document.querySelectorAll<HTMLElement>('[data-mark]'))
    showMark(place, known.get(place.dataset['mark'] ?? ''))
  for (const place of document.querySelectorAll<HTMLElement>('[data-tally]')) showTally(place, known)
}

show()
addEventListener(PROGRESS_EVENT, show)
addEventListener('storage', ({ key }) => {
  if (key === null || key === PROGRESS_KEY) show()
})
// Back from an exercise, a page may come as it was left.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) show()
})
