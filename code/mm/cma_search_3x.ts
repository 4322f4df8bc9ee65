// SPDX-License-Identifier: MIT
//
// Allocation from a contiguous memory area in 3.5 and 3.9, where drivers/base/dma-contiguous.c does it all.
//
//     under cma_mutex:   search the bitmap → take the range → set the bits       set after, not before
//                                ▲──── -EBUSY: + mask + 1 ────┘
//
// A bit is a page; a place is aligned by its bit, which is right because areas begin on 4 MiB at least.
// No event, no counter, and no word in the log when it fails.

// #region cma-3x-imports
import { bitmap_clear, bitmap_find_next_zero_area_off, bitmap_set } from '../lib/bitmap.ts'
import { EBUSY } from '../lib/errno.ts'
import type { Pfn } from '../lib/units.ts'
import type { ActiveCma, Cma } from './cma_declare.ts'
import { free_contig_range, type ContigRange } from './contig_range.ts'
import type { Vm } from './vm.ts'
// #endregion cma-3x-imports

// #region cma-3x-alloc
/**
 * `count` pages from a bit on that is a multiple of `2^align`: the first pfn, or null.
 * As dma_alloc_from_contiguous() in drivers/base/dma-contiguous.c of 3.5, which chooses the area and limits `align`.
 */
export function allocFromArea3x(
  vm: Vm,
  cma: Cma | null,
  count: number,
  align: number,
  contigRange: ContigRange,
): Pfn | null {
  if (!cma?.bitmap || cma.count === 0 || count === 0) return null
  const mask = 2 ** align - 1
  for (let start = 0; ;) {
    const bit = bitmap_find_next_zero_area_off(cma.bitmap, cma.count, start, count, mask, 0)
    if (bit >= cma.count) return null
    const pfn = cma.base_pfn + bit
    const ret = contigRange(vm, pfn, pfn + count, vm.pgdat.migrate.CMA, 0)
    if (ret === 0) {
      bitmap_set(cma.bitmap, bit, count)
      return pfn
    }
    if (ret !== -EBUSY) return null
    start = bit + mask + 1
  }
}
// #endregion cma-3x-alloc

// #region cma-3x-release
/**
 * Gives `count` pages of the area back: the bits first, then the pages. True.
 * As dma_release_from_contiguous() in drivers/base/dma-contiguous.c of 3.5.
 */
export function releaseToArea3x(vm: Vm, cma: ActiveCma, pfn: Pfn, count: number): boolean {
  bitmap_clear(cma.bitmap, pfn - cma.base_pfn, count)
  free_contig_range(vm, pfn, count)
  return true
}
// #endregion cma-3x-release
