// SPDX-License-Identifier: MIT
//
// Asks the reader's watermarkOk() and the model of the page allocator the same questions. When they differ, it looks for a
// single mistake that explains every answer, and shows the smallest question in words.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { pictured } from 'contiguous/machine/picture'
import { MIGRATE_TYPES, NR_FREE_CMA_PAGES, NR_FREE_PAGES } from 'contiguous/mm/mmzone'
import { ALLOC_CMA, ALLOC_MIN_RESERVE, ALLOC_NON_BLOCK } from 'contiguous/mm/page_alloc_rmqueue'
import { zone_watermark_ok } from 'contiguous/mm/watermark'

interface ZoneNow {
  readonly free: number
  readonly freeCma: number
  readonly mark: number
  readonly reserve: number
  readonly blocks: Readonly<Record<Letter, readonly number[]>>
}

interface Request {
  readonly order: number
  readonly movable: boolean
  readonly atomic: boolean
}

type Letter = 'U' | 'M' | 'R' | 'C'
type Question = readonly [ZoneNow, Request]
type WatermarkOk = (zone: ZoneNow, request: Request) => unknown

const FILE = 'watermark_ok.ts'
const READ = 'Free, but not to you'
const LETTERS: readonly Letter[] = ['U', 'M', 'R', 'C']
const ORDERS = 11
const DRAWN = 3000

export async function check(context: CheckContext): Promise<CheckResult> {
  const watermarkOk = context.kind === 'typescript' ? context.module['watermarkOk'] : undefined
  if (typeof watermarkOk !== 'function') {
    return { findings: [finding('ex-export-missing', 'watermarkOk is not an exported function', [])] }
  }
  const rng = createRng(28)
  const questions = [...FIXED, ...Array.from({ length: DRAWN }, () => drawnQuestion(rng))]
  const expected = askModel(questions)
  const given = questions.map((question) => ask(watermarkOk as WatermarkOk, question))
  const wrong = questions.filter((_, i) => given[i] !== expected[i])
  if (wrong.length === 0)
    return { findings: [], shown: [`${questions.length} requests, decided as __zone_watermark_ok() decides`] }
  const smallest = wrong.reduce((a, b) => (b[0].free < a[0].free ? b : a))
  const at = questions.indexOf(smallest)
  const evidence = inWords(smallest, expected[at], given[at])
  return { findings: [diagnose(questions, given, evidence)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// The reader's answer, from what may not be changed.
function ask(watermarkOk: WatermarkOk, [zone, request]: Question): unknown {
  const blocks = Object.freeze({ ...zone.blocks })
  return watermarkOk(Object.freeze({ ...zone, blocks }), Object.freeze({ ...request }))
}

// #region the oracle
function askModel(questions: readonly Question[]): boolean[] {
  const pgdat = pictured('M ########', { kernel: '6.12.117', maxOrder: ORDERS - 1 })
  const zone = pgdat.zones[0]!
  const { UNMOVABLE, MOVABLE, RECLAIMABLE, CMA } = pgdat.migrate
  return questions.map(([{ free, freeCma, mark, reserve, blocks }, { order, movable, atomic }]) => {
    zone.vm_stat[NR_FREE_PAGES] = free
    zone.vm_stat[NR_FREE_CMA_PAGES] = freeCma
    zone.lowmem_reserve.fill(reserve)
    zone.nr_free.fill(0)
    for (const [i, type] of [UNMOVABLE, MOVABLE, RECLAIMABLE, CMA].entries()) {
      blocks[LETTERS[i]!].forEach((count, each) => (zone.nr_free[each * MIGRATE_TYPES + type] = count))
    }
    const flags = (movable ? ALLOC_CMA : 0) | (atomic ? ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK : 0)
    return zone_watermark_ok(pgdat, zone, order, mark, 0, flags)
  })
}
// #endregion the oracle

// #region questions
// A zone from what is on its lists: `free` follows.
function zoneOf(lists: Partial<Record<Letter, Readonly<Record<number, number>>>>, mark: number, reserve = 0) {
  const list = (letter: Letter) => Array.from({ length: ORDERS }, (_, order) => lists[letter]?.[order] ?? 0)
  const blocks = { U: list('U'), M: list('M'), R: list('R'), C: list('C') }
  const pages = (letter: Letter) => blocks[letter].reduce((sum, count, order) => sum + (count << order), 0)
  const free = LETTERS.reduce((sum, letter) => sum + pages(letter), 0)
  return { free, freeCma: pages('C'), mark, reserve, blocks }
}

const plain = (order: number): Request => ({ order, movable: false, atomic: false })
const program = (order: number): Request => ({ order, movable: true, atomic: false })
const atomic = (order: number): Request => ({ order, movable: false, atomic: true })

const FIXED: readonly Question[] = [
  [zoneOf({ M: { 0: 21 } }, 20), plain(0)],
  [zoneOf({ M: { 0: 20 } }, 20), plain(0)],
  [zoneOf({ M: { 0: 4 }, C: { 4: 8 } }, 20), plain(0)],
  [zoneOf({ M: { 0: 4 }, C: { 4: 8 } }, 20), program(0)],
  [zoneOf({ M: { 0: 40 } }, 20), plain(1)],
  [zoneOf({ M: { 0: 40, 3: 1 } }, 20), plain(2)],
  [zoneOf({ M: { 0: 40 }, C: { 3: 1 } }, 20), plain(2)],
  [zoneOf({ M: { 0: 40 }, C: { 3: 1 } }, 20), program(2)],
  [zoneOf({ M: { 2: 6 } }, 20), plain(2)],
  [zoneOf({ M: { 0: 8 } }, 20), atomic(0)],
  [zoneOf({ M: { 0: 9 } }, 20), atomic(0)],
  [zoneOf({ M: { 0: 11 } }, 20), atomic(0)],
  [zoneOf({ M: { 0: 30 } }, 20, 10), plain(0)],
  [zoneOf({ M: { 0: 31 } }, 20, 10), plain(0)],
]

// A zone near its mark, so that a page decides.
function drawnQuestion(rng: Rng): Question {
  const counts = (letter: Letter) => {
    const highest = rng.next(6)
    return Object.fromEntries(
      Array.from({ length: highest }, (_, order) => [order, rng.next(letter === 'C' ? 5 : 4)]),
    )
  }
  const lists = { U: counts('U'), M: counts('M'), R: counts('R'), C: counts('C') }
  const request = { order: rng.next(4), movable: rng.next(2) === 0, atomic: rng.next(3) === 0 }
  const { free, freeCma } = zoneOf(lists, 0)
  const near = rng.next(2) === 0 ? free : free - freeCma
  const mark = Math.max(near - 6 + rng.next(10), 0)
  const reserve = rng.next(3) === 0 ? rng.next(6) : 0
  return [zoneOf(lists, request.atomic ? 2 * mark : mark, reserve), request]
}
// #endregion questions

// #region diagnosis
interface Habits {
  readonly seesCma?: boolean
  readonly givesMark?: boolean
  readonly asksNoBlock?: boolean
  readonly anyBlock?: boolean
  readonly countsNothing?: boolean
  readonly noReserve?: boolean
  readonly share?: (mark: number) => number
}

const threeEighths = (mark: number): number => {
  const half = mark - Math.floor(mark / 2)
  return half - Math.floor(half / 4)
}

// watermarkOk() with one habit that is not Linux's.
function withHabits(habits: Habits): WatermarkOk {
  return (zone, { order, movable, atomic: urgent }) => {
    const cma = movable || habits.seesCma ? 0 : zone.freeCma
    const usable = zone.free - (habits.countsNothing ? 0 : 2 ** order - 1) - cma
    const mark = urgent ? (habits.share ?? threeEighths)(zone.mark) : zone.mark
    const stays = mark + (habits.noReserve ? 0 : zone.reserve)
    if (habits.givesMark ? usable < stays : usable <= stays) return false
    if (order === 0 || habits.asksNoBlock) return true
    const lists = LETTERS.filter((letter) => letter !== 'C' || movable || habits.anyBlock)
    return lists.some((letter) => zone.blocks[letter].slice(order).some((count) => count > 0))
  }
}

const half = (mark: number): number => mark - Math.floor(mark / 2)

const SLIPS: readonly (readonly [rule: string, text: string, WatermarkOk])[] = [
  [
    'ex-mark-not-asked',
    'nothing stays: a zone gives its last page',
    (zone, request) => zone.free >= 2 ** request.order,
  ],
  [
    'ex-cma-counted-for-all',
    'free CMA pages are counted for a request that cannot have them',
    withHabits({ seesCma: true }),
  ],
  [
    'ex-mark-itself-given',
    'a zone that has exactly its mark still gives; it has to have more',
    withHabits({ givesMark: true }),
  ],
  [
    'ex-no-block-asked-for',
    'pages enough, but in pieces: above order 0 there has to be a block',
    withHabits({ asksNoBlock: true }),
  ],
  [
    'ex-cma-block-for-all',
    'a block on the list of CMA counts for a request that will not be given it',
    withHabits({ anyBlock: true }),
  ],
  [
    'ex-request-not-counted',
    'the pages of the request itself, all but one, are not taken off',
    withHabits({ countsNothing: true }),
  ],
  [
    'ex-atomic-share',
    'an atomic request may go below half: a quarter of what is left comes off too',
    withHabits({ share: half }),
  ],
  ['ex-atomic-waits', 'an atomic request is held to the whole mark', withHabits({ share: (mark) => mark })],
  [
    'ex-atomic-share',
    'half, and then a quarter of the rest: each division rounds down by itself',
    withHabits({ share: (mark) => Math.floor((mark * 3) / 8) }),
  ],
  ['ex-reserve-forgotten', 'the zone’s reserve is not added to the mark', withHabits({ noReserve: true })],
]

function diagnose(
  questions: readonly Question[],
  given: readonly unknown[],
  evidence: readonly string[],
): Finding {
  for (const [rule, text, like] of SLIPS) {
    const explains = questions.every((question, i) => ask(like, question) === given[i])
    if (explains) return finding(rule, text, evidence)
  }
  return finding('ex-zone-decides-otherwise', 'the page allocator decides otherwise', evidence)
}

function inWords([zone, request]: Question, expected: unknown, given: unknown): string[] {
  const lists = LETTERS.flatMap((letter) =>
    zone.blocks[letter].flatMap((count, order) => (count > 0 ? [`${count}*${2 ** order} (${letter})`] : [])),
  )
  const who = `${request.atomic ? 'atomic, ' : ''}${request.movable ? 'movable' : 'not movable'}`
  return [
    `free ${zone.free}, of CMA ${zone.freeCma}; mark ${zone.mark}, reserve ${zone.reserve}`,
    `blocks    ${lists.join(' ') || 'none'}`,
    `request   order ${request.order}, ${who}`,
    `expected  ${String(expected)}`,
    `yours     ${String(given)}`,
  ]
}
// #endregion diagnosis
