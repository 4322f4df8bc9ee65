// SPDX-License-Identifier: MIT
//
// What a cell gets over its static HTML: buttons, a line that says what happened, a place for the editor and one for its
// versions. All of it is empty or hidden at first but the buttons, whose strip the style sheet keeps free.
import { fill } from '../client/fill.ts'
import type { CellWords } from './cell_words.ts'

export interface Tools {
  readonly run: HTMLButtonElement
  readonly edit: HTMLButtonElement
  readonly reset: HTMLButtonElement
  readonly share: HTMLButtonElement
  readonly group: HTMLElement
  readonly status: HTMLElement
  readonly versions: HTMLElement
  readonly editor: HTMLElement
}

function button(name: string, label: string): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.className = `cell-${name}`
  made.textContent = label
  return made
}

function part(name: string, role = ''): HTMLElement {
  const made = document.createElement('div')
  made.className = `cell-${name}`
  if (role) made.setAttribute('role', role)
  return made
}

export function makeTools(id: string, words: CellWords): Tools {
  const tools: Tools = {
    run: button('run', words.run),
    edit: button('edit', words.edit),
    reset: button('reset', words.reset),
    share: button('share', words.share),
    group: part('tools', 'group'),
    status: part('status', 'status'),
    versions: part('versions', 'group'),
    editor: part('editor'),
  }
  tools.run.setAttribute('aria-keyshortcuts', 'Control+Enter')
  tools.reset.hidden = true
  tools.editor.hidden = true
  tools.versions.hidden = true
  tools.versions.setAttribute('aria-label', fill(words.versions, { id }))
  tools.group.setAttribute('aria-label', fill(words.group, { id }))
  tools.group.append(tools.run, tools.edit, tools.share, tools.reset)
  return tools
}
