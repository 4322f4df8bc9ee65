// SPDX-License-Identifier: MIT
//
// `contig do` on a question: it is asked with the reader's seed, answered in a line, and explained once it is right.
//
//     line:  an answer, or  h hint   n next   s solution (after a pass)   q quit
//
// Nothing here prints the answer before it was given, or given up.
import { createInterface } from 'node:readline'
import { hashAnswer } from './answer_hash.ts'
import { askOne } from './ask.ts'
import type { Exercise } from './catalog.ts'
import { progressNotice, type Course } from './course.ts'
import type { RunResult } from './outcome.ts'
import { formatAsked, formatJudged } from './print.ts'
import { nextUnfinished } from './record.ts'
import { isRun, judgeAnswer, type Asked } from './question.ts'
import { nextHint, type Leaving, type SessionOptions } from './session.ts'
import { questionSolution, readWhy } from './solution.ts'

export interface QuestionOptions extends SessionOptions {
  /** Instead of the reader's own. */
  readonly seed?: number
}

/** Asks with the seed of the options or the reader's, which is drawn and printed at the first question. */
export async function pose(course: Course, exercise: Exercise, options: QuestionOptions): Promise<Asked> {
  const mine = options.seed === undefined ? course.progress.seed() : { seed: options.seed, drawn: false }
  const question = await askOne(exercise, { root: course.places.root, seed: mine.seed })
  course.progress.started(exercise)
  options.write(progressNotice(course))
  if (mine.drawn) {
    options.write(
      `Your seed is ${mine.seed}: it draws the numbers in your questions. progress.json keeps it.\n\n`,
    )
  }
  return { question, seed: mine.seed }
}

/** Judges one answer and records it. What cannot be read as an answer is no run. */
export function answer(
  course: Course,
  exercise: Exercise,
  { question, seed }: Asked,
  text: string,
): RunResult {
  const began = performance.now()
  const found = judgeAnswer(question, text)
  if (isRun(found)) {
    course.progress.ran(exercise, found ? null : { hash: hashAnswer(question), seed, text: text.trim() })
  }
  return {
    findings: found ? [found] : [],
    passed: !found,
    printed: [],
    seconds: (performance.now() - began) / 1000,
  }
}

function judged(course: Course, exercise: Exercise, result: RunResult): string {
  const next = nextUnfinished(course.exercises, course.progress.read(), exercise)
  return formatJudged(exercise, result, next, result.passed ? readWhy(exercise) : null)
}

/** Asks, and judges `given` if there is one. Without one nothing is recorded but that the question was seen. */
export async function answerOnce(
  course: Course,
  exercise: Exercise,
  given: string | null,
  options: QuestionOptions,
): Promise<RunResult & Asked> {
  const asked = await pose(course, exercise, options)
  if (given === null) options.write(formatAsked(exercise, asked))
  const result = answer(course, exercise, asked, given ?? '')
  options.write(
    given === null ? `Next: contig do ${exercise.id} --answer …\n` : judged(course, exercise, result),
  )
  return { ...result, ...asked }
}

const KEYS_BEFORE = 'Your answer, or [h] hint  [n] next  [q] quit, then Enter\n'
const KEYS_AFTER = '[n] next  [s] solution  [q] quit, then Enter\n'

/** Asks and reads lines until the answer was right and the reader goes on, or leaves. */
export async function questionSession(
  course: Course,
  exercise: Exercise,
  input: NodeJS.ReadableStream,
  options: QuestionOptions,
): Promise<Leaving> {
  const { write, signal } = options
  const asked = await pose(course, exercise, options)
  const lines = createInterface({ input })
  let passed = false
  let interrupted = false
  const stop = (): void => {
    interrupted = true
    lines.close()
  }
  signal.addEventListener('abort', stop, { once: true })
  lines.on('SIGINT', stop)
  if (signal.aborted) stop()
  write(`${formatAsked(exercise, asked)}${KEYS_BEFORE}`)
  try {
    for await (const line of lines) {
      const word = line.trim()
      if (word === 'q') break
      if (word === 'n') {
        const next = nextUnfinished(course.exercises, course.progress.read(), exercise)
        if (next) return { passed, interrupted, next }
        write('There is no other exercise left to do.\n')
      } else if (word === 'h') write(`\n${nextHint(course, exercise)}${KEYS_BEFORE}`)
      else if (word === 's' && course.progress.of(exercise)?.passed) {
        write(`\n${await questionSolution(course, exercise)}${KEYS_AFTER}`)
      } else if (word === 's') {
        write(`The solution opens after a pass; contig solution ${exercise.id} --give-up opens it now.\n`)
      } else if (word !== '') {
        const result = answer(course, exercise, asked, word)
        passed = result.passed
        write(`\n${judged(course, exercise, result)}${passed ? KEYS_AFTER : KEYS_BEFORE}`)
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    lines.close()
  }
  return { passed, interrupted }
}
