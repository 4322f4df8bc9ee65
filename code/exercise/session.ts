// SPDX-License-Identifier: MIT
//
// `contig do`: one exercise after another, checked at each save.
//
//     save ─► a moment of quiet ─► check ─► result, next command
//     keys:  h hint   r run   n next   s solution (after a pass)   q quit
//
// One check runs at a time; a save during a check aborts it and starts another. The folder is watched, not the file:
// an editor that saves by renaming replaces the file, and a watch on the file would follow the old one into oblivion.
import { basename } from 'node:path'
import { hashFiles } from './answer_hash.ts'
import type { Exercise } from './catalog.ts'
import type { Course } from './course.ts'
import { progressNotice } from './course.ts'
import { HINTS } from './hint_steps.ts'
import { readHints } from './hints.ts'
import type { RunResult } from './outcome.ts'
import { shortPath } from './places.ts'
import { formatResult } from './print.ts'
import { nextUnfinished } from './record.ts'
import { runExercise } from './run.ts'
import { formatSolution } from './solution.ts'
import { layOut, readerFolder, readFiles } from './workspace.ts'

export interface SessionOptions {
  readonly kernel?: string
  readonly write: (text: string) => void
  readonly signal: AbortSignal
}

const QUIET_MS = 50

/** Lays the exercise out, once, and says where. */
function begin(course: Course, exercise: Exercise, { write }: SessionOptions): void {
  const { places, progress } = course
  const folder = readerFolder(places, exercise)
  const fresh = layOut(places, exercise)
  progress.started(exercise)
  write(progressNotice(course))
  if (fresh.length === 0) return
  write(`${exercise.number} ${exercise.title}, about ${exercise.minutes} minutes\n`)
  write(`  the task   ${shortPath(`${exercise.path}/task.md`)}\n`)
  for (const file of exercise.files) write(`  yours      ${shortPath(`${folder}/${file}`)}\n`)
  write('\n')
}

async function checkAndRecord(
  course: Course,
  exercise: Exercise,
  options: SessionOptions,
): Promise<RunResult> {
  const folder = readerFolder(course.places, exercise)
  const { files: answered } = readFiles(exercise, folder)
  const result = await runExercise(exercise, {
    root: course.places.root,
    folder,
    signal: options.signal,
    onProgress: (line) => options.write(`  ${line}\n`),
    ...(options.kernel ? { kernel: options.kernel } : {}),
  })
  course.progress.ran(exercise, result.passed ? { hash: hashFiles(answered) } : null)
  return result
}

/** Lays the exercise out if it is new, checks it once and records the result. */
export async function checkOnce(
  course: Course,
  exercise: Exercise,
  options: SessionOptions,
): Promise<RunResult> {
  begin(course, exercise, options)
  return checkAndRecord(course, exercise, options)
}

/** The next hint that was not shown yet, recorded; after the last, the last again. */
export function nextHint({ progress }: Course, exercise: Exercise): string {
  const steps = readHints(exercise)
  const step = Math.min((progress.of(exercise)?.hints ?? 0) + 1, HINTS)
  progress.hinted(exercise, step)
  const next =
    step < HINTS
      ? `Next: contig do ${exercise.id}; or contig hint ${exercise.id} for step ${step + 1}`
      : `Next: contig do ${exercise.id}; or contig solution ${exercise.id} --give-up`
  return `Hint ${step} of ${HINTS}, ${exercise.number} ${exercise.title}\n\n${steps[step - 1] ?? ''}\n\n${next}\n`
}

// The part of a process's stdin that keys come from.
export interface Keys {
  on(event: 'data', listener: (data: Buffer | string) => void): unknown
  off(event: 'data', listener: (data: Buffer | string) => void): unknown
}

/** How a session was left. */
export interface Leaving {
  /** Whether the last check passed. */
  readonly passed: boolean
  /** By ctrl-C or a signal. */
  readonly interrupted: boolean
  /** Where the reader went on to, if that needs a session of another kind. */
  readonly next?: Exercise
}

/** Checks at once, at every save and at every key, until `q`, ctrl-C or the signal. */
export async function watchSession(
  course: Course,
  first: Exercise,
  keys: Keys | null,
  options: SessionOptions,
): Promise<Leaving> {
  const { watch } = await import('chokidar')
  // The reader's folder is there before it is watched.
  begin(course, first, options)
  const session = new Session(course, first, options)
  const { workspace } = course.places
  const watcher = watch(workspace, {
    ignoreInitial: true,
    ignored: (path) => path !== workspace && basename(path).startsWith('.'),
  })
  watcher.on('all', (_, path) => session.saved(path))
  watcher.on('error', (error) => session.fail(error))
  const onKeys = (data: Buffer | string): void => session.pressed(data.toString())
  const onSignal = (): void => session.leave(true)
  keys?.on('data', onKeys)
  options.signal.addEventListener('abort', onSignal, { once: true })
  // It may have been aborted while chokidar was loading.
  if (options.signal.aborted) onSignal()
  try {
    // Watching begins before the first check, or a save in between would be missed.
    await new Promise<void>((resolve) => watcher.once('ready', () => resolve()))
    if (!options.signal.aborted) session.check()
    return await session.left
  } finally {
    keys?.off('data', onKeys)
    options.signal.removeEventListener('abort', onSignal)
    await session.end()
    await watcher.close()
  }
}

class Session {
  readonly left: Promise<Leaving>
  fail: (error: unknown) => void = () => undefined
  readonly #course: Course
  readonly #options: SessionOptions
  #resolve: (how: Leaving) => void = () => undefined
  #exercise: Exercise
  #passed = false
  // The text that was checked last: laying out and a save that changed nothing are no reason to check again.
  #seen = ''
  #running = new AbortController()
  #last: Promise<void> = Promise.resolve()
  #quiet: NodeJS.Timeout | undefined

  constructor(course: Course, first: Exercise, options: SessionOptions) {
    this.#course = course
    this.#exercise = first
    this.#options = options
    this.left = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.fail = reject
    })
  }

  leave(interrupted: boolean, next?: Exercise): void {
    this.#resolve({ passed: this.#passed, interrupted, ...(next ? { next } : {}) })
  }

  check(): void {
    this.#running.abort(new Error('another check was asked for'))
    const mine = new AbortController()
    this.#running = mine
    const exercise = this.#exercise
    this.#last = this.#last.then(async () => {
      if (mine.signal.aborted) return
      try {
        await this.#checkNow(exercise, mine.signal)
      } catch (error) {
        if (!mine.signal.aborted) this.fail(error)
      }
    })
  }

  async #checkNow(exercise: Exercise, signal: AbortSignal): Promise<void> {
    const { exercises, progress, places } = this.#course
    const { write } = this.#options
    begin(this.#course, exercise, this.#options)
    this.#seen = this.#text(exercise)
    const result = await checkAndRecord(this.#course, exercise, { ...this.#options, signal })
    this.#passed = result.passed
    const next = nextUnfinished(exercises, progress.read(), exercise)
    write('\n' + formatResult(exercise, result, next, readerFolder(places, exercise)))
    write(
      result.passed
        ? '[n] next  [s] solution  [r] run  [q] quit\n'
        : '[h] hint  [r] run  [n] next  [q] quit\n',
    )
  }

  #text(exercise: Exercise): string {
    return JSON.stringify(readFiles(exercise, readerFolder(this.#course.places, exercise)))
  }

  saved(path: string): void {
    const folder = readerFolder(this.#course.places, this.#exercise)
    if (!this.#exercise.files.some((file) => path === `${folder}/${file}`)) return
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => {
      if (this.#text(this.#exercise) !== this.#seen) this.check()
    }, QUIET_MS)
  }

  pressed(keys: string): void {
    try {
      for (const key of keys) this.#press(key)
    } catch (error) {
      this.fail(error)
    }
  }

  #press(key: string): void {
    const { write } = this.#options
    const { progress } = this.#course
    const { id } = this.#exercise
    if (key === 'h') write('\n' + nextHint(this.#course, this.#exercise))
    else if (key === 'r') this.check()
    else if (key === 'n') this.#next()
    else if (key === 'q' || key === '\u0004') this.leave(false)
    else if (key === '\u0003') this.leave(true)
    else if (key === 's' && progress.of(this.#exercise)?.passed) write('\n' + formatSolution(this.#exercise))
    else if (key === 's') {
      write(`The solution opens after a pass; contig solution ${id} --give-up opens it now.\n`)
    }
  }

  #next(): void {
    const { exercises, progress } = this.#course
    const following = nextUnfinished(exercises, progress.read(), this.#exercise)
    if (!following) return this.#options.write('There is no other exercise left to do.\n')
    if (following.kind === 'question') return this.leave(false, following)
    this.#exercise = following
    this.#passed = false
    this.check()
  }

  /** Stops what runs and waits until it has stopped. */
  async end(): Promise<void> {
    clearTimeout(this.#quiet)
    this.#running.abort(new Error('the session ended'))
    await this.#last
  }
}
