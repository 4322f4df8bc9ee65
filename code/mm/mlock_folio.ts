// SPDX-License-Identifier: MIT
//
// Locked pages, the part of mm/mlock.c behind mlock(2): a page that a VM_LOCKED VMA maps is on the unevictable list, where
// reclaim does not look. It may still move: CMA areas take such pages too (not in 3.5).
//
// Leaves out: Linux counts how many VMAs have locked a page; here its mappings are asked.

// #region mlock-folio-imports
import { walk } from '../arch/pgtable.ts'
import { pte_pfn, pte_present } from '../arch/pgtable_pte.ts'
import type { Pfn } from '../lib/units.ts'
import { lru_add, lruvec_del_folio } from './lru.ts'
import { VM_LOCKED } from './mmap_flags.ts'
import { PG_lru, PG_unevictable } from './mmzone.ts'
import { rmap_walk } from './rmap.ts'
import type { Vm } from './vm.ts'
// #endregion mlock-folio-imports

// #region mlock-folio
/** A locked VMA maps the page now. @kernel mm/mlock.c mlock_folio() v6.12 */
export function mlock_folio(vm: Vm, pfn: Pfn): void {
  setUnevictable(vm, pfn, PG_unevictable)
}

/** A locked VMA has let the page go; it stays locked as long as another maps it. @kernel mm/mlock.c munlock_folio() v6.12 */
export function munlock_folio(vm: Vm, pfn: Pfn): void {
  let locked = false
  rmap_walk(vm, pfn, (vma, address) => {
    const pte = vma.vm_flags & VM_LOCKED ? (walk(vma.vm_mm.pgd, address)?.pte ?? 0n) : 0n
    if (pte_present(vm.pgdat.arch, pte) && pte_pfn(vm.geometry, pte) === pfn) locked = true
  })
  if (!locked) setUnevictable(vm, pfn, 0)
}

// The flag decides which list a page belongs to, so it changes while the page is on none.
function setUnevictable(vm: Vm, pfn: Pfn, flag: number): void {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  if ((map.flags[at]! & PG_unevictable) === flag) return
  const listed = (map.flags[at]! & PG_lru) !== 0
  if (listed) lruvec_del_folio(vm, pfn)
  map.flags[at]! ^= PG_unevictable
  if (listed) lru_add(vm, pfn)
}
// #endregion mlock-folio
