// SPDX-License-Identifier: MIT
//
// How 6.12 falls back: it either takes over a whole pageblock (claim) or takes one piece and leaves the rest with the type
// that it belongs to (steal). Blocks and lists never disagree any more.
//
//     claim     the largest block of another type whose pageblock may change sides
//     steal     the smallest block of another type
//
// 6.12.117 has this as a backport; the first 6.12 releases took their piece out of the block that they could not claim.

// #region page-alloc-claim-imports
import {
  __rmqueue_smallest,
  account_freepages,
  del_page_from_free_list,
  expand,
  get_page_from_free_area,
  page_del_and_expand,
} from './free_list.ts'
import type { Pgdat, Zone } from './mmzone.ts'
import { get_pageblock_migratetype, set_pageblock_migratetype } from './page.ts'
import {
  blockStart,
  blockUse,
  can_steal_fallback,
  change_pageblock_range,
  find_suitable_fallback,
  mayClaim,
  move_freepages_block,
  traceExtfrag,
} from './page_alloc_fallback.ts'
// #endregion page-alloc-claim-imports

// #region page-alloc-claim
/**
 * A page out of a pageblock that the request could take over whole: `at`, or -1.
 * `noFragment` is ALLOC_NOFRAGMENT: whole pageblocks only.
 * @kernel mm/page_alloc.c __rmqueue_claim() v6.12.117
 */
export function __rmqueue_claim(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  start_migratetype: number,
  noFragment: boolean,
): number {
  const min = noFragment ? Math.max(order, pgdat.pageblock_order) : order
  for (let current = pgdat.maxOrder; current >= min; current--) {
    const from = find_suitable_fallback(pgdat, zone, current, start_migratetype)
    if (from < 0) continue
    if (!can_steal_fallback(pgdat, current, start_migratetype)) break
    const found = get_page_from_free_area(zone, current, from)
    const at = try_to_steal_block(pgdat, zone, found, current, order, start_migratetype)
    if (at < 0) continue
    if (pgdat.trace.enabled) traceExtfrag(pgdat, at, order, current, start_migratetype, from)
    return at
  }
  return -1
}
// #endregion page-alloc-claim

// #region page-alloc-claim-try
// Takes over the pageblock of a free block and a page out of it; -1 when too little of it is free or alike.
function try_to_steal_block(
  pgdat: Pgdat,
  zone: Zone,
  at: number,
  current_order: number,
  order: number,
  start_type: number,
): number {
  const { map } = pgdat
  const pfn = at + map.start_pfn
  const block_type = get_pageblock_migratetype(pgdat, pfn)
  if (block_type === pgdat.migrate.HIGHATOMIC) return -1
  if (current_order >= pgdat.pageblock_order) {
    del_page_from_free_list(map, at, zone, current_order)
    change_pageblock_range(pgdat, pfn, current_order, start_type)
    expand(map, zone, at, order, current_order, start_type)
    account_freepages(pgdat, zone, -(1 << order), start_type)
    return at
  }
  const start = blockStart(pgdat, zone, pfn)
  if (start === null || !mayClaim(pgdat, blockUse(pgdat, start), block_type, start_type)) return -1
  move_freepages_block(pgdat, zone, pfn, start_type)
  set_pageblock_migratetype(pgdat, pfn, start_type)
  return __rmqueue_smallest(pgdat, zone, order, start_type)
}
// #endregion page-alloc-claim-try

// #region page-alloc-claim-steal
/**
 * A page of another type's smallest block; what is left of that stays with its type. `at`, or -1 when there is none.
 * @kernel mm/page_alloc.c __rmqueue_steal() v6.12.117
 */
export function __rmqueue_steal(pgdat: Pgdat, zone: Zone, order: number, start_migratetype: number): number {
  for (let current = order; current <= pgdat.maxOrder; current++) {
    const from = find_suitable_fallback(pgdat, zone, current, start_migratetype)
    if (from < 0) continue
    const at = get_page_from_free_area(zone, current, from)
    page_del_and_expand(pgdat, zone, at, order, current, from)
    if (pgdat.trace.enabled) traceExtfrag(pgdat, at, order, current, start_migratetype, from)
    return at
  }
  return -1
}
// #endregion page-alloc-claim-steal
