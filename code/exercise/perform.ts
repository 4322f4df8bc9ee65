// SPDX-License-Identifier: MIT
//
// Inside the worker, a terminal's or a page's: runs one check over one answer and tells what came of it. The worker says
// `started` by itself, once everything is loaded, so that the time limit is the answer's alone.
import type { CheckContext, CheckModule, CheckResult } from './check.ts'

/** What the reader's code, or a check, threw. */
export interface Thrown {
  readonly name: string
  readonly message: string
  readonly stack: string
}

/** What a worker tells. */
export type Told =
  | { readonly state: 'started' }
  | { readonly state: 'printed'; readonly text: string }
  | { readonly state: 'result'; readonly result: CheckResult }
  | { readonly state: 'threw'; readonly error: Thrown }

export interface Performance {
  /** The check.ts. */
  readonly check: CheckModule
  /** The kind and the reader's files. */
  readonly context: Omit<CheckContext, 'module'>
  /** Loads the reader's module; null when the answer is none. */
  readonly load: (() => Promise<unknown>) | null
  readonly tell: (told: Told) => void
  /** A value as text, for what was thrown and is no Error. */
  readonly format: (value: unknown) => string
}

/** Tells `result` or `threw`, once. */
export async function perform({ check, context, load, tell, format }: Performance): Promise<void> {
  try {
    const given = load ? { ...context, module: await load() } : context
    tell({ state: 'result', result: await check.check(given as CheckContext) })
  } catch (error) {
    const told =
      error instanceof Error
        ? { name: error.name, message: error.message, stack: String(error.stack) }
        : { name: 'thrown', message: format(error), stack: '' }
    tell({ state: 'threw', error: told })
  }
}
