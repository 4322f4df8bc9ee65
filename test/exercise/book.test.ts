// SPDX-License-Identifier: MIT
//
// The book checks itself: every exercise without a board here, those with one in test/kernel/exercise_c.test.ts.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkAnswers, checkShape } from '../../code/exercise/book_check.ts'
import { loadExercises, type Exercise } from '../../code/exercise/catalog.ts'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { root } from '../support/files.ts'

const exercises = loadExercises(root)

// What a file imports beside the models and its contract.
function importsOf(file: string, contract: string): string[] {
  const imports = [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1]!)
  const models = /^contiguous\/(lib|arch|mm|of|dma|machine)\//
  return imports.filter((from) => from !== `contiguous/${contract}` && !models.test(from))
}

describe('the exercises', () => {
  it('are there: one of each kind', () => {
    expect(new Set(exercises.map(({ kind }) => kind))).toEqual(
      new Set(['dts', 'typescript', 'c', 'question']),
    )
  })

  it.each(exercises)('$id has its files, three hints and at least two wrong answers', (exercise) => {
    expect(checkShape(exercise, exercises, root).map(formatDiagnostic)).toEqual([])
  })

  it.each(exercises.filter(({ kind }) => kind !== 'c'))(
    '$id fails as shipped, its solution passes, each wrong answer gets its own diagnosis',
    async (exercise) => {
      // A question: with fifty seeds the answer is one, the numbers vary, and each wrong answer is told from the others.
      expect((await checkAnswers(exercise, { root })).map(formatDiagnostic)).toEqual([])
    },
  )

  it.each(exercises.filter(({ kind }) => kind === 'question'))('$id asks by models alone', ({ path }) => {
    expect(importsOf(join(path, 'question.ts'), 'exercise/question')).toEqual([])
  })

  it.each(exercises.filter(({ kind }) => kind === 'dts' || kind === 'typescript'))(
    '$id has a check without anything of the host',
    ({ path }) => {
      expect(importsOf(join(path, 'check.ts'), 'exercise/check')).toEqual([])
    },
  )
})

describe('checkShape() and checkAnswers()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'contig-book-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  // A copy of an exercise that a test may spoil.
  function copy(id: string, name: string): Exercise {
    const exercise = exercises.find((each) => each.id === id)!
    const path = join(folder, name, 'chapter', 'exercises', exercise.folder)
    cpSync(exercise.path, path, { recursive: true })
    cpSync(join(exercise.path, '..', '..', 'index.md'), join(path, '..', '..', 'index.md'))
    return { ...exercise, path }
  }
  const rules = (found: { rule: string }[]) => found.map(({ rule }) => rule)

  it('checkShape() notices a stray file, an empty hint, a missing why', () => {
    const spoilt = copy('mend-the-tree', 'shape')
    writeFileSync(join(spoilt.path, 'notes.txt'), 'mine\n')
    writeFileSync(join(spoilt.path, 'hints.md'), '## 1\n\nLook.\n\n## 2\n\n## 3\n\nWrite.\n')
    rmSync(join(spoilt.path, 'solution', 'why.md'))
    expect(rules(checkShape(spoilt, [spoilt], root))).toEqual([
      'exercise-file-missing',
      'exercise-file-unexpected',
      'exercise-hint-empty',
    ])
  })

  it('checkShape() notices a prerequisite that comes later, an id and an order used twice', () => {
    const [first, second] = exercises as [Exercise, Exercise]
    const spoilt = { ...second, id: first.id, number: first.number, prerequisites: ['never'] }
    expect(rules(checkShape(spoilt, [first, spoilt], root))).toEqual([
      'exercise-folder',
      'exercise-id-twice',
      'exercise-order-twice',
      'exercise-prerequisite',
    ])
  })

  it('checkAnswers() notices a shipped file that passes, a solution that fails, a diagnosis that moved', async () => {
    const spoilt = copy('mend-the-tree', 'answers')
    cpSync(join(spoilt.path, 'solution', 'board.dts'), join(spoilt.path, 'board.dts'))
    cpSync(
      join(spoilt.path, 'wrong', 'half-the-size', 'board.dts'),
      join(spoilt.path, 'solution', 'board.dts'),
    )
    const moved = { ...spoilt, wrong: { 'half-the-size': 'ex-region-too-large' } }
    expect(rules(await checkAnswers(moved, { root }))).toEqual([
      'exercise-passes',
      'exercise-solution-fails',
      'exercise-other-diagnosis',
    ])
  })

  it('checkAnswers() notices a diagnosis that names a heading the chapter has lost', async () => {
    const spoilt = copy('mend-the-tree', 'headings')
    writeFileSync(join(spoilt.path, '..', '..', 'index.md'), '## Another chapter\n')
    const found = await checkAnswers({ ...spoilt, wrong: {} }, { root })
    expect(rules(found)).toEqual(['exercise-read-unknown'])
  })
})
