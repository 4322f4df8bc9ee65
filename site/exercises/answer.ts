// SPDX-License-Identifier: MIT
//
// The reader's text before and after its check: made a module, and its end put into the words of the terminal.
import * as z from 'zod'
import type { CheckResult, Finding } from '../../code/exercise/check.ts'
import {
  about,
  COMPUTED,
  endedEarly,
  IMPORT_NOTE,
  ranTooLong,
  threw,
  type Answered,
} from '../../code/exercise/outcome.ts'
import type { Thrown, Told } from '../../code/exercise/perform.ts'
import { CellMistake, findImports, rewriteImports } from '../cells/imports.ts'
import { withLine } from '../cells/sandbox.ts'
import { stripTypes } from '../cells/strip.ts'
import { READER } from './in_worker.ts'

// Of a name that is no model we say what a terminal says.
const WORDS = { computed: COMPUTED, noModel: '{name}' }

export type Prepared =
  { readonly module: string; readonly models: readonly string[] } | { readonly findings: readonly Finding[] }

function atLine(exercise: Answered, rule: string, text: string, line: number, source: string): Finding {
  const evidence = source.split('\n').slice(line - 1, line)
  const note = rule === 'ex-import-unresolved' ? { note: IMPORT_NOTE } : {}
  return about(exercise, rule, text, { line, column: line > 0 ? 1 : 0, evidence, ...note })
}

/** A TypeScript answer as a module whose imports are addresses. What cannot be one is a finding, as at a terminal. */
export function prepare(
  exercise: Answered,
  source: string,
  addressOf: (specifier: string) => string | null,
): Prepared {
  let rule = 'ex-syntax'
  try {
    const stripped = stripTypes(source)
    rule = 'ex-import-unresolved'
    const unknown = findImports(stripped, WORDS).find(({ specifier }) => addressOf(specifier) === null)
    if (unknown) throw new CellMistake(`Could not resolve "${unknown.specifier}"`, unknown.line)
    const { code, models } = rewriteImports(stripped, { names: [], addressOf }, WORDS)
    return { module: code, models }
  } catch (error) {
    if (!(error instanceof CellMistake)) throw error
    const text = error.message.replace(/^SyntaxError: /, '')
    return { findings: [atLine(exercise, rule, text, error.line, source)] }
  }
}

/** How a worker came to its end. */
export type Ended =
  | Extract<Told, { state: 'result' | 'threw' }>
  | { readonly state: 'time'; readonly limitMs: number }
  | { readonly state: 'ended' }

const lines = z.array(z.string())

// The worker held the reader's code: what comes from there is looked at before it is shown.
const resultSchema = z.object({
  findings: z.array(
    z.object({
      rule: z.string(),
      severity: z.enum(['error', 'warning']),
      file: z.string(),
      line: z.number(),
      column: z.number(),
      text: z.string(),
      note: z.string().optional(),
      evidence: lines.optional(),
      read: z.string().optional(),
    }),
  ),
  shown: lines.optional(),
})

/** What to tell the reader; null when the check itself failed, which is a fault of ours. */
export function resultOf(exercise: Answered, ended: Ended, source: string): CheckResult | null {
  if (ended.state === 'time') return { findings: [ranTooLong(exercise, ended.limitMs)] }
  if (ended.state === 'threw') {
    const finding = whoThrew(exercise, ended.error, source)
    return finding ? { findings: [finding] } : null
  }
  const parsed = resultSchema.safeParse(ended.state === 'result' ? ended.result : null)
  return parsed.success ? (parsed.data as CheckResult) : { findings: [endedEarly(exercise)] }
}

function whoThrew(exercise: Answered, error: Thrown, source: string): Finding | null {
  const at = error.stack.indexOf(`${READER}:`)
  if (at >= 0) {
    const [, line, column] = /^(\d+):(\d+)/.exec(error.stack.slice(at + READER.length + 1)) ?? []
    return threw(exercise, error, { line: Number(line ?? 0), column: Number(column ?? 0) })
  }
  if (error.name !== 'SyntaxError') return threw(exercise, error, null)
  // The engine found it before a line of the module ran, and does not say where.
  const { line = 0 } = withLine({ kind: 'error', text: error.message, line: 0 }, source) as { line?: number }
  const rule = /does not provide an export/.test(error.message) ? 'ex-import-unresolved' : 'ex-syntax'
  const text = error.message.replace(/requested module '[^']*'/, 'requested model')
  return atLine(exercise, rule, text, line, source)
}
