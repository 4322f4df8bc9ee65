// SPDX-License-Identifier: MIT
//
// What a reader brings from elsewhere: the progress of a page, of a terminal, of another machine, or a result file. One
// file, read here for both sides, and merged by merge.ts.
import { Complaint } from '../lib/complaint.ts'
import type { ReaderFiles } from './check.ts'
import type { ExerciseRecord, Progress } from './record.ts'
import { PROGRESS_VERSION, readProgress } from './record.ts'
import { MAX_BYTES, parseResults, RESULTS_FORMAT, type ResultEntry } from './result_file.ts'

export interface Brought {
  readonly progress: Progress
  /** By exercise, the files that passed there; only a result file has them. */
  readonly files: Readonly<Record<string, ReaderFiles>>
}

/** `digestOf` gives `exerciseDigest()` of an exercise, null for one that this course does not have. */
export type DigestOf = (id: string) => string | null

function recordOf(entry: ResultEntry, digestOf: DigestOf): ExerciseRecord {
  const { passed, runs, hints, gaveUp, answer } = entry
  const record = { started: passed, runs, hints, passed, ...(gaveUp === undefined ? {} : { gaveUp }) }
  // It passed in another version of the exercise: the pass stays, but that answer proves nothing about this one.
  if (!answer || digestOf(entry.id) !== entry.exercise) return record
  const { at, hash, seed, text } = answer
  const rest = { ...(seed === undefined ? {} : { seed }), ...(text === undefined ? {} : { text }) }
  return { ...record, answer: { at, hash, ...rest } }
}

/** Reads the text of a progress.json or of a result file. Throws a Complaint that names `file` and what is wrong. */
export function readBrought(text: string, file: string, digestOf: DigestOf): Brought {
  let data: unknown
  try {
    if (text.length > MAX_BYTES) throw new SyntaxError(`larger than ${MAX_BYTES / 2 ** 20} MiB`)
    data = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Complaint({ text: `${file}: no progress.json and no result file: ${reason}`, next: NEXT })
  }
  if (typeof data === 'object' && data !== null && 'format' in data && data.format === RESULTS_FORMAT)
    return broughtResults(text, file, digestOf)
  const found = readProgress(data)
  if ('progress' in found) return { progress: found.progress, files: {} }
  if ('newer' in found) {
    const text = `${file}: version ${found.newer}, but this course reads version ${PROGRESS_VERSION}`
    throw new Complaint({ text, next: ['Update this course.'] })
  }
  const lines = found.damaged.slice(0, 20).map((line) => `  ${line}`)
  throw new Complaint({
    text: [`${file}: no progress.json and no result file`, ...lines].join('\n'),
    next: NEXT,
  })
}

const NEXT = ['Bring progress.json from the reader’s folder, or a file made by contig results export.']

function broughtResults(text: string, file: string, digestOf: DigestOf): Brought {
  const { passed, seed } = parseResults(text, file)
  const exercises = Object.fromEntries(passed.map((entry) => [entry.id, recordOf(entry, digestOf)]))
  const files = Object.fromEntries(
    passed.flatMap(({ id, answer }) => (answer?.files ? [[id, answer.files] as const] : [])),
  )
  return {
    progress: { version: PROGRESS_VERSION, ...(seed === undefined ? {} : { seed }), exercises },
    files,
  }
}
