// SPDX-License-Identifier: MIT
//
// Which kernel an exercise in C boots when nothing is said.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { defaultKernel, runOnBoard } from '../../code/exercise/board.ts'
import { findExercise, loadExercises } from '../../code/exercise/catalog.ts'
import { Cache } from '../../code/lab/cache.ts'
import { root } from '../support/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'contig-board-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('runOnBoard()', () => {
  it('boots Debian’s 6.12 where our own kernel has not been built', () => {
    expect(defaultKernel(new Cache(folder, 'test'))).toBe('6.12')
  })

  it('refuses a kernel that there is not, before it builds anything', async () => {
    const exercise = findExercise(loadExercises(root), 'let-go-in-order')
    await expect(runOnBoard(exercise, { root, folder, kernel: '5.4' })).rejects.toThrow(
      /6\.1, 6\.12, lab, debug/,
    )
  })
})
