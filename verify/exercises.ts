// SPDX-License-Identifier: MIT
//
// Every exercise fails as shipped, passes with its solution, and gives each kept wrong answer its own diagnosis. Those in C
// boot a board for each answer: minutes.
import { checkAnswers, checkShape } from '../code/exercise/book_check.ts'
import { loadExercises } from '../code/exercise/catalog.ts'
import { missingTools } from '../code/lab/tools.ts'
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import type { CheckContext, CheckReport } from './report.ts'

export async function exercisesReport({ root, progress, signal }: CheckContext): Promise<CheckReport> {
  const exercises = loadExercises(root)
  const missing = missingTools(['board']).map((tool) => tool.package)
  const diagnostics: Diagnostic[] = []
  const skipped: string[] = []
  const counts: Record<string, number> = { exercises: exercises.length }
  let wrong = 0
  for (const exercise of exercises) {
    signal.throwIfAborted()
    const { id, kind, number } = exercise
    counts[kind] = (counts[kind] ?? 0) + 1
    diagnostics.push(...checkShape(exercise, exercises, root))
    if (kind === 'c' && missing.length > 0) {
      skipped.push(`${id}: needs ${missing.join(', ')}; run contig setup`)
      continue
    }
    progress(`exercise ${number}, ${id}`)
    const onProgress = (line: string): void => progress(`exercise ${number}, ${id}: ${line}`)
    diagnostics.push(...(await checkAnswers(exercise, { root, signal, onProgress })))
    wrong += Object.keys(exercise.wrong).length
  }
  return { diagnostics, counts: { ...counts, 'wrong answers': wrong }, skipped }
}
