// SPDX-License-Identifier: MIT
//
// Emptying a range, the part of mm/page_alloc.c between isolation and taking: pages of programs and files that lie in it go
// elsewhere, 32 at a time.
//
//     isolate 32 ─▶ drop the clean pages of files ─▶ migrate the rest ─▶ something left? up to 5 times ─▶ -EBUSY
//          ▲                                                └─ nothing left ─┐
//          └────────────────────────────────────────────────────────────────┘ until the range is walked through
//
// A page that isolation passes over (held by somebody, or not movable at all) is no failure here: it is found afterwards.
//
// Leaves out: dumping the pages that refused (dynamic debug).

// #region contig-migrate-imports
import { EAGAIN, EBUSY, EINTR, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import { isolate_migratepages_range, type CompactControl } from './compaction_isolate.ts'
import { __GFP_MOVABLE, __GFP_RETRY_MAYFAIL, GFP_USER } from './gfp.ts'
import { lru_cache_disable, lru_cache_enable } from './lru.ts'
import {
  alloc_migrate_target,
  alloc_migration_target,
  migrate_pages,
  putback_movable_pages,
} from './migrate.ts'
import type { NewFolio } from './migrate_mode.ts'
import { list_empty } from './page_list.ts'
import type { Vm } from './vm.ts'
import { reclaim_clean_pages_from_list } from './vmscan.ts'
// #endregion contig-migrate-imports

// #region contig-migrate-totals
// What the event of 6.12 tells.
interface Totals {
  mapped: number
  migrated: number
  reclaimed: number
}
// #endregion contig-migrate-totals

// #region contig-migrate-range
/**
 * Moves what can be moved out of `[start, end)`, which is isolated and in one zone; what does not move is put back.
 * 0, or -EBUSY (a page resisted five calls of migrate_pages()), -ENOMEM (no target for one), -EINTR (the task is killed).
 * @kernel mm/page_alloc.c __alloc_contig_migrate_range() v6.12
 * @param migratetype only for the event
 */
export function __alloc_contig_migrate_range(
  vm: Vm,
  cc: CompactControl,
  start: Pfn,
  end: Pfn,
  migratetype: number,
): number {
  const modern = kernelAtLeast(vm.pgdat.kernel, '6.1.192')
  const totals: Totals = { mapped: 0, migrated: 0, reclaimed: 0 }
  if (modern) lru_cache_disable(vm)
  const ret = emptyRange(vm, cc, start, end, totals)
  if (modern) lru_cache_enable(vm)
  if (ret < 0) putback_movable_pages(vm, cc.migratepages)
  if (vm.trace.enabled && kernelAtLeast(vm.pgdat.kernel, '6.12.117')) {
    // 6.12.117 hands the four numbers over one place off: the event's names do not say what they hold.
    vm.trace.emit('mm_alloc_contig_migrate_range_info', {
      ...{ start, end, nr_migrated: migratetype, nr_reclaimed: totals.migrated },
      ...{ nr_mapped: totals.reclaimed, migratetype: totals.mapped },
    })
  }
  return ret < 0 ? ret : 0
}
// #endregion contig-migrate-range

// #region contig-migrate-empty
// Batch after batch: what the last migrate_pages() returned, or what ended it.
function emptyRange(vm: Vm, cc: CompactControl, start: Pfn, end: Pfn, totals: Totals): number {
  const modern = kernelAtLeast(vm.pgdat.kernel, '6.1.192')
  const target = targetFor(vm, cc)
  let ret = 0
  let tries = 0
  for (let pfn = start; pfn < end || !list_empty(cc.migratepages);) {
    if (vm.fatalSignal) return -EINTR
    if (list_empty(cc.migratepages)) {
      cc.nr_migratepages = 0
      ret = isolate_migratepages_range(vm, cc, pfn, end)
      if (ret !== 0 && ret !== -EAGAIN) return ret
      pfn = cc.migrate_pfn
      tries = 0
    } else if (++tries === 5) return !modern && ret < 0 ? ret : -EBUSY
    dropClean(vm, cc, totals)
    ret = migrate_pages(vm, cc.migratepages, target, cc.mode, 'contig_range')
    if (ret === 0) totals.migrated += cc.nr_migratepages
    // 6.x sees no point in trying again.
    if (modern && ret === -ENOMEM) return ret
  }
  return ret
}
// #endregion contig-migrate-empty

// #region contig-migrate-drop-clean
// Clean pages of files need no target. 3.5 copies them too.
function dropClean(vm: Vm, cc: CompactControl, totals: Totals): void {
  const { map, kernel } = vm.pgdat
  if (kernelAtLeast(kernel, '3.9')) {
    const reclaimed = reclaim_clean_pages_from_list(vm, cc.migratepages)
    cc.nr_migratepages -= reclaimed
    totals.reclaimed += reclaimed
  }
  if (!vm.trace.enabled) return
  for (let at = cc.migratepages.head; at >= 0; at = map.next[at]!)
    totals.mapped += map.mapcount[at]! > 0 ? 1 : 0
}
// #endregion contig-migrate-drop-clean

// #region contig-migrate-target
// Where targets come from: movable pages anywhere but in isolated blocks, other CMA areas included.
function targetFor(vm: Vm, cc: CompactControl): NewFolio {
  const { kernel } = vm.pgdat
  if (!kernelAtLeast(kernel, '6.1.192')) return (src) => alloc_migrate_target(vm, src)
  const gfp = kernelAtLeast(kernel, '6.12.117') ? cc.gfp_mask : GFP_USER | __GFP_MOVABLE | __GFP_RETRY_MAYFAIL
  return (src) => alloc_migration_target(vm, src, gfp)
}
// #endregion contig-migrate-target
