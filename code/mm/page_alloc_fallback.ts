// SPDX-License-Identifier: MIT
//
// A request whose own lists are empty looks at those of other types, largest block first: better to take over a whole
// pageblock than to leave an unmovable page in each of many.
//
//     pageblock of type M     ▒▒▒▒ u ▒▒▒▒▒▒ u u ▒▒▒        request UNMOVABLE
//     free + alike ≥ half?    yes: the block becomes U, with all of its free pages
//                             no:  6.1 moves the free pages to U's lists anyway, the block stays M
//                                  6.12 takes one piece and leaves the rest on M's lists
//
// Nobody but MOVABLE ever looks at CMA, and nobody at ISOLATE: they are in no row of the table (page_alloc_rules.ts).

// #region page-alloc-fallback-imports
import { get_page_from_free_area, move_to_free_list } from './free_list.ts'
import { MIGRATE_TYPES, PG_buddy, PG_lru, type Pgdat, type Zone } from './mmzone.ts'
import {
  get_pageblock_migratetype,
  pageblock_start_pfn,
  set_pageblock_migratetype,
  zone_spans_pfn,
} from './page.ts'
import type { Pfn } from '../lib/units.ts'
// #endregion page-alloc-fallback-imports

// #region page-alloc-fallback-block
/** Free pages of a pageblock, and pages of programs in it, which could be moved. */
export interface BlockUse {
  readonly free: number
  readonly movable: number
}

/** Where the pageblock around `pfn` begins; null when it reaches out of its zone, for then it is nobody's to take. */
export function blockStart(pgdat: Pgdat, zone: Zone, pfn: Pfn): Pfn | null {
  const start = pageblock_start_pfn(pgdat, pfn)
  const last = start + (1 << pgdat.pageblock_order) - 1
  return zone_spans_pfn(zone, start) && zone_spans_pfn(zone, last) ? start : null
}

/** What a pageblock is used for. @cost a look at each of its pages */
export function blockUse({ map, pageblock_order }: Pgdat, start: Pfn): BlockUse {
  let free = 0
  let movable = 0
  const end = start - map.start_pfn + (1 << pageblock_order)
  for (let at = start - map.start_pfn; at < end;) {
    const flags = map.flags[at]!
    const pages = flags & PG_buddy ? 1 << map.index[at]! : 1
    if (flags & PG_buddy) free += pages
    else if (flags & PG_lru) movable++
    at += pages
  }
  return { free, movable }
}
// #endregion page-alloc-fallback-block

// #region page-alloc-fallback-move
/**
 * Puts the free pages of the pageblock around `pfn` on the lists of `migratetype`: how many pages they are. The type of
 * the block is the caller's business ({@link set_pageblock_migratetype}); the counters of free pages follow here, whatever
 * the version. Without effect, 0, when the block reaches out of its zone.
 * @kernel mm/page_alloc.c move_freepages_block() v6.1
 */
export function move_freepages_block(pgdat: Pgdat, zone: Zone, pfn: Pfn, migratetype: number): number {
  const start = blockStart(pgdat, zone, pfn)
  if (start === null) return 0
  const { map, pageblock_order } = pgdat
  const end = start - map.start_pfn + (1 << pageblock_order)
  let moved = 0
  for (let at = start - map.start_pfn; at < end;) {
    if ((map.flags[at]! & PG_buddy) === 0) {
      at++
      continue
    }
    const order = map.index[at]!
    move_to_free_list(pgdat, at, zone, order, migratetype)
    at += 1 << order
    moved += 1 << order
  }
  return moved
}

// #endregion page-alloc-fallback-move

// #region page-alloc-fallback-change
/** Gives every pageblock of a block of 2^order pages a type. @kernel mm/page_alloc.c change_pageblock_range() v6.12 */
export function change_pageblock_range(pgdat: Pgdat, pfn: Pfn, order: number, migratetype: number): void {
  const blocks = 1 << (order - pgdat.pageblock_order)
  for (let i = 0; i < blocks; i++)
    set_pageblock_migratetype(pgdat, pfn + (i << pgdat.pageblock_order), migratetype)
}
// #endregion page-alloc-fallback-change

// #region page-alloc-fallback-find
/**
 * The first type of the request's row that has a free block of this order, or -1.
 * @kernel mm/page_alloc.c find_suitable_fallback() v6.12
 */
export function find_suitable_fallback(pgdat: Pgdat, zone: Zone, order: number, migratetype: number): number {
  const row = pgdat.rules.fallbacks[migratetype]!
  for (let i = 0; i < row.length; i++) {
    if (zone.nr_free[order * MIGRATE_TYPES + row[i]!]! > 0) return row[i]!
  }
  return -1
}

/**
 * Whether a request may try to take over the whole pageblock: if the free block is big, or the request would spoil it.
 * @kernel mm/page_alloc.c can_steal_fallback() v6.12
 */
export function can_steal_fallback(pgdat: Pgdat, order: number, start_mt: number): boolean {
  return (
    order >= pgdat.pageblock_order >> 1 ||
    start_mt === pgdat.migrate.RECLAIMABLE ||
    start_mt === pgdat.migrate.UNMOVABLE ||
    pgdat.page_group_by_mobility_disabled
  )
}
// #endregion page-alloc-fallback-find

// #region page-alloc-fallback-claims
/** Whether enough of a block is free, or in use by pages like those of the request, for it to change sides. */
export function mayClaim(
  pgdat: Pgdat,
  { free, movable }: BlockUse,
  old_type: number,
  start_type: number,
): boolean {
  const { migrate, rules, pageblock_order } = pgdat
  if (pgdat.page_group_by_mobility_disabled) return true
  let alike = 0
  if (rules.countsAlike && start_type === migrate.MOVABLE) alike = movable
  else if (rules.countsAlike && old_type === migrate.MOVABLE) alike = (1 << pageblock_order) - free - movable
  return free + alike >= 1 << (pageblock_order - 1)
}
// #endregion page-alloc-fallback-claims

// #region page-alloc-fallback-steal-block
/**
 * Makes a free block the request's, and with it as much of its pageblock as the rules give.
 * @kernel mm/page_alloc.c steal_suitable_fallback() v6.1
 * @omits raising the watermarks for a while (watermark_boost_factor)
 */
function steal_suitable_fallback(
  pgdat: Pgdat,
  zone: Zone,
  at: number,
  start_type: number,
  whole_block: boolean,
): void {
  const pfn = at + pgdat.map.start_pfn
  const order = pgdat.map.index[at]!
  const old_type = get_pageblock_migratetype(pgdat, pfn)
  if (old_type !== pgdat.migrate.HIGHATOMIC && order >= pgdat.pageblock_order) {
    change_pageblock_range(pgdat, pfn, order, start_type)
  } else if (old_type !== pgdat.migrate.HIGHATOMIC && whole_block) {
    const start = blockStart(pgdat, zone, pfn)
    if (start !== null) {
      const use = blockUse(pgdat, start)
      move_freepages_block(pgdat, zone, pfn, start_type)
      if (mayClaim(pgdat, use, old_type, start_type)) set_pageblock_migratetype(pgdat, pfn, start_type)
      return
    }
  }
  move_to_free_list(pgdat, at, zone, order, start_type)
}
// #endregion page-alloc-fallback-steal-block

// #region page-alloc-fallback-smallest
// The order of the smallest block that any type of the row has, from `order` up.
function smallestFallback(pgdat: Pgdat, zone: Zone, order: number, migratetype: number): number {
  while (find_suitable_fallback(pgdat, zone, order, migratetype) < 0) order++
  return order
}
// #endregion page-alloc-fallback-smallest

// #region page-alloc-fallback-restart
/**
 * 4.x, 6.1: puts a block of another type, and what comes with it, on the request's lists: the `at` of the block, or -1
 * when there is none.
 * A movable request that cannot take over a pageblock takes the smallest block, in 6.1; the largest, in 4.x.
 * `noFragment` is ALLOC_NOFRAGMENT: whole pageblocks only.
 * @kernel mm/page_alloc.c __rmqueue_fallback() v6.1
 */
export function __rmqueue_fallback(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  start_migratetype: number,
  noFragment: boolean,
): number {
  const min = noFragment ? Math.max(order, pgdat.pageblock_order) : order
  for (let current = pgdat.maxOrder; current >= min; current--) {
    let from = find_suitable_fallback(pgdat, zone, current, start_migratetype)
    if (from < 0) continue
    const whole = can_steal_fallback(pgdat, current, start_migratetype)
    if (!whole && start_migratetype === pgdat.migrate.MOVABLE && pgdat.rules.takesSmallest) {
      current = smallestFallback(pgdat, zone, order, start_migratetype)
      from = find_suitable_fallback(pgdat, zone, current, start_migratetype)
    }
    const at = get_page_from_free_area(zone, current, from)
    steal_suitable_fallback(pgdat, zone, at, start_migratetype, whole)
    if (pgdat.trace.enabled) traceExtfrag(pgdat, at, order, current, start_migratetype, from)
    return at
  }
  return -1
}
// #endregion page-alloc-fallback-restart

// #region page-alloc-fallback-trace
/**
 * Emits mm_page_alloc_extfrag; call it when the types of blocks are changed. In 3.x `change_ownership` says that the two
 * types are one, which is how its allocator tells that the free pages of the block have changed sides.
 */
export function traceExtfrag(
  pgdat: Pgdat,
  at: number,
  alloc_order: number,
  fallback_order: number,
  alloc_migratetype: number,
  fallback_migratetype: number,
): void {
  const pfn = at + pgdat.map.start_pfn
  const then = pgdat.rules.rmqueue === 'cma-among-others'
  const owner = then ? fallback_migratetype : get_pageblock_migratetype(pgdat, pfn)
  pgdat.trace.emit('mm_page_alloc_extfrag', {
    ...{ pfn, alloc_order, fallback_order, pageblock_order: pgdat.pageblock_order },
    ...{ alloc_migratetype, fallback_migratetype },
    fragmenting: fallback_order < pgdat.pageblock_order ? 1 : 0,
    change_ownership: owner === alloc_migratetype ? 1 : 0,
  })
}
// #endregion page-alloc-fallback-trace
