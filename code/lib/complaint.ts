// SPDX-License-Identifier: MIT
//
// A failure that a person can mend: bad input, a missing tool, a full disk. The command line prints it without a stack
// and leaves with its exit code; anything else that is thrown is a defect of ours.

// #region complaint-imports
import { type Diagnostic, formatDiagnostic } from './diagnostic.ts'
// #endregion complaint-imports

// #region complaint
/** 1 a check failed, 2 the words were wrong, 4 it cannot run here. */
export type ExitCode = 1 | 2 | 4

export class Complaint extends Error {
  readonly exitCode: ExitCode
  /** What to do next, a line each. */
  readonly next: readonly string[]
  readonly diagnostics: readonly Diagnostic[]

  constructor(what: { text: string; exitCode?: ExitCode; next?: string[]; diagnostics?: Diagnostic[] }) {
    super([what.text, ...(what.diagnostics ?? []).map(formatDiagnostic)].filter(Boolean).join('\n'))
    this.name = 'Complaint'
    this.exitCode = what.exitCode ?? 1
    this.next = what.next ?? []
    this.diagnostics = what.diagnostics ?? []
  }
}
// #endregion complaint
