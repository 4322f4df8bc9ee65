// SPDX-License-Identifier: MIT
//
// What an answer did that no check can say, because it never came to one: no end, no memory left, a throw. The terminal
// and the page say it in the same words.
import type { CheckResult, Finding } from './check.ts'
import type { Thrown } from './perform.ts'

/** Milliseconds that a check may take once it started. */
export const CHECK_LIMIT_MS = 3000

/** Lines of what an answer prints that are shown. */
export const PRINTED_LINES = 50

export const HEAP_MIB = 256

/** The part of an exercise that is named here. */
export interface Answered {
  readonly id: string
  readonly files: readonly string[]
}

export interface RunResult extends CheckResult {
  readonly passed: boolean
  /** What the answer printed, at most `PRINTED_LINES`. */
  readonly printed: readonly string[]
  readonly seconds: number
}

/** A finding about the answer's first file. */
export function about(exercise: Answered, rule: string, text: string, more: Partial<Finding> = {}): Finding {
  return { rule, severity: 'error', file: exercise.files[0] ?? '', line: 0, column: 0, text, ...more }
}

export function ranTooLong(exercise: Answered, limitMs: number): Finding {
  const note = 'Look for a loop whose condition never becomes false.'
  const text = `no answer after ${limitMs / 1000} s; a right one takes well under one`
  return about(exercise, 'ex-time-limit', text, { note })
}

export function tookTooMuch(exercise: Answered): Finding {
  const note = 'Look for an array that grows in a loop.'
  const text = `used more than ${HEAP_MIB} MiB; a right answer needs a few`
  return about(exercise, 'ex-memory-limit', text, { note })
}

export function endedEarly(exercise: Answered): Finding {
  return about(exercise, 'ex-ended-early', 'the program ended before it answered')
}

/**
 * `at` is the topmost place in the reader's file that the stack names, null when it names none. What is no Error has no
 * stack, and no check of ours throws such a thing; any other that does not name the reader's file is our own fault: null.
 */
export function threw(
  exercise: Answered,
  { name, message, stack }: Thrown,
  at: { line: number; column: number } | null,
): Finding | null {
  if (at === null && stack !== '') return null
  return about(exercise, 'ex-threw', `${name}: ${message}`, at ?? {})
}

/** In a page: a name that reaches beyond the answer, and an import that cannot be looked up. */
export const BEYOND = '{name} is not there: an answer has no network and nothing outside its worker'
export const COMPUTED = 'import() takes one name in quotes'

export const IMPORT_NOTE = 'An answer may import models (contiguous/…) and nothing of the host.'
