// SPDX-License-Identifier: MIT
//
// lib/genalloc.c: a pool of address space in pieces of one page. A chunk is a run of addresses with a bitmap; a pool asks
// its chunks one after the other.
//
//     const pool = gen_pool_create(4096)
//     gen_pool_add_virt(pool, virt, phys, KiB(128))
//     const addr = gen_pool_alloc(pool, KiB(8))      the lowest place that fits, or 0
//     gen_pool_free(pool, addr, KiB(8))
//
// Who remembers sizes is the caller: freeing other bits than were taken is a BUG.
//
// Leaves out: other algorithms than first fit by order, owners, NUMA nodes.

// #region genalloc-imports
import {
  bitmap_clear,
  bitmap_find_next_zero_area_off,
  bitmap_set,
  bitmap_zalloc,
  find_next_zero_bit,
  type Bitmap,
} from './bitmap.ts'
import type { Bytes, PhysAddr, VirtAddr } from './units.ts'
// #endregion genalloc-imports

// #region genalloc-types
/** A run of addresses. @kernel include/linux/genalloc.h struct gen_pool_chunk v6.12 */
export interface GenPoolChunk {
  readonly start_addr: VirtAddr
  readonly phys_addr: PhysAddr
  readonly size: Bytes
  /** Bytes not given out. */
  avail: Bytes
  readonly bits: Bitmap
}

/** @kernel include/linux/genalloc.h struct gen_pool v6.12 */
export interface GenPool {
  /** Bytes that a bit stands for; Linux keeps its logarithm, `min_alloc_order`. */
  readonly granule: Bytes
  /** Whether a request of n bits begins at a multiple of n, rounded up to a power of two, counted from the chunk's start. */
  readonly orderAligned: boolean
  /** Newest first. */
  readonly chunks: GenPoolChunk[]
}

/** A pool without memory. @kernel lib/genalloc.c gen_pool_create() v6.12 */
export function gen_pool_create(granule: Bytes, orderAligned = true): GenPool {
  return { granule, orderAligned, chunks: [] }
}

/** Gives a pool `size` bytes at `virt`. @kernel include/linux/genalloc.h gen_pool_add_virt() v6.12 */
export function gen_pool_add_virt(pool: GenPool, virt: VirtAddr, phys: PhysAddr, size: Bytes): void {
  const bits = bitmap_zalloc(Math.ceil(size / pool.granule))
  pool.chunks.unshift({ start_addr: virt, phys_addr: phys, size, avail: size, bits })
}
// #endregion genalloc-types

// #region genalloc-alloc
/**
 * The address of `size` bytes, rounded up to whole bits, or 0 when no chunk has such a run.
 * @kernel lib/genalloc.c gen_pool_alloc() v6.12, with gen_pool_first_fit_order_align()
 */
export function gen_pool_alloc(pool: GenPool, size: Bytes): VirtAddr {
  if (size === 0) return 0
  const nr = Math.ceil(size / pool.granule)
  const align_mask = pool.orderAligned ? 2 ** Math.ceil(Math.log2(nr)) - 1 : 0
  for (const chunk of pool.chunks) {
    if (size > chunk.avail) continue
    const end = Math.floor(chunk.size / pool.granule)
    const start = bitmap_find_next_zero_area_off(chunk.bits, end, 0, nr, align_mask, 0)
    if (start >= end) continue
    bitmap_set(chunk.bits, start, nr)
    chunk.avail -= nr * pool.granule
    return chunk.start_addr + start * pool.granule
  }
  return 0
}
// #endregion genalloc-alloc

// #region genalloc-free
const ends = (chunk: GenPoolChunk) => chunk.start_addr + chunk.size
const holds = (chunk: GenPoolChunk, addr: VirtAddr, size: Bytes) =>
  addr >= chunk.start_addr && addr + size <= ends(chunk)

/**
 * Takes `size` bytes at `addr` back. Throws, where Linux has BUG(), when no chunk has them or a bit of them was free.
 * @kernel lib/genalloc.c gen_pool_free() v6.12
 */
export function gen_pool_free(pool: GenPool, addr: VirtAddr, size: Bytes): void {
  const chunk = pool.chunks.find((each) => holds(each, addr, size))
  const nr = Math.ceil(size / pool.granule)
  const range = `0x${addr.toString(16)}+0x${size.toString(16)}`
  if (!chunk)
    throw new Error(`gen_pool_free: ${range} is in no chunk of the pool; free what gen_pool_alloc() gave`)
  const start = (addr - chunk.start_addr) / pool.granule
  const free = find_next_zero_bit(chunk.bits, start + nr, start)
  if (free < start + nr) {
    throw new Error(
      `gen_pool_free: bit ${free} of ${range} is free already; free with the size that was taken`,
    )
  }
  bitmap_clear(chunk.bits, start, nr)
  chunk.avail += nr * pool.granule
}
// #endregion genalloc-free

// #region genalloc-queries
/** Whether all of the range lies in one chunk. @kernel lib/genalloc.c gen_pool_has_addr() v6.12 */
export function gen_pool_has_addr(pool: GenPool, start: VirtAddr, size: Bytes): boolean {
  return pool.chunks.some((chunk) => holds(chunk, start, size))
}

/** The physical address behind an address of the pool. @kernel lib/genalloc.c gen_pool_virt_to_phys() v6.12 */
export function gen_pool_virt_to_phys(pool: GenPool, addr: VirtAddr): PhysAddr {
  const chunk = pool.chunks.find((each) => holds(each, addr, 1))
  if (!chunk) throw new Error(`gen_pool_virt_to_phys: 0x${addr.toString(16)} is in no chunk of the pool`)
  return chunk.phys_addr + (addr - chunk.start_addr)
}

/** Bytes that are free. @kernel lib/genalloc.c gen_pool_avail() v6.12 */
export function gen_pool_avail(pool: GenPool): Bytes {
  return pool.chunks.reduce((sum, chunk) => sum + chunk.avail, 0)
}

/** Bytes in all. @kernel lib/genalloc.c gen_pool_size() v6.12 */
export function gen_pool_size(pool: GenPool): Bytes {
  return pool.chunks.reduce((sum, chunk) => sum + chunk.size, 0)
}
// #endregion genalloc-queries
