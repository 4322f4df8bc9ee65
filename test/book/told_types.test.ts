// SPDX-License-Identifier: MIT
//
// What a reader is told of a name is what the compiler says at that very place.
import { join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { extractCells } from '../../site/cells/cells.ts'
import { cellService, type ToldTypes, toldTypes } from '../../site/cells/told_types.ts'
import type { Cell } from '../../site/cells/types.ts'
import { readChapters } from '../../site/weave/chapters.ts'
import { root } from '../support/files.ts'

const chapter = readChapters(root).chapters.find(({ slug }) => slug === '11-cma-alloc')!
const cells: readonly Cell[] = extractCells(chapter.markdown, chapter.file).cells
let told: ToldTypes

beforeAll(() => {
  told = toldTypes(root, cells).get(chapter.file)!
}, 120_000)

/** A name, and what is told of it, wherever a cell has one. */
function* places() {
  for (const cell of cells) {
    for (const [offset, length, tip] of told.names[cell.id] ?? []) {
      yield { cell, offset, name: cell.code.slice(offset, offset + length), tip: told.tips[tip]! }
    }
  }
}

describe('toldTypes()', () => {
  it('toldTypes() tells at every name what the compiler tells there', { timeout: 120_000 }, () => {
    const service = cellService(root, cells)
    let count = 0
    for (const { cell, offset, name, tip } of places()) {
      const info = service.getQuickInfoAtPosition(join(root, `${cell.file}.${cell.id}.ts`), offset)
      const here = ts.displayPartsToString(info?.displayParts)
      // At an import the compiler says "(alias)" before and the import after, at a use neither, nor "function".
      const signature = tip[0].replace(/^function /, '').replace(/…$/, '')
      expect(here, `${cell.id}: ${name}`).toContain(signature)
      expect(signature).toContain(name)
      expect(ts.displayPartsToString(info?.documentation).replace(/\s+/g, ' ')).toContain(tip[1])
      count += 1
    }
    expect(count).toBeGreaterThan(50)
    service.dispose()
  })

  it('toldTypes() tells every name that a cell imports, with its sentence and where Linux has it', () => {
    for (const { id, code } of cells) {
      const imported = [...code.matchAll(/import \{([^}]+)\} from 'contiguous/g)].flatMap(([, names = '']) =>
        names.split(',').map((name) => name.trim()),
      )
      const names = new Set([...places()].filter(({ cell }) => cell.id === id).map(({ name }) => name))
      expect([...imported].filter((name) => name !== '' && !names.has(name))).toEqual([])
    }
    const alloc = [...places()].find(({ name }) => name === 'cma_alloc')?.tip
    expect(alloc?.[0]).toMatch(/^function cma_alloc\(vm: Vm, cma: Cma \| null, count: number/)
    expect(alloc?.[1]).toMatch(/^`count` pages of the area/)
    expect(alloc?.[2]).toContain('mm/cma.c cma_alloc() v6.12')
  })

  it('toldTypes() tells nothing of what is not the models’', () => {
    const names = [...places()].map(({ name }) => name)
    expect(names).not.toContain('console')
    expect(names).not.toContain('log')
  })
})
