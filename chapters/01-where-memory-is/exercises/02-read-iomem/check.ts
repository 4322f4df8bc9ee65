// SPDX-License-Identifier: MIT
//
// Boards drawn from a seed are booted on the model; the reader's banksOf() reads what they print. When it is wrong, look for
// one slip that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { GiB, MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'

const FILE = 'read_iomem.ts'
const READ = 'Reading /proc/iomem'
const BOARDS = 200
const DEVICES = ['09000000-09000fff : pl011@9000000', '  09000000-09000fff : 9000000.pl011 pl011@9000000']

interface Bank {
  readonly base: number
  readonly size: number
}

interface Answer {
  readonly listing: string
  readonly expected: readonly Bank[] | null
  readonly given: unknown
}

type BanksOf = (iomem: string) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const banksOf = context.kind === 'typescript' ? context.module['banksOf'] : undefined
  if (typeof banksOf !== 'function')
    return { findings: [finding('ex-export-missing', 'banksOf is not an exported function')] }
  const rng = createRng(1)
  const answers = Array.from({ length: BOARDS }, (_, i) => ask(banksOf as BanksOf, drawBoard(rng, i)))
  const wrong = answers.filter((answer) => !same(answer.given, answer.expected))
  if (wrong.length === 0) return { findings: [], shown: [`${answers.length} listings, read as the board is`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[] = []): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// #region boards
interface Board {
  readonly banks: readonly Bank[]
  readonly noMap: readonly Bank[]
  readonly kernel: KernelVersion
  readonly privileged: boolean
}

const hex = (value: number): string => value.toString(16)
const cells = (value: number): string => `0x${hex(Math.floor(value / 2 ** 32))} 0x${hex(value % 2 ** 32)}`

// The first boards are one of each: plain, with a hole at either end, above 4 GiB, read without rights.
function drawBoard(rng: Rng, number: number): Board {
  const size = MiB(256) * (1 + rng.next(16))
  const first = { base: MiB(256) * (2 + rng.next(8)), size }
  const far = { base: GiB(16) + GiB(1) * rng.next(16), size: GiB(1) * (1 + rng.next(4)) }
  const banks = number % 4 === 2 ? [first, far] : [first]
  const hole = (at: number): Bank => ({ base: first.base + MiB(1) * at, size: MiB(1 + rng.next(8)) })
  const noMap =
    number % 4 === 1 ? [hole(96 + rng.next(64)), { base: first.base + size - MiB(2), size: MiB(2) }] : []
  return { banks, noMap, kernel: rng.next(2) ? '6.1.192' : '6.12.117', privileged: number % 8 !== 3 }
}

function dtsOf({ banks, noMap }: Board): string {
  const reg = banks.map(({ base, size }) => `<${cells(base)} ${cells(size)}>`).join(', ')
  const regions = noMap.map(
    (each) => `hole@${hex(each.base)} { no-map; reg = <${cells(each.base)} ${cells(each.size)}>; };`,
  )
  return `/dts-v1/;
/ {
  #address-cells = <2>;
  #size-cells = <2>;
  memory@${hex(banks[0]!.base)} { device_type = "memory"; reg = ${reg}; };
  reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${regions.join(' ')} };
};`
}

function ask(banksOf: BanksOf, board: Board): Answer {
  const { kernel, privileged } = board
  const tree = parseDts(dtsOf(board), 'board.dts').tree!
  const initrd = { base: board.banks[0]!.base + MiB(64), size: MiB(1) }
  const machine = bootMachine({ tree, kernel, arch: 'arm64', cmdline: 'cma=0', initrd })
  const devices = privileged
    ? DEVICES
    : DEVICES.map((line) => line.replaceAll('09000000-09000fff', '00000000-00000000'))
  const listing = `${[...devices, machine.procIomem({ privileged }).trimEnd()].join('\n')}\n`
  const expected = privileged ? joined(machine.memblock.memory.regions) : null
  return { listing, expected, given: banksOf(listing) }
}

function joined(ranges: readonly Bank[]): Bank[] {
  const banks: { base: number; size: number }[] = []
  for (const { base, size } of ranges) {
    const before = banks.at(-1)
    if (before && before.base + before.size === base) before.size += size
    else banks.push({ base, size })
  }
  return banks
}
// #endregion boards

function shortOf(given: unknown): string {
  if (given === null) return 'null'
  if (!Array.isArray(given)) return String(given)
  const text = (each: Partial<Bank>) => `0x${hex(Number(each?.base))}+0x${hex(Number(each?.size))}`
  return given.length === 0 ? 'no bank' : given.map(text).join(', ')
}

const same = (given: unknown, expected: readonly Bank[] | null): boolean =>
  shortOf(given) === shortOf(expected)

// #region known slips
interface How {
  readonly line?: RegExp
  readonly more?: number
  readonly names?: readonly string[]
  readonly join?: boolean
  readonly zeros?: boolean
}

function readLike(listing: string, how: How): Bank[] | null {
  const {
    line: form = /^([0-9a-f]+)-([0-9a-f]+) : (.*)$/,
    more = 1,
    names = ['System RAM', 'reserved'],
  } = how
  const found: Bank[] = []
  let told = false
  for (const line of listing.split('\n')) {
    const match = form.exec(line)
    if (!match) continue
    const [base, last] = [parseInt(match[1]!, 16), parseInt(match[2]!, 16)]
    told ||= last !== 0
    if (names.includes(match[3]!)) found.push({ base, size: last - base + more })
  }
  const banks = how.join === false ? found : joined(found)
  return told || how.zeros ? banks : null
}

const SLIPS: readonly { rule: string; text: string; how: How }[] = [
  {
    rule: 'ex-last-byte-lost',
    text: 'you take the number after the hyphen for the first byte behind; it is the last byte, so each line is one byte longer',
    how: { more: 0 },
  },
  {
    rule: 'ex-children-counted',
    text: 'you count what is indented; it lies inside the line above, whose bytes you have already',
    how: { line: /^ *([0-9a-f]+)-([0-9a-f]+) : (.*)$/ },
  },
  {
    rule: 'ex-reserved-at-margin',
    text: 'you leave out what is reserved at the margin; it is not mapped, and it is RAM',
    how: { names: ['System RAM'] },
  },
  {
    rule: 'ex-neighbours-apart',
    text: 'you give lines that touch as banks of their own; no-map cuts lines, not banks',
    how: { join: false },
  },
  {
    rule: 'ex-zeros-believed',
    text: 'you believe a listing of zeros; it was read without rights and tells no address, so the answer is null',
    how: { zeros: true },
  },
  {
    rule: 'ex-eight-digits',
    text: 'you read lines with eight digits only; above 4 GiB an address has nine or more',
    how: { line: /^([0-9a-f]{8})-([0-9a-f]{8}) : (.*)$/ },
  },
]
// #endregion known slips

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const [first] = wrong
  const counted = `${wrong.length} of ${answers.length} listings`
  const evidence = [
    ...first!.listing.trimEnd().split('\n'),
    '',
    `expected  ${shortOf(first!.expected)}`,
    `yours     ${shortOf(first!.given)}`,
  ]
  if (answers.every(({ given }) => shortOf(given) === 'no bank'))
    return finding(
      'ex-iomem-not-written',
      `the answer is an empty list whatever is asked; ${counted}`,
      evidence,
    )
  const slip = SLIPS.find(({ how }) =>
    answers.every(({ listing, given }) => same(given, readLike(listing, how))),
  )
  if (slip) return finding(slip.rule, `${slip.text}; ${counted}`, evidence)
  return finding('ex-other-banks-read', `you find other banks than the board has; ${counted}`, evidence)
}
