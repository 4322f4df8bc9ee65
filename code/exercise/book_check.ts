// SPDX-License-Identifier: MIT
//
// The book checks itself: an exercise that passes as shipped, a solution that fails, a wrong answer that gets another
// diagnosis than its own or none, an empty hint, a stray file: each is a diagnostic, and the build has failed.
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from '../lib/diagnostic.ts'
import type { Exercise } from './catalog.ts'
import { checkQuestion } from './book_check_question.ts'
import { checkRead, collect, type Report } from './book_report.ts'
import { HINTS, parseHints } from './hint_steps.ts'
import { runExercise, type RunOptions } from './run.ts'

export interface BookCheckOptions extends Pick<RunOptions, 'kernel' | 'limitMs' | 'signal' | 'onProgress'> {
  readonly root: string
  /** Of the wrong answers only so many, in the order of exercise.yaml; all unless told. */
  readonly wrong?: number
}

const QUESTION_FILES = ['exercise.yaml', 'question.ts', 'hints.md', 'why.md']

/** What can be seen without running anything: files, hints, names, the order among all exercises. */
export function checkShape(exercise: Exercise, all: readonly Exercise[], root: string): Diagnostic[] {
  const { diagnostics, report } = collect(exercise, root)
  const wrong = Object.keys(exercise.wrong)
  const expected =
    exercise.kind === 'question'
      ? QUESTION_FILES
      : [
          ...['exercise.yaml', 'task.md', 'hints.md', 'check.ts', 'solution/why.md'],
          ...exercise.files,
          ...exercise.files.map((file) => `solution/${file}`),
          ...wrong.flatMap((name) => exercise.files.map((file) => `wrong/${name}/${file}`)),
          ...(exercise.kind === 'c' ? ['lab.yaml'] : []),
        ]
  for (const file of expected) {
    const path = join(exercise.path, file)
    if (!existsSync(path)) report('exercise-file-missing', file, 'expected, but it is not there')
    else if (readFileSync(path, 'utf8').trim() === '') report('exercise-file-empty', file, 'expected a text')
  }
  for (const file of filesBelow(exercise.path)) {
    if (!expected.includes(file) && !ofTheBoard(exercise, file)) {
      report(
        'exercise-file-unexpected',
        file,
        'nothing uses this file; a wrong answer belongs in exercise.yaml too',
      )
    }
  }
  checkHints(exercise, report)
  if (exercise.folder !== `${String(exercise.order).padStart(2, '0')}-${exercise.id}`) {
    report('exercise-folder', '', `the folder is ${exercise.folder}; expected its order and its id`)
  }
  if (wrong.length < 2 && exercise.kind !== 'question')
    report('exercise-wrong-answers', 'wrong', `${wrong.length} wrong answers; expected at least 2`)
  const rules = Object.values(exercise.wrong)
  const twice = rules.find((rule, i) => rules.indexOf(rule) !== i)
  if (twice)
    report('exercise-wrong-answers', 'exercise.yaml', `${twice}: two wrong answers share this diagnosis`)
  checkOrder(exercise, all, report)
  return diagnostics
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => !lstatSync(join(folder, file)).isDirectory())
    .sort()
}

// What a board needs beside the reader's file: the tree it boots, the programs it runs, the module's folder.
function ofTheBoard(exercise: Exercise, file: string): boolean {
  if (exercise.kind !== 'c') return false
  const modules = exercise.files.map((name) => name.replace(/\.c$/, ''))
  return (
    /^[a-z0-9_-]+\.(dtso|c|h)$/.test(file) ||
    modules.some((name) => file === `${name}/Kbuild` || file === `${name}/${name}.c`)
  )
}

function checkHints(exercise: Exercise, report: Report): void {
  const path = join(exercise.path, 'hints.md')
  if (!existsSync(path)) return
  const steps = parseHints(readFileSync(path, 'utf8'))
  if (steps.length !== HINTS) report('exercise-hints', 'hints.md', `${steps.length} hints; expected ${HINTS}`)
  steps.forEach((step, i) => {
    if (step === '') report('exercise-hint-empty', 'hints.md', `hint ${i + 1} is empty`)
  })
}

function checkOrder(exercise: Exercise, all: readonly Exercise[], report: Report): void {
  const place = all.indexOf(exercise)
  if (all.findIndex(({ id }) => id === exercise.id) !== place) {
    report('exercise-id-twice', 'exercise.yaml', `${exercise.id}: another exercise has this id`)
  }
  if (all.findIndex(({ number }) => number === exercise.number) !== place) {
    report('exercise-order-twice', 'exercise.yaml', `${exercise.number}: another exercise has this order`)
  }
  for (const id of exercise.prerequisites) {
    const before = all.findIndex((each) => each.id === id)
    if (before < 0 || before >= place) {
      report(
        'exercise-prerequisite',
        'exercise.yaml',
        `${id}: expected an exercise that comes before this one`,
      )
    }
  }
}

/**
 * Runs the shipped files, the solution and every kept wrong answer. For kind `c` this boots a board for each. A question is
 * asked with many seeds instead.
 */
export async function checkAnswers(exercise: Exercise, options: BookCheckOptions): Promise<Diagnostic[]> {
  if (exercise.kind === 'question') return checkQuestion(exercise, options.root)
  const { diagnostics, report } = collect(exercise, options.root)
  const run = (folder: string) => runExercise(exercise, { ...options, folder: join(exercise.path, folder) })
  const mustFail = async (folder: string, rule: string): Promise<void> => {
    const { findings } = await run(folder)
    const [first] = findings
    if (!first) return report('exercise-passes', folder, `passes; expected ${rule}`)
    if (first.rule !== rule) {
      return report(
        'exercise-other-diagnosis',
        folder,
        `gets ${first.rule} (${first.text}); expected ${rule}`,
      )
    }
    checkRead(exercise, first.read, folder, report)
  }
  await mustFail('.', exercise.shipped)
  const solution = await run('solution')
  for (const { rule, text } of solution.findings) {
    report('exercise-solution-fails', 'solution', `gets ${rule} (${text}); expected a pass`)
  }
  const wrong = Object.entries(exercise.wrong).slice(0, options.wrong)
  for (const [name, rule] of wrong) await mustFail(`wrong/${name}`, rule)
  return diagnostics
}
