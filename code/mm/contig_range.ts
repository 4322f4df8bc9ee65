// SPDX-License-Identifier: MIT
//
// Taking a range of pages by their pfn, alloc_contig_range() of mm/page_alloc.c: whoever is in it has to leave.
//
//     isolate     the pageblocks around it: nobody gets in any more
//     migrate     those who are in move out
//     test        is all of it free?
//     take        the free blocks that cover it, off their lists
//     free        what was taken too much, before and behind
//     undo        the pageblocks are as before
//
//                 3.5                    3.9, 4.6, 4.12         6.1, 6.12
//     isolates    the largest free blocks around it (4 MiB)     pageblocks
//     page busy   ends it (3.x)          4.x: seen at the test  seen at the test
//     also        reclaims before taking
//
// Linux does this under locks or with the pages out of reach; nobody else runs here meanwhile.
//
// Leaves out: per-cpu lists (drain_all_pages() is recorded as a step and has nothing to do), __GFP_COMP, huge pages.

// #region contig-range-imports
import { EBUSY, EINVAL } from '../lib/errno.ts'
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { round_down, round_up, type Pfn } from '../lib/units.ts'
import { createCompactControl, type CompactControl } from './compaction_isolate.ts'
import { isolate_freepages_range } from './contig_freepages.ts'
import { __alloc_contig_migrate_range } from './contig_migrate.ts'
import { __reclaim_pages } from './contig_reclaim_3x.ts'
import {
  __GFP_COMP,
  __GFP_DMA,
  __GFP_DMA32,
  __GFP_FS,
  __GFP_HARDWALL,
  __GFP_HIGHMEM,
  __GFP_IO,
  __GFP_MOVABLE,
  __GFP_NOWARN,
  __GFP_RECLAIM,
  __GFP_RECLAIMABLE,
  __GFP_RETRY_MAYFAIL,
  __GFP_ZERO,
  GFP_HIGHUSER_MOVABLE,
} from './gfp.ts'
import { lru_add_drain_all } from './lru.ts'
import type { Pgdat } from './mmzone.ts'
import { mustBeValid, page_zone, PageBuddy } from './page.ts'
import { __free_pages } from './page_alloc.ts'
import {
  find_large_buddy,
  start_isolate_page_range,
  test_pages_isolated,
  undo_isolate_page_range,
} from './page_isolation.ts'
import type { Vm } from './vm.ts'
// #endregion contig-range-imports

// #region contig-range-type
/** A function that takes a range: alloc_contig_range(), or one in its place, e.g. one that finds every range busy. */
export type ContigRange = (vm: Vm, start: Pfn, end: Pfn, migratetype: number, gfp_mask: number) => number
// #endregion contig-range-type

// #region contig-range-alloc
/**
 * Takes the pages `[start, end)`, all of one zone: 0, and each page has one reference and is nobody else's; its contents
 * are what the last owner left (init_on_alloc=1, which clears them, is left out). Or nothing is taken: -EBUSY (a page cannot be moved, or is held; a pageblock is of another
 * use, or isolated already), -ENOMEM (no target for a page that had to move), -EINTR (the task is killed),
 * -EINVAL (`gfp_mask` has flags that make no sense here; 6.12).
 * 4.6 and 4.12 may say -EBUSY and have taken the range: a page was busy while others moved, but free when it was tested.
 * What has moved stays where it went, also when it was in vain.
 * `migratetype` is what the pageblocks are, MIGRATE_CMA or MIGRATE_MOVABLE.
 * Throws when the range is empty, or not of whole pages of the node.
 * @kernel mm/page_alloc.c alloc_contig_range() v6.1, alloc_contig_range_noprof() v6.12
 */
export function alloc_contig_range(
  vm: Vm,
  start: Pfn,
  end: Pfn,
  migratetype: number,
  gfp_mask: number,
): number {
  const { pgdat } = vm
  const { kernel } = pgdat
  mustBeRange(pgdat, start, end)
  const gfp = gfpOfMigration(kernel, gfp_mask)
  if (gfp === null) return -EINVAL
  const unit = isolationUnit(pgdat)
  const from = round_down(start, unit)
  const to = round_up(end, unit)
  // #region contig-range-alloc-steps
  const cc = createCompactControl(page_zone(pgdat, start), 'MIGRATE_SYNC', gfp)
  vm.steps?.push('start_isolate_page_range')
  // 6.x widens the range itself, to pageblocks.
  const modern = kernelAtLeast(kernel, '6.1.192')
  let ret = start_isolate_page_range(pgdat, modern ? start : from, modern ? end : to, migratetype)
  // 3.5 and 6.x undo what a failed isolation has undone already.
  if (ret !== 0 && kernel !== '3.5' && !modern) return ret
  if (ret === 0) ret = takeRange(vm, cc, start, end, migratetype)
  vm.steps?.push('undo_isolate_page_range')
  undo_isolate_page_range(pgdat, from, to, migratetype)
  return ret
  // #endregion contig-range-alloc-steps
}
// #endregion contig-range-alloc

// #region contig-range-must-be
function mustBeRange(pgdat: Pgdat, start: Pfn, end: Pfn): void {
  if (!Number.isInteger(start) || !Number.isInteger(end) || end <= start) {
    throw new Error(
      `alloc_contig_range: [${start}, ${end}) holds no whole page, expected pfns, the lower one first; ` +
        'the end is the first pfn behind the range',
    )
  }
  mustBeValid(pgdat, start, end - start, 'alloc_contig_range')
}
// #endregion contig-range-must-be

// #region contig-range-unit
// To multiples of how many pages the range is widened: until 4.12 such that no free block reaches over the edge.
function isolationUnit({ kernel, pageblock_order, maxOrder }: Pgdat): number {
  return 2 ** (kernelAtLeast(kernel, '6.1.192') ? pageblock_order : Math.max(maxOrder, pageblock_order))
}
// #endregion contig-range-unit

// #region contig-range-gfp
const IGNORED = __GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_RECLAIMABLE | __GFP_HARDWALL | __GFP_MOVABLE
const RECLAIM = __GFP_IO | __GFP_FS | __GFP_RECLAIM
const ACTION = __GFP_COMP | __GFP_RETRY_MAYFAIL | __GFP_NOWARN | __GFP_ZERO

// What the caller's flags mean for those who have to move; null when they cannot be (6.12, which is the first to look).
// As __alloc_contig_verify_gfp_mask() of mm/page_alloc.c.
function gfpOfMigration(kernel: KernelVersion, gfp_mask: number): number | null {
  if (!kernelAtLeast(kernel, '6.12.117')) return gfp_mask
  const asked = gfp_mask & ~IGNORED
  if (asked & ~(RECLAIM | ACTION)) return null
  const kept = asked & (RECLAIM | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
  return kept | __GFP_HARDWALL | __GFP_MOVABLE | __GFP_RETRY_MAYFAIL
}
// #endregion contig-range-gfp

// #region contig-range-take
// What comes between isolation and its undoing.
function takeRange(vm: Vm, cc: CompactControl, start: Pfn, end: Pfn, migratetype: number): number {
  const { kernel } = vm.pgdat
  const modern = kernelAtLeast(kernel, '6.1.192')
  if (modern) vm.steps?.push('drain_all_pages')
  vm.steps?.push('__alloc_contig_migrate_range')
  const ret = __alloc_contig_migrate_range(vm, cc, start, end, migratetype)
  // A busy page may be free by the time of the test, and the test says which page it is. 3.x does not wait for it.
  if (ret !== 0 && (ret !== -EBUSY || !kernelAtLeast(kernel, '4.6'))) return ret
  if (!modern) {
    lru_add_drain_all(vm)
    vm.steps?.push('drain_all_pages')
  }
  const taken = takeFree(vm, cc, start, end)
  // 4.x forgets that the page was busy once, and returns that.
  return taken === 0 && !modern ? ret : taken
}
// #endregion contig-range-take

// #region contig-range-take-free
// Takes the range if all of it is free.
function takeFree(vm: Vm, cc: CompactControl, start: Pfn, end: Pfn): number {
  const { pgdat } = vm
  vm.steps?.push('outer_start')
  const outer_start = outerStart(pgdat, start)
  if (outer_start === null) return -EBUSY
  vm.steps?.push('test_pages_isolated')
  if (test_pages_isolated(pgdat, outer_start, end) !== 0) {
    logBusy(vm, outer_start, end)
    return -EBUSY
  }
  if (pgdat.kernel === '3.5') {
    vm.steps?.push('__reclaim_pages')
    __reclaim_pages(vm, cc.zone, GFP_HIGHUSER_MOVABLE, end - start)
  }
  vm.steps?.push('isolate_freepages_range')
  const outer_end = isolate_freepages_range(vm, cc, outer_start, end)
  if (outer_end === 0) return -EBUSY
  vm.steps?.push('free_contig_range')
  free_contig_range(vm, outer_start, start - outer_start)
  free_contig_range(vm, end, outer_end - end)
  return 0
}
// #endregion contig-range-take-free

// #region contig-range-outer-start
// Where the free block begins that has `start`; free blocks can only be taken whole. When there is none, 3.x has failed
// (null), and later kernels let the test find it. 3.x takes any free block before `start` for it.
function outerStart(pgdat: Pgdat, start: Pfn): Pfn | null {
  if (kernelAtLeast(pgdat.kernel, '4.6')) return find_large_buddy(pgdat, start)
  for (let order = 0; order <= pgdat.maxOrder; order++) {
    const pfn = round_down(start, 2 ** order)
    if (pfn >= pgdat.map.start_pfn && PageBuddy(pgdat, pfn)) return pfn
  }
  return null
}
// #endregion contig-range-outer-start

// #region contig-range-log
// What is said of a range that is not free: in 3.x and 4.x in the log, in 6.x by the event alone.
function logBusy({ log, pgdat: { kernel } }: Vm, start: Pfn, end: Pfn): void {
  if (kernelAtLeast(kernel, '6.1.192')) return
  const range = `${start.toString(16)}, ${end.toString(16)}`
  if (kernelAtLeast(kernel, '4.6')) log.print('info', `alloc_contig_range: [${range}) PFNs busy`)
  else log.print('warn', `alloc_contig_range test_pages_isolated(${range}) failed`)
}
// #endregion contig-range-log

// #region contig-range-free
/**
 * Drops a reference of each of `nr_pages` pages from `pfn` on. Pages that somebody else holds stay his until he lets go; a
 * warning says how many they are (3.9 and later).
 * @kernel mm/page_alloc.c free_contig_range() v6.12
 */
export function free_contig_range(vm: Vm, pfn: Pfn, nr_pages: number): void {
  const { map, kernel } = vm.pgdat
  let count = 0
  for (let page = pfn; page < pfn + nr_pages; page++) {
    if (map.refcount[page - map.start_pfn] !== 1) count++
    __free_pages(vm.pgdat, page, 0)
  }
  if (count === 0 || kernel === '3.5') return
  vm.log.print('warn', `${count} pages are still in use!`)
  vm.log.print('warn', 'WARNING: at mm/page_alloc.c free_contig_range')
}
// #endregion contig-range-free
