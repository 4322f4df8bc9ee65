// SPDX-License-Identifier: MIT
//
// Asks the reader's placeRegion() and the model of memblock the same questions. When they differ, it looks for a single
// mistake that explains every answer, and shows the smallest question with a picture of memory.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { MiB } from 'contiguous/lib/units'
import { createMemblock, memblock_add, memblock_mark_nomap, memblock_reserve } from 'contiguous/mm/memblock'
import { memblock_find_in_range_node } from 'contiguous/mm/memblock_find'

interface Range {
  readonly base: number
  readonly size: number
}

interface Question {
  readonly memory: readonly (Range & { readonly noMap: boolean })[]
  readonly reserved: readonly Range[]
  readonly size: number
  readonly alignment: number
  readonly allocRanges: readonly Range[]
  /** Where the board's RAM begins, if not at RAM. Not for the reader. */
  readonly origin?: number
}

interface Answer {
  readonly question: Question
  readonly expected: number
  readonly given: unknown
}

type PlaceRegion = (lists: object, wanted: object) => unknown

const FILE = 'place_region.ts'
const READ = 'What is left, and from which end'
const RAM = 0x40000000
// Where other boards have theirs: bit 31 is the sign of JavaScript's 32-bit operators, bit 35 is lost in them.
const HIGH = [0x9000_0000, 0x8_8000_0000]
const SEED = 2
const DRAWN = 2000

export async function check(context: CheckContext): Promise<CheckResult> {
  const placeRegion = context.kind === 'typescript' ? context.module['placeRegion'] : undefined
  if (typeof placeRegion !== 'function') {
    return { findings: [finding('ex-export-missing', 'placeRegion is not an exported function', [])] }
  }
  const questions = [...FIXED, ...drawn(SEED, DRAWN)].flatMap(elsewhereToo)
  const answers = questions.map((question) => ask(placeRegion as PlaceRegion, question))
  const wrong = answers.filter(({ expected, given }) => expected !== given)
  if (wrong.length === 0)
    return { findings: [], shown: [`${answers.length} questions, the same answers as memblock`] }
  const smallest = wrong.reduce((a, b) => (weight(b.question) < weight(a.question) ? b : a))
  return { findings: [diagnose(answers, wrong, smallest)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// The reader's answer, from lists that may not be changed.
function ask(placeRegion: PlaceRegion, question: Question): Answer {
  const { memory, reserved, size, alignment, allocRanges } = frozen(question)
  const wanted = { size, alignment, allocRanges }
  return { question, expected: modelAnswer(question), given: placeRegion({ memory, reserved }, wanted) }
}

function frozen<T>(value: T): T {
  const copy: unknown = JSON.parse(JSON.stringify(value))
  const freeze = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return
    Object.values(each).forEach(freeze)
    Object.freeze(each)
  }
  freeze(copy)
  return copy as T
}

// #region the oracle
function modelAnswer({ memory, reserved, size, alignment, allocRanges }: Question): number {
  const memblock = createMemblock()
  for (const { base, size: length } of memory) memblock_add(memblock, base, length)
  for (const { base, size: length, noMap } of memory) if (noMap) memblock_mark_nomap(memblock, base, length)
  for (const { base, size: length } of reserved) memblock_reserve(memblock, base, length)
  for (const range of allocRanges) {
    const end = range.base + range.size
    const found = memblock_find_in_range_node(memblock, size, alignment, range.base, end)
    if (found) return found
  }
  return 0
}
// #endregion the oracle

// #region questions
const M = MiB(1)
const all: Range = { base: RAM, size: 64 * M }

function ram(
  ...pieces: readonly (readonly [at: number, length: number, noMap?: boolean])[]
): Question['memory'] {
  return pieces.map(([at, length, noMap = false]) => ({ base: RAM + at * M, size: length * M, noMap }))
}

function ranges(...pieces: readonly (readonly [at: number, length: number])[]): Range[] {
  return pieces.map(([at, length]) => ({ base: RAM + at * M, size: length * M }))
}

const FIXED: readonly Question[] = [
  { memory: ram([0, 64]), reserved: [], size: 8 * M, alignment: 4096, allocRanges: [all] },
  { memory: ram([0, 64]), reserved: ranges([60, 4]), size: 8 * M, alignment: 8 * M, allocRanges: [all] },
  { memory: ram([0, 8]), reserved: [], size: 8 * M, alignment: 4 * M, allocRanges: [all] },
  {
    memory: ram([0, 32], [32, 16, true], [48, 4]),
    reserved: [],
    size: 8 * M,
    alignment: M,
    allocRanges: [all],
  },
  { memory: ram([0, 64]), reserved: [], size: 4 * M, alignment: M, allocRanges: ranges([8, 8], [32, 8]) },
  {
    memory: ram([0, 64]),
    reserved: ranges([8, 8]),
    size: 4 * M,
    alignment: M,
    allocRanges: ranges([8, 8], [32, 8]),
  },
  { memory: ram([0, 4]), reserved: ranges([0, 4]), size: M, alignment: 4096, allocRanges: [all] },
  {
    memory: ram([0, 16]),
    reserved: ranges([6, 1]),
    size: 0x180000,
    alignment: 2 * M,
    allocRanges: ranges([0, 7]),
  },
]

// Every eighth question is asked again for a board whose RAM lies higher.
function elsewhereToo(question: Question, i: number): Question[] {
  if (i % 8 !== 0) return [question]
  const origin = HIGH[(i / 8) % HIGH.length]!
  const moved = <T extends Range>(range: T): T => ({ ...range, base: range.base - RAM + origin })
  const { memory, reserved, allocRanges } = question
  const lists = { memory: memory.map(moved), reserved: reserved.map(moved) }
  return [question, { ...question, ...lists, allocRanges: allocRanges.map(moved), origin }]
}

// Boards of 24 MiB in whole megabytes, so that a picture of one is a line.
function drawn(seed: number, count: number): Question[] {
  let state = seed
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state / 2 ** 32 + 1) % 1) * n)
  }
  const cut = (length: number, pieces: number): [number, number][] => {
    const marks = [...new Set(Array.from({ length: 2 * pieces }, () => below(length + 1)))].sort(
      (a, b) => a - b,
    )
    return marks.flatMap((mark, i) => (i % 2 === 0 && marks[i + 1] ? [[mark, marks[i + 1]! - mark]] : []))
  }
  return Array.from({ length: count }, () => {
    const holes = below(3) === 0 ? cut(24, 1) : []
    const noMap = cut(24, 1)[0]
    const memory: [number, number, boolean][] = []
    const [hole] = holes
    for (const [at, length] of hole ? without([0, 24], hole) : [[0, 24] as [number, number]]) {
      const inside = noMap && noMap[0] >= at && noMap[0] + noMap[1] <= at + length && below(2) === 0
      if (!inside) memory.push([at, length, false])
      else {
        for (const [a, l] of without([at, length], noMap)) memory.push([a, l, false])
        memory.push([...noMap, true])
      }
    }
    memory.sort((a, b) => a[0] - b[0])
    return {
      memory: ram(...memory),
      reserved: ranges(...cut(24, 1 + below(3))),
      size: (1 + below(6)) * M,
      alignment: M * 2 ** below(4),
      allocRanges: below(2) === 0 ? [all] : ranges(...shuffled(cut(24, 2), below)),
    }
  }).filter((question) => question.allocRanges.length > 0)
}

function without([at, length]: [number, number], [from, taken]: [number, number]): [number, number][] {
  const rest: [number, number][] = [
    [at, from - at],
    [from + taken, at + length - from - taken],
  ]
  return rest.filter(([, size]) => size > 0)
}

function shuffled<T>(list: T[], below: (n: number) => number): T[] {
  return below(2) === 0 ? list : [...list].reverse()
}

function weight({ memory, reserved, allocRanges }: Question): number {
  return memory.length + reserved.length + allocRanges.length
}
// #endregion questions

// #region known mistakes
/** One way of getting it wrong, as the function that would result. */
interface Mistake {
  readonly rule: string
  readonly text: string
  readonly answer: (question: Question) => number
}

type Pick = (low: number, high: number, question: Question) => number

const topDown: Pick = (low, high, { size, alignment }) => {
  const candidate = high - size - ((high - size) % alignment)
  return high - size >= low && candidate >= low ? candidate : 0
}

function place(question: Question, pick: Pick, how: { up?: boolean; noMapToo?: boolean } = {}): number {
  const pieces: [number, number][] = []
  for (const { base, size, noMap } of question.memory) {
    if (noMap && !how.noMapToo) continue
    let from = base
    for (const taken of question.reserved) {
      if (taken.base >= base + size) break
      if (taken.base > from) pieces.push([from, taken.base])
      from = Math.max(from, taken.base + taken.size)
    }
    if (from < base + size) pieces.push([from, base + size])
  }
  if (!how.up) pieces.reverse()
  for (const range of question.allocRanges) {
    for (const [from, to] of pieces) {
      const found = pick(Math.max(from, range.base), Math.min(to, range.base + range.size), question)
      if (found) return found
    }
  }
  return 0
}

const MISTAKES: readonly Mistake[] = [
  { rule: 'ex-not-written', text: 'the answer is 0 whatever is asked', answer: () => 0 },
  {
    rule: 'ex-bottom-up',
    text: 'you search from the lowest address up; Linux takes the highest place and saves the low ones',
    answer: (question) =>
      place(
        question,
        (low, high, { size, alignment }) => {
          const candidate = Math.ceil(low / alignment) * alignment
          return candidate + size <= high ? candidate : 0
        },
        { up: true },
      ),
  },
  {
    rule: 'ex-size-aligned',
    text: 'you align the size; it is the start that has to be a multiple of the alignment, and the size stays',
    answer: (question) =>
      place(question, (low, high, { size, alignment }) => {
        const whole = Math.ceil(size / alignment) * alignment
        return high - whole >= low ? high - whole : 0
      }),
  },
  {
    rule: 'ex-not-aligned',
    text: 'the alignment plays no part in your answers',
    answer: (question) => place(question, (low, high, { size }) => (high - size >= low ? high - size : 0)),
  },
  {
    rule: 'ex-no-map-ignored',
    text: 'you hand out no-map memory: it is in the list, and nobody may have it',
    answer: (question) => place(question, topDown, { noMapToo: true }),
  },
  {
    rule: 'ex-reserved-ignored',
    text: 'you hand out memory that is reserved',
    answer: (question) => place({ ...question, reserved: [] }, topDown),
  },
  {
    rule: 'ex-end-inclusive',
    text: 'you take the end of a piece for its last byte; it is the first byte behind, so an exact fit is a fit',
    answer: (question) => place(question, (low, high, asked) => topDown(low, high - 1, asked)),
  },
  {
    rule: 'ex-first-range-only',
    text: 'you give up after the first of the allocRanges; the next one may have room',
    answer: (question) => place({ ...question, allocRanges: question.allocRanges.slice(0, 1) }, topDown),
  },
  {
    rule: 'ex-ranges-order',
    text: 'you take the highest of the allocRanges; they are tried in the order in which they stand',
    answer: (question) =>
      place({ ...question, allocRanges: [...question.allocRanges].sort((a, b) => b.base - a.base) }, topDown),
  },
  {
    rule: 'ex-ranges-ignored',
    text: 'the allocRanges play no part in your answers',
    answer: (question) =>
      place({ ...question, allocRanges: [{ ...all, base: question.origin ?? RAM }] }, topDown),
  },
]
// #endregion known mistakes

// #region diagnosis
function diagnose(answers: readonly Answer[], wrong: readonly Answer[], smallest: Answer): Finding {
  const odd = answers.find(({ given }) => typeof given !== 'number' || !Number.isFinite(given))
  if (odd) {
    const text = `the answer is ${String(odd.given)} (${typeof odd.given}); expected an address, or 0`
    return finding('ex-not-an-address', text, picture(odd))
  }
  const counted = `${wrong.length} of ${answers.length} answers differ from memblock's`
  for (const mistake of MISTAKES) {
    if (!answers.every(({ question, given }) => mistake.answer(question) === given)) continue
    return finding(mistake.rule, `${mistake.text}; ${counted}`, picture(smallest))
  }
  const cut = cutOff(wrong)
  if (cut) return finding(cut.rule, `${cut.text}; ${counted}`, picture(smallest))
  return finding(ruleOf(smallest), `${sayOf(smallest)}; ${counted}`, picture(smallest))
}

// Right on the boards whose RAM lies low, wrong on the others.
function cutOff(wrong: readonly Answer[]): { rule: string; text: string } | null {
  const origins = wrong.map(({ question }) => question.origin ?? RAM)
  const cuts = 'cut a number to 32 bits, and an address has more; round with %'
  if (origins.every((origin) => origin >= 2 ** 32)) {
    const text = `your answers are right below 4 GiB and wrong above: &, |, ~, << and >>, even before >>> 0, ${cuts}`
    return { rule: 'ex-32-bit-unsigned', text }
  }
  if (origins.every((origin) => origin >= 2 ** 31)) {
    const text = `your answers are right below 2 GiB and wrong above: &, |, ~, << and >> take bit 31 for a sign and ${cuts}`
    return { rule: 'ex-32-bit-signed', text }
  }
  return null
}

// Not one of the mistakes we know: what is wrong with this one answer.
function ruleOf({ question, given, expected }: Answer): string {
  const at = Number(given)
  const overlaps = (other: Range) => at < other.base + other.size && other.base < at + question.size
  if (at === 0) return 'ex-place-missed'
  if (question.reserved.some(overlaps)) return 'ex-takes-reserved'
  if (question.memory.some((each) => each.noMap && overlaps(each))) return 'ex-takes-no-map'
  if (at % question.alignment !== 0) return 'ex-start-not-aligned'
  return expected === 0 ? 'ex-place-invented' : 'ex-place-not-highest'
}

const SAY: Record<string, string> = {
  'ex-place-missed': 'you find no room where there is some',
  'ex-takes-reserved': 'your region overlaps a reserved one',
  'ex-takes-no-map': 'your region overlaps no-map memory',
  'ex-start-not-aligned': 'your region does not begin at a multiple of the alignment',
  'ex-place-invented': 'there is no room, yet you find some',
  'ex-place-not-highest': 'your region is not where the kernel would put it',
}

function sayOf(answer: Answer): string {
  return SAY[ruleOf(answer)] ?? ''
}
// #endregion diagnosis

// #region picture
// Memory as a line, one character a megabyte: `.` free, `n` no-map, `R` reserved, a blank where there is no RAM.
function picture({ question, expected, given }: Answer): string[] {
  const { memory, reserved, size, alignment, allocRanges } = question
  const origin = question.origin ?? RAM
  const end = Math.max(
    ...memory.map((each) => each.base + each.size),
    ...reserved.map((each) => each.base + each.size),
  )
  const line = (mark: (from: number, to: number) => string) =>
    Array.from({ length: Math.ceil((end - origin) / M) }, (_, i) => mark(origin + i * M, origin + (i + 1) * M)).join(
      '',
    )
  const touches = (from: number, to: number, each: Range) => each.base < to && from < each.base + each.size
  const at = (start: number) =>
    line((from, to) => (start !== 0 && touches(from, to, { base: start, size }) ? '#' : ' ')).trimEnd()
  const hex = (address: unknown) =>
    typeof address === 'number' ? `0x${address.toString(16)}` : String(address)
  const memoryLine = line((from, to) => {
    if (reserved.some((each) => touches(from, to, each))) return 'R'
    const piece = memory.find((each) => touches(from, to, each))
    return piece ? (piece.noMap ? 'n' : '.') : ' '
  })
  return [
    `size ${hex(size)}, alignment ${hex(alignment)}; a character is 1 MiB, the first at ${hex(origin)}`,
    `memory    |${memoryLine}|   . free  R reserved  n no-map`,
    ...allocRanges.map(
      (range, i) => `range ${i + 1}   |${line((from, to) => (touches(from, to, range) ? '-' : ' '))}|`,
    ),
    `expected  |${at(expected)}   ${hex(expected)}`,
    `yours     |${typeof given === 'number' ? at(given) : ''}   ${hex(given)}`,
  ]
}
// #endregion picture
