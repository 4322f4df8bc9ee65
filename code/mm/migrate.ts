// SPDX-License-Identifier: MIT
//
// Page migration, mm/migrate.c: the contents of pages in use go to other pages, and whoever used them uses those, without
// noticing.
//
//     process A ─ pte ─┐                             process A ─ pte ─┐
//                      ├─▶ page 0x40100                               ├─▶ page 0x4a3c7     same contents
//     process B ─ pte ─┘   in the range               process B ─ pte ─┘
//                                                                         page 0x40100     free
//
// Protocol: isolate_migratepages_range() makes the list, migrate_pages() moves it, putback_movable_pages() gives back
// what did not move. How the list is gone through depends on the kernel: migrate_3x.ts, migrate_batch.ts.
//
// Leaves out: huge pages, put_new_folio, moving between nodes (move_pages(2), mempolicy, demotion).

// #region migrate-imports
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import { __GFP_COMP, __GFP_HIGHMEM, __GFP_MOVABLE, GFP_USER } from './gfp.ts'
import { folio_putback_lru } from './lru.ts'
import { migratePages3x } from './migrate_3x.ts'
import { migrate_pages_batch, migrate_pages_sync, migratePages61, type Migration } from './migrate_batch.ts'
import type { MigrateMode, MigrateReason, MigrateStats, NewFolio } from './migrate_mode.ts'
import { page_zone } from './page.ts'
import { __alloc_pages } from './page_alloc.ts'
import {
  createPageList,
  cutFront,
  list_del,
  list_empty,
  list_splice_init,
  list_splice_tail_init,
  type PageList,
} from './page_list.ts'
import type { Vm } from './vm.ts'
// #endregion migrate-imports

// #region migrate-pages
/**
 * Moves the isolated pages of `from` to targets of `get_new_folio`. 0: all have moved. Else what is left on `from` is to
 * be tried again or put back: the number of pages that did not move, or -ENOMEM: there was no target for one.
 * Until 4.12 a page that will never move has been put back already, and the number counts it all the same.
 * @kernel mm/migrate.c migrate_pages() v6.12
 * @omits `put_new_folio`, `private` (what a closure holds) and `ret_succeeded`
 */
export function migrate_pages(
  vm: Vm,
  from: PageList,
  get_new_folio: NewFolio,
  mode: MigrateMode,
  reason: MigrateReason,
): number {
  const { kernel, vm_event } = vm.pgdat
  const stats: MigrateStats = { nr_succeeded: 0, nr_failed_pages: 0 }
  const modern = kernelAtLeast(kernel, '6.1.192')
  if (modern && vm.trace.enabled) vm.trace.emit('mm_migrate_pages_start', { mode, reason })
  const rc = modern
    ? inBatches(vm, from, get_new_folio, mode, stats)
    : migratePages3x(vm, from, get_new_folio, mode, stats)
  // 3.5 neither counts nor traces.
  if (kernel === '3.5') return rc
  vm_event.pgmigrate_success += stats.nr_succeeded
  vm_event.pgmigrate_fail += stats.nr_failed_pages
  if (vm.trace.enabled) traceMigration(vm, stats, mode, reason)
  return rc
}
// #endregion migrate-pages

// #region migrate-in-batches
// 6.x: not more than 512 pages at a time.
function inBatches(
  vm: Vm,
  from: PageList,
  get_new_folio: NewFolio,
  mode: MigrateMode,
  stats: MigrateStats,
): number {
  const { map, kernel } = vm.pgdat
  const job: Migration = { vm, get_new_folio, ret_folios: createPageList(), stats }
  let gathered = 0
  do {
    const folios = cutFront(map, from, NR_MAX_BATCHED_MIGRATION)
    let rc
    if (kernel === '6.1.192') rc = migratePages61(job, folios, mode)
    else if (mode === 'MIGRATE_ASYNC') rc = migrate_pages_batch(job, folios, mode, 10)
    else rc = migrate_pages_sync(job, folios, mode)
    list_splice_tail_init(map, folios, job.ret_folios)
    gathered = rc < 0 ? rc : gathered + rc
  } while (gathered >= 0 && !list_empty(from))
  list_splice_init(map, job.ret_folios, from)
  return list_empty(from) ? 0 : gathered
}

/** @kernel mm/migrate.c NR_MAX_BATCHED_MIGRATION v6.12 */
const NR_MAX_BATCHED_MIGRATION = 512
// #endregion migrate-in-batches

// #region migrate-trace
function traceMigration(vm: Vm, stats: MigrateStats, mode: MigrateMode, reason: MigrateReason): void {
  const { kernel } = vm.pgdat
  const counts = { nr_succeeded: stats.nr_succeeded, nr_failed: stats.nr_failed_pages }
  if (!kernelAtLeast(kernel, '6.1.192')) {
    const why = reason === 'contig_range' ? 'cma' : reason
    vm.trace.emit('mm_migrate_pages', { ...counts, mode, reason: why })
    return
  }
  const huge = { nr_thp_succeeded: 0, nr_thp_failed: 0, nr_thp_split: 0 }
  const split = kernelAtLeast(kernel, '6.12.117') ? { nr_split: 0 } : {}
  vm.trace.emit('mm_migrate_pages', { ...counts, ...huge, ...split, mode, reason })
}
// #endregion migrate-trace

// #region migrate-target
/**
 * A target for `src`: a movable page that may lie anywhere but in an isolated block, in another CMA area too; null when
 * there is none. `gfp_mask` is what the caller of the migration allows.
 * @kernel mm/migrate.c alloc_migration_target() v6.12
 */
export function alloc_migration_target(vm: Vm, src: Pfn, gfp_mask: number): Pfn | null {
  const { name } = page_zone(vm.pgdat, src)
  const high = name === 'HighMem' || name === 'Movable' ? __GFP_HIGHMEM : 0
  return __alloc_pages(vm.pgdat, gfp_mask | high | __GFP_COMP, 0)
}

/**
 * A target for `page` until 4.12, where the caller has no say: GFP_USER and movable.
 * @kernel mm/page_isolation.c alloc_migrate_target() v4.12
 */
export function alloc_migrate_target(vm: Vm, page: Pfn): Pfn | null {
  const high = page_zone(vm.pgdat, page).name === 'HighMem' ? __GFP_HIGHMEM : 0
  return __alloc_pages(vm.pgdat, GFP_USER | __GFP_MOVABLE | high, 0)
}
// #endregion migrate-target

// #region migrate-putback
/**
 * Puts isolated pages back on their LRU lists; the list is empty then.
 * @kernel mm/migrate.c putback_movable_pages() v6.12
 */
export function putback_movable_pages(vm: Vm, list: PageList): void {
  const { map } = vm.pgdat
  while (!list_empty(list)) {
    const pfn = list.head + map.start_pfn
    list_del(map, pfn, list)
    folio_putback_lru(vm, pfn)
  }
}
// #endregion migrate-putback
