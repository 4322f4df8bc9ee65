// SPDX-License-Identifier: MIT
//
// The line of a mistake that an engine finds before a module runs: of those it gives the text alone. Of a script it gives
// the line too. So the module is read once more as a script, as a function that nobody calls; loaded when that is needed.
import { findImports } from './imports.ts'
import type { CellWords } from './cell_words.ts'

/** A script without a mistake says nothing: it is given up after this. */
const READING_LIMIT_MS = 1_000

/** A script with the lines of the module: its imports and the word `export` blank, the rest in an uncalled function. */
export function asScript(module: string, words: Pick<CellWords, 'computed'>): string {
  let text = module
  const blank = (from: number, to: number) =>
    (text = text.slice(0, from) + text.slice(from, to).replace(/[^\n]/g, ' ') + text.slice(to))
  for (const site of findImports(module, words)) if (!site.called) blank(site.from, site.end + 1)
  text = text.replace(/^([ \t]*)(export(?:[ \t]+default)?)(?=[ \t{])/gm, (_, space: string, word: string) =>
    space.padEnd(space.length + word.length),
  )
  return `'use strict';async()=>{${text}\n}`
}

/** The mistake with its line, 1-based, and what the engine says of it there, which may be more; null when it finds none. */
export function earlyError(module: string, words: CellWords): Promise<{ line: number; text: string } | null> {
  const blob = URL.createObjectURL(new Blob([asScript(module, words)], { type: 'text/javascript' }))
  const worker = new Worker(blob)
  return new Promise<{ line: number; text: string } | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), READING_LIMIT_MS)
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      clearTimeout(timer)
      const text = event.message.replace(/^Uncaught /, '')
      // What is right in a module and wrong in a script is not the mistake.
      resolve(text.includes('import.meta') ? null : { line: event.lineno, text })
    })
  }).finally(() => {
    worker.terminate()
    URL.revokeObjectURL(blob)
  })
}
