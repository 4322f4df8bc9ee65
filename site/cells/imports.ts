// SPDX-License-Identifier: MIT
//
// The imports of a cell: `contiguous/mm/memblock` becomes the address of the built model, here and in Node alike, and
// anything else is refused before it runs. Import maps do not reach workers, so the text itself is rewritten; only the
// text between the quotes changes, so that lines stay where they are.
//
// Reading JavaScript whole would be a parser's work. It is enough to know where comments, strings, templates and
// regular expressions are, and to look at the words between them.

import { nearestWord } from '../../code/lib/nearest_word.ts'
import { fill } from '../client/fill.ts'
import type { CellWords } from './cell_words.ts'

export interface ImportSite {
  readonly specifier: string
  /** Offset of the statement's first word. */
  readonly from: number
  /** Offsets of the text between the quotes. */
  readonly start: number
  readonly end: number
  readonly line: number
  /** `import(…)`, not a statement. */
  readonly called: boolean
}

/** A mistake in a cell that was found before it ran. */
export class CellMistake extends Error {
  readonly line: number
  constructor(text: string, line: number) {
    super(text)
    this.name = 'CellMistake'
    this.line = line
  }
}

interface Token {
  /** `word`, `string`, or one character of punctuation. */
  kind: string
  text: string
  start: number
}

/** After one of these a slash divides; after anything else it opens a regular expression. */
function dividesAfter(token: Token | undefined): boolean {
  if (!token) return false
  if (token.kind === 'string' || token.kind === ')' || token.kind === ']' || token.kind === '}') return true
  return (
    token.kind === 'word' &&
    !/^(return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/.test(token.text)
  )
}

const SKIP = /\s+|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y
const WORD = /[\p{ID_Start}$_#0-9][\p{ID_Continue}$.\u200c\u200d]*/uy
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'?|"(?:[^"\\\n]|\\[\s\S])*"?/y
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const TEMPLATE = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y

function match(pattern: RegExp, code: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(code)?.[0] ?? ''
}

function tokens(code: string): Token[] {
  const found: Token[] = []
  // For every open brace whether it is the `${` of a template, whose text goes on after its end.
  const braces: boolean[] = []
  let at = 0
  const template = () => {
    at += match(TEMPLATE, code, at).length
    if (code[at] === '$') braces.push(true)
    at += code[at] === '$' ? 2 : 1
  }
  while (at < code.length) {
    const skip = match(SKIP, code, at)
    if (skip) {
      at += skip.length
      continue
    }
    const start = at
    const char = code[at] ?? ''
    const string = match(STRING, code, at)
    const word = string ? '' : match(WORD, code, at)
    if (string || word) {
      at += (string || word).length
      found.push({ kind: string ? 'string' : 'word', text: string || word, start })
    } else if (char === '`') {
      at += 1
      found.push({ kind: 'string', text: '`', start })
      template()
    } else if (char === '/' && !dividesAfter(found.at(-1)) && match(REGEX, code, at)) {
      at += match(REGEX, code, at).length
      found.push({ kind: 'string', text: '/', start })
    } else {
      at += 1
      if (char === '{') braces.push(false)
      if (char === '}' && braces.pop()) template()
      else found.push({ kind: char, text: char, start })
    }
  }
  return found
}

function lineAt(code: string, offset: number): number {
  let line = 1
  for (let at = code.indexOf('\n'); at >= 0 && at < offset; at = code.indexOf('\n', at + 1)) line += 1
  return line
}

/** The string token that names the module of an import or export beginning at `index`, if there is one. */
function specifierAfter(list: readonly Token[], index: number): Token | null {
  const next = list[index + 1]
  if (list[index]?.text === 'import' && next?.kind === 'string') return next
  let depth = 0
  for (let at = index + 1; at < list.length; at += 1) {
    const { kind, text } = list[at] as Token
    if (kind === '{') depth += 1
    else if (kind === '}') depth -= 1
    else if (kind === 'word' && text === 'from' && depth === 0 && list[at + 1]?.kind === 'string')
      return list[at + 1] ?? null
    else if (kind !== 'word' && kind !== ',' && kind !== '*' && kind !== 'string') return null
    else if (kind === 'word' && depth === 0 && /^(const|let|var|function|class|default|async)$/.test(text))
      return null
  }
  return null
}

/** Every import of a module, in order. Throws `CellMistake` at an import() of something that is not written out. */
export function findImports(code: string, words: Pick<CellWords, 'computed'>): ImportSite[] {
  const list = tokens(code)
  return list.flatMap((token, index) => {
    if (token.kind !== 'word' || (token.text !== 'import' && token.text !== 'export')) return []
    const before = list[index - 1]?.kind
    const after = list[index + 1]?.kind
    // `x.import` and `{ import: 1 }` are names like any other.
    if (before === '.' || after === ':') return []
    const line = lineAt(code, token.start)
    const called = token.text === 'import' && after === '('
    const named = called ? list[index + 2] : specifierAfter(list, index)
    if (called && (named?.kind !== 'string' || named.text.length < 2 || list[index + 3]?.kind !== ')')) {
      throw new CellMistake(words.computed, line)
    }
    if (!named) return []
    const text = named.text.slice(1, -1)
    const start = named.start + 1
    return [{ specifier: text, from: token.start, start, end: start + text.length, line, called }]
  })
}

/** The models that a cell may import, and where they are. */
export interface Models {
  readonly names: readonly string[]
  addressOf(specifier: string): string | null
}

/**
 * The code with every specifier replaced by its address, and the addresses. Throws `CellMistake` where there is none: a
 * cell imports models and nothing else.
 */
export function rewriteImports(
  code: string,
  { names, addressOf }: Models,
  words: Pick<CellWords, 'computed' | 'noModel'>,
) {
  const models: string[] = []
  let rewritten = ''
  let from = 0
  for (const site of findImports(code, words)) {
    const address = addressOf(site.specifier)
    if (address === null) {
      const near = nearestWord(site.specifier, names) ?? 'contiguous/mm/memblock'
      throw new CellMistake(fill(words.noModel, { name: site.specifier, near }), site.line)
    }
    rewritten += code.slice(from, site.start) + address
    from = site.end
    if (!models.includes(address)) models.push(address)
  }
  return { code: rewritten + code.slice(from), models }
}
