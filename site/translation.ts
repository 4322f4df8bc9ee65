// SPDX-License-Identifier: MIT
//
// What a translation must have: a row for every chapter of the book, and fences that show what there is. It need not tell
// everything; what it does not tell yet is told by the original.
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import type { Rendition } from './renditions.ts'
import { checkFences } from './weave/check.ts'

/** Rules: `translation-row`, a chapter of the book without a row in its book.json, and those of the weave. */
export function checkTranslation({ weave, folder }: Rendition): Diagnostic[] {
  const without = weave.original.filter(({ slug }) => !weave.chapters.some((other) => other.slug === slug))
  const rows = without.map(({ slug }) => ({
    rule: 'translation-row',
    severity: 'error' as const,
    file: `chapters/${folder}book.json`,
    line: 0,
    column: 0,
    text: `no row has the slug ${slug}`,
    note: 'Give it one with its title; until its text is written, the contents lead to the original.',
  }))
  const own = weave.diagnostics.filter(({ file }) => file.startsWith(`chapters/${folder}`))
  return [...own, ...rows, ...checkFences(weave)]
}
