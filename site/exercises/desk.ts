// SPDX-License-Identifier: MIT
//
// Behind the buttons of a <contig-exercise>: the editor, the check, what it found. One check runs at a time; Check while
// one runs stops it.
import { hashFiles } from '../../code/exercise/answer_hash.ts'
import type { CheckResult } from '../../code/exercise/check.ts'
import { ran, started } from '../../code/exercise/record.ts'
import type { CellEditor } from '../cells/editor.ts'
import { siteUrl } from '../client/site_url.ts'
import { fill, wordsOf } from '../client/words.ts'
import type { ExerciseWords } from '../text/en_exercises.ts'
import { prepare, resultOf } from './answer.ts'
import type { ContigExercise } from './client.ts'
import { evidenceOf, findingList } from './finding_view.ts'
import { Help } from './help.ts'
import { nextLink } from './next_link.ts'
import { button, make, said } from './parts.ts'
import { addressOf, NotLoaded, runCheck } from './run_page.ts'
import { isKept } from './shelf.ts'
import { bringBack, draft, keepDraft, putAside, record } from './store.ts'
import type { CheckRequest } from './types.ts'
import { exerciseWords } from './words.ts'

export async function openDesk(host: ContigExercise): Promise<Desk> {
  const desk = new Desk(host, await exerciseWords())
  await desk.begin()
  return desk
}

export class Desk {
  readonly help: Help
  readonly #host: ContigExercise
  readonly #words: ExerciseWords
  readonly #result: HTMLElement
  readonly #editorHost = make('div', { class: 'exercise-editor', hidden: '' })
  #editor: CellEditor | null = null
  #running: AbortController | null = null

  constructor(host: ContigExercise, words: ExerciseWords) {
    this.#host = host
    this.#words = words
    this.#result = make('section', { class: 'exercise-result', 'aria-label': words.result, tabindex: '-1' })
    this.#code.after(this.#editorHost)
    host.append(this.#result)
    this.help = new Help({ host, words, status: host.status, answer: async () => null })
  }

  get #id(): string {
    return this.#host.dataset['id'] ?? ''
  }

  get #file(): string {
    return this.#host.dataset['file'] ?? ''
  }

  get #code(): HTMLElement {
    return this.#host.querySelector<HTMLElement>('.exercise-code')!
  }

  get #shipped(): string {
    return `${(this.#code.querySelector('pre')?.textContent ?? '').replace(/\n$/, '')}\n`
  }

  /** What the reader has now. */
  get #source(): string {
    return this.#editor?.code() ?? draft(this.#id) ?? this.#shipped
  }

  #say(text: string): void {
    this.#host.status.textContent = isKept() ? text : `${text} ${this.#words.notKept}`
  }

  #keep(): void {
    if (!this.#editor) return
    const text = this.#editor.code()
    if (text === (draft(this.#id) ?? this.#shipped)) return
    keepDraft(this.#id, text === this.#shipped ? null : text)
    if (!isKept()) this.#say('')
  }

  /** What was kept is opened, so that nobody checks what they do not see. */
  async begin(): Promise<void> {
    if (draft(this.#id) !== null) await this.#openEditor()
  }

  async edit(): Promise<void> {
    await this.#openEditor()
    this.#editor?.focus()
    this.#say(draft(this.#id) === null ? '' : this.#words.kept)
  }

  async #openEditor(): Promise<void> {
    if (this.#editor) return
    const { openEditor } = await import('../cells/editor.ts')
    const language =
      this.#host.dataset['kind'] === 'dts' ? (await import('./dts_language.ts')).deviceTree : undefined
    const on = {
      label: fill(this.#words.editorOf, { file: this.#file }),
      run: () => void this.check(),
      leave: () => this.#host.checkButton.focus(),
      changed: () => this.#keep(),
    }
    this.#editorHost.hidden = false
    this.#editor = openEditor(this.#editorHost, this.#source, on, language)
    this.#code.hidden = true
    this.#host.editButton.hidden = true
    this.#host.resetButton.hidden = false
    record(this.#id, started)
  }

  async check(): Promise<void> {
    if (this.#running) return this.#running.abort()
    const running = new AbortController()
    this.#running = running
    const { checkButton } = this.#host
    checkButton.textContent = wordsOf('exercise').stop
    this.#result.replaceChildren()
    this.#say(this.#words.checking)
    this.#keep()
    try {
      await this.#checkNow(this.#source, running.signal)
    } catch (error) {
      if (running.signal.aborted) this.#say(this.#words.stopped)
      else if (error instanceof NotLoaded) this.#say(this.#words.notLoaded)
      else throw error
    } finally {
      this.#running = null
      checkButton.textContent = wordsOf('exercise').check
    }
  }

  async #checkNow(source: string, signal: AbortSignal): Promise<void> {
    const { dataset } = this.#host
    const exercise = { id: this.#id, files: [this.#file] }
    const files = { [this.#file]: source }
    const typescript = dataset['kind'] === 'typescript'
    const ready = typescript ? prepare(exercise, source, addressOf) : { module: null, models: [] }
    if ('findings' in ready) return this.#show(ready, [], files)
    const check = siteUrl(dataset['check'] ?? '').href
    const context = { kind: dataset['kind'], files } as CheckRequest['context']
    const { ended, printed } = await runCheck({ kind: 'check', ...ready, check, context }, signal)
    const result = resultOf(exercise, ended, source)
    if (result) return this.#show(result, printed, files)
    this.#say(fill(this.#words.broken, { text: ended.state === 'threw' ? ended.error.message : ended.state }))
  }

  #show(
    { findings, shown = [] }: CheckResult,
    printed: readonly string[],
    files: Record<string, string>,
  ): void {
    const words = this.#words
    const [first] = findings
    record(this.#id, ran(first ? null : { hash: hashFiles(files) }))
    this.#say(first ? words.notYet : words.right)
    this.#host.status.append(make('span', { class: 'hidden' }, ` ${first?.text ?? ''}`))
    const goTo = (line: number, text: string): void => void this.#goTo(line, text)
    const chapter = this.#host.dataset['chapter'] ?? ''
    const verdict = make(
      'p',
      { class: `exercise-verdict ${first ? 'failed' : 'passed'}` },
      first ? words.notYet : words.right,
    )
    this.#result.replaceChildren(
      verdict,
      ...(first ? [findingList(findings, { words, chapter, goTo })] : []),
      ...(!first && shown.length > 0 ? [evidenceOf(shown, words)] : []),
      ...(first ? [] : [make('p', {}, words.compare), ...nextLink(words)]),
      ...(printed.length > 0 ? [make('p', {}, `${words.printed}:`), said(printed, words.printed)] : []),
    )
    this.#result.scrollIntoView({ block: 'nearest' })
  }

  async #goTo(line: number, text: string): Promise<void> {
    await this.#openEditor()
    this.#editor?.mark({ line, text })
    this.#editor?.focus()
  }

  /** The book's text again; the reader's is put aside. */
  reset(): void {
    this.#running?.abort()
    this.#keep()
    putAside(this.#id)
    this.#editor?.destroy()
    this.#editor = null
    this.#editorHost.hidden = true
    this.#code.hidden = false
    this.#result.replaceChildren()
    const { editButton, resetButton, status } = this.#host
    editButton.hidden = false
    editButton.textContent = wordsOf('exercise').edit
    resetButton.hidden = true
    this.#say(this.#words.reset)
    status.append(
      ' ',
      button(this.#words.bringBack, 'exercise-back', () => void this.#bringBack()),
    )
    this.#host.checkButton.focus()
  }

  async #bringBack(): Promise<void> {
    if (bringBack(this.#id) !== null) await this.edit()
  }
}
