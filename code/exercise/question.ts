// SPDX-License-Identifier: MIT
//
// The contract of an exercise of kind `question`. Its question.ts exports
//
//     ask(rng: Rng): Question
//
// which draws its numbers from `rng`, runs a model with them, and says what the model answered. Equal seeds ask the same.
// Like a check.ts it imports models and this file, nothing of the host, so that it runs in the terminal and in a page.
//
//     seed of the reader ─┬─► ask() ─► text ─► the reader's answer ─► judgeAnswer() ─► null, or a finding
//     id of the exercise ─┘
import * as errno from '../lib/errno.ts'
import type { Rng } from '../lib/rng.ts'
import type { Finding } from './check.ts'

export type { Rng } from '../lib/rng.ts'

/**
 * What an answer is.
 * `number`: a count, decimal or 0x…; `hex`: an address or a pfn, with or without 0x; `errno`: -ENOMEM, -12 or 0;
 * `line`: a line of a log or of a file, in which spaces, case, a time stamp and zeros in front of a number do not matter.
 */
export const ANSWER_KINDS = ['number', 'hex', 'errno', 'line'] as const
export type AnswerKind = (typeof ANSWER_KINDS)[number]

/** What a named misunderstanding makes of the same numbers. */
export interface WrongAnswer {
  readonly answer: string
  /** `ex-…`; the same misunderstanding has the same rule whatever is drawn. */
  readonly rule: string
  /** What was misunderstood, a sentence. It must not give the answer away. */
  readonly text: string
  /** The heading to read again, if it is another than the question's. */
  readonly read?: string
}

export interface Question {
  /** Markdown, with the drawn numbers in it. */
  readonly text: string
  /** What the model answered. */
  readonly answer: string
  readonly kind: AnswerKind
  /** At least two. One may coincide with the right answer for some numbers: then it is right. */
  readonly wrong: readonly WrongAnswer[]
  /** The heading of the chapter to read again, word for word. */
  readonly read?: string
}

/** A question as a reader was asked it. */
export interface Asked {
  readonly question: Question
  /** The reader's seed. */
  readonly seed: number
}

/** What a question.ts exports. */
export interface QuestionModule {
  ask(rng: Rng): Question
}

/** The seed of one question from the reader's: equal numbers in one question say nothing of the next. */
export function seedFor(seed: number, id: string): number {
  let mixed = 0x811c_9dc5 ^ (seed | 0)
  for (const letter of id) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x0100_0193)
  return mixed | 0
}

/** One of `list`, by lot. */
export function oneOf<T>(rng: Rng, list: readonly T[]): T {
  const drawn = list[rng.next(list.length)]
  if (drawn === undefined) throw new Error('oneOf: nothing to draw from; expected a list with an entry')
  return drawn
}

/** As the book writes an address: `0xc0000000`. */
export const hex = (value: number): string => `0x${value.toString(16)}`

/** What a function of the kernel returned, as the book writes it: `-ENOMEM`, or `0`. */
export function errnoName(ret: number): string {
  const name = Object.entries(errno).find(([, number]) => number === -ret)?.[0]
  return name ? `-${name}` : String(ret)
}

function integer(text: string, radix: 10 | 16): string[] {
  const digits = radix === 16 ? /^0x[0-9a-f]+$/ : /^\d+$/
  return digits.test(text) ? [BigInt(text).toString()] : []
}

const READERS: Record<AnswerKind, (text: string) => string[]> = {
  number: (text) => [...integer(text, 10), ...integer(text, 16)],
  // Digits alone may be meant either way.
  hex: (text) => [...integer(text, 10), ...integer(text.startsWith('0x') ? text : `0x${text}`, 16)],
  errno: (text) => {
    const word = /^-?([a-z0-9_]+)$/.exec(text)?.[1] ?? ''
    if (/^\d+$/.test(word)) return [`-${BigInt(word)}`]
    if (!/^e[a-z0-9_]+$/.test(word)) return []
    const number = (errno as Readonly<Record<string, number>>)[word.toUpperCase()]
    return [number === undefined ? word : `-${number}`]
  },
  line: (text) => {
    const bare = text.replace(/^<\d>/, '').replace(/^\[\s*\d+\.\d+\]\s*/, '')
    const short = bare.replace(/\b0x0*(?=[0-9a-f])/g, '0x').replace(/\s*:\s*/g, ': ')
    return short === '' ? [] : [short]
  },
}

/** All that `text` can mean as an answer of this kind; nothing when it is none. */
export function readings(kind: AnswerKind, text: string): string[] {
  const plain = text
    .trim()
    .replace(/^[`'"“]+|[`'"”]+$/g, '')
    .toLowerCase()
    .replace(/\s+/g, ' ')
  return [
    ...new Set(READERS[kind](kind === 'line' ? plain : plain.replace(/(?<=[0-9a-f])[_,](?=[0-9a-f])/g, ''))),
  ]
}

/** Whether the two say the same. */
export function sameAnswer(kind: AnswerKind, given: string, answer: string): boolean {
  const meant = readings(kind, answer)
  return readings(kind, given).some((reading) => meant.includes(reading))
}

const FORM: Record<AnswerKind, string> = {
  number: 'a number, such as 8192 or 0x2000',
  hex: 'a number in hexadecimal, such as 0x4000_0000',
  errno: 'an error by name or number, such as -EINVAL or -22; 0 for none',
  line: 'the line as the kernel prints it',
}

/** What to type for an answer of this kind. */
export function answerForm(kind: AnswerKind): string {
  return FORM[kind]
}

function finding(rule: string, text: string, more: Partial<Finding> = {}): Finding {
  return { rule, severity: 'error', file: '', line: 0, column: 0, text, ...more }
}

/** Whether a judgement counts as a run: what cannot be read as an answer is none. */
export function isRun(found: Finding | null): boolean {
  return !found || !['ex-not-answered', 'ex-answer-form'].includes(found.rule)
}

/** Null when `given` is right. What is no answer of this kind at all gets `ex-answer-form`, an unknown one `ex-other-answer`. */
export function judgeAnswer(question: Question, given: string): Finding | null {
  const { kind, answer, wrong, read } = question
  if (given.trim() === '') return finding('ex-not-answered', `no answer yet; expected ${FORM[kind]}`)
  if (readings(kind, given).length === 0)
    return finding('ex-answer-form', `“${given.trim()}” cannot be read; expected ${FORM[kind]}`)
  if (sameAnswer(kind, given, answer)) return null
  const known = wrong.find((each) => sameAnswer(kind, given, each.answer))
  const again = known?.read ?? read
  return finding(
    known?.rule ?? 'ex-other-answer',
    known?.text ?? `${given.trim()} is not what the model answers`,
    again === undefined ? {} : { read: again },
  )
}
