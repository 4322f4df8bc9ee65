// SPDX-License-Identifier: MIT
import type { ExerciseWords } from '../text/en_exercises.ts'
import { make } from './parts.ts'

/** The page's own way to what comes after, under a right answer; nothing on the last page. */
export function nextLink(words: ExerciseWords): HTMLElement[] {
  const next = document.querySelector<HTMLAnchorElement>('.around a.next')
  if (!next) return []
  const link = make('a', { href: next.href }, next.lastChild?.textContent?.trim() ?? '')
  return [make('p', { class: 'exercise-next' }, words.next, ' ', link)]
}
