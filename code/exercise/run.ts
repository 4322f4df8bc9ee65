// SPDX-License-Identifier: MIT
//
// One check of one answer. Whatever the answer does, this returns: an endless loop, a throw, a runaway allocation and an
// early exit are findings like any other.
//
//     files ─► bundle ─► worker ─► findings          dts, typescript: well under a second
//     files ─► lab on a board ─► report ─► worker    c
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { BoardOptions } from './board.ts'
import { bundleCheck, type CheckBundle } from './bundle.ts'
import type { BoardReport, CheckResult, Finding } from './check.ts'
import type { Exercise } from './catalog.ts'
import { readFiles } from './workspace.ts'

/** For kinds other than `c`, `kernel` and `onProgress` play no part. */
export interface RunOptions extends BoardOptions {
  /** Milliseconds that the check may take once it started. */
  readonly limitMs?: number
}

export interface RunResult extends CheckResult {
  readonly passed: boolean
  /** What the answer printed, at most 50 lines. */
  readonly printed: readonly string[]
  readonly seconds: number
}

export const CHECK_LIMIT_MS = 3000
const PRINTED_LINES = 50
const HEAP_MIB = 256

/** Checks the answer in `options.folder`. Throws a Complaint when it cannot run here (exit code 4), or when aborted. */
export async function runExercise(exercise: Exercise, options: RunOptions): Promise<RunResult> {
  const began = performance.now()
  const printed: string[] = []
  const done = (result: CheckResult): RunResult => ({
    ...result,
    passed: result.findings.length === 0,
    printed,
    seconds: (performance.now() - began) / 1000,
  })
  const { files, missing } = readFiles(exercise, options.folder)
  if (missing.length > 0) return done({ findings: missing.map((file) => gone(exercise, file)) })
  let board: BoardReport | undefined
  if (exercise.kind === 'c') {
    const { runOnBoard } = await import('./board.ts')
    board = await runOnBoard(exercise, options)
  }
  const reader = exercise.kind === 'typescript' ? join(options.folder, exercise.files[0]!) : null
  const bundle = await bundleCheck({ root: options.root, check: join(exercise.path, 'check.ts'), reader })
  options.signal?.throwIfAborted()
  if ('findings' in bundle) return done(bundle)
  const context = { kind: exercise.kind, files, ...(board ? { board } : {}) }
  return done(await runWorker(exercise, bundle, context, options, printed))
}

function about(exercise: Exercise, rule: string, text: string, more: Partial<Finding> = {}): Finding {
  return { rule, severity: 'error', file: exercise.files[0]!, line: 0, column: 0, text, ...more }
}

function gone(exercise: Exercise, file: string): Finding {
  const note = `contig reset ${exercise.id} lays it out again and keeps what is there.`
  return { ...about(exercise, 'ex-file-missing', 'the file is not there', { note }), file }
}

type Message =
  | { state: 'started' }
  | { state: 'printed'; text: string }
  | { state: 'result'; result: CheckResult }
  | { state: 'threw'; error: { name: string; message: string; stack: string } }

function runWorker(
  exercise: Exercise,
  bundle: CheckBundle,
  context: unknown,
  options: RunOptions,
  printed: string[],
): Promise<CheckResult> {
  const limit = options.limitMs ?? CHECK_LIMIT_MS
  const worker = new Worker(bundle.code, {
    eval: true,
    workerData: context,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    stdin: false,
    stdout: true,
    stderr: true,
  })
  let timer: NodeJS.Timeout | undefined
  let abort = (): void => undefined
  const outcome = new Promise<CheckResult>((resolve, reject) => {
    const finding = (rule: string, text: string, more?: Partial<Finding>) =>
      resolve({ findings: [about(exercise, rule, text, more)] })
    abort = () => reject(options.signal?.reason as Error)
    options.signal?.addEventListener('abort', abort, { once: true })
    worker.on('message', (message: Message) => {
      if (message.state === 'started') {
        timer = setTimeout(() => {
          const note = 'Look for a loop whose condition never becomes false.'
          finding('ex-time-limit', `no answer after ${limit / 1000} s; a right one takes well under one`, {
            note,
          })
        }, limit)
      } else if (message.state === 'printed') {
        if (printed.length < PRINTED_LINES) printed.push(...message.text.split('\n'))
      } else if (message.state === 'result') resolve(message.result)
      else {
        const thrown = whoThrew(exercise, message.error, bundle.map)
        if (thrown) resolve({ findings: [thrown] })
        else reject(new Error(`${exercise.id}: its check failed: ${message.error.stack}`))
      }
    })
    worker.on('error', (error: Error & { code?: string }) => {
      if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return reject(error)
      const note = 'Look for an array that grows in a loop.'
      finding('ex-memory-limit', `used more than ${HEAP_MIB} MiB; a right answer needs a few`, { note })
    })
    worker.on('exit', () => finding('ex-ended-early', 'the program ended before it answered'))
  })
  return outcome.finally(() => {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', abort)
    worker.removeAllListeners()
    worker.on('error', () => undefined)
    return worker.terminate()
  })
}

// The topmost place in the reader's file that a stack names; null when it names none.
function whoThrew(
  exercise: Exercise,
  error: { name: string; message: string; stack: string },
  map: CheckBundle['map'],
): Finding | null {
  const file = exercise.files[0]!
  for (const [, line, column] of error.stack.matchAll(/\[worker eval\]:(\d+):(\d+)/g)) {
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
    if (!('originalSource' in entry) || !entry.originalSource.endsWith(`/${file}`)) continue
    return about(exercise, 'ex-threw', `${error.name}: ${error.message}`, {
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    })
  }
  return null
}
