// SPDX-License-Identifier: MIT
//
// Hints, one step at a time, and our solution: after a pass, or when the reader gives up, as at a terminal. Neither is in
// the page before it was asked for.
import { HINTS } from '../../code/exercise/hint_steps.ts'
import { gaveUp, hinted } from '../../code/exercise/record.ts'
import { fill } from '../client/words.ts'
import type { ExerciseWords } from '../text/en_exercises.ts'
import { button, fetchData, make, ownHtml } from './parts.ts'
import { record, recordOf } from './store.ts'
import type { HintsFile, SolutionFile } from './types.ts'

/** What the helps of an exercise are part of. */
export interface Helped {
  readonly host: HTMLElement
  readonly words: ExerciseWords
  readonly status: HTMLElement
  /** Words above the solution; a question's answer. */
  answer(): Promise<HTMLElement | null>
}

export class Help {
  readonly #of: Helped
  #file: Promise<HintsFile> | null = null
  readonly #hints: HTMLElement
  readonly #solution: HTMLElement

  constructor(of: Helped) {
    this.#of = of
    this.#hints = make('section', { class: 'exercise-hints' })
    this.#solution = make('section', { class: 'exercise-ours', tabindex: '-1' })
    of.host.append(this.#hints, this.#solution)
  }

  get #id(): string {
    return this.#of.host.dataset['id'] ?? ''
  }

  /** The next hint, below those that were seen. */
  async hint(): Promise<void> {
    const { host, words, status } = this.#of
    this.#file ??= fetchData<HintsFile>(host.dataset['hints'] ?? '')
    this.#file.catch(() => (this.#file = null))
    const { hints } = await this.#file
    const step = Math.min((recordOf(this.#id)?.hints ?? 0) + 1, HINTS)
    record(this.#id, hinted(step))
    for (let n = this.#hints.childElementCount + 1; n <= step; n += 1) {
      const heading = make('h2', {}, fill(words.hint, { step: n, all: HINTS }))
      this.#hints.append(
        make(
          'div',
          { class: 'exercise-step', tabindex: '-1' },
          heading,
          ownHtml(hints[n - 1] ?? '', 'prose'),
        ),
      )
    }
    status.textContent = step === HINTS ? words.noMoreHints : ''
    focusOn(this.#hints.lastElementChild)
  }

  /** Our solution; before a pass the reader is asked first. */
  async solution(): Promise<void> {
    const passed = recordOf(this.#id)?.passed !== undefined
    if (!passed && !(await this.#givesUp())) return
    if (!passed) record(this.#id, gaveUp)
    await this.#show(this.#of.words.solution)
    focusOn(this.#solution)
  }

  /** Why, once the answer was right. */
  why(): Promise<void> {
    return this.#show(this.#of.words.why)
  }

  /** What is shown belongs to numbers that are gone. */
  clear(): void {
    this.#solution.replaceChildren()
  }

  async #show(heading: string): Promise<void> {
    const { host } = this.#of
    const { why, files } = await fetchData<SolutionFile>(host.dataset['solution'] ?? '')
    const answer = await this.#of.answer()
    const listings = files.map(({ name, html }) => {
      const figure = ownHtml(html, 'exercise-listing')
      figure.prepend(make('p', { class: 'exercise-file' }, name))
      return figure
    })
    this.#solution.replaceChildren(
      make('h2', {}, heading),
      ...(answer ? [answer] : []),
      ownHtml(why, 'prose'),
      ...listings,
    )
  }

  #givesUp(): Promise<boolean> {
    const { words, host } = this.#of
    const dialog = make('dialog', { class: 'exercise-dialog', 'aria-labelledby': 'give-up' })
    const close = (value: string) => () => dialog.close(value)
    dialog.append(
      make('h2', { id: 'give-up' }, words.giveUp),
      make('p', {}, words.giveUpText),
      button(words.giveUpNo, '', close('')),
      button(words.giveUpYes, 'exercise-check', close('yes')),
    )
    host.append(dialog)
    dialog.showModal()
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        dialog.remove()
        resolve(dialog.returnValue === 'yes')
      })
    })
  }
}

function focusOn(element: Element | null): void {
  if (element instanceof HTMLElement) element.focus()
}
