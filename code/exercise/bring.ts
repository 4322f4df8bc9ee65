// SPDX-License-Identifier: MIT
//
// `contig results import`: takes up at this terminal what was done elsewhere (brought.ts). Nothing of the reader's is
// replaced: progress is merged, and files are laid out only where the reader has none.
import { join } from 'node:path'
import { readBrought } from './brought.ts'
import type { Course } from './course.ts'
import { writeOnce } from './files.ts'
import { mergeProgress, newPasses } from './merge.ts'
import { exerciseDigest } from './results.ts'
import { readerFolder } from './workspace.ts'

export interface Taken {
  /** Passes in the file. */
  readonly passes: number
  /** Ids of those that were not here yet. */
  readonly fresh: readonly string[]
  /** Ids that this course does not have. */
  readonly unknown: readonly string[]
  /** Files laid out, absolute. */
  readonly laidOut: readonly string[]
  /** The seed that questions are asked with from now on, if it is another than before. */
  readonly seed: number | null
}

/** Merges the text of `file` into the reader's progress. Throws a Complaint when it is no such file. */
export function takeUp({ places, progress, exercises }: Course, text: string, file: string): Taken {
  const byId = new Map(exercises.map((exercise) => [exercise.id, exercise]))
  const digestOf = (id: string): string | null => {
    const exercise = byId.get(id)
    return exercise ? exerciseDigest(exercise) : null
  }
  const brought = readBrought(text, file, digestOf)
  const before = progress.read()
  const after = mergeProgress(before, brought.progress)
  const laidOut = Object.entries(brought.files).flatMap(([id, files]) => {
    const exercise = byId.get(id)
    if (!exercise) return []
    const folder = readerFolder(places, exercise)
    // By the exercise's names, never by those in the file.
    return exercise.files
      .filter((name) => Object.hasOwn(files, name) && writeOnce(join(folder, name), files[name] ?? ''))
      .map((name) => join(folder, name))
  })
  progress.write(after)
  const ids = Object.entries(brought.progress.exercises)
  return {
    passes: ids.filter(([, { passed }]) => passed).length,
    fresh: newPasses(before, after),
    unknown: ids.flatMap(([id]) => (byId.has(id) ? [] : [id])),
    laidOut,
    seed: after.seed !== undefined && after.seed !== before.seed ? after.seed : null,
  }
}
