// SPDX-License-Identifier: MIT
//
// Runs the lab beside a C exercise, with the reader's file in the place of the shipped one, and hands over what the board
// said. Whether that is right is for the exercise's check.ts; a board that dies is evidence too.
import { join, relative } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { Cache } from '../lab/cache.ts'
import { loadLab } from '../lab/lab_file.ts'
import { listOwnKernels } from '../lab/own_kernel_build.ts'
import { killAllGroups } from '../lab/process_group.ts'
import { runLab, type BootResult } from '../lab/run_lab.ts'
import type { BoardReport } from './check.ts'
import type { Exercise } from './catalog.ts'

export interface BoardOptions {
  readonly root: string
  /** The folder with the answer's files. */
  readonly folder: string
  /** The kernel to boot; `defaultKernel()` when unsaid. */
  readonly kernel?: string
  readonly signal?: AbortSignal
  /** A line about what goes on. */
  readonly onProgress?: (line: string) => void
}

export const EXERCISE_KERNELS = ['6.1', '6.12', 'lab'] as const

/** Our own kernel boots in half the time of Debian's; it takes minutes to build, so it is used where it stands already. */
export function defaultKernel(cache: Cache): (typeof EXERCISE_KERNELS)[number] {
  const built = listOwnKernels(cache).some(
    (each) => each.name === 'lab' && each.arch === 'arm64' && each.kernel,
  )
  return built ? 'lab' : '6.12'
}

/**
 * Builds, boots and reads one board. Throws a Complaint with exit code 4 when a tool is missing; what does not compile is
 * a report with `built` false.
 */
export async function runOnBoard(exercise: Exercise, options: BoardOptions): Promise<BoardReport> {
  const asked = options.kernel ?? defaultKernel(new Cache())
  const kernel = EXERCISE_KERNELS.find((each) => each === asked)
  if (!kernel)
    throw new Complaint({ text: `${asked}: expected one of ${EXERCISE_KERNELS.join(', ')}`, exitCode: 2 })
  const lab = loadLab(relative(options.root, join(exercise.path, 'lab.yaml')), options.root)
  // The module's folder is named as its file; a link there stands for the file that is overridden.
  const overrides = Object.fromEntries(
    lab.modules.flatMap((folder) =>
      exercise.files
        .filter((file) => folder.endsWith(`/${file.replace(/\.c$/, '')}`))
        .map((file) => [`${folder}/${file}`, join(options.folder, file)]),
    ),
  )
  const onProgress = options.onProgress ?? (() => undefined)
  const stopKilling = killOnAbort(options.signal)
  try {
    const result = await runLab(lab, {
      kernels: [kernel],
      overrides,
      progress: ({ title, state, seconds }) => {
        if (state === 'start') onProgress(`${title} …`)
        else if (state === 'done' && seconds >= 1) onProgress(`${title}: ${seconds.toFixed(1)} s`)
      },
    })
    options.signal?.throwIfAborted()
    return reportOf(result.boots[0]!)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof Complaint && error.diagnostics.some(({ rule }) => rule === 'lab-compiler')) {
      const mine = error.diagnostics.filter(({ file }) => exercise.files.some((name) => file.endsWith(name)))
      const build = (mine.length > 0 ? mine : error.diagnostics).map(
        ({ line, column, severity, text }) => `${line}:${column}: ${severity}: ${text}`,
      )
      return { kernel, built: false, build, dmesg: [], complaints: [], tests: [], finished: false }
    }
    throw error
  } finally {
    stopKilling()
  }
}

// An abort kills what runs now and whatever the lab would still start, until the lab has returned.
function killOnAbort(signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined
  const kill = (): void => {
    killAllGroups()
    timer = setInterval(killAllGroups, 100)
  }
  signal?.addEventListener('abort', kill, { once: true })
  return () => {
    signal?.removeEventListener('abort', kill)
    clearInterval(timer)
  }
}

function reportOf(boot: BootResult): BoardReport {
  const ktap = boot.ktap.flatMap(({ tests }) =>
    tests.map(({ name, outcome }) => ({ name, ok: outcome === 'passed' })),
  )
  return {
    kernel: boot.name,
    built: true,
    build: [],
    dmesg: boot.dmesg,
    complaints: boot.checks
      .filter(({ ok }) => !ok)
      .flatMap(({ name, lines }) => [`not ok: ${name}`, ...lines.map((line) => `  ${line}`)]),
    tests: [...boot.checks.map(({ name, ok }) => ({ name, ok })), ...ktap],
    finished: boot.checks.find(({ name }) => name === 'the board ran to its end')?.ok ?? false,
  }
}
