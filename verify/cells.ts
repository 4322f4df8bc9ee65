// SPDX-License-Identifier: MIT
//
// Every cell of every chapter is run, and prints what the chapter says.
import type { Diagnostic } from '../code/lib/diagnostic.ts'
import { extractCells } from '../site/cells/cells.ts'
import { checkRun } from '../site/cells/check_run.ts'
import { openRunner } from '../site/cells/run_node.ts'
import { readChapters } from '../site/weave/chapters.ts'
import type { CheckContext, CheckReport } from './report.ts'

export async function cellsReport({ root, progress, signal }: CheckContext): Promise<CheckReport> {
  const written = readChapters(root).chapters.filter(({ planned }) => !planned)
  const read = written.map(({ markdown, file }) => extractCells(markdown, file))
  const cells = read.flatMap((chapter) => chapter.cells)
  const diagnostics: Diagnostic[] = read.flatMap((chapter) => chapter.diagnostics)
  const runner = await openRunner(root)
  try {
    for (const [index, cell] of cells.entries()) {
      signal.throwIfAborted()
      progress(`cell ${index + 1} of ${cells.length}, ${cell.id}`)
      const wrong = checkRun(cell, await runner.runCell(cell))
      if (wrong) diagnostics.push(wrong)
    }
  } finally {
    runner.close()
  }
  return { diagnostics, counts: { chapters: written.length, cells: cells.length } }
}
