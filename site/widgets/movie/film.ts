// SPDX-License-Identifier: MIT
//
// From the events of a trace to films, one for each CMA area:
//
//     cma_alloc_start                        ask, try      the place is isolated; which one, later lines say
//     mm_compaction_isolate_migratepages     search, collect
//     mm_migrate_pages                       move          what was collected has left its frames
//     test_pages_isolated                    free, held    held: at the page that stayed
//     cma_alloc_busy_retry                   busy, try     isolation is undone, the search steps on
//     cma_alloc_finish, cma_release          take, refuse, release
//
// Nothing is played that the events do not say: a range with 33 pages of which 32 were collected stays "32 of these" until
// a test names the one that stayed. An event belongs to the request that its task has open.
import { areaOf, gotPfn, movedForRange, numberOf } from './film_fields.ts'
import type { Film, KeptEvent, Step, StepKind, StepValues } from './film_types.ts'
import { placesOf } from './places.ts'
import { type Batch, beginRequest, count, hull, lengthOf, type Request } from './request.ts'
import { type Paint, painted, type Run, type Span, within } from './runs.ts'

interface Reel {
  readonly area: string | null
  readonly steps: Step[]
  runs: readonly Run[]
}

interface Cut {
  readonly reels: Map<string | null, Reel>
  readonly open: Map<number, Request>
  readonly places: ReadonlyMap<number, number>
}

/** What a step adds to the film, beside the event it comes from. */
interface Shot {
  readonly kind: StepKind
  readonly values: StepValues
  readonly paints?: readonly Paint[]
}

/** The films in a trace, the area that is heard of first in front. Steps without a page frame make none. */
export function cutFilms(events: readonly KeptEvent[]): Film[] {
  const cut: Cut = { reels: new Map(), open: new Map(), places: placesOf(events) }
  events.forEach((event, index) => play(cut, event, index))
  const last = events.at(-1)
  if (last)
    for (const request of cut.open.values())
      shoot(cut, request, last, { kind: 'open', values: askedBy(request) })
  return [...cut.reels.values()].map(({ area, steps }) => ({ area, steps, span: spanOf(steps) }))
}

function spanOf(steps: readonly Step[]): Span {
  let span: Span | null = null
  for (const { range, paints } of steps)
    for (const each of range ? [range, ...paints] : paints)
      span = span ? { start: Math.min(span.start, each.start), end: Math.max(span.end, each.end) } : each
  return span ? { start: span.start, end: span.end } : { start: 0, end: 0 }
}

function play(cut: Cut, event: KeptEvent, index: number): void {
  const { record } = event
  if ('verbatim' in record.fields) return
  const request = cut.open.get(record.pid)
  switch (record.event) {
    case 'cma_alloc_start':
      return ask(cut, event, index)
    case 'cma_alloc':
    case 'cma_alloc_finish':
      return finish(cut, event, request)
    case 'cma_release':
      return release(cut, event)
    case 'cma_alloc_busy_retry':
      return request && busy(cut, event, index, request)
    case 'mm_compaction_isolate_migratepages':
      return request && collect(cut, event, request)
    case 'mm_migrate_pages':
      return request && movedForRange(record) ? move(cut, event, request) : undefined
    case 'test_pages_isolated':
      return request && test(cut, event, request)
  }
}

function reelOf(cut: Cut, area: string | null): Reel {
  let reel = cut.reels.get(area)
  if (!reel) cut.reels.set(area, (reel = { area, steps: [], runs: [] }))
  return reel
}

function shoot(cut: Cut, request: Request, event: KeptEvent, { kind, values, paints = [] }: Shot): void {
  const reel = reelOf(cut, request.area)
  for (const paint of paints) reel.runs = painted(reel.runs, paint)
  const { line, text, record } = event
  const { place: range, counts } = request
  reel.steps.push({ ...{ kind, values, line, text, usec: record.usec, paints, range, counts } })
}

const askedBy = ({ task, count: pages, align, area }: Request): StepValues => ({
  ...{ task, count: pages, align: 2 ** align, area: area ?? '' },
})

function ask(cut: Cut, event: KeptEvent, index: number): void {
  const { record } = event
  const pages = numberOf(record, 'count')
  const before = cut.open.get(record.pid)
  if (before) shoot(cut, before, event, { kind: 'open', values: askedBy(before) })
  const request = beginRequest(taskOf(event), areaOf(record), pages, numberOf(record, 'align'))
  cut.open.set(record.pid, request)
  shoot(cut, request, event, { kind: 'ask', values: askedBy(request) })
  attempt(cut, event, index, request)
}

const taskOf = ({ record }: KeptEvent): string => `${record.comm}-${record.pid}`

// The next place, if the trace says which.
function attempt(cut: Cut, event: KeptEvent, index: number, request: Request): void {
  const start = cut.places.get(index)
  if (start === undefined || !(request.count > 0)) return
  request.place = { start, end: start + request.count }
  count(request, { tries: 1 })
  const { place, task, counts } = request
  shoot(cut, request, event, { kind: 'try', values: { ...place, task, tries: counts.tries } })
}

function collect(cut: Cut, event: KeptEvent, request: Request): void {
  const { record } = event
  const [start, end] = [numberOf(record, 'start_pfn'), numberOf(record, 'end_pfn')]
  const taken = numberOf(record, 'nr_taken')
  if (!(end > start)) return
  if (taken === 0) return search(cut, event, request, { start, end })
  request.pending.push({ start, end, taken })
  request.stayed = null
  const all = taken === end - start
  const values = { start, end, taken, pages: end - start }
  const paints: Paint[] = [{ start, end, state: all ? 'collected' : 'partly-collected' }]
  shoot(cut, request, event, { kind: all ? 'collect' : 'collect-some', values, paints })
}

// Ranges without anything to move follow each other by the dozen: they are one step.
function search(cut: Cut, event: KeptEvent, request: Request, span: Span): void {
  const reel = reelOf(cut, request.area)
  const held = within(reel.runs, span, ['held'])
  const paints: Paint[] = [{ ...span, state: 'searched' }, ...held]
  const last = reel.steps.at(-1)
  if (last?.kind !== 'search' || last.values['end'] !== span.start || last.range !== request.place)
    return shoot(cut, request, event, { kind: 'search', values: { ...span }, paints })
  for (const paint of paints) reel.runs = painted(reel.runs, paint)
  const values = { start: last.values['start']!, end: span.end }
  reel.steps[reel.steps.length - 1] = { ...last, values, paints: [...last.paints, ...paints] }
}

function move(cut: Cut, event: KeptEvent, request: Request): void {
  const { record } = event
  const [moved, failed] = [numberOf(record, 'nr_succeeded'), numberOf(record, 'nr_failed')]
  if (!(moved + failed > 0)) return
  const { pending } = request
  const collected = request.stayed ?? pending.reduce((sum, { taken }) => sum + taken, 0)
  const dropped = Math.max(0, collected - moved - failed)
  count(request, { moved, failed, dropped })
  const values = { moved, failed, dropped }
  if (pending.length === 0) return shoot(cut, request, event, { kind: 'move-untold', values })
  const where = { ...values, ...hull(pending) }
  if (failed > 0) {
    request.stayed = failed
    const state = moved > 0 ? 'partly-moved' : 'stuck'
    const paints = pending.map(({ start, end }): Paint => ({ start, end, state }))
    return shoot(cut, request, event, { kind: 'stuck', values: where, paints })
  }
  const paints = pending.map(emptied)
  request.incomplete.push(...pending.filter((batch) => batch.taken < lengthOf(batch)))
  request.pending = []
  request.stayed = null
  shoot(cut, request, event, { kind: 'move', values: where, paints })
}

const emptied = (batch: Batch): Paint => ({
  start: batch.start,
  end: batch.end,
  state: batch.taken < lengthOf(batch) ? 'partly-moved' : 'moved',
})

function test(cut: Cut, event: KeptEvent, request: Request): void {
  const { record } = event
  const [start, end, fin] = ['start_pfn', 'end_pfn', 'fin_pfn'].map((name) => numberOf(record, name)) as [
    number,
    number,
    number,
  ]
  if (fin >= end) return shoot(cut, request, event, { kind: 'free', values: { start, end } })
  // The one page that a range lacked is found, so all others of it have moved.
  const found = request.incomplete.find(
    (batch) => fin >= batch.start && fin < batch.end && lengthOf(batch) === batch.taken + 1,
  )
  request.incomplete = request.incomplete.filter((batch) => batch !== found)
  const rest: Paint[] = found ? [{ start: found.start, end: found.end, state: 'moved' }] : []
  const paints: Paint[] = [...rest, { start: fin, end: fin + 1, state: 'held' }]
  shoot(cut, request, event, { kind: 'held', values: { start, end, fin, task: request.task }, paints })
}

function busy(cut: Cut, event: KeptEvent, index: number, request: Request): void {
  const start = numberOf(event.record, 'pfn')
  const end = start + request.count
  const paints = undone(cut, request)
  request.place = null
  request.pending = []
  request.incomplete = []
  request.stayed = null
  shoot(cut, request, event, { kind: 'busy', values: { start, end, task: request.task }, paints })
  attempt(cut, event, index, request)
}

// What was collected goes back, and what was searched may be lent again.
function undone(cut: Cut, { place, area }: Request): Paint[] {
  if (!place) return []
  const ended = within(reelOf(cut, area).runs, place, ['searched', 'collected', 'partly-collected', 'stuck'])
  return ended.map(({ start, end }): Paint => ({ start, end, state: null }))
}

function finish(cut: Cut, event: KeptEvent, open: Request | undefined): void {
  const { record } = event
  const pages = numberOf(record, 'count')
  const request = open ?? beginRequest(taskOf(event), areaOf(record), pages, numberOf(record, 'align'))
  const start = gotPfn(record)
  const paints =
    start === null ? undone(cut, request) : [{ start, end: start + pages, state: 'taken' } as const]
  request.place = null
  cut.open.delete(record.pid)
  if (start !== null) {
    const values = { start, end: start + pages, count: pages, task: request.task }
    return shoot(cut, request, event, { kind: 'take', values, paints })
  }
  const errno = numberOf(record, 'errorno')
  const values = { ...askedBy(request), errno: Number.isNaN(errno) ? '' : errno }
  shoot(cut, request, event, { kind: 'refuse', values, paints })
}

function release(cut: Cut, event: KeptEvent): void {
  const { record } = event
  const [start, pages] = [numberOf(record, 'pfn'), numberOf(record, 'count')]
  if (!(start >= 0 && pages > 0)) return
  // Nobody's request: the counters are those of the last one.
  const request = beginRequest(taskOf(event), areaOf(record), pages, 0)
  request.counts = reelOf(cut, request.area).steps.at(-1)?.counts ?? request.counts
  const paints: Paint[] = [{ start, end: start + pages, state: 'freed' }]
  shoot(cut, request, event, {
    kind: 'release',
    values: { start, end: start + pages, task: request.task },
    paints,
  })
}
