// SPDX-License-Identifier: MIT
//
// The editor of a cell: CodeMirror inside a shadow root, where its styles are adopted sheets that a strict policy
// allows. A chunk of its own, loaded when a reader first edits. Colours come from the page: `--cell-keyword`,
// `--cell-string`, `--cell-number`, `--cell-comment`, `--cell-type`, `--cell-name`, `--cell-selection`, `--cell-line`.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { EditorState, type Extension, StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers, WidgetType } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--cell-keyword, inherit)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--cell-string, inherit)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--cell-number, inherit)' },
  { tag: tags.comment, color: 'var(--cell-comment, inherit)' },
  { tag: [tags.typeName, tags.className], color: 'var(--cell-type, inherit)' },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName)],
    color: 'var(--cell-name, inherit)',
  },
])

const look = EditorView.theme({
  '&': { color: 'inherit', backgroundColor: 'transparent', fontSize: 'inherit' },
  '&.cm-focused': { outline: '2px solid var(--cell-focus, currentColor)', outlineOffset: '2px' },
  '.cm-scroller': { fontFamily: 'inherit', lineHeight: 'inherit' },
  '.cm-content': { caretColor: 'currentColor', padding: '0' },
  '.cm-gutters': { color: 'inherit', opacity: '0.6', backgroundColor: 'transparent', border: '0' },
  '.cm-content ::selection': { backgroundColor: 'var(--cell-selection, Highlight)' },
  '&.cm-focused .cm-matchingBracket': {
    backgroundColor: 'var(--cell-line, transparent)',
    outline: '1px solid',
  },
  '.cell-wrong': { backgroundColor: 'var(--cell-wrong-line, transparent)' },
  '.cell-mistake': {
    color: 'var(--cell-wrong, inherit)',
    padding: '0 6px 2px',
    // As wide as the editor, not as its longest line.
    boxSizing: 'border-box',
    maxWidth: 'calc(100cqi - 3rem)',
    position: 'sticky',
    left: '3rem',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
  },
})

interface Mistake {
  /** 1-based. */
  readonly line: number
  readonly text: string
}

/** The message under its line. The page announces it elsewhere, so it is no part of what is read as code. */
class MistakeWidget extends WidgetType {
  readonly text: string
  constructor(text: string) {
    super()
    this.text = text
  }
  override eq(other: MistakeWidget): boolean {
    return other.text === this.text
  }
  override toDOM(): HTMLElement {
    const element = document.createElement('div')
    element.className = 'cell-mistake'
    element.setAttribute('aria-hidden', 'true')
    element.textContent = this.text
    return element
  }
}

const setMistake = StateEffect.define<Mistake | null>()

/** A marked line with its message; gone with the next change. */
const mistakes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setMistake)) continue
      if (effect.value === null) return Decoration.none
      const { from, to } = lineOf(transaction.state, effect.value.line)
      const under = Decoration.widget({ widget: new MistakeWidget(effect.value.text), block: true, side: 1 })
      return Decoration.set([Decoration.line({ class: 'cell-wrong' }).range(from), under.range(to)])
    }
    return transaction.docChanged ? Decoration.none : marks
  },
  provide: (field) => EditorView.decorations.from(field),
})

function lineOf(state: EditorState, line: number) {
  return state.doc.line(Math.min(Math.max(line, 1), state.doc.lines))
}

export interface CellEditor {
  code(): string
  /** Other code in the place of all; Undo brings the earlier back. `changed` is not called. */
  setCode(code: string): void
  focus(): void
  /** Marks a line, 1-based, with the caret on it and `text` under it; null takes the mark away. */
  mark(mistake: Mistake | null): void
  destroy(): void
}

/** Opens an editor in `host`. Mod+Enter runs, Escape leaves; Tab is left to the page, so that nobody is caught. */
export function openEditor(
  host: HTMLElement,
  code: string,
  on: { label: string; run(): void; leave(): void; changed(code: string): void },
  language: Extension = javascript({ typescript: true }),
): CellEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  let quiet = false
  const command = (action: () => void) => () => {
    action()
    return true
  }
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: code,
      extensions: [
        keymap.of([
          { key: 'Mod-Enter', run: command(on.run) },
          { key: 'Escape', run: command(on.leave) },
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        lineNumbers(),
        history(),
        // As the printed code has it, so that nothing moves when the editor opens.
        EditorState.tabSize.of(8),
        indentOnInput(),
        bracketMatching(),
        language,
        syntaxHighlighting(colours),
        look,
        mistakes,
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) on.changed(update.state.doc.toString())
        }),
        EditorView.contentAttributes.of({ 'aria-label': on.label, spellcheck: 'false' }),
      ],
    }),
  })
  return {
    code: () => view.state.doc.toString(),
    setCode(fresh) {
      quiet = true
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: fresh } })
      quiet = false
    },
    focus() {
      view.focus()
      // CodeMirror takes the focus without scrolling; the button may have been the last thing in the window.
      view.dispatch({ effects: EditorView.scrollIntoView(view.state.selection.main) })
    },
    mark(mistake) {
      if (!mistake) return view.dispatch({ effects: setMistake.of(null) })
      const { from } = lineOf(view.state, mistake.line)
      view.dispatch({ effects: setMistake.of(mistake), selection: { anchor: from }, scrollIntoView: true })
    },
    destroy: () => view.destroy(),
  }
}
