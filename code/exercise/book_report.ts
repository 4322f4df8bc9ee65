// SPDX-License-Identifier: MIT
//
// How a check of the book says what it found in one exercise.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Diagnostic } from '../lib/diagnostic.ts'
import type { Exercise } from './catalog.ts'

export type Report = (rule: string, file: string, text: string) => void

export function collect(exercise: Exercise, root: string): { diagnostics: Diagnostic[]; report: Report } {
  const diagnostics: Diagnostic[] = []
  const report: Report = (rule, file, text) => {
    const path = relative(root, join(exercise.path, file))
    diagnostics.push({ rule, severity: 'error', file: path, line: 0, column: 0, text })
  }
  return { diagnostics, report }
}

/** A diagnosis sends the reader back to a heading, and the chapter must have it. */
export function checkRead(
  exercise: Exercise,
  read: string | undefined,
  folder: string,
  report: Report,
): void {
  if (!read) return report('exercise-read-missing', folder, 'its diagnosis does not say what to read again')
  const chapter = readFileSync(join(exercise.path, '..', '..', 'index.md'), 'utf8')
  const headings = chapter.split('\n').map((line) => /^#{2,4} (.*?)(?: \{#.*\})?$/.exec(line)?.[1])
  if (!headings.includes(read)) {
    report(
      'exercise-read-unknown',
      folder,
      `its diagnosis names the heading “${read}”, which the chapter does not have`,
    )
  }
}
