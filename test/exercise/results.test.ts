// SPDX-License-Identifier: MIT
//
// Result files: what goes into one, and that a forged one is told from a true one as far as that can be told.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askOne } from '../../code/exercise/ask.ts'
import { findExercise, loadExercises } from '../../code/exercise/catalog.ts'
import type { Course } from '../../code/exercise/course.ts'
import { ProgressFile } from '../../code/exercise/progress.ts'
import { pose, answer } from '../../code/exercise/question_session.ts'
import { parseResults, type Results } from '../../code/exercise/result_file.ts'
import { exerciseDigest, makeResults } from '../../code/exercise/results.ts'
import { checkResults, inCommon } from '../../code/exercise/results_check.ts'
import { checkOnce } from '../../code/exercise/session.ts'
import { layOut, readerFolder } from '../../code/exercise/workspace.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { root } from '../support/files.ts'

const NOW = new Date('2026-03-04T05:06:07.000Z')
const base = mkdtempSync(join(tmpdir(), 'contig-results-test-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const exercises = loadExercises(root)
const tree = findExercise(exercises, 'mend-the-tree')
const lands = findExercise(exercises, 'where-it-lands')
const quiet = { write: () => undefined, signal: new AbortController().signal }

// A reader who has passed a question and an exercise with files.
async function reader(name: string, seed: number, tail = ''): Promise<Course> {
  const workspace = join(base, name)
  const places = { root, workspace }
  const progress = new ProgressFile(
    workspace,
    () => NOW,
    () => seed,
  )
  const course: Course = { places, exercises, progress }
  layOut(places, tree)
  const board = join(readerFolder(places, tree), 'board.dts')
  copyFileSync(join(tree.path, 'solution', 'board.dts'), board)
  if (tail !== '') writeFileSync(board, readFileSync(board, 'utf8') + tail)
  await checkOnce(course, tree, quiet)
  const asked = await pose(course, lands, quiet)
  answer(course, lands, asked, (await askOne(lands, { root, seed })).answer)
  return course
}

const now = () => NOW
const how = { root, exercises, run: true, now }
let ada: Course
let results: Results
beforeAll(async () => {
  ada = await reader('ada', 7)
  results = makeResults(ada, { reader: 'Ada', answers: true, now }).results
})

const verdicts = async (given: Results) => {
  const { entries, faults } = await checkResults('f.json', given, how)
  return { faults, verdicts: Object.fromEntries(entries.map(({ id, verdict }) => [id, verdict])), entries }
}

// A copy with one thing changed in it.
function forged(change: (copy: Results) => void): Results {
  const copy = structuredClone(results)
  change(copy)
  return copy
}
const entry = (copy: Results, id: string) => copy.passed.find((each) => each.id === id)!

describe('makeResults()', () => {
  it('holds the reader, the course, and each pass with its time, seed and hash; what it reads back is the same', () => {
    expect(results).toMatchObject({
      format: 'contiguous-results',
      version: 1,
      reader: 'Ada',
      seed: 7,
      made: NOW.toISOString(),
      course: { exercises: exercises.length },
    })
    expect(results.passed.map(({ id }) => id)).toEqual(['mend-the-tree', 'where-it-lands'])
    expect(entry(results, 'where-it-lands')).toMatchObject({
      exercise: exerciseDigest(lands),
      answer: { seed: 7 },
    })
    expect(parseResults(JSON.stringify(results), 'f.json')).toEqual(results)
  })

  it('includes files only when asked to, and only those that passed', async () => {
    expect(entry(makeResults(ada, { now }).results, tree.id).answer?.files).toBeUndefined()
    const course = await reader('changed', 3)
    const board = join(readerFolder(course.places, tree), 'board.dts')
    writeFileSync(board, 'since then')
    const { results: later, changed } = makeResults(course, { answers: true, now })
    expect(changed).toEqual([tree.id])
    expect(entry(later, tree.id).answer?.files).toBeUndefined()
  })
})

describe('checkResults()', () => {
  it('finds a true file right: the question from its seed, the files by running them', async () => {
    const checked = await verdicts(results)
    expect(checked.faults).toEqual([])
    expect(checked.verdicts).toEqual({ 'mend-the-tree': 'right', 'where-it-lands': 'right' })
    expect(checked.entries[0]?.notes).toEqual(['it is our solution, letter for letter'])
  })

  it('calls what it cannot look at unproven', async () => {
    const bare = makeResults(ada, { now }).results
    expect((await verdicts(bare)).verdicts['mend-the-tree']).toBe('unproven')
    const notRun = await checkResults('f.json', results, { ...how, run: false })
    expect(notRun.entries[0]?.verdict).toBe('unproven')
    const cases = [
      forged((copy) => (entry(copy, tree.id).exercise = '0'.repeat(64))),
      forged((copy) => (entry(copy, tree.id).id = 'of-another-course')),
      forged((copy) => delete entry(copy, tree.id).answer),
    ]
    for (const each of cases) expect((await verdicts(each)).entries[0]?.verdict).toBe('unproven')
  })

  it.each<[string, string, (copy: Results) => unknown]>([
    [
      'a seed that the hash does not fit',
      'where-it-lands',
      (copy) => (entry(copy, lands.id).answer!.seed = 8),
    ],
    ['no seed', 'where-it-lands', (copy) => delete entry(copy, lands.id).answer!.seed],
    ['another answer', 'where-it-lands', (copy) => (entry(copy, lands.id).answer!.text = '0x60000000')],
    ['a hash made up', 'where-it-lands', (copy) => (entry(copy, lands.id).answer!.hash = 'a'.repeat(64))],
    ['files that were changed', tree.id, (copy) => (entry(copy, tree.id).answer!.files!['board.dts'] += ' ')],
    ['other files', tree.id, (copy) => (entry(copy, tree.id).answer!.files = { '../../etc/passwd': '' })],
    [
      'a pass after it was made',
      tree.id,
      (copy) => (entry(copy, tree.id).passed = '2026-03-04T05:06:08.000Z'),
    ],
  ])('notices %s', async (_, id, change) => {
    expect((await verdicts(forged(change))).verdicts[id]).toBe('wrong')
  })

  it('notices an answer that does not pass, though its hash fits', async () => {
    const { hashFiles } = await import('../../code/exercise/answer_hash.ts')
    const files = { 'board.dts': readFileSync(join(tree.path, 'board.dts'), 'utf8') }
    const copy = forged((each) =>
      Object.assign(entry(each, tree.id).answer!, { files, hash: hashFiles(files) }),
    )
    const checked = await verdicts(copy)
    expect(checked.entries[0]).toMatchObject({
      verdict: 'wrong',
      text: expect.stringContaining('ex-node-ignored'),
    })
  })

  it('notices an exercise that stands in it twice, and a file from the future', async () => {
    const copy = forged((each) => {
      each.passed.push(each.passed[0]!)
      each.made = '2036-01-01T00:00:00.000Z'
    })
    expect((await verdicts(copy)).faults).toHaveLength(2)
  })

  it('notices what two files have in common', async () => {
    const [same, other] = [await reader('same', 7), await reader('other', 9, '/* mine */\n')]
    const of = (course: Course) => makeResults(course, { now }).results
    const pair = (course: Course) =>
      inCommon([
        { file: 'a', results },
        { file: 'b', results: of(course) },
      ])
    expect(pair(same)).toEqual([
      'a and b: the same seed, 7, so the same answers to questions',
      'a and b: the same text for mend-the-tree',
    ])
    expect(pair(other)).toEqual([])
  })
})

describe('parseResults()', () => {
  const complaint = (text: string): string => {
    try {
      parseResults(text, 'f.json')
    } catch (error) {
      if (error instanceof Complaint) return error.message
      throw error
    }
    return ''
  }

  it('says where a structure is not that of a result file', () => {
    expect(complaint('{')).toContain('f.json: no result file')
    expect(complaint('{}')).toContain('format')
    expect(complaint(JSON.stringify({ ...results, version: 2 }))).toContain('version 2')
    expect(complaint(JSON.stringify({ ...results, made: 'yesterday' }))).toContain('made: expected a time')
    expect(complaint(JSON.stringify({ ...results, signature: 'mine' }))).toContain('signature')
    expect(complaint(JSON.stringify(forged((copy) => (copy.passed[0]!.hints = 9))))).toContain(
      'passed.0.hints',
    )
  })
})
