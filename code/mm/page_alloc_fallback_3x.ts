// SPDX-License-Identifier: MIT
//
// How 3.5 and 3.9 fall back: CMA is the first other type of a movable request, and no more than that.
//
//     order 10    CMA  −    RECLAIMABLE ▒ ←  taken: the search goes by orders first, by types within
//     order 3     CMA ▒                      CMA is preferred at the same order only
//
// What is cut off a block of CMA stays CMA; what is cut off another becomes the request's.

// #region page-alloc-fallback-3x-imports
import {
  account_freepages,
  del_page_from_free_list,
  expand,
  freeListType,
  get_page_from_free_area,
} from './free_list.ts'
import type { Pgdat, Zone } from './mmzone.ts'
import { set_pageblock_migratetype } from './page.ts'
import {
  change_pageblock_range,
  find_suitable_fallback,
  move_freepages_block,
  traceExtfrag,
} from './page_alloc_fallback.ts'
// #endregion page-alloc-fallback-3x-imports

// #region page-alloc-fallback-3x
/**
 * A page of another type's largest block: `at`, or -1 when there is none.
 * @kernel mm/page_alloc.c __rmqueue_fallback() v3.5
 */
export function fallback3x(pgdat: Pgdat, zone: Zone, order: number, start_migratetype: number): number {
  for (let current = pgdat.maxOrder; current >= order; current--) {
    const from = find_suitable_fallback(pgdat, zone, current, start_migratetype)
    if (from < 0) continue
    const at = get_page_from_free_area(zone, current, from)
    const type = takeOver(pgdat, zone, at, current, from, start_migratetype)
    const rest = type === pgdat.migrate.CMA ? type : start_migratetype
    const list = freeListType(pgdat.map, at)
    del_page_from_free_list(pgdat.map, at, zone, current)
    expand(pgdat.map, zone, at, order, current, rest)
    account_freepages(pgdat, zone, -(1 << order), list)
    if (pgdat.trace.enabled) traceExtfrag(pgdat, at, order, current, start_migratetype, type)
    return at
  }
  return -1
}
// #endregion page-alloc-fallback-3x

// #region page-alloc-fallback-3x-take-over
// Changes what the block belongs to: the type that it is then said to come from. Blocks of CMA are never touched.
function takeOver(
  pgdat: Pgdat,
  zone: Zone,
  at: number,
  order: number,
  from: number,
  start_migratetype: number,
): number {
  const { migrate, pageblock_order, page_group_by_mobility_disabled: ungrouped } = pgdat
  if (from === migrate.CMA) return from
  const pfn = at + pgdat.map.start_pfn
  const big = order >= pageblock_order >> 1
  const moves = big || start_migratetype === migrate.RECLAIMABLE || ungrouped
  if (moves) {
    const pages = move_freepages_block(pgdat, zone, pfn, start_migratetype)
    if (pages >= 1 << (pageblock_order - 1) || ungrouped) {
      set_pageblock_migratetype(pgdat, pfn, start_migratetype)
    }
  }
  if (order >= pageblock_order) change_pageblock_range(pgdat, pfn, order, start_migratetype)
  return moves ? start_migratetype : from
}
// #endregion page-alloc-fallback-3x-take-over
