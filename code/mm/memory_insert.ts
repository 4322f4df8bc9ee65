// SPDX-License-Identifier: MIT
//
// Single pages and pfns for a program, the part of mm/memory.c that a driver's mmap or fault handler calls.
//
//     vm_insert_page()    a page with its references counted: it lives as long as somebody maps it
//     vm_map_pages()      a whole array of them, as many as the VMA spans, from page vm_pgoff on
//     vmf_insert_pfn()    a bare pfn, from a fault handler; the VMA must have been marked VM_PFNMAP (or VM_MIXEDMAP) in mmap
//
// Leaves out: huge pages, pfns of devices' own memory, vm_insert_pages() in batches.

// #region memory-insert-imports
import { setPte, walk } from '../arch/pgtable.ts'
import { pfn_pte, pte_mkspecial } from '../arch/pgtable_pte.ts'
import { EBUSY, EFAULT, EINVAL, ENOMEM, ENXIO } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import { get_page } from './lru.ts'
import { is_cow_mapping, VM_INSERTPAGE, VM_MIXEDMAP, VM_PFNMAP } from './mmap_flags.ts'
import { vma_pages } from './mm_struct.ts'
import { pfn_valid } from './page.ts'
import { folio_add_file_rmap_pte, folio_test_anon } from './rmap.ts'
import { VM_FAULT_NOPAGE, VM_FAULT_OOM, VM_FAULT_SIGBUS } from './vm_fault.ts'
import type { Vm, VmArea } from './vm.ts'
// #endregion memory-insert-imports

// #region memory-insert-page
/**
 * Maps one page at `addr` and takes a reference of it. 0, or -EFAULT (outside the VMA), -EINVAL (nobody holds the page, or
 * it is anonymous memory), -EBUSY (something is mapped there), -ENOMEM (no page for a page table).
 * Throws where Linux has BUG_ON: bare pfns were mapped into this VMA.
 * @kernel mm/memory.c vm_insert_page() v6.12
 */
export function vm_insert_page(vm: Vm, vma: VmArea, addr: VirtAddr, page: Pfn): number {
  const { map, kernel } = vm.pgdat
  if (addr < vma.vm_start || addr >= vma.vm_end) return -EFAULT
  const held = map.refcount[page - map.start_pfn]! > 0
  // 6.12 marks the VMA first and looks then.
  if (!held && !kernelAtLeast(kernel, '6.12.117')) return -EINVAL
  if (kernel !== '3.5' && !(vma.vm_flags & VM_MIXEDMAP) && vma.vm_flags & VM_PFNMAP) {
    throw new Error(
      `vm_insert_page: the VMA at 0x${vma.vm_start.toString(16)} has flags 0x${vma.vm_flags.toString(16)}, expected ` +
        'no VM_PFNMAP; kernel BUG, use either remap_pfn_range() or vm_insert_page()',
    )
  }
  vma.vm_flags |= kernel === '3.5' ? VM_INSERTPAGE : VM_MIXEDMAP
  if (!held || folio_test_anon(vm, page)) return -EINVAL
  return insert_page(vm, vma, addr, page)
}
// #endregion memory-insert-page

// #region memory-insert-one
function insert_page(vm: Vm, vma: VmArea, addr: VirtAddr, page: Pfn): number {
  const found = walk(vma.vm_mm.pgd, addr)
  if (found && found.pte !== 0n) return -EBUSY
  if (setPte(vma.vm_mm.pgd, addr, pfn_pte(vm.geometry, page, vma.vm_page_prot)) !== 0) return -ENOMEM
  get_page(vm, page)
  folio_add_file_rmap_pte(vm, page)
  return 0
}
// #endregion memory-insert-one

// #region memory-map-pages
/**
 * Maps `pages` from number vm_pgoff on over the whole VMA. 0, -ENXIO (there are not so many), or as vm_insert_page(); what
 * was mapped by then stays.
 * @kernel mm/memory.c vm_map_pages() v6.12
 */
export function vm_map_pages(vm: Vm, vma: VmArea, pages: readonly Pfn[], num: number): number {
  const count = vma_pages(vm, vma)
  if (vma.vm_pgoff >= num || count > num - vma.vm_pgoff) return -ENXIO
  for (let i = 0; i < count; i++) {
    const page = pages[vma.vm_pgoff + i]!
    const rc = vm_insert_page(vm, vma, vma.vm_start + i * vm.pgdat.pageSize, page)
    if (rc < 0) return rc
  }
  return 0
}
// #endregion memory-map-pages

// #region memory-insert-pfn
/**
 * Maps a bare pfn at `addr`, for a fault handler to return: VM_FAULT_NOPAGE (also when something is mapped there by now),
 * VM_FAULT_SIGBUS (outside the VMA, or the pfn is forbidden), VM_FAULT_OOM.
 * Throws where Linux has BUG_ON: a VMA that was not marked, or a private one that may be written.
 * @kernel mm/memory.c vmf_insert_pfn() v6.12
 */
export function vmf_insert_pfn(vm: Vm, vma: VmArea, addr: VirtAddr, pfn: Pfn): number {
  mustTakePfns(vm, vma, pfn)
  if (addr < vma.vm_start || addr >= vma.vm_end) return VM_FAULT_SIGBUS
  const { hooks, geometry, pgdat } = vm
  const modern = kernelAtLeast(pgdat.kernel, '6.1.192')
  if (modern && hooks.pfn_modify_allowed?.(pfn, vma.vm_page_prot) === false) return VM_FAULT_SIGBUS
  const found = walk(vma.vm_mm.pgd, addr)
  if (found && found.pte !== 0n) return VM_FAULT_NOPAGE
  const pte = pte_mkspecial(pgdat.arch, pfn_pte(geometry, pfn, vma.vm_page_prot))
  return setPte(vma.vm_mm.pgd, addr, pte) === 0 ? VM_FAULT_NOPAGE : VM_FAULT_OOM
}

function mustTakePfns({ pgdat }: Vm, { vm_start, vm_flags }: VmArea, pfn: Pfn): void {
  const kind = vm_flags & (VM_PFNMAP | VM_MIXEDMAP)
  const bare = kind === VM_PFNMAP && !is_cow_mapping(vm_flags)
  if (bare || (kind === VM_MIXEDMAP && !pfn_valid(pgdat, pfn))) return
  throw new Error(
    `vmf_insert_pfn: the VMA at 0x${vm_start.toString(16)} has flags 0x${vm_flags.toString(16)}, expected VM_PFNMAP and ` +
      'not private; kernel BUG, set VM_PFNMAP in mmap and refuse private mappings',
  )
}
// #endregion memory-insert-pfn
