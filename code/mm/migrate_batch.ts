// SPDX-License-Identifier: MIT
//
// Page migration of 6.1 and 6.12: unmapping and moving are two steps.
//
//     6.1    10 passes     for each page: migrate_folio_unmap(), then migrate_folio_move() at once
//     6.12   3 passes      ASYNC: migrate_folio_unmap() for all of the list
//            3 passes      ASYNC: migrate_folio_move() for all that are unmapped (one TLB flush between)
//            7 + 7 passes  SYNC, for each page that is left, alone
//
// What will never move goes onto `ret_folios`, which the caller has to put back; what gives -EAGAIN stays.
//
// Leaves out: large folios and their splitting, pages of drivers that can be moved (movable_ops), KSM, the TLB.

// #region migrate-batch-imports
import { EAGAIN, EBUSY, ENOMEM } from '../lib/errno.ts'
import type { Pfn } from '../lib/units.ts'
import { folio_lock, folio_trylock, folio_unlock, folio_wait_writeback } from './folio_wait.ts'
import { lru_add, put_page } from './lru.ts'
import type { MigrateMode, MigrateStats, NewFolio } from './migrate_mode.ts'
import { move_to_new_folio } from './migrate_move.ts'
import { PG_active, PG_private, PG_unevictable, PG_uptodate, PG_writeback } from './mmzone.ts'
import {
  createPageList,
  cutFront,
  list_add_tail,
  list_del,
  list_empty,
  list_move_tail,
  list_splice_tail_init,
  type PageList,
} from './page_list.ts'
import { remove_migration_ptes, try_to_migrate } from './rmap.ts'
import type { Vm } from './vm.ts'
// #endregion migrate-batch-imports

// #region migrate-batch-job
/** One call of migrate_pages(). */
export interface Migration {
  readonly vm: Vm
  readonly get_new_folio: NewFolio
  /** Pages that will not move. */
  readonly ret_folios: PageList
  readonly stats: MigrateStats
}

// Besides 0 and errnos: unmapped, with a target.
const MIGRATEPAGE_UNMAP = 1
// #endregion migrate-batch-job

// #region migrate-batch-unmap
// Takes a target for `src`, locks and unmaps it: MIGRATEPAGE_UNMAP, and the target is last on `dsts`; 0: nobody needs
// the page any more, it is free; -EAGAIN, -ENOMEM: it stays on `from`; another errno: it is on ret_folios.
function migrate_folio_unmap(
  job: Migration,
  from: PageList,
  src: Pfn,
  dsts: PageList,
  mode: MigrateMode,
  force: boolean,
): number {
  const { vm } = job
  const { map } = vm.pgdat
  if (map.refcount[src - map.start_pfn] === 1) {
    map.flags[src - map.start_pfn]! &= ~(PG_active | PG_unevictable)
    list_del(map, src, from)
    put_page(vm, src)
    return 0
  }
  const dst = job.get_new_folio(src)
  if (dst === null) return -ENOMEM
  const rc = lockAndUnmap(vm, src, dst, mode, force)
  if (rc === MIGRATEPAGE_UNMAP) {
    list_add_tail(map, dst, dsts)
    return rc
  }
  if (rc !== -EAGAIN) list_move_tail(map, src, from, job.ret_folios)
  put_page(vm, dst)
  return rc
}
// #endregion migrate-batch-unmap

// #region migrate-batch-lock
// Both pages are locked afterwards, if it is MIGRATEPAGE_UNMAP; else neither.
function lockAndUnmap(vm: Vm, src: Pfn, dst: Pfn, mode: MigrateMode, force: boolean): number {
  const { map, kernel } = vm.pgdat
  const at = src - map.start_pfn
  if (!folio_trylock(vm, src)) {
    if (!force || mode === 'MIGRATE_ASYNC') return -EAGAIN
    // 6.12: not up to date, so it is being read; only SYNC waits for I/O.
    const reading = kernel === '6.12.117' && !(map.flags[at]! & PG_uptodate)
    if (mode === 'MIGRATE_SYNC_LIGHT' && reading) return -EAGAIN
    folio_lock(vm, src)
  }
  const rc = unmapLocked(vm, src, mode, force)
  if (rc === MIGRATEPAGE_UNMAP) folio_lock(vm, dst)
  else folio_unlock(vm, src)
  return rc
}
// #endregion migrate-batch-lock

// #region migrate-batch-unmap-locked
function unmapLocked(vm: Vm, src: Pfn, mode: MigrateMode, force: boolean): number {
  const { map } = vm.pgdat
  const at = src - map.start_pfn
  if (map.flags[at]! & PG_writeback) {
    if (mode !== 'MIGRATE_SYNC') return -EBUSY
    if (!force) return -EAGAIN
    folio_wait_writeback(vm, src)
  }
  if (map.mapping[at] === 0) {
    if (!(map.flags[at]! & PG_private)) return MIGRATEPAGE_UNMAP
    // Cut off from its file; without its private data it can be freed.
    map.flags[at]! &= ~PG_private
    map.refcount[at]!--
    return -EAGAIN
  }
  if (map.mapcount[at]! > 0) try_to_migrate(vm, src)
  if (map.mapcount[at] === 0) return MIGRATEPAGE_UNMAP
  remove_migration_ptes(vm, src, src)
  return -EAGAIN
}
// #endregion migrate-batch-unmap-locked

// #region migrate-batch-move
// Moves an unmapped page to its target. With 0 both have left their lists, the target is mapped and `src` is free.
function migrate_folio_move(
  vm: Vm,
  from: PageList,
  src: Pfn,
  dsts: PageList,
  dst: Pfn,
  mode: MigrateMode,
): number {
  const { map } = vm.pgdat
  const rc = move_to_new_folio(vm, dst, src, mode)
  if (rc !== 0) return rc
  list_del(map, dst, dsts)
  lru_add(vm, dst)
  remove_migration_ptes(vm, src, dst)
  folio_unlock(vm, dst)
  put_page(vm, dst)
  list_del(map, src, from)
  folio_unlock(vm, src)
  put_page(vm, src)
  return 0
}
// #endregion migrate-batch-move

// #region migrate-batch-undo
// The old page is mapped again, and goes to `to` if there is one; the target is free.
function undo(vm: Vm, from: PageList, src: Pfn, dsts: PageList, dst: Pfn, to: PageList | null): void {
  const { map } = vm.pgdat
  remove_migration_ptes(vm, src, src)
  folio_unlock(vm, src)
  if (to) list_move_tail(map, src, from, to)
  list_del(map, dst, dsts)
  folio_unlock(vm, dst)
  put_page(vm, dst)
}
// #endregion migrate-batch-undo

// #region migrate-batch-61
/**
 * The passes of 6.1: how many pages did not move, or -ENOMEM: no target for one, and the passes end there.
 * @kernel mm/migrate.c migrate_pages_batch() v6.1
 */
export function migratePages61(job: Migration, from: PageList, mode: MigrateMode): number {
  const { map } = job.vm.pgdat
  const { stats } = job
  let nr_failed = 0
  let retry = 1
  for (let pass = 0; pass < 10 && retry; pass++) {
    retry = 0
    for (let at = from.head, next; at >= 0; at = next) {
      next = map.next[at]!
      const rc = unmapAndMove61(job, from, at + map.start_pfn, mode, pass > 2)
      if (rc === 0) stats.nr_succeeded++
      else if (rc === -EAGAIN) retry++
      else {
        nr_failed++
        stats.nr_failed_pages += rc === -ENOMEM ? 1 + retry : 1
        if (rc === -ENOMEM) return rc
      }
    }
  }
  stats.nr_failed_pages += retry
  return nr_failed + retry
}
// #endregion migrate-batch-61

// #region migrate-batch-61-page
function unmapAndMove61(job: Migration, from: PageList, src: Pfn, mode: MigrateMode, force: boolean): number {
  const { vm, ret_folios } = job
  const dsts = createPageList()
  const rc = migrate_folio_unmap(job, from, src, dsts, mode, force)
  if (rc !== MIGRATEPAGE_UNMAP) return rc
  const dst = dsts.head + vm.pgdat.map.start_pfn
  const moved = migrate_folio_move(vm, from, src, dsts, dst, mode)
  if (moved !== 0) undo(vm, from, src, dsts, dst, moved === -EAGAIN ? null : ret_folios)
  return moved
}
// #endregion migrate-batch-61-page

// #region migrate-batch-612
/** A call of migrate_pages_batch(): what is unmapped already, and its targets, each at the same place of its list. */
interface Batch {
  readonly job: Migration
  readonly from: PageList
  readonly mode: MigrateMode
  readonly nr_pass: number
  readonly unmapped: PageList
  readonly dsts: PageList
}

/**
 * The two rounds of passes of 6.12: how many pages did not move, or -ENOMEM: there was no target for one.
 * @kernel mm/migrate.c migrate_pages_batch() v6.12
 */
export function migrate_pages_batch(
  job: Migration,
  from: PageList,
  mode: MigrateMode,
  nr_pass: number,
): number {
  const batch = { job, from, mode, nr_pass, unmapped: createPageList(), dsts: createPageList() }
  const failed = unmapPasses(batch)
  // With no memory for one page, those that are unmapped already move all the same.
  const rest = movePasses(batch)
  const { unmapped, dsts } = batch
  const { start_pfn } = job.vm.pgdat.map
  while (!list_empty(unmapped)) {
    undo(job.vm, unmapped, unmapped.head + start_pfn, dsts, dsts.head + start_pfn, job.ret_folios)
  }
  return failed < 0 ? failed : failed + rest
}
// #endregion migrate-batch-612

// #region migrate-batch-unmap-passes
// Pages that failed, those that might still be unmapped among them; or -ENOMEM.
function unmapPasses({ job, from, unmapped, dsts, mode, nr_pass }: Batch): number {
  const { map } = job.vm.pgdat
  const { stats } = job
  let nr_failed = 0
  let retry = 1
  for (let pass = 0; pass < nr_pass && retry; pass++) {
    retry = 0
    for (let at = from.head, next; at >= 0; at = next) {
      next = map.next[at]!
      const rc = migrate_folio_unmap(job, from, at + map.start_pfn, dsts, mode, true)
      if (rc === MIGRATEPAGE_UNMAP) list_move_tail(map, at + map.start_pfn, from, unmapped)
      else if (rc === 0) stats.nr_succeeded++
      else if (rc === -EAGAIN) retry++
      else {
        nr_failed++
        stats.nr_failed_pages += rc === -ENOMEM ? 1 + retry : 1
        if (rc === -ENOMEM) return rc
      }
    }
  }
  stats.nr_failed_pages += retry
  return nr_failed + retry
}
// #endregion migrate-batch-unmap-passes

// #region migrate-batch-move-passes
// Pages that failed; those that might still move stay on `unmapped`, beside their targets.
function movePasses({ job, unmapped, dsts, mode, nr_pass }: Batch): number {
  const { map } = job.vm.pgdat
  const { stats } = job
  let nr_failed = 0
  let retry = 1
  for (let pass = 0; pass < nr_pass && retry; pass++) {
    retry = 0
    for (let at = unmapped.head, to = dsts.head, next, nextTo; at >= 0; at = next, to = nextTo) {
      next = map.next[at]!
      nextTo = map.next[to]!
      const dst = to + map.start_pfn
      const rc = migrate_folio_move(job.vm, unmapped, at + map.start_pfn, dsts, dst, mode)
      if (rc === 0) stats.nr_succeeded++
      else if (rc === -EAGAIN) retry++
      else {
        nr_failed++
        stats.nr_failed_pages++
        undo(job.vm, unmapped, at + map.start_pfn, dsts, dst, job.ret_folios)
      }
    }
  }
  stats.nr_failed_pages += retry
  return nr_failed + retry
}
// #endregion migrate-batch-move-passes

// #region migrate-batch-sync
/**
 * 6.12, when it may wait: first the whole list without waiting, then what is left page by page.
 * @kernel mm/migrate.c migrate_pages_sync() v6.12
 */
export function migrate_pages_sync(job: Migration, from: PageList, mode: MigrateMode): number {
  const { map } = job.vm.pgdat
  const { stats, ret_folios } = job
  const left = createPageList()
  const tried: MigrateStats = { nr_succeeded: 0, nr_failed_pages: 0 }
  const rc = migrate_pages_batch({ ...job, ret_folios: left, stats: tried }, from, 'MIGRATE_ASYNC', 3)
  stats.nr_succeeded += tried.nr_succeeded
  if (rc < 0) {
    stats.nr_failed_pages += tried.nr_failed_pages
    list_splice_tail_init(map, left, ret_folios)
    return rc
  }
  list_splice_tail_init(map, left, from)
  let nr_failed = 0
  while (!list_empty(from)) {
    const one = cutFront(map, from, 1)
    const failed = migrate_pages_batch(job, one, mode, 7)
    list_splice_tail_init(map, one, ret_folios)
    if (failed < 0) return failed
    nr_failed += failed
  }
  return nr_failed
}
// #endregion migrate-batch-sync
