// SPDX-License-Identifier: MIT
//
// Two progresses of one reader, from a page and a terminal, made one. Merging never loses a pass, and merging the same
// progress again changes nothing: so nobody need remember what was brought over already.
import type { ExerciseRecord, Progress } from './record.ts'

const earlier = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || b === undefined ? (a ?? b) : a < b ? a : b

function mergeRecords(mine: ExerciseRecord, theirs: ExerciseRecord): ExerciseRecord {
  const passed = earlier(mine.passed, theirs.passed)
  const gaveUp = earlier(mine.gaveUp, theirs.gaveUp)
  const [older, newer] = (mine.answer?.at ?? '') < (theirs.answer?.at ?? '') ? [mine, theirs] : [theirs, mine]
  const answer = newer.answer ?? older.answer
  return {
    started: earlier(mine.started, theirs.started) ?? mine.started,
    // Not the sum: a file may be brought over twice.
    runs: Math.max(mine.runs, theirs.runs),
    hints: Math.max(mine.hints, theirs.hints),
    ...(passed === undefined ? {} : { passed }),
    ...(gaveUp === undefined ? {} : { gaveUp }),
    ...(answer === undefined ? {} : { answer }),
  }
}

// A seed that no answer stands for any more gives way: then the questions are those of the other side. Looked for in what
// was merged, or bringing the same again could still change it.
function mergeSeeds(mine: Progress, theirs: Progress, merged: Iterable<ExerciseRecord>): number | undefined {
  const used = [...merged].some(({ answer }) => answer?.seed !== undefined && answer.seed === mine.seed)
  return used ? mine.seed : (theirs.seed ?? mine.seed)
}

/** `mine` with all that `theirs` has. What was worked on last stays mine, if I worked on anything. */
export function mergeProgress(mine: Progress, theirs: Progress): Progress {
  const exercises = new Map(Object.entries(mine.exercises))
  for (const [id, record] of Object.entries(theirs.exercises)) {
    const known = exercises.get(id)
    exercises.set(id, known ? mergeRecords(known, record) : record)
  }
  const seed = mergeSeeds(mine, theirs, exercises.values())
  const current = mine.current ?? theirs.current
  return {
    version: mine.version,
    ...(seed === undefined ? {} : { seed }),
    ...(current === undefined ? {} : { current }),
    exercises: Object.fromEntries(exercises),
  }
}

/** The ids that have a pass in `after` and had none in `before`. */
export function newPasses(before: Progress, after: Progress): string[] {
  return Object.keys(after.exercises).filter(
    (id) => after.exercises[id]?.passed && !before.exercises[id]?.passed,
  )
}
