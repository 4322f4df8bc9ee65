// SPDX-License-Identifier: MIT
//
// The chapters in figures: what each has of words, listings, cells, pictures, exercises and labs.
import { loadExercises } from '../code/exercise/catalog.ts'
import { listLabs } from '../code/lab/lab_list.ts'
import { extractCells } from '../site/cells/cells.ts'
import { frontMatterLines } from '../site/data/front_matter.ts'
import { proseLines } from '../site/markdown/prose_lines.ts'
import { readFences } from '../site/weave/fences.ts'
import type { Chapter } from '../site/weave/types.ts'
import { loadWeave } from '../site/weave/weave.ts'

export interface ChapterFigures {
  readonly slug: string
  readonly number: number | null
  readonly title: string
  readonly planned: boolean
  readonly words: number
  /** Listings that are shown, and their lines; a recall counts as shown. */
  readonly listings: number
  readonly lines: number
  readonly folded: number
  readonly cells: number
  /** Mermaid diagrams and memory maps. */
  readonly diagrams: number
  /** Exercises of all kinds, and of those the questions. */
  readonly exercises: number
  readonly questions: number
  readonly labs: number
}

/** Words of running text, tables and lists included; a span of code is one word. */
export function wordsOf(markdown: string): number {
  const lines = proseLines(markdown, 'X').slice(frontMatterLines(markdown))
  return (
    lines
      .join('\n')
      .replace(/\[\^[^\]]+\]|\]\([^)]*\)|<[^>]*>|^\|[\s:|-]+\|$/gm, ' ')
      .match(/[\p{L}\p{N}][\p{L}\p{N}'’_-]*/gu)?.length ?? 0
  )
}

export function chapterFigures(root: string): ChapterFigures[] {
  const weave = loadWeave(root)
  const exercises = loadExercises(root)
  const labs = listLabs(root)
  const figuresOf = ({ slug, number, title, planned, markdown, file, fences }: Chapter): ChapterFigures => {
    const shown = fences.filter(({ fold, name }) => fold === null && weave.regions.has(name))
    const ours = exercises.filter(({ chapter }) => chapter.slug === slug)
    return {
      ...{ slug, number, title, planned },
      words: wordsOf(markdown),
      listings: shown.length,
      lines: shown.reduce((sum, { name }) => sum + weave.listing(name).sourceLines.length, 0),
      folded: fences.filter(({ fold }) => fold !== null).length,
      cells: extractCells(markdown, file).cells.length,
      diagrams: readFences(markdown).filter(({ info }) => ['mermaid', 'memory-map'].includes(info.lang))
        .length,
      exercises: ours.length,
      questions: ours.filter(({ kind }) => String(kind) === 'question').length,
      labs: labs.filter((lab) => lab.file.startsWith(`chapters/${slug}/`)).length,
    }
  }
  return weave.chapters.map(figuresOf)
}

const COLUMNS = [
  'words',
  'listings',
  'lines',
  'folded',
  'cells',
  'diagrams',
  'exercises',
  'questions',
  'labs',
] as const

/** The figures as a table of text, a row a chapter, with a row of sums. */
export function formatFigures(figures: readonly ChapterFigures[]): string {
  const sums = COLUMNS.map((column) => figures.reduce((sum, row) => sum + row[column], 0))
  const rows = [
    ['', 'chapter', ...COLUMNS],
    ...figures.map((row) => [
      String(row.number ?? ''),
      row.planned ? `${row.title} (planned)` : row.title,
      ...COLUMNS.map((column) => String(row[column])),
    ]),
    ['', 'all', ...sums.map(String)],
  ]
  // A Chinese character is as wide as two letters.
  const width = (cell: string): number => [...cell].length + (cell.match(/\p{Script=Han}/gu)?.length ?? 0)
  const widths = rows[0]!.map((_cell, at) => Math.max(...rows.map((row) => width(row[at]!))))
  const blanks = (cell: string, at: number): string => ' '.repeat(widths[at]! - width(cell))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 1 ? cell + blanks(cell, at) : blanks(cell, at) + cell))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n') + '\n'
}
