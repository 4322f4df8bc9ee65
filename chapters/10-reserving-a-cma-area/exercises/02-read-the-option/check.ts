// SPDX-License-Identifier: MIT
//
// Asks the reader's readCma() and the model of early_cma() the same texts, and looks for one slip that explains all answers.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createDmaContiguous, early_cma, memparse } from 'contiguous/dma/contiguous'
import { Printk } from 'contiguous/lib/printk'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { MiB } from 'contiguous/lib/units'
import { createMemblock } from 'contiguous/mm/memblock'

const FILE = 'read_cma.ts'
const READ = 'What was asked'
const DRAWN = 560

interface Option {
  readonly size: number
  readonly base: number
  readonly limit: number
}

interface Answer {
  readonly text: string | null
  readonly expected: Option | null
  readonly given: unknown
}

type ReadCma = (text: string | null) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const readCma = context.kind === 'typescript' ? context.module['readCma'] : undefined
  if (typeof readCma !== 'function')
    return { findings: [finding('ex-export-missing', 'readCma is not an exported function', [])] }
  const rng = createRng(10)
  const texts = [null, ...FIXED, ...Array.from({ length: DRAWN }, () => draw(rng))]
  const answers = texts.map((text) => ({
    text,
    expected: modelAnswer(text),
    given: (readCma as ReadCma)(text),
  }))
  const wrong = answers.filter(({ given, expected }) => shortOf(given) !== shortOf(expected))
  if (wrong.length === 0)
    return { findings: [], shown: [`${answers.length} texts, read as the kernel reads them`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// #region texts
const FIXED = [
  '0',
  '',
  'plenty',
  '64',
  '64M',
  '64m',
  '1g',
  '0x4000000',
  '017',
  '64Moo',
  '64M@',
  '64M@-',
  '@0x50000000',
  'x64M',
]

function number(rng: Rng, most: number): string {
  const value = 1 + rng.next(most)
  const suffix = ['', 'K', 'M', 'G', 'k', 'm', 'g'][rng.next(7)] ?? ''
  const digits = [String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`][rng.next(3)] ?? ''
  return digits + suffix
}

function draw(rng: Rng): string {
  const size = number(rng, 512)
  if (rng.next(3) === 0) return size
  const base = number(rng, 4096)
  if (rng.next(2) === 0) return `${size}@${base}`
  return `${size}@${base}-${number(rng, 4096)}${rng.next(5) === 0 ? 'x' : ''}`
}
// #endregion texts

function modelAnswer(text: string | null): Option | null {
  const log = new Printk()
  const memblock = createMemblock(64, 4096)
  const cma = {
    ...{
      kernel: '6.1.192' as const,
      memblock,
      log,
      minAlignment: MiB(2),
      maxAreas: 8,
      highmemStart: 0,
      areas: [],
    },
  }
  const contiguous = createDmaContiguous(cma, { choose: 'MBYTES', mbytes: 64, percentage: 10 })
  return early_cma(contiguous, text) === 0 ? contiguous.cmdline : null
}

const hex = (value: unknown): string =>
  typeof value === 'number' ? `0x${value.toString(16)}` : String(value)

function shortOf(given: unknown): string {
  if (typeof given !== 'object' || given === null) return String(given)
  const { size, base, limit } = given as Partial<Option>
  return `size ${hex(size)}, base ${hex(base)}, limit ${hex(limit)}`
}

// #region known slips
type Number = (text: string) => { value: number; rest: string }

interface How {
  readonly number?: Number
  readonly limitOf?: (base: number, size: number) => number
  readonly end?: (base: number, end: number) => number
  readonly refuses?: (text: string) => boolean
}

function readLike(text: string | null, how: How): Option | null {
  const { number: read = memparse, limitOf = (base, size) => base + size, end = (_, last) => last } = how
  if (text === null || how.refuses?.(text)) return null
  const size = read(text)
  if (!size.rest.startsWith('@')) return { size: size.value, base: 0, limit: 0 }
  const base = read(size.rest.slice(1))
  if (!base.rest.startsWith('-'))
    return { size: size.value, base: base.value, limit: limitOf(base.value, size.value) }
  return { size: size.value, base: base.value, limit: end(base.value, read(base.rest.slice(1)).value) }
}

const withSuffix = (digits: string, text: string, suffixes: string): { value: number; rest: string } => {
  const suffix = text.charAt(digits.length)
  const power = suffix ? suffixes.indexOf(suffix) + 1 : 0
  const octal = /^0[0-7]+$/.test(digits)
  const value = Number(octal ? `0o${digits.slice(1)}` : digits || '0')
  const factor = 1024 ** (power > 3 ? power - 3 : power)
  return { value: value * factor, rest: text.slice(digits.length + (power > 0 ? 1 : 0)) }
}

const SLIPS: readonly { rule: string; text: string; how: How }[] = [
  {
    rule: 'ex-nonsense-refused',
    text: 'you refuse what does not begin with a digit; the kernel reads it as 0, and only a bare cma is an error',
    how: { refuses: (text) => !/^[0-9]/.test(text) },
  },
  {
    rule: 'ex-limit-of-address-lost',
    text: 'with an address and no range you give no limit; it is where the area would end',
    how: { limitOf: () => 0 },
  },
  {
    rule: 'ex-end-taken-for-size',
    text: 'you add what follows the hyphen to the base; it is the end of the range, an address',
    how: { end: (base, last) => base + last },
  },
  {
    rule: 'ex-hexadecimal-lost',
    text: 'you read decimal digits only; 0x and a leading 0 say another base',
    how: { number: (text) => withSuffix(/^[0-9]+/.exec(text)?.[0] ?? '', text, 'KMGkmg') },
  },
  {
    rule: 'ex-small-suffix-lost',
    text: 'you read K, M and G only; k, m and g are the same',
    how: {
      number: (text) =>
        withSuffix(/^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/i.exec(text)?.[0] ?? '', text, 'KMG'),
    },
  },
]
// #endregion known slips

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const shortest = wrong.reduce((a, b) => ((b.text ?? '').length < (a.text ?? '').length ? b : a))
  const evidence = [
    shortest.text === null ? 'cma' : `cma=${shortest.text}`,
    `expected  ${shortOf(shortest.expected)}`,
    `yours     ${shortOf(shortest.given)}`,
  ]
  const counted = `${wrong.length} of ${answers.length} texts`
  if (answers.every(({ given }) => given === null))
    return finding('ex-option-not-written', `the answer is null whatever is asked; ${counted}`, evidence)
  const slip = SLIPS.find(({ how }) =>
    answers.every(({ text, given }) => shortOf(readLike(text, how)) === shortOf(given)),
  )
  if (slip) return finding(slip.rule, `${slip.text}; ${counted}`, evidence)
  return finding(
    'ex-option-read-otherwise',
    `you read a text otherwise than the kernel does; ${counted}`,
    evidence,
  )
}
