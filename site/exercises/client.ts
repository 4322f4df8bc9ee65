// SPDX-License-Identifier: MIT
//
// <contig-exercise>, <contig-question> and <contig-progress>: over what reads without JavaScript come buttons, and a line
// that says what happened. Everything behind the buttons is fetched when one is pressed.
import { readMarks } from '../client/progress.ts'
import { wordsOf } from '../client/words.ts'
import type { Desk } from './desk.ts'
import { button, make } from './parts.ts'
import type { Panel } from './progress_panel.ts'
import type { QuestionDesk } from './question_desk.ts'

const words = wordsOf('exercise')

/** Buttons over a part that is fetched at the first press. */
abstract class Later<Part> extends HTMLElement {
  readonly status: HTMLElement = make('p', { class: 'exercise-status', role: 'status' })
  #part: Promise<Part> | null = null
  #ready = false

  protected abstract open(): Promise<Part>
  protected abstract build(): void

  connectedCallback(): void {
    if (this.#ready) return
    this.#ready = true
    this.build()
    const mark = readMarks()?.get(this.dataset['id'] ?? '')
    if (mark === 'done') this.status.textContent = words.passed
  }

  /** What there is of the part, if it was fetched. */
  protected async later(work: (part: Part) => unknown): Promise<void> {
    try {
      this.#part ??= this.open()
      // Not opened is to be opened again; what was opened stays, whatever becomes of this press.
      this.#part.catch(() => (this.#part = null))
      await work(await this.#part)
    } catch (error) {
      console.warn(error)
      this.status.textContent = words.notLoaded
    }
  }

  protected tools(...children: HTMLElement[]): HTMLElement {
    return make('div', { class: 'exercise-tools', role: 'group', 'aria-label': words.tools }, ...children)
  }

  /** Control and Enter, wherever the caret is. */
  protected onRun(run: () => void): void {
    this.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return
      event.preventDefault()
      run()
    })
  }

  protected place(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`.${name}`)
    if (!found) throw new Error(`${this.localName}: no element of class ${name} inside`)
    return found
  }
}

export class ContigExercise extends Later<Desk> {
  readonly checkButton = button(words.check, 'exercise-check', () => void this.later((desk) => desk.check()))
  readonly editButton = button(words.edit, 'exercise-edit', () => void this.later((desk) => desk.edit()))
  readonly resetButton = button(words.reset, 'exercise-reset', () => void this.later((desk) => desk.reset()))
  readonly hintButton = button(words.hint, 'exercise-hint', () => void this.later((desk) => desk.help.hint()))
  readonly solutionButton = button(
    words.solution,
    'exercise-solution',
    () => void this.later((desk) => desk.help.solution()),
  )

  protected async open(): Promise<Desk> {
    const { openDesk } = await import('./desk.ts')
    return openDesk(this)
  }

  protected build(): void {
    const onBoard = this.dataset['kind'] === 'c'
    const own = onBoard ? [] : [this.checkButton, this.editButton]
    this.resetButton.hidden = true
    this.checkButton.setAttribute('aria-keyshortcuts', 'Control+Enter')
    const help = [this.hintButton, this.solutionButton]
    this.place('exercise-work').prepend(this.tools(...own, ...help, this.resetButton, this.status))
    if (onBoard) return
    this.onRun(() => this.checkButton.click())
    try {
      if (localStorage.getItem(`contiguous:draft:${this.dataset['id']}`) !== null)
        this.editButton.textContent = words.goOn
    } catch {
      // Refused: then there is nothing to go on with.
    }
  }
}

export class ContigQuestion extends Later<QuestionDesk> {
  readonly answer = make('input', {
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
  })
  readonly seed = make('input', { type: 'text', inputmode: 'numeric', autocomplete: 'off' })
  readonly otherButton = button(words.other, 'exercise-other', () => void this.later((desk) => desk.other()))
  readonly hintButton = button(words.hint, 'exercise-hint', () => void this.later((desk) => desk.help.hint()))
  readonly solutionButton = button(
    words.solution,
    'exercise-solution',
    () => void this.later((desk) => desk.help.solution()),
  )

  protected async open(): Promise<QuestionDesk> {
    const { openQuestion } = await import('./question_desk.ts')
    return openQuestion(this)
  }

  protected build(): void {
    this.seed.value = this.dataset['seed'] ?? '1'
    const check = make('button', { type: 'submit', class: 'exercise-check' }, words.check)
    const form = make(
      'form',
      { class: 'exercise-answer' },
      make('label', {}, words.answer, this.answer),
      check,
    )
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.later((desk) => desk.check())
    })
    const seeds = make(
      'form',
      { class: 'exercise-seed' },
      make('label', {}, words.seed, this.seed),
      this.otherButton,
    )
    seeds.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.later((desk) => desk.ask(this.seed.value))
    })
    this.place('question-desk').append(
      form,
      this.tools(this.hintButton, this.solutionButton, this.status),
      seeds,
    )
  }
}

export class ContigProgress extends Later<Panel> {
  readonly reader = make('input', { type: 'text', autocomplete: 'name', maxlength: '200' })
  readonly file = make('input', { type: 'file', accept: '.json,application/json' })

  protected async open(): Promise<Panel> {
    const { openPanel } = await import('./progress_panel.ts')
    return openPanel(this)
  }

  protected build(): void {
    this.file.addEventListener('change', () => void this.later((panel) => panel.bring()))
    const save = button(
      words.saveProgress,
      'exercise-save',
      () => void this.later((panel) => panel.saveProgress()),
    )
    const results = button(
      words.saveResults,
      'exercise-save',
      () => void this.later((panel) => panel.saveResults()),
    )
    this.place('progress-desk').append(
      make('p', {}, save),
      make('p', {}, make('label', {}, words.name, this.reader), results),
      make('p', {}, make('label', {}, words.bring, this.file)),
      this.status,
    )
  }
}

customElements.define('contig-exercise', ContigExercise)
customElements.define('contig-question', ContigQuestion)
customElements.define('contig-progress', ContigProgress)
