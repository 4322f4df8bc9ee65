// SPDX-License-Identifier: MIT
//
// The list of exercises in a chapter's page: every exercise of the chapter, in order, with what a reader wants to know.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadExercises } from '../../code/exercise/catalog.ts'
import { exercisesFence } from '../../site/figures/exercises_fence.ts'
import { FIRST } from '../../site/languages.ts'
import { root } from '../support/files.ts'

const where = { file: 'chapters/02-carving-memory-out/index.md', line: 1 }
const folder = mkdtempSync(join(tmpdir(), 'contig-fence-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('exercisesFence()', () => {
  it('lists the exercises that contig knows, in their order, with the command of each', () => {
    const slug = '02-carving-memory-out'
    const html = exercisesFence(root, slug, where, FIRST)
    const known = loadExercises(root).filter(({ chapter }) => chapter.slug === slug)
    const commands = [...html.matchAll(/<code>npx contig do ([a-z0-9-]+)<\/code>/g)].map((match) => match[1])
    expect(commands).toEqual(known.map(({ id }) => id))
    expect(html).toContain('TypeScript · 20 minutes · difficulty 2 · after Mend the tree')
    expect(html).toContain('a question · 5 minutes')
  })

  it('stops at a chapter without exercises and at an exercise.yaml that cannot be read', () => {
    mkdirSync(join(folder, 'chapters/01-one/exercises/01-planted'), { recursive: true })
    expect(() => exercisesFence(folder, '01-one', where, FIRST)).toThrow(/no exercises/)
    writeFileSync(join(folder, 'chapters/01-one/exercises/01-planted/exercise.yaml'), 'id: planted\n')
    expect(() => exercisesFence(folder, '01-one', where, FIRST)).toThrow(/cannot be read/)
  })
})
