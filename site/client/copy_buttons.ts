// SPDX-License-Identifier: MIT
//
// A button on every block of code that copies it as it stands in its file: no line numbers, ⟨name⟩ for a nested region.
import { wordsOf } from './words.ts'

function addButton(block: HTMLPreElement): void {
  const words = wordsOf('copy')
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = words.copy
  button.addEventListener('click', () => {
    const say = (text: string): void => {
      button.textContent = text
      setTimeout(() => (button.textContent = words.copy), 2000)
    }
    navigator.clipboard.writeText(block.textContent ?? '').then(
      () => say(words.copied),
      () => say(words.refused),
    )
  })
  block.before(button)
}

document.querySelectorAll<HTMLPreElement>('figure pre.code').forEach(addButton)
