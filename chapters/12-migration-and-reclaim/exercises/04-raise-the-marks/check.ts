// SPDX-License-Identifier: MIT
//
// Lets the model of 3.5 and the reader's reclaimPages() reclaim in the same zones, whose rounds are drawn, and compares
// every round: what was called, how much was free, and where the marks were.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { picturedVm } from 'contiguous/machine/pictured_vm'
import { __reclaim_pages } from 'contiguous/mm/contig_reclaim_3x'
import { GFP_HIGHUSER_MOVABLE } from 'contiguous/mm/gfp'
import { NR_FREE_PAGES } from 'contiguous/mm/mmzone'
import { init_per_zone_wmark_min } from 'contiguous/mm/watermark'

interface Zone {
  free: number
  min: number
  low: number
  high: number
}

type ReclaimPages = (zone: Zone, count: number, reclaim: () => number, outOfMemory: () => void) => unknown

/** A zone and what each round frees; a round of 0 is followed by somebody's death, which frees `victim`. */
interface Case {
  readonly free: number
  readonly count: number
  readonly rounds: readonly number[]
  readonly victim: number
}

const FILE = 'reclaim_pages.ts'
const READ = 'What 3.5 did before it took a range'
const PAGES = 1024
const DRAWN = 120
const MOST_CALLS = 400

export async function check(context: CheckContext): Promise<CheckResult> {
  const given = context.kind === 'typescript' ? context.module['reclaimPages'] : undefined
  if (typeof given !== 'function') {
    return { findings: [finding('ex-export-missing', 'reclaimPages is not an exported function', [])] }
  }
  const reader = given as ReclaimPages
  const rng = createRng(35)
  const cases = [...FIXED, ...Array.from({ length: DRAWN }, () => drawn(rng))]
  const expected = cases.map(byModel)
  const wrong = cases.flatMap((each, i) => (run(reader, each) === expected[i] ? [] : [i]))
  if (wrong.length === 0) return { findings: [], shown: [`${cases.length} zones, and the same rounds as 3.5`] }
  const first = wrong.reduce((a, b) => (expected[b]!.length < expected[a]!.length ? b : a))
  const { free, count } = cases[first]!
  const evidence = [
    `free ${free}, min ${MARKS.min}, low ${MARKS.low}, high ${MARKS.high}, count ${count}`,
    ...indented('expected', expected[first]!),
    ...indented('yours', run(reader, cases[first]!)),
  ]
  for (const { rule, text, slip } of SLIPS) {
    if (cases.every((each) => run(reader, each) === run(slip, each)))
      return { findings: [finding(rule, text, evidence)] }
  }
  return { findings: [finding('ex-rounds-differ', 'the rounds are not those of 3.5', evidence)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function indented(title: string, lines: string): string[] {
  const all = lines.split('\n')
  const shown = all.length > 7 ? [...all.slice(0, 4), `… ${all.length - 6} lines`, ...all.slice(-2)] : all
  return [title, ...shown.map((line) => `  ${line}`)]
}

// #region model
const zoneOf = () => {
  const vm = picturedVm(`M ${'.'.repeat(PAGES)}`, { kernel: '3.5' })
  init_per_zone_wmark_min(vm.pgdat)
  return { vm, zone: vm.pgdat.zones[0]! }
}

const MARKS = zoneOf().zone.watermark

const FIXED: readonly Case[] = [
  { free: MARKS.low + 101, count: 100, rounds: [32], victim: 50 },
  { free: MARKS.low + 100, count: 100, rounds: [32], victim: 50 },
  { free: MARKS.low, count: 64, rounds: [32], victim: 50 },
  { free: MARKS.low, count: 200, rounds: [32, 0, 32, 0, 0, 32], victim: 40 },
]

function drawn(rng: Rng): Case {
  const rounds = Array.from({ length: 1 + rng.next(6) }, () => (rng.next(5) === 0 ? 0 : 16 + rng.next(40)))
  return { free: MARKS.low - 40 + rng.next(300), count: 1 + rng.next(256), rounds, victim: 20 + rng.next(60) }
}

// What the rounds see, line by line.
class Record {
  readonly lines: string[] = []
  readonly each: Case
  private round = 0

  constructor(each: Case) {
    this.each = each
  }

  add(what: string, { free, min, low, high }: Zone): void {
    if (this.lines.length >= MOST_CALLS) throw new Error('no end of rounds')
    this.lines.push(`${what}: free ${free}, marks ${min} ${low} ${high}`)
  }

  next(): number {
    return this.each.rounds[this.round++ % this.each.rounds.length]!
  }
}

function byModel(each: Case): string {
  const { vm, zone } = zoneOf()
  const record = new Record(each)
  const now = () => ({ free: zone.vm_stat[NR_FREE_PAGES]!, ...zone.watermark })
  zone.vm_stat[NR_FREE_PAGES] = each.free
  Object.assign(vm.pgdat.hooks, {
    wakeKswapd: undefined,
    reclaim() {
      record.add('reclaim', now())
      const freed = record.next()
      zone.vm_stat[NR_FREE_PAGES]! += freed
      return freed
    },
    outOfMemory() {
      record.add('out of memory', now())
      zone.vm_stat[NR_FREE_PAGES]! += each.victim
    },
  })
  const ret = __reclaim_pages(vm, zone, GFP_HIGHUSER_MOVABLE, each.count)
  record.add(`returns ${ret}`, now())
  return record.lines.join('\n')
}
// #endregion model

function run(reclaimPages: ReclaimPages, each: Case): string {
  const record = new Record(each)
  const { min, low, high } = MARKS
  const zone: Zone = { free: each.free, min, low, high }
  const reclaim = () => {
    record.add('reclaim', zone)
    const freed = record.next()
    zone.free += freed
    return freed
  }
  const outOfMemory = () => {
    record.add('out of memory', zone)
    zone.free += each.victim
  }
  try {
    const ret = reclaimPages(zone, each.count, reclaim, outOfMemory)
    record.add(`returns ${String(ret)}`, zone)
  } catch (error) {
    record.lines.push(`throws ${error instanceof Error ? error.message : String(error)}`)
  }
  return record.lines.join('\n')
}

// #region slips
interface Habits {
  readonly raises?: readonly ('min' | 'low' | 'high')[]
  readonly lowers?: boolean
  readonly enough?: (zone: Zone, count: number) => boolean
  readonly once?: boolean
  readonly endsWithOom?: boolean
}

function withHabits(habits: Habits): ReclaimPages {
  const { raises = ['min', 'low', 'high'], lowers = true, once = false, endsWithOom = false } = habits
  const enough = habits.enough ?? (({ free, low }: Zone) => free > low)
  return (zone, count, reclaim, outOfMemory) => {
    for (const mark of raises) zone[mark] += count
    while (!enough(zone, count)) {
      const freed = reclaim()
      if (freed === 0) outOfMemory()
      if (once || (freed === 0 && endsWithOom)) break
    }
    if (lowers) for (const mark of raises) zone[mark] -= count
    return count
  }
}

const SLIPS: readonly { rule: string; text: string; slip: ReclaimPages }[] = [
  {
    rule: 'ex-nothing-raised',
    text: 'the marks stay where they are, and so the zone need not get any better',
    slip: withHabits({ raises: [] }),
  },
  {
    rule: 'ex-counted-twice',
    text: 'the size of the range counts twice: the mark has been raised by it, and then it is added again',
    slip: withHabits({ enough: ({ free, low }, count) => free > low + count }),
  },
  {
    rule: 'ex-marks-left-raised',
    text: 'the marks stay raised, and each range that is taken raises them again',
    slip: withHabits({ lowers: false }),
  },
  {
    rule: 'ex-one-round',
    text: 'there is one round at the most: a round frees some tens of pages',
    slip: withHabits({ once: true }),
  },
  {
    rule: 'ex-mark-itself',
    text: 'a zone that stands at the mark is not above it',
    slip: withHabits({ enough: ({ free, low }) => free >= low }),
  },
  {
    rule: 'ex-ends-with-oom',
    text: 'after somebody was killed the loop goes on: who knows how much that has freed?',
    slip: withHabits({ endsWithOom: true }),
  },
  {
    rule: 'ex-one-mark',
    text: 'only low is raised: kswapd, which works until high, sees no reason to help',
    slip: withHabits({ raises: ['low'] }),
  },
]
// #endregion slips
