// SPDX-License-Identifier: MIT
//
// The hints of an exercise, from its folder.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Exercise } from './catalog.ts'
import { parseHints } from './hint_steps.ts'

export function readHints(exercise: Exercise): string[] {
  return parseHints(readFileSync(join(exercise.path, 'hints.md'), 'utf8'))
}
