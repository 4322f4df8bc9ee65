// SPDX-License-Identifier: MIT
//
// A number in the prose that a reader can draw, to change the picture of a widget on the same page:
//
//     We ask for [512 pages]{drag=first-fit.count min=64 max=2048 step=64} aligned to …
//
// `first-fit` is the widget's id and `count` a number of its scenario, which must be the number that is printed: without
// JavaScript and on paper the text stands as it is.
import type MarkdownIt from 'markdown-it'
import { escapeHtml } from '../html.ts'
import { fill } from '../client/fill.ts'
import type { SiteText } from '../languages.ts'
import { readWidget, type ReadWidget } from '../widgets/fence.ts'
import { failAt, fenceWords, type Where } from './fence_info.ts'

const SYNTAX =
  /^\[([^\]\d]*)(\d+)([^\]\d]*)\]\{drag=([a-z0-9-]+)\.([a-z_]+) min=(\d+) max=(\d+)(?: step=(\d+))?\}/i

/** What stands in the Markdown. */
interface Draggable {
  /** The text, with # for the number. */
  readonly text: string
  readonly value: number
  readonly id: string
  readonly parameter: string
  readonly min: number
  readonly max: number
  readonly step: number
}

function read(source: string): { found: Draggable; length: number } | null {
  const match = SYNTAX.exec(source)
  if (!match) return null
  const [whole, before = '', value, after = '', id = '', parameter = '', min, max, step = '1'] = match
  const numbers = { value: Number(value), min: Number(min), max: Number(max), step: Number(step) }
  return { found: { text: `${before}#${after}`, id, parameter, ...numbers }, length: whole.length }
}

function numberHtml(found: Draggable, title: string, words: SiteText): string {
  const { text, value, id, parameter, min, max, step } = found
  const label = fill(words.draggable, { title })
  const data = Object.entries({ drag: `${id}.${parameter}`, text, value, min, max, step, label })
    .map(([name, each]) => ` data-${name}="${escapeHtml(String(each))}"`)
    .join('')
  return `<contig-number${data}><span>${escapeHtml(text.replace('#', String(value)))}</span></contig-number>`
}

function check(
  { value, id, parameter, min, max, step }: Draggable,
  widget: ReadWidget | undefined,
  where: Where,
): void {
  const fail = (text: string): never => failAt(where, 'draggable', text)
  if (!widget) return fail(`no widget '${id}' on this page for {drag=${id}.${parameter}}`)
  const has = widget.scenario[parameter]
  if (has !== value)
    fail(`the text says ${value}, and ${parameter} of widget ${id} is ${String(has)}; print what is run`)
  if (value < min || value > max || (value - min) % step !== 0)
    fail(`${value} is no step of min=${min} max=${max} step=${step}`)
}

/** Teaches Markdown the syntax above. `whereOf` gives the place of a 0-based line of the Markdown, `textOf` its words. */
export function useNumbers(
  markdown: MarkdownIt,
  whereOf: (env: unknown, line: number) => Where,
  textOf: (env: unknown) => SiteText,
): void {
  markdown.inline.ruler.before('link', 'draggable', (state, silent) => {
    if (state.src[state.pos] !== '[') return false
    const number = read(state.src.slice(state.pos, state.posMax))
    if (!number) return false
    if (!silent) state.push('draggable', 'contig-number', 0).meta = number.found
    state.pos += number.length
    return true
  })
  markdown.core.ruler.push('draggable', ({ tokens, env }) => {
    const widgets = new Map<string, ReadWidget>()
    for (const token of tokens) {
      if (token.type !== 'fence' || !token.info.startsWith('widget ')) continue
      const widget = readWidget(fenceWords(token.info), token.content, whereOf(env, token.map?.[0] ?? 0))
      widgets.set(widget.id, widget)
    }
    for (const token of tokens) {
      for (const child of token.children ?? []) {
        if (child.type !== 'draggable') continue
        const found = child.meta as Draggable
        const widget = widgets.get(found.id)
        check(found, widget, whereOf(env, token.map?.[0] ?? 0))
        child.content = numberHtml(found, widget!.title, textOf(env))
      }
    }
  })
  markdown.renderer.rules['draggable'] = (tokens, index) => tokens[index]!.content
}
