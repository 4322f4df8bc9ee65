// SPDX-License-Identifier: MIT
//
// The solution as a reader sees it: why first, then the files; of a question what was asked, the answer, and why.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { askOne } from './ask.ts'
import type { Exercise } from './catalog.ts'
import type { Course } from './course.ts'
import { shortPath } from './places.ts'

/** Why the answer is what it is. */
export function readWhy(exercise: Exercise): string {
  const file = exercise.kind === 'question' ? 'why.md' : join('solution', 'why.md')
  return readFileSync(join(exercise.path, file), 'utf8').trim()
}

/** Of an exercise with files. */
export function formatSolution(exercise: Exercise): string {
  const folder = join(exercise.path, 'solution')
  const parts = [`${exercise.number} ${exercise.title}`, '', readWhy(exercise)]
  for (const file of exercise.files) {
    const path = join(folder, file)
    parts.push('', `---- ${shortPath(path)}`, readFileSync(path, 'utf8').trimEnd())
  }
  return parts.join('\n') + '\n'
}

/** Of a question, as it was asked with the seed that it was answered with, else with the reader's own. */
export async function questionSolution(course: Course, exercise: Exercise): Promise<string> {
  const seed = course.progress.of(exercise)?.answer?.seed ?? course.progress.seed().seed
  const { text, answer } = await askOne(exercise, { root: course.places.root, seed })
  const title = `${exercise.number} ${exercise.title}, seed ${seed}`
  return [title, '', text.trim(), '', `Answer: ${answer}`, '', readWhy(exercise), ''].join('\n')
}

/** Of either. */
export async function solutionOf(course: Course, exercise: Exercise): Promise<string> {
  return exercise.kind === 'question' ? questionSolution(course, exercise) : formatSolution(exercise)
}
