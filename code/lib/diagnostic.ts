// SPDX-License-Identifier: MIT
//
// What a reader is told about a file of theirs: a device tree, an exercise, a lab file, a chapter. It is data with a
// stable rule id that can be searched for; printing it is `formatDiagnostic` and nothing else.

// #region diagnostic
export interface Diagnostic {
  /** Stable and greppable, e.g. `dts-syntax`, `lab-unknown-key`. */
  readonly rule: string
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number
  /** 1-based; 0 when the whole line is meant. */
  readonly column: number
  /** Subject, value got, value expected. */
  readonly text: string
  /** The next step, where there is one. */
  readonly note?: string
}

/** `file:line:column: severity: text [rule]`, with the note on a line of its own. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, text, rule, note } = diagnostic
  const place = [file, ...(line > 0 ? [line] : []), ...(line > 0 && column > 0 ? [column] : [])].join(':')
  return `${place}: ${severity}: ${text} [${rule}]` + (note ? `\n  ${note}` : '')
}
// #endregion diagnostic
