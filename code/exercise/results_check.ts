// SPDX-License-Identifier: MIT
//
// What can be found out about a result file without its reader: whether it holds together, whether each answer is right.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { hashAnswer, hashFiles } from './answer_hash.ts'
import { askOne } from './ask.ts'
import type { Exercise } from './catalog.ts'
import { judgeAnswer } from './question.ts'
import type { ResultEntry, Results } from './result_file.ts'
import { exerciseDigest } from './results.ts'
import { runExercise } from './run.ts'
import { readFiles } from './workspace.ts'

/** `right`: answered again here. `unproven`: nothing speaks against it, and nothing for it. `wrong`: it does not fit. */
export type Verdict = 'right' | 'unproven' | 'wrong'

export interface CheckedEntry {
  readonly id: string
  readonly verdict: Verdict
  /** Why, a sentence. */
  readonly text: string
  /** Worth a look, and no fault. */
  readonly notes: readonly string[]
}

export interface CheckedResults {
  readonly file: string
  readonly reader: string | null
  /** What is wrong with the file as a whole. */
  readonly faults: readonly string[]
  readonly notes: readonly string[]
  readonly entries: readonly CheckedEntry[]
}

export interface CheckOptions {
  readonly root: string
  readonly exercises: readonly Exercise[]
  /** False leaves included answers alone: they are programs of the reader's. */
  readonly run: boolean
  readonly now?: () => Date
  readonly onProgress?: (line: string) => void
}

type Judged = Omit<CheckedEntry, 'id' | 'notes'>

const right = (text: string): Judged => ({ verdict: 'right', text })
const unproven = (text: string): Judged => ({ verdict: 'unproven', text })
const wrong = (text: string): Judged => ({ verdict: 'wrong', text })

/** Checks one file, entry by entry. */
export async function checkResults(
  file: string,
  results: Results,
  options: CheckOptions,
): Promise<CheckedResults> {
  const { now = () => new Date(), exercises } = options
  const faults: string[] = []
  const ids = results.passed.map(({ id }) => id)
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice) faults.push(`${twice} stands in it twice`)
  // A day for clocks that differ.
  if (Date.parse(results.made) > now().getTime() + 86_400_000)
    faults.push(`it was made in the future: ${results.made}`)
  const entries: CheckedEntry[] = []
  for (const entry of results.passed) {
    options.onProgress?.(`${file}: ${entry.id}`)
    const exercise = exercises.find(({ id }) => id === entry.id)
    const judged = timesFit(entry, results) ?? (await judge(entry, exercise, options))
    entries.push({ id: entry.id, ...judged, notes: exercise ? notesOn(entry, exercise, results) : [] })
  }
  const { reader = null, course } = results
  const notes = course.exercises === exercises.length ? [] : [`its course had ${course.exercises} exercises`]
  return { file, reader, faults, notes, entries }
}

function timesFit({ passed, answer }: ResultEntry, { made }: Results): Judged | null {
  const late = [passed, answer?.at].find((at) => at !== undefined && Date.parse(at) > Date.parse(made))
  if (late !== undefined) return wrong(`passed at ${late}, after the file was made`)
  if (answer && Date.parse(answer.at) < Date.parse(passed))
    return wrong('its answer is older than its first pass')
  return null
}

async function judge(
  entry: ResultEntry,
  exercise: Exercise | undefined,
  options: CheckOptions,
): Promise<Judged> {
  if (!exercise) return unproven('this course has no such exercise')
  if (!entry.answer) return unproven('passed before answers were recorded')
  if (entry.exercise !== exerciseDigest(exercise))
    return unproven('passed in another version of the exercise')
  return exercise.kind === 'question'
    ? judgeQuestion(entry.answer, exercise, options)
    : judgeFiles(entry.answer, exercise, options)
}

type Answer = NonNullable<ResultEntry['answer']>

async function judgeQuestion(
  { seed, text, hash }: Answer,
  exercise: Exercise,
  { root }: CheckOptions,
): Promise<Judged> {
  if (seed === undefined) return wrong('a question, and no seed beside its answer')
  const question = await askOne(exercise, { root, seed })
  if (hashAnswer(question) !== hash) return wrong(`the hash is not that of the right answer for seed ${seed}`)
  if (text !== undefined && judgeAnswer(question, text))
    return wrong(`the answer “${text}” is not right for seed ${seed}, though the hash is`)
  return right(`the right answer for seed ${seed}`)
}

async function judgeFiles(
  { files, hash }: Answer,
  exercise: Exercise,
  options: CheckOptions,
): Promise<Judged> {
  if (!files) return unproven('its files are not included: only their hash')
  const names = Object.keys(files).sort().join(', ')
  const expected = [...exercise.files].sort().join(', ')
  if (names !== expected) return wrong(`includes ${names || 'no files'}; expected ${expected}`)
  if (hashFiles(files) !== hash) return wrong('the hash is not that of the files included')
  if (!options.run) return unproven('the hash is that of the files included, which were not run')
  const folder = mkdtempSync(join(tmpdir(), 'contig-results-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const { passed, findings } = await runExercise(exercise, { root: options.root, folder })
    return passed ? right('run again, and it passes') : wrong(`run again, and it fails: ${findings[0]?.rule}`)
  } catch (error) {
    if (error instanceof Complaint) return unproven(`cannot be run here: ${error.message.split('\n')[0]}`)
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function notesOn({ answer, gaveUp, passed }: ResultEntry, exercise: Exercise, { seed }: Results): string[] {
  const notes: string[] = []
  if (gaveUp !== undefined && gaveUp <= passed) notes.push('the solution was seen before it passed')
  if (answer && exercise.files.length > 0) {
    const ours = readFiles(exercise, join(exercise.path, 'solution')).files
    if (hashFiles(ours) === answer.hash) notes.push('it is our solution, letter for letter')
  }
  if (answer?.seed !== undefined && answer.seed !== seed)
    notes.push(`asked with seed ${answer.seed}, not the reader’s own`)
  return notes
}

/** What two files have in common that two readers would not: a seed, the text of an answer. */
export function inCommon(files: readonly { readonly file: string; readonly results: Results }[]): string[] {
  const lines: string[] = []
  files.forEach(({ file, results }, i) => {
    for (const other of files.slice(0, i)) {
      const pair = `${other.file} and ${file}`
      if (results.seed !== undefined && results.seed === other.results.seed)
        lines.push(`${pair}: the same seed, ${results.seed}, so the same answers to questions`)
      for (const { id, answer } of results.passed) {
        if (!answer || answer.seed !== undefined) continue
        const theirs = other.results.passed.find((each) => each.id === id)?.answer
        if (theirs?.hash === answer.hash) lines.push(`${pair}: the same text for ${id}`)
      }
    }
  })
  return lines
}

/** Reads a file of the teacher's. */
export function readResultFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new Complaint({ text: `${file}: cannot be read (${reason})`, exitCode: 2 })
  }
}
