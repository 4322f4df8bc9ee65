// SPDX-License-Identifier: MIT
//
// The pages of the exercises as the templates see them: one each, and one of all. What a reader has not asked for yet,
// hints and solutions, is written into files of its own, which the page fetches.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { askOne } from '../../code/exercise/ask.ts'
import { loadExercises, type Exercise } from '../../code/exercise/catalog.ts'
import { readHints } from '../../code/exercise/hints.ts'
import { answerForm } from '../../code/exercise/question.ts'
import { courseVersion, exerciseDigest } from '../../code/exercise/results.ts'
import { readWhy } from '../../code/exercise/solution.ts'
import type { CellAssets } from '../cells/types.ts'
import { fill } from '../client/fill.ts'
import { languageOfFile, type Highlight } from '../highlight/highlight.ts'
import { FIRST } from '../languages.ts'
import { codeBlock } from '../markdown/listing.ts'
import { chapterUrl, exerciseUrl } from '../paths.ts'
import { buildChecks, writeData } from './build.ts'
import { createTexts, type Fence } from './markdown.ts'
import type { CatalogFile, HintsFile, SolutionFile } from './types.ts'

/** The seed of the question that stands in its page. */
export const PRINTED_SEED = 1

export interface ExercisePage {
  readonly id: string
  readonly number: string
  readonly title: string
  readonly url: string
  readonly kind: Exercise['kind']
  readonly about: string
  readonly facts: string
  readonly chapter: { readonly number: number; readonly title: string; readonly url: string }
  readonly after: readonly { readonly title: string; readonly url: string }[]
  readonly taskHtml: string
  /** The shipped file; null of a question. */
  readonly file: { readonly name: string; readonly html: string } | null
  /** Of a question: what to answer with. */
  readonly form: string
  readonly seed: number
  /** Addresses from the site's top. */
  readonly check: string
  readonly hints: string
  readonly solution: string
  readonly previous: { readonly title: string; readonly url: string } | null
  readonly next: { readonly title: string; readonly url: string } | null
}

export interface ExerciseChapter {
  readonly number: number
  readonly title: string
  readonly url: string
  readonly exercises: readonly ExercisePage[]
}

export interface ExercisePages {
  readonly pages: readonly ExercisePage[]
  readonly chapters: readonly ExerciseChapter[]
  /** Address of the catalog for export and import. */
  readonly catalog: string
  /** Every file that the checks were made from, paths from the root. */
  readonly inputs: readonly string[]
}

export interface ExerciseBuild {
  readonly root: string
  readonly outDir: string
  readonly highlight: Highlight
  readonly cellAssets: CellAssets
}

function highlighted(highlight: Highlight): Fence {
  return (code, word) => {
    const lang = word !== '' && highlight.knows(word) ? word : 'text'
    return codeBlock(highlight.lines(code.replace(/\n$/, ''), lang), {
      lang,
      label: fill(FIRST.code, { lang }),
    })
  }
}

function listing(highlight: Highlight, path: string, name: string): string {
  const lang = languageOfFile(name)
  const code = readFileSync(path, 'utf8').replace(/\n$/, '')
  return codeBlock(highlight.lines(code, lang), { lang, label: name })
}

function writeHelps(
  exercise: Exercise,
  { outDir, highlight }: ExerciseBuild,
): { hints: string; solution: string } {
  const { id, path, files } = exercise
  const texts = createTexts(highlighted(highlight))
  const hints: HintsFile = { hints: readHints(exercise).map(texts) }
  const solution: SolutionFile = {
    why: texts(readWhy(exercise)),
    files: files.map((name) => ({ name, html: listing(highlight, join(path, 'solution', name), name) })),
  }
  return {
    hints: writeData(outDir, `${id}-hints`, hints),
    solution: writeData(outDir, `${id}-solution`, solution),
  }
}

async function taskOf(
  exercise: Exercise,
  { root, highlight }: ExerciseBuild,
): Promise<{ taskHtml: string; form: string }> {
  if (exercise.kind === 'question') {
    const { text, kind } = await askOne(exercise, { root, seed: PRINTED_SEED })
    // As the page itself renders the next one.
    return { taskHtml: createTexts()(text), form: answerForm(kind) }
  }
  // The page has the title already.
  const task = readFileSync(join(exercise.path, 'task.md'), 'utf8').replace(/^# .*\n/, '')
  return { taskHtml: createTexts(highlighted(highlight))(task), form: '' }
}

const nameOf = (exercise: Exercise | undefined): { title: string; url: string } | null =>
  exercise ? { title: exercise.title, url: exerciseUrl(exercise) } : null

export function factsOf({
  kind,
  minutes,
  difficulty,
}: Pick<Exercise, 'kind' | 'minutes' | 'difficulty'>): string[] {
  const { kinds, minutes: unit, difficulty: word } = FIRST.exercises
  return [kinds[kind], `${minutes} ${unit}`, `${word} ${difficulty}`]
}

/** False of a sample of the site for its tests. */
export function hasExercises(root: string): boolean {
  return loadExercises(root).length > 0
}

/** Reads the exercises of the book, writes what their pages fetch, and gives their pages. */
export async function exercisePages(build: ExerciseBuild): Promise<ExercisePages> {
  const { root, outDir, highlight, cellAssets } = build
  const exercises = loadExercises(root)
  const { addresses, inputs } = await buildChecks(root, outDir, exercises, cellAssets)
  const pages: ExercisePage[] = []
  for (const [at, exercise] of exercises.entries()) {
    const { id, number, title, kind, about = '', chapter, path, files, prerequisites } = exercise
    const [name] = files
    pages.push({
      ...{ id, number, title, kind, about, url: exerciseUrl(exercise), facts: factsOf(exercise).join(' · ') },
      chapter: { number: chapter.number, title: chapter.title, url: chapterUrl(chapter.slug) },
      after: prerequisites.flatMap((each) => nameOf(exercises.find((other) => other.id === each)) ?? []),
      ...(await taskOf(exercise, build)),
      file: name === undefined ? null : { name, html: listing(highlight, join(path, name), name) },
      seed: PRINTED_SEED,
      check: addresses.get(id) ?? '',
      ...writeHelps(exercise, build),
      previous: nameOf(exercises[at - 1]),
      next: nameOf(exercises[at + 1]),
    })
  }
  const catalog: CatalogFile = {
    courseVersion: exercises.length > 0 ? courseVersion(root) : '',
    exercises: exercises.map((exercise) => ({
      id: exercise.id,
      digest: exerciseDigest(exercise),
      files: exercise.files,
    })),
  }
  return { pages, chapters: byChapter(pages), catalog: writeData(outDir, 'catalog', catalog), inputs }
}

function byChapter(pages: readonly ExercisePage[]): ExerciseChapter[] {
  const numbers = [...new Set(pages.map(({ chapter }) => chapter.number))]
  return numbers.map((number) => {
    const mine = pages.filter(({ chapter }) => chapter.number === number)
    return { ...mine[0]!.chapter, exercises: mine }
  })
}
