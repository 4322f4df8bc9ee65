// SPDX-License-Identifier: MIT
//
// progress.json: what the reader has done, in a file that a person can read and carry to another machine.
// It is read again before each change, so two terminals do not undo each other's marks.
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Complaint } from '../lib/complaint.ts'
import type { Exercise } from './catalog.ts'
import { keepAside, withPath, writeWhole } from './files.ts'

/** 1 had neither seed nor answers; it is read as it is and written as 2. */
export const PROGRESS_VERSION = 2

/** A reader's seed is below this: short enough to be read out. */
export const SEEDS = 1_000_000

const answerSchema = z.strictObject({
  /** When it passed, ISO 8601. */
  at: z.string(),
  /** SHA-256, as answer_hash.ts makes it. */
  hash: z.string(),
  /** A question's: the seed it was asked with, and the answer in the reader's spelling. */
  seed: z.number().int().optional(),
  text: z.string().optional(),
})

const recordSchema = z.strictObject({
  /** When the files were laid out, ISO 8601. */
  started: z.string(),
  /** Checks that ran. */
  runs: z.number().int(),
  /** Hints shown, 0 to 3. */
  hints: z.number().int(),
  /** When a check first passed. */
  passed: z.string().optional(),
  /** When the solution was asked for before a check had passed. */
  gaveUp: z.string().optional(),
  /** The answer that passed last. */
  answer: answerSchema.optional(),
})

const progressSchema = z.strictObject({
  version: z.union([z.literal(1), z.literal(PROGRESS_VERSION)]).transform(() => PROGRESS_VERSION),
  /** What the questions' numbers are drawn from; drawn itself when the first question is asked. */
  seed: z.number().int().optional(),
  /** The exercise that was worked on last. */
  current: z.string().optional(),
  exercises: z.record(z.string(), recordSchema),
})

export type PassedAnswer = z.infer<typeof answerSchema>
export type ExerciseRecord = z.infer<typeof recordSchema>
export type Progress = z.infer<typeof progressSchema>

export class ProgressFile {
  readonly path: string
  readonly #kept: string
  readonly #now: () => Date
  readonly #draw: () => number
  /** Set when a damaged file was found: where it is kept. */
  keptAside: string | null = null

  constructor(
    workspace: string,
    now: () => Date = () => new Date(),
    draw: () => number = () => randomInt(1, SEEDS),
  ) {
    this.path = join(workspace, 'progress.json')
    this.#kept = join(workspace, '.kept')
    this.#now = now
    this.#draw = draw
  }

  /** What is on the disk. A damaged file is moved aside and an empty progress returned. */
  read(): Progress {
    const empty: Progress = { version: PROGRESS_VERSION, exercises: {} }
    if (!existsSync(this.path)) return empty
    let data: unknown
    try {
      data = JSON.parse(withPath(this.path, () => readFileSync(this.path, 'utf8')))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    const parsed = progressSchema.safeParse(data)
    if (parsed.success) return parsed.data
    const version = z.object({ version: z.number().gt(PROGRESS_VERSION) }).safeParse(data)
    if (version.success) {
      throw new Complaint({
        text: `${this.path}: version ${version.data.version}, but this contig writes version ${PROGRESS_VERSION}`,
        next: ['Update this checkout, or set CONTIG_WORKSPACE to another folder. Nothing was changed.'],
      })
    }
    this.keptAside = keepAside(this.path, this.#kept, 'progress', '.json')
    return empty
  }

  /** Moves the file away, as if nothing had been done yet; where it is now, or null when there was none. */
  setAside(): string | null {
    return existsSync(this.path) ? keepAside(this.path, this.#kept, 'progress', '.json') : null
  }

  of(exercise: Exercise): ExerciseRecord | null {
    return this.read().exercises[exercise.id] ?? null
  }

  #change(
    exercise: Exercise,
    change: (record: ExerciseRecord, now: string) => ExerciseRecord,
  ): ExerciseRecord {
    const progress = this.read()
    const now = this.#now().toISOString()
    const before = progress.exercises[exercise.id] ?? { started: now, runs: 0, hints: 0 }
    const record = change(before, now)
    const exercises = { ...progress.exercises, [exercise.id]: record }
    writeWhole(this.path, JSON.stringify({ ...progress, current: exercise.id, exercises }, null, 2) + '\n')
    return record
  }

  started(exercise: Exercise): ExerciseRecord {
    return this.#change(exercise, (record) => record)
  }

  /** A check that ran; `answer` is what passed, null when nothing did. */
  ran(exercise: Exercise, answer: Omit<PassedAnswer, 'at'> | null): ExerciseRecord {
    return this.#change(exercise, (record, now) => ({
      ...record,
      runs: record.runs + 1,
      ...(answer ? { passed: record.passed ?? now, answer: { at: now, ...answer } } : {}),
    }))
  }

  /** The reader's seed; drawn, written down and `drawn` when there was none. */
  seed(): { readonly seed: number; readonly drawn: boolean } {
    const progress = this.read()
    if (progress.seed !== undefined) return { seed: progress.seed, drawn: false }
    const seed = this.#draw()
    writeWhole(this.path, JSON.stringify({ ...progress, seed }, null, 2) + '\n')
    return { seed, drawn: true }
  }

  hinted(exercise: Exercise, hints: number): ExerciseRecord {
    return this.#change(exercise, (record) => ({ ...record, hints: Math.max(record.hints, hints) }))
  }

  gaveUp(exercise: Exercise): ExerciseRecord {
    return this.#change(exercise, (record, now) => ({ ...record, gaveUp: record.gaveUp ?? now }))
  }
}

/** The next exercise without a pass: after `from` if given, else from the start of the book. Null when all have one. */
export function nextUnfinished(
  exercises: readonly Exercise[],
  progress: Progress,
  from?: Exercise,
): Exercise | null {
  const start = from ? exercises.findIndex(({ id }) => id === from.id) + 1 : 0
  const order = [...exercises.slice(start), ...exercises.slice(0, start)]
  return order.find(({ id }) => id !== from?.id && !progress.exercises[id]?.passed) ?? null
}
