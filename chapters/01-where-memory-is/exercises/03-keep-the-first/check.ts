// SPDX-License-Identifier: MIT
//
// Asks the reader's keepFirst() and the model of memblock the same questions, and looks for one rule that explains all answers.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { MiB } from 'contiguous/lib/units'
import { createMemblock, memblock_add, memblock_is_nomap, memblock_mark_nomap } from 'contiguous/mm/memblock'
import { memblock_mem_limit_remove_map } from 'contiguous/mm/memblock_limit'

const FILE = 'keep_first.ts'
const READ = 'Told to use less'
const QUESTIONS = 1000

interface Range {
  readonly base: number
  readonly size: number
  readonly noMap: boolean
}

interface Answer {
  readonly memory: readonly Range[]
  readonly limit: number
  readonly expected: readonly Range[]
  readonly given: unknown
}

type KeepFirst = (memory: readonly Range[], limit: number) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const keepFirst = context.kind === 'typescript' ? context.module['keepFirst'] : undefined
  if (typeof keepFirst !== 'function')
    return { findings: [finding('ex-export-missing', 'keepFirst is not an exported function', [])] }
  const rng = createRng(3)
  const answers = Array.from({ length: QUESTIONS }, () => ask(keepFirst as KeepFirst, rng))
  const wrong = answers.filter(({ given, expected }) => shortOf(given) !== shortOf(expected))
  if (wrong.length === 0)
    return { findings: [], shown: [`${answers.length} limits, kept as memblock keeps them`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// Up to four ranges, each behind the one before it, with or without a gap; neighbours that touch differ in noMap.
function ask(keepFirst: KeepFirst, rng: Rng): Answer {
  const memory: Range[] = []
  let at = MiB(64) * (1 + rng.next(4))
  let total = 0
  for (let i = 1 + rng.next(4); i > 0; i -= 1) {
    const gap = rng.next(2) * MiB(16) * (1 + rng.next(4))
    const before = memory.at(-1)
    const noMap = gap === 0 && before ? !before.noMap : rng.next(3) === 0
    const size = MiB(4) * (1 + rng.next(16))
    memory.push({ base: at + gap, size, noMap })
    at += gap + size
    total += size
  }
  const limit = rng.next(12) === 0 ? 0 : MiB(1) * (1 + rng.next(total / MiB(1) + 16))
  const frozen = Object.freeze(memory.map((range) => Object.freeze({ ...range })))
  return { memory, limit, expected: modelAnswer(memory, limit), given: keepFirst(frozen, limit) }
}

function modelAnswer(memory: readonly Range[], limit: number): Range[] {
  const memblock = createMemblock()
  for (const { base, size } of memory) memblock_add(memblock, base, size)
  for (const { base, size, noMap } of memory) if (noMap) memblock_mark_nomap(memblock, base, size)
  memblock_mem_limit_remove_map(memblock, limit)
  return memblock.memory.regions.map((region) => ({
    base: region.base,
    size: region.size,
    noMap: memblock_is_nomap(region),
  }))
}

const mib = (bytes: number): string => String(bytes / MiB(1))

function shortOf(given: unknown): string {
  if (!Array.isArray(given)) return String(given)
  const text = (range: Partial<Range>) =>
    `${mib(Number(range?.base))}+${mib(Number(range?.size))}${range?.noMap ? ' no-map' : ''}`
  return given.length === 0 ? 'nothing' : given.map(text).join(', ')
}

// #region known mistakes
interface How {
  readonly counts?: (range: Range) => boolean
  readonly keepsNoMap?: boolean
  readonly cuts?: boolean
}

function counted(memory: readonly Range[], limit: number, how: How): Range[] {
  const { counts = () => true, keepsNoMap = true, cuts = true } = how
  let left = limit === 0 ? Infinity : limit
  return memory.flatMap((range) => {
    const size = Math.min(range.size, left)
    if (counts(range)) left -= size
    if (range.noMap && keepsNoMap) return [range]
    return size > 0 ? [{ ...range, size: cuts ? size : range.size }] : []
  })
}

const upTo = (memory: readonly Range[], end: number): Range[] =>
  memory.flatMap((range) => {
    const size = Math.min(range.size, end - range.base)
    return range.noMap ? [range] : size > 0 ? [{ ...range, size }] : []
  })

const total = (memory: readonly Range[]): number => memory.reduce((sum, { size }) => sum + size, 0)

const MISTAKES: readonly {
  rule: string
  text: string
  keep: (memory: readonly Range[], limit: number) => Range[]
}[] = [
  { rule: 'ex-limit-not-written', text: 'nothing is kept, whatever is asked', keep: () => [] },
  {
    rule: 'ex-limit-as-address',
    text: 'you take the limit for an address, as x86 does; here it is a number of bytes, counted from the first',
    keep: (memory, limit) => upTo(memory, limit === 0 ? Infinity : limit),
  },
  {
    rule: 'ex-holes-counted',
    text: 'you count from the first byte of RAM straight on, so that holes use up the limit; only RAM counts',
    keep: (memory, limit) =>
      upTo(memory, limit === 0 || limit > total(memory) ? Infinity : (memory[0]?.base ?? 0) + limit),
  },
  {
    rule: 'ex-no-map-not-counted',
    text: 'what is not to be mapped is not counted by you; it stays, and it takes its share of the limit all the same',
    keep: (memory, limit) => counted(memory, limit, { counts: ({ noMap }) => !noMap }),
  },
  {
    rule: 'ex-no-map-removed',
    text: 'you remove or cut what is not to be mapped; it stays whole, wherever the limit falls',
    keep: (memory, limit) => counted(memory, limit, { keepsNoMap: false }),
  },
  {
    rule: 'ex-bank-not-cut',
    text: 'you keep the range in which the limit falls whole; what is above the limit goes',
    keep: (memory, limit) => counted(memory, limit, { cuts: false }),
  },
]
// #endregion known mistakes

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const smallest = wrong.reduce((a, b) => (b.memory.length < a.memory.length ? b : a))
  const evidence = [
    'in MiB, base+size',
    `memory    ${shortOf(smallest.memory)}`,
    `mem=      ${mib(smallest.limit)}M`,
    `expected  ${shortOf(smallest.expected)}`,
    `yours     ${shortOf(smallest.given)}`,
  ]
  const counts = `${wrong.length} of ${answers.length} limits`
  const known = MISTAKES.find(({ keep }) =>
    answers.every(({ memory, limit, given }) => shortOf(keep(memory, limit)) === shortOf(given)),
  )
  if (known) return finding(known.rule, `${known.text}; ${counts}`, evidence)
  return finding('ex-kept-otherwise', `you keep something else than memblock does; ${counts}`, evidence)
}
