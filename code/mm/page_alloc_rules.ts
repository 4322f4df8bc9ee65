// SPDX-License-Identifier: MIT
//
// In what the page allocators of the kernels differ, as data: the code beside this file asks for a rule, not a version.
//
//                            3.5     3.9     4.6     4.12    6.1     6.12
//     CMA for movable        first fallback   after own type  half rule, then after own type
//     claim a block          free pages alone         + pages alike
//     blocks that differ     merge   merge   isolated ones do not    only U, M, R merge
//     fallback               one pass over all types          restart claim, then steal
//
// Here too are the migratetypes by number and what a gfp mask asks for (MC-9.11).

// #region page-alloc-rules-imports
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { __GFP_MOVABLE, __GFP_RECLAIMABLE } from './gfp.ts'
import type { MigrateTypes, PageAllocRules, Pgdat } from './mmzone.ts'
// #endregion page-alloc-rules-imports

// #region page-alloc-rules-migratetypes
const BEFORE_4: MigrateTypes = { UNMOVABLE: 0, RECLAIMABLE: 1, MOVABLE: 2, HIGHATOMIC: 3, CMA: 4, ISOLATE: 5 }
const SINCE_4: MigrateTypes = { UNMOVABLE: 0, MOVABLE: 1, RECLAIMABLE: 2, HIGHATOMIC: 3, CMA: 4, ISOLATE: 5 }

/** The migratetypes of a kernel by number. */
export function migrateTypes(kernel: KernelVersion): MigrateTypes {
  return kernelAtLeast(kernel, '4.6') ? SINCE_4 : BEFORE_4
}
// #endregion page-alloc-rules-migratetypes

// #region page-alloc-rules-fallbacks
// Where requests of a type look when their own lists are empty. RESERVE of 3.x comes last and is no fallback: what is taken
// from it stays RESERVE.
function fallbacksOf(kernel: KernelVersion): number[][] {
  const { UNMOVABLE, MOVABLE, RECLAIMABLE, CMA } = migrateTypes(kernel)
  const rows: number[][] = [[], [], [], [], [], []]
  rows[UNMOVABLE] = [RECLAIMABLE, MOVABLE]
  rows[RECLAIMABLE] = [UNMOVABLE, MOVABLE]
  rows[MOVABLE] = kernelAtLeast(kernel, '4.6') ? [RECLAIMABLE, UNMOVABLE] : [CMA, RECLAIMABLE, UNMOVABLE]
  return rows
}
// #endregion page-alloc-rules-fallbacks

// #region page-alloc-rules-of
/** The rules of a kernel. */
export function pageAllocRules(kernel: KernelVersion): PageAllocRules {
  const since = (version: KernelVersion) => kernelAtLeast(kernel, version)
  const modern = since('6.1.192')
  return {
    rmqueue: since('6.12.117') ? 'modes' : since('4.6') ? 'cma-second' : 'cma-among-others',
    halfRule: modern,
    takesSmallest: modern,
    fallbackRestarts: since('4.12.4'),
    fallbacks: fallbacksOf(kernel),
    countsAlike: since('4.12.4'),
    keepsApart: modern ? 'unmergeable' : since('4.6') ? 'isolated' : 'none',
    mergeSetsType: since('6.12.117'),
    movesToTail: modern,
    bootToTail: modern,
    countsCma: since('3.9'),
    mergeLikelyOfLower: !since('3.9'),
    reservesForAnyOrder: modern,
    watermark: modern ? '6.x' : since('4.6') ? '4.x' : '3.x',
    scalesWatermarks: since('4.6'),
    freesTails: modern,
    maxMinFreeKbytes: modern ? 262144 : 65536,
  }
}
// #endregion page-alloc-rules-of

// #region page-alloc-rules-gfp
/**
 * The migratetype that a request gets. Both __GFP_MOVABLE and __GFP_RECLAIMABLE at once are a mistake: one warning in the
 * log, and type 3. No gfp flag asks for CMA.
 * @kernel include/linux/gfp.h gfp_migratetype() v6.12; gfpflags_to_migratetype() in 4.x, allocflags_to_migratetype() in 3.x
 */
export function gfp_migratetype(pgdat: Pgdat, gfp_flags: number): number {
  const asked = gfp_flags & (__GFP_MOVABLE | __GFP_RECLAIMABLE)
  if (asked === (__GFP_MOVABLE | __GFP_RECLAIMABLE)) warnBoth(pgdat)
  if (asked === 0 || pgdat.page_group_by_mobility_disabled) return pgdat.migrate.UNMOVABLE
  if (asked === __GFP_MOVABLE) return pgdat.migrate.MOVABLE
  return asked === __GFP_RECLAIMABLE ? pgdat.migrate.RECLAIMABLE : pgdat.migrate.HIGHATOMIC
}

function warnBoth(pgdat: Pgdat): void {
  pgdat.log.print('warn', 'WARNING: at include/linux/gfp.h gfp_migratetype')
}
// #endregion page-alloc-rules-gfp
