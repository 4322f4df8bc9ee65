// SPDX-License-Identifier: MIT
//
// The page allocator: 2^order pages in a row, for whoever says what for (gfp flags), and back again.
//
//     __alloc_pages(pgdat, GFP_KERNEL, 3) ─ zones that will do, best first ─ above its low mark? ─ rmqueue()
//                                         └ none: below low, wake kswapd; down to min; reclaim; out of memory: null
//     __free_pages(pgdat, pfn, 3)         drops a reference; with the last the block is free
//
// Which zones will do: the highest that the flags name, then all below it, never one above (MC-10.1, MC-10.2).
//
// Leaves out: per-cpu lists, so counters of free pages read as after drain_all_pages(); compaction; NUMA; cpusets; the wait
// for others' reclaim. A kernel tries small orders for ever where this one gives up after out_of_memory().

// #region page-alloc-imports
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import {
  __GFP_DIRECT_RECLAIM,
  __GFP_DMA,
  __GFP_DMA32,
  __GFP_HIGH,
  __GFP_HIGHMEM,
  __GFP_KSWAPD_RECLAIM,
  __GFP_MOVABLE,
  __GFP_NORETRY,
  __GFP_NOWARN,
  __GFP_RETRY_MAYFAIL,
} from './gfp.ts'
import { formatGfp } from './gfp_print.ts'
import { PG_buddy, PG_head, type Pgdat, type Zone, type ZoneName } from './mmzone.ts'
import { mustBeValid } from './page.ts'
import { __free_pages_ok } from './page_alloc_free.ts'
import { gfp_migratetype } from './page_alloc_rules.ts'
import {
  ALLOC_CMA,
  ALLOC_HIGHATOMIC,
  ALLOC_KSWAPD,
  ALLOC_MIN_RESERVE,
  ALLOC_NOFRAGMENT,
  ALLOC_NON_BLOCK,
  ALLOC_WMARK_HIGH,
  ALLOC_WMARK_LOW,
  ALLOC_WMARK_MIN,
  rmqueue,
} from './page_alloc_rmqueue.ts'
import { zone_watermark_fast } from './watermark.ts'
// #endregion page-alloc-imports

// #region page-alloc-gfp-zone
/**
 * Index of the highest zone that a request may use. A flag that names a zone which this kernel does not have is of no
 * effect: the request gets what it would have got without.
 * @kernel include/linux/gfp.h gfp_zone() v6.12
 */
export function gfp_zone(pgdat: Pgdat, flags: number): number {
  const { zones } = pgdat
  if ((flags & (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)) === 0) return pgdat.normalZone
  if (flags & __GFP_DMA) return indexOr(zones, 'DMA', pgdat)
  if (flags & __GFP_DMA32) return indexOr(zones, 'DMA32', pgdat)
  if ((flags & (__GFP_HIGHMEM | __GFP_MOVABLE)) === (__GFP_HIGHMEM | __GFP_MOVABLE)) return zones.length - 1
  return indexOr(zones, 'HighMem', pgdat)
}

function indexOr(zones: readonly Zone[], name: ZoneName, { normalZone }: Pgdat): number {
  for (let i = 0; i < zones.length; i++) if (zones[i]!.name === name) return i
  return normalZone
}
// #endregion page-alloc-gfp-zone

// #region page-alloc-flags
/** What a request may do once it must take pains. @kernel mm/page_alloc.c gfp_to_alloc_flags() v6.12 */
export function gfp_to_alloc_flags(pgdat: Pgdat, gfp: number, order: number): number {
  const { watermark } = pgdat.rules
  let flags = ALLOC_WMARK_MIN | (gfp & __GFP_HIGH ? ALLOC_MIN_RESERVE : 0)
  if (gfp & __GFP_KSWAPD_RECLAIM) flags |= ALLOC_KSWAPD
  const sleeps = (gfp & __GFP_DIRECT_RECLAIM) !== 0
  // 4.x asks for __GFP_ATOMIC, which GFP_ATOMIC alone has.
  const harder = watermark === '4.x' ? !sleeps && (gfp & __GFP_HIGH) !== 0 : !sleeps
  if (harder) flags |= ALLOC_NON_BLOCK
  const highAtomic = watermark === '6.x' ? harder && (flags & ALLOC_MIN_RESERVE) !== 0 : harder
  if (highAtomic && order > 0 && watermark !== '3.x') flags |= ALLOC_HIGHATOMIC
  return flags | cmaFlag(pgdat, gfp)
}

// ALLOC_CMA is for movable requests alone. @kernel gfp_to_alloc_flags_cma()
function cmaFlag(pgdat: Pgdat, gfp: number): number {
  return gfp_migratetype(pgdat, gfp) === pgdat.migrate.MOVABLE ? ALLOC_CMA : 0
}
// #endregion page-alloc-flags

// #region page-alloc-freelist
/**
 * 2^order pages of the first zone, from `highest` down, that stays above its watermark: `at`, or -1.
 * @kernel mm/page_alloc.c get_page_from_freelist() v6.12
 */
function get_page_from_freelist(
  pgdat: Pgdat,
  order: number,
  highest: number,
  migratetype: number,
  alloc_flags: number,
): number {
  const { zones } = pgdat.node_zonelists[highest]!
  for (let i = 0; i < zones.length; i++) {
    const zone = zones[i]!
    const mark = markOf(zone, alloc_flags)
    if (!zone_watermark_fast(pgdat, zone, order, mark, highest, alloc_flags)) continue
    const at = rmqueue(pgdat, zone, order, migratetype, alloc_flags)
    if (at >= 0) return at
  }
  if ((alloc_flags & ALLOC_NOFRAGMENT) === 0) return -1
  return get_page_from_freelist(pgdat, order, highest, migratetype, alloc_flags & ~ALLOC_NOFRAGMENT)
}

function markOf({ watermark }: Zone, alloc_flags: number): number {
  if (alloc_flags & ALLOC_WMARK_LOW) return watermark.low
  return alloc_flags & ALLOC_WMARK_HIGH ? watermark.high : watermark.min
}
// #endregion page-alloc-freelist

// #region page-alloc-pages
/**
 * 2^order pages in a row, the first with one reference, or null. Without reclaim and with none but this task that is final.
 * An order above the largest there is gives null and one warning in the log.
 * @kernel mm/page_alloc.c __alloc_pages() v6.1; __alloc_pages_noprof() v6.12
 * @omits zeroing (__GFP_ZERO is the caller's), __GFP_NOFAIL, `preferred_nid` and `nodemask`
 */
export function __alloc_pages(pgdat: Pgdat, gfp: number, order: number): Pfn | null {
  if ((order | 0) !== order || order > pgdat.maxOrder || order < 0) return orderTooHigh(pgdat, gfp, order)
  const migratetype = gfp_migratetype(pgdat, gfp)
  const highest = gfp_zone(pgdat, gfp)
  let alloc_flags = ALLOC_WMARK_LOW
  if (migratetype === pgdat.migrate.MOVABLE) alloc_flags |= ALLOC_CMA
  if (pgdat.node_zonelists[highest]!.avoidsFragments) alloc_flags |= ALLOC_NOFRAGMENT
  let at = get_page_from_freelist(pgdat, order, highest, migratetype, alloc_flags)
  if (at < 0) at = __alloc_pages_slowpath(pgdat, gfp, order, highest, migratetype)
  if (at >= 0) {
    pgdat.map.refcount[at] = 1
    pgdat.vm_event.pgalloc += 1 << order
  }
  const pfn = at < 0 ? null : at + pgdat.map.start_pfn
  if (pgdat.trace.enabled) {
    pgdat.trace.emit('mm_page_alloc', { pfn: pfn ?? 0, order, migratetype, gfp_flags: gfp })
  }
  return pfn
}
// #endregion page-alloc-pages

// #region page-alloc-slowpath
/** How often reclaim may make no progress: MAX_RECLAIM_RETRIES. */
const MAX_RECLAIM_RETRIES = 16
const PAGE_ALLOC_COSTLY_ORDER = 3

// The low watermarks failed: wakes kswapd, goes down to the min watermarks, reclaims, gives up.
function __alloc_pages_slowpath(
  pgdat: Pgdat,
  gfp: number,
  order: number,
  highest: number,
  migratetype: number,
): number {
  const alloc_flags = gfp_to_alloc_flags(pgdat, gfp, order)
  if (alloc_flags & ALLOC_KSWAPD) wake_all_kswapds(pgdat, highest)
  const again = () => get_page_from_freelist(pgdat, order, highest, migratetype, alloc_flags)
  let at = again()
  if (at >= 0) return at
  if (gfp & __GFP_DIRECT_RECLAIM) {
    at = reclaimAndRetry(pgdat, gfp, order, highest, again)
    const costly = order > PAGE_ALLOC_COSTLY_ORDER
    if (at < 0 && !costly && (gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL)) === 0 && pgdat.hooks.outOfMemory) {
      pgdat.hooks.outOfMemory(gfp, order)
      at = again()
    }
  }
  if (at < 0) warn_alloc(pgdat, gfp, order)
  return at
}
// #endregion page-alloc-slowpath

// #region page-alloc-reclaim
// Rounds of direct reclaim, a try after each. Orders above PAGE_ALLOC_COSTLY_ORDER get one round unless they insist.
function reclaimAndRetry(
  pgdat: Pgdat,
  gfp: number,
  order: number,
  highest: number,
  again: () => number,
): number {
  const { reclaim } = pgdat.hooks
  if (!reclaim) return -1
  const insists = (gfp & __GFP_RETRY_MAYFAIL) !== 0 || order <= PAGE_ALLOC_COSTLY_ORDER
  for (let idle = 0; idle < MAX_RECLAIM_RETRIES;) {
    let progress = 0
    for (const zone of pgdat.node_zonelists[highest]!.zones) {
      if (progress === 0) progress = reclaim(zone, gfp, order)
    }
    const at = again()
    if (at >= 0) return at
    if (progress === 0) return -1
    if ((gfp & __GFP_NORETRY) !== 0 || !insists) return -1
    // Reclaim without compaction need not make a block of a high order.
    if (order > 0) idle++
  }
  return -1
}

// #endregion page-alloc-reclaim

// #region page-alloc-kswapd
function wake_all_kswapds({ hooks, node_zonelists }: Pgdat, highest: number): void {
  for (const zone of node_zonelists[highest]!.zones) hooks.wakeKswapd?.(zone)
}
// #endregion page-alloc-kswapd

// #region page-alloc-warnings
// Once, as WARN_ON_ONCE_GFP() does.
function orderTooHigh(pgdat: Pgdat, gfp: number, order: number): null {
  if (order < 0 || !Number.isInteger(order)) {
    throw new Error(
      `__alloc_pages: order ${order}, expected an integer from 0; 2^order is the number of pages`,
    )
  }
  if ((gfp & __GFP_NOWARN) === 0 && !pgdat.warned.has('__alloc_pages')) {
    pgdat.warned.add('__alloc_pages')
    const modern = kernelAtLeast(pgdat.kernel, '6.1.192')
    const suffix = kernelAtLeast(pgdat.kernel, '6.12.117') ? '_noprof' : modern ? '' : '_slowpath'
    pgdat.log.print('warn', `WARNING: at mm/page_alloc.c __alloc_pages${suffix}`)
  }
  return null
}

// The first line of the report: by whom, for what, since 4.12 from which nodes, in 6.x in which cpuset. 6.x says nothing of
// a DMA zone that it does not have.
function warn_alloc(pgdat: Pgdat, gfp: number, order: number): void {
  const { kernel, zones } = pgdat
  const modern = kernelAtLeast(kernel, '6.1.192')
  const hasDma = zones.some(({ name, managed_pages }) => name === 'DMA' && managed_pages > 0)
  if (gfp & __GFP_NOWARN || (modern && gfp & __GFP_DMA && !hasDma)) return
  const nodemask = kernelAtLeast(kernel, '4.12.4') ? ', nodemask=(null)' : ''
  const where = `${nodemask}${modern ? ',cpuset=/,mems_allowed=0' : ''}`
  const { comm } = pgdat.trace.current
  const what = `page allocation failure: order:${order}, mode:${formatGfp(gfp, kernel)}`
  pgdat.log.print('warn', `${comm}: ${what}${where}`)
}
// #endregion page-alloc-warnings

// #region page-alloc-free-pages
/**
 * Drops a reference to a block of 2^order pages; with the last one the block is free. Throws when there is none: it was
 * freed before, or is not the first page of a block, or lies outside memory.
 * @kernel mm/page_alloc.c __free_pages() v6.12
 */
export function __free_pages(pgdat: Pgdat, pfn: Pfn, order: number): void {
  const { map } = pgdat
  const at = pfn - map.start_pfn
  if (pfn < map.start_pfn || pfn + (1 << order) > map.end_pfn)
    mustBeValid(pgdat, pfn, 1 << order, '__free_pages')
  if (map.refcount[at] !== 1) return dropReference(pgdat, pfn, order)
  map.refcount[at] = 0
  if (pgdat.trace.enabled) pgdat.trace.emit('mm_page_free', { pfn, order })
  __free_pages_ok(pgdat, pfn, order)
}

// #endregion page-alloc-free-pages

// #region page-alloc-drop
// Of a page that has others, or none.
function dropReference(pgdat: Pgdat, pfn: Pfn, order: number): void {
  const { map, rules } = pgdat
  const at = pfn - map.start_pfn
  if (map.refcount[at] === 0) throw notInUse(pgdat, pfn)
  map.refcount[at]!--
  if (order > 0 && rules.freesTails && (map.flags[at]! & PG_head) === 0) freeTails(pgdat, pfn, order)
}

// Somebody looks at the first page: put_page() of his will free that one alone, so the others are freed now.
function freeTails(pgdat: Pgdat, pfn: Pfn, order: number): void {
  while (order-- > 0) __free_pages_ok(pgdat, pfn + (1 << order), order)
}
// #endregion page-alloc-drop

// #region page-alloc-not-in-use
function notInUse({ map }: Pgdat, pfn: Pfn): Error {
  const hex = (value: number) => `0x${value.toString(16)}`
  let at = pfn - map.start_pfn
  for (let order = 0; order < 16 && (map.flags[at]! & PG_buddy) === 0; order++) at &= ~(1 << order)
  const head = at + map.start_pfn
  const free = (map.flags[at]! & PG_buddy) !== 0 && head + 2 ** map.index[at]! > pfn
  const state = free
    ? `is free already, in the block of order ${map.index[at]} at ${hex(head)}`
    : 'has 0 references and is no free block: it lies inside a block that is in use'
  return new Error(
    `__free_pages: pfn ${hex(pfn)} ${state}; expected a page with at least 1 reference: ` +
      'free each allocation once, by its first pfn and its order',
  )
}
// #endregion page-alloc-not-in-use
