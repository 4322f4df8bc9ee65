// SPDX-License-Identifier: MIT
//
// The fences of a chapter. The info string after the three backticks is a language, then words `key=value`,
// `key="a value with blanks"` or `key`, then perhaps the lines to highlight:
//
//     ```ts weave=memblock-add {4-5,9}        ```ts recall=memblock-add        ```ts run id=two-regions
//     ```ts weave=memblock-create fold="An allocator with two empty lists."
//
// Markdown is read by markdown-it, because only a Markdown parser knows which backticks open a fence.
import MarkdownIt from 'markdown-it'
import type { Diagnostic } from '../../code/lib/diagnostic.ts'
import type { Fence } from './types.ts'

const markdown = new MarkdownIt({ html: true })

export interface FenceInfo {
  readonly lang: string
  /** `run` without a value maps to the empty string. */
  readonly words: ReadonlyMap<string, string>
  readonly highlight: readonly number[]
  /** What could not be read, word by word. */
  readonly unread: readonly string[]
}

/** Cuts an info string into language, words and highlighted lines. */
export function parseFenceInfo(info: string): FenceInfo {
  const words = new Map<string, string>()
  const highlight = new Set<number>()
  const unread: string[] = []
  const [lang = '', ...rest] = info.trim().match(/\{[^}]*\}?|[a-z]+="[^"]*"|\S+/g) ?? []
  for (const word of rest) {
    if (word.startsWith('{')) {
      if (!addLines(word, highlight)) unread.push(word)
      continue
    }
    const match = /^([a-z]+)(?:=(?:"([^"]*)"|([^"\s]\S*)))?$/.exec(word)
    if (match?.[1] && !words.has(match[1])) words.set(match[1], (match[2] ?? match[3] ?? '').trim())
    else unread.push(word)
  }
  return { lang, words, highlight: [...highlight].sort((a, b) => a - b), unread }
}

/** Adds the lines of `{4-5,9}`; false when it is not of that form. */
function addLines(word: string, lines: Set<number>): boolean {
  if (!/^\{\d+(-\d+)?(,\s*\d+(-\d+)?)*\}$/.test(word)) return false
  for (const range of word.slice(1, -1).split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number)
    if (first < 1 || last < first || last > 10_000) return false
    for (let line = first; line <= last; line += 1) lines.add(line)
  }
  return true
}

/** A fence as it stands in the Markdown, of whatever kind. */
export interface RawFence {
  readonly info: FenceInfo
  /** 1-based lines of the opening and the closing fence. */
  readonly line: number
  readonly endLine: number
  /** 1-based column at which the info string begins. */
  readonly column: number
  readonly content: string
  /** The fence itself, three backticks or more, and what stands before it on its line. */
  readonly markup: string
  readonly indent: string
  /** True when nothing stands between it and the fence before it. */
  readonly follows: boolean
}

/** Front matter would be read as a heading: its lines are blanked, and keep their numbers. */
function withoutFrontMatter(text: string): string {
  const match = /^---\r?\n[\s\S]*?\r?\n---[ \t]*(?:\r?\n|$)/.exec(text)
  return match ? match[0].replace(/[^\n]/g, '') + text.slice(match[0].length) : text
}

/** Every fence of a Markdown text, in order. */
export function readFences(text: string): RawFence[] {
  if (!text.includes('```') && !text.includes('~~~')) return []
  const lines = text.split('\n')
  const tokens = markdown.parse(withoutFrontMatter(text), {})
  return tokens.flatMap((token, index) => {
    if (token.type !== 'fence' || !token.map) return []
    const line = token.map[0] + 1
    const opening = lines[line - 1] ?? ''
    const start = Math.max(opening.indexOf(token.markup), 0)
    return {
      info: parseFenceInfo(token.info),
      line,
      endLine: token.map[1],
      column: start + token.markup.length + 1,
      content: token.content,
      markup: token.markup,
      indent: opening.slice(0, start),
      follows: tokens[index - 1]?.type === 'fence',
    }
  })
}

/** Fewer words than this say nothing of what a folded listing holds. */
const FOLD_WORDS = 3

/**
 * The fences that show regions. Rules: `fence-syntax` (an info string that can be read in two ways or in none),
 * `fold-text` (a listing is folded without a sentence that says what it holds).
 */
export function weaveFences(text: string, file: string) {
  const fences: Fence[] = []
  const diagnostics: Diagnostic[] = []
  const lines = text.split('\n')
  for (const raw of readFences(text)) {
    const { lang, words, highlight, unread } = raw.info
    const kinds = (['weave', 'recall'] as const).filter((kind) => words.has(kind))
    const [kind] = kinds
    if (!kind) continue
    const name = words.get(kind) ?? ''
    const fold = words.get('fold') ?? null
    const opening = lines[raw.line - 1] ?? ''
    const column = Math.max(opening.search(/\b(?:weave|recall)\b/), 0) + 1
    const report = (rule: string, at: number, text: string, note: string) =>
      diagnostics.push({ rule, severity: 'error', file, line: raw.line, column: at, text, note })

    // What is folded shows no line that could be marked, and what was folded once is not shown again.
    const foldable = kind === 'weave' && highlight.length === 0
    const strange = [...words.keys()].filter((word) => word !== kind && !(word === 'fold' && foldable))
    if (name === '' || unread.length > 0 || strange.length > 0) {
      const what =
        name === '' ? `${kind} without a name` : `unknown words ${[...strange, ...unread].join(' ')}`
      const note =
        'Write ```ts weave=name {4-5}, ```ts weave=name fold="What it holds." or ```ts recall=name.'
      report('fence-syntax', column, `fence of a listing: ${what}`, note)
    } else if (fold !== null && fold.split(/\s+/).length < FOLD_WORDS) {
      const text = `the listing of ${name} is folded without a sentence, got "${fold}"`
      const note = 'Say what it holds: fold="An allocator with two empty lists."'
      report('fold-text', opening.search(/\bfold\b/) + 1, text, note)
    }
    if (name !== '')
      fences.push({ kind, name, lang, file, line: raw.line, column, highlight, fold, content: raw.content })
  }
  return { fences, diagnostics }
}
