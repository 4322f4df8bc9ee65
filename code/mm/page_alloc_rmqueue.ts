// SPDX-License-Identifier: MIT
//
// The page allocator takes a block of a zone: from the lists of the request's type, from CMA if it may, from other types
// if it must. In which order depends on the kernel (MC-9.4):
//
//     3.5, 3.9    own → (CMA, other types: largest block of any)  → RESERVE
//     4.6, 4.12   own → CMA → other types
//     6.1         CMA if more than half of the free pages are CMA → own → CMA → other types, and again from own
//     6.12        likewise                                        → own → CMA → claim a pageblock → steal a piece
//
// Leaves out: per-cpu lists; a request of 6.12 remembers how far it had to go for those that refill such a list.

// #region page-alloc-rmqueue-imports
import { __rmqueue_smallest, account_freepages, del_page_from_free_list, expand } from './free_list.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, type Pgdat, type Zone } from './mmzone.ts'
import { __rmqueue_claim, __rmqueue_steal } from './page_alloc_claim.ts'
import { __rmqueue_fallback } from './page_alloc_fallback.ts'
import { fallback3x } from './page_alloc_fallback_3x.ts'
// #endregion page-alloc-rmqueue-imports

// #region page-alloc-rmqueue-flags
/** What a request may do. @kernel mm/internal.h ALLOC_* v6.12 */
export const ALLOC_WMARK_MIN = 0x00
export const ALLOC_WMARK_LOW = 0x01
export const ALLOC_WMARK_HIGH = 0x02
export const ALLOC_OOM = 0x08
/** The caller cannot sleep; ALLOC_HARDER before 6.1. */
export const ALLOC_NON_BLOCK = 0x10
/** __GFP_HIGH; ALLOC_HIGH before 6.1. */
export const ALLOC_MIN_RESERVE = 0x20
/** May use CMA: a movable request. */
export const ALLOC_CMA = 0x80
/** Rather another zone than a pageblock of two types. */
export const ALLOC_NOFRAGMENT = 0x100
export const ALLOC_HIGHATOMIC = 0x200
export const ALLOC_KSWAPD = 0x800
export const ALLOC_RESERVES = ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC | ALLOC_OOM
// #endregion page-alloc-rmqueue-flags

// #region page-alloc-rmqueue-core
/**
 * Takes 2^order pages of a zone, counted as used: `at` (pfn - start_pfn), or -1 when there is nothing for such a request.
 * @kernel mm/page_alloc.c __rmqueue() v6.12
 */
export function __rmqueue(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  migratetype: number,
  alloc_flags: number,
): number {
  const { rmqueue, halfRule } = pgdat.rules
  if ((alloc_flags & ALLOC_CMA) !== 0 && halfRule && cmaHasMoreThanHalf(zone)) {
    const at = __rmqueue_smallest(pgdat, zone, order, pgdat.migrate.CMA)
    if (at >= 0) return at
  }
  const own = __rmqueue_smallest(pgdat, zone, order, migratetype)
  if (own >= 0) return own
  if (rmqueue === 'modes') return fallbackByModes(pgdat, zone, order, migratetype, alloc_flags)
  if (rmqueue === 'cma-among-others') return fallbackOrReserve(pgdat, zone, order, migratetype)
  return fallbackAndRestart(pgdat, zone, order, migratetype, alloc_flags)
}

// The half rule: strictly more, the half rounded down (MC-9.2).
function cmaHasMoreThanHalf({ vm_stat }: Zone): boolean {
  return vm_stat[NR_FREE_CMA_PAGES]! > vm_stat[NR_FREE_PAGES]! >> 1
}
// #endregion page-alloc-rmqueue-core

// #region page-alloc-rmqueue-steps
// 6.12, behind its own lists.
function fallbackByModes(pgdat: Pgdat, zone: Zone, order: number, type: number, alloc_flags: number): number {
  const noFragment = (alloc_flags & ALLOC_NOFRAGMENT) !== 0
  if (alloc_flags & ALLOC_CMA) {
    const cma = __rmqueue_smallest(pgdat, zone, order, pgdat.migrate.CMA)
    if (cma >= 0) return cma
  }
  const claimed = __rmqueue_claim(pgdat, zone, order, type, noFragment)
  if (claimed >= 0 || noFragment) return claimed
  return __rmqueue_steal(pgdat, zone, order, type)
}

// #endregion page-alloc-rmqueue-steps

// #region page-alloc-rmqueue-restart
// 4.6, 4.12 and 6.1: what falls back is put on the request's lists. 4.6 takes the block that it found; the others look
// again, and may find a smaller one that came with it.
function fallbackAndRestart(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  type: number,
  alloc_flags: number,
): number {
  const { migrate, rules } = pgdat
  const mayUseCma = rules.halfRule ? (alloc_flags & ALLOC_CMA) !== 0 : type === migrate.MOVABLE
  if (mayUseCma) {
    const cma = __rmqueue_smallest(pgdat, zone, order, migrate.CMA)
    if (cma >= 0) return cma
  }
  const noFragment = (alloc_flags & ALLOC_NOFRAGMENT) !== 0
  const at = __rmqueue_fallback(pgdat, zone, order, type, noFragment)
  if (at < 0 || rules.fallbackRestarts) return at < 0 ? -1 : __rmqueue_smallest(pgdat, zone, order, type)
  const high = pgdat.map.index[at]!
  del_page_from_free_list(pgdat.map, at, zone, high)
  expand(pgdat.map, zone, at, order, high, type)
  account_freepages(pgdat, zone, -(1 << order), type)
  return at
}

// 3.5 and 3.9; what is taken of RESERVE stays RESERVE.
function fallbackOrReserve(pgdat: Pgdat, zone: Zone, order: number, type: number): number {
  const at = fallback3x(pgdat, zone, order, type)
  return at >= 0 ? at : __rmqueue_smallest(pgdat, zone, order, pgdat.migrate.HIGHATOMIC)
}
// #endregion page-alloc-rmqueue-restart

// #region page-alloc-rmqueue
/**
 * Takes 2^order pages of a zone for a request, its reserves included: `at`, or -1.
 * @kernel mm/page_alloc.c rmqueue_buddy() v6.12
 * @omits reserving the pageblock for the next high-order atomic request
 */
export function rmqueue(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  migratetype: number,
  alloc_flags: number,
): number {
  const hasReserves = (alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM | ALLOC_NON_BLOCK)) !== 0
  return hasReserves
    ? rmqueueWithReserves(pgdat, zone, order, migratetype, alloc_flags)
    : __rmqueue(pgdat, zone, order, migratetype, alloc_flags)
}

// #endregion page-alloc-rmqueue

// #region page-alloc-rmqueue-reserves
function rmqueueWithReserves(
  pgdat: Pgdat,
  zone: Zone,
  order: number,
  type: number,
  alloc_flags: number,
): number {
  const { migrate, rules } = pgdat
  let at = -1
  if (alloc_flags & ALLOC_HIGHATOMIC) at = __rmqueue_smallest(pgdat, zone, order, migrate.HIGHATOMIC)
  if (at < 0) at = __rmqueue(pgdat, zone, order, type, alloc_flags)
  if (at < 0 && (alloc_flags & (ALLOC_OOM | ALLOC_NON_BLOCK)) !== 0 && rules.reservesForAnyOrder) {
    at = __rmqueue_smallest(pgdat, zone, order, migrate.HIGHATOMIC)
  }
  return at
}
// #endregion page-alloc-rmqueue-reserves
