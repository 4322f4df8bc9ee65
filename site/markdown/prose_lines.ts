// SPDX-License-Identifier: MIT
//
// The lines of a Markdown text without what is not prose: fences are blanked, and spans of code too. Lines and columns stay
// what they are.
import { readFences } from '../weave/fences.ts'

/** A span of code in a line, with as many backticks at its end as at its beginning. */
const CODE = /(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g

/** `fill` stands for each character of a span of code: a blank, or a letter where a word is to stand for it. */
export function proseLines(markdown: string, fill = ' '): string[] {
  const lines = markdown.split('\n')
  for (const { line, endLine } of readFences(markdown)) lines.fill('', line - 1, endLine)
  return lines.map((line) => line.replace(CODE, (code) => fill.repeat(code.length)))
}
