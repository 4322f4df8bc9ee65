// SPDX-License-Identifier: MIT
//
// Waiting for a page, the part of mm/filemap.c on which migration and reclaim lean: a page is locked while somebody
// changes what it belongs to, and under writeback while a device reads it.
//
//     folio_trylock() … folio_unlock()      never waits
//     folio_lock() … folio_unlock()         sleeps until the holder lets go
//     folio_wait_writeback()                sleeps until the device has read it
//
// The model has one task. To sleep is to let `vm.hooks.whileWaiting` run; then the other side is done.

// #region folio-wait-imports
import type { Pfn } from '../lib/units.ts'
import { PG_locked, PG_writeback } from './mmzone.ts'
import type { Vm } from './vm.ts'
// #endregion folio-wait-imports

// #region folio-lock
/** Locks a page: whether nobody had it. @kernel include/linux/pagemap.h folio_trylock() v6.12 */
export function folio_trylock({ pgdat: { map } }: Vm, pfn: Pfn): boolean {
  const at = pfn - map.start_pfn
  if (map.flags[at]! & PG_locked) return false
  map.flags[at]! |= PG_locked
  return true
}

/** Locks a page, and sleeps until it can. @kernel include/linux/pagemap.h folio_lock() v6.12 */
export function folio_lock(vm: Vm, pfn: Pfn): void {
  if (folio_trylock(vm, pfn)) return
  vm.hooks.whileWaiting?.(vm, pfn)
  vm.pgdat.map.flags[pfn - vm.pgdat.map.start_pfn]! |= PG_locked
}

/** Gives the lock back. Throws when it was not held. @kernel mm/filemap.c folio_unlock() v6.12 */
export function folio_unlock({ pgdat: { map } }: Vm, pfn: Pfn): void {
  const at = pfn - map.start_pfn
  if (!(map.flags[at]! & PG_locked)) {
    throw new Error(`folio_unlock: pfn 0x${pfn.toString(16)} is not locked; lock it first with folio_lock()`)
  }
  map.flags[at]! &= ~PG_locked
}
// #endregion folio-lock

// #region folio-wait-writeback
/** Sleeps until a page is not under writeback. @kernel mm/page-writeback.c folio_wait_writeback() v6.12 */
export function folio_wait_writeback(vm: Vm, pfn: Pfn): void {
  const { map } = vm.pgdat
  if (!(map.flags[pfn - map.start_pfn]! & PG_writeback)) return
  vm.hooks.whileWaiting?.(vm, pfn)
  map.flags[pfn - map.start_pfn]! &= ~PG_writeback
}
// #endregion folio-wait-writeback
