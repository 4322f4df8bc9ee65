// SPDX-License-Identifier: MIT
//
// What a check of the book gives, and how it is told to a check while it runs. Printing is code/cli/verify.ts's.
import type { Diagnostic } from '../code/lib/diagnostic.ts'

export interface CheckReport {
  /** What is wrong; warnings are told and fail nothing. */
  readonly diagnostics: readonly Diagnostic[]
  /** What was looked at, `{ claims: 120, looks: 310 }`. */
  readonly counts: Readonly<Record<string, number>>
  /** What could not be looked at here, each with its reason. */
  readonly skipped?: readonly string[]
}

export interface CheckContext {
  readonly root: string
  readonly signal: AbortSignal
  /** What is being done now, in a few words. */
  readonly progress: (doing: string) => void
  /** Builds the whole site, API included, into a folder. Handed down by the command line, which has the builders. */
  readonly buildSite: (out: string) => Promise<void>
}

export const error = (
  rule: string,
  file: string,
  line: number,
  column: number,
  text: string,
  note?: string,
): Diagnostic => ({
  ...{ rule, severity: 'error', file, line, column, text },
  ...(note === undefined ? {} : { note }),
})
