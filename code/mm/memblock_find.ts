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
/** What is told of a free range `[from, to)`; true ends the walk. */
type Visit = (from: PhysAddr, to: PhysAddr) => boolean

/**
 * Walks what nobody has, lowest first: memory that is neither NOMAP nor reserved.
 * @kernel include/linux/memblock.h for_each_free_mem_range() v6.12
 */
export function forEachFreeRange({ memory, reserved }: Memblock, visit: Visit): void {
  let taken = 0
  for (const region of memory.regions) {
    if (memblock_is_nomap(region)) continue
    let from = region.base
    while (from < regionEnd(region)) {
      const next = reserved.regions[taken]
      const to = next ? Math.min(next.base, regionEnd(region)) : regionEnd(region)
      if (to > from && visit(from, to)) return
      if (!next || next.base >= regionEnd(region)) break
      from = Math.max(from, regionEnd(next))
      // It may reach into the next region of memory.
      if (regionEnd(next) <= regionEnd(region)) taken++
    }
  }
}
// #endregion memblock-free-ranges

// #region memblock-free-ranges-reverse
// The same, highest first.
function forEachFreeRangeReverse({ memory, reserved }: Memblock, visit: Visit): void {
  let taken = reserved.regions.length - 1
  for (let i = memory.regions.length - 1; i >= 0; i--) {
    const region = memory.regions[i]!
    if (memblock_is_nomap(region)) continue
    let to = regionEnd(region)
    while (to > region.base) {
      const next = reserved.regions[taken]
      const from = next ? Math.max(regionEnd(next), region.base) : region.base
      if (from < to && visit(from, to)) return
      if (!next || regionEnd(next) <= region.base) break
      to = Math.min(to, next.base)
      if (next.base >= region.base) taken--
    }
  }
}
// #endregion memblock-free-ranges-reverse

// #region memblock-find-directions
type Place = (from: PhysAddr, to: PhysAddr, size: Bytes, align: Bytes) => PhysAddr

// The lowest place in a range, and the highest; 0 when it is too small.
const lowEnd: Place = (from, to, size, align) => {
  const candidate = round_up(from, align)
  return candidate < to && to - candidate >= size ? candidate : 0
}

const highEnd: Place = (from, to, size, align) => {
  const candidate = to < size ? 0 : round_down(to - size, align)
  return candidate >= from ? candidate : 0
}
// #endregion memblock-find-directions

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
  const lowest = Math.max(start, memblock.pageSize)
  const highest = Math.max(lowest, end === MEMBLOCK_ALLOC_ACCESSIBLE ? memblock.current_limit : end)
  const clamp = (addr: PhysAddr) => Math.min(Math.max(addr, lowest), highest)
  const [walk, place] = memblock.bottom_up ? [forEachFreeRange, lowEnd] : [forEachFreeRangeReverse, highEnd]
  let found = 0
  walk(memblock, (from, to) => {
    found = place(clamp(from), clamp(to), size, align)
    return found > 0
  })
  return found
}
// #endregion memblock-find

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
