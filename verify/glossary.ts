// SPDX-License-Identifier: MIT
//
// chapters/glossary.md: one table, a row a term, so that the page is what the author wrote.
//
//     | English | 中文 | What it is |
//     | --- | --- | --- |
//     | page frame, frame | 页框 | A piece of physical memory of one page's size, known by its number. |
//
// The first name of a row is the term; others after a comma are forms of it. A term is bold where a chapter defines it, once
// in the book, and every bold term has its row.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { GLOSSARY, termKey } from '../site/markdown/terms.ts'
import { error } from './report.ts'

export interface Glossary {
  /** Every name of every term, as `termKey` spells it. */
  readonly keys: ReadonlySet<string>
  readonly terms: number
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Reads it; null while it is not written. Rules: `glossary-row` (not three cells with a Chinese name and a sentence),
 * `glossary-twice`, `glossary-empty` (no table of this form).
 */
export function readGlossary(root: string): Glossary | null {
  const path = join(root, GLOSSARY)
  return existsSync(path) ? parseGlossary(readFileSync(path, 'utf8')) : null
}

export function parseGlossary(text: string): Glossary {
  const diagnostics: Diagnostic[] = []
  const keys = new Set<string>()
  let terms = 0
  for (const [index, line] of text.split('\n').entries()) {
    if (!line.startsWith('|') || /^\|[\s:|-]+\|?\s*$/.test(line) || /^\| *English *\|/.test(line)) continue
    const report = (rule: string, text: string): number =>
      diagnostics.push(error(rule, GLOSSARY, index + 1, 1, text))
    const [names = '', chinese = '', sentence = '', ...more] = line
      .replace(/^\||\|\s*$/g, '')
      .split('|')
      .map((cell) => cell.trim())
    if (names === '' || !/\p{Script=Han}/u.test(chinese) || !/[.。]$/.test(sentence) || more.length > 0) {
      report('glossary-row', `expected | English | 中文 | a sentence with its full stop. |, got ${line}`)
      continue
    }
    terms += 1
    for (const key of names.split(',').map(termKey)) {
      if (keys.has(key)) report('glossary-twice', `“${key}” has a row already`)
      keys.add(key)
    }
  }
  if (terms === 0)
    diagnostics.push(error('glossary-empty', GLOSSARY, 1, 1, 'expected a table of terms, got none'))
  return { keys, terms, diagnostics }
}
