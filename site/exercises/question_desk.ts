// SPDX-License-Identifier: MIT
//
// Behind the buttons of a <contig-question>: asked in a worker by the models, judged here as at a terminal. The page comes
// with the question of one seed; other numbers are the reader's own first, then any.
import { hashAnswer } from '../../code/exercise/answer_hash.ts'
import { isRun, judgeAnswer, seedFor, type Question } from '../../code/exercise/question.ts'
import { ran, started } from '../../code/exercise/record.ts'
import { siteUrl } from '../client/site_url.ts'
import { fill } from '../client/words.ts'
import type { ExerciseWords } from '../text/en_exercises.ts'
import type { ContigQuestion } from './client.ts'
import { findingList } from './finding_view.ts'
import { Help } from './help.ts'
import { nextLink } from './next_link.ts'
import { make } from './parts.ts'
import { ask, NotLoaded } from './run_page.ts'
import { isKept } from './shelf.ts'
import { drawSeed, ownSeed, record } from './store.ts'
import { exerciseWords } from './words.ts'

export async function openQuestion(host: ContigQuestion): Promise<QuestionDesk> {
  return new QuestionDesk(host, await exerciseWords())
}

export class QuestionDesk {
  readonly help: Help
  readonly #host: ContigQuestion
  readonly #words: ExerciseWords
  readonly #result: HTMLElement
  #seed: number
  #question: Promise<Question> | null = null
  #ownAsked = false

  constructor(host: ContigQuestion, words: ExerciseWords) {
    this.#host = host
    this.#words = words
    this.#seed = Number(host.dataset['seed'])
    this.#result = make('section', { class: 'exercise-result', 'aria-label': words.result, tabindex: '-1' })
    host.append(this.#result)
    this.help = new Help({ host, words, status: host.status, answer: () => this.#answer() })
  }

  get #id(): string {
    return this.#host.dataset['id'] ?? ''
  }

  #say(text: string): void {
    this.#host.status.textContent = isKept() ? text : `${text} ${this.#words.notKept}`
  }

  /** The question as it stands in the page, with its answer. */
  #asked(): Promise<Question> {
    const question = siteUrl(this.#host.dataset['check'] ?? '').href
    this.#question ??= ask({ kind: 'ask', question, seed: seedFor(this.#seed, this.#id) })
    this.#question.catch(() => (this.#question = null))
    return this.#question
  }

  async #answer(): Promise<HTMLElement> {
    const { answer } = await this.#asked()
    const seed = fill(this.#words.withSeed, { seed: this.#seed })
    return make(
      'p',
      { class: 'exercise-answer-is' },
      `${this.#words.answer} (${seed}): `,
      make('code', {}, answer),
    )
  }

  async check(): Promise<void> {
    const given = this.#host.answer.value
    this.#result.replaceChildren()
    this.#say(this.#words.checking)
    const question = await this.#loaded()
    if (!question) return
    const found = judgeAnswer(question, given)
    if (isRun(found)) {
      const answer = { hash: hashAnswer(question), seed: this.#seed, text: given.trim() }
      record(this.#id, ran(found ? null : answer))
    } else record(this.#id, started)
    const words = this.#words
    this.#say(found ? `${words.notYet} ` : words.right)
    this.#host.status.append(make('span', { class: 'hidden' }, found?.text ?? ''))
    const verdict = make(
      'p',
      { class: `exercise-verdict ${found ? 'failed' : 'passed'}` },
      found ? words.notYet : words.right,
    )
    const chapter = this.#host.dataset['chapter'] ?? ''
    this.#result.replaceChildren(
      verdict,
      ...(found
        ? [findingList([found], { words, chapter, goTo: null })]
        : [make('p', {}, words.again), ...nextLink(words)]),
    )
    this.#host.answer.setAttribute('aria-invalid', String(found !== null))
    if (!found) await this.help.why()
    this.#result.scrollIntoView({ block: 'nearest' })
  }

  async #loaded(): Promise<Question | null> {
    try {
      return await this.#asked()
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error
      this.#say(this.#words.notLoaded)
      return null
    }
  }

  /** The reader's own numbers; pressed again, others. */
  async other(): Promise<void> {
    const own = ownSeed()
    const takes = !this.#ownAsked && own !== this.#seed
    this.#ownAsked = true
    await this.ask(String(takes ? own : drawSeed()))
  }

  /** Asks with a seed, as `contig do --seed` does. */
  async ask(text: string): Promise<void> {
    const { status, seed, answer } = this.#host
    if (!/^\d{1,9}$/.test(text.trim())) {
      status.textContent = fill(this.#words.seedWrong, { seed: text.slice(0, 20) })
      seed.setAttribute('aria-invalid', 'true')
      return
    }
    seed.removeAttribute('aria-invalid')
    const before = this.#seed
    this.#seed = Number(text)
    this.#question = null
    this.#say(this.#words.asking)
    const [question, { createTexts }] = await Promise.all([this.#loaded(), import('./markdown.ts')])
    if (!question) {
      this.#seed = before
      return
    }
    seed.value = String(this.#seed)
    this.#host.querySelector('.question-text')!.innerHTML = createTexts()(question.text)
    this.#result.replaceChildren()
    this.help.clear()
    answer.value = ''
    answer.removeAttribute('aria-invalid')
    this.#say(fill(this.#words.asked, { seed: this.#seed }))
    answer.focus()
  }
}
