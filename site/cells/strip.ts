// SPDX-License-Identifier: MIT
//
// TypeScript to JavaScript with every line left where it is, so that a line of a stack is a line of the reader's. At
// build time for cells as printed; in the page, a chunk of its own, only when an edited cell is run.
import { transform } from 'sucrase'
import { CellMistake } from './imports.ts'

/** Throws `CellMistake` with the line at a syntax error. */
export function stripTypes(code: string): string {
  try {
    return transform(code, { transforms: ['typescript'], disableESTransforms: true }).code
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const at = /\((\d+):(\d+)\)\s*$/.exec(text)
    const what = text.replace(/^Error transforming [^:]*: /, '').replace(/\s*\(\d+:\d+\)\s*$/, '')
    throw new CellMistake(`SyntaxError: ${what}`, Number(at?.[1] ?? 0))
  }
}
