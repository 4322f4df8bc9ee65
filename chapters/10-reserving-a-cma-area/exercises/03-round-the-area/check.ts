// SPDX-License-Identifier: MIT
//
// Asks the reader's roundArea() and the model of cma_declare_contiguous_nid() the same, and looks for one slip that explains
// all answers. The board has 8 GiB of RAM, all of it free, so that nothing but the request decides.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { Printk } from 'contiguous/lib/printk'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { GiB, MiB } from 'contiguous/lib/units'
import { cma_declare_contiguous_nid } from 'contiguous/mm/cma_declare'
import { createMemblock, memblock_add } from 'contiguous/mm/memblock'

const FILE = 'round_area.ts'
const READ = 'Where, and how much of it'
const QUESTIONS = 2000
const RAM: number = GiB(8)

interface Asked {
  readonly size: number
  readonly base: number
  readonly limit: number
}

interface Answer {
  readonly asked: Asked
  readonly alignment: number
  readonly expected: Result
  readonly given: unknown
}

type Result = number | 'misaligned' | 'exceeds'
type RoundArea = (asked: Asked, alignment: number) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const roundArea = context.kind === 'typescript' ? context.module['roundArea'] : undefined
  if (typeof roundArea !== 'function')
    return { findings: [finding('ex-export-missing', 'roundArea is not an exported function', [])] }
  const rng = createRng(11)
  const answers = Array.from({ length: QUESTIONS }, () => {
    const alignment = MiB(2 ** (1 + rng.next(4)))
    const asked = Object.freeze(draw(rng))
    const expected = modelAnswer(asked, alignment)
    return { asked, alignment, expected, given: (roundArea as RoundArea)(asked, alignment) }
  })
  const wrong = answers.filter(({ given, expected }) => given !== expected)
  if (wrong.length === 0)
    return { findings: [], shown: [`${answers.length} requests, rounded as the kernel does`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// A size alone, at an address, or in a range that has little room to spare.
function draw(rng: Rng): Asked {
  const size = MiB(1 + rng.next(64))
  const base = GiB(1) + MiB(1) * rng.next(512)
  switch (rng.next(4)) {
    case 0:
      return { size, base: 0, limit: rng.next(2) ? 0 : GiB(2) + MiB(1) * rng.next(64) }
    case 1:
      return { size, base: base - (base % MiB(16)), limit: base - (base % MiB(16)) + size }
    case 2:
      return { size, base, limit: base + size }
    default:
      return { size, base, limit: base + size + MiB(1) * (1 + rng.next(32)) }
  }
}

function modelAnswer({ size, base, limit }: Asked, alignment: number): Result {
  const log = new Printk()
  const memblock = createMemblock(64, 4096)
  memblock_add(memblock, 0, RAM)
  const cma = {
    kernel: '6.1.192' as const,
    memblock,
    log,
    minAlignment: alignment,
    maxAreas: 8,
    highmemStart: RAM,
    areas: [],
  }
  const fixed = base !== 0 && base + size === limit
  const area = cma_declare_contiguous_nid(cma, base, size, limit, 0, 0, fixed, 'reserved', -1)
  if (typeof area !== 'number') return area.size
  if (log.lines.some((line) => line.includes('must be aligned'))) return 'misaligned'
  if (log.lines.some((line) => line.includes('exceeds limit'))) return 'exceeds'
  // A range with room, in which no multiple of the alignment fits: none is drawn.
  throw new Error(`round-the-area: ${log.lines.join(' | ')}`)
}

// #region known slips
const upTo = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment
const downTo = (value: number, alignment: number): number => value - (value % alignment)

type Slip = (asked: Asked, alignment: number) => Result

const misaligned = ({ size, base, limit }: Asked, alignment: number): boolean =>
  base !== 0 && base + size === limit && base % alignment !== 0

const SLIPS: readonly { rule: string; text: string; answer: Slip }[] = [
  {
    rule: 'ex-rounding-not-written',
    text: 'the size comes back as it was asked for',
    answer: ({ size }) => size,
  },
  {
    rule: 'ex-area-size-cut',
    text: 'you round the size down; an area is never smaller than what was asked for',
    answer: (asked, alignment) => {
      if (misaligned(asked, alignment)) return 'misaligned'
      const [cut, below] = [downTo(asked.size, alignment), downTo(asked.limit, alignment)]
      return below !== 0 && upTo(asked.base, alignment) + cut > below ? 'exceeds' : cut
    },
  },
  {
    rule: 'ex-limit-not-rounded',
    text: 'your limit goes up or stays; it is rounded down, for an area must not reach beyond it',
    answer: (asked, alignment) => {
      if (misaligned(asked, alignment)) return 'misaligned'
      const need = upTo(asked.base, alignment) + upTo(asked.size, alignment)
      return asked.limit !== 0 && need > upTo(asked.limit, alignment)
        ? 'exceeds'
        : upTo(asked.size, alignment)
    },
  },
  {
    rule: 'ex-limit-not-rounded',
    text: 'your limit stays as it is; it is rounded down, for an area must not reach beyond it',
    answer: (asked, alignment) => {
      if (misaligned(asked, alignment)) return 'misaligned'
      const need = upTo(asked.base, alignment) + upTo(asked.size, alignment)
      return asked.limit !== 0 && need > asked.limit ? 'exceeds' : upTo(asked.size, alignment)
    },
  },
  {
    rule: 'ex-fixed-base-moved',
    text: 'you round a fixed base up, as 4.x did; what was asked for by address is not moved, it is refused',
    answer: (asked, alignment) => {
      const below = downTo(asked.limit, alignment)
      const need = upTo(asked.base, alignment) + upTo(asked.size, alignment)
      return below !== 0 && need > below ? 'exceeds' : upTo(asked.size, alignment)
    },
  },
  {
    rule: 'ex-checked-too-early',
    text: 'you compare before you round; the kernel compares what rounding has made of the three',
    answer: (asked, alignment) => {
      if (misaligned(asked, alignment)) return 'misaligned'
      const { size, base, limit } = asked
      return limit !== 0 && base + size > limit ? 'exceeds' : upTo(size, alignment)
    },
  },
]
// #endregion known slips

const mib = (value: unknown): string => (typeof value === 'number' ? `${value / MiB(1)} MiB` : String(value))

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const smallest = wrong.reduce((a, b) => (b.asked.size < a.asked.size ? b : a))
  const { asked, alignment, expected, given } = smallest
  const evidence = [
    `size ${mib(asked.size)}, base ${mib(asked.base)}, limit ${mib(asked.limit)}, alignment ${mib(alignment)}`,
    `expected  ${mib(expected)}`,
    `yours     ${mib(given)}`,
  ]
  const counted = `${wrong.length} of ${answers.length} requests`
  const slip = SLIPS.find(({ answer }) =>
    answers.every((each) => answer(each.asked, each.alignment) === each.given),
  )
  if (slip) return finding(slip.rule, `${slip.text}; ${counted}`, evidence)
  return finding(
    'ex-area-rounded-otherwise',
    `you make something else of a request than the kernel does; ${counted}`,
    evidence,
  )
}
