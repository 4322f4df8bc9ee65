// SPDX-License-Identifier: MIT
//
// Free pages come back: a block looks for its buddy, the neighbour with which it makes a block of the next order, and goes
// on as long as there is one.
//
//     pfn      0   1   2   3   4   5   6   7
//     free     ▒   ▒   ▒   ↓   ▒   ▒   ▒   ▒      3 is freed: its buddy is 3 ^ 1 = 2
//                          └─ 2..3 → 2 ^ 2 = 0: 0..3 → 0 ^ 4 = 4: 0..7, one block of order 3
//
// Where buddies are blocks of whole pageblocks, types must agree (MC-9.6). The merged block goes to the list of the
// pageblock's type, at the tail if the block above it is likely to become whole soon.
//
// Leaves out: per-cpu lists (Linux keeps small blocks there for a while; what is freed here is free at once, as after
// drain_all_pages()), capture by compaction, poisoning.

// #region page-alloc-free-imports
import type { Pfn } from '../lib/units.ts'
import { __add_to_free_list, account_freepages, del_page_from_free_list, isFreeBlock } from './free_list.ts'
import { PG_active, PG_locked, PG_lru, PG_unevictable, PG_writeback } from './mmzone.ts'
import type { Pgdat, Zone } from './mmzone.ts'
import { get_pageblock_migratetype, page_zone } from './page.ts'
// #endregion page-alloc-free-imports

// #region page-alloc-free-one
/**
 * Merges a block of 2^order pages with its buddies and puts it on the list of `migratetype`. The caller has the type of
 * its pageblock; `toTail` is FPI_TO_TAIL.
 * @kernel mm/page_alloc.c __free_one_page() v6.12
 */
export function __free_one_page(
  pgdat: Pgdat,
  pfn: Pfn,
  zone: Zone,
  order: number,
  migratetype: number,
  toTail = false,
): void {
  // #region page-alloc-free-one-begin
  const { map, maxOrder, pageblock_order } = pgdat
  const { flags } = map
  const first = zone.zone_start_pfn - map.start_pfn
  const end = zone.zone_end_pfn - map.start_pfn
  let at = pfn - map.start_pfn
  if (at & ((1 << order) - 1)) throw misaligned(pfn, order)
  // #endregion page-alloc-free-one-begin
  account_freepages(pgdat, zone, 1 << order, migratetype)
  while (order < maxOrder) {
    const buddy = at ^ (1 << order)
    if (buddy < first || buddy >= end) break
    if (!isFreeBlock(flags[buddy]!, order)) break
    if (order >= pageblock_order && !mayMerge(pgdat, buddy, order, migratetype)) break
    del_page_from_free_list(map, buddy, zone, order)
    at &= buddy
    order++
  }
  const tail = toTail || buddy_merge_likely(pgdat, at, order, first, end)
  __add_to_free_list(map, at, zone, order, migratetype, tail)
}
// #endregion page-alloc-free-one

// #region page-alloc-free-may-merge
// Whether blocks of whole pageblocks may become one, by their types; 6.12 gives the buddy's blocks the type at once.
function mayMerge(pgdat: Pgdat, buddy: number, order: number, migratetype: number): boolean {
  const { migrate, rules, pageblock_flags, pageblock_order } = pgdat
  const block = buddy >> pageblock_order
  const other = pageblock_flags[block]!
  if (other === migratetype || rules.keepsApart === 'none') return true
  if (rules.keepsApart === 'isolated') return other !== migrate.ISOLATE && migratetype !== migrate.ISOLATE
  if (other >= migrate.HIGHATOMIC || migratetype >= migrate.HIGHATOMIC) return false
  if (rules.mergeSetsType) pageblock_flags.fill(migratetype, block, block + (1 << (order - pageblock_order)))
  return true
}
// #endregion page-alloc-free-may-merge

// #region page-alloc-free-merge-likely
/**
 * Whether the block above is free but for this one's buddy: then this one had better not be given soon.
 * @kernel mm/page_alloc.c buddy_merge_likely() v6.12
 */
function buddy_merge_likely(pgdat: Pgdat, at: number, order: number, first: number, end: number): boolean {
  const half = 1 << order
  const above = (at & ~half) ^ (half << 1)
  if (order >= pgdat.maxOrder - 1 || above < first || above >= end) return false
  return (
    isFreeBlock(pgdat.map.flags[above]!, order + 1) && !(pgdat.rules.mergeLikelyOfLower && (at & half) !== 0)
  )
}
// #endregion page-alloc-free-merge-likely

// #region page-alloc-free-prepare
const NOT_AT_FREE = PG_lru | PG_active | PG_unevictable | PG_locked | PG_writeback

/**
 * Forgets what 2^order pages were. Throws where Linux reports `Bad page state`: somebody maps them, or has them on a list.
 * @kernel mm/page_alloc.c free_pages_prepare() v6.12
 */
export function free_pages_prepare(pgdat: Pgdat, pfn: Pfn, order: number): void {
  const { flags, mapcount, mapping, start_pfn } = pgdat.map
  const end = pfn - start_pfn + (1 << order)
  for (let at = pfn - start_pfn; at < end; at++) {
    if ((flags[at]! & NOT_AT_FREE) !== 0 || mapcount[at] !== 0) throw badPage(pgdat, at)
    flags[at] = 0
    mapping[at] = 0
  }
}
// #endregion page-alloc-free-prepare

// #region page-alloc-free-pages-ok
/**
 * Gives back 2^order pages that nobody refers to any more.
 * @kernel mm/page_alloc.c __free_pages_ok() v6.12
 */
export function __free_pages_ok(pgdat: Pgdat, pfn: Pfn, order: number, toTail = false): void {
  free_pages_prepare(pgdat, pfn, order)
  const zone = page_zone(pgdat, pfn)
  __free_one_page(pgdat, pfn, zone, order, get_pageblock_migratetype(pgdat, pfn), toTail)
  pgdat.vm_event.pgfree += 1 << order
}
// #endregion page-alloc-free-pages-ok

// #region page-alloc-free-complaints
function misaligned(pfn: Pfn, order: number): Error {
  const hex = `0x${pfn.toString(16)}`
  return new Error(
    `__free_one_page: pfn ${hex} does not begin a block of order ${order}, expected a multiple of ${1 << order}; ` +
      'free what was allocated, with its order',
  )
}

function badPage({ map }: Pgdat, at: number): Error {
  const flags = map.flags[at]!
  return new Error(
    `__free_pages: bad page state of pfn 0x${(at + map.start_pfn).toString(16)}: flags 0x${flags.toString(16)}, ` +
      `mapcount ${map.mapcount[at]}, expected none of 0x${NOT_AT_FREE.toString(16)} and 0; ` +
      'take it off its LRU list and out of the page tables first',
  )
}
// #endregion page-alloc-free-complaints
