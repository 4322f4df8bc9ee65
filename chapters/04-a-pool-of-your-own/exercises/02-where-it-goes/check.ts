// SPDX-License-Identifier: MIT
//
// Asks the reader's whereItGoes() and the model's bitmap the same questions. When they differ, it looks for a single mistake
// that explains every answer, and shows the smallest question with a picture of the pool.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { bitmap_find_free_region, bitmap_set, bitmap_zalloc } from 'contiguous/lib/bitmap'
import { get_order } from 'contiguous/lib/units'

interface Question {
  readonly taken: readonly boolean[]
  readonly bytes: number
}

interface Answer {
  readonly question: Question
  readonly expected: number
  readonly given: unknown
}

const FILE = 'where_it_goes.ts'
const READ = 'A bitmap with a rule'
const PAGE = 4096
const SEED = 4
const DRAWN = 2000

export async function check(context: CheckContext): Promise<CheckResult> {
  const place = context.kind === 'typescript' ? context.module['whereItGoes'] : undefined
  if (typeof place !== 'function') {
    return { findings: [finding('ex-export-missing', 'whereItGoes is not an exported function', [])] }
  }
  const answers = [...FIXED, ...drawn(SEED, DRAWN)].map((question): Answer => {
    const given: unknown = place(Object.freeze([...question.taken]), question.bytes)
    return { question, expected: modelAnswer(question), given }
  })
  const wrong = answers.filter(({ expected, given }) => expected !== given)
  if (wrong.length === 0)
    return { findings: [], shown: [`${answers.length} questions, the same answers as the pool's bitmap`] }
  const smallest = wrong.reduce((a, b) => (b.question.taken.length < a.question.taken.length ? b : a))
  return { findings: [diagnose(answers, wrong.length, smallest)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function modelAnswer({ taken, bytes }: Question): number {
  if (bytes > taken.length * PAGE) return -1
  const bitmap = bitmap_zalloc(taken.length)
  taken.forEach((busy, page) => busy && bitmap_set(bitmap, page, 1))
  return Math.max(bitmap_find_free_region(bitmap, taken.length, get_order(bytes, PAGE)), -1)
}

// #region questions
const pool = (picture: string): boolean[] => [...picture].map((each) => each === '#')

const FIXED: readonly Question[] = [
  { taken: pool('.'), bytes: 1 },
  { taken: pool('...'), bytes: 3 * PAGE },
  { taken: pool('......'), bytes: 4 * PAGE + 1 },
  { taken: pool('#.......'), bytes: 2 * PAGE },
  { taken: pool('#..#....'), bytes: 2 * PAGE },
  { taken: pool('########'), bytes: PAGE },
  { taken: pool('####..'), bytes: 3 * PAGE },
]

function drawn(seed: number, count: number): Question[] {
  let state = seed
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state / 2 ** 32 + 1) % 1) * n)
  }
  return Array.from({ length: count }, () => {
    const length = 1 + below(40)
    const busy = 1 + below(4)
    const taken: boolean[] = []
    while (taken.length < length) {
      const piece = new Array<boolean>(1 + below(8)).fill(below(5) < busy)
      taken.push(...piece.slice(0, length - taken.length))
    }
    return { taken, bytes: 1 + below(PAGE * (1 + below(9))) }
  })
}
// #endregion questions

// #region known mistakes
interface Mistake {
  readonly rule: string
  readonly text: string
  readonly answer: (question: Question) => number
}

const orderOf = (bytes: number): number => 2 ** get_order(bytes, PAGE)

function search({ taken }: Question, length: number, step: number, last = taken.length - length): number {
  for (let page = 0; page <= last; page += step) {
    if (!taken.slice(page, page + length).includes(true)) return page
  }
  return -1
}

const MISTAKES: readonly Mistake[] = [
  { rule: 'ex-not-written', text: 'the answer is -1 whatever is asked', answer: () => -1 },
  {
    rule: 'ex-exact-pages',
    text: 'you look for as many pages as are asked for; a block is a power of two of them, at a multiple of itself',
    answer: (asked) => search(asked, Math.ceil(asked.bytes / PAGE), 1),
  },
  {
    rule: 'ex-exact-pages',
    text: 'you look for as many pages as are asked for; a block is a power of two of them',
    answer: (asked) => search(asked, Math.ceil(asked.bytes / PAGE), orderOf(asked.bytes)),
  },
  {
    rule: 'ex-not-aligned',
    text: 'your blocks begin anywhere; they begin at multiples of their own length',
    answer: (asked) => search(asked, orderOf(asked.bytes), 1),
  },
  {
    rule: 'ex-over-the-end',
    text: 'your last block reaches beyond the pool; the remainder behind the last whole block is out of reach',
    answer: (asked) => search(asked, orderOf(asked.bytes), orderOf(asked.bytes), asked.taken.length - 1),
  },
  {
    rule: 'ex-from-the-top',
    text: 'you take the highest block; the pool takes the lowest',
    answer: (asked) => {
      const length = orderOf(asked.bytes)
      const places = Array.from({ length: Math.floor(asked.taken.length / length) }, (_, i) => i * length)
      return places.reverse().find((page) => !asked.taken.slice(page, page + length).includes(true)) ?? -1
    },
  },
  {
    rule: 'ex-size-rounded-down',
    text: 'your block is the largest power of two that the bytes fill; it has to hold them',
    answer: (asked) => {
      const length = 2 ** Math.max(0, Math.floor(Math.log2(asked.bytes / PAGE)))
      return search(asked, length, length)
    },
  },
]
// #endregion known mistakes

// #region diagnosis
function diagnose(answers: readonly Answer[], count: number, smallest: Answer): Finding {
  const odd = answers.find(({ given }) => !Number.isInteger(given))
  if (odd) {
    const text = `the answer is ${String(odd.given)} (${typeof odd.given}); expected a page, or -1`
    return finding('ex-not-a-page', text, picture(odd))
  }
  const counted = `${count} of ${answers.length} answers differ from the pool's`
  const mistake = MISTAKES.find(({ answer }) =>
    answers.every(({ question, given }) => answer(question) === given),
  )
  const { rule, text } = mistake ?? { rule: 'ex-another-block', text: 'this is not where the pool puts it' }
  return finding(rule, `${text}; ${counted}`, picture(smallest))
}

function picture({ question: { taken, bytes }, expected, given }: Answer): string[] {
  const length = orderOf(bytes)
  const at = (page: unknown) =>
    typeof page === 'number' && page >= 0 ? ' '.repeat(page) + '^'.repeat(length) : ''
  return [
    `${bytes} bytes; a character is a page, # is in use`,
    `pool      |${taken.map((busy) => (busy ? '#' : '.')).join('')}|`,
    `expected   ${at(expected)} ${expected}`,
    `yours      ${at(given)} ${String(given)}`,
  ]
}
// #endregion diagnosis
