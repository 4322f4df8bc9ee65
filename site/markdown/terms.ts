// SPDX-License-Identifier: MIT
//
// Terms: bold in running text where a chapter defines them, once in the book. The glossary's rows lead there.
import { frontMatterLines } from '../data/front_matter.ts'
import type { Chapter } from '../weave/types.ts'
import { proseLines } from './prose_lines.ts'
import { slugOf } from './slug.ts'

export const GLOSSARY = 'chapters/glossary.md'

/** What stands for a character of code: a capital, since code may begin a sentence. */
const FILL = 'X'

/** Lines that are running text, blockquotes without their marker; empty strings in the place of all others. */
export function sentences(markdown: string): string[] {
  const skip = frontMatterLines(markdown)
  let list = false
  return proseLines(markdown, FILL).map((line, index) => {
    const text = line.replace(/^> ?/, '')
    if (text.trim() === '') list = false
    if (/^\s*(?:[-*+]|\d+[.)]) /.test(text)) list = true
    const other = /^\s*(?:#|\||<|:::|\[\^[^\]]+\]:|\[!|!\[|---)|^ {4}/.test(text)
    return index < skip || list || other ? '' : text.trimEnd()
  })
}

export interface BoldTerm {
  readonly term: string
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The terms that a chapter defines: bold in running text. What ends with a full stop is the heading of its paragraph. */
export function boldTerms(file: string, markdown: string): BoldTerm[] {
  return sentences(markdown).flatMap((line, index) =>
    [...line.matchAll(/\*\*([^*]+)\*\*/g)]
      .filter((match) => !match[1]!.includes(FILL.repeat(2)) && !/[.?]$/.test(match[1]!))
      .map((match) => ({ term: match[1]!, file, line: index + 1, column: match.index + 1 })),
  )
}

/** How terms are compared: lower case, one blank between words, without the s of a plural. */
export const termKey = (term: string): string =>
  term
    .toLowerCase()
    .replace(/[`.,:;]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/(?<=[^s])s$/, '')

/** The id of a term's definition in its page. */
export const termAnchor = (term: string): string => `term-${slugOf(termKey(term))}`

/** The address of each definition, by the key of its term. */
export function definitions(chapters: readonly Chapter[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const { url, file, markdown } of chapters) {
    for (const { term } of boldTerms(file, markdown)) {
      const key = termKey(term)
      if (!found.has(key)) found.set(key, `${url}#${termAnchor(term)}`)
    }
  }
  return found
}
