// SPDX-License-Identifier: MIT
//
// One page moves: the part of mm/migrate.c that all its versions share. The page is locked, its page tables hold
// migration entries in place of it; now its owner, its contents and its flags go over to the target.
//
//     move_to_new_folio(dst, src)
//        anonymous, or a file system that can      migrate_folio():          references as expected? then all goes over
//        a file system that cannot                 fallback_migrate_folio(): dirty? write it back and try again later
//        an owner with its own way                 PageOwner.migrate_folio()
//
// A page whose references are not those of its owner and of the isolation alone is held by somebody: -EAGAIN. That is
// how a pin shows.
//
// Leaves out: swap cache, buffer heads (a page's private data is dropped), counters of zones (NR_FILE_DIRTY and so on).

// #region migrate-move-imports
import { EAGAIN, EBUSY, EINVAL, EIO } from '../lib/errno.ts'
import { cpuCopyPage } from '../arch/cpu.ts'
import type { Pfn } from '../lib/units.ts'
import type { MigrateMode } from './migrate_mode.ts'
import {
  PG_active,
  PAGE_MAPPING_ANON,
  PG_dirty,
  PG_private,
  PG_swapbacked,
  PG_unevictable,
  PG_uptodate,
} from './mmzone.ts'
import { remove_migration_ptes } from './rmap.ts'
import type { Vm } from './vm.ts'
import { folio_clear_dirty_for_io, writepage } from './writeback.ts'
// #endregion migrate-move-imports

// #region migrate-move-to-new
/**
 * Moves what `src` holds to `dst`; both are locked and no page table maps `src`. 0, or
 * -EAGAIN (somebody else holds it; it was dirty and is being written back),
 * -EBUSY (dirty, and the mode does not wait for I/O), -EIO (writing back failed), -EINVAL (it cannot be written back),
 * or what its owner says.
 * @kernel mm/migrate.c move_to_new_folio() v6.12
 */
export function move_to_new_folio(vm: Vm, dst: Pfn, src: Pfn, mode: MigrateMode): number {
  const { map } = vm.pgdat
  const owner = vm.mappings[map.mapping[src - map.start_pfn]!]
  if (owner?.migrate_folio) {
    const rc = owner.migrate_folio(dst, src)
    if (rc !== 0) return rc
  }
  const common = map.flags[src - map.start_pfn]! & PAGE_MAPPING_ANON || !owner || owner.canMigrate
  return common ? migrate_folio(vm, dst, src) : fallback_migrate_folio(vm, dst, src, mode)
}
// #endregion migrate-move-to-new

// #region migrate-move-fallback
// The file system cannot move a page: it must be clean and without private data first.
function fallback_migrate_folio(vm: Vm, dst: Pfn, src: Pfn, mode: MigrateMode): number {
  const { map } = vm.pgdat
  const at = src - map.start_pfn
  if (map.flags[at]! & PG_dirty) return mode === 'MIGRATE_SYNC' ? writeout(vm, src) : -EBUSY
  if (map.flags[at]! & PG_private) {
    map.flags[at]! &= ~PG_private
    map.refcount[at]!--
  }
  return migrate_folio(vm, dst, src)
}

// Writes the page back. It may be seen and changed meanwhile, so this attempt to move it is over.
function writeout(vm: Vm, src: Pfn): number {
  const owner = vm.mappings[vm.pgdat.map.mapping[src - vm.pgdat.map.start_pfn]!]
  if (!owner?.writepage) return -EINVAL
  if (!folio_clear_dirty_for_io(vm, src)) return -EAGAIN
  remove_migration_ptes(vm, src, src)
  return writepage(vm, src) < 0 ? -EIO : -EAGAIN
}
// #endregion migrate-move-fallback

// #region migrate-move-folio
/**
 * The common way. 0, or -EAGAIN: somebody else holds the page.
 * @kernel mm/migrate.c migrate_folio() v6.12
 */
export function migrate_folio(vm: Vm, dst: Pfn, src: Pfn): number {
  const rc = folio_migrate_mapping(vm, dst, src)
  if (rc !== 0) return rc
  const { pageSize } = vm.pgdat
  cpuCopyPage(vm.cpu, dst * pageSize, src * pageSize, pageSize)
  folio_migrate_flags(vm, dst, src)
  return 0
}
// #endregion migrate-move-folio

// #region migrate-move-mapping
// The owner now has `dst` where it had `src`.
function folio_migrate_mapping(vm: Vm, dst: Pfn, src: Pfn): number {
  const { map } = vm.pgdat
  const from = src - map.start_pfn
  const to = dst - map.start_pfn
  const owner = vm.mappings[map.mapping[from]!]
  const expected = 1 + (owner ? owner.expectedRefs(src) : 0)
  // A page that is mapped again, for it had to be written back, does not move either.
  if (map.refcount[from] !== expected || map.mapcount[from] !== 0) return -EAGAIN
  map.mapping[to] = map.mapping[from]!
  map.index[to] = map.index[from]!
  if (owner?.replace) {
    owner.replace(src, dst)
    // The page cache's own reference.
    map.refcount[to]!++
    map.refcount[from]!--
  }
  return 0
}
// #endregion migrate-move-mapping

// #region migrate-move-flags
const CARRIED = PG_uptodate | PG_dirty | PG_active | PG_unevictable | PG_swapbacked | PAGE_MAPPING_ANON

// What the flags say about the contents goes along; the old page keeps none of it.
function folio_migrate_flags(vm: Vm, dst: Pfn, src: Pfn): void {
  const { map } = vm.pgdat
  const from = src - map.start_pfn
  map.flags[dst - map.start_pfn]! |= map.flags[from]! & CARRIED
  map.flags[from]! &= ~(CARRIED | PG_private)
  map.mapping[from] = 0
  map.index[from] = 0
}
// #endregion migrate-move-flags
