// SPDX-License-Identifier: MIT
//
// The answers of a model against those of a kernel, value by value: errno, addresses, flags, counters, and every event of
// CMA, isolation and migration, in order. What is undetermined is left out, and counted by its reason.

// #region replay-compare-imports
import { test_bit } from '../lib/bitmap.ts'
import type { Cma } from '../mm/cma_declare.ts'
import { MIGRATION_EVENTS, MOVED_PAGES, type Answer } from './replay_answers.ts'
import type { ReplayStep } from './replay_steps.ts'
import type { UndeterminedName } from './undetermined.ts'

/** One value that differs. */
export interface ReplayDifference {
  /** The call, from 0. */
  readonly step: number
  /** `errno`, `address`, `event 3`, … */
  readonly what: string
  /** Null: it has no such value. */
  readonly model: string | null
  readonly kernel: string | null
}

/** What a comparison found. */
export interface ReplayComparison {
  /** Values that were held against each other. */
  compared: number
  readonly different: ReplayDifference[]
  /** How many values were not compared, by reason. */
  readonly undetermined: Map<UndeterminedName, number>
}

/** Where a device's address lies: the name of an area or a pool, or null: memory of the buddy allocator. */
export type Owner = (device: string, address: string) => string | null

interface Comparing {
  readonly steps: readonly ReplayStep[]
  readonly owner: Owner
  readonly result: ReplayComparison
  /** Numbers of buffers that the buddy allocator gave. */
  readonly buddies: Set<number>
  /** Addresses of such buffers, on either side. */
  readonly places: Set<string>
  /** Whether the call before this one took pages from an area. */
  drained: boolean
  /** Events of an allocation that may have woken the worker for atomic pools: they are looked at with those of `wait`. */
  early: { readonly ours: readonly string[]; readonly theirs: readonly string[] } | null
}

function leaveOut({ result: { undetermined } }: Comparing, why: UndeterminedName, times = 1): void {
  undetermined.set(why, (undetermined.get(why) ?? 0) + times)
}

function hold({ result }: Comparing, step: number, what: string, model?: string, kernel?: string): void {
  result.compared++
  if (model === kernel) return
  result.different.push({ step, what, model: model ?? null, kernel: kernel ?? null })
}
// #endregion replay-compare-imports

// #region replay-compare
/** Compares what a model and a kernel answered to the same calls. */
export function compareAnswers(
  steps: readonly ReplayStep[],
  model: readonly Answer[],
  kernel: readonly Answer[],
  owner: Owner,
): ReplayComparison {
  const result: ReplayComparison = { compared: 0, different: [], undetermined: new Map() }
  const state: Comparing = {
    ...{ steps, owner, result, buddies: new Set<number>(), places: new Set<string>() },
    ...{ drained: false, early: null },
  }
  steps.forEach((step, number) => {
    const [ours, theirs] = [model[number], kernel[number]]
    if (!ours || !theirs)
      throw new Error(`compareAnswers: no answer to call ${number}, expected one from each`)
    hold(state, number, 'errno', String(ours.errno), String(theirs.errno))
    compareValues(state, step, number, ours, theirs)
    if (steps[number + 1]?.call === 'wait') state.early = { ours: ours.events, theirs: theirs.events }
    else compareWithEarly(state, number, ours, theirs)
    compareLog(state, number, ours.log, theirs.log)
    state.drained = theirs.events.some((event) => TOOK.test(event))
  })
  return result
}

const TOOK = /^cma_alloc_finish: .* page=some/
// #endregion replay-compare

// #region replay-compare-taken
/**
 * The pages of the areas that are taken, as ranges `name pfn count`: those that a kernel has told of in its events, as a
 * model's bitmaps have them (`takenBits()`).
 */
export function takenByEvents(events: readonly string[]): string[] {
  const taken = new Map<string, Set<number>>()
  for (const event of events) {
    const [, what, name = '', pfn = '', count = '0'] = TAKES.exec(event) ?? []
    if (what === undefined) continue
    const pages = taken.get(name) ?? new Set()
    taken.set(name, pages)
    for (let i = 0; i < Number(count); i++) {
      if (what === 'cma_release') pages.delete(parseInt(pfn, 16) + i)
      else pages.add(parseInt(pfn, 16) + i)
    }
  }
  return [...taken]
    .flatMap(([name, pages]) =>
      runsOf(
        name,
        [...pages].sort((a, b) => a - b),
      ),
    )
    .sort()
}

const TAKES = /^(cma_alloc_finish|cma_release): name=(\S+) pfn=0x([0-9a-f]+) page=some count=(\d+)/

function runsOf(name: string, pages: readonly number[]): string[] {
  const starts = pages.filter((page, i) => pages[i - 1] !== page - 1)
  return starts.map((start) => {
    const end = pages.findIndex((page, i) => page >= start && pages[i + 1] !== page + 1)
    return `${name} 0x${start.toString(16)} ${pages[end]! - start + 1}`
  })
}

/** The same of a model. */
export function takenBits(areas: readonly Cma[]): string[] {
  return areas
    .flatMap(({ name, base_pfn, order_per_bit, bitmap }) => {
      const bits = bitmap
        ? Array.from({ length: bitmap.nbits }, (_, bit) => bit).filter((bit) => test_bit(bit, bitmap))
        : []
      const pages = 2 ** order_per_bit
      return runsOf(
        name,
        bits.flatMap((bit) => Array.from({ length: pages }, (_, i) => base_pfn + bit * pages + i)),
      )
    })
    .sort()
}

function compareValues(
  state: Comparing,
  step: ReplayStep,
  number: number,
  ours: Answer,
  theirs: Answer,
): void {
  if (step.call === 'alloc' && ours.errno === 0 && theirs.errno === 0)
    noteOwner(state, step, number, ours, theirs)
  for (const name of new Set([...Object.keys(ours.values), ...Object.keys(theirs.values)])) {
    const why = leftOut(state, step, name, theirs)
    if (why) leaveOut(state, why)
    else hold(state, number, name, ours.values[name], theirs.values[name])
  }
}
// #endregion replay-compare-taken

// #region replay-compare-owner
type AllocStep = Extract<ReplayStep, { call: 'alloc' }>

// Who gave it, which is determined also where the address is not.
function noteOwner(state: Comparing, step: AllocStep, number: number, ours: Answer, theirs: Answer): void {
  const [mine, other] = [ours, theirs].map(({ values }) => values['address'] ?? '') as [string, string]
  const owner = state.owner(step.device, other)
  hold(state, number, 'given by', state.owner(step.device, mine) ?? 'buddy', owner ?? 'buddy')
  if (owner !== null) {
    state.buddies.delete(step.buffer)
    return
  }
  state.buddies.add(step.buffer)
  state.places.add(mine).add(other)
}

function leftOut(state: Comparing, step: ReplayStep, name: string, theirs: Answer): UndeterminedName | null {
  const buddy = 'buffer' in step && state.buddies.has(step.buffer)
  if (name === 'address' && buddy) return 'buddy-address'
  // A private mapping holds its page frame there.
  if (name === 'pgoff' && buddy && step.call === 'map' && !step.shared && theirs.errno === 0)
    return 'buddy-address'
  if (name === 'nr_free_cma' && !state.drained) return 'free-cma'
  return null
}
// #endregion replay-compare-owner

// #region replay-compare-early
// The worker may have run before the allocation was over, or after: its events by themselves, and the others by themselves.
function compareWithEarly(state: Comparing, number: number, ours: Answer, theirs: Answer): void {
  const { early } = state
  state.early = null
  if (!early) return compareEvents(state, number, ours.events, theirs.events)
  leaveOut(state, 'pool-growth')
  const [mine, other] = [
    [...early.ours, ...ours.events],
    [...early.theirs, ...theirs.events],
  ]
  const isDma = (event: string) => event.startsWith('dma_')
  compareEvents(state, number, mine.filter(isDma), other.filter(isDma))
  compareEvents(
    state,
    number,
    mine.filter((event) => !isDma(event)),
    other.filter((event) => !isDma(event)),
  )
}

// Events by order. What the buddy allocator gave stands in the events of the DMA API too.
function compareEvents(
  state: Comparing,
  number: number,
  ours: readonly string[],
  theirs: readonly string[],
): void {
  const foreign = theirs.some((event) => MOVED_PAGES.test(event))
  const wanted = (event: string) => !(foreign && MIGRATION_EVENTS.test(event))
  if (foreign) leaveOut(state, 'moved-pages', theirs.filter((event) => MIGRATION_EVENTS.test(event)).length)
  const mine = ours.filter(wanted).map((event) => withoutPlaces(state, event))
  const other = theirs.filter(wanted).map((event) => withoutPlaces(state, event))
  holdLists(state, number, 'event', mine, other)
}

function holdLists(state: Comparing, number: number, what: string, ours: string[], theirs: string[]): void {
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    hold(state, number, `${what} ${i + 1}`, ours[i], theirs[i])
  }
}

const withoutPlaces = ({ places }: Comparing, event: string): string =>
  event.replace(/dma_addr=([0-9a-f]+)/, (all, address: string) => (places.has(address) ? 'dma_addr=…' : all))

const LIMITED = /^cma: .*: alloc failed, /

function compareLog(
  state: Comparing,
  number: number,
  ours: readonly string[],
  theirs: readonly string[],
): void {
  const mine = ours.filter((line) => line.startsWith('cma: ') && !LIMITED.test(line))
  const other = theirs.filter((line) => line.startsWith('cma: ') && !LIMITED.test(line))
  const limited = ours.filter((line) => LIMITED.test(line)).length
  if (limited > 0) leaveOut(state, 'limited-line', limited)
  holdLists(state, number, 'log line', mine, other)
}
// #endregion replay-compare-early
