// SPDX-License-Identifier: MIT
//
// exercise.yaml: what an exercise is called, how long it takes, which files it ships. Unknown keys are errors.
import { isMap, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml'
import { z } from 'zod'
import type { Diagnostic } from '../lib/diagnostic.ts'
import { EXERCISE_KINDS } from './check.ts'

const word = z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case words joined by hyphens')
const fileName = z.string().regex(/^[a-z0-9][a-z0-9_.-]*$/, 'expected a plain lower-case file name')
const rule = z.string().regex(/^ex-[a-z0-9-]+$/, 'expected a rule id such as ex-size-rounded-down')

const common = {
  /** Unique in the whole book; what a reader types. */
  id: word,
  title: z.string().min(1),
  minutes: z.number().int().min(1).max(120),
  /** 1 a finding, 2 a function, 3 an evening's thought. */
  difficulty: z.number().int().min(1).max(3),
  /** Place among the chapter's exercises, from 1. */
  order: z.number().int().min(1),
  /** Ids of exercises that come before this one. */
  prerequisites: z.array(word),
}

const filesSchema = z.strictObject({
  ...common,
  kind: z.enum(EXERCISE_KINDS),
  /** The shipped files, the reader's to edit. The first is the one that is compiled or read. */
  files: z.array(fileName).min(1),
  /** The diagnosis that the shipped files get. */
  shipped: rule,
  /** Kept wrong answers, wrong/<name>/, and the diagnosis that each must get. */
  wrong: z.record(word, rule),
})

// Its wrong answers are drawn with it, in question.ts.
const questionSchema = z.strictObject({ ...common, kind: z.literal('question') })

/** A question ships no files and keeps no wrong ones. */
export type ExerciseManifest = z.infer<typeof filesSchema>

const NO_FILES = { files: [], shipped: 'ex-not-answered', wrong: {} }

function schemaFor(data: unknown) {
  const kind = typeof data === 'object' && data !== null && 'kind' in data ? data.kind : undefined
  return kind === 'question' ? questionSchema : filesSchema
}

// The place of the value at `path`, or of the nearest thing above it that exists; for an unknown key, of the key.
function placeOf(document: Document, lines: LineCounter, path: readonly PropertyKey[], key?: string) {
  const keys = path.map((step) => (typeof step === 'symbol' ? String(step) : step))
  for (let length = keys.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(keys.slice(0, length), true)
    if (!node) continue
    let range = (node as Node).range
    if (length === keys.length && key !== undefined && isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key)
      range = (pair?.key as Node | undefined)?.range ?? range
    }
    const at = range ? lines.linePos(range[0]) : { line: 1, col: 1 }
    return { line: at.line, column: at.col }
  }
  return { line: 1, column: 1 }
}

/** Reads the text of an exercise.yaml; `file` is for its diagnostics. */
export function parseManifest(
  text: string,
  file: string,
): { manifest: ExerciseManifest | null; diagnostics: Diagnostic[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const diagnostics: Diagnostic[] = document.errors.map((error) => {
    const at = lines.linePos(error.pos[0])
    return {
      rule: 'exercise-yaml',
      severity: 'error',
      file,
      line: at.line,
      column: at.col,
      text: error.message,
    }
  })
  if (diagnostics.length > 0) return { manifest: null, diagnostics }
  const data: unknown = document.toJS()
  const schema = schemaFor(data)
  const parsed = schema.safeParse(data)
  if (parsed.success) return { manifest: { ...NO_FILES, ...parsed.data }, diagnostics: [] }
  for (const issue of parsed.error.issues) {
    const path = issue.path.join('.')
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const place = placeOf(document, lines, issue.path, key)
        const known = Object.keys(schema.shape).join(', ')
        const text = `${key}: unknown key; expected one of ${known}`
        diagnostics.push({ rule: 'exercise-unknown-key', severity: 'error', file, ...place, text })
      }
      continue
    }
    const place = placeOf(document, lines, issue.path)
    const text = `${path || 'the file'}: ${issue.message}`
    diagnostics.push({ rule: 'exercise-value', severity: 'error', file, ...place, text })
  }
  return { manifest: null, diagnostics }
}
