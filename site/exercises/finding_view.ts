// SPDX-License-Identifier: MIT
//
// The findings of a check as a list: where, what, what shows it, what to read again.
import type { Finding } from '../../code/exercise/check.ts'
import { siteUrl } from '../client/site_url.ts'
import { fill } from '../client/words.ts'
import { slugOf } from '../markdown/slug.ts'
import type { ExerciseWords } from '../text/en_exercises.ts'
import { button, make, said } from './parts.ts'

const EVIDENCE_LINES = 16

export interface Shown {
  readonly words: ExerciseWords
  /** The chapter's page, from the site's top. */
  readonly chapter: string
  /** Takes the reader to a line; null where there is none. */
  readonly goTo: ((line: number, text: string) => void) | null
}

/** Evidence, and lines that are too many. */
export function evidenceOf(lines: readonly string[], words: ExerciseWords): HTMLElement {
  const over = lines.length - EVIDENCE_LINES
  const more = over > 0 ? [fill(words.moreLines, { count: over })] : []
  return said([...lines.slice(0, EVIDENCE_LINES), ...more], words.result)
}

function item({ rule, text, line, note, evidence = [], read }: Finding, shown: Shown): HTMLLIElement {
  const { words, chapter, goTo } = shown
  const where =
    line > 0 && goTo
      ? [button(fill(words.line, { line }), 'exercise-where', () => goTo(line, text)), ' ']
      : line > 0
        ? [`${fill(words.line, { line })} `]
        : []
  const parts: Node[] = [make('p', {}, ...where, text, ' ', make('code', { class: 'exercise-rule' }, rule))]
  if (note !== undefined) parts.push(make('p', { class: 'exercise-note' }, note))
  if (evidence.length > 0) parts.push(evidenceOf(evidence, words))
  if (read !== undefined) {
    const link = make(
      'a',
      { href: `${siteUrl(chapter).href}#${slugOf(read)}` },
      `“${read.replaceAll('`', '')}”`,
    )
    parts.push(make('p', { class: 'exercise-read' }, `${words.readAgain} `, link))
  }
  return make('li', {}, ...parts)
}

export function findingList(findings: readonly Finding[], shown: Shown): HTMLUListElement {
  return make('ul', { class: 'exercise-findings' }, ...findings.map((finding) => item(finding, shown)))
}
