// SPDX-License-Identifier: MIT
//
// Questions: what counts as the same answer, what a reader is told of a wrong one, and a proof that a bad question fails.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { askMany, askOne } from '../../code/exercise/ask.ts'
import { checkQuestion, PROOF_SEEDS } from '../../code/exercise/book_check_question.ts'
import { checkShape } from '../../code/exercise/book_check.ts'
import { findExercise, loadExercises, type Exercise } from '../../code/exercise/catalog.ts'
import {
  errnoName,
  judgeAnswer,
  readings,
  sameAnswer,
  seedFor,
  type AnswerKind,
  type Question,
} from '../../code/exercise/question.ts'
import { root } from '../support/files.ts'

const exercises = loadExercises(root)
const folder = mkdtempSync(join(tmpdir(), 'contig-question-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('sameAnswer()', () => {
  it.each<[AnswerKind, string, string[], string[]]>([
    [
      'number',
      '8192',
      ['8192', '0x2000', '8_192', '8,192', ' `8192` '],
      ['2000', '-8192', '0b1', 'many', ''],
    ],
    [
      'hex',
      '0x50000000',
      ['0x50000000', '50000000', '0x5000_0000', '0X5000_0000', '1342177280', '0x0000000050000000'],
      ['0x5000000', '0x', 'fifty'],
    ],
    ['hex', '0xc0000000', ['c0000000', 'C000_0000', '3221225472'], ['0xc000000', '-0xc0000000']],
    ['errno', '-ENOMEM', ['-ENOMEM', 'enomem', '-12', '12', '`-ENOMEM`'], ['-22', 'ENODEV', '0', 'memory']],
    ['errno', '0', ['0', '-0'], ['-1', 'none']],
    ['errno', '-EPROBE_DEFER', ['EPROBE_DEFER', '-eprobe_defer'], ['EINVAL']],
    [
      'line',
      'OF: reserved mem: initialized node buffer@c0000000, compatible id shared-dma-pool',
      [
        '[    0.000000] OF: reserved mem: initialized node buffer@c0000000, compatible id shared-dma-pool',
        ' of:  reserved mem: initialized  node buffer@c0000000, compatible id shared-dma-pool ',
      ],
      ['OF: reserved mem: initialized node buffer@c0000000'],
    ],
    [
      'line',
      'cma: Reserved 16 MiB at 0x00000000c0000000',
      ['cma: Reserved 16 MiB at 0xc0000000'],
      ['0xc0000000'],
    ],
    ['line', 'c0000000-dfffffff : reserved', ['c0000000-dfffffff: reserved'], ['c0000000-dfffffff']],
  ])('%s %s', (kind, answer, same, other) => {
    for (const given of same) expect([given, sameAnswer(kind, given, answer)]).toEqual([given, true])
    for (const given of other) expect([given, sameAnswer(kind, given, answer)]).toEqual([given, false])
  })

  it('reads an error by its name as by its number', () => {
    expect([-12, 0, -9999].map(errnoName)).toEqual(['-ENOMEM', '0', '-9999'])
    expect(readings('errno', errnoName(-16))).toEqual(readings('errno', '-16'))
  })
})

describe('judgeAnswer()', () => {
  const question: Question = {
    text: 'Where?',
    answer: '0x68000000',
    kind: 'hex',
    read: 'A heading',
    wrong: [
      { answer: '0x60000000', rule: 'ex-bottom-up', text: 'from below' },
      { answer: '0x68000000', rule: 'ex-coincides', text: 'the same today' },
      { answer: '0x69000000', rule: 'ex-elsewhere', text: 'elsewhere', read: 'Another' },
    ],
  }

  it('says nothing of a right answer, whatever wrong one coincides with it', () => {
    expect(judgeAnswer(question, '6800_0000')).toBeNull()
  })

  it('names the misunderstanding, and where to read again', () => {
    expect(judgeAnswer(question, '60000000')).toMatchObject({ rule: 'ex-bottom-up', read: 'A heading' })
    expect(judgeAnswer(question, '0x69000000')).toMatchObject({ rule: 'ex-elsewhere', read: 'Another' })
  })

  it('does not give the answer away', () => {
    for (const given of ['', 'what?', '0x1']) {
      expect(JSON.stringify(judgeAnswer(question, given))).not.toMatch(/68000000/)
    }
    expect(['', 'what?', '0x1'].map((given) => judgeAnswer(question, given)?.rule)).toEqual([
      'ex-not-answered',
      'ex-answer-form',
      'ex-other-answer',
    ])
  })
})

describe('askOne()', () => {
  const exercise = findExercise(exercises, 'where-it-lands')

  it('gives equal seeds equal numbers, others others, and each question its own', async () => {
    const texts = (await askMany(exercise, { root, seeds: [1, 2, 3] })).map(({ text }) => text)
    expect(new Set(texts).size).toBe(3)
    expect((await askOne(exercise, { root, seed: 2 })).text).toBe(texts[1])
    expect(seedFor(1, 'one')).not.toBe(seedFor(1, 'other'))
  })
})

describe('checkQuestion()', () => {
  let count = 0
  async function rules(ask: string): Promise<string[]> {
    const path = join(folder, `q${count++}`, 'exercises', '01-planted')
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, '..', '..', 'index.md'), '## A heading\n')
    writeFileSync(join(path, 'question.ts'), ask)
    const exercise: Exercise = { ...findExercise(exercises, 'where-it-lands'), id: 'planted', path }
    return (await checkQuestion(exercise, root, PROOF_SEEDS, 500)).map(({ rule }) => rule)
  }
  const good = `
import type { Question, Rng } from 'contiguous/exercise/question'
export function ask(rng: Rng): Question {
  const n = 2 + rng.next(50)
  return {
    text: 'How many pages are ' + n * 4 + ' KiB?', answer: String(n), kind: 'number', read: 'A heading',
    wrong: [
      { answer: String(n * 4), rule: 'ex-kib', text: 'those are KiB' },
      { answer: String(n * 4096), rule: 'ex-bytes', text: 'those are bytes' },
    ],
  }
}`

  it('takes a good one', async () => {
    expect(await rules(good)).toEqual([])
  })

  it.each([
    [
      'whose numbers never change',
      /rng\.next\(50\)/,
      '3',
      ['exercise-question-same', 'exercise-question-same'],
    ],
    ['whose answer is of another kind', /String\(n\),/, `'many',`, ['exercise-question-kind']],
    ['with one wrong answer', /\{ answer: String\(n \* 4096\).*\n/, '', ['exercise-question-throws']],
    ['two wrong answers of which coincide', /n \* 4096/, 'n * 4', ['exercise-other-diagnosis']],
    ['a wrong answer of which is right', /n \* 4096/, 'n', ['exercise-other-diagnosis']],
    ['two wrong answers of which share a rule', /ex-bytes/, 'ex-kib', ['exercise-wrong-answers']],
    ['with an empty text', /text: 'How.*KiB\?'/, `text: ' '`, ['exercise-question-throws']],
    ['that throws', /const n = /, `throw new Error('no'); const n = `, ['exercise-question-throws']],
    ['that never ends', /const n = /, 'for (;;); const n = ', ['exercise-question-throws']],
    [
      'that draws by another chance',
      /rng\.next\(50\)/,
      'Math.floor(Math.random() * 1e6)',
      ['exercise-question-chance'],
    ],
    ['that names a heading the chapter has not', /A heading/, 'Lost', ['exercise-read-unknown']],
  ])('refuses one %s', async (_, from, to, expected) => {
    const planted = good.replace(from, to)
    expect(planted).not.toBe(good)
    const found = await rules(planted)
    expect(found).toEqual(expect.arrayContaining(expected))
  })

  it('has its files: question.ts, hints, why', () => {
    const path = join(folder, 'empty')
    mkdirSync(path)
    writeFileSync(join(path, 'check.ts'), 'mine')
    const exercise: Exercise = { ...findExercise(exercises, 'where-it-lands'), path }
    expect(checkShape(exercise, [exercise], root).map(({ rule, text }) => `${rule} ${text}`)).toEqual([
      ...Array<string>(4).fill('exercise-file-missing expected, but it is not there'),
      expect.stringMatching(/^exercise-file-unexpected/),
      expect.stringMatching(/^exercise-prerequisite/),
    ])
  })
})
