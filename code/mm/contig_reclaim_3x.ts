// SPDX-License-Identifier: MIT
//
// Reclaim before a range is taken, in 3.5 only: so that the system does not starve from what the range takes, as many pages
// must be free besides as it has.
//
//     watermarks   min      low      high            724 / 905 / 1086
//     + count      └──────────────────────▶          1748 / 1929 / 2110    until free > low
//
// free counts the isolated pages still (in 3.5), which is what the raised watermarks stand for.

// #region contig-reclaim-imports
import type { Pgdat, Zone } from './mmzone.ts'
import { NR_FREE_PAGES } from './mmzone.ts'
import type { Vm } from './vm.ts'
import { setup_per_zone_wmarks, zone_watermark_ok } from './watermark.ts'
// #endregion contig-reclaim-imports

// #region contig-reclaim-watermarks
// Raises the three watermarks of the zone by `count` pages, or lowers them.
function __update_cma_watermarks(pgdat: Pgdat, zone: Zone, count: number): void {
  zone.min_cma_pages += count
  setup_per_zone_wmarks(pgdat)
}
// #endregion contig-reclaim-watermarks

// #region contig-reclaim-pages
/**
 * Reclaims until the zone is above its low watermark raised by `count` pages: `count`, which nobody looks at.
 * Each round that frees nothing calls the OOM killer. Throws when that frees nothing either: 3.5 stays here.
 * @kernel mm/page_alloc.c __reclaim_pages() v3.5
 */
export function __reclaim_pages(vm: Vm, zone: Zone, gfp_mask: number, count: number): number {
  const { pgdat } = vm
  const { hooks } = pgdat
  const order = 1
  __update_cma_watermarks(pgdat, zone, count)
  while (!zone_watermark_ok(pgdat, zone, 0, zone.watermark.low, 0, 0)) {
    const before = zone.vm_stat[NR_FREE_PAGES]!
    hooks.wakeKswapd?.(zone)
    if (!hooks.reclaim?.(zone, gfp_mask, order)) hooks.outOfMemory?.(gfp_mask, order)
    if (zone.vm_stat[NR_FREE_PAGES]! <= before) throw stuck(pgdat, zone, count)
  }
  __update_cma_watermarks(pgdat, zone, -count)
  return count
}

function stuck(pgdat: Pgdat, zone: Zone, count: number): Error {
  const { low } = zone.watermark
  __update_cma_watermarks(pgdat, zone, -count)
  return new Error(
    `__reclaim_pages: zone ${zone.name} has ${zone.vm_stat[NR_FREE_PAGES]} free pages, expected more than ${low} ` +
      `(low watermark and ${count}); 3.5 kills processes here without end: take fewer pages, or free some first`,
  )
}
// #endregion contig-reclaim-pages
