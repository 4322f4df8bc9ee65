// SPDX-License-Identifier: MIT
//
// Progress from elsewhere: nothing passed is ever lost, and bringing it twice is bringing it once.
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { hashFiles } from '../../code/exercise/answer_hash.ts'
import { takeUp } from '../../code/exercise/bring.ts'
import { readBrought } from '../../code/exercise/brought.ts'
import { findExercise, loadExercises } from '../../code/exercise/catalog.ts'
import type { Course } from '../../code/exercise/course.ts'
import { mergeProgress, newPasses } from '../../code/exercise/merge.ts'
import { ProgressFile } from '../../code/exercise/progress.ts'
import {
  readProgress,
  writeProgress,
  type ExerciseRecord,
  type Progress,
} from '../../code/exercise/record.ts'
import { exerciseDigest, makeResults } from '../../code/exercise/results.ts'
import { readerFolder } from '../../code/exercise/workspace.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { root } from '../support/files.ts'

const times = fc.integer({ min: 0, max: 40 }).map((day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString())
const answers = fc.record({
  at: times,
  hash: fc.constantFrom('a'.repeat(64), 'b'.repeat(64)),
  seed: fc.option(fc.constantFrom(7, 8), { nil: undefined }),
})
const records: fc.Arbitrary<ExerciseRecord> = fc
  .record({
    started: times,
    runs: fc.nat(9),
    hints: fc.nat(3),
    passed: fc.option(times, { nil: undefined }),
    gaveUp: fc.option(times, { nil: undefined }),
    answer: fc.option(answers, { nil: undefined }),
  })
  // Undefined keys are not in a file.
  .map((record) => JSON.parse(JSON.stringify(record)) as ExerciseRecord)
const ids = fc.constantFrom('mend-the-tree', 'where-it-ends', 'of-another-course', 'constructor')
const progresses: fc.Arbitrary<Progress> = fc
  .record({
    version: fc.constant(2 as const),
    seed: fc.option(fc.constantFrom(7, 8), { nil: undefined }),
    exercises: fc.array(fc.tuple(ids, records), { maxLength: 4 }).map((each) => Object.fromEntries(each)),
  })
  .map((progress) => ({ ...progress, ...(progress.seed === undefined ? {} : { seed: progress.seed }) }))

const passes = ({ exercises }: Progress): string[] =>
  Object.entries(exercises).flatMap(([id, { passed }]) => (passed ? [id] : []))

describe('mergeProgress()', () => {
  it('never loses a pass, an exercise, a hint or an answer', () => {
    fc.assert(
      fc.property(progresses, progresses, (mine, theirs) => {
        const merged = mergeProgress(mine, theirs)
        expect(new Set(passes(merged))).toEqual(new Set([...passes(mine), ...passes(theirs)]))
        for (const side of [mine, theirs]) {
          for (const [id, record] of Object.entries(side.exercises)) {
            const kept = merged.exercises[id]!
            expect(kept.hints).toBeGreaterThanOrEqual(record.hints)
            expect(kept.runs).toBeGreaterThanOrEqual(record.runs)
            if (record.passed) expect(kept.passed! <= record.passed).toBe(true)
            if (record.gaveUp) expect(kept.gaveUp! <= record.gaveUp).toBe(true)
            if (record.answer) expect(kept.answer!.at >= record.answer.at).toBe(true)
          }
        }
      }),
    )
  })

  it('does nothing the second time, and nothing with one’s own', () => {
    fc.assert(
      fc.property(progresses, progresses, (mine, theirs) => {
        const once = mergeProgress(mine, theirs)
        expect(mergeProgress(once, theirs)).toEqual(once)
        expect(mergeProgress(mine, mine).exercises).toEqual(mine.exercises)
        expect(newPasses(once, mergeProgress(once, theirs))).toEqual([])
      }),
    )
  })

  it('gives what can be written and read again', () => {
    fc.assert(
      fc.property(progresses, progresses, (mine, theirs) => {
        const merged = mergeProgress(mine, theirs)
        expect(readProgress(JSON.parse(writeProgress(merged)))).toEqual({
          progress: JSON.parse(JSON.stringify(merged)) as Progress,
        })
      }),
    )
  })

  it('keeps a seed that was answered with, and gives up one that was not', () => {
    const with_ = (seed: number, answered?: number): Progress => ({
      version: 2,
      seed,
      exercises:
        answered === undefined
          ? {}
          : {
              q: {
                started: '2026-01-01T00:00:00.000Z',
                runs: 1,
                hints: 0,
                passed: '2026-01-01T00:00:00.000Z',
                answer: { at: '2026-01-01T00:00:00.000Z', hash: 'a'.repeat(64), seed: answered },
              },
            },
    })
    expect(mergeProgress(with_(7), with_(8)).seed).toBe(8)
    expect(mergeProgress(with_(7, 7), with_(8)).seed).toBe(7)
    expect(mergeProgress(with_(7, 1), with_(8)).seed).toBe(8)
  })
})

describe('takeUp()', () => {
  const base = mkdtempSync(join(tmpdir(), 'contig-merge-'))
  afterAll(() => rmSync(base, { recursive: true, force: true }))
  const exercises = loadExercises(root)
  const tree = findExercise(exercises, 'mend-the-tree')
  const course = (name: string): Course => {
    const workspace = join(base, name)
    return { places: { root, workspace }, exercises, progress: new ProgressFile(workspace) }
  }

  it('carries passes and files to a place that has none, and replaces no file that is there', () => {
    const [from, to, busy] = [course('from'), course('to'), course('busy')]
    const file = join(readerFolder(from.places, tree), 'board.dts')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'passed\n')
    from.progress.ran(tree, { hash: hashFiles({ 'board.dts': 'passed\n' }) })
    const text = JSON.stringify(makeResults(from, { answers: true }).results)

    const taken = takeUp(to, text, 'r.json')
    expect(taken).toMatchObject({ passes: 1, fresh: ['mend-the-tree'], unknown: [] })
    expect(readFileSync(taken.laidOut[0]!, 'utf8')).toBe('passed\n')
    expect(makeResults(to, { answers: true }).results.passed).toEqual(JSON.parse(text).passed)

    const mine = join(readerFolder(busy.places, tree), 'board.dts')
    mkdirSync(dirname(mine), { recursive: true })
    writeFileSync(mine, 'mine\n')
    expect(takeUp(busy, text, 'r.json').laidOut).toEqual([])
    expect(readFileSync(mine, 'utf8')).toBe('mine\n')
  })

  it('lays out no file that the exercise does not name', () => {
    const from = course('escape')
    from.progress.ran(tree, { hash: 'a'.repeat(64) })
    const { results } = makeResults(from)
    const forged = structuredClone(results)
    forged.passed[0]!.answer!.files = { '../../../escaped': 'x', __proto__: 'y' } as never
    expect(takeUp(course('to2'), JSON.stringify(forged), 'r.json').laidOut).toEqual([])
  })

  it('keeps a pass of another version of an exercise, without the answer that proves nothing here', () => {
    const from = course('older')
    from.progress.ran(tree, { hash: 'a'.repeat(64) })
    const text = JSON.stringify(makeResults(from).results)
    const digestOf = (id: string) => (id === tree.id ? '0'.repeat(64) : null)
    const { progress } = readBrought(text, 'r.json', digestOf)
    expect(progress.exercises[tree.id]?.passed).toBeDefined()
    expect(progress.exercises[tree.id]?.answer).toBeUndefined()
    expect(
      readBrought(text, 'r.json', () => exerciseDigest(tree)).progress.exercises[tree.id]?.answer,
    ).toBeDefined()
  })

  it.each([
    ['{', 'no progress.json and no result file'],
    ['[]', 'no progress.json and no result file'],
    ['{"version":3,"exercises":{}}', 'version 3, but this course reads version 2'],
    ['{"version":2,"exercises":{"x":{"started":"t","runs":"many","hints":0}}}', 'exercises.x.runs'],
    ['{"format":"contiguous-results","version":2}', 'version 2'],
  ])('refuses %s and says why, changing nothing', (text, expected) => {
    const here = course(`refuses-${text.length}`)
    expect(() => takeUp(here, text, 'f.json')).toThrow(Complaint)
    expect(() => takeUp(here, text, 'f.json')).toThrow(expected)
    expect(here.progress.read().exercises).toEqual({})
  })
})
