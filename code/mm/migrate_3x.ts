// SPDX-License-Identifier: MIT
//
// Page migration from 3.5 to 4.12, mm/migrate.c as it was: ten passes over the list, and in each a page is unmapped and
// moved at once.
//
//     pass 0 1 2   force = false    a locked page, or one under writeback, is left for later
//     pass 3 … 9   force = true     it is waited for
//
//     unmap_and_move():  take a target → lock → wait for writeback → unmap → move → map the target (or the old page again)
//
// A page that moved, or that never will, leaves the list at once; only -EAGAIN keeps it there.
//
// Leaves out: KSM, memory cgroups, swap cache, transparent huge pages, balloon pages.

// #region migrate-3x-imports
import { EAGAIN, EBUSY, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import { folio_lock, folio_trylock, folio_unlock, folio_wait_writeback } from './folio_wait.ts'
import { folio_putback_lru, lru_add, put_page } from './lru.ts'
import { move_to_new_folio } from './migrate_move.ts'
import type { MigrateMode, MigrateStats, NewFolio } from './migrate_mode.ts'
import { PAGE_MAPPING_ANON, PG_private, PG_writeback } from './mmzone.ts'
import { list_del, type PageList } from './page_list.ts'
import { remove_migration_ptes, try_to_migrate } from './rmap.ts'
import type { Vm } from './vm.ts'
// #endregion migrate-3x-imports

// #region migrate-3x-passes
/**
 * migrate_pages() of 3.5 … 4.12: how many pages did not move, or -ENOMEM: no target for one, and the passes end there.
 * What is still on the list may be tried again.
 * @kernel mm/migrate.c migrate_pages() v4.12
 */
export function migratePages3x(
  vm: Vm,
  from: PageList,
  get_new_page: NewFolio,
  mode: MigrateMode,
  stats: MigrateStats,
): number {
  const { map, kernel } = vm.pgdat
  let nr_failed = 0
  let retry = 1
  for (let pass = 0; pass < 10 && retry; pass++) {
    retry = 0
    // #region migrate-3x-pass
    for (let at = from.head, next; at >= 0; at = next) {
      next = map.next[at]!
      const rc = unmap_and_move(vm, from, get_new_page, at + map.start_pfn, pass > 2, mode)
      if (rc === 0) stats.nr_succeeded++
      else if (rc === -EAGAIN) retry++
      else if (rc !== -ENOMEM) nr_failed++
      else {
        // 4.12 counts the page for which there was no target.
        stats.nr_failed_pages += nr_failed + (kernelAtLeast(kernel, '4.12.4') ? 1 : 0)
        return -ENOMEM
      }
    }
    // #endregion migrate-3x-pass
  }
  // Until 3.9 what would not move in ten passes is not counted as failed in /proc/vmstat.
  stats.nr_failed_pages += nr_failed + (kernelAtLeast(kernel, '4.6') ? retry : 0)
  return nr_failed + retry
}
// #endregion migrate-3x-passes

// #region migrate-3x-unmap-and-move
// 0 or -EBUSY and the like: the page is off the list. -EAGAIN, -ENOMEM: it is still there.
function unmap_and_move(
  vm: Vm,
  from: PageList,
  get_new_page: NewFolio,
  page: Pfn,
  force: boolean,
  mode: MigrateMode,
): number {
  const { map } = vm.pgdat
  const newpage = get_new_page(page)
  if (newpage === null) return -ENOMEM
  // With no reference but that of the isolation, nobody needs it any more: it is freed instead.
  const freed = map.refcount[page - map.start_pfn] === 1
  const rc = freed ? 0 : __unmap_and_move(vm, page, newpage, force, mode)
  if (rc !== -EAGAIN) {
    list_del(map, page, from)
    if (rc === 0) put_page(vm, page)
    else folio_putback_lru(vm, page)
  }
  if (rc === 0 && !freed) lru_add(vm, newpage)
  put_page(vm, newpage)
  return rc
}
// #endregion migrate-3x-unmap-and-move

// #region migrate-3x-lock
// Locks the page, unmaps it, moves it.
function __unmap_and_move(vm: Vm, page: Pfn, newpage: Pfn, force: boolean, mode: MigrateMode): number {
  if (!folio_trylock(vm, page)) {
    if (!force || mode === 'MIGRATE_ASYNC') return -EAGAIN
    folio_lock(vm, page)
  }
  const rc = unmapAndMoveLocked(vm, page, newpage, force, mode)
  folio_unlock(vm, page)
  return rc
}
// #endregion migrate-3x-lock

// #region migrate-3x-locked
function unmapAndMoveLocked(vm: Vm, page: Pfn, newpage: Pfn, force: boolean, mode: MigrateMode): number {
  const { map, kernel } = vm.pgdat
  const at = page - map.start_pfn
  if (map.flags[at]! & PG_writeback) {
    if (mode !== 'MIGRATE_SYNC') return -EBUSY
    if (!force) return -EAGAIN
    folio_wait_writeback(vm, page)
  }
  // Until 3.9: an anonymous page that no page table maps has no anon_vma that could be held, and is not moved.
  const orphan = map.flags[at]! & PAGE_MAPPING_ANON && map.mapcount[at] === 0
  if (orphan && !kernelAtLeast(kernel, '4.6')) return -EAGAIN
  if (map.mapping[at] === 0 && map.flags[at]! & PG_private) {
    // Cut off from its file; without its private data it can be freed.
    map.flags[at]! &= ~PG_private
    map.refcount[at]!--
    return -EAGAIN
  }
  if (map.mapcount[at]! > 0) try_to_migrate(vm, page)
  folio_lock(vm, newpage)
  const rc = map.mapcount[at] === 0 ? move_to_new_folio(vm, newpage, page, mode) : -EAGAIN
  remove_migration_ptes(vm, page, rc === 0 ? newpage : page)
  folio_unlock(vm, newpage)
  return rc
}
// #endregion migrate-3x-locked
