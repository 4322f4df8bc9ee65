// SPDX-License-Identifier: MIT
//
// Boots 6.12 with nodes whose reg is drawn, looks what is no-map in memblock and what is in the table, and asks the reader's
// readReg() the same. When they differ, a single mistake that explains every answer is looked for.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { memblock_is_nomap } from 'contiguous/mm/memblock'
import { parseDts } from 'contiguous/of/dts_parser'

interface Range {
  readonly base: number
  readonly size: number
}

interface Outcome {
  readonly reserved: readonly Range[]
  readonly region: Range | null
}

interface Reg {
  readonly cells: readonly number[]
  readonly addressCells: number
  readonly sizeCells: number
}

interface Answer {
  readonly reg: Reg
  readonly expected: Outcome
  readonly given: unknown
}

type ReadReg = (cells: readonly number[], addressCells: number, sizeCells: number) => unknown

const FILE = 'read_reg.ts'
const QUESTIONS = 'Three questions, one answer'
const NODE = 'One node at a time'
const SEED = 15
const DRAWN = 400
const UPPER = 2 ** 32
const RAM = 0x4000_0000
const NOTHING: Outcome = { reserved: [], region: null }

export async function check(context: CheckContext): Promise<CheckResult> {
  const readReg = context.kind === 'typescript' ? context.module['readReg'] : undefined
  if (typeof readReg !== 'function')
    return { findings: [finding('ex-export-missing', 'readReg is not an exported function', [])] }
  const rng = createRng(SEED)
  const answers = Array.from({ length: DRAWN }, () => ask(readReg as ReadReg, draw(rng)))
  const wrong = answers.filter(({ expected, given }) => said(expected) !== said(given))
  if (wrong.length > 0) return { findings: [diagnose(answers, wrong)] }
  return { findings: [], shown: [`${answers.length} nodes, read as 6.12 reads them`] }
}

function ask(readReg: ReadReg, reg: Reg): Answer {
  const { cells, addressCells, sizeCells } = reg
  return { reg, expected: booted(reg), given: readReg([...cells], addressCells, sizeCells) }
}

// Up to three ranges with gaps between them, in any order; one reg in five has a cell too many or too few.
function draw(rng: Rng): Reg {
  const [addressCells, sizeCells] = [1 + rng.next(2), 1 + rng.next(2)]
  const pieces: Range[] = []
  let free = RAM + MiB(rng.next(64))
  for (let i = 0; i <= rng.next(3); i++) {
    if (addressCells === 2 && rng.next(2) === 0) free += UPPER
    const base = free + MiB(1 + rng.next(512))
    const large = sizeCells === 2 && addressCells === 2 && rng.next(3) === 0
    const size = MiB(1 + rng.next(32)) + (large ? UPPER : 0)
    pieces.push({ base, size })
    free = base + size
  }
  for (let i = pieces.length - 1; i > 0; i--) {
    const other = rng.next(i + 1)
    ;[pieces[i], pieces[other]] = [pieces[other]!, pieces[i]!]
  }
  const cells = pieces.flatMap(({ base, size }) => [...split(base, addressCells), ...split(size, sizeCells)])
  const odd = rng.next(10)
  const shown = odd === 0 ? cells.slice(0, -1) : odd === 1 ? [...cells, MiB(1 + rng.next(8))] : cells
  return { cells: shown, addressCells, sizeCells }
}

const split = (value: number, count: number): number[] =>
  count === 1 ? [value] : [Math.floor(value / UPPER), value % UPPER]

// #region the oracle
function booted({ cells, addressCells, sizeCells }: Reg): Outcome {
  const row = (numbers: readonly number[]) => `<${numbers.map(hex).join(' ')}>`
  // RAM from 1 GiB on: in pieces of 1 GiB, for one cell holds no size of 4 GiB.
  const ram = Array.from({ length: addressCells === 1 ? 3 : 63 }, (_, i) => [
    ...split(RAM * (i + 1), addressCells),
    ...split(RAM, sizeCells),
  ])
  const counts = `#address-cells = <${addressCells}>; #size-cells = <${sizeCells}>;`
  const source = `/dts-v1/;
/ {
	${counts}
	memory@40000000 { device_type = "memory"; reg = ${row(ram.flat())}; };
	reserved-memory { ${counts} ranges; buffer { no-map; reg = ${row(cells)}; }; };
};`
  const tree = parseDts(source, 'board.dts').tree!
  const machine = bootMachine({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0', image: null })
  const reserved = machine.memblock.memory.regions.filter(memblock_is_nomap)
  const [region] = machine.reserved_mem.regions
  return {
    reserved: reserved.map(({ base, size }) => ({ base, size })),
    region: region ? { base: region.base, size: region.size } : null,
  }
}
// #endregion the oracle

// #region known mistakes
interface Mistake {
  readonly rule: string
  readonly text: string
  readonly read: string
  readonly answer: (reg: Reg) => Outcome
}

interface How {
  readonly lowFirst?: boolean
  readonly forgiving?: boolean
}

const upperFirst = (cells: readonly number[]): number => cells.reduce((value, cell) => value * UPPER + cell, 0)

// Reads as the kernel does, but for what `how` says.
function entries({ cells, addressCells, sizeCells }: Reg, how: How = {}): Range[] {
  const entry = addressCells + sizeCells
  if (!how.forgiving && cells.length % entry !== 0) return []
  const number = (from: number, to: number) =>
    upperFirst(how.lowFirst ? cells.slice(from, to).reverse() : cells.slice(from, to))
  return Array.from({ length: Math.floor(cells.length / entry) }, (_, i) => {
    const middle = i * entry + addressCells
    return { base: number(i * entry, middle), size: number(middle, (i + 1) * entry) }
  })
}

const outcome = (reserved: readonly Range[]): Outcome => ({ reserved, region: reserved[0] ?? null })

const MISTAKES: readonly Mistake[] = [
  {
    rule: 'ex-not-written',
    text: 'nothing is reserved, whatever the node says',
    read: NODE,
    answer: () => NOTHING,
  },
  {
    rule: 'ex-counts-ignored',
    text: 'you read two cells and two on every board; how many there are is said by the root node, and here it says otherwise',
    read: QUESTIONS,
    answer: (reg) => outcome(entries({ ...reg, addressCells: 2, sizeCells: 2 })),
  },
  {
    rule: 'ex-low-cell-first',
    text: 'you take the first of two cells for the lower half; a device tree is big-endian, its cells too: the upper half comes first',
    read: QUESTIONS,
    answer: (reg) => outcome(entries(reg, { lowFirst: true })),
  },
  {
    rule: 'ex-first-entry-only',
    text: 'you keep the first entry free and no other; only the first becomes the region, but all of them are reserved',
    read: NODE,
    answer: (reg) => outcome(entries(reg).slice(0, 1)),
  },
  {
    rule: 'ex-rest-forgiven',
    text: 'you take the whole entries of a reg that has cells left over; the kernel takes none of them and passes the node over',
    read: NODE,
    answer: (reg) => outcome(entries(reg, { forgiving: true })),
  },
]
// #endregion known mistakes

// #region diagnosis
function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const shortest = wrong.reduce((a, b) => (b.reg.cells.length < a.reg.cells.length ? b : a))
  const evidence = picture(shortest)
  const counted = `${wrong.length} of ${answers.length} nodes are read otherwise`
  const odd = wrong.find(({ given }) => !isOutcome(given))
  if (odd) return finding('ex-not-an-outcome', 'expected { reserved, region }', picture(odd))
  const is = MISTAKES.find(({ answer }) => answers.every(({ reg, given }) => said(answer(reg)) === said(given)))
  if (is) return finding(is.rule, `${is.text}; ${counted}`, evidence, is.read)
  if (wrong.every(({ expected, given }) => ranges(expected) === ranges(given as Outcome))) {
    const text = 'the ranges are right and the region is not: it is the entry that stands first in reg'
    return finding('ex-region-not-the-first', `${text}; ${counted}`, evidence, NODE)
  }
  if (wrong.every(({ reg }) => needsMore(reg))) {
    const text =
      'your numbers are right while they fit into 31 bits: &, |, ~, << and >> cut to 32 and take the last for a sign; use * and +'
    return finding('ex-32-bit', `${text}; ${counted}`, evidence, QUESTIONS)
  }
  return finding('ex-read-otherwise', counted, evidence, QUESTIONS)
}

// Whether a number in it has more than 31 bits.
const needsMore = (reg: Reg): boolean =>
  entries(reg, { forgiving: true }).some(({ base, size }) => base >= 2 ** 31 || size >= 2 ** 31)

const isRange = (value: unknown): value is Range =>
  typeof value === 'object' && value !== null && ['base', 'size'].every((key) => key in value)

function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false
  const { reserved, region } = value as Partial<Outcome>
  return Array.isArray(reserved) && reserved.every(isRange) && (region === null || isRange(region))
}

const hex = (value: number): string => (value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`)
const range = ({ base, size }: Range): string => `${hex(base)} (${hex(size)} bytes)`

function ranges({ reserved }: Outcome): string {
  return [...reserved].sort((a, b) => a.base - b.base).map(range).join(', ')
}

function said(value: unknown): string {
  if (!isOutcome(value)) return JSON.stringify(value) ?? 'nothing'
  return `reserved ${ranges(value) || 'nothing'}; region ${value.region ? range(value.region) : 'none'}`
}

function picture({ reg, expected, given }: Answer): string[] {
  return [
    `#address-cells ${reg.addressCells}, #size-cells ${reg.sizeCells}`,
    `reg = <${reg.cells.map(hex).join(' ')}>`,
    `expected: ${said(expected)}`,
    `yours:    ${said(given)}`,
  ]
}

function finding(rule: string, text: string, evidence: readonly string[], read = QUESTIONS): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}
// #endregion diagnosis
