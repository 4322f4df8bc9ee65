// SPDX-License-Identifier: MIT
//
// Ctrl-C and its kin, while a lab runs: everything that was started is killed, everything half-made is cleared away, and
// only then does this program end, by that same signal.
import { killAllGroups } from './process_group.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs `work` with a signal that an interruption aborts; a second interruption does not wait any more. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let caught: NodeJS.Signals | null = null
  const onSignal = (name: NodeJS.Signals): void => {
    if (caught) {
      killAllGroups()
      process.exit(130)
    }
    caught = name
    process.stderr.write(`\ninterrupted by ${name}: ending what was started and clearing up\n`)
    controller.abort(new Error(`interrupted by ${name}`))
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    return await work(controller.signal)
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
    if (caught) {
      killAllGroups()
      process.kill(process.pid, caught)
      // The signal ends us before anything else is told.
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}
