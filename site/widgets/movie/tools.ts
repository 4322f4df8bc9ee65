// SPDX-License-Identifier: MIT
//
// The strip above the picture: open a file, which area, and while a file is being read how far, and a way to stop.
import type { MovieText } from '../../text/en_movie.ts'

export interface Tools {
  readonly element: HTMLElement
  /** The areas that there are films of; a choice only where there are several. */
  areas(names: readonly string[]): void
  /** Bytes read of so many; null: nothing is being read. `total` 0: not known. */
  reading(state: { readonly done: number; readonly total: number } | null): void
}

export interface ToolWishes {
  readonly open: (file: File) => void
  readonly area: (index: number) => void
  readonly cancel: () => void
}

/** A button with words on it. */
export function textButton(label: string, action: () => void): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = label
  made.addEventListener('click', action)
  return made
}

/** A file is chosen by a button that looks like the others; the input itself takes no part in the page. */
export function chooser(label: string, open: (file: File) => void): HTMLElement[] {
  const input = document.createElement('input')
  input.type = 'file'
  input.hidden = true
  input.setAttribute('aria-label', label)
  input.addEventListener('change', () => {
    const file = input.files?.[0]
    // The same file again is a change too.
    input.value = ''
    if (file) open(file)
  })
  return [textButton(label, () => input.click()), input]
}

export function makeTools(words: MovieText, wishes: ToolWishes): Tools {
  const element = document.createElement('div')
  element.className = 'movie-tools'
  const label = document.createElement('label')
  const select = document.createElement('select')
  label.append(words.area, ' ', select)
  label.hidden = true
  select.addEventListener('change', () => wishes.area(select.selectedIndex))
  const progress = document.createElement('progress')
  const cancel = textButton(words.cancel, wishes.cancel)
  progress.setAttribute('aria-label', words.progress)
  progress.hidden = cancel.hidden = true
  element.append(...chooser(words.open, wishes.open), label, progress, cancel)
  return {
    element,
    areas: (names) => {
      select.replaceChildren(...names.map((name) => new Option(name)))
      label.hidden = names.length < 2
    },
    reading: (state) => {
      progress.hidden = cancel.hidden = state === null
      if (!state) return
      if (state.total > 0) [progress.max, progress.value] = [state.total, state.done]
      else progress.removeAttribute('value')
    },
  }
}
