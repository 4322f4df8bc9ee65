// SPDX-License-Identifier: MIT
//
// mlock(2), mm/mlock.c: pages of a program that reclaim must leave in memory.
//
//     mlock()     the VMA becomes VM_LOCKED, its pages come at once
//     munlock()   and back; a page that another process has locked too stays locked
//
// What a driver mapped with remap_pfn_range() cannot be locked, and need not be: mlock() does nothing and returns 0.
//
// Leaves out: limits (RLIMIT_MEMLOCK), MLOCK_ONFAULT, mlockall().

// #region mlock-imports
import { ptesIn } from '../arch/pgtable.ts'
import { pte_present } from '../arch/pgtable_pte.ts'
import { EAGAIN, EFAULT, ENOMEM } from '../lib/errno.ts'
import { round_up, type Bytes, type VirtAddr } from '../lib/units.ts'
import { populate_vma_page_range } from './gup.ts'
import { vm_normal_page } from './memory.ts'
import { mlock_folio, munlock_folio } from './mlock_folio.ts'
import { vmasIn } from './mm_struct.ts'
import { vmSpecial, VM_IO, VM_LOCKED, VM_PFNMAP } from './mmap_flags.ts'
import { splitOut } from './mmap_unmap.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion mlock-imports

// #region mlock-calls
/**
 * Locks the pages that `[start, start + len)` touches, and brings them: 0, or -ENOMEM (some of it is not mapped, may not be
 * accessed, or has nothing behind it; too many VMAs), -EAGAIN (no memory for the pages). After a failure VMAs stay locked.
 * @kernel mm/mlock.c do_mlock() v6.12
 */
export function mlock(vm: Vm, mm: MmStruct, start: VirtAddr, len: Bytes): number {
  const [first, end] = wholePages(vm, start, len)
  const rc = apply_vma_lock_flags(vm, mm, first, end, VM_LOCKED)
  if (rc < 0) return rc
  const brought = bring(vm, mm, first, end)
  if (brought === -EFAULT) return -ENOMEM
  return brought === -ENOMEM ? -EAGAIN : brought
}

/** Unlocks them: 0, or -ENOMEM: some of it is not mapped, or too many VMAs. @kernel mm/mlock.c munlock() v6.12 */
export function munlock(vm: Vm, mm: MmStruct, start: VirtAddr, len: Bytes): number {
  const [first, end] = wholePages(vm, start, len)
  return apply_vma_lock_flags(vm, mm, first, end, 0)
}

function wholePages({ pgdat: { pageSize } }: Vm, start: VirtAddr, len: Bytes): [VirtAddr, VirtAddr] {
  return [start - (start % pageSize), round_up(start + len, pageSize)]
}
// #endregion mlock-calls

// #region mlock-apply
// VMA by VMA; a hole ends it with an error, and what came before stays locked.
function apply_vma_lock_flags(vm: Vm, mm: MmStruct, first: VirtAddr, end: VirtAddr, flag: number): number {
  let next = first
  for (const vma of vmasIn(mm, first, end)) {
    if (vma.vm_start > next) return -ENOMEM
    const from = next
    next = Math.min(vma.vm_end, end)
    const rc = mlock_fixup(vm, vma, from, next, flag)
    if (rc < 0) return rc
  }
  return next < end ? -ENOMEM : 0
}

// A part of a VMA. Nothing happens to one that is so already, or that locking leaves alone: it is not even cut.
function mlock_fixup(vm: Vm, vma: VmArea, start: VirtAddr, end: VirtAddr, flag: number): number {
  const newflags = (vma.vm_flags & ~VM_LOCKED) | flag
  if (newflags === vma.vm_flags || vma.vm_flags & vmSpecial(vm.pgdat.kernel)) return 0
  if (typeof splitOut(vm, vma, start, end) === 'number') return -ENOMEM
  vma.vm_flags = newflags
  for (const { va, pte } of ptesIn(vma.vm_mm.pgd, start, end)) {
    const pfn = pte_present(vm.pgdat.arch, pte) ? vm_normal_page(vm, vma, va, pte) : null
    if (pfn === null) continue
    if (flag) mlock_folio(vm, pfn)
    else munlock_folio(vm, pfn)
  }
  return 0
}
// #endregion mlock-apply

// #region mlock-bring
// 0, or the errno of the first page that cannot be had: then no later one is brought.
function bring(vm: Vm, mm: MmStruct, first: VirtAddr, end: VirtAddr): number {
  for (const vma of vmasIn(mm, first, end)) {
    if (vma.vm_flags & (VM_IO | VM_PFNMAP)) continue
    const rc = populate_vma_page_range(vm, vma, Math.max(first, vma.vm_start), Math.min(end, vma.vm_end))
    if (rc < 0) return rc
  }
  return 0
}
// #endregion mlock-bring
