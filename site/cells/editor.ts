// SPDX-License-Identifier: MIT
//
// The editor of a cell: CodeMirror inside a shadow root, where its styles are adopted sheets that a strict policy
// allows. A chunk of its own, loaded when a reader first edits. Colours come from the page: `--cell-keyword`,
// `--cell-string`, `--cell-number`, `--cell-comment`, `--cell-type`, `--cell-name`, `--cell-selection`, `--cell-line`.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
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
})

export interface CellEditor {
  code(): string
  focus(): void
  /** Puts the caret on a line, 1-based, and shows it. */
  goTo(line: number): void
  destroy(): void
}

/** Opens an editor in `host`. Mod+Enter runs, Escape leaves; Tab is left to the page, so that nobody is caught. */
export function openEditor(
  host: HTMLElement,
  code: string,
  on: { label: string; run(): void; leave(): void },
  language: Extension = javascript({ typescript: true }),
): CellEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
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
        indentOnInput(),
        bracketMatching(),
        language,
        syntaxHighlighting(colours),
        look,
        EditorView.contentAttributes.of({ 'aria-label': on.label, spellcheck: 'false' }),
      ],
    }),
  })
  return {
    code: () => view.state.doc.toString(),
    focus: () => view.focus(),
    goTo: (line) => {
      const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines))
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true })
    },
    destroy: () => view.destroy(),
  }
}
