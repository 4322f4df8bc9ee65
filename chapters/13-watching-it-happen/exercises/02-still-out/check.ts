// SPDX-License-Identifier: MIT
//
// Has the model allocate and release by lot, some of it before the trace begins, and asks the reader how many pages are
// still out; then looks for one slip that explains all answers.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import type { TraceRecord } from 'contiguous/lib/trace'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc, cma_release } from 'contiguous/mm/cma'
import { cma_used_get } from 'contiguous/mm/cma_debug'
import { parseDts } from 'contiguous/of/dts_parser'

const FILE = 'still_out.ts'
const READ = 'How often, how much'
const TRACES = 40
const CALLS = 24

interface Answer {
  readonly records: readonly TraceRecord[]
  readonly expected: number
  readonly given: unknown
}

type StillOut = (records: readonly TraceRecord[]) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const stillOut = context.kind === 'typescript' ? context.module['stillOut'] : undefined
  if (typeof stillOut !== 'function')
    return { findings: [finding('ex-export-missing', 'stillOut is not an exported function', [])] }
  const rng = createRng(13)
  const answers = Array.from({ length: TRACES }, (): Answer => {
    const { records, expected } = drawTrace(rng)
    return { records, expected, given: (stillOut as StillOut)(Object.freeze(records)) }
  })
  const wrong = answers.filter(({ given, expected }) => given !== expected)
  if (wrong.length === 0) return { findings: [], shown: [`${TRACES} traces, as the bitmap has it`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x4000000>; };
};`

// Buffers come and go; tracing begins after some have come.
function drawTrace(rng: Rng): { records: TraceRecord[]; expected: number } {
  const tree = parseDts(BOARD, 'board.dts').tree!
  const options = { tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=16M', image: null } as const
  const { vm, cma, trace } = startSystem(options)
  const area = cma[0]!
  const held: { pfn: number; count: number; before: boolean }[] = []
  const before = 2 + rng.next(3)
  for (let call = 0; call < CALLS; call++) {
    trace.enabled = call >= before
    if (call < before || held.length === 0 || rng.next(5) < 3) {
      const count = 100 + rng.next(900)
      const pfn = cma_alloc(vm, area, count, 8, true)
      if (pfn !== null) held.push({ pfn, count, before: call < before })
      continue
    }
    const [{ pfn, count, before: old }] = held.splice(rng.next(held.length), 1) as [(typeof held)[number]]
    const part = rng.next(3) === 0 ? 1 + rng.next(count - 1) : count
    cma_release(vm, area, pfn, part)
    if (part < count) held.push({ pfn: pfn + part, count: count - part, before: old })
  }
  // The area's own book, without what the kernel and the buffers of before have in it.
  const old = held.filter((each) => each.before).reduce((sum, { count }) => sum + count, 0)
  const expected = cma_used_get(area) - 96 - old
  return { records: trace.records.filter(({ event }) => event.startsWith('cma_')), expected }
}

// #region known slips
type Slip = (records: readonly TraceRecord[]) => number

const number = (record: TraceRecord, field: string): number => Number(record.fields[field])
const got = (record: TraceRecord): boolean =>
  record.event === 'cma_alloc_finish' && number(record, 'errorno') === 0

const sum =
  (taken: (record: TraceRecord) => boolean): Slip =>
  (records) =>
    records.reduce((all, record) => {
      if (taken(record)) return all + number(record, 'count')
      return record.event === 'cma_release' ? all - number(record, 'count') : all
    }, 0)

const pages =
  (taken: (record: TraceRecord) => boolean): Slip =>
  (records) => {
    const out = new Set<number>()
    for (const record of records) {
      for (let i = 0; i < number(record, 'count'); i++) {
        if (taken(record)) out.add(number(record, 'pfn') + i)
        if (record.event === 'cma_release') out.delete(number(record, 'pfn') + i)
      }
    }
    return out.size
  }

const SLIPS: readonly { rule: string; text: string; answer: Slip }[] = [
  { rule: 'ex-nothing-out', text: 'nothing is ever out, with you', answer: () => 0 },
  {
    rule: 'ex-failure-is-out',
    text: 'you count allocations that failed; their finish has an errorno',
    answer: pages(({ event }) => event === 'cma_alloc_finish'),
  },
  {
    rule: 'ex-part-is-whole',
    text: 'a release of a part takes the whole buffer from your list; its count says how much came back',
    answer: (records) => {
      const out = new Map<number, number>()
      for (const record of records) {
        if (got(record)) out.set(number(record, 'pfn'), number(record, 'count'))
        if (record.event === 'cma_release') out.delete(number(record, 'pfn'))
      }
      return [...out.values()].reduce((all, count) => all + count, 0)
    },
  },
  {
    rule: 'ex-starts-counted',
    text: 'you count what was asked for; what was got is in the finish',
    answer: sum(({ event }) => event === 'cma_alloc_start'),
  },
  {
    rule: 'ex-below-nothing',
    text: 'you set releases off against allocations of other pages: what was taken before the trace began comes back in it',
    answer: sum(got),
  },
]
// #endregion known slips

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const { records, expected, given } = wrong.reduce((a, b) => (b.records.length < a.records.length ? b : a))
  const evidence = [`a trace of ${records.length} events`, `expected  ${expected}`, `yours     ${String(given)}`]
  const counted = `${wrong.length} of ${answers.length} traces`
  const slip = SLIPS.find(({ answer }) => answers.every((each) => answer(each.records) === each.given))
  if (slip) return finding(slip.rule, `${slip.text}; ${counted}`, evidence)
  return finding('ex-other-count', `that is not what the area has out; ${counted}`, evidence)
}
