// SPDX-License-Identifier: MIT
//
// Sequences of calls by chance, for a model and a kernel to make both (replay_steps.ts). The same seed gives the same
// sequence. What it draws from is a board: kernel/dts/replay.dtso, its devices and what each can reach.
//
//     const steps = randomScenario(createRng(7), REPLAY_BOARD)
//     const whole = [...steps, ...givingBack(steps)]            afterwards everything is as it was
//
// Chance is loaded: sizes around what an area, a pool and the buddy allocator can just give, or just not; freeing in any
// order; mappings a page too long, or beyond the
// end; a page that stays when its buffer goes, and a larger buffer wanted in its place; a buffer written,
// given back, and taken again.

// #region random-scenario-imports
import type { Rng } from '../lib/rng.ts'
import { KiB, MiB, type Bytes } from '../lib/units.ts'
import {
  REPLAY_ATOMIC,
  REPLAY_NO_MAPPING,
  REPLAY_NO_WARN,
  REPLAY_WRITE_COMBINE,
  type ReplayStep,
} from './replay_steps.ts'

/** A device that the sequences may use. */
export interface ReplayDeviceChoice {
  readonly name: string
  /** Entries of its `memory-region`, in order. `pool`: no-map; `none`: no driver takes it, or it is disabled. */
  readonly regions: readonly ('area' | 'pool' | 'none')[]
  readonly coherent: boolean
  /** Widths of a mask that are drawn from: some too narrow. */
  readonly masks: readonly number[]
}

const MASKS = [0, 20, 30, 31, 32, 33, 40, 64]

/** The devices of kernel/dts/replay.dtso. */
export const REPLAY_BOARD: readonly ReplayDeviceChoice[] = [
  { name: 'replay-default', regions: [], coherent: false, masks: MASKS },
  { name: 'replay-coherent', regions: ['pool', 'area'], coherent: true, masks: MASKS },
  { name: 'replay-area', regions: ['area', 'area'], coherent: false, masks: MASKS },
  { name: 'replay-second', regions: ['area', 'pool'], coherent: false, masks: MASKS },
  { name: 'replay-pool', regions: ['pool', 'pool', 'none', 'none'], coherent: false, masks: MASKS },
  { name: 'replay-moved', regions: ['pool', 'area'], coherent: false, masks: [0, 28, 29, 30, 32, 64] },
]

// What a sequence has so far. That a call may have failed is not known here: it does no harm to name what is not there.
interface Draft {
  readonly rng: Rng
  readonly board: readonly ReplayDeviceChoice[]
  readonly steps: ReplayStep[]
  readonly buffers: Map<number, { device: ReplayDeviceChoice; size: Bytes; flags: number }>
  readonly mappings: Map<number, { buffer: number; bytes: Bytes; writable: boolean }>
  readonly attached: Map<string, 'area' | 'pool' | 'none'>
}

const pick = <T>(rng: Rng, from: readonly T[]): T => from[rng.next(from.length)]!
const between = (rng: Rng, least: number, most: number): number => least + rng.next(most - least + 1)
const PAGE = KiB(4)

// All of a pool or an area of the board, when nobody else has any.
const WHOLE = [3 * PAGE, MiB(2), MiB(2), MiB(4), MiB(8), MiB(8), MiB(16)]
// #endregion random-scenario-imports

// #region random-scenario-bytes
// Bytes of a buffer: whole pages mostly; often a good part of what an area, a pool or the buddy allocator has.
function sizeOf(rng: Rng): Bytes {
  const pages = (most: number): Bytes => between(rng, 1, most) * PAGE
  switch (rng.next(14)) {
    case 0:
    case 1:
      return PAGE
    case 2:
    case 3:
      return pages(16)
    case 4:
      return pages(256)
    case 5:
      return pages(512)
    case 6:
    case 7:
      return MiB(between(rng, 1, 4))
    case 8:
      return MiB(between(rng, 4, 9))
    case 9:
      // Powers of two and one page beside them: where rounding shows.
      return Math.max(1, 2 ** between(rng, 0, 11) + between(rng, -1, 1)) * PAGE
    case 10:
      return between(rng, 1, 40_000)
    case 11:
    case 12:
      return pick(rng, WHOLE)
    default:
      return pages(6000)
  }
}

// Atomic buffers are few and small: more would set off the worker that makes their pools larger, at a time of its own.
const MOST_ATOMIC = 4

function flagsOf({ rng, buffers }: Draft): number {
  const atomic = [...buffers.values()].filter(({ flags }) => flags & REPLAY_ATOMIC).length
  const how = rng.next(16)
  if (how === 0 && atomic < MOST_ATOMIC) return REPLAY_ATOMIC
  if (how < 3) return REPLAY_WRITE_COMBINE
  if (how < 5) return REPLAY_NO_MAPPING
  return how === 5 ? REPLAY_NO_WARN : 0
}

function drawAlloc(draft: Draft, device = pick(draft.rng, draft.board), wanted = sizeOf(draft.rng)): void {
  const { rng, steps, buffers } = draft
  const flags = flagsOf(draft)
  const size = flags & REPLAY_ATOMIC ? between(rng, 1, KiB(16)) : wanted
  const buffer = freeNumber(buffers)
  steps.push({ call: 'alloc', buffer, device: device.name, size, flags })
  buffers.set(buffer, { device, size, flags })
}

function freeNumber(used: ReadonlyMap<number, unknown>): number {
  let number = 0
  while (used.has(number)) number++
  return number
}

// Any of them; sometimes while it is mapped.
function drawFree({ rng, steps, buffers }: Draft): void {
  if (buffers.size === 0) return
  const buffer = pick(rng, [...buffers.keys()])
  steps.push({ call: 'free', buffer })
  buffers.delete(buffer)
}
// #endregion random-scenario-bytes

// #region random-scenario-hold
// A page stays behind, or one past the end should. Then somebody wants more than was there, so that it is in the way.
function drawHold(draft: Draft): void {
  const { rng, steps, buffers } = draft
  if (buffers.size === 0) drawAlloc(draft)
  const [buffer, { device, size }] = pick(rng, [...buffers])
  const pages = Math.ceil(size / PAGE)
  steps.push({ call: 'hold', buffer, page: rng.next(8) === 0 ? pages : rng.next(pages) })
  if (rng.next(8) > 0) {
    steps.push({ call: 'free', buffer })
    buffers.delete(buffer)
  }
  const more = rng.next(3) > 0 ? Math.min(MiB(12), size + rng.next(512) * PAGE) : pick(rng, WHOLE)
  if (rng.next(4) > 0) drawAlloc(draft, device, more)
  if (rng.next(3) === 0) steps.push({ call: 'drop', device: device.name })
}
// #endregion random-scenario-hold

// #region random-scenario-map
// Most mappings fit; the others are too long, begin behind the end, or so far out that the sum would wrap.
function drawMap(draft: Draft): void {
  const { rng, steps, buffers, mappings } = draft
  if (buffers.size === 0) drawAlloc(draft)
  const [buffer, { size }] = pick(rng, [...buffers])
  const pages = Math.ceil(size / PAGE)
  const pgoff = rng.next(3) === 0 ? between(rng, 0, pages) : 0
  const fits = Math.max(1, pages - pgoff)
  const odd = rng.next(8)
  const length = odd === 0 ? fits + 1 : odd < 4 ? fits : between(rng, 1, Math.min(fits, 64))
  const bytes = length * PAGE - (odd === 7 ? between(rng, 1, PAGE - 1) : 0)
  const far = rng.next(24) === 0 ? 2 ** 40 : pgoff
  const shared = rng.next(6) > 0
  const write = rng.next(4) > 0
  const mapping = freeNumber(mappings)
  steps.push({ call: 'map', mapping, buffer, bytes, pgoff: far, shared, write })
  // A write to a private one makes a copy, somewhere.
  mappings.set(mapping, { buffer, bytes, writable: write && shared })
}

// Contents are looked at where model and board agree about caches, and where somebody has cleared the buffer.
function hasContents({ buffers, attached }: Draft, number: number): boolean {
  const buffer = buffers.get(number)
  if (!buffer || buffer.flags & REPLAY_NO_MAPPING) return false
  return !(buffer.device.coherent && attached.get(buffer.device.name) === 'pool')
}

function drawMapped(draft: Draft): void {
  const { rng, steps, mappings } = draft
  if (mappings.size === 0) drawMap(draft)
  const [mapping, { buffer, bytes, writable }] = pick(rng, [...mappings])
  const looks = bytes <= KiB(256) && hasContents(draft, buffer)
  const call = pick(rng, [
    'unmap',
    'unmap',
    'grow',
    'dontneed',
    'lock',
    'fill',
    'fill',
    'sum',
    'sum',
  ] as const)
  if (call === 'fill') {
    if (looks && writable) steps.push({ call, mapping, byte: between(rng, 1, 255) })
  } else if (call !== 'sum' || looks) steps.push({ call, mapping })
  if (call === 'unmap') mappings.delete(mapping)
}

// Written from end to end, given back, and taken again a little smaller: what does the next owner find there?
function drawReuse(draft: Draft): void {
  const { rng, board, steps, buffers, mappings } = draft
  const device = pick(rng, board)
  const buffer = freeNumber(buffers)
  const mapping = freeNumber(mappings)
  const pages = between(rng, 1, 16)
  const whole = { mapping, buffer, bytes: pages * PAGE, pgoff: 0, shared: true, write: true }
  const looks = !(device.coherent && draft.attached.get(device.name) === 'pool')
  for (const size of [pages * PAGE, pages * PAGE - between(rng, 1, PAGE - 1)]) {
    steps.push({ call: 'alloc', buffer, device: device.name, size, flags: 0 }, { call: 'map', ...whole })
    if (looks) steps.push({ call: 'sum', mapping }, { call: 'fill', mapping, byte: between(rng, 1, 255) })
    steps.push({ call: 'unmap', mapping }, { call: 'free', buffer })
  }
}

function drawDevice({ rng, board, steps, buffers, mappings, attached }: Draft): void {
  const { name, regions, masks } = pick(rng, board)
  switch (rng.next(5)) {
    case 0:
      steps.push({ call: 'mask', device: name, bits: pick(rng, masks) })
      return
    case 1:
      steps.push({ call: 'detach', device: name })
      // Refused while a buffer is out.
      if (buffers.size === 0 && mappings.size === 0) attached.delete(name)
      return
    default: {
      // One entry more than there is.
      const index = rng.next(regions.length + 1)
      steps.push({ call: 'attach', device: name, index })
      const region = regions[index]
      if (region && attached.get(name) !== 'pool') attached.set(name, region)
    }
  }
}

/** A sequence of about `length` calls. */
export function randomScenario(
  rng: Rng,
  board: readonly ReplayDeviceChoice[] = REPLAY_BOARD,
  length = 12,
): ReplayStep[] {
  // Few devices, so that they meet in the same areas.
  const some = Array.from({ length: between(rng, 1, 3) }, () => pick(rng, board))
  const draft: Draft = {
    ...{ rng, board: some, steps: [], buffers: new Map(), mappings: new Map(), attached: new Map() },
  }
  for (const { name, regions } of some) {
    if (regions.length === 0 || rng.next(4) === 0) continue
    const index = rng.next(regions.length)
    draft.steps.push({ call: 'attach', device: name, index })
    if (draft.attached.get(name) !== 'pool') draft.attached.set(name, regions[index]!)
  }
  for (let i = between(rng, 0, 2); i > 0; i--) drawDevice(draft)
  const most = between(rng, Math.ceil(length / 2), length)
  while (draft.steps.length < most) {
    drawOne(draft)
    if (draft.steps.at(-1)?.call === 'alloc' && rng.next(4) === 0) draft.steps.push({ call: 'count' })
  }
  return draft.steps
}
// #endregion random-scenario-map

// #region random-scenario-one
function drawOne(draft: Draft): void {
  const what = draft.rng.next(20)
  if (what < 8) drawAlloc(draft)
  else if (what < 9) drawFree(draft)
  else if (what < 12) drawHold(draft)
  else if (what < 14) drawMap(draft)
  else if (what < 17) drawMapped(draft)
  else if (what < 18) drawReuse(draft)
  else drawDevice(draft)
}
// #endregion random-scenario-one

// #region random-scenario-back
/**
 * What gives back all that `steps` may have taken; then two pages from the default area, counted: where they lie shows that
 * it is as it was.
 */
export function givingBack(steps: readonly ReplayStep[]): ReplayStep[] {
  const buffers = new Set(steps.flatMap((step) => (step.call === 'alloc' ? [step.buffer] : [])))
  const mappings = new Set(steps.flatMap((step) => (step.call === 'map' ? [step.mapping] : [])))
  const attached = new Set(steps.flatMap((step) => (step.call === 'attach' ? [step.device] : [])))
  const masked = new Set(steps.flatMap((step) => (step.call === 'mask' ? [step.device] : [])))
  return [
    ...[...mappings].map((mapping) => ({ call: 'unmap' as const, mapping })),
    ...[...buffers].map((buffer) => ({ call: 'free' as const, buffer })),
    ...holders(steps).map((device) => ({ call: 'drop' as const, device })),
    ...[...attached].map((device) => ({ call: 'detach' as const, device })),
    ...[...masked].map((device) => ({ call: 'mask' as const, device, bits: 32 })),
    ...(steps.some(({ call }) => call === 'fill') ? clearing() : []),
    { call: 'alloc', buffer: 0, device: 'replay-default', size: 2 * PAGE, flags: 0 },
    { call: 'count' },
    { call: 'free', buffer: 0 },
  ]
}

// What was written into a pool stays there for whoever gets a part of a page: a buffer of all of it is cleared whole.
function clearing(): ReplayStep[] {
  const cleared = (index: number, sizes: readonly Bytes[]): ReplayStep[] => [
    { call: 'attach', device: 'replay-pool', index },
    ...sizes.map((size, buffer) => ({
      call: 'alloc' as const,
      buffer,
      device: 'replay-pool',
      size,
      flags: 0,
    })),
    ...sizes.map((_, buffer) => ({ call: 'free' as const, buffer })),
    { call: 'detach', device: 'replay-pool' },
  ]
  return [...cleared(0, [MiB(4)]), ...cleared(1, [2 * PAGE, PAGE])]
}

// For each page that may still be held, the device that holds it. Which buffer a number means, the calls before decide.
function holders(steps: readonly ReplayStep[]): string[] {
  const owner = new Map<number, string>()
  const found: string[] = []
  for (const step of steps) {
    if (step.call === 'alloc') owner.set(step.buffer, step.device)
    const device = step.call === 'hold' ? owner.get(step.buffer) : undefined
    if (device !== undefined) found.push(device)
  }
  return found
}

/** Before the first sequence: the pools for atomic callers grow now, once, and not in the middle of one. */
export function warmingUp(): ReplayStep[] {
  const atomic = (buffer: number, bits: number): ReplayStep[] => [
    { call: 'mask', device: 'replay-default', bits },
    { call: 'alloc', buffer, device: 'replay-default', size: PAGE, flags: REPLAY_ATOMIC },
    { call: 'wait' },
    { call: 'free', buffer },
  ]
  return [...atomic(0, 64), ...atomic(0, 31), ...atomic(0, 32), ...givingBack([])]
}
// #endregion random-scenario-back
