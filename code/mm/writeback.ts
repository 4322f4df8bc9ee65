// SPDX-License-Identifier: MIT
//
// Writeback, the part of mm/page-writeback.c: a dirty page of a file becomes clean by being written to where the file is.
//
//     PG_dirty ──folio_clear_dirty_for_io()──▶ clean ──writepage()──▶ PG_writeback ──the device has it──▶ clean
//                                                          └── it failed: dirty again
//
// The model's devices are quick: what writepage() starts is done when it returns.
// Leaves out: the threads of the flusher and their limits (dirty_ratio), pages that a program dirties while they are written.

// #region writeback-imports
import { EIO } from '../lib/errno.ts'
import type { Pfn } from '../lib/units.ts'
import { PG_dirty, PG_writeback } from './mmzone.ts'
import type { Vm } from './vm.ts'
// #endregion writeback-imports

// #region writeback-page
/** Takes the dirty mark off a page that is about to be written: whether it was dirty. @kernel mm/page-writeback.c folio_clear_dirty_for_io() v6.12 */
export function folio_clear_dirty_for_io({ pgdat: { map } }: Vm, pfn: Pfn): boolean {
  const at = pfn - map.start_pfn
  if (!(map.flags[at]! & PG_dirty)) return false
  map.flags[at]! &= ~PG_dirty
  return true
}

/**
 * Writes a page to where its file is: 0, or what its owner says, -EIO when it has no way to write; it is dirty again then.
 * @kernel include/linux/fs.h struct address_space_operations writepage() v6.12
 */
export function writepage(vm: Vm, pfn: Pfn): number {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  map.flags[at]! |= PG_writeback
  const rc = vm.mappings[map.mapping[at]!]?.writepage?.(pfn) ?? -EIO
  map.flags[at]! &= ~PG_writeback
  if (rc < 0) map.flags[at]! |= PG_dirty
  return rc
}
// #endregion writeback-page

// #region writeback-flusher
/**
 * Has the flusher write what is dirty: all pages on the lists of files.
 * @kernel fs/fs-writeback.c wakeup_flusher_threads() v6.12
 */
export function wakeup_flusher_threads(vm: Vm): void {
  const { map } = vm.pgdat
  for (const { head } of [vm.lru.inactive_file, vm.lru.active_file]) {
    for (let at = head; at >= 0; at = map.next[at]!) {
      const pfn = at + map.start_pfn
      if (folio_clear_dirty_for_io(vm, pfn)) writepage(vm, pfn)
    }
  }
}
// #endregion writeback-flusher
