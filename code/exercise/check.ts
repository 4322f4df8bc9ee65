// SPDX-License-Identifier: MIT
//
// The contract between an exercise and whoever runs it. An exercise's check.ts exports
//
//     check(context: DtsContext | TypescriptContext | BoardContext): Promise<CheckResult>
//
// and sees plain data only: the reader's text, the reader's module, or what a board printed. It opens no file and starts
// nothing, so the same check runs in a worker of the terminal and, for `dts` and `typescript`, in the page.
// A check imports these types (they leave no trace in the bundle) and models, nothing else.
import type { Diagnostic } from '../lib/diagnostic.ts'

/** What an exercise can be. `c` needs a board, the others a JavaScript engine; a `question` has question.ts instead of files and a check. */
export const EXERCISE_KINDS = ['dts', 'typescript', 'c', 'question'] as const
export type ExerciseKind = (typeof EXERCISE_KINDS)[number]

/** One thing that is wrong with an answer. Its rule id starts with `ex-`. */
export interface Finding extends Diagnostic {
  /** What shows it: log lines, a picture of memory. */
  readonly evidence?: readonly string[]
  /** The heading to read again, word for word as in the exercise's chapter. */
  readonly read?: string
}

/** The reader's files by name, as text. */
export type ReaderFiles = Readonly<Record<string, string>>

export interface DtsContext {
  readonly kind: 'dts'
  readonly files: ReaderFiles
}

export interface TypescriptContext {
  readonly kind: 'typescript'
  readonly files: ReaderFiles
  /** What the reader's first file exports. */
  readonly module: Readonly<Record<string, unknown>>
}

/** What a board said while it ran the exercise's lab. */
export interface BoardReport {
  /** The kernel that was booted: `6.1`, `6.12`, `lab`. */
  readonly kernel: string
  /** False when the reader's file did not compile; `build` then holds what the compiler said. */
  readonly built: boolean
  readonly build: readonly string[]
  /** The kernel log without timestamps. */
  readonly dmesg: readonly string[]
  /** What the lab found wrong, in its own words: steps that failed, lines that must not be in the log. */
  readonly complaints: readonly string[]
  /** The lab's checks, then the KTAP results of its programs, each in order. */
  readonly tests: readonly { readonly name: string; readonly ok: boolean }[]
  /** False when the board was stopped by its time limit or died. */
  readonly finished: boolean
}

export interface BoardContext {
  readonly kind: 'c'
  readonly files: ReaderFiles
  readonly board: BoardReport
}

export type CheckContext = DtsContext | TypescriptContext | BoardContext

/** The answer is right when nothing was found. The first finding is the one to mend first. */
export interface CheckResult {
  readonly findings: readonly Finding[]
  /** What a right answer made happen, worth a look: a boot line, a picture. */
  readonly shown?: readonly string[]
}

/** What a check.ts exports. */
export interface CheckModule {
  check(context: CheckContext): Promise<CheckResult>
}
