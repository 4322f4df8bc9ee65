// SPDX-License-Identifier: MIT
//
// Asks the reader's whatMemremapGives() and the model of memremap() the same questions, on boards that are booted here. When
// they differ, it looks for a single mistake that explains every answer, and shows the smallest question.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { bootMachine } from 'contiguous/machine/boot'
import { MEMREMAP_WB, MEMREMAP_WC } from 'contiguous/mm/memremap'
import { parseDts } from 'contiguous/of/dts_parser'

interface Question {
  readonly iomem: string
  readonly start: number
  readonly size: number
  readonly flags: number
}

interface Answer {
  readonly question: Question
  readonly expected: string
  readonly given: unknown
}

type Gives = (iomem: string, start: number, size: number, flags: number) => unknown

const FILE = 'what_memremap_gives.ts'
const READ = 'One function, three answers'
const M = 2 ** 20
const RAM = 0x40000000
const SEED = 3
const BOARDS = 60

export async function check(context: CheckContext): Promise<CheckResult> {
  const gives = context.kind === 'typescript' ? context.module['whatMemremapGives'] : undefined
  if (typeof gives !== 'function') {
    return { findings: [finding('ex-export-missing', 'whatMemremapGives is not an exported function', [])] }
  }
  const answers = [...fixedBoards(), ...drawnBoards(SEED, BOARDS)]
    .flatMap(questionsOf)
    .map(({ question, expected }) => {
      const { iomem, start, size, flags } = question
      return { question, expected, given: (gives as Gives)(iomem, start, size, flags) }
    })
  const wrong = answers.filter(({ expected, given }) => expected !== given)
  if (wrong.length === 0)
    return { findings: [], shown: [`${answers.length} questions, the same answers as memremap()`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// #region boards
/** Pieces of a board in MiB from 0x40000000: RAM, and regions of it. */
interface Board {
  readonly ram: readonly (readonly [at: number, length: number])[]
  readonly regions: readonly (readonly [at: number, length: number, noMap: boolean])[]
}

function fixedBoards(): Board[] {
  return [
    { ram: [[0, 64]], regions: [[32, 16, true]] },
    { ram: [[0, 64]], regions: [[32, 16, false]] },
    {
      ram: [
        [0, 16],
        [48, 16],
      ],
      regions: [
        [8, 4, true],
        [56, 8, true],
      ],
    },
  ]
}

function drawnBoards(seed: number, count: number): Board[] {
  let state = seed
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state / 2 ** 32 + 1) % 1) * n)
  }
  return Array.from({ length: count }, () => {
    const hole = below(2) === 0 ? ([16 + below(16), 1 + below(12)] as const) : null
    const ram: [number, number][] = hole
      ? [
          [0, hole[0]],
          [hole[0] + hole[1], 64 - hole[0] - hole[1]],
        ]
      : [[0, 64]]
    const regions = ram.flatMap(([at, length]) => {
      const size = 1 + below(Math.max(1, Math.floor(length / 2)))
      const from = at + below(length - size + 1)
      return below(4) === 0 ? [] : [[from, size, below(3) > 0] as const]
    })
    return { ram, regions }
  })
}

// Each edge of the board, from both sides and across, with every set of flags.
function questionsOf(board: Board): { question: Question; expected: string }[] {
  const cell = (mib: number) => `0x${(mib * M).toString(16)}`
  const address = (mib: number) => `0x${(RAM + mib * M).toString(16)}`
  const memory = board.ram.map(([at, length]) => `<0 ${address(at)} 0 ${cell(length)}>`).join(', ')
  const regions = board.regions.map(
    ([at, length, noMap]) =>
      `r@${(RAM + at * M).toString(16)} { reg = <0 ${address(at)} 0 ${cell(length)}>; ${noMap ? 'no-map;' : ''} };`,
  )
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
      memory@40000000 { device_type = "memory"; reg = ${memory}; };
      reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${regions.join(' ')} }; };`,
    'board.dts',
  )
  const machine = bootMachine({
    tree: tree!,
    kernel: '6.12.117',
    arch: 'arm64',
    cmdline: 'cma=0',
    image: null,
  })
  const iomem = machine.procIomem()
  const edges = [...board.ram, ...board.regions].flatMap(([at, length]) => [at, at + length])
  return [...new Set(edges)]
    .flatMap((edge) =>
      [
        [edge - 1, 1],
        [edge, 1],
        [edge - 1, 2],
      ].flatMap(([from = 0, length = 1]) =>
        [MEMREMAP_WB, MEMREMAP_WC, MEMREMAP_WB | MEMREMAP_WC, 0].map((flags) => {
          const question = { iomem, start: RAM + from * M, size: length * M, flags }
          return { question, expected: modelAnswer(machine, question) }
        }),
      ),
    )
    .filter(({ question }) => beginsInWhatItMeets(question))
}

// Of a range that begins in a gap and reaches into RAM Linux looks at the first page: that is not the subject here.
function beginsInWhatItMeets(question: Question): boolean {
  const lines = linesOf(question.iomem, TOP)
  return lines.some(meets({ ...question, size: 1 })) || !lines.some(meets(question))
}
// #endregion boards

// #region the oracle
// The warning is given once a boot, so what is in its way is asked of a range without flags that could be served.
function modelAnswer(machine: ReturnType<typeof bootMachine>, { start, size, flags }: Question): string {
  const mapping = machine.memremap(start, size, flags)
  if (mapping) return mapping.kind === 'linear' ? 'linear' : mapping.attribute
  if (!flags) return 'null'
  return machine.memremap(start, size, MEMREMAP_WB) ? 'on ram' : 'on mixed range'
}
// #endregion the oracle

// #region known mistakes
/** One way of getting it wrong, as the function that would result. */
interface Mistake {
  readonly rule: string
  readonly text: string
  readonly answer: (question: Question) => string
}

interface Line {
  readonly first: number
  readonly last: number
  readonly name: string
}

function linesOf(iomem: string, pattern: RegExp): Line[] {
  return iomem.split('\n').flatMap((line) => {
    const [, first = '', last = '', name = ''] = pattern.exec(line) ?? []
    return first ? [{ first: parseInt(first, 16), last: parseInt(last, 16), name }] : []
  })
}

const TOP = /^([0-9a-f]+)-([0-9a-f]+) : (.*)$/
const ANY = /^ *([0-9a-f]+)-([0-9a-f]+) : (.*)$/

function decide(met: readonly Line[], flags: number): string {
  if (!flags) return 'null'
  const ram = met.filter(({ name }) => name === 'System RAM').length
  if (ram > 0 && ram < met.length) return 'on mixed range'
  if (flags & MEMREMAP_WB) return ram > 0 ? 'linear' : 'WB'
  return ram > 0 ? 'on ram' : 'WC'
}

const meets =
  ({ start, size }: Question) =>
  ({ first, last }: Line) =>
    first <= start + size - 1 && last >= start

const MISTAKES: readonly Mistake[] = [
  { rule: 'ex-not-written', text: "the answer is 'null' whatever is asked", answer: () => 'null' },
  {
    rule: 'ex-children-counted',
    text: 'you count indented lines: they lie within a line that is met already, and reserved under System RAM is RAM',
    answer: (asked) => decide(linesOf(asked.iomem, ANY).filter(meets(asked)), asked.flags),
  },
  {
    rule: 'ex-end-exclusive',
    text: 'you take start + size for the last byte; it is the first one behind the range, and may be a neighbour’s',
    answer: (asked) =>
      decide(linesOf(asked.iomem, TOP).filter(meets({ ...asked, size: asked.size + 1 })), asked.flags),
  },
  {
    rule: 'ex-gaps-counted',
    text: 'you refuse RAM with a gap behind it: what no line covers is no resource, and does not make a range mixed',
    answer: (asked) => {
      const met = linesOf(asked.iomem, TOP).filter(meets(asked))
      const covered = met.reduce(
        (sum, { first, last }) =>
          sum + Math.min(last + 1, asked.start + asked.size) - Math.max(first, asked.start),
        0,
      )
      const gap = covered < asked.size ? [{ first: 0, last: 0, name: 'nothing' }] : []
      return decide([...met, ...gap], asked.flags)
    },
  },
  {
    rule: 'ex-first-resource-only',
    text: 'you look at the resource in which the range begins; it may reach into another',
    answer: (asked) => decide(linesOf(asked.iomem, TOP).filter(meets({ ...asked, size: 1 })), asked.flags),
  },
  {
    rule: 'ex-wc-before-wb',
    text: 'you try WC before WB; the order of the flags is the kernel’s, and WB comes first',
    answer: (asked) =>
      decide(linesOf(asked.iomem, TOP).filter(meets(asked)), asked.flags & MEMREMAP_WC || asked.flags),
  },
  {
    rule: 'ex-no-flags-forgotten',
    text: 'you answer a request without any flag as if it had one',
    answer: (asked) => decide(linesOf(asked.iomem, TOP).filter(meets(asked)), asked.flags || MEMREMAP_WC),
  },
]
// #endregion known mistakes

// #region diagnosis
const KNOWN = ['linear', 'WB', 'WC', 'on ram', 'on mixed range', 'null']

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const odd = wrong.find(({ given }) => !KNOWN.includes(String(given)))
  if (odd) {
    const text = `the answer is ${JSON.stringify(odd.given) ?? 'undefined'}; expected one of ${KNOWN.join(', ')}`
    return finding('ex-not-an-answer', text, picture(odd))
  }
  const smallest = wrong.reduce((a, b) => (b.question.iomem.length < a.question.iomem.length ? b : a))
  const counted = `${wrong.length} of ${answers.length} answers differ from the model's`
  const mistake = MISTAKES.find(({ answer }) =>
    answers.every(({ question, given }) => answer(question) === given),
  )
  return finding(
    mistake?.rule ?? 'ex-another-answer',
    `${mistake?.text ?? 'memremap() does otherwise'}; ${counted}`,
    picture(smallest),
  )
}

function picture({ question, expected, given }: Answer): string[] {
  const { iomem, start, size, flags } = question
  const names = [flags & MEMREMAP_WB ? 'WB' : '', flags & MEMREMAP_WC ? 'WC' : ''].filter(Boolean)
  return [
    ...iomem.trimEnd().split('\n'),
    `memremap(0x${start.toString(16)}, 0x${size.toString(16)}, ${names.join('|') || '0'})`,
    `expected '${expected}', yours is '${String(given)}'`,
  ]
}
// #endregion diagnosis
