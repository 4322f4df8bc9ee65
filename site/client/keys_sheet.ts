// SPDX-License-Identifier: MIT
//
// The sheet of keys. Keys without Ctrl can be switched off there (WCAG 2.1.4).
import { element } from './element.ts'
import { findingWords } from './finding_words.ts'
import { makeSheet } from './sheet.ts'
import { keep, kept } from './storage.ts'

const words = (await findingWords()).keys

function tableOfKeys(): HTMLElement {
  const list = element('dl', {})
  for (const [keys, what] of words.rows) {
    const names = keys.split('+').flatMap((key, index) => [index > 0 ? '+' : '', element('kbd', {}, key)])
    list.append(element('div', {}, element('dt', {}, ...names), element('dd', {}, what)))
  }
  return list
}

function theSwitch(): HTMLElement {
  const box = element('input', { type: 'checkbox', checked: kept('keys') !== 'off' })
  const note = element('small', {}, words.singleOff)
  const label = element('label', {}, box, element('span', {}, words.single, note))
  box.addEventListener('change', () => {
    if (!keep('keys', box.checked ? 'on' : 'off')) note.textContent = words.unkept
  })
  return element('p', { className: 'switch' }, label)
}

const sheet = makeSheet('keys', words.title, words.close, tableOfKeys(), theSwitch())

export function open(): void {
  if (!sheet.open) sheet.showModal()
}
