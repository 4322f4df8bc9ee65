// SPDX-License-Identifier: MIT
//
// Page table entries of a process, the part of mm/memory.c that takes them away and copies them: munmap and fork.
//
//     pte of a page that is counted    munmap: mapcount and reference go      fork: both share it, a private one read-only
//     pte of a bare pfn                munmap: only the pte goes              fork: copied as it is
//
// Which of the two a pte is, says vm_normal_page(). Page tables themselves stay until the process ends.
//
// Leaves out: the zero page (a read of untouched anonymous memory takes a page at once), huge pages, swap, the TLB, NUMA
// hints, counters of a process (RSS).

// #region memory-imports
import { cpuCopyPage, cpuFill } from '../arch/cpu.ts'
import { ptesIn, setPte, writePteAt, type MappedPte } from '../arch/pgtable.ts'
import {
  pfn_pte,
  pte_dirty,
  pte_mkclean,
  pte_mkdirty,
  pte_mkold,
  pte_mkwrite,
  pte_pfn,
  pte_present,
  pte_special,
  pte_write,
  pte_wrprotect,
} from '../arch/pgtable_pte.ts'
import {
  is_writable_migration_entry,
  make_readable_migration_entry,
  pte_to_swp_entry,
  swp_entry_to_pte,
  swp_offset_pfn,
} from '../arch/pgtable_swap.ts'
import { ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import { folio_mark_dirty } from './filemap.ts'
import { GFP_HIGHUSER_MOVABLE } from './gfp.ts'
import { get_page, lru_add, put_page } from './lru.ts'
import { munlock_folio } from './mlock_folio.ts'
import { is_cow_mapping, VM_LOCKED, VM_MIXEDMAP, VM_PFNMAP, VM_SHARED, VM_WRITE } from './mmap_flags.ts'
import { pfn_valid } from './page.ts'
import { __alloc_pages } from './page_alloc.ts'
import {
  folio_add_file_rmap_pte,
  folio_add_new_anon_rmap,
  folio_remove_rmap_pte,
  folio_test_anon,
} from './rmap.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion memory-imports

// #region memory-normal-page
/**
 * The page of a pte whose references are counted; null for a bare pfn, which nobody may look at.
 * arm64 has a bit for bare ones. arm knows them by the VMA: in a private one, those that lie where remap_pfn_range() put
 * them; what is elsewhere is a copy.
 * @kernel mm/memory.c vm_normal_page() v6.12
 */
export function vm_normal_page(vm: Vm, vma: VmArea, addr: VirtAddr, pte: bigint): Pfn | null {
  const pfn = pte_pfn(vm.geometry, pte)
  if (vm.pgdat.arch === 'arm64')
    return pte_special(vm.pgdat.arch, pte) || !pfn_valid(vm.pgdat, pfn) ? null : pfn
  if (vma.vm_flags & VM_PFNMAP) {
    const there = vma.vm_pgoff + (addr - vma.vm_start) / vm.pgdat.pageSize
    if (pfn === there || !is_cow_mapping(vma.vm_flags)) return null
  }
  return pfn_valid(vm.pgdat, pfn) ? pfn : null
}
// #endregion memory-normal-page

// #region memory-maybe-mkwrite
/** Lets a pte be written if its VMA may be. @kernel include/linux/mm.h maybe_mkwrite() v6.12 */
export function maybe_mkwrite(vm: Vm, pte: bigint, vma: VmArea): bigint {
  return vma.vm_flags & VM_WRITE ? pte_mkwrite(vm.pgdat.arch, pte) : pte
}

/**
 * A new anonymous page for `address`, on the LRU list and owned; null without memory. It holds zeros, or the bytes of
 * page `from`. The pte is the caller's to write.
 * @kernel mm/memory.c folio_prealloc() v6.12
 */
export function anonymousPage(vm: Vm, vma: VmArea, address: VirtAddr, from: Pfn | null): Pfn | null {
  const { pageSize } = vm.pgdat
  const pfn = __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)
  if (pfn === null) return null
  if (from === null) cpuFill(vm.cpu, pfn * pageSize, pageSize, 0)
  else cpuCopyPage(vm.cpu, pfn * pageSize, from * pageSize, pageSize)
  folio_add_new_anon_rmap(vm, pfn, vma, address)
  lru_add(vm, pfn)
  return pfn
}
// #endregion memory-maybe-mkwrite

// #region memory-zap
/** Takes the ptes of `[address, address + size)` away, as far as they lie in the VMA. @kernel mm/memory.c zap_page_range_single() v6.12 */
export function zap_page_range_single(vm: Vm, vma: VmArea, address: VirtAddr, size: number): void {
  const start = Math.max(vma.vm_start, address)
  const end = Math.min(vma.vm_end, address + size)
  for (const found of ptesIn(vma.vm_mm.pgd, start, end)) {
    writePteAt(vma.vm_mm.pgd, found.pteAddr, 0n)
    if (pte_present(vm.pgdat.arch, found.pte)) zap_present_pte(vm, vma, found)
  }
}

// A page in a pte: what was written through it is noted, then the page table's mapcount and reference go.
function zap_present_pte(vm: Vm, vma: VmArea, { va, pte }: MappedPte): void {
  const pfn = vm_normal_page(vm, vma, va, pte)
  if (pfn === null) return
  if (pte_dirty(vm.pgdat.arch, pte) && !folio_test_anon(vm, pfn)) folio_mark_dirty(vm, pfn)
  if (vma.vm_flags & VM_LOCKED) munlock_folio(vm, pfn)
  folio_remove_rmap_pte(vm, pfn)
  put_page(vm, pfn)
}
// #endregion memory-zap

// #region memory-copy-range
/**
 * fork: copies the ptes of `src_vma` to the same VMA of the child. What a fault can bring back is not copied. 0 or -ENOMEM.
 * @kernel mm/memory.c copy_page_range() v6.12
 */
export function copy_page_range(vm: Vm, dst_vma: VmArea, src_vma: VmArea): number {
  const needed = (src_vma.vm_flags & (VM_PFNMAP | VM_MIXEDMAP)) !== 0 || src_vma.anon_vma !== 0
  if (!needed) return 0
  for (const found of ptesIn(src_vma.vm_mm.pgd, src_vma.vm_start, src_vma.vm_end)) {
    const present = pte_present(vm.pgdat.arch, found.pte)
    const rc = present
      ? copy_present_pte(vm, dst_vma, src_vma, found)
      : copyMigrationEntry(vm, dst_vma, src_vma, found)
    if (rc < 0) return rc
  }
  return 0
}
// #endregion memory-copy-range

// #region memory-copy-pte
// Parent and child share the page; if it is private neither may write it now.
function copy_present_pte(vm: Vm, dst_vma: VmArea, src_vma: VmArea, { va, pte, pteAddr }: MappedPte): number {
  const { arch } = vm.pgdat
  const pfn = vm_normal_page(vm, src_vma, va, pte)
  if (pfn !== null && needsCopyNow(vm, src_vma.vm_mm, pfn)) return copy_present_page(vm, dst_vma, va, pfn)
  let copy = pte
  if (is_cow_mapping(src_vma.vm_flags) && pte_write(arch, pte)) {
    copy = pte_wrprotect(arch, pte)
    writePteAt(src_vma.vm_mm.pgd, pteAddr, copy)
  }
  if (src_vma.vm_flags & VM_SHARED) copy = pte_mkclean(arch, copy)
  if (setPte(dst_vma.vm_mm.pgd, va, pte_mkold(arch, copy)) !== 0) return -ENOMEM
  if (pfn === null) return 0
  get_page(vm, pfn)
  folio_add_file_rmap_pte(vm, pfn)
  return 0
}

// Since 5.9 a pinned page stays the parent's: the device must go on seeing what the parent writes.
function needsCopyNow(vm: Vm, src: MmStruct, pfn: Pfn): boolean {
  if (!kernelAtLeast(vm.pgdat.kernel, '6.1.192') || !src.has_pinned) return false
  return folio_test_anon(vm, pfn) && folio_maybe_dma_pinned(vm, pfn)
}
// #endregion memory-copy-pte

// #region memory-copy-page
/** What a pin adds to the references of a page. @kernel include/linux/mm.h GUP_PIN_COUNTING_BIAS v6.12 */
export const GUP_PIN_COUNTING_BIAS = 1024

/** Whether somebody may have pinned it; many references look the same. @kernel include/linux/mm.h folio_maybe_dma_pinned() v6.12 */
export function folio_maybe_dma_pinned({ pgdat: { map } }: Vm, pfn: Pfn): boolean {
  return map.refcount[pfn - map.start_pfn]! >= GUP_PIN_COUNTING_BIAS
}

// The child gets a page of its own at once.
function copy_present_page(vm: Vm, dst_vma: VmArea, va: VirtAddr, from: Pfn): number {
  // The table first, so that nothing has to be undone.
  if (setPte(dst_vma.vm_mm.pgd, va, 0n) !== 0) return -ENOMEM
  const pfn = anonymousPage(vm, dst_vma, va, from)
  if (pfn === null) return -ENOMEM
  const pte = pte_mkdirty(vm.pgdat.arch, pfn_pte(vm.geometry, pfn, dst_vma.vm_page_prot))
  setPte(dst_vma.vm_mm.pgd, va, maybe_mkwrite(vm, pte, dst_vma))
  return 0
}
// #endregion memory-copy-page

// #region memory-copy-migration
// The page moves just now. The child waits for it too, and a private one is read-only afterwards.
function copyMigrationEntry(
  vm: Vm,
  dst_vma: VmArea,
  src_vma: VmArea,
  { va, pte, pteAddr }: MappedPte,
): number {
  const { arch } = vm.pgdat
  const entry = pte_to_swp_entry(arch, pte)
  let copy = pte
  if (is_writable_migration_entry(entry) && is_cow_mapping(src_vma.vm_flags)) {
    copy = swp_entry_to_pte(arch, make_readable_migration_entry(swp_offset_pfn(entry)))
    writePteAt(src_vma.vm_mm.pgd, pteAddr, copy)
  }
  return setPte(dst_vma.vm_mm.pgd, va, copy)
}
// #endregion memory-copy-migration
