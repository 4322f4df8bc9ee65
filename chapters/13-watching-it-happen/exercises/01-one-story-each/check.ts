// SPDX-License-Identifier: MIT
//
// Has the model allocate on boards with pinned pages, deals the calls out to four tasks whose traces are mixed, and compares
// the reader's stories with what each call gave; then looks for one slip that explains all answers.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import type { TraceRecord } from 'contiguous/lib/trace'
import { parseScenario } from 'contiguous/machine/scenario_parse'
import { runScenario } from 'contiguous/machine/scenario_run'

const FILE = 'stories.ts'
const READ = 'What a cma_alloc says'
const BOARDS = 3
const CALLS = 16
const TASKS = [161, 162, 163, 164]
const PAGES = 2048

interface Story {
  readonly pid: number
  readonly count: number
  retries: number
  outcome: string
  pfn: number | null
}

type Stories = (records: readonly TraceRecord[]) => unknown

export async function check(context: CheckContext): Promise<CheckResult> {
  const stories = context.kind === 'typescript' ? context.module['stories'] : undefined
  if (typeof stories !== 'function')
    return { findings: [finding('ex-export-missing', 'stories is not an exported function', [])] }
  const rng = createRng(13)
  const traces = Array.from({ length: BOARDS }, () => drawTrace(rng))
  const answers = traces.map(({ records, expected }) => ({
    records,
    expected,
    given: (stories as Stories)(Object.freeze(records.map((record) => Object.freeze({ ...record })))),
  }))
  const wrong = answers.filter(({ expected, given }) => !same(expected, given))
  const total = answers.reduce((sum, { expected }) => sum + expected.length, 0)
  if (wrong.length === 0) return { findings: [], shown: [`${total} allocations on ${BOARDS} boards, each told`] }
  return { findings: [diagnose(answers)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

interface Call {
  readonly records: readonly TraceRecord[]
  readonly story: Omit<Story, 'pid'>
}

// The calls on one board, dealt out to tasks, with the events of different tasks mixed.
function drawTrace(rng: Rng): { records: TraceRecord[]; expected: Story[] } {
  const queues = TASKS.map((pid) => ({ pid, calls: [] as Call[] }))
  for (const call of drawCalls(rng)) queues[rng.next(queues.length)]!.calls.push(call)
  const lists = queues.map(({ pid, calls }) => ({
    pid,
    events: calls.flatMap(({ records, story }) => records.map((record) => ({ record, story }))),
  }))
  const records: TraceRecord[] = []
  const expected: Story[] = []
  for (;;) {
    const left = lists.filter(({ events }) => events.length > 0)
    if (left.length === 0) return { records, expected }
    const { pid, events } = left[rng.next(left.length)]!
    const { record, story } = events.shift()!
    records.push({ ...record, pid, comm: 'sh', usec: records.length + 1 })
    if (record.event === 'cma_alloc_start') expected.push({ pid, ...story })
  }
}

function drawCalls(rng: Rng): Call[] {
  const counts = Array.from({ length: CALLS }, () =>
    rng.next(4) === 0 ? PAGES + 1 + rng.next(2000) : 32 + 32 * rng.next(20),
  )
  // A pinned page low in the area, so that places are given up, and one so that large requests end with none.
  const pins = [rng.next(400), 400 + rng.next(400)]
  const text = `title: calls
kernels: ['6.12']
board: { ram: 32M, cmdline: cma=8M }
steps:
  - process: { comm: editor }
    as: editor
  - fill: { process: editor, pages: 800, in: reserved }
    as: heap
${pins.map((page) => `  - pin_user_pages: { area: heap, page: ${page} }`).join('\n')}
${counts.map((count) => `  - cma_alloc: { area: reserved, count: ${count}, align: 8 }`).join('\n')}
`
  const { scenario } = parseScenario(text, 'calls.yaml')
  const steps = runScenario(scenario!).steps.filter(({ verb }) => verb === 'cma_alloc')
  return steps.map(({ trace, fields }, i) => {
    const records = trace.filter(({ event }) => event.startsWith('cma_'))
    const pfn = fields['pfn'] as number | null
    const tried = counts[i]! <= PAGES
    const outcome = pfn !== null ? 'allocated' : tried ? 'failed' : 'not tried'
    const retries = Number(fields['tries']) - (pfn === null ? 0 : 1)
    return { records, story: { count: counts[i]!, retries, outcome, pfn } }
  })
}

// #region known slips
type Slip = (records: readonly TraceRecord[]) => Story[]

interface Rules {
  /** The story that an event belongs to; the newest one of its task when unsaid. */
  readonly of?: (all: readonly Story[], pid: number) => Story | undefined
  readonly allocated?: (record: TraceRecord) => boolean
}

const newest = (all: readonly Story[], pid: number): Story | undefined =>
  all.filter((each) => each.pid === pid).at(-1)

function tell({ of = newest, allocated = ({ fields }) => Number(fields['errorno']) === 0 }: Rules): Slip {
  return (records) => {
    const all: Story[] = []
    for (const record of records) {
      const { event, pid, fields } = record
      if (event === 'cma_alloc_start')
        all.push({ pid, count: Number(fields['count']), retries: 0, outcome: 'not tried', pfn: null })
      const story = of(all, pid)
      if (!story) continue
      if (event === 'cma_alloc_busy_retry') story.retries++
      if (event !== 'cma_alloc_finish') continue
      story.outcome = allocated(record) ? 'allocated' : 'failed'
      story.pfn = allocated(record) ? Number(fields['pfn']) : null
    }
    return all
  }
}

const right = tell({})

// As they ended; a start that nothing answers ends when its task starts again, or with the trace.
function byFinish(records: readonly TraceRecord[]): Story[] {
  const done: Story[] = []
  const open = new Map<number, { index: number }>()
  const all = right(records)
  let started = 0
  for (const { event, pid } of records) {
    const before = open.get(pid)
    if (event === 'cma_alloc_start') {
      if (before) done.push(all[before.index]!)
      open.set(pid, { index: started++ })
    }
    if (event === 'cma_alloc_finish' && before) {
      done.push(all[before.index]!)
      open.delete(pid)
    }
  }
  return [...done, ...[...open.values()].map(({ index }) => all[index]!)]
}

const SLIPS: readonly { rule: string; text: string; answer: Slip }[] = [
  { rule: 'ex-story-not-written', text: 'there is no story yet', answer: () => [] },
  {
    rule: 'ex-task-ignored',
    text: 'an event is put to the newest start of all; it belongs to the newest start of its own task',
    answer: tell({ of: (all) => all.at(-1) }),
  },
  {
    rule: 'ex-start-dropped',
    text: 'a start that nothing answers has no story with you; it is the request that was turned away unheard',
    answer: (records) => right(records).filter(({ outcome }) => outcome !== 'not tried'),
  },
  {
    rule: 'ex-pfn-is-no-success',
    text: 'you take a pfn for success; a request that tried places and failed has the last of them there',
    answer: tell({ allocated: ({ fields }) => Number(fields['pfn']) >= 0 }),
  },
  {
    rule: 'ex-answered-to-the-first',
    text: 'a finish is put to the oldest start that is open; when a task starts again, what it had open is over',
    answer: tell({ of: (all, pid) => all.find((each) => each.pid === pid && each.outcome === 'not tried') }),
  },
  {
    rule: 'ex-order-of-finish',
    text: 'your stories come in the order in which they ended; the order of the starts was asked for',
    answer: byFinish,
  },
]
// #endregion known slips

interface Answer {
  readonly records: readonly TraceRecord[]
  readonly expected: readonly Story[]
  readonly given: unknown
}

const spell = (story: unknown): string => (story === undefined ? 'nothing' : JSON.stringify(story))

function diagnose(answers: readonly Answer[]): Finding {
  const { expected, given } = answers.find((each) => !same(each.expected, each.given))!
  const list = Array.isArray(given) ? (given as unknown[]) : []
  const at = expected.findIndex((story, i) => !same(story, list[i]))
  const evidence = [`start ${at + 1} of the trace`, `expected  ${spell(expected[at])}`, `yours     ${spell(list[at])}`]
  const slip = SLIPS.find(({ answer }) => answers.every((each) => same(answer(each.records), each.given)))
  if (slip) return finding(slip.rule, slip.text, evidence)
  const text = 'your stories are not what the calls came to'
  return finding('ex-other-stories', text, evidence)
}
