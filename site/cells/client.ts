// SPDX-License-Identifier: MIT
//
// <contig-cell>: over the static code and output of a cell come its buttons, and a line that says what happened. What
// needs no JavaScript is in the HTML already (build.ts writes it); what needs much of it is loaded when it is asked for: the
// editor on Edit, the type stripper when edited code is run, the told types when the reader points at the code.
import { fill, wordsOf } from '../client/words.ts'
import { sentenceOf } from './cell_words.ts'
import type { CellEditor } from './editor.ts'
import { type Edit, keepEdit, keptEdit, printOf } from './kept.ts'
import { note } from './note.ts'
import type { PageRun } from './run_page.ts'
import type { Opened } from './share.ts'
import { makeTools } from './tools.ts'
import type { CellRun } from './types.ts'
import { pressVersion, showVersions, type Version } from './versions.ts'

const words = wordsOf('cells')
/** After the last key, so long until an edit is kept. */
const KEEP_AFTER_MS = 300
/** A longer output than this, and than the book's, scrolls in its own box. */
const LONG_OUTPUT = 60
/** That nothing is kept is said once a page. */
let saidNotKept = false

export class ContigCell extends HTMLElement {
  private readonly cell = this.dataset['cell'] ?? ''
  private readonly tools = makeTools(this.cell, words)
  private editor: CellEditor | null = null
  private running: PageRun | null = null
  /** Counts runs and resets, so that what comes late from an earlier one is dropped. */
  private turn = 0
  private recorded = ''
  private source = ''
  private kept: Edit | null = null
  private linked: Edit | null = null
  private version: Version = 'book'
  private keeping: ReturnType<typeof setTimeout> | undefined
  private ready = false

  private piece(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`.cell-${name}`)
    if (!found) throw new Error(`contig-cell ${this.cell}: no element of class cell-${name} inside`)
    return found
  }

  /** The code as the reader sees it, edited or not; what the copy button takes. */
  codeNow(): string {
    return this.editor?.code() ?? this.source
  }

  connectedCallback(): void {
    if (this.ready) return
    this.ready = true
    const code = this.piece('code')
    this.recorded = this.piece('text').textContent ?? ''
    this.source = (code.querySelector('pre')?.textContent ?? '').replace(/\n$/, '')
    this.kept = keptEdit(this.storedAs)
    code.before(this.tools.group)
    code.after(this.tools.versions, this.tools.editor, this.tools.status)
    this.piece('text').setAttribute('aria-live', 'polite')
    this.show('recorded', this.recorded, '')
    this.listen(code)
  }

  private listen(code: HTMLElement): void {
    const { run, edit, reset, share } = this.tools
    run.addEventListener('click', () => (this.dataset['state'] === 'running' ? this.stop() : void this.run()))
    edit.addEventListener('click', () => void this.edit())
    reset.addEventListener('click', () => this.reset())
    share.addEventListener('click', () => void this.share())
    this.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return
      event.preventDefault()
      void this.run()
    })
    addEventListener('pagehide', () => this.keepNow())
    this.listenForPointing(code)
  }

  /** What the names of the printed code mean is fetched once, when the reader comes to them in either way. */
  private listenForPointing(code: HTMLElement): void {
    const types = this.dataset['types']
    if (!types) return
    const once = new AbortController()
    const tell = async () => {
      once.abort()
      const { tellTypes } = await import('./hovers.ts')
      await tellTypes(code, this.cell, new URL(types, import.meta.url).href)
    }
    for (const event of ['pointerover', 'focusin'])
      code.addEventListener(event, () => void tell().catch(console.warn), { signal: once.signal })
  }

  disconnectedCallback(): void {
    this.running?.stop()
  }

  private get storedAs(): string {
    return `${this.dataset['chapter'] ?? ''}/${this.cell}`
  }

  /** States: recorded, running, done, failed. The style sheet sees them as `data-state`. */
  private show(state: 'recorded' | 'running' | 'done' | 'failed', output: string, status: string): void {
    const text = this.piece('text')
    this.dataset['state'] = state
    this.piece('label').textContent = state === 'recorded' ? words.output : words.yourRun
    text.setAttribute('aria-busy', String(state === 'running'))
    this.print(output)
    this.tools.status.textContent = status
    this.tools.run.textContent = state === 'running' ? words.stop : words.run
    this.showButtons()
  }

  private showButtons(): void {
    const { edit, reset } = this.tools
    edit.hidden = this.editor !== null
    edit.textContent = this.kept ? words.yours : words.edit
    reset.hidden = this.dataset['state'] === 'recorded' && !this.editor && !this.kept
  }

  private print(output: string): void {
    const text = this.piece('text')
    const lines = (of: string) => of.split('\n').length
    text.toggleAttribute('data-long', lines(output) > Math.max(LONG_OUTPUT, lines(this.recorded)))
    text.textContent = output
  }

  private async run(): Promise<void> {
    if (this.dataset['state'] === 'running') return
    const turn = (this.turn += 1)
    const code = this.editor?.code() ?? this.source
    const printed = code === this.source
    this.editor?.mark(null)
    this.show('running', '', words.running)
    const started = performance.now()
    let run: CellRun
    try {
      const { startRun } = await import('./runner.ts')
      const running = await startRun(code, words, (output) => {
        if (turn === this.turn) this.print(output)
      })
      if (turn !== this.turn) return running.stop()
      this.running = running
      run = await running.result
    } catch (error) {
      console.warn(error)
      run = { output: '', end: { kind: 'error', text: words.noWorker, line: 0 } }
    }
    if (turn !== this.turn) return
    this.running = null
    this.finish(run, printed, performance.now() - started)
  }

  /** Stops a run, also one that is still loading. */
  private stop(): void {
    if (this.running) return this.running.stop()
    this.turn += 1
    this.show('failed', '', words.stopped)
  }

  private finish({ output, end }: CellRun, printed: boolean, ms: number): void {
    const same = output === this.recorded ? words.same : words.other
    const said = sentenceOf(end, ms, words)
    const compare = end.kind === 'done' && printed
    this.show(end.kind === 'done' ? 'done' : 'failed', output, compare ? `${said} ${same}` : said)
    if (end.kind === 'error' && end.line > 0) this.editor?.mark({ line: end.line, text: end.text })
  }

  private async edit(): Promise<void> {
    await this.open(this.kept ? 'yours' : 'book')
    this.editor?.focus()
  }

  private codeOf(version: Version): string {
    const edit = { book: null, yours: this.kept, link: this.linked }[version]
    return edit?.code ?? this.source
  }

  /** Shows a version in the editor, which is loaded for the first. */
  private async open(version: Version): Promise<void> {
    const { edit, editor, run } = this.tools
    this.version = version
    if (!this.editor) {
      edit.disabled = true
      try {
        const { openEditor } = await import('./editor.ts')
        this.editor ??= openEditor(editor, '', {
          label: fill(words.code, { id: this.cell }),
          run: () => void this.run(),
          leave: () => run.focus(),
          changed: (code) => this.changed(code),
        })
        this.piece('code').hidden = true
        editor.hidden = false
      } catch (error) {
        console.warn(error)
        this.tools.status.textContent = words.noEditor
        return
      } finally {
        edit.disabled = false
      }
    }
    this.editor.setCode(this.codeOf(this.version))
    this.showVersions()
    this.showButtons()
  }

  private showVersions(): void {
    const own = printOf(this.source)
    const stale = this.kept !== null && this.kept.of !== own
    const fromLink = this.linked?.of === own ? words.shared : words.sharedOld
    const text = this.linked ? fromLink : stale ? words.stale : ''
    const choices = [
      ...(this.linked ? [{ version: 'link', label: words.fromLink } as const] : []),
      ...(this.kept ? [{ version: 'yours', label: words.yours } as const] : []),
      { version: 'book', label: words.book } as const,
    ]
    showVersions(this.tools.versions, text, choices, this.version, (version) => {
      this.version = version
      this.editor?.setCode(this.codeOf(version))
      pressVersion(this.tools.versions, version)
    })
  }

  /** The reader typed. What is theirs is kept, with what it was made from; the book's code again is nothing to keep. */
  private changed(code: string): void {
    const from = { book: null, yours: this.kept, link: this.linked }[this.version]
    const before = this.kept !== null
    this.kept = code === this.source ? null : { code, of: from?.of ?? printOf(this.source) }
    this.version = this.kept ? 'yours' : 'book'
    clearTimeout(this.keeping)
    this.keeping = setTimeout(() => this.keepNow(), KEEP_AFTER_MS)
    if (before !== (this.kept !== null) && !this.tools.versions.hidden) this.showVersions()
    else pressVersion(this.tools.versions, this.version)
  }

  private keepNow(): void {
    if (this.keeping === undefined) return
    clearTimeout(this.keeping)
    this.keeping = undefined
    if (keepEdit(this.storedAs, this.kept) || saidNotKept) return
    saidNotKept = true
    this.tools.status.textContent = words.notKept
  }

  private reset(): void {
    this.turn += 1
    this.running?.stop()
    this.running = null
    this.editor?.destroy()
    this.editor = null
    this.linked = null
    this.kept = null
    clearTimeout(this.keeping)
    this.keeping = undefined
    keepEdit(this.storedAs, null)
    if (location.hash.startsWith('#cell=')) history.replaceState(null, '', `#${this.id}`)
    this.tools.editor.hidden = true
    this.tools.versions.hidden = true
    this.piece('code').hidden = false
    this.show('recorded', this.recorded, '')
    this.tools.run.focus()
  }

  /** Copies a link: to the code as it stands in the editor, or to the cell as printed. */
  private async share(): Promise<void> {
    const code = this.editor?.code() ?? this.codeOf(this.kept ? 'yours' : 'book')
    const { fragmentOf, LINK_LIMIT } = await import('./share.ts')
    const edit = { code, of: this.kept?.of ?? this.linked?.of ?? printOf(this.source) }
    const fragment = code === this.source ? `#${this.id}` : await fragmentOf(this.cell, edit)
    if (fragment === null) {
      this.tools.status.textContent = fill(words.tooLong, { kib: LINK_LIMIT / 1024 })
      return
    }
    const link = new URL(fragment, location.href).href
    try {
      await navigator.clipboard.writeText(link)
      this.tools.status.textContent = words.copied
    } catch {
      const address = document.createElement('a')
      address.href = link
      address.textContent = link
      this.tools.status.replaceChildren(`${words.copyIt} `, address)
    }
  }

  /** Shows what a link brought: the code in an open editor, not run; or what is wrong with it. */
  async openLink(opened: Opened, limit: number): Promise<void> {
    this.scrollIntoView()
    if ('mistake' in opened) {
      this.tools.status.textContent = fill(words[opened.mistake], { kib: limit / 1024 })
      return
    }
    this.linked = opened.edit.code === this.source ? null : opened.edit
    if (this.linked) await this.open('link')
  }
}

customElements.define('contig-cell', ContigCell)

/** Opens the cell that the address names by `#cell=`. */
async function followLink(): Promise<void> {
  if (!location.hash.startsWith('#cell=')) return
  const { LINK_LIMIT, openFragment } = await import('./share.ts')
  const opened = await openFragment(location.hash)
  if (!opened) return
  const cell = document.getElementById(`cell-${opened.cell}`)
  if (cell instanceof ContigCell) await cell.openLink(opened, LINK_LIMIT)
  else note(fill(words.noCell, { id: opened.cell.slice(0, 80) }))
}

addEventListener('hashchange', () => void followLink())
void followLink()
