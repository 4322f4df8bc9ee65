// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { claimFolder } from '../../code/cli/site_folder.ts'

it('claimFolder() takes a new folder, an empty one and one of ours, and no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'contig-out-'))
  try {
    writeFileSync(join(folder, 'mine.txt'), 'x')
    expect(() => claimFolder(folder)).toThrow('not made by contig build')
    expect(() => claimFolder(join(folder, 'mine.txt'))).toThrow('not made by contig build')
    const fresh = join(folder, 'new')
    claimFolder(fresh)
    writeFileSync(join(fresh, 'index.html'), 'x')
    claimFolder(fresh)
    mkdirSync(join(folder, 'empty'))
    claimFolder(join(folder, 'empty'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
