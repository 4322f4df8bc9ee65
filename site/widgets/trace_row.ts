// SPDX-License-Identifier: MIT
//
// What a widget has for traces below its controls: a row that opens one, for those who cannot drop one, and leads back to the
// model; and a line that says what became of it.
import type { WidgetText } from '../text/en_widgets.ts'
import { chooser, textButton } from './movie/tools.ts'

export interface TraceRow {
  /** Whether a trace is on the stage. */
  show(traced: boolean): void
}

export interface TraceWishes {
  readonly open: (file: File) => void
  readonly model: () => void
}

/** A line below all else of a widget for what is said of a trace; it is there before its first words, or they were not read aloud. */
export function noteLine(widget: HTMLElement): (text: string) => void {
  const note = document.createElement('p')
  note.className = 'widget-note'
  note.setAttribute('role', 'status')
  widget.append(note)
  return (text) => (note.textContent = text)
}

/** Fills the element, which stands in the page with its height. */
export function fillTraceRow(
  element: HTMLElement,
  words: WidgetText['controls'],
  wishes: TraceWishes,
): TraceRow {
  const model = textButton(words.model, wishes.model)
  model.hidden = true
  element.append(...chooser(words.openTrace, wishes.open), model)
  return { show: (traced) => (model.hidden = !traced) }
}
