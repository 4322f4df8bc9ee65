// SPDX-License-Identifier: MIT
//
// A data cache that does not know of devices: lines with data, each valid or not, each dirty or not, over a next level.
//
//     CPU ── L1 ──────────────── RAM ── device        a device without snooping sees RAM alone
//     CPU ── L1 ── outer cache ── RAM ── device        arm with a PL310
//
//     clean        dirty line → next level; stays valid      what the CPU wrote becomes visible
//     invalidate   line forgotten, dirty or not              what the device wrote becomes visible
//     flush        clean, then invalidate
//
// It never runs full: a line leaves by maintenance or by `evict()` alone, so that a stale line stays as long as a
// test needs it. A real one evicts and prefetches when it likes; `evict()` and `prefetch()` are those moments.
// Leaves out: ways, sets, the instruction cache, virtual indexing.

// #region cache-state
import type { Bytes, PhysAddr } from '../lib/units.ts'
import type { Ram } from './ram.ts'
import { readInto, writeBytes } from './ram.ts'

/**
 * Lines are kept in blocks of 32 neighbours, so that which are valid and which are dirty are bits of one number each.
 */
const LINES = 32

interface Block {
  /** Uint8Array[LINES × lineSize]. */
  readonly data: Uint8Array
  /** Bit i: line i is here. */
  valid: number
  /** Bit i: line i is newer than the next level; valid as well. */
  dirty: number
}

/** One level of cache. */
export interface Cache {
  readonly level: 'L1' | 'outer'
  /** Bytes of a line, a power of two. */
  readonly lineSize: Bytes
  /** Where a line comes from and goes to. */
  readonly next: Cache | null
  readonly ram: Ram
  /** Blocks with a valid line, by `pa / (LINES × lineSize)`. */
  readonly blocks: Map<number, Block>
  /** Lines that maintenance has visited, valid or not; and dirty lines that it threw away. */
  readonly counts: Record<CacheOpName | 'dirtyLinesLost', number>
  /** Maintenance in the order it was done, of all levels, when somebody wants to know. */
  log: CacheOp[] | null
}
// #endregion cache-state

// #region cache-ops
/** What maintenance by address does to a line; `flush` is clean and invalidate. */
export type CacheOpName = 'clean' | 'invalidate' | 'flush'

/** Maintenance of `lines` neighbouring lines from `pa` on. */
export interface CacheOp {
  readonly level: 'L1' | 'outer'
  readonly op: CacheOpName
  /** Start of the first line. */
  readonly pa: PhysAddr
  readonly lines: number
}

/** An empty cache. `lineSize` is a power of two from 4 to 2048; `next` null means that RAM is next. */
export function createCache(
  ram: Ram,
  { lineSize = 64, level = 'L1', next = null }: Partial<Pick<Cache, 'lineSize' | 'level' | 'next'>> = {},
): Cache {
  if (lineSize < 4 || lineSize > 2048 || (lineSize & (lineSize - 1)) !== 0)
    throw new Error(`createCache: got a line of ${lineSize} bytes, expected a power of two from 4 to 2048`)
  const counts = { clean: 0, invalidate: 0, flush: 0, dirtyLinesLost: 0 }
  return { level, lineSize, next, ram, blocks: new Map(), counts, log: null }
}
// #endregion cache-ops

// #region cache-masks
// Bits [first, behind) of 32.
function bits(first: number, behind: number): number {
  const below = behind >= LINES ? -1 : (1 << behind) - 1
  return below & (-1 << first)
}

function countBits(mask: number): number {
  let n = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) n++
  return n
}

// The lowest set bit's number.
function lowest(mask: number): number {
  return 31 - Math.clz32(mask & -mask)
}

// How many set bits follow each other from bit `first` on.
function runLength(mask: number, first: number): number {
  const holes = ~mask & (-1 << first)
  return (holes === 0 ? LINES : lowest(holes)) - first
}
// #endregion cache-masks

// #region cache-lines
// Reads the lines of `missing` from the next level, neighbours together.
function fill(cache: Cache, index: number, block: Block, missing: number): void {
  const { lineSize } = cache
  for (let rest = missing; rest !== 0;) {
    const first = lowest(rest)
    const n = runLength(rest, first)
    const into = block.data.subarray(first * lineSize, (first + n) * lineSize)
    const pa = (index * LINES + first) * lineSize
    if (cache.next) cacheRead(cache.next, pa, into)
    else readInto(cache.ram, pa, into)
    rest &= ~bits(first, first + n)
  }
  block.valid |= missing
}

// Writes the dirty ones among `mask` to the next level; they stay valid.
function writeBack(cache: Cache, index: number, block: Block, mask: number): void {
  const { lineSize } = cache
  for (let rest = mask & block.dirty; rest !== 0;) {
    const first = lowest(rest)
    const n = runLength(rest, first)
    const from = block.data.subarray(first * lineSize, (first + n) * lineSize)
    const pa = (index * LINES + first) * lineSize
    if (cache.next) cacheWrite(cache.next, pa, from)
    else writeBytes(cache.ram, pa, from)
    rest &= ~bits(first, first + n)
  }
  block.dirty &= ~mask
}

function forget(cache: Cache, index: number, block: Block, mask: number): void {
  block.valid &= ~mask
  block.dirty &= ~mask
  if (block.valid === 0) cache.blocks.delete(index)
}
// #endregion cache-lines

// #region cache-access
function blockFor(cache: Cache, index: number): Block {
  let block = cache.blocks.get(index)
  if (!block) {
    block = { data: new Uint8Array(LINES * cache.lineSize), valid: 0, dirty: 0 }
    cache.blocks.set(index, block)
  }
  return block
}

/** The CPU reads `into.length` bytes from `pa` on: lines that are not here come in. */
export function cacheRead(cache: Cache, pa: PhysAddr, into: Uint8Array): Uint8Array {
  const span = LINES * cache.lineSize
  for (let done = 0; done < into.length;) {
    const offset = (pa + done) % span
    const n = Math.min(span - offset, into.length - done)
    const index = Math.floor((pa + done) / span)
    const block = blockFor(cache, index)
    const touched = linesOf(cache, offset, n)
    fill(cache, index, block, touched & ~block.valid)
    into.set(block.data.subarray(offset, offset + n), done)
    done += n
  }
  return into
}

// The lines of a block that its bytes [offset, offset + n) touch.
function linesOf({ lineSize }: Cache, offset: number, n: number): number {
  return bits(Math.floor(offset / lineSize), Math.ceil((offset + n) / lineSize))
}

// The lines that lie wholly in [offset, offset + n): they need no filling before a write.
function wholeLinesOf({ lineSize }: Cache, offset: number, n: number): number {
  const first = Math.ceil(offset / lineSize)
  const behind = Math.floor((offset + n) / lineSize)
  return first < behind ? bits(first, behind) : 0
}

/** The CPU writes `bytes` at `pa`: lines that are not here come in first (write-allocate); all become dirty. */
export function cacheWrite(cache: Cache, pa: PhysAddr, bytes: Uint8Array): void {
  const span = LINES * cache.lineSize
  for (let done = 0; done < bytes.length;) {
    const offset = (pa + done) % span
    const n = Math.min(span - offset, bytes.length - done)
    const index = Math.floor((pa + done) / span)
    const block = blockFor(cache, index)
    const touched = linesOf(cache, offset, n)
    fill(cache, index, block, touched & ~wholeLinesOf(cache, offset, n) & ~block.valid)
    block.data.set(bytes.subarray(done, done + n), offset)
    block.valid |= touched
    block.dirty |= touched
    done += n
  }
}
// #endregion cache-access

// #region cache-visit
// Calls `visit` for each block that has a valid line in [pa, pa + size), with the lines of the block that lie there: by
// address, or, when the range is larger than what is cached, by what is cached.
function visitBlocks(
  cache: Cache,
  pa: PhysAddr,
  size: Bytes,
  visit: (index: number, block: Block, mask: number) => void,
): void {
  const span = LINES * cache.lineSize
  const first = Math.floor(pa / span)
  const behind = Math.ceil((pa + size) / span)
  const maskOf = (index: number) => {
    const from = Math.max(pa - index * span, 0)
    return linesOf(cache, from, Math.min(pa + size - index * span, span) - from)
  }
  if (behind - first > cache.blocks.size) {
    for (const [index, block] of cache.blocks)
      if (index >= first && index < behind) visit(index, block, maskOf(index) & block.valid)
    return
  }
  for (let index = first; index < behind; index++) {
    const block = cache.blocks.get(index)
    if (block) visit(index, block, maskOf(index) & block.valid)
  }
}
// #endregion cache-visit

// #region cache-maintenance
function note(cache: Cache, op: CacheOpName, pa: PhysAddr, size: Bytes): void {
  const first = Math.floor(pa / cache.lineSize)
  const lines = Math.ceil((pa + size) / cache.lineSize) - first
  cache.counts[op] += lines
  cache.log?.push({ level: cache.level, op, pa: first * cache.lineSize, lines })
}

/** Writes dirty lines that `[pa, pa + size)` touches to the next level. `size` 0 touches none. */
export function clean(cache: Cache, pa: PhysAddr, size: Bytes): void {
  if (size <= 0) return
  note(cache, 'clean', pa, size)
  visitBlocks(cache, pa, size, (index, block, mask) => writeBack(cache, index, block, mask))
}
// #endregion cache-maintenance

// #region cache-invalidate
/** Forgets every line that `[pa, pa + size)` touches, and with a dirty one what the CPU wrote. */
export function invalidate(cache: Cache, pa: PhysAddr, size: Bytes): void {
  if (size <= 0) return
  note(cache, 'invalidate', pa, size)
  visitBlocks(cache, pa, size, (index, block, mask) => {
    cache.counts.dirtyLinesLost += countBits(mask & block.dirty)
    forget(cache, index, block, mask)
  })
}

/** Cleans, then invalidates. */
export function cleanAndInvalidate(cache: Cache, pa: PhysAddr, size: Bytes): void {
  if (size <= 0) return
  note(cache, 'flush', pa, size)
  evict(cache, pa, size)
}
// #endregion cache-invalidate

// #region cache-by-itself
/** The lines that `[pa, pa + size)` touches leave the cache as when it needs room: dirty ones are written back. */
export function evict(cache: Cache, pa: PhysAddr, size: Bytes = 1): void {
  visitBlocks(cache, pa, size, (index, block, mask) => {
    writeBack(cache, index, block, mask)
    forget(cache, index, block, mask)
  })
}

/** The line of `pa` comes in as by speculation; if it is here, nothing happens. */
export function prefetch(cache: Cache, pa: PhysAddr): void {
  cacheRead(cache, pa, new Uint8Array(1))
}

/** Dirty lines of the range are written back and stay: not an operation that anybody ordered, so it is not counted. */
export function writeBackRange(cache: Cache, pa: PhysAddr, size: Bytes): void {
  visitBlocks(cache, pa, size, (index, block, mask) => writeBack(cache, index, block, mask))
}

/** Lines of the range vanish, for all their bytes were overwritten elsewhere; the range is whole lines. */
export function dropRange(cache: Cache, pa: PhysAddr, size: Bytes): void {
  visitBlocks(cache, pa, size, (index, block, mask) => forget(cache, index, block, mask))
}
// #endregion cache-by-itself

// #region cache-look
/** Whether the line of `pa` is here, and whether it is dirty. */
export function lineState(cache: Cache, pa: PhysAddr): 'absent' | 'clean' | 'dirty' {
  const line = Math.floor(pa / cache.lineSize)
  const block = cache.blocks.get(Math.floor(line / LINES))
  const bit = 1 << (line % LINES)
  if (!block || (block.valid & bit) === 0) return 'absent'
  return block.dirty & bit ? 'dirty' : 'clean'
}

/** What a device that snoops reads: the newest bytes, wherever they are. No line moves. */
export function snoopInto(cache: Cache, pa: PhysAddr, into: Uint8Array): Uint8Array {
  if (cache.next) snoopInto(cache.next, pa, into)
  else readInto(cache.ram, pa, into)
  const span = LINES * cache.lineSize
  visitBlocks(cache, pa, into.length, (index, block, mask) => {
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const from = index * span + lowest(rest) * cache.lineSize
      const start = Math.max(from, pa)
      const end = Math.min(from + cache.lineSize, pa + into.length)
      into.set(block.data.subarray(start - index * span, end - index * span), start - pa)
    }
  })
  return into
}
// #endregion cache-look

// #region cache-snapshot
/** The lines that are valid, as plain data. */
export interface CacheSnapshot {
  readonly blocks: readonly {
    readonly index: number
    readonly valid: number
    readonly dirty: number
    readonly data: Uint8Array
  }[]
  readonly counts: Cache['counts']
}

/** A copy of all lines and counts; the log is not part of it. */
export function snapshotCache(cache: Cache): CacheSnapshot {
  const blocks = [...cache.blocks]
    .sort(([a], [b]) => a - b)
    .map(([index, { data, valid, dirty }]) => ({ index, valid, dirty, data: data.slice() }))
  return { blocks, counts: { ...cache.counts } }
}

/** Makes `cache` what it was when `snapshot` was taken. */
export function restoreCache(cache: Cache, { blocks, counts }: CacheSnapshot): void {
  cache.blocks.clear()
  for (const { index, data, valid, dirty } of blocks)
    cache.blocks.set(index, { data: data.slice(), valid, dirty })
  Object.assign(cache.counts, counts)
}
// #endregion cache-snapshot
