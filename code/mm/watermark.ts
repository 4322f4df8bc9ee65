// SPDX-License-Identifier: MIT
//
// Watermarks: how much of a zone has to stay free, and from whom.
//
//     free pages   ──────────────────────────────────────  kswapd rests
//          high    ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
//          low     ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄  below: kswapd wakes
//          min     ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄  below: reclaim; a part is for those who cannot
//
// A request that may not use CMA does not see free CMA pages (since 3.7): plenty of them, and still out of memory.
// Leaves out: watermark_boost_factor, the drift of per-cpu counters, and the one or two pageblocks of each zone that 3.x marks
// RESERVE whenever it sets watermarks (setup_zone_migrate_reserve()).

// #region watermark-imports
import {
  ALLOC_CMA,
  ALLOC_HIGHATOMIC,
  ALLOC_MIN_RESERVE,
  ALLOC_NON_BLOCK,
  ALLOC_OOM,
  ALLOC_RESERVES,
} from './page_alloc_rmqueue.ts'
import { MIGRATE_TYPES, NR_FREE_CMA_PAGES, NR_FREE_PAGES, type Pgdat, type Zone } from './mmzone.ts'
// #endregion watermark-imports

// #region watermark-min
// What is left of a mark for a request with these rights: every division truncates.
function markFor(pgdat: Pgdat, mark: number, alloc_flags: number): number {
  let min = mark
  if (alloc_flags & ALLOC_MIN_RESERVE) min -= Math.floor(min / 2)
  const harder = (alloc_flags & ALLOC_NON_BLOCK) !== 0
  const quarter = pgdat.rules.watermark === '6.x' ? harder && (alloc_flags & ALLOC_MIN_RESERVE) !== 0 : harder
  if (quarter) min -= Math.floor(min / 4)
  if (alloc_flags & ALLOC_OOM) min -= Math.floor(min / 2)
  return min
}

// Free pages that are not for this request.
function unusableFree(pgdat: Pgdat, zone: Zone, order: number, alloc_flags: number): number {
  let unusable = (1 << order) - 1
  const reserves = pgdat.rules.watermark === '6.x' ? ALLOC_RESERVES : ALLOC_NON_BLOCK
  if ((alloc_flags & reserves) === 0) unusable += zone.nr_reserved_highatomic
  if (pgdat.rules.countsCma && (alloc_flags & ALLOC_CMA) === 0) unusable += zone.vm_stat[NR_FREE_CMA_PAGES]!
  return unusable
}
// #endregion watermark-min

// #region watermark-ok
/**
 * Whether a zone with `free_pages` free pages can spare 2^order and stay above `mark`. `highest_zoneidx` is the zone that
 * the request would have liked best: the lower this zone, the more is kept.
 * @kernel mm/page_alloc.c __zone_watermark_ok() v6.12
 */
export function __zone_watermark_ok(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  mark: number,
  highest_zoneidx: number,
  alloc_flags: number,
  free_pages: number,
): boolean {
  const usable = free_pages - unusableFree(pgdat, zone, order, alloc_flags)
  const min = alloc_flags & ALLOC_RESERVES ? markFor(pgdat, mark, alloc_flags) : mark
  if (usable <= min + zone.lowmem_reserve[highest_zoneidx]!) return false
  if (order === 0) return true
  return pgdat.rules.watermark === '3.x'
    ? enoughAbove(zone, order, min, usable)
    : hasBlock(pgdat, zone, order, alloc_flags)
}

// #endregion watermark-ok

// #region watermark-ok-zone
/** The same with the zone's own free pages. @kernel mm/page_alloc.c zone_watermark_ok() v6.12 */
export function zone_watermark_ok(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  mark: number,
  highest_zoneidx: number,
  alloc_flags: number,
): boolean {
  const free = zone.vm_stat[NR_FREE_PAGES]!
  return __zone_watermark_ok(pgdat, zone, order, mark, highest_zoneidx, alloc_flags, free)
}
// #endregion watermark-ok-zone

// #region watermark-fast
/**
 * The same, quickly for a single page when there is plenty. Reserves may be more than is free of them: then it looks closer.
 * @kernel mm/page_alloc.c zone_watermark_fast() v6.12
 */
export function zone_watermark_fast(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  mark: number,
  highest_zoneidx: number,
  alloc_flags: number,
): boolean {
  const { vm_stat } = zone
  const free = vm_stat[NR_FREE_PAGES]!
  if (order === 0) {
    const cma = alloc_flags & ALLOC_CMA ? 0 : vm_stat[NR_FREE_CMA_PAGES]!
    const usable = free - cma - zone.nr_reserved_highatomic
    if (usable > mark + zone.lowmem_reserve[highest_zoneidx]!) return true
  }
  return __zone_watermark_ok(pgdat, zone, order, mark, highest_zoneidx, alloc_flags, free)
}
// #endregion watermark-fast

// #region watermark-blocks
// 3.x: smaller blocks are of no use, so they do not count; but less is asked for with each order.
function enoughAbove(zone: Zone, order: number, min: number, free: number): boolean {
  for (let below = 0; below < order; below++) {
    for (let type = 0; type < MIGRATE_TYPES; type++)
      free -= zone.nr_free[below * MIGRATE_TYPES + type]! << below
    min >>= 1
    if (free <= min) return false
  }
  return true
}

// 4.x, 6.x: one block that is big enough, on a list that the request may use.
function hasBlock(pgdat: Pgdat, zone: Zone, order: number, alloc_flags: number): boolean {
  const { HIGHATOMIC, CMA } = pgdat.migrate
  const { nr_free } = zone
  const anyType = pgdat.rules.watermark === '4.x' && (alloc_flags & ALLOC_NON_BLOCK) !== 0
  const last = anyType ? MIGRATE_TYPES : HIGHATOMIC
  for (let at = order; at <= pgdat.maxOrder; at++) {
    const row = at * MIGRATE_TYPES
    for (let type = 0; type < last; type++) if (nr_free[row + type]! > 0) return true
    if ((alloc_flags & ALLOC_CMA) !== 0 && nr_free[row + CMA]! > 0) return true
    if ((alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM)) !== 0 && nr_free[row + HIGHATOMIC]! > 0) return true
  }
  return false
}
// #endregion watermark-blocks

// #region watermark-lowmem
/** By what the pages above are divided: sysctl_lowmem_reserve_ratio of the zone that keeps them. */
const LOWMEM_RESERVE_RATIO = { DMA: 256, DMA32: 256, Normal: 32, HighMem: 0, Movable: 0 } as const

// 3.5 does not tell managed pages from present ones.
function pagesOf(pgdat: Pgdat, zone: Zone): number {
  return pgdat.rules.countsCma ? zone.managed_pages : zone.present_pages
}

/**
 * Sets what each zone keeps from requests that could have come from a higher one: a share of the pages above it.
 * Until 4.12 an empty zone keeps its share too, which nobody misses.
 * @kernel mm/page_alloc.c setup_per_zone_lowmem_reserve() v6.12
 */
export function setup_per_zone_lowmem_reserve(pgdat: Pgdat): void {
  const { zones } = pgdat
  for (const [i, zone] of zones.entries()) {
    const ratio = LOWMEM_RESERVE_RATIO[zone.name]
    const keeps = ratio > 0 && (pgdat.rules.watermark !== '6.x' || zone.managed_pages > 0)
    zone.lowmem_reserve.fill(0)
    let above = 0
    for (let j = i + 1; j < zones.length; j++) {
      above += pagesOf(pgdat, zones[j]!)
      if (keeps) zone.lowmem_reserve[j] = Math.floor(above / ratio)
    }
  }
}
// #endregion watermark-lowmem

// #region watermark-min-free
/**
 * min_free_kbytes as a kernel chooses it: four times the square root of the memory that it can use itself, in KiB.
 * @kernel mm/page_alloc.c calculate_min_free_kbytes() v6.12
 * @omits khugepaged, which raises it where there are transparent huge pages
 */
export function calculate_min_free_kbytes(pgdat: Pgdat): void {
  const usable = pgdat.zones.filter(isLowmem)
  const above = (zone: Zone) => Math.max(pagesOf(pgdat, zone) - zone.watermark.high, 0)
  const kbytes = usable.reduce((sum, zone) => sum + above(zone), 0) * (pgdat.pageSize / 1024)
  const root = Math.floor(Math.sqrt(kbytes * 16))
  pgdat.min_free_kbytes = Math.min(Math.max(root, 128), pgdat.rules.maxMinFreeKbytes)
}

const isLowmem = ({ name }: Zone) => name !== 'HighMem' && name !== 'Movable'
// #endregion watermark-min-free

// #region watermark-setup
/**
 * Sets the watermarks of all zones by `min_free_kbytes`, each its share by size.
 * @kernel mm/page_alloc.c setup_per_zone_wmarks() v6.12
 */
export function setup_per_zone_wmarks(pgdat: Pgdat): void {
  const pages_min = Math.floor((pgdat.min_free_kbytes * 1024) / pgdat.pageSize)
  const lowmem = pgdat.zones.filter(isLowmem)
  const lowmem_pages = lowmem.reduce((sum, zone) => sum + pagesOf(pgdat, zone), 0)
  for (const zone of pgdat.zones) {
    const pages = pagesOf(pgdat, zone)
    const share = lowmem_pages > 0 ? Math.floor((pages_min * pages) / lowmem_pages) : 0
    const min = isLowmem(zone) ? share : Math.min(Math.max(Math.floor(pages / 1024), 32), 128)
    setWatermarks(pgdat, zone, min, share)
  }
}

// #endregion watermark-setup

// #region watermark-distances
// 3.x: a quarter of the share above, and another. Since 4.6 at least a thousandth of the zone each.
function setWatermarks(pgdat: Pgdat, zone: Zone, min: number, share: number): void {
  const quarter = Math.floor(share / 4)
  const scaled = Math.floor((pagesOf(pgdat, zone) * WATERMARK_SCALE_FACTOR) / 10000)
  const delta = pgdat.rules.scalesWatermarks ? Math.max(quarter, scaled) : quarter
  const high = pgdat.rules.scalesWatermarks ? min + 2 * delta : min + Math.floor(share / 2)
  const raised = zone.min_cma_pages
  zone.watermark = {
    min: min + raised,
    low: min + delta + raised,
    high: high + raised,
    promo: high + delta + raised,
  }
}

/** watermark_scale_factor, of 10000. */
const WATERMARK_SCALE_FACTOR = 10
// #endregion watermark-distances

// #region watermark-init
/**
 * What a kernel does once its zones are filled: chooses min_free_kbytes, sets watermarks and reserves.
 * @kernel mm/page_alloc.c init_per_zone_wmark_min() v6.12
 */
export function init_per_zone_wmark_min(pgdat: Pgdat): void {
  calculate_min_free_kbytes(pgdat)
  setup_per_zone_wmarks(pgdat)
  setup_per_zone_lowmem_reserve(pgdat)
}
// #endregion watermark-init
