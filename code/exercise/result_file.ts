// SPDX-License-Identifier: MIT
//
// A result file: what a reader has passed, as one JSON file to hand to a teacher, made at a terminal or in a page.
//
//     progress ─► gatherResults() ─► FILE ─► parseResults() ─► checkResults() (results_check.ts)
//
// It carries hashes, not signatures: whoever can pass an exercise can also write such a file. LIMITS says what follows.
import * as z from 'zod'
import { Complaint } from '../lib/complaint.ts'
import { hashFiles } from './answer_hash.ts'
import type { ReaderFiles } from './check.ts'
import type { Progress } from './record.ts'

export const RESULTS_FORMAT = 'contiguous-results'
export const RESULTS_VERSION = 1

const time = z.iso.datetime({ error: 'expected a time such as 2026-01-02T03:04:05.000Z' })
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')

const answerSchema = z.strictObject({
  /** When it passed. */
  at: time,
  hash,
  /** Of a question: the seed that it was asked with, and the reader's spelling. */
  seed: z.number().int().optional(),
  text: z.string().max(1000).optional(),
  /** The reader's files, if they were to be included and are still those that passed. */
  files: z.record(z.string().max(100), z.string().max(1_000_000)).optional(),
})

const entrySchema = z.strictObject({
  id: z.string().max(100),
  /** Which text of the exercise was passed: `exerciseDigest()`. */
  exercise: hash,
  /** When a check first passed. */
  passed: time,
  runs: z.number().int().min(1),
  hints: z.number().int().min(0).max(3),
  /** When the solution was asked for before that. */
  gaveUp: time.optional(),
  /** Left out where it passed before answers were recorded. */
  answer: answerSchema.optional(),
})

const resultsSchema = z.strictObject({
  format: z.literal(RESULTS_FORMAT),
  version: z.literal(RESULTS_VERSION),
  course: z.strictObject({ version: z.string().max(100), exercises: z.number().int().min(0) }),
  /** Who, in the reader's own words. */
  reader: z.string().max(200).optional(),
  made: time,
  /** What the reader's questions are drawn from. */
  seed: z.number().int().optional(),
  passed: z.array(entrySchema).max(10_000),
})

export type Results = z.infer<typeof resultsSchema>
export type ResultEntry = z.infer<typeof entrySchema>

/** What a teacher must not take from a file, however well it fits. */
export const LIMITS: readonly string[] = [
  'who worked on it, and whether alone: the name is whatever was typed;',
  'when: the times are those of the reader’s clock;',
  'how: the counts of runs, hints and solutions seen stand in a file that anybody can edit.',
]

/** An exercise as a result file needs it. */
export interface Handed {
  readonly id: string
  /** `exerciseDigest()` of it. */
  readonly digest: string
  /** The reader's files as they are now; null when one is missing. Of a question none. */
  readonly files: ReaderFiles | null
}

export interface Gathering {
  readonly progress: Progress
  /** Every exercise of the course, in its order; only those with a pass are asked for. */
  readonly exercises: readonly { readonly id: string; hand(): Handed }[]
  readonly courseVersion: string
  readonly reader?: string
  /** Include the files of answers that are still those that passed. */
  readonly answers?: boolean
  readonly now: Date
}

/** What to hand on, and the exercises whose files have changed since they passed, so that they are not included. */
export function gatherResults(given: Gathering): { results: Results; changed: string[] } {
  const { progress, exercises, courseVersion, reader, now } = given
  const changed: string[] = []
  const passed = exercises.flatMap(({ id, hand }): ResultEntry[] => {
    const record = progress.exercises[id]
    if (!record?.passed) return []
    const { answer, runs, hints, gaveUp } = record
    const { digest, files } = hand()
    const same = answer !== undefined && files !== null && hashFiles(files) === answer.hash
    const wanted = given.answers === true && (files === null || Object.keys(files).length > 0)
    if (wanted && !same) changed.push(id)
    const whole = answer && { ...answer, ...(wanted && same ? { files } : {}) }
    return [
      {
        ...{ id, exercise: digest, passed: record.passed, runs, hints },
        ...(gaveUp === undefined ? {} : { gaveUp }),
        ...(whole ? { answer: whole } : {}),
      },
    ]
  })
  const results: Results = {
    format: RESULTS_FORMAT,
    version: RESULTS_VERSION,
    course: { version: courseVersion, exercises: exercises.length },
    ...(reader === undefined ? {} : { reader }),
    made: now.toISOString(),
    ...(progress.seed === undefined ? {} : { seed: progress.seed }),
    passed,
  }
  return { results, changed }
}

/** No file of a reader is larger; one that is was made by somebody else. */
export const MAX_BYTES = 16 * 1024 * 1024

/** Reads a result file. Throws a Complaint that says, a line each, what is wrong with its structure. */
export function parseResults(text: string, file: string): Results {
  let data: unknown
  try {
    if (text.length > MAX_BYTES) throw new SyntaxError(`larger than ${MAX_BYTES / 2 ** 20} MiB`)
    data = JSON.parse(text)
  } catch (error) {
    throw new Complaint({
      text: `${file}: no result file: ${error instanceof Error ? error.message : error}`,
    })
  }
  const newer = z.object({ format: z.literal(RESULTS_FORMAT), version: z.number().gt(RESULTS_VERSION) })
  const version = newer.safeParse(data)
  if (version.success) {
    const text = `${file}: version ${version.data.version}, but this contig reads version ${RESULTS_VERSION}`
    throw new Complaint({ text, next: ['Update this checkout.'] })
  }
  const parsed = resultsSchema.safeParse(data)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'the file'}: ${message}`,
  )
  throw new Complaint({ text: [`${file}: no result file of this course`, ...lines.slice(0, 20)].join('\n') })
}
