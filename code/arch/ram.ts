// SPDX-License-Identifier: MIT
//
// RAM: bytes by physical address. What a device on the bus reads and writes; the CPU does so through its caches.
//
//     pa   0x0000        0x1_0000       0x2_0000       0x3_0000
//          [ 64 KiB    ] . . . . . . .  [ 64 KiB    ]  . . . . .      a chunk exists once something was written to it
//
// Memory that nobody wrote reads as zero and costs nothing, so that a machine of 64 GiB is free until it is used.
// Words are little-endian. Leaves out: what lies where there is no RAM (a bus error); whoever boots a machine knows.

// #region ram-state
import type { Bytes, PhysAddr } from '../lib/units.ts'

/** Bytes of a chunk, a multiple of every page size. */
const CHUNK = 65536

interface Chunk {
  /** Its first address. */
  readonly base: PhysAddr
  readonly bytes: Uint8Array
  readonly view: DataView
  /** The same bytes, as 32-bit words of a little-endian machine. */
  readonly words: Uint32Array
}

/** How many chunks are found by the low bits of their number: a power of two. */
const NEAR = 64

/** The RAM of a machine. */
export interface Ram {
  /** Chunks that were written to, by `pa / CHUNK`. */
  readonly chunks: Map<number, Chunk>
  /** Some of them, at `(pa / CHUNK) % NEAR`: those that were used last are found here without a search. */
  readonly near: (Chunk | null)[]
}

/** RAM that reads as zero everywhere. */
export function createRam(): Ram {
  return { chunks: new Map(), near: Array.from({ length: NEAR }, () => null) }
}

// The chunk that holds `pa`; null when nothing was written there.
function chunkAt(ram: Ram, pa: PhysAddr): Chunk | null {
  const index = Math.floor(pa / CHUNK)
  const near = ram.near[index & (NEAR - 1)]!
  if (near !== null && near.base === index * CHUNK) return near
  const chunk = ram.chunks.get(index) ?? null
  if (chunk) ram.near[index & (NEAR - 1)] = chunk
  return chunk
}

function makeChunk(ram: Ram, pa: PhysAddr): Chunk {
  const found = chunkAt(ram, pa)
  if (found) return found
  const index = Math.floor(pa / CHUNK)
  const chunk = chunkOf(index, new Uint8Array(CHUNK))
  ram.chunks.set(index, chunk)
  return chunk
}

function chunkOf(index: number, bytes: Uint8Array): Chunk {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    base: index * CHUNK,
    bytes,
    view,
    words: new Uint32Array(bytes.buffer, bytes.byteOffset, CHUNK / 4),
  }
}

function assertAddress(name: string, pa: PhysAddr): void {
  if (Number.isSafeInteger(pa) && pa >= 0) return
  throw new Error(
    `${name}: got address ${pa}, expected an integer from 0 to 2^53 - 1; was a pfn or an offset NaN?`,
  )
}
// #endregion ram-state

// #region ram-bytes
/** Copies `into.length` bytes from `pa` on into `into`, which it returns. Throws when `pa` is no address. */
export function readInto(ram: Ram, pa: PhysAddr, into: Uint8Array): Uint8Array {
  assertAddress('readInto', pa)
  for (let done = 0; done < into.length;) {
    const offset = (pa + done) % CHUNK
    const n = Math.min(CHUNK - offset, into.length - done)
    const chunk = chunkAt(ram, pa + done)
    if (chunk) into.set(chunk.bytes.subarray(offset, offset + n), done)
    else into.fill(0, done, done + n)
    done += n
  }
  return into
}

/** `n` bytes from `pa` on, in an array of their own. */
export function readBytes(ram: Ram, pa: PhysAddr, n: Bytes): Uint8Array {
  return readInto(ram, pa, new Uint8Array(n))
}

/** Stores `bytes` at `pa`. Throws when `pa` is no address. */
export function writeBytes(ram: Ram, pa: PhysAddr, bytes: Uint8Array): void {
  assertAddress('writeBytes', pa)
  for (let done = 0; done < bytes.length;) {
    const offset = (pa + done) % CHUNK
    const n = Math.min(CHUNK - offset, bytes.length - done)
    makeChunk(ram, pa + done).bytes.set(bytes.subarray(done, done + n), offset)
    done += n
  }
}

/** Stores `size` times `value` (a byte) from `pa` on. */
export function fillBytes(ram: Ram, pa: PhysAddr, size: Bytes, value: number): void {
  assertAddress('fillBytes', pa)
  for (let done = 0; done < size;) {
    const offset = (pa + done) % CHUNK
    const n = Math.min(CHUNK - offset, size - done)
    const chunk = value === 0 ? chunkAt(ram, pa + done) : makeChunk(ram, pa + done)
    chunk?.bytes.fill(value, offset, offset + n)
    done += n
  }
}

/** A page of zeros at `pa`. */
export function clearPage(ram: Ram, pa: PhysAddr, pageSize: Bytes): void {
  fillBytes(ram, pa, pageSize, 0)
}

/** Copies a page; both addresses are multiples of `pageSize`. A page that nobody wrote to copies at no cost. */
export function copyPage(ram: Ram, dstPa: PhysAddr, srcPa: PhysAddr, pageSize: Bytes): void {
  const src = chunkAt(ram, srcPa)
  if (!src) return clearPage(ram, dstPa, pageSize)
  const dst = makeChunk(ram, dstPa)
  const from = srcPa - src.base
  dst.bytes.set(src.bytes.subarray(from, from + pageSize), dstPa - dst.base)
}

/** The 32-bit words of the chunk that has `pa`, in place; that of `pa` is at `wordIndex(pa)`. The host must be little-endian. */
export function wordsAt(ram: Ram, pa: PhysAddr): Uint32Array {
  return makeChunk(ram, pa).words
}

/** Where the word at `pa` is in `wordsAt(ram, pa)`. */
export function wordIndex(pa: PhysAddr): number {
  return (pa & (CHUNK - 1)) >> 2
}

/** The 32-bit word at `pa`, a multiple of 4. */
export function read32(ram: Ram, pa: PhysAddr): number {
  const chunk = chunkAt(ram, pa)
  return chunk ? chunk.view.getUint32(pa - chunk.base, true) : 0
}

/** Stores a 32-bit word at `pa`, a multiple of 4. */
export function write32(ram: Ram, pa: PhysAddr, value: number): void {
  const chunk = makeChunk(ram, pa)
  chunk.view.setUint32(pa - chunk.base, value, true)
}

/** The 64-bit word at `pa`, a multiple of 8. */
export function read64(ram: Ram, pa: PhysAddr): bigint {
  const chunk = chunkAt(ram, pa)
  return chunk ? chunk.view.getBigUint64(pa - chunk.base, true) : 0n
}

/** Stores a 64-bit word at `pa`, a multiple of 8. */
export function write64(ram: Ram, pa: PhysAddr, value: bigint): void {
  const chunk = makeChunk(ram, pa)
  chunk.view.setBigUint64(pa - chunk.base, value, true)
}

/** What was written, as plain data: the number of each chunk and its bytes. */
export type RamSnapshot = readonly (readonly [index: number, bytes: Uint8Array])[]

function isZero(bytes: Uint8Array): boolean {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, CHUNK / 4)
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false
  return true
}

/** A copy of everything; chunks that are zero throughout are left out. */
export function snapshotRam(ram: Ram): RamSnapshot {
  return [...ram.chunks]
    .filter(([, { bytes }]) => !isZero(bytes))
    .sort(([a], [b]) => a - b)
    .map(([index, { bytes }]) => [index, bytes.slice()])
}

/** Makes `ram` what it was when `snapshot` was taken. */
export function restoreRam(ram: Ram, snapshot: RamSnapshot): void {
  ram.chunks.clear()
  ram.near.fill(null)
  for (const [index, bytes] of snapshot) ram.chunks.set(index, chunkOf(index, bytes.slice()))
}
// #endregion ram-bytes
