// SPDX-License-Identifier: MIT
//
// A dialog with a heading and a way to close it: Esc, the button, a click beside it.
import css from './sheet.css'
import { element } from './element.ts'
import { useStyles } from './styles.ts'

useStyles(css)

export function makeSheet(name: string, title: string, close: string, ...inside: Node[]): HTMLDialogElement {
  const heading = element('h2', { id: `${name}-title` }, title)
  const button = element('button', { type: 'button', className: 'close' }, close)
  const head = element('div', { className: 'head' }, heading, button)
  const dialog = element('dialog', { className: `sheet ${name}` }, head, ...inside)
  dialog.setAttribute('aria-labelledby', heading.id)
  button.addEventListener('click', () => dialog.close())
  // What is inside fills the dialog: a click on the dialog itself is one beside it.
  dialog.addEventListener('click', (event) => {
    if (event.target !== dialog) return
    const { left, right, top, bottom } = dialog.getBoundingClientRect()
    const isInside =
      event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom
    if (!isInside) dialog.close()
  })
  document.body.append(dialog)
  return dialog
}
