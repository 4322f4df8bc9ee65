// SPDX-License-Identifier: MIT
//
// Where memblock finds room. Linux looks from the top down unless told otherwise: low addresses are scarce, some devices
// reach nothing else. That is why one more early allocation moves the default CMA area, which comes after it.
//
//     memory     ├───────────────┤ NOMAP ├────────────────────────────┤
//     reserved        ▓▓▓                         ▓▓▓▓▓          ▓▓▓▓▓▓
//     free       ░░░░░   ░░░░░░░░         ░░░░░░░░     ░░░░░░░░░░
//                        └ bottom-up: first that fits         └ top-down: last that fits, at its upper end
//
// 0 means "found nothing"; page 0 is never given out for that reason.

// #region memblock-find-imports
import { round_down, round_up, type Bytes, type PhysAddr } from '../lib/units.ts'
import {
  MEMBLOCK_ALLOC_ACCESSIBLE,
  memblock_is_nomap,
  memblock_reserve,
  regionEnd,
  type Memblock,
} from './memblock.ts'
// #endregion memblock-find-imports

// #region memblock-free-ranges
/** `[start, end)` of what nobody has, lowest first: memory that is neither NOMAP nor reserved. */
export function freeRanges(memblock: Memblock): [PhysAddr, PhysAddr][] {
  const free: [PhysAddr, PhysAddr][] = []
  for (const memory of memblock.memory.regions) {
    if (memblock_is_nomap(memory)) continue
    let from = memory.base
    for (const reserved of memblock.reserved.regions) {
      if (regionEnd(reserved) <= from) continue
      if (reserved.base >= regionEnd(memory)) break
      if (reserved.base > from) free.push([from, reserved.base])
      from = regionEnd(reserved)
    }
    if (from < regionEnd(memory)) free.push([from, regionEnd(memory)])
  }
  return free
}
// #endregion memblock-free-ranges

// #region memblock-find
/**
 * An address for `size` bytes at a multiple of `align` within `[start, end)`, or 0. Takes nothing.
 * `end` may be `MEMBLOCK_ALLOC_ACCESSIBLE` or `MEMBLOCK_ALLOC_ANYWHERE`.
 * @kernel mm/memblock.c memblock_find_in_range_node() v6.12
 * @omits the node id and mirrored memory
 */
export function memblock_find_in_range_node(
  memblock: Memblock,
  size: Bytes,
  align: Bytes,
  start: PhysAddr,
  end: PhysAddr,
): PhysAddr {
  const highest = end === MEMBLOCK_ALLOC_ACCESSIBLE ? memblock.current_limit : end
  const lowest = Math.max(start, memblock.pageSize)
  const clamp = (addr: PhysAddr) => Math.min(Math.max(addr, lowest), Math.max(lowest, highest))
  const ranges = freeRanges(memblock).map(([from, to]) => [clamp(from), clamp(to)] as const)
  return memblock.bottom_up
    ? __memblock_find_range_bottom_up(ranges, size, align)
    : __memblock_find_range_top_down(ranges, size, align)
}
// #endregion memblock-find

// #region memblock-find-directions
type Ranges = readonly (readonly [PhysAddr, PhysAddr])[]

function __memblock_find_range_bottom_up(ranges: Ranges, size: Bytes, align: Bytes): PhysAddr {
  for (const [from, to] of ranges) {
    const candidate = round_up(from, align)
    if (candidate < to && to - candidate >= size) return candidate
  }
  return 0
}

function __memblock_find_range_top_down(ranges: Ranges, size: Bytes, align: Bytes): PhysAddr {
  for (const [from, to] of ranges.toReversed()) {
    if (to < size) continue
    const candidate = round_down(to - size, align)
    if (candidate >= from) return candidate
  }
  return 0
}
// #endregion memblock-find-directions

// #region memblock-alloc
/** Cache line size that an allocation without alignment gets. @kernel arch/arm64/include/asm/cache.h v6.12 */
export const SMP_CACHE_BYTES: Bytes = 64

/**
 * Finds room as `memblock_find_in_range_node()` does and reserves it; 0 when there is none.
 * @kernel mm/memblock.c memblock_phys_alloc_range() v6.12
 */
export function memblock_phys_alloc_range(
  memblock: Memblock,
  size: Bytes,
  align: Bytes,
  start: PhysAddr,
  end: PhysAddr,
): PhysAddr {
  const found = memblock_find_in_range_node(memblock, size, align || SMP_CACHE_BYTES, start, end)
  if (found) memblock_reserve(memblock, found, size)
  return found
}
// #endregion memblock-alloc

// #region memblock-alloc-short
/** Anywhere the kernel can reach. @kernel include/linux/memblock.h memblock_phys_alloc() v6.12 */
export function memblock_phys_alloc(memblock: Memblock, size: Bytes, align: Bytes): PhysAddr {
  return memblock_phys_alloc_range(memblock, size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE)
}

/** `find` with the direction set for its duration. */
export function withDirection<T>(memblock: Memblock, bottomUp: boolean, find: () => T): T {
  const before = memblock.bottom_up
  memblock.bottom_up = bottomUp
  const result = find()
  memblock.bottom_up = before
  return result
}
// #endregion memblock-alloc-short
