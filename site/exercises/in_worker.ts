// SPDX-License-Identifier: MIT
//
// What a worker does for an exercise, in the page (check_worker.ts) and in Node, where the tests run every answer of the
// book through it. The check is the terminal's own check.ts, bundled by build.ts.
import type { CheckModule } from '../../code/exercise/check.ts'
import { PRINTED_LINES } from '../../code/exercise/outcome.ts'
import { perform, type Told } from '../../code/exercise/perform.ts'
import { formatLog, formatThrown } from '../cells/format.ts'
import type { CheckRequest } from './types.ts'

/** In a stack this stands for the reader's module, wherever that was loaded from. */
export const READER = 'reader.js'

const WIDTH = 2000

/** A console that tells the first lines and is silent then: an answer that prints without end is ended by its time. */
export function shortConsole(tell: (told: Told) => void): Console {
  let left = PRINTED_LINES
  const print = (...values: unknown[]): void => {
    if (left <= 0) return
    const lines = formatLog(values).split('\n').slice(0, left)
    left -= lines.length
    tell({ state: 'printed', text: lines.map((line) => line.slice(0, WIDTH)).join('\n') })
  }
  return new Proxy({} as Console, {
    get: (_, name) => (/^(log|info|debug|warn|error)$/.test(String(name)) ? print : () => undefined),
  })
}

/** What is around a check: how modules are loaded here, and what is taken away before the reader's is. */
export interface Surroundings {
  readonly load: (address: string) => Promise<unknown>
  /** The address of the reader's module, null when there is none. */
  readonly reader: string | null
  readonly shutIn: () => void
  readonly tell: (told: Told) => void
}

/** Loads, shuts in, says `started`, and tells what the check said. */
export async function runCheck(
  { check, models, context }: CheckRequest,
  { load, reader, shutIn, tell }: Surroundings,
): Promise<void> {
  const [module] = await Promise.all([load(check) as Promise<CheckModule>, ...models.map(load)])
  shutIn()
  tell({ state: 'started' })
  await perform({
    check: module,
    context,
    load: reader === null ? null : () => load(reader),
    tell: (told) =>
      tell(
        told.state === 'threw' && reader !== null
          ? { ...told, error: { ...told.error, stack: told.error.stack.replaceAll(reader, READER) } }
          : told,
      ),
    format: formatThrown,
  })
}
