// SPDX-License-Identifier: MIT
//
// Asks the reader's findBit() and the model's bitmap search the same, and looks for one slip that explains all answers.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { bitmap_find_next_zero_area_off, bitmap_set, bitmap_zalloc } from 'contiguous/lib/bitmap'
import { createRng, type Rng } from 'contiguous/lib/rng'

const FILE = 'find_bit.ts'
const READ = 'What it is aligned to'
const QUESTIONS = 2000

interface Asked {
  readonly taken: readonly boolean[]
  readonly base_pfn: number
  readonly count: number
  readonly align: number
}

interface Answer {
  readonly asked: Asked
  readonly expected: number
  readonly given: unknown
}

type FindBit = (taken: readonly boolean[], base_pfn: number, wish: { count: number; align: number }) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const findBit = context.kind === 'typescript' ? context.module['findBit'] : undefined
  if (typeof findBit !== 'function')
    return { findings: [finding('ex-export-missing', 'findBit is not an exported function', [])] }
  const rng = createRng(11)
  const answers = Array.from({ length: QUESTIONS }, (): Answer => {
    const asked = draw(rng)
    const { taken, base_pfn, count, align } = asked
    const given = (findBit as FindBit)(Object.freeze([...taken]), base_pfn, Object.freeze({ count, align }))
    return { asked, expected: modelAnswer(asked), given }
  })
  const wrong = answers.filter(({ given, expected }) => given !== expected)
  if (wrong.length === 0)
    return { findings: [], shown: [`${answers.length} searches, each as the kernel’s ends`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// An area of up to 64 pages with a few rows taken; the base is aligned in half of them.
function draw(rng: Rng): Asked {
  const taken = Array<boolean>(16 + rng.next(49)).fill(false)
  for (let rows = rng.next(5); rows > 0; rows--) {
    const from = rng.next(taken.length)
    taken.fill(true, from, from + 1 + rng.next(6))
  }
  const base_pfn = 0x7_c000 + (rng.next(2) ? 64 * rng.next(8) : rng.next(512))
  return { taken, base_pfn, count: 1 + rng.next(20), align: rng.next(5) }
}

function modelAnswer({ taken, base_pfn, count, align }: Asked): number {
  const bitmap = bitmap_zalloc(taken.length)
  taken.forEach((is, bit) => is && bitmap_set(bitmap, bit, 1))
  const unit = 2 ** align
  const bit = bitmap_find_next_zero_area_off(bitmap, taken.length, 0, count, unit - 1, base_pfn % unit)
  return bit < taken.length && bit + count <= taken.length ? bit : -1
}

// #region known slips
type Slip = (asked: Asked) => number

// The lowest bit of an arithmetic row of which `fits` holds; -1 for none.
function lowest(from: number, step: number, end: number, fits: (bit: number) => boolean): number {
  for (let bit = from; bit < end; bit += step) if (fits(bit)) return bit
  return -1
}

const clear = ({ taken, count }: Asked, bit: number): boolean => !taken.slice(bit, bit + count).includes(true)
const inside = ({ taken, count }: Asked, bit: number): boolean => bit + count <= taken.length
const firstBit = ({ base_pfn, align }: Asked): number => (2 ** align - (base_pfn % 2 ** align)) % 2 ** align

const SLIPS: readonly { rule: string; text: string; answer: Slip }[] = [
  {
    rule: 'ex-search-not-written',
    text: 'no search has a place',
    answer: () => -1,
  },
  {
    rule: 'ex-not-aligned',
    text: 'the alignment is forgotten: every bit will do',
    answer: (asked) =>
      lowest(0, 1, asked.taken.length, (bit) => clear(asked, bit) && inside(asked, bit)),
  },
  {
    rule: 'ex-aligned-to-the-area',
    text: 'the alignment counts from the start of the area; it is the page frame that has to be a multiple',
    answer: (asked) =>
      lowest(0, 2 ** asked.align, asked.taken.length, (bit) => clear(asked, bit) && inside(asked, bit)),
  },
  {
    rule: 'ex-row-not-looked-through',
    text: 'only the ends of a row are looked at; somebody may have a page in the middle',
    answer: (asked) =>
      lowest(firstBit(asked), 2 ** asked.align, asked.taken.length, (bit) => {
        const { taken, count } = asked
        return inside(asked, bit) && !taken[bit] && !taken[bit + count - 1]
      }),
  },
  {
    rule: 'ex-beyond-the-area',
    text: 'a row reaches beyond the end of the area, where the pages are somebody else’s',
    answer: (asked) =>
      lowest(firstBit(asked), 2 ** asked.align, asked.taken.length, (bit) => clear(asked, bit)),
  },
]
// #endregion known slips

const picture = (taken: readonly boolean[]): string => taken.map((is) => (is ? '#' : '.')).join('')

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const { asked, expected, given } = wrong.reduce((a, b) =>
    b.asked.taken.length < a.asked.taken.length ? b : a,
  )
  const evidence = [
    picture(asked.taken),
    `base_pfn 0x${asked.base_pfn.toString(16)}, ${asked.count} pages, align ${asked.align}`,
    `expected  ${expected}`,
    `yours     ${String(given)}`,
  ]
  const counted = `${wrong.length} of ${answers.length} searches`
  const slip = SLIPS.find(({ answer }) => answers.every((each) => answer(each.asked) === each.given))
  if (slip) return finding(slip.rule, `${slip.text}; ${counted}`, evidence)
  return finding('ex-another-bit', `you find another place than the kernel does; ${counted}`, evidence)
}
