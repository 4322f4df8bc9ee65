// SPDX-License-Identifier: MIT
//
// The solution as a reader sees it: why first, then the files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Exercise } from './catalog.ts'
import { shortPath } from './places.ts'

export function formatSolution(exercise: Exercise): string {
  const folder = join(exercise.path, 'solution')
  const parts = [
    `${exercise.number} ${exercise.title}`,
    '',
    readFileSync(join(folder, 'why.md'), 'utf8').trim(),
  ]
  for (const file of exercise.files) {
    const path = join(folder, file)
    parts.push('', `---- ${shortPath(path)}`, readFileSync(path, 'utf8').trimEnd())
  }
  return parts.join('\n') + '\n'
}
