// SPDX-License-Identifier: MIT
//
// Taking free pages by their pfn, the part of mm/compaction.c that alloc_contig_range() uses: free blocks are taken off
// their lists and cut into single pages.
//
//     free blocks   ▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒│▒▒▒▒
//     wanted            start                 end          the last block is taken whole: the caller frees the rest
//
// Leaves out: the free scanner of compaction itself.

// #region contig-freepages-imports
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import type { CompactControl } from './compaction_isolate.ts'
import { account_freepages, del_page_from_free_list } from './free_list.ts'
import type { Pgdat, Zone } from './mmzone.ts'
import { buddy_order, get_pageblock_migratetype, PageBuddy, pageblock_end_pfn } from './page.ts'
import { __free_pages } from './page_alloc.ts'
import type { Vm } from './vm.ts'
import { zone_watermark_ok } from './watermark.ts'
// #endregion contig-freepages-imports

// #region contig-freepages-range
/**
 * Takes the free blocks from `start_pfn` on until `[start_pfn, end_pfn)` is covered; each page has a reference then.
 * The first pfn behind them, `end_pfn` or above; 0: a page is not free, or (3.5) the zone would fall below its low
 * watermark, and nothing is taken. `start_pfn` must begin a free block.
 * @kernel mm/compaction.c isolate_freepages_range() v6.12
 * @cost the free blocks of the range, and setting the references of their pages
 */
export function isolate_freepages_range(vm: Vm, cc: CompactControl, start_pfn: Pfn, end_pfn: Pfn): Pfn {
  const { pgdat } = vm
  let pfn = start_pfn
  while (pfn < end_pfn) {
    const from = pfn
    const blockEnd = Math.min(pageblock_end_pfn(pgdat, pfn), end_pfn)
    let blocks = 0
    while (pfn < blockEnd) {
      const isolated = isolateBlock(pgdat, cc.zone, pfn)
      if (isolated === 0) {
        giveBack(pgdat, start_pfn, pfn)
        return 0
      }
      pfn += isolated
      blocks++
    }
    if (vm.trace.enabled) traceTaken(vm, from, pfn, blockEnd, blocks)
  }
  return pfn
}
// #endregion contig-freepages-range

// #region contig-freepages-block
// Takes the free block at `pfn`, as single pages: how many, 0 for none.
function isolateBlock(pgdat: Pgdat, zone: Zone, pfn: Pfn): number {
  if (!PageBuddy(pgdat, pfn)) return 0
  const order = buddy_order(pgdat, pfn)
  const pages = 2 ** order
  // 3.5 obeys the watermark as if for an ordinary allocation; later, isolated pages are not asked about.
  if (pgdat.kernel === '3.5' && !zone_watermark_ok(pgdat, zone, 0, zone.watermark.low + pages, 0, 0)) return 0
  const at = pfn - pgdat.map.start_pfn
  account_freepages(pgdat, zone, -pages, get_pageblock_migratetype(pgdat, pfn))
  del_page_from_free_list(pgdat.map, at, zone, order)
  pgdat.map.refcount.fill(1, at, at + pages)
  return pages
}

function giveBack(pgdat: Pgdat, start_pfn: Pfn, end_pfn: Pfn): void {
  for (let pfn = start_pfn; pfn < end_pfn; pfn++) __free_pages(pgdat, pfn, 0)
}
// #endregion contig-freepages-block

// #region contig-freepages-trace
// An event for each pageblock. What counts as scanned is a free block, since 6.1 each of its pages.
function traceTaken(vm: Vm, start_pfn: Pfn, pfn: Pfn, blockEnd: Pfn, blocks: number): void {
  const { kernel } = vm.pgdat
  const nr_taken = pfn - start_pfn
  const counts = { nr_scanned: kernelAtLeast(kernel, '6.1.192') ? nr_taken : blocks, nr_taken }
  const range = kernelAtLeast(kernel, '4.6') ? { start_pfn, end_pfn: blockEnd } : {}
  vm.trace.emit('mm_compaction_isolate_freepages', { ...range, ...counts })
}
// #endregion contig-freepages-trace
