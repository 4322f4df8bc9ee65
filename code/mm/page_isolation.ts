// SPDX-License-Identifier: MIT
//
// Isolation, mm/page_isolation.c: pageblocks are taken out of circulation. What is free in them is given to nobody, what
// is freed in them stays in them, and their free pages are no longer counted as free (in 3.5 they are).
//
//     blocks   │  CMA  │  CMA  │  CMA  │        start_isolate_page_range(start, end): whole pageblocks
//              │  CMA  │ISOLATE│ISOLATE│            start ┊        ┊ end
//              │  CMA  │  CMA  │  CMA  │        undo_isolate_page_range(): nobody notices
//
// Free blocks larger than a pageblock may reach over the edge: 6.x cuts them there. Until 4.12 the caller widens the range
// to the largest free block there can be, and there is nothing to cut.
//
// Leaves out: memory hotplug (its flags, pages that may be skipped, ZONE_MOVABLE), the notifiers of balloon drivers (3.x,
// 4.x), compound pages over the edge, unaccepted memory. Linux empties its per-cpu lists here; there are none.

// #region page-isolation-imports
import { EBUSY } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { IS_ALIGNED, round_down, round_up, type Pfn } from '../lib/units.ts'
import { account_freepages, del_page_from_free_list } from './free_list.ts'
import { PG_lru, PG_reserved, type Pgdat, type Zone } from './mmzone.ts'
import {
  __find_buddy_pfn,
  buddy_order,
  find_buddy_page_pfn,
  get_pageblock_migratetype,
  page_zone,
  PageBuddy,
  pageblock_end_pfn,
  pageblock_start_pfn,
  pfn_valid,
  set_pageblock_migratetype,
  zone_spans_pfn,
} from './page.ts'
import { __free_pages } from './page_alloc.ts'
import { move_freepages_block } from './page_alloc_fallback.ts'
import { __free_one_page } from './page_alloc_free.ts'
// #endregion page-isolation-imports

// #region page-isolation-start
/**
 * Makes every pageblock that `[start_pfn, end_pfn)` touches MIGRATE_ISOLATE. 0, or -EBUSY: one of them holds pages that
 * cannot be moved, or is isolated already (6.x); then no block is changed.
 * `migratetype` is what the blocks get back on failure, and what they are expected to be: a CMA block is isolated only for
 * MIGRATE_CMA (6.x).
 * Until 4.12 throws when an end is not at a pageblock (BUG_ON in Linux).
 * @kernel mm/page_isolation.c start_isolate_page_range() v6.12
 * @omits flags and gfp_flags: they are of use for hotplug and for compound pages
 * @cost the pageblocks, and the pages of those that are neither MOVABLE nor CMA
 */
export function start_isolate_page_range(
  pgdat: Pgdat,
  start_pfn: Pfn,
  end_pfn: Pfn,
  migratetype: number,
): number {
  const modern = kernelAtLeast(pgdat.kernel, '6.1.192')
  if (!modern) mustBeBlocks(pgdat, 'start_isolate_page_range', start_pfn, end_pfn)
  const size = 2 ** pgdat.pageblock_order
  const start = pageblock_start_pfn(pgdat, start_pfn)
  const end = round_up(end_pfn, size)
  // #region page-isolation-start-blocks
  const isolated: Pfn[] = []
  for (const block of blocksInOrder(start, end, size, modern)) {
    const ret = set_migratetype_isolate(pgdat, block, migratetype)
    if (ret !== 0) {
      for (const before of isolated.sort((a, b) => a - b)) {
        unset_migratetype_isolate(pgdat, before, migratetype)
      }
      return ret
    }
    isolated.push(block)
    if (block === start) cutAtEdge(pgdat, start)
    if (block === end - size) cutAtEdge(pgdat, end)
  }
  return 0
  // #endregion page-isolation-start-blocks
}
// #endregion page-isolation-start

// #region page-isolation-order
// The blocks in the order in which they are isolated. 6.x takes the two at the ends first, for it is there that something
// may reach over the edge.
function blocksInOrder(start: Pfn, end: Pfn, size: number, endsFirst: boolean): Pfn[] {
  const blocks: Pfn[] = []
  for (let pfn = start; pfn < end; pfn += size) blocks.push(pfn)
  if (endsFirst && blocks.length > 2) blocks.splice(1, 0, blocks.pop()!)
  return blocks
}

function mustBeBlocks({ pageblock_order }: Pgdat, who: string, start: Pfn, end: Pfn): void {
  const size = 2 ** pageblock_order
  if (IS_ALIGNED(start, size) && IS_ALIGNED(end, size)) return
  throw new Error(
    `${who}: [0x${start.toString(16)}, 0x${end.toString(16)}) does not begin and end at a pageblock, ` +
      `expected multiples of ${size}; widen the range, as alloc_contig_range() does`,
  )
}
// #endregion page-isolation-order

// #region page-isolation-undo
/**
 * Gives every isolated pageblock that `[start_pfn, end_pfn)` touches the type `migratetype`, whoever isolated it; what is
 * free in it is free for all again, merged with its neighbours (4.x and later).
 * @kernel mm/page_isolation.c undo_isolate_page_range() v6.12
 */
export function undo_isolate_page_range(
  pgdat: Pgdat,
  start_pfn: Pfn,
  end_pfn: Pfn,
  migratetype: number,
): void {
  if (!kernelAtLeast(pgdat.kernel, '6.1.192')) {
    mustBeBlocks(pgdat, 'undo_isolate_page_range', start_pfn, end_pfn)
  }
  const size = 2 ** pgdat.pageblock_order
  for (let pfn = pageblock_start_pfn(pgdat, start_pfn); pfn < end_pfn; pfn += size) {
    unset_migratetype_isolate(pgdat, pfn, migratetype)
  }
}
// #endregion page-isolation-undo

// #region page-isolation-set
// Isolates the pageblock at `block`. 0 or -EBUSY.
function set_migratetype_isolate(pgdat: Pgdat, block: Pfn, migratetype: number): number {
  const { ISOLATE } = pgdat.migrate
  const zone = page_zone(pgdat, block)
  // 6.12 moves nothing out of a pageblock that two zones share.
  const whole = zone_spans_pfn(zone, block) && zone_spans_pfn(zone, pageblock_end_pfn(pgdat, block) - 1)
  if (!whole && kernelAtLeast(pgdat.kernel, '6.12.117')) return -EBUSY
  if (kernelAtLeast(pgdat.kernel, '6.1.192')) {
    if (get_pageblock_migratetype(pgdat, block) === ISOLATE) return -EBUSY
    if (has_unmovable_pages(pgdat, block, migratetype)) return -EBUSY
  } else if (hasUnmovablePages4x(pgdat, block)) return -EBUSY
  moveBlock(pgdat, zone, block, ISOLATE)
  return 0
}
// #endregion page-isolation-set

// #region page-isolation-unmovable
// Whether a page of the pageblock can never be moved, be it wanted or not: at the ends of a range too the whole pageblock is
// looked at. For a CMA block it is enough who asks: nothing else than movable pages gets in, and an area must be able to
// fetch even those that are held.
function has_unmovable_pages(pgdat: Pgdat, block: Pfn, migratetype: number): boolean {
  const { map, migrate } = pgdat
  if (get_pageblock_migratetype(pgdat, block) === migrate.CMA) return migratetype !== migrate.CMA
  const end = pageblock_end_pfn(pgdat, block)
  for (let pfn = block; pfn < end; pfn++) {
    const at = pfn - map.start_pfn
    if (map.flags[at]! & PG_reserved) return true
    if (PageBuddy(pgdat, pfn)) pfn += 2 ** buddy_order(pgdat, pfn) - 1
    else if (map.refcount[at] !== 0 && !(map.flags[at]! & PG_lru)) return true
  }
  return false
}

// #endregion page-isolation-unmovable

// #region page-isolation-unmovable-then
// Until 4.12: MOVABLE blocks pass unseen as well, so what is unmovable in them is found by migration, too late.
// The function returns the opposite in 3.5, where it is called __count_immobile_pages().
function hasUnmovablePages4x(pgdat: Pgdat, block: Pfn): boolean {
  const { map, migrate } = pgdat
  const type = get_pageblock_migratetype(pgdat, block)
  if (type === migrate.MOVABLE || type === migrate.CMA) return false
  const end = pageblock_end_pfn(pgdat, block)
  for (let pfn = block; pfn < end; pfn++) {
    const at = pfn - map.start_pfn
    if (PageBuddy(pgdat, pfn)) pfn += 2 ** buddy_order(pgdat, pfn) - 1
    else if (map.refcount[at] !== 0 && !(map.flags[at]! & PG_lru)) return true
  }
  return false
}
// #endregion page-isolation-unmovable-then

// #region page-isolation-unset
// Ends the isolation of a block; a block that is not isolated is left alone.
function unset_migratetype_isolate(pgdat: Pgdat, block: Pfn, migratetype: number): void {
  if (get_pageblock_migratetype(pgdat, block) !== pgdat.migrate.ISOLATE) return
  const zone = page_zone(pgdat, block)
  if (!mergesOnReturn(pgdat, block)) {
    moveBlock(pgdat, zone, block, migratetype)
    return
  }
  const order = buddy_order(pgdat, block)
  del_page_from_free_list(pgdat.map, block - pgdat.map.start_pfn, zone, order)
  set_pageblock_migratetype(pgdat, block, migratetype)
  if (kernelAtLeast(pgdat.kernel, '6.1.192')) {
    __free_one_page(pgdat, block, zone, order, migratetype, true)
  } else {
    // 4.x allocates the block and frees it.
    pgdat.map.refcount[block - pgdat.map.start_pfn] = 1
    __free_pages(pgdat, block, order)
  }
}

// Whether the block is free as a whole, so that a neighbour could merge with it that was kept from it: then moving it to
// another list is not enough. 4.x does not ask whether the neighbour is free.
function mergesOnReturn(pgdat: Pgdat, block: Pfn): boolean {
  const { kernel, pageblock_order, migrate } = pgdat
  if (!kernelAtLeast(kernel, '4.6') || !PageBuddy(pgdat, block)) return false
  const order = buddy_order(pgdat, block)
  if (order < pageblock_order) return false
  const at = __find_buddy_pfn(pgdat, block, order)
  const modern = kernelAtLeast(kernel, '6.1.192')
  const buddy = modern ? find_buddy_page_pfn(pgdat, block, order) : pfn_valid(pgdat, at) ? at : null
  return buddy !== null && get_pageblock_migratetype(pgdat, buddy) !== migrate.ISOLATE
}

// Gives a pageblock and what is free in it another type. A free block that is larger than the pageblock is cut into
// pageblocks first in 6.12; before, it goes with the pageblock in which it begins.
function moveBlock(pgdat: Pgdat, zone: Zone, block: Pfn, migratetype: number): void {
  const large = find_large_buddy(pgdat, block)
  const larger = PageBuddy(pgdat, large) && buddy_order(pgdat, large) > pgdat.pageblock_order
  if (larger && kernelAtLeast(pgdat.kernel, '6.12.117')) {
    const order = takeOff(pgdat, zone, large)
    set_pageblock_migratetype(pgdat, block, migratetype)
    putBackInPieces(pgdat, zone, large, order, () => pgdat.pageblock_order)
    return
  }
  move_freepages_block(pgdat, zone, block, migratetype)
  set_pageblock_migratetype(pgdat, block, migratetype)
}

// 6.1: a free block that reaches over `edge` becomes two, each on the list of its pageblock.
function cutAtEdge(pgdat: Pgdat, edge: Pfn): void {
  if (pgdat.kernel !== '6.1.192' || !pfn_valid(pgdat, edge)) return
  const pfn = find_large_buddy(pgdat, edge)
  if (pfn === edge) return
  const zone = page_zone(pgdat, pfn)
  const order = takeOff(pgdat, zone, pfn)
  let rest = edge - pfn
  putBackInPieces(pgdat, zone, pfn, order, (at) => {
    // The largest that may begin here and reaches neither over the edge nor over the end.
    let piece = Math.floor(Math.log2(rest))
    while (!IS_ALIGNED(at, 2 ** piece)) piece--
    rest -= 2 ** piece
    if (rest === 0) rest = pfn + 2 ** order - (at + 2 ** piece)
    return piece
  })
}

// Takes the free block at `pfn` off its list: its order.
function takeOff(pgdat: Pgdat, zone: Zone, pfn: Pfn): number {
  const order = buddy_order(pgdat, pfn)
  account_freepages(pgdat, zone, -(2 ** order), get_pageblock_migratetype(pgdat, pfn))
  del_page_from_free_list(pgdat.map, pfn - pgdat.map.start_pfn, zone, order)
  return order
}

// Puts it back in pieces, each on the list of the pageblock where it begins.
function putBackInPieces(
  pgdat: Pgdat,
  zone: Zone,
  pfn: Pfn,
  order: number,
  pieceAt: (at: Pfn) => number,
): void {
  for (let at = pfn; at < pfn + 2 ** order;) {
    const piece = pieceAt(at)
    __free_one_page(pgdat, at, zone, piece, get_pageblock_migratetype(pgdat, at))
    at += 2 ** piece
  }
}
// #endregion page-isolation-unset

// #region page-isolation-large-buddy
/**
 * Where the free block begins that `start_pfn` is in; `start_pfn` when it is in none.
 * @kernel mm/page_alloc.c find_large_buddy() v6.12
 */
export function find_large_buddy(pgdat: Pgdat, start_pfn: Pfn): Pfn {
  for (let order = 0; order <= pgdat.maxOrder; order++) {
    const pfn = round_down(start_pfn, 2 ** order)
    if (pfn < pgdat.map.start_pfn) break
    if (PageBuddy(pgdat, pfn)) return pfn + 2 ** buddy_order(pgdat, pfn) > start_pfn ? pfn : start_pfn
  }
  return start_pfn
}
// #endregion page-isolation-large-buddy

// #region page-isolation-test
/**
 * Whether `[start_pfn, end_pfn)` is isolated and free: 0, or -EBUSY. The event of the same name says with `fin_pfn` which
 * page it is that is not, or, when all are, where the last free block ends.
 * @kernel mm/page_isolation.c test_pages_isolated() v6.12
 * @omits isol_flags
 */
export function test_pages_isolated(pgdat: Pgdat, start_pfn: Pfn, end_pfn: Pfn): number {
  const { kernel, trace, migrate } = pgdat
  let fin_pfn = start_pfn
  const size = 2 ** pgdat.pageblock_order
  while (fin_pfn < end_pfn && get_pageblock_migratetype(pgdat, fin_pfn) === migrate.ISOLATE) fin_pfn += size
  const isolated = fin_pfn >= end_pfn
  if (isolated) {
    fin_pfn = start_pfn
    while (fin_pfn < end_pfn && PageBuddy(pgdat, fin_pfn)) fin_pfn += 2 ** buddy_order(pgdat, fin_pfn)
  }
  // 4.x keeps silent about a block of another type; before, there is no event.
  if (trace.enabled && (kernelAtLeast(kernel, '6.1.192') || (isolated && kernelAtLeast(kernel, '4.6')))) {
    trace.emit('test_pages_isolated', { start_pfn, end_pfn, fin_pfn })
  }
  return fin_pfn < end_pfn ? -EBUSY : 0
}
// #endregion page-isolation-test
