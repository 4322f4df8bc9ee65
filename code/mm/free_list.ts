// SPDX-License-Identifier: MIT
//
// The free lists of a zone: a list for each order and migratetype, linked through the first pages of the free blocks.
//
//     free_list[order][migratetype] → ▒▒▒▒ ⇄ ▒▒▒▒ ⇄ ▒▒▒▒ ← free_tail        blocks of 2^order pages
//         head: what is given next                └─ tail: what is likely to merge soon, or fresh from boot
//
// A free block knows the list it is on, for after a fallback that may be another than the type of its pageblock says:
//
//     flags     14..11 order   10..8 migratetype   7 PG_buddy   6..0 zero      and `index` is the order, for others
//
// Pages are `at` = pfn - start_pfn here, for these are the innermost loops.
//
// Leaves out: guard pages, shuffled lists.

// #region free-list-imports
import {
  MIGRATE_TYPES,
  NR_FREE_CMA_PAGES,
  NR_FREE_PAGES,
  PG_buddy,
  type MemMap,
  type Pgdat,
  type Zone,
} from './mmzone.ts'
// #endregion free-list-imports

// #region free-list-account
/**
 * Counts `nr_pages` more free pages, or fewer. Isolated ones do not count, except in 3.5, which has no counter of free
 * CMA pages either.
 * @kernel mm/page_alloc.c account_freepages() v6.12; __mod_zone_freepage_state() before
 */
export function account_freepages(pgdat: Pgdat, zone: Zone, nr_pages: number, migratetype: number): void {
  if (migratetype < FIRST_APART) zone.vm_stat[NR_FREE_PAGES]! += nr_pages
  else accountApart(pgdat, zone, nr_pages, migratetype)
}

/** MIGRATE_CMA: pages of this type and of the next, ISOLATE, are not simply free. */
const FIRST_APART = 4

function accountApart(
  { rules, migrate }: Pgdat,
  { vm_stat }: Zone,
  nr_pages: number,
  migratetype: number,
): void {
  if (migratetype === migrate.CMA || !rules.countsCma) vm_stat[NR_FREE_PAGES]! += nr_pages
  if (migratetype === migrate.CMA && rules.countsCma) vm_stat[NR_FREE_CMA_PAGES]! += nr_pages
}
// #endregion free-list-account

// #region free-list-flags
const TYPE_SHIFT = 8
const ORDER_SHIFT = 11
const BUDDY_MASK = PG_buddy | (15 << ORDER_SHIFT)

/** Whether `flags` are those of a free block of this order. */
export function isFreeBlock(flags: number, order: number): boolean {
  return (flags & BUDDY_MASK) === (PG_buddy | (order << ORDER_SHIFT))
}

/** The migratetype of the list that the free block at `at` is on. */
export function freeListType({ flags }: MemMap, at: number): number {
  return (flags[at]! >> TYPE_SHIFT) & 7
}
// #endregion free-list-flags

// #region free-list-add
/**
 * Puts a block first on a list, or last; counters of free pages are the caller's.
 * @kernel mm/page_alloc.c __add_to_free_list() v6.12
 */
export function __add_to_free_list(
  map: MemMap,
  at: number,
  zone: Zone,
  order: number,
  migratetype: number,
  tail: boolean,
): void {
  const list = order * MIGRATE_TYPES + migratetype
  const { free_list } = zone
  const before = tail ? free_list[2 * list + 1]! : -1
  const after = tail ? -1 : free_list[2 * list]!
  map.prev[at] = before
  map.next[at] = after
  if (before < 0) free_list[2 * list] = at
  else map.next[before] = at
  if (after < 0) free_list[2 * list + 1] = at
  else map.prev[after] = at
  zone.nr_free[list]!++
  map.flags[at] = PG_buddy | (migratetype << TYPE_SHIFT) | (order << ORDER_SHIFT)
  map.index[at] = order
}
// #endregion free-list-add

// #region free-list-del
/**
 * Takes a block of 2^order off its list; counters of free pages are the caller's. `index` keeps what is of no meaning then.
 * @kernel mm/page_alloc.c __del_page_from_free_list() v6.12
 */
export function del_page_from_free_list(map: MemMap, at: number, zone: Zone, order: number): void {
  const list = order * MIGRATE_TYPES + freeListType(map, at)
  const { free_list } = zone
  const after = map.next[at]!
  const before = map.prev[at]!
  if (before < 0) free_list[2 * list] = after
  else map.next[before] = after
  if (after < 0) free_list[2 * list + 1] = before
  else map.prev[after] = before
  zone.nr_free[list]!--
  map.flags[at] = 0
}
// #endregion free-list-del

// #region free-list-move
/**
 * Puts a free block on the list of another type, at its tail since 5.10, at its head before. Isolated pages stop being
 * counted as free, and CMA pages as CMA, which Linux before 6.12 leaves to the caller.
 * @kernel mm/page_alloc.c move_to_free_list() v6.12
 */
export function move_to_free_list(
  pgdat: Pgdat,
  at: number,
  zone: Zone,
  order: number,
  migratetype: number,
): void {
  const { map } = pgdat
  const old = freeListType(map, at)
  del_page_from_free_list(map, at, zone, order)
  __add_to_free_list(map, at, zone, order, migratetype, pgdat.rules.movesToTail)
  if (old === migratetype) return
  account_freepages(pgdat, zone, -(1 << order), old)
  account_freepages(pgdat, zone, 1 << order, migratetype)
}
// #endregion free-list-move

// #region free-list-expand
/**
 * Cuts a block of 2^high pages down to its lowest 2^low: upper halves go back, each on the list of its order.
 * What was counted as free is not changed.
 *
 *     high 3   ▒▒▒▒▒▒▒▒        →   order 0 │▒│ the caller's
 *                                  8 9 ▒▒ ▒▒▒▒ orders 0, 1, 2
 * @kernel mm/page_alloc.c expand() v6.12
 */
export function expand(
  map: MemMap,
  zone: Zone,
  at: number,
  low: number,
  high: number,
  migratetype: number,
): void {
  const { next, prev, flags, index } = map
  const { free_list, nr_free } = zone
  while (high > low) {
    high--
    const half = at + (1 << high)
    // __add_to_free_list() at the head, written out: with the columns in hand, a split costs half.
    // #region free-list-expand-put
    const list = high * MIGRATE_TYPES + migratetype
    const head = free_list[2 * list]!
    next[half] = head
    prev[half] = -1
    if (head < 0) free_list[2 * list + 1] = half
    else prev[head] = half
    free_list[2 * list] = half
    nr_free[list]!++
    flags[half] = PG_buddy | (migratetype << TYPE_SHIFT) | (high << ORDER_SHIFT)
    index[half] = high
    // #endregion free-list-expand-put
  }
}
// #endregion free-list-expand

// #region free-list-smallest
/**
 * Takes the first block of a list, of 2^high pages, keeps its lowest 2^low pages and counts them as used.
 * @kernel mm/page_alloc.c page_del_and_expand() v6.12
 */
export function page_del_and_expand(
  pgdat: Pgdat,
  zone: Zone,
  at: number,
  low: number,
  high: number,
  migratetype: number,
): void {
  const { map } = pgdat
  const list = 2 * (high * MIGRATE_TYPES + migratetype)
  // del_page_from_free_list(), but for a block that is known to be first.
  const after = map.next[at]!
  zone.free_list[list] = after
  if (after < 0) zone.free_list[list + 1] = -1
  else map.prev[after] = -1
  zone.nr_free[list >> 1]!--
  map.flags[at] = 0
  if (high > low) expand(map, zone, at, low, high, migratetype)
  account_freepages(pgdat, zone, -(1 << low), migratetype)
}

// #endregion free-list-smallest

// #region free-list-first
/** The first block of a list, or -1. @kernel mm/page_alloc.c get_page_from_free_area() v6.12 */
export function get_page_from_free_area(zone: Zone, order: number, migratetype: number): number {
  return zone.free_list[2 * (order * MIGRATE_TYPES + migratetype)]!
}

/**
 * The first block of the lowest order that has one: `at` of 2^order pages, or -1.
 * @kernel mm/page_alloc.c __rmqueue_smallest() v6.12
 */
export function __rmqueue_smallest(pgdat: Pgdat, zone: Zone, order: number, migratetype: number): number {
  const { free_list } = zone
  const { maxOrder } = pgdat
  for (let current = order; current <= maxOrder; current++) {
    const at = free_list[2 * (current * MIGRATE_TYPES + migratetype)]!
    if (at < 0) continue
    page_del_and_expand(pgdat, zone, at, order, current, migratetype)
    return at
  }
  return -1
}
// #endregion free-list-first
