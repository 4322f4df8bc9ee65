// SPDX-License-Identifier: MIT
//
// The kernel log of a modelled machine: lines without timestamps, in the order printed. A caller's `prefix` is what its
// source file defines as pr_fmt().

// #region printk
export type LogLevel = 'err' | 'warn' | 'info'

export interface LogLine {
  readonly level: LogLevel
  readonly text: string
}

/** Where the model prints. A line break inside a text starts a new line without prefix, as in `dmesg`. */
export class Printk {
  readonly records: LogLine[] = []

  print(level: LogLevel, text: string): void {
    for (const line of text.split('\n')) this.records.push({ level, text: line })
  }

  /** The lines alone, as `dmesg` shows them without timestamps. */
  get lines(): string[] {
    return this.records.map((record) => record.text)
  }
}
// #endregion printk
