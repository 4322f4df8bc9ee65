// SPDX-License-Identifier: MIT
//
// The result file (result_file.ts) of the reader at this terminal: from progress.json and the reader's folder.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashFiles } from './answer_hash.ts'
import type { Exercise } from './catalog.ts'
import type { Course } from './course.ts'
import { gatherResults, type Results } from './result_file.ts'
import { readerFolder, readFiles } from './workspace.ts'

/** SHA-256 of what is asked and how it is judged: exercise.yaml, check.ts or question.ts, and what is beside them. */
export function exerciseDigest(exercise: Exercise): string {
  const judged = readdirSync(exercise.path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.md$/.test(entry.name))
    .map(({ name }) => [name, readFileSync(join(exercise.path, name), 'utf8')] as const)
  return hashFiles(Object.fromEntries(judged))
}

/** The course's version, as package.json has it. */
export function courseVersion(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return version
}

export interface ExportOptions {
  readonly reader?: string
  /** Include the files of answers that are still those that passed. */
  readonly answers?: boolean
  readonly now?: () => Date
}

/** What to hand on, and the exercises whose files have changed since they passed, so that they are not included. */
export function makeResults(
  { places, progress, exercises }: Course,
  { reader, answers, now = () => new Date() }: ExportOptions = {},
): { results: Results; changed: string[] } {
  return gatherResults({
    progress: progress.read(),
    exercises: exercises.map((exercise) => ({
      id: exercise.id,
      hand: () => {
        const { files, missing } = readFiles(exercise, readerFolder(places, exercise))
        return { id: exercise.id, digest: exerciseDigest(exercise), files: missing.length > 0 ? null : files }
      },
    })),
    courseVersion: courseVersion(places.root),
    ...(reader === undefined ? {} : { reader }),
    ...(answers === undefined ? {} : { answers }),
    now: now(),
  })
}
