// SPDX-License-Identifier: MIT
//
// <contig-cell>: over the static code and output of a cell come three buttons, Run, Edit and Reset, and a line that says
// what happened. What needs no JavaScript is in the HTML already (build.ts writes it); what needs much of it is loaded
// when it is asked for: the editor on Edit, the type stripper when edited code is run.
import type { CellEditor } from './editor.ts'
import { CellMistake, rewriteImports } from './imports.ts'
import { type PageRun, runInPage } from './run_page.ts'
import { withLine } from './sandbox.ts'
import { CELL_LIMITS, type CellEnd, type CellRun } from './types.ts'

/** Put in by build.ts: addresses of the built files, relative to this one. */
declare const CELL_ASSETS: { worker: string; modules: Record<string, string> }

const here = (path: string) => new URL(path, import.meta.url).href

function addressOf(specifier: string): string | null {
  return Object.hasOwn(CELL_ASSETS.modules, specifier) ? here(CELL_ASSETS.modules[specifier] ?? '') : null
}

/** Models by name again, in a message of the engine that gives their addresses. */
function withoutAddresses(text: string): string {
  return text.replace(/https?:\/\/[^\s'"]+\.js/g, (address) => {
    const found = Object.keys(CELL_ASSETS.modules).find((name) => addressOf(name) === address)
    return found ?? address
  })
}

function button(label: string, action: () => void): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = label
  made.addEventListener('click', action)
  return made
}

function sentence(end: CellEnd, ms: number): string {
  switch (end.kind) {
    case 'done':
      return `Ran in ${Math.max(1, Math.round(ms))} ms.`
    case 'error':
      return `${end.line > 0 ? `Line ${end.line}: ` : ''}${withoutAddresses(end.text)}`
    case 'time':
      return `Stopped after ${end.limitMs / 1000} s: the cell had not come to an end.`
    case 'output':
      return `Stopped: the cell printed more than ${end.limitBytes / 1024} KiB.`
    case 'stopped':
      return 'Stopped.'
  }
}

export class ContigCell extends HTMLElement {
  private readonly runButton = button('Run', () => void this.runOrStop())
  private readonly editButton = button('Edit', () => void this.edit())
  private readonly resetButton = button('Reset', () => this.reset())
  private readonly status = document.createElement('p')
  private readonly editorHost = document.createElement('div')
  private editor: CellEditor | null = null
  private running: PageRun | null = null
  /** Counts runs and resets, so that what comes late from an earlier one is dropped. */
  private turn = 0
  private recorded = ''
  private ready = false

  private piece(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`.cell-${name}`)
    if (!found)
      throw new Error(`contig-cell ${this.dataset['cell']}: no element of class cell-${name} inside`)
    return found
  }

  private get source(): string {
    return (this.piece('code').querySelector('pre')?.textContent ?? '').replace(/\n$/, '')
  }

  /** The code as the reader sees it, edited or not; what the copy button takes. */
  codeNow(): string {
    return this.editor?.code() ?? this.source
  }

  connectedCallback(): void {
    if (this.ready) return
    this.ready = true
    this.recorded = this.piece('text').textContent ?? ''
    const tools = document.createElement('div')
    tools.className = 'cell-tools'
    tools.setAttribute('role', 'group')
    tools.setAttribute('aria-label', `Cell ${this.dataset['cell']}`)
    this.runButton.className = 'cell-run'
    this.runButton.setAttribute('aria-keyshortcuts', 'Control+Enter')
    this.editButton.className = 'cell-edit'
    this.resetButton.className = 'cell-reset'
    this.resetButton.hidden = true
    this.status.className = 'cell-status'
    this.status.setAttribute('role', 'status')
    this.editorHost.className = 'cell-editor'
    this.editorHost.hidden = true
    tools.append(this.runButton, this.editButton, this.resetButton, this.status)
    this.piece('code').after(this.editorHost, tools)
    this.piece('text').setAttribute('aria-live', 'polite')
    this.show('recorded', this.recorded, '')
    this.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return
      event.preventDefault()
      void this.run()
    })
  }

  disconnectedCallback(): void {
    this.running?.stop()
  }

  /** States: recorded, running, done, failed. The style sheet sees them as `data-state`. */
  private show(state: 'recorded' | 'running' | 'done' | 'failed', output: string, status: string): void {
    this.dataset['state'] = state
    this.piece('label').textContent = state === 'recorded' ? 'Output' : 'Your run'
    this.piece('text').setAttribute('aria-busy', String(state === 'running'))
    this.piece('text').textContent = output
    this.status.textContent = status
    this.runButton.textContent = state === 'running' ? 'Stop' : 'Run'
    this.resetButton.hidden = state === 'recorded' && !this.editor
  }

  private runOrStop(): Promise<void> | void {
    return this.running ? this.running.stop() : this.run()
  }

  /** The code to run, its types gone. Printed code was stripped when the site was built. */
  private async prepare(code: string | null) {
    if (code === null) return rewriteImports(this.dataset['module'] ?? '', addressOf)
    const { stripTypes } = await import('./strip.ts')
    return rewriteImports(stripTypes(code), addressOf)
  }

  private async run(): Promise<void> {
    if (this.dataset['state'] === 'running') return
    const turn = (this.turn += 1)
    const edited = this.editor?.code() ?? null
    const code = edited === null || edited === this.source ? null : edited
    this.show('running', '', 'Running…')
    const started = performance.now()
    let run: CellRun
    try {
      const { code: module, models } = await this.prepare(code)
      if (turn !== this.turn) return
      this.running = runInPage(here(CELL_ASSETS.worker), { module, models }, CELL_LIMITS, (output) => {
        if (turn === this.turn) this.piece('text').textContent = output
      })
      run = await this.running.result
    } catch (error) {
      const line = error instanceof CellMistake ? error.line : 0
      const text = error instanceof Error ? error.message : String(error)
      run = { output: '', end: { kind: 'error', text, line } }
    }
    if (turn !== this.turn) return
    this.running = null
    this.finish(run, code, performance.now() - started)
  }

  private finish({ output, end: found }: CellRun, edited: string | null, ms: number): void {
    const end = withLine(found, edited ?? this.source)
    const same =
      output === this.recorded ? ' The same output as in the book.' : ' Not the output in the book.'
    const compare = end.kind === 'done' && edited === null ? same : ''
    this.show(end.kind === 'done' ? 'done' : 'failed', output, sentence(end, ms) + compare)
    if (end.kind === 'error' && end.line > 0) this.editor?.goTo(end.line)
  }

  private async edit(): Promise<void> {
    if (this.editor) return this.editor.focus()
    this.editButton.disabled = true
    try {
      const { openEditor } = await import('./editor.ts')
      this.editor = openEditor(this.editorHost, this.source, {
        label: `Code of cell ${this.dataset['cell']}`,
        run: () => void this.run(),
        leave: () => this.runButton.focus(),
      })
      this.piece('code').hidden = true
      this.editorHost.hidden = false
      this.editButton.hidden = true
      this.resetButton.hidden = false
      this.editor.focus()
    } catch (error) {
      console.warn(error)
      this.status.textContent = 'The editor could not be loaded.'
    } finally {
      this.editButton.disabled = false
    }
  }

  private reset(): void {
    this.turn += 1
    this.running?.stop()
    this.running = null
    this.editor?.destroy()
    this.editor = null
    this.editorHost.hidden = true
    this.piece('code').hidden = false
    this.editButton.hidden = false
    this.show('recorded', this.recorded, '')
    this.runButton.focus()
  }
}

customElements.define('contig-cell', ContigCell)
