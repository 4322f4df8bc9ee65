// SPDX-License-Identifier: MIT
//
// The sentences of the cells, in the page's language: `scripts.cells` of site/text/. Node, where a cell of the book is
// checked, says them in English.
import { fill } from '../client/fill.ts'
import type { SiteText } from '../text/en.ts'
import type { CellEnd } from './types.ts'

export type CellWords = Readonly<Record<keyof SiteText['scripts']['cells'], string>>

/** What is said of a run that ended; `ms` is how long it took. */
export function sentenceOf(end: CellEnd, ms: number, words: CellWords): string {
  switch (end.kind) {
    case 'done':
      return fill(words.ran, { ms: Math.max(1, Math.round(ms)) })
    case 'error':
      return end.line > 0 ? fill(words.line, { line: end.line, text: end.text }) : end.text
    case 'time':
      return fill(words.time, { seconds: end.limitMs / 1000 })
    case 'output':
      return fill(words.flood, { kib: end.limitBytes / 1024 })
    case 'stopped':
      return words.stopped
  }
}
