// SPDX-License-Identifier: MIT
//
// Every cell of every chapter is run, and must print what the chapter says. With CELLS=update the output blocks are
// rewritten in place instead: `npm run cells:update`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { extractCells, rewriteOutputs } from '../../site/cells/cells.ts'
import { checkRun } from '../../site/cells/check_run.ts'
import { type CellRunner, openRunner } from '../../site/cells/run_node.ts'
import type { Cell, CellRun } from '../../site/cells/types.ts'
import { readChapters } from '../../site/weave/chapters.ts'
import { root } from '../support/files.ts'

const update = process.env['CELLS'] === 'update'
const chapters = readChapters(root).chapters.filter(({ planned }) => !planned)
const read = chapters.map((chapter) => ({ chapter, ...extractCells(chapter.markdown, chapter.file) }))
const cells = read.flatMap((chapter) => chapter.cells)

let runner: CellRunner
beforeAll(async () => {
  runner = await openRunner(root)
})
afterAll(() => runner?.close())

const said = (cell: Cell, run: CellRun): string => {
  const wrong = checkRun(cell, run)
  return wrong ? formatDiagnostic(wrong) : ''
}

describe('the cells of the book', () => {
  it('extractCells() finds nothing wrong in any chapter', () => {
    const findings = read.flatMap(({ diagnostics }) => diagnostics)
    expect(findings.map(formatDiagnostic).join('\n')).toBe('')
  })

  const named = cells.map((cell) => [`${cell.file}:${cell.line} ${cell.id}`, cell] as [string, Cell])
  if (update) {
    it.each(read)('rewriteOutputs() records what the cells of $chapter.file print', rewrite)
  } else {
    it.each(named)('runCell() prints what the book says: %s', async (_, cell) => {
      expect(said(cell, await runner.runCell(cell))).toBe('')
    })
  }
})

async function rewrite({ chapter, cells }: (typeof read)[number]): Promise<void> {
  const outputs = new Map<string, string>()
  const failures: string[] = []
  for (const cell of cells) {
    const run = await runner.runCell(cell)
    if (run.end.kind === 'done') outputs.set(cell.id, run.output)
    else failures.push(said(cell, run))
  }
  // Read again: somebody may have written on while the cells ran.
  const text = readFileSync(join(root, chapter.file), 'utf8')
  const fresh = rewriteOutputs(text, outputs)
  if (fresh !== text) {
    writeFileSync(join(root, chapter.file), fresh)
    console.log(`${chapter.file}: outputs rewritten`)
  }
  // A cell that fails keeps its old output, and says so.
  expect(failures.join('\n')).toBe('')
}
