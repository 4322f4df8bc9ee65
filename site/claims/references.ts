// SPDX-License-Identifier: MIT
//
// The footnotes that a chapter refers to, `[^id]`, and those that it writes out itself, `[^id]: text`. Code is passed over.
import { proseLines } from '../markdown/prose_lines.ts'

export interface Reference {
  readonly id: string
  /** Both 1-based. */
  readonly line: number
  readonly column: number
}

export function footnotesIn(markdown: string): { references: Reference[]; definitions: Reference[] } {
  const references: Reference[] = []
  const definitions: Reference[] = []
  for (const [index, text] of proseLines(markdown).entries()) {
    for (const match of text.matchAll(/\[\^([^\]\s]+)\](:?)/g)) {
      const place = { id: match[1]!, line: index + 1, column: match.index + 1 }
      const defines = match[2] === ':' && /^ {0,3}$/.test(text.slice(0, match.index))
      if (defines) definitions.push(place)
      else references.push(place)
    }
  }
  return { references, definitions }
}
