// SPDX-License-Identifier: MIT
//
// Plays the reader's order against everybody else, one at a time: breadth first over all interleavings, so that the first
// one that goes wrong is as short as any.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'

const FILE = 'take_back.ts'
const READ = 'The driver goes, the programs stay'
const STEPS = ['free', 'gone', 'hide', 'stop the sampler', 'unmap', 'wait for users'] as const
type Step = (typeof STEPS)[number]

export async function check(context: CheckContext): Promise<CheckResult> {
  const order: unknown = context.kind === 'typescript' ? context.module['ORDER'] : undefined
  if (!Array.isArray(order)) {
    return { findings: [finding('ex-export-missing', 'ORDER is not an exported list', [])] }
  }
  if ([...order].sort().join() !== [...STEPS].join()) {
    const text = `ORDER is ${order.join(', ')}; expected each of the six steps once`
    return { findings: [finding('ex-not-each-step-once', text, [])] }
  }
  let played = 0
  for (const other of OTHERS) {
    const { wrong, states } = play(order as Step[], other)
    played += states
    if (wrong) return { findings: [finding(other.rule(order as Step[]), other.harm, wrong)] }
  }
  return {
    findings: [],
    shown: [`${played} situations, and in none of them does anybody reach memory that is free`],
  }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

// #region what there is
/** Everything that a step looks at or changes. */
interface State {
  /** The next of the reader's steps, and of the other's. */
  readonly taker: number
  readonly other: number
  readonly hidden: boolean
  readonly gone: boolean
  readonly freed: boolean
  readonly running: boolean
  readonly mapped: boolean
  /** The other is between entering and leaving. */
  readonly inside: boolean
}

const START: State = {
  taker: 0,
  other: 0,
  hidden: false,
  gone: false,
  freed: false,
  running: true,
  mapped: false,
  inside: false,
}

/** What one step makes of a state; null when it has to wait, 'harm' when it reaches memory that is free. */
type Play = (state: State) => Partial<State> | null | 'harm'

const TAKE: Record<Step, Play> = {
  hide: () => ({ hidden: true }),
  gone: () => ({ gone: true }),
  'wait for users': ({ inside }) => (inside ? null : {}),
  unmap: () => ({ mapped: false }),
  'stop the sampler': () => ({ running: false }),
  free: () => ({ freed: true }),
}
// #endregion what there is

// #region the others
interface Other {
  readonly name: string
  readonly harm: string
  /** Its steps in order; `to` is where it goes on, the next one if unsaid. */
  readonly steps: readonly {
    readonly says: string
    readonly does: (state: State) => ReturnType<Play> | number
  }[]
  readonly rule: (order: readonly Step[]) => string
}

const END = 99
const before = (order: readonly Step[], a: Step, b: Step): boolean => order.indexOf(a) < order.indexOf(b)

const enter = { says: 'goes in', does: () => ({ inside: true }) }
const look = { says: 'looks at gone', does: ({ gone }: State) => (gone ? END : {}) }
const leave = { says: 'leaves', does: () => ({ inside: false }) }
const reach = (says: string) => ({ says, does: ({ freed }: State) => (freed ? ('harm' as const) : {}) })

const waitingRule = (order: readonly Step[], otherwise: string): string => {
  if (before(order, 'free', 'wait for users')) return otherwise
  return before(order, 'wait for users', 'gone') ? 'ex-waited-before-gone' : otherwise
}

const OTHERS: readonly Other[] = [
  {
    name: 'a reader',
    harm: 'a read() copies from memory that is free',
    steps: [enter, look, reach('copies'), leave],
    rule: (order) => waitingRule(order, 'ex-freed-under-a-reader'),
  },
  {
    name: 'a program',
    harm: 'a program reaches memory that has its next owner, through a page that was not taken out',
    steps: [
      { ...enter, says: 'touches its mapping, and the fault handler goes in' },
      look,
      { says: 'puts the page in', does: () => ({ mapped: true }) },
      leave,
      { says: 'touches the page', does: ({ mapped, freed }) => (mapped && freed ? 'harm' : {}) },
    ],
    rule: (order) => {
      if (before(order, 'free', 'unmap')) return 'ex-freed-before-unmapped'
      if (before(order, 'unmap', 'wait for users')) return 'ex-unmapped-too-early'
      return waitingRule(order, 'ex-unmapped-too-early')
    },
  },
  {
    name: 'a newcomer',
    harm: 'a program opens a file whose driver has gone, and is led to a structure that is freed',
    steps: [{ says: 'opens the file', does: ({ hidden, freed }) => (!hidden && freed ? 'harm' : {}) }],
    rule: () => 'ex-hidden-too-late',
  },
  {
    name: 'the sampler',
    harm: 'the sampler writes into memory that has its next owner',
    steps: [{ says: 'writes a frame', does: ({ running, freed }) => (running && freed ? 'harm' : {}) }],
    rule: () => 'ex-sampler-writes-on',
  },
]
// #endregion the others

// #region every interleaving
function play(order: readonly Step[], other: Other): { wrong: string[] | null; states: number } {
  const queue: { state: State; story: readonly string[] }[] = [{ state: START, story: [] }]
  const seen = new Set<string>()
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { state, story } = next
    for (const [who, move] of movesOf(order, other, state)) {
      if (move === 'harm') return { wrong: [...story, `${who}   <- here`], states: seen.size }
      const key = JSON.stringify(move)
      if (seen.has(key)) continue
      seen.add(key)
      queue.push({ state: move, story: [...story, who] })
    }
  }
  return { wrong: null, states: seen.size }
}

function movesOf(order: readonly Step[], other: Other, state: State): [string, State | 'harm'][] {
  const moves: [string, State | 'harm'][] = []
  const step = order[state.taker]
  const taken = step && TAKE[step](state)
  if (step && taken && taken !== 'harm') {
    moves.push([`you: ${step}`, { ...state, ...taken, taker: state.taker + 1 }])
  }
  const theirs = other.steps[state.other]
  const done = theirs?.does(state)
  if (!theirs || !done) return moves
  const says = `${' '.repeat(26)}${other.name} ${theirs.says}`
  if (done === 'harm') moves.push([says, 'harm'])
  else if (done === END) moves.push([`${says}: gone`, { ...state, inside: false, other: END }])
  else if (typeof done === 'object') moves.push([says, { ...state, ...done, other: state.other + 1 }])
  return moves
}
// #endregion every interleaving
