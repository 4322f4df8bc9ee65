// SPDX-License-Identifier: MIT
//
// Clearing the pages of a new buffer, on a 32-bit ARM machine with two levels of cache.

/** One level. Each call takes the lines of [pa, pa + size). */
export interface Cache {
  /** Dirty lines are written to the next level; they stay. */
  clean(pa: number, size: number): void
  /** Lines are forgotten, dirty or not. */
  invalidate(pa: number, size: number): void
  /** Dirty lines are written to the next level; then all are forgotten. */
  flush(pa: number, size: number): void
}

/** processor, L1, outer cache, RAM, in this order. */
export interface Memory {
  /** memset() through the linear map, which is cached: the zeros are in L1 when it returns. */
  zero(pa: number, size: number): void
  readonly l1: Cache
  readonly outer: Cache
}

/**
 * Clears a buffer of whole pages, so that its device finds zeros, and nothing that is in a cache now comes in between
 * later. `coherent` says whether the device asks the caches.
 */
export function clearBuffer(memory: Memory, pa: number, size: number, coherent: boolean): void {
  memory.zero(pa, size)
  if (coherent) return
  memory.l1.flush(pa, size)
}
