// SPDX-License-Identifier: MIT
//
// What struct page and the pageblock map tell of a pfn: its zone, whether it begins a free block, the type of its pageblock.
//
//     pfn ─┬─ page_zone()                   whose lists it is on when it is free
//          ├─ PageBuddy(), buddy_order()    first page of a free block of 2^order
//          └─ get_pageblock_migratetype()   of the 2^pageblock_order pages around it
//
// Leaves out: compound pages (a block is what its owner says it is), memory sections, poisoned pages.

// #region page-imports
import { round_down, round_up, type Pfn } from '../lib/units.ts'
import { PG_buddy, type Pgdat, type Zone } from './mmzone.ts'
// #endregion page-imports

// #region page-valid
/**
 * Whether the node has a struct page for it; that does not say that there is RAM.
 * @kernel include/linux/mmzone.h pfn_valid() v6.12
 */
export function pfn_valid({ map }: Pgdat, pfn: Pfn): boolean {
  return pfn >= map.start_pfn && pfn < map.end_pfn
}

/** Throws when `[pfn, pfn + count)` is not whole in the node; `who` is the subject of the message. */
export function mustBeValid({ map, pageSize }: Pgdat, pfn: Pfn, count: number, who: string): void {
  if (pfn >= map.start_pfn && pfn + count <= map.end_pfn) return
  const hex = (value: number) => `0x${value.toString(16)}`
  throw new Error(
    `${who}: pfn ${hex(pfn)}${count > 1 ? ` to ${hex(pfn + count - 1)}` : ''} is outside ` +
      `${hex(map.start_pfn)}..${hex(map.end_pfn - 1)}; is it an address (${hex(pageSize)} bytes a page) that was not divided?`,
  )
}
// #endregion page-valid

// #region page-zone
/** The zone of a page of the node. Throws outside every zone. @kernel include/linux/mm.h page_zone() v6.12 */
export function page_zone(pgdat: Pgdat, pfn: Pfn): Zone {
  const { zones } = pgdat
  for (let i = 0; i < zones.length; i++) {
    const zone = zones[i]!
    if (pfn < zone.zone_end_pfn && pfn >= zone.zone_start_pfn) return zone
  }
  throw inNoZone(pgdat, pfn)
}

function inNoZone(pgdat: Pgdat, pfn: Pfn): Error {
  mustBeValid(pgdat, pfn, 1, 'page_zone')
  const spans = pgdat.zones.map(
    ({ name, zone_start_pfn: start, zone_end_pfn: end }) => `${name} ${start}..${end}`,
  )
  return new Error(
    `page_zone: pfn ${pfn} is in no zone, expected ${spans.join(', ')}; it pads the struct pages beside RAM`,
  )
}

// #endregion page-zone

// #region page-zone-state
/** Whether the zone's span has it. @kernel include/linux/mmzone.h zone_spans_pfn() v6.12 */
export function zone_spans_pfn(zone: Zone, pfn: Pfn): boolean {
  return zone.zone_start_pfn <= pfn && pfn < zone.zone_end_pfn
}

/** A counter of a zone, e.g. NR_FREE_PAGES. Unit: pages. @kernel include/linux/vmstat.h zone_page_state() v6.12 */
export function zone_page_state(zone: Zone, item: number): number {
  return zone.vm_stat[item]!
}
// #endregion page-zone-state

// #region page-buddy
/** Whether a free block of the page allocator begins here. @kernel include/linux/page-flags.h PageBuddy() v6.12 */
export function PageBuddy({ map }: Pgdat, pfn: Pfn): boolean {
  return (map.flags[pfn - map.start_pfn]! & PG_buddy) !== 0
}

/**
 * The order of the free block that begins here; of no meaning for another page.
 * @kernel mm/internal.h buddy_order() v6.12
 */
export function buddy_order({ map }: Pgdat, pfn: Pfn): number {
  return map.index[pfn - map.start_pfn]!
}

/** The pfn of the other half. @kernel mm/internal.h __find_buddy_pfn() v6.12 */
export function __find_buddy_pfn({ map }: Pgdat, pfn: Pfn, order: number): Pfn {
  return ((pfn - map.start_pfn) ^ (1 << order)) + map.start_pfn
}

/**
 * The buddy of a block of 2^order pages if it is free, whole and in the same zone; else null.
 * @kernel mm/internal.h find_buddy_page_pfn() v6.12; before, page_is_buddy() in mm/page_alloc.c
 */
export function find_buddy_page_pfn(pgdat: Pgdat, pfn: Pfn, order: number): Pfn | null {
  const buddy = __find_buddy_pfn(pgdat, pfn, order)
  const free = pfn_valid(pgdat, buddy) && PageBuddy(pgdat, buddy) && buddy_order(pgdat, buddy) === order
  return free && zone_spans_pfn(page_zone(pgdat, pfn), buddy) ? buddy : null
}
// #endregion page-buddy

// #region page-block
/** The first pfn of its pageblock. @kernel include/linux/pageblock-flags.h pageblock_start_pfn() v6.12 */
export function pageblock_start_pfn({ pageblock_order }: Pgdat, pfn: Pfn): Pfn {
  return round_down(pfn, 1 << pageblock_order)
}

/** Behind the last pfn of its pageblock. @kernel include/linux/pageblock-flags.h pageblock_end_pfn() v6.12 */
export function pageblock_end_pfn({ pageblock_order }: Pgdat, pfn: Pfn): Pfn {
  return round_up(pfn + 1, 1 << pageblock_order)
}

/** The migratetype of the pageblock, by number. @kernel include/linux/mmzone.h get_pageblock_migratetype() v6.12 */
export function get_pageblock_migratetype(pgdat: Pgdat, pfn: Pfn): number {
  return pgdat.pageblock_flags[(pfn - pgdat.map.start_pfn) >> pgdat.pageblock_order]!
}

/**
 * Gives a pageblock a type; its free pages stay on the lists where they are.
 * With mobility grouping off, types that merge become UNMOVABLE.
 * @kernel mm/page_alloc.c set_pageblock_migratetype() v6.12
 */
export function set_pageblock_migratetype(pgdat: Pgdat, pfn: Pfn, migratetype: number): void {
  const off = pgdat.page_group_by_mobility_disabled && migratetype < pgdat.migrate.HIGHATOMIC
  const type = off ? pgdat.migrate.UNMOVABLE : migratetype
  pgdat.pageblock_flags[(pfn - pgdat.map.start_pfn) >> pgdat.pageblock_order] = type
}

// #endregion page-block

// #region page-block-mergeable
/** Whether blocks of this type merge with others. @kernel include/linux/mmzone.h migratetype_is_mergeable() v6.12 */
export function migratetype_is_mergeable({ migrate }: Pgdat, migratetype: number): boolean {
  return migratetype < migrate.HIGHATOMIC
}
// #endregion page-block-mergeable

// #region page-split
/**
 * Makes of a block in use 2^order pages that are each given back alone. Throws when the block is not in use.
 * @kernel mm/page_alloc.c split_page() v6.12
 */
export function split_page(pgdat: Pgdat, pfn: Pfn, order: number): void {
  mustBeValid(pgdat, pfn, 1 << order, 'split_page')
  const { map } = pgdat
  const at = pfn - map.start_pfn
  if (map.refcount[at] === 0) {
    throw new Error(
      `split_page: pfn 0x${pfn.toString(16)} has 0 references, expected at least 1; split a block after it was allocated`,
    )
  }
  map.refcount.fill(1, at + 1, at + (1 << order))
}
// #endregion page-split
