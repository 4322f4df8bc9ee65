// SPDX-License-Identifier: MIT
//
// The LRU lists: every page of a program or of a file that can be moved or dropped is on one, the rest of memory is not.
// It is by PG_lru that isolation tells what can be moved at all.
//
//     lru_add()              a new page, whose flags say which list, is on its list: PG_lru
//     folio_isolate_lru()    off its list with a reference of the isolator: no PG_lru, nobody else isolates it
//     folio_putback_lru()    back again, the reference is dropped
//     put_page()             drops a reference; with the last the page leaves its list and is free
//
//     inactive_anon  active_anon  inactive_file  active_file  unevictable        new pages enter at the head
//
// Leaves out: the batches of each CPU, in which a page waits without PG_lru and with a reference more until its batch is
// full or drained (so lru_add_drain_all() has nothing to do here), memory cgroups, the multi-generational LRU.

// #region lru-imports
import { EBUSY } from '../lib/errno.ts'
import type { Pfn } from '../lib/units.ts'
import { PG_active, PAGE_MAPPING_ANON, PG_lru, PG_swapbacked, PG_unevictable } from './mmzone.ts'
import { __free_pages } from './page_alloc.ts'
import { list_add, list_del } from './page_list.ts'
import type { LruList, Vm } from './vm.ts'
// #endregion lru-imports

// #region lru-which
/** Whether reclaim treats it as a page of a file: it can be dropped or written back without swap. @kernel include/linux/mm_inline.h folio_is_file_lru() v6.12 */
export function folio_is_file_lru(vm: Vm, pfn: Pfn): boolean {
  return (flagsOf(vm, pfn) & (PG_swapbacked | PAGE_MAPPING_ANON)) === 0
}

/** The list that its flags name. @kernel include/linux/mm_inline.h folio_lru_list() v6.12 */
export function folio_lru_list(vm: Vm, pfn: Pfn): LruList {
  const flags = flagsOf(vm, pfn)
  if (flags & PG_unevictable) return 'unevictable'
  if (flags & (PG_swapbacked | PAGE_MAPPING_ANON)) return flags & PG_active ? 'active_anon' : 'inactive_anon'
  return flags & PG_active ? 'active_file' : 'inactive_file'
}

const flagsOf = ({ pgdat: { map } }: Vm, pfn: Pfn): number => map.flags[pfn - map.start_pfn]!
// #endregion lru-which

// #region lru-add
/**
 * Puts a page on the LRU list that its flags name, at the head. It takes no reference.
 * Throws when the page is on a list already.
 * @kernel mm/swap.c folio_add_lru() v6.12
 */
export function lru_add(vm: Vm, pfn: Pfn): void {
  const { map } = vm.pgdat
  if (map.flags[pfn - map.start_pfn]! & PG_lru) {
    throw new Error(`lru_add: pfn ${hex(pfn)} is on ${folio_lru_list(vm, pfn)} already; isolate it first`)
  }
  const list = vm.lru[folio_lru_list(vm, pfn)]
  map.flags[pfn - map.start_pfn]! |= PG_lru
  list_add(map, pfn, list)
}
// #endregion lru-add

// #region lru-del
/**
 * Takes a page off its list. Throws when it is on none.
 * @kernel include/linux/mm_inline.h lruvec_del_folio() v6.12
 */
export function lruvec_del_folio(vm: Vm, pfn: Pfn): void {
  const { map } = vm.pgdat
  if (!(map.flags[pfn - map.start_pfn]! & PG_lru)) {
    throw new Error(`lruvec_del_folio: pfn ${hex(pfn)} is on no LRU list; was it isolated already?`)
  }
  list_del(map, pfn, vm.lru[folio_lru_list(vm, pfn)])
  map.flags[pfn - map.start_pfn]! &= ~PG_lru
}

const hex = (pfn: Pfn): string => `0x${pfn.toString(16)}`
// #endregion lru-del

// #region lru-references
/** Takes a reference. Throws for a free page. @kernel include/linux/mm.h get_page() v6.12 */
export function get_page(vm: Vm, pfn: Pfn): void {
  const { map } = vm.pgdat
  if (map.refcount[pfn - map.start_pfn] === 0) {
    throw new Error(`get_page: pfn ${hex(pfn)} has 0 references, expected at least 1; is it free?`)
  }
  map.refcount[pfn - map.start_pfn]!++
}

/** Drops a reference; with the last one the page leaves its LRU list and goes to the buddy allocator. @kernel include/linux/mm.h put_page() v6.12 */
export function put_page(vm: Vm, pfn: Pfn): void {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  if (map.refcount[at] === 1) {
    if (map.flags[at]! & PG_lru) lruvec_del_folio(vm, pfn)
    map.flags[at]! &= ~(PG_active | PG_unevictable)
  }
  __free_pages(vm.pgdat, pfn, 0)
}
// #endregion lru-references

// #region lru-isolate
/**
 * Takes a page off its LRU list and a reference to it: 0, or -EBUSY when it is on none.
 * @kernel mm/vmscan.c folio_isolate_lru() v6.12
 */
export function folio_isolate_lru(vm: Vm, pfn: Pfn): number {
  const { map } = vm.pgdat
  if (!(map.flags[pfn - map.start_pfn]! & PG_lru)) return -EBUSY
  get_page(vm, pfn)
  lruvec_del_folio(vm, pfn)
  return 0
}

/** Puts an isolated page back on the list that its flags name now, and drops the reference. @kernel mm/vmscan.c folio_putback_lru() v6.12 */
export function folio_putback_lru(vm: Vm, pfn: Pfn): void {
  lru_add(vm, pfn)
  put_page(vm, pfn)
}
// #endregion lru-isolate

// #region lru-drain
/**
 * Where Linux sends the batches of all CPUs to their lists; recorded in `vm.steps` and nothing else, for there are none.
 * @kernel mm/swap.c lru_add_drain_all() v6.12
 */
export function lru_add_drain_all(vm: Vm): void {
  vm.steps?.push('lru_add_drain_all')
}

/** From here on no page waits in a batch; recorded in `vm.steps`. @kernel mm/swap.c lru_cache_disable() v6.12 */
export function lru_cache_disable(vm: Vm): void {
  vm.steps?.push('lru_cache_disable')
}

/** Ends what lru_cache_disable() began; recorded in `vm.steps`. @kernel include/linux/swap.h lru_cache_enable() v6.12 */
export function lru_cache_enable(vm: Vm): void {
  vm.steps?.push('lru_cache_enable')
}
// #endregion lru-drain
