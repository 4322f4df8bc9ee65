// SPDX-License-Identifier: MIT
//
// contig do: work on an exercise. Checks once; at a terminal it goes on to check at every save, and asks a question until
// it is answered.
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Exercise } from '../exercise/catalog.ts'
import type { Course } from '../exercise/course.ts'
import type { Leaving, SessionOptions } from '../exercise/session.ts'

interface Options {
  watch?: boolean
  once?: boolean
  json?: boolean
  kernel?: string
  answer?: string
  seed?: number
}

function seedNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a number of at most nine digits.')
  return Number(text)
}

export function registerDo(program: Command): void {
  program
    .command('do')
    .description('work on an exercise: check it now and at every save, or answer it')
    .argument('[exercise]', 'its id or number, e.g. 2.1; the next unfinished one when left out')
    .addOption(
      new Option('--watch', 'keep checking at every save (the default at a terminal)').conflicts('once'),
    )
    .option('--once', 'check once and leave')
    .addOption(new Option('--json', 'print the result as JSON; implies --once').conflicts('watch'))
    .addOption(
      new Option(
        '--kernel <name>',
        'the kernel that C exercises boot (default: lab where it was built, else 6.12)',
      ).choices(['6.1', '6.12', 'lab']),
    )
    .addOption(new Option('--answer <text>', 'the answer to a question; implies --once').conflicts('watch'))
    .option(
      '--seed <number>',
      'draw the numbers of a question from this instead of your own seed',
      seedNumber,
    )
    .action(async (name: string | undefined, options: Options) => {
      process.exitCode = await work(name, options)
    })
}

async function work(name: string | undefined, given: Options): Promise<number> {
  const { chosen, openCourse } = await import('../exercise/course.ts')
  const course = openCourse()
  const exercise = chosen(course, name)
  if (!exercise) {
    process.stdout.write(
      given.json ? '{"done":true}\n' : `All ${course.exercises.length} exercises are done: contig list\n`,
    )
    return 0
  }
  if (given.answer !== undefined && exercise.kind !== 'question') {
    const { Complaint } = await import('../lib/complaint.ts')
    throw new Complaint({
      text: `${exercise.id} is no question: --answer has nothing to answer`,
      exitCode: 2,
      next: [`contig do ${exercise.id}`, 'contig list --kind question'],
    })
  }
  const controller = new AbortController()
  const stop = (): void => controller.abort(new Error('interrupted'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  const write = (text: string): void => void (given.json ? process.stderr : process.stdout).write(text)
  const { kernel, seed } = given
  const options = {
    ...{ write, signal: controller.signal },
    ...(kernel ? { kernel } : {}),
    ...(seed === undefined ? {} : { seed }),
  }
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  try {
    if (!given.once && !given.json && given.answer === undefined && (given.watch || terminal)) {
      const left = await stay(course, exercise, options)
      return left.interrupted ? 130 : 0
    }
    return exercise.kind === 'question'
      ? await answerIt(course, exercise, given, options)
      : await checkIt(course, exercise, given, options)
  } catch (error) {
    if (controller.signal.aborted) return 130
    throw error
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, stop)
  }
}

// One session after another: saves and keys for files, lines for questions.
async function stay(course: Course, first: Exercise, options: SessionOptions): Promise<Leaving> {
  const { watchSession } = await import('../exercise/session.ts')
  const { questionSession } = await import('../exercise/question_session.ts')
  const keys = process.stdin
  let exercise = first
  for (;;) {
    let left: Leaving
    if (exercise.kind === 'question') left = await questionSession(course, exercise, keys, options)
    else {
      if (keys.isTTY) keys.setRawMode(true)
      keys.resume()
      try {
        left = await watchSession(course, exercise, keys, options)
      } finally {
        if (keys.isTTY) keys.setRawMode(false)
        keys.pause()
      }
    }
    if (!left.next || left.interrupted) return left
    exercise = left.next
  }
}

async function checkIt(
  course: Course,
  exercise: Exercise,
  { json }: Options,
  options: SessionOptions,
): Promise<number> {
  const { checkOnce } = await import('../exercise/session.ts')
  const { formatResult } = await import('../exercise/print.ts')
  const { nextUnfinished } = await import('../exercise/record.ts')
  const { readerFolder } = await import('../exercise/workspace.ts')
  const result = await checkOnce(course, exercise, options)
  const next = nextUnfinished(course.exercises, course.progress.read(), exercise)
  if (json) printJson({ exercise: exercise.id, next: next?.id ?? null, ...result })
  else options.write(formatResult(exercise, result, next, readerFolder(course.places, exercise)))
  return result.passed ? 0 : 1
}

async function answerIt(
  course: Course,
  exercise: Exercise,
  { json, answer }: Options,
  options: SessionOptions & { seed?: number },
): Promise<number> {
  const { answerOnce } = await import('../exercise/question_session.ts')
  const { nextUnfinished } = await import('../exercise/record.ts')
  const { readWhy } = await import('../exercise/solution.ts')
  const silent = json ? { ...options, write: () => undefined } : options
  const { question, seed, ...result } = await answerOnce(course, exercise, answer ?? null, silent)
  if (json) {
    const next = nextUnfinished(course.exercises, course.progress.read(), exercise)
    const asked = { seed, kind: question.kind, text: question.text }
    const why = result.passed ? { why: readWhy(exercise) } : {}
    printJson({ exercise: exercise.id, next: next?.id ?? null, question: asked, ...result, ...why })
  }
  return result.passed ? 0 : 1
}

function printJson(value: unknown): void {
  process.stdout.write(JSON.stringify(value, null, 2) + '\n')
}
