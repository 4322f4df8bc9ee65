// SPDX-License-Identifier: MIT
//
// Code → HTML, a string a line, so that a caller may put a link, an anchor or a marker between any two lines. Made once
// (`createHighlight`), then synchronous, because markdown-it is.
import { createHighlighterCore, type LanguageRegistration } from 'shiki/core'
import { createOnigurumaEngine } from 'shiki/engine/oniguruma'
import { bundledLanguages } from 'shiki/langs'
import { escapeHtml } from '../html.ts'
import devicetree from './devicetree.tmLanguage.json'
import { classOfColor, theme } from './theme.ts'

/** The words that may follow the backticks of a fence, and the grammar that each means. */
const GRAMMARS: Record<string, string | null> = {
  ts: 'typescript',
  js: 'javascript',
  c: 'c',
  dts: 'devicetree',
  sh: 'shellscript',
  json: 'json',
  yaml: 'yaml',
  diff: 'diff',
  make: 'make',
  console: null,
  text: null,
  output: null,
}

export interface Highlight {
  /** Whether a fence may name this language. */
  readonly knows: (language: string) => boolean
  /**
   * The lines of `code` as HTML, without line breaks. `language` is a word of a fence; an unknown one throws.
   * @cost a grammar's run over the code; the same code is remembered
   */
  readonly lines: (code: string, language: string) => readonly string[]
}

/** The language of a file by the end of its name, as a fence would name it. */
export function languageOfFile(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1)
  if (/^(Makefile|Kbuild)/.test(name)) return 'make'
  const ending = name.slice(name.lastIndexOf('.') + 1)
  const byEnding: Record<string, string> = { h: 'c', dtsi: 'dts', dtso: 'dts', yml: 'yaml', mjs: 'js' }
  const language = byEnding[ending] ?? ending
  return language in GRAMMARS ? language : 'text'
}

/** A transcript: what was typed stands out from what was answered. */
function consoleLine(line: string): string {
  const typed = /^((?:[\w@:~/.-]*)?[$#] )(.*)$/.exec(line)
  if (!typed) return escapeHtml(line)
  return `<span class="hl-c">${escapeHtml(typed[1]!)}</span><span class="hl-typed">${escapeHtml(typed[2]!)}</span>`
}

export async function createHighlight(): Promise<Highlight> {
  const grammars = Object.values(GRAMMARS).filter((name) => name !== null && name !== 'devicetree')
  const shiki = await createHighlighterCore({
    themes: [theme],
    langs: [
      ...grammars.map((name) => bundledLanguages[name as keyof typeof bundledLanguages]),
      devicetree as unknown as LanguageRegistration,
    ],
    engine: createOnigurumaEngine(import('shiki/wasm')),
  })
  const remembered = new Map<string, readonly string[]>()

  const tokenLines = (code: string, grammar: string): string[] =>
    // Without a limit of time: on a busy machine a line would lose its colours, and the pages would differ.
    shiki
      .codeToTokensBase(code, { lang: grammar, theme: 'contiguous', tokenizeTimeLimit: 0 })
      .map((tokens) => {
        let html = ''
        let open = ''
        for (const token of tokens) {
          const kind = token.content.trim() === '' ? open : classOfColor(token.color)
          if (kind !== open) html += (open ? '</span>' : '') + (kind ? `<span class="${kind}">` : '')
          open = kind
          html += escapeHtml(token.content)
        }
        return html + (open ? '</span>' : '')
      })

  return {
    knows: (language) => language in GRAMMARS,
    lines(code, language) {
      const grammar = GRAMMARS[language]
      if (grammar === undefined) {
        throw new Error(
          `no grammar for a fence of '${language}', expected one of ${Object.keys(GRAMMARS).join(', ')}`,
        )
      }
      const key = `${language}\n${code}`
      const known = remembered.get(key)
      if (known) return known
      const text = code.replace(/\n$/, '')
      const lines =
        grammar !== null
          ? tokenLines(text, grammar)
          : text.split('\n').map(language === 'console' ? consoleLine : escapeHtml)
      remembered.set(key, lines)
      return lines
    },
  }
}
