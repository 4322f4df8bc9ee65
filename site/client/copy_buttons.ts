// SPDX-License-Identifier: MIT
//
// Buttons over every block of code, in room that the style sheet keeps free for them: one copies it, and a listing has
// one that makes the address of a line (lines.ts, loaded then).
import { announce } from './announce.ts'
import { commandsOf, listingText } from './copy_text.ts'
import { element } from './element.ts'
import { fill, wordsOf } from './words.ts'

const words = wordsOf('copy')

function textOf(block: HTMLElement): string {
  const text = block.textContent ?? ''
  const lang = /\blang-(\w+)/.exec(block.className)?.[1] ?? ''
  return (lang === 'console' && commandsOf(text)) || listingText(text, lang)
}

/** For a browser that does not let pages write to the clipboard. */
function selectAll(block: HTMLElement): void {
  getSelection()?.selectAllChildren(block)
  announce(words.refused)
}

function copyButton(block: HTMLElement, textNow: () => string): HTMLButtonElement {
  const isTranscript = block.matches('.lang-console') && commandsOf(block.textContent ?? '') !== null
  const label = isTranscript ? words.commands : words.copy
  const button = element('button', { type: 'button', className: 'copy', textContent: label })
  button.addEventListener('click', () => {
    // No clipboard outside a secure context.
    const written = navigator.clipboard?.writeText(textNow()) ?? Promise.reject(new Error('no clipboard'))
    written.then(
      () => {
        announce(words.copied)
        button.textContent = words.copied
        setTimeout(() => (button.textContent = label), 2000)
      },
      () => selectAll(block),
    )
  })
  return button
}

function lineButton(figure: HTMLElement, block: HTMLElement): HTMLButtonElement {
  const button = element('button', { type: 'button', className: 'copy', textContent: words.line })
  const name = block.getAttribute('aria-label') ?? figure.id
  button.setAttribute('aria-label', fill(words.lineLong, { name }))
  button.addEventListener(
    'click',
    () => void import('./lines.ts').then(({ chooseLine }) => chooseLine(figure)),
  )
  return button
}

for (const block of document.querySelectorAll<HTMLElement>('figure > pre.code')) {
  const figure = block.parentElement!
  const tools = element(
    'div',
    { className: 'tools' },
    copyButton(block, () => textOf(block)),
  )
  if (figure.matches('.listing[id]')) tools.append(lineButton(figure, block))
  // Before the code, as it is read.
  block.before(tools)
}

// A cell makes its own strip of buttons, when its script has come; its code may be a reader's by now.
if (document.querySelector('contig-cell')) {
  void customElements.whenDefined('contig-cell').then(() => {
    for (const cell of document.querySelectorAll<HTMLElement & { codeNow?: () => string }>('contig-cell')) {
      const block = cell.querySelector<HTMLElement>('pre.code')
      const tools = cell.querySelector('.cell-tools')
      if (block && tools) tools.append(copyButton(block, () => cell.codeNow?.() ?? textOf(block)))
    }
  })
}
