// SPDX-License-Identifier: MIT
//
// What a reader has done, as data, and how it changes: no file, no clock, no host. The terminal keeps it in progress.json
// (progress.ts), a page in the browser's storage; both write the same text, so either can take up the other's.
import * as z from 'zod'

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

export const progressSchema = z.strictObject({
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

export const emptyProgress = (): Progress => ({ version: PROGRESS_VERSION, exercises: {} })

/** What a text that should be a progress turned out to be; `newer` is the version of one that we cannot read. */
export type ReadProgress =
  { readonly progress: Progress } | { readonly newer: number } | { readonly damaged: readonly string[] }

/** Reads what `JSON.parse` gave. */
export function readProgress(data: unknown): ReadProgress {
  const parsed = progressSchema.safeParse(data)
  if (parsed.success) return { progress: parsed.data }
  const version = z.object({ version: z.number().gt(PROGRESS_VERSION) }).safeParse(data)
  if (version.success) return { newer: version.data.version }
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
  return { damaged: lines }
}

/** As progress.json has it. */
export function writeProgress(progress: Progress): string {
  return JSON.stringify(progress, null, 2) + '\n'
}

/** One thing that happens to an exercise at a time `now`, ISO 8601. */
export type Change = (record: ExerciseRecord, now: string) => ExerciseRecord

/** The progress after `change` happened to the exercise `id`, which is the one under way from then on. */
export function changed(progress: Progress, id: string, now: string, change: Change): Progress {
  const before = progress.exercises[id] ?? { started: now, runs: 0, hints: 0 }
  return { ...progress, current: id, exercises: { ...progress.exercises, [id]: change(before, now) } }
}

/** It was begun. */
export const started: Change = (record) => record

/** A check ran; `answer` is what passed, null when nothing did. */
export const ran =
  (answer: Omit<PassedAnswer, 'at'> | null): Change =>
  (record, now) => ({
    ...record,
    runs: record.runs + 1,
    ...(answer ? { passed: record.passed ?? now, answer: { at: now, ...answer } } : {}),
  })

/** So many hints were shown. */
export const hinted =
  (hints: number): Change =>
  (record) => ({ ...record, hints: Math.max(record.hints, hints) })

/** The solution was asked for before a pass. */
export const gaveUp: Change = (record, now) => ({ ...record, gaveUp: record.gaveUp ?? now })

export type Mark = 'done' | 'solution seen' | 'started' | 'new'

export function markOf(record: ExerciseRecord | undefined): Mark {
  if (record?.passed) return 'done'
  if (record?.gaveUp) return 'solution seen'
  return record ? 'started' : 'new'
}

export const SIGNS: Record<Mark, string> = { done: '✓', 'solution seen': '?', started: '…', new: ' ' }

/** The next exercise without a pass: after `from` if given, else from the start of the book. Null when all have one. */
export function nextUnfinished<Named extends { readonly id: string }>(
  exercises: readonly Named[],
  progress: Progress,
  from?: Named,
): Named | null {
  const start = from ? exercises.findIndex(({ id }) => id === from.id) + 1 : 0
  const order = [...exercises.slice(start), ...exercises.slice(0, start)]
  return order.find(({ id }) => id !== from?.id && !progress.exercises[id]?.passed) ?? null
}
