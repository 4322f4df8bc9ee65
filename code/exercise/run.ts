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
import {
  about,
  CHECK_LIMIT_MS,
  endedEarly,
  HEAP_MIB,
  PRINTED_LINES,
  ranTooLong,
  threw,
  tookTooMuch,
  type RunResult,
} from './outcome.ts'
import type { Thrown, Told } from './perform.ts'
import { readFiles } from './workspace.ts'

/** For kinds other than `c`, `kernel` and `onProgress` play no part. */
export interface RunOptions extends BoardOptions {
  /** Milliseconds that the check may take once it started. */
  readonly limitMs?: number
}

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

function gone(exercise: Exercise, file: string): Finding {
  const note = `contig reset ${exercise.id} lays it out again and keeps what is there.`
  return { ...about(exercise, 'ex-file-missing', 'the file is not there', { note }), file }
}

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
    const found = (finding: Finding): void => resolve({ findings: [finding] })
    abort = () => reject(options.signal?.reason as Error)
    options.signal?.addEventListener('abort', abort, { once: true })
    worker.on('message', (told: Told) => {
      if (told.state === 'started') timer = setTimeout(() => found(ranTooLong(exercise, limit)), limit)
      else if (told.state === 'printed') {
        if (printed.length < PRINTED_LINES) printed.push(...told.text.split('\n'))
      } else if (told.state === 'result') resolve(told.result)
      else {
        const thrown = whoThrew(exercise, told.error, bundle.map)
        if (thrown) found(thrown)
        else reject(new Error(`${exercise.id}: its check failed: ${told.error.stack}`))
      }
    })
    worker.on('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') found(tookTooMuch(exercise))
      else reject(error)
    })
    worker.on('exit', () => found(endedEarly(exercise)))
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
function whoThrew(exercise: Exercise, error: Thrown, map: CheckBundle['map']): Finding | null {
  const file = exercise.files[0]!
  for (const [, line, column] of error.stack.matchAll(/\[worker eval\]:(\d+):(\d+)/g)) {
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
    if (!('originalSource' in entry) || !entry.originalSource.endsWith(`/${file}`)) continue
    return threw(exercise, error, { line: entry.originalLine + 1, column: entry.originalColumn + 1 })
  }
  return threw(exercise, error, null)
}
