// SPDX-License-Identifier: MIT
//
// How chapters are written, as far as a machine can see it: one sentence a source line, no word that says nothing, bold for
// a term where it is defined. Code, tables, lists and headings are not sentences.
import { proseLines } from '../site/markdown/prose_lines.ts'
import { type BoldTerm, boldTerms, GLOSSARY, sentences, termKey } from '../site/markdown/terms.ts'
import { readChapters } from '../site/weave/chapters.ts'
import type { Chapter } from '../site/weave/types.ts'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { type Glossary, readGlossary } from './glossary.ts'
import { type CheckContext, type CheckReport, error } from './report.ts'

/** They promise that a thing is easy, or announce what could be said. */
export const WEASELS = [
  ...['simply', 'just', 'obviously', 'basically', 'actually', 'trivially', 'of course', 'needless to say'],
  ...[
    'note that',
    'it should be noted',
    'it is important to',
    'as you can see',
    'as mentioned',
    'in order to',
  ],
]
const WEASEL = new RegExp(`\\b(?:${WEASELS.join('|').replaceAll(' ', '\\s+')})\\b`, 'gi')

/** A full stop with closing quotes and footnotes behind it, then the beginning of another sentence. */
const SECOND = /(?<=[\p{L}\p{N})\]”"'’%])[.?!][)”"'’]*(?:\[\^[^\]]+\])* +(?=["“‘(]?[\p{Lu}])/gu
const ABBREVIATION = /\b(?:e\.g|i\.e|etc|cf|vs|no|fig|p|pp|St)$/i
const ENDS = /[.?!:…][)”"'’*_]*(?:\[\^[^\]]+\])*$/

/** Rules: `prose-sentence` (a second one on a line), `prose-line` (a sentence goes on in the next line), `prose-weasel`. */
export function checkProse(file: string, markdown: string): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const lines = sentences(markdown)
  for (const [index, line] of lines.entries()) {
    const at = (rule: string, column: number, text: string, note: string): number =>
      diagnostics.push(error(rule, file, index + 1, column, text, note))
    for (const match of line.matchAll(SECOND)) {
      if (ABBREVIATION.test(line.slice(0, match.index))) continue
      at(
        'prose-sentence',
        match.index + match[0].length + 1,
        'a second sentence begins on this line',
        'One sentence a source line.',
      )
    }
    if (line !== '' && (lines[index + 1] ?? '') !== '' && !ENDS.test(line)) {
      at('prose-line', line.length, 'the sentence goes on in the next line', 'One sentence a source line.')
    }
  }
  for (const [index, line] of proseLines(markdown).entries()) {
    for (const match of line.matchAll(WEASEL)) {
      const text = `“${match[0]}” says nothing`
      diagnostics.push(error('prose-weasel', file, index + 1, match.index + 1, text, 'Leave it out.'))
    }
  }
  return diagnostics
}

/** Rules: `prose-bold` (no row of the glossary), `prose-bold-twice` (the term is defined before). */
export function checkBold(terms: readonly BoldTerm[], glossary: Glossary | null): Diagnostic[] {
  const first = new Map<string, BoldTerm>()
  return terms.flatMap(({ term, file, line, column }) => {
    const key = termKey(term)
    const before = first.get(key)
    if (before) {
      const text = `“${term}” is bold already at ${before.file}:${before.line}`
      return error('prose-bold-twice', file, line, column, text, 'Bold is for the first definition.')
    }
    first.set(key, { term, file, line, column })
    if (!glossary || glossary.keys.has(key)) return []
    const note = 'Give it a row, or take the asterisks away.'
    return error('prose-bold', file, line, column, `“${term}” is not in ${GLOSSARY}`, note)
  })
}

export function proseReport({ root }: CheckContext): CheckReport {
  const written = readChapters(root).chapters.filter(
    (chapter: Chapter) => !chapter.planned && chapter.file !== GLOSSARY,
  )
  const glossary = readGlossary(root)
  const terms = written.flatMap(({ file, markdown }) => boldTerms(file, markdown))
  return {
    diagnostics: [
      ...written.flatMap(({ file, markdown }) => checkProse(file, markdown)),
      ...checkBold(terms, glossary),
      ...(glossary?.diagnostics ?? []),
    ],
    counts: {
      chapters: written.length,
      sentences: written.flatMap(({ markdown }) => sentences(markdown).filter((line) => line !== '')).length,
      'bold terms': terms.length,
      'glossary terms': glossary?.terms ?? 0,
    },
    skipped: glossary ? [] : [`bold terms against the glossary: ${GLOSSARY} is not written`],
  }
}
