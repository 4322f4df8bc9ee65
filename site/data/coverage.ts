// SPDX-License-Identifier: MIT
//
// The coverage of the source articles as a table: a row a mechanism, a cell a place.
import { type Coverage, hasPlace, type Mechanism, type PlaceName, PLACES } from '../coverage/coverage.ts'
import { escapeHtml } from '../html.ts'
import { FIRST as text } from '../languages.ts'
import { sentenceHtml } from '../markdown/sentence.ts'
import { chapterUrl, sourceUrl } from '../paths.ts'
import type { Chapter } from '../weave/types.ts'

export interface CoverageRow {
  readonly seed: string
  readonly nameHtml: string
  /** HTML of the cells, in the order of PLACES. */
  readonly cells: readonly string[]
}

const link = (url: string, html: string): string => `<a href="${escapeHtml(url)}">${html}</a>`
const code = (text: string): string => `<code>${escapeHtml(text)}</code>`

const CELLS: Record<PlaceName, (mechanism: Mechanism, chapterName: (slug: string) => string) => string> = {
  section: ({ section }, chapterName) =>
    link(`${chapterUrl(section!.chapter)}#${section!.anchor}`, escapeHtml(chapterName(section!.chapter))),
  model: ({ model }) => link(sourceUrl(model!.file), code(model!.name)),
  module: ({ module, observable }) =>
    module ? link(sourceUrl(module.file), code(module.symbol)) : code(observable!.text),
  exercise: ({ exercise }) => code(exercise ?? ''),
  lab: ({ lab }) => code(lab!.name),
}

export function coverageRows(coverage: Coverage, chapters: readonly Chapter[]): CoverageRow[] {
  const chapterName = (slug: string): string => {
    const chapter = chapters.find((other) => other.slug === slug)
    return chapter?.number ? `${text.chapter} ${chapter.number}` : (chapter?.title ?? slug)
  }
  return coverage.mechanisms.map((mechanism) => ({
    seed: mechanism.seed,
    nameHtml: sentenceHtml(mechanism.name),
    cells: PLACES.map((place) =>
      hasPlace(mechanism, place)
        ? CELLS[place](mechanism, chapterName)
        : `<span class="owed">${text.planned}, ${escapeHtml(chapterName(mechanism.planned?.[place] ?? ''))}</span>`,
    ),
  }))
}
