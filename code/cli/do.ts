// SPDX-License-Identifier: MIT
//
// contig do: work on an exercise. Checks once; at a terminal it goes on to check at every save.
import { Option, type Command } from 'commander'

interface Options {
  watch?: boolean
  once?: boolean
  json?: boolean
  kernel?: string
}

export function registerDo(program: Command): void {
  program
    .command('do')
    .description('work on an exercise: check it now and at every save')
    .argument('[exercise]', 'its id or number, e.g. 2.1; the next unfinished one when left out')
    .addOption(
      new Option('--watch', 'keep checking at every save (the default at a terminal)').conflicts('once'),
    )
    .option('--once', 'check once and leave')
    .addOption(new Option('--json', 'print the result as JSON; implies --once').conflicts('watch'))
    .addOption(new Option('--kernel <series>', 'the kernel that C exercises boot').choices(['6.1', '6.12']))
    .action(async (name: string | undefined, options: Options) => {
      process.exitCode = await work(name, options)
    })
}

async function work(name: string | undefined, { watch, once, json, kernel }: Options): Promise<number> {
  const [{ chosen, openCourse }, session, { formatResult }, { nextUnfinished }, { readerFolder }] =
    await Promise.all([
      import('../exercise/course.ts'),
      import('../exercise/session.ts'),
      import('../exercise/print.ts'),
      import('../exercise/progress.ts'),
      import('../exercise/workspace.ts'),
    ])
  const course = openCourse()
  const exercise = chosen(course, name)
  if (!exercise) {
    process.stdout.write(
      json ? '{"done":true}\n' : `All ${course.exercises.length} exercises are done: contig list\n`,
    )
    return 0
  }
  const controller = new AbortController()
  const stop = (): void => controller.abort(new Error('interrupted'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  const write = (text: string): void => void (json ? process.stderr : process.stdout).write(text)
  const options = { write, signal: controller.signal, ...(kernel ? { kernel } : {}) }
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  try {
    if (!once && !json && (watch || terminal)) {
      const keys = process.stdin
      if (keys.isTTY) keys.setRawMode(true)
      try {
        const left = await session.watchSession(course, exercise, keys, options)
        return left.interrupted ? 130 : 0
      } finally {
        if (keys.isTTY) keys.setRawMode(false)
        keys.pause()
      }
    }
    const result = await session.checkOnce(course, exercise, options)
    const next = nextUnfinished(course.exercises, course.progress.read(), exercise)
    if (json) {
      process.stdout.write(
        JSON.stringify({ exercise: exercise.id, next: next?.id ?? null, ...result }, null, 2) + '\n',
      )
    } else write(formatResult(exercise, result, next, readerFolder(course.places, exercise)))
    return result.passed ? 0 : 1
  } catch (error) {
    if (controller.signal.aborted) return 130
    throw error
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, stop)
  }
}
