// SPDX-License-Identifier: MIT
//
// Page faults, the part of mm/memory.c that brings a page when a program touches an address without one, or may not yet
// write it.
//
//     no pte    ── anonymous memory ─── do_anonymous_page()    a page of zeros
//               └─ a file's ── read ─── do_read_fault()        the page of the cache, read-only if private
//                          ├─ private ─ do_cow_fault()         a copy of it
//                          └─ shared ── do_shared_fault()      the page of the cache, dirty
//     read-only ── do_wp_page()   private: mine alone? then it may be written; else a copy.   shared: tell the file
//     clean     ── becomes dirty
//
// Leaves out: the zero page (a read of untouched anonymous memory takes a page at once), fault-around, swap, userfaultfd,
// huge pages, KSM. PageAnonExclusive of 6.x is worked out from the counts: one mapping, and no reference but it and pins.

// #region memory-fault-imports
import { cpuRead, cpuWrite } from '../arch/cpu.ts'
import { setPte, walk } from '../arch/pgtable.ts'
import { memoryTypeOf } from '../arch/pgtable_prot.ts'
import { pfn_pte, pte_mkdirty, pte_mkyoung, pte_pfn, pte_present, pte_write } from '../arch/pgtable_pte.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import { folio_mark_dirty } from './filemap.ts'
import { put_page } from './lru.ts'
import { anonymousPage, folio_maybe_dma_pinned, maybe_mkwrite, vm_normal_page } from './memory.ts'
import { mlock_folio } from './mlock_folio.ts'
import { VM_LOCKED, VM_SHARED, VM_WRITE } from './mmap_flags.ts'
import {
  anon_vma_prepare,
  folio_add_file_rmap_pte,
  folio_remove_rmap_pte,
  folio_test_anon,
  page_mapcount,
} from './rmap.ts'
import {
  FAULT_FLAG_UNSHARE,
  FAULT_FLAG_WRITE,
  VM_FAULT_ERROR,
  VM_FAULT_NOPAGE,
  VM_FAULT_OOM,
  VM_FAULT_SIGBUS,
} from './vm_fault.ts'
import type { Vm, VmArea, VmFault } from './vm.ts'
// #endregion memory-fault-imports

// #region memory-handle-fault
/**
 * Repairs the pte of `address` for an access that the VMA allows: 0, or VM_FAULT_* bits: OOM, SIGBUS (nothing is behind
 * that page), or what the VMA's own handler says.
 * Throws when the page is being migrated: the task would wait for itself.
 * @kernel mm/memory.c handle_mm_fault() v6.12
 */
export function handle_mm_fault(vm: Vm, vma: VmArea, address: VirtAddr, flags: number): number {
  const { arch, pageSize } = vm.pgdat
  const va = address - (address % pageSize)
  const fault: Fault = { vma, va, write: (flags & FAULT_FLAG_WRITE) !== 0, flags }
  vm.pgdat.vm_event.pgfault++
  const pte = walk(vma.vm_mm.pgd, va)?.pte ?? 0n
  if (pte === 0n) return vma.vm_ops ? do_fault(vm, fault) : do_anonymous_page(vm, fault)
  if (!pte_present(arch, pte)) {
    const where = `0x${va.toString(16)} of process ${vma.vm_mm.pid}`
    throw new Error(
      `handle_mm_fault: the page at ${where} is being migrated, expected a page; finish the migration first`,
    )
  }
  if (!pte_write(arch, pte) && flags & (FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE)) {
    return do_wp_page(vm, fault, pte)
  }
  const young = pte_mkyoung(arch, pte)
  setPte(vma.vm_mm.pgd, va, fault.write ? pte_mkdirty(arch, young) : young)
  return 0
}
// #endregion memory-handle-fault

// #region memory-fault-type
interface Fault {
  readonly vma: VmArea
  readonly va: VirtAddr
  readonly write: boolean
  readonly flags: number
}
// #endregion memory-fault-type

// #region memory-set-pte
// Writes the pte of a page whose reference and mapcount are taken.
function setPageTo(vm: Vm, { vma, va }: Fault, pfn: Pfn, write: boolean): void {
  const pte = pte_mkyoung(vm.pgdat.arch, pfn_pte(vm.geometry, pfn, vma.vm_page_prot))
  setPte(vma.vm_mm.pgd, va, write ? maybe_mkwrite(vm, pte_mkdirty(vm.pgdat.arch, pte), vma) : pte)
  if (vma.vm_flags & VM_LOCKED) mlock_folio(vm, pfn)
}

// The table for a pte that is still to come, so that nothing has to be undone when there is no memory for it.
function haveTable({ vma, va }: Fault): boolean {
  return walk(vma.vm_mm.pgd, va) !== null || setPte(vma.vm_mm.pgd, va, 0n) === 0
}
// #endregion memory-set-pte

// #region memory-anonymous
function do_anonymous_page(vm: Vm, fault: Fault): number {
  const { vma, va } = fault
  // A driver that mapped only a part and handles no fault. 3.x gives the program a page.
  if (vma.vm_flags & VM_SHARED && kernelAtLeast(vm.pgdat.kernel, '4.6')) return VM_FAULT_SIGBUS
  if (!haveTable(fault)) return VM_FAULT_OOM
  anon_vma_prepare(vm, vma)
  const pfn = anonymousPage(vm, vma, va, null)
  if (pfn === null) return VM_FAULT_OOM
  const { arch } = vm.pgdat
  const pte = maybe_mkwrite(vm, pte_mkyoung(arch, pfn_pte(vm.geometry, pfn, vma.vm_page_prot)), vma)
  setPte(vma.vm_mm.pgd, va, fault.write ? pte_mkdirty(arch, pte) : pte)
  if (vma.vm_flags & VM_LOCKED) mlock_folio(vm, pfn)
  return 0
}
// #endregion memory-anonymous

// #region memory-do-fault
// A VMA with operations: its handler brings the page.
function do_fault(vm: Vm, fault: Fault): number {
  const { vma, write } = fault
  if (!vma.vm_ops!.fault) {
    return kernelAtLeast(vm.pgdat.kernel, '4.6') ? VM_FAULT_SIGBUS : do_anonymous_page(vm, fault)
  }
  if (!haveTable(fault)) return VM_FAULT_OOM
  if (!write) return do_read_fault(vm, fault)
  return vma.vm_flags & VM_SHARED ? do_shared_fault(vm, fault) : do_cow_fault(vm, fault)
}

// The page with a reference, or the reason why not.
function __do_fault(vm: Vm, { vma, va, write }: Fault): VmFault | number {
  const pgoff = vma.vm_pgoff + (va - vma.vm_start) / vm.pgdat.pageSize
  const vmf: VmFault = { vma, address: va, pgoff, write, page: null }
  const ret = vma.vm_ops!.fault!(vm, vmf)
  return ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE) ? ret & ~VM_FAULT_NOPAGE : vmf
}
// #endregion memory-do-fault

// #region memory-read-fault
function do_read_fault(vm: Vm, fault: Fault): number {
  const vmf = __do_fault(vm, fault)
  if (typeof vmf === 'number') return vmf
  folio_add_file_rmap_pte(vm, vmf.page!)
  setPageTo(vm, fault, vmf.page!, false)
  return 0
}

function do_cow_fault(vm: Vm, fault: Fault): number {
  anon_vma_prepare(vm, fault.vma)
  const vmf = __do_fault(vm, fault)
  if (typeof vmf === 'number') return vmf
  const copy = anonymousPage(vm, fault.vma, fault.va, vmf.page!)
  put_page(vm, vmf.page!)
  if (copy === null) return VM_FAULT_OOM
  setPageTo(vm, fault, copy, true)
  return 0
}
// #endregion memory-read-fault

// #region memory-shared-fault
function do_shared_fault(vm: Vm, fault: Fault): number {
  const vmf = __do_fault(vm, fault)
  if (typeof vmf === 'number') return vmf
  const page = vmf.page!
  const refused = fault.vma.vm_ops!.page_mkwrite?.(vm, vmf) ?? 0
  if (refused & VM_FAULT_ERROR) {
    put_page(vm, page)
    return refused
  }
  folio_add_file_rmap_pte(vm, page)
  setPageTo(vm, fault, page, true)
  folio_mark_dirty(vm, page)
  return 0
}
// #endregion memory-shared-fault

// #region memory-wp-page
// A write to a page that may only be read. The VMA allows it, or somebody forces it.
function do_wp_page(vm: Vm, fault: Fault, pte: bigint): number {
  const { vma, va, flags } = fault
  const unshare = (flags & FAULT_FLAG_UNSHARE) !== 0
  const shared = (vma.vm_flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE)
  const pfn = vm_normal_page(vm, vma, va, pte)
  if (pfn === null) {
    if (unshare) return 0
    if (!shared) return wp_page_copy(vm, fault, pte, null)
    return wp_page_reuse(vm, fault, pte)
  }
  if (folio_test_anon(vm, pfn)) {
    if (!mineAlone(vm, pfn)) return wp_page_copy(vm, fault, pte, pfn)
    return unshare ? 0 : wp_page_reuse(vm, fault, pte)
  }
  if (unshare) return 0
  return shared ? wp_page_shared(vm, fault, pte, pfn) : wp_page_copy(vm, fault, pte, pfn)
}
// #endregion memory-wp-page

// #region memory-wp-reuse
function wp_page_reuse(vm: Vm, { vma, va }: Fault, pte: bigint): number {
  const { arch } = vm.pgdat
  setPte(vma.vm_mm.pgd, va, maybe_mkwrite(vm, pte_mkdirty(arch, pte_mkyoung(arch, pte)), vma))
  return 0
}

function wp_page_shared(vm: Vm, fault: Fault, pte: bigint, page: Pfn): number {
  const pgoff = fault.vma.vm_pgoff + (fault.va - fault.vma.vm_start) / vm.pgdat.pageSize
  const vmf: VmFault = { vma: fault.vma, address: fault.va, pgoff, write: true, page }
  const refused = fault.vma.vm_ops?.page_mkwrite?.(vm, vmf) ?? 0
  if (refused & VM_FAULT_ERROR) return refused
  folio_mark_dirty(vm, page)
  return wp_page_reuse(vm, fault, pte)
}

// Whether an anonymous page need not be copied. In 4.12 only mappings counted; now any reference does, except that a
// pin was made while the page was the process's own.
function mineAlone(vm: Vm, pfn: Pfn): boolean {
  if (page_mapcount(vm, pfn) !== 1) return false
  if (!kernelAtLeast(vm.pgdat.kernel, '6.1.192')) return true
  const { map } = vm.pgdat
  return map.refcount[pfn - map.start_pfn] === 1 || folio_maybe_dma_pinned(vm, pfn)
}
// #endregion memory-wp-reuse

// #region memory-wp-copy
// The process gets a page of its own, and leaves the old one to the others. `from` is null for a bare pfn.
function wp_page_copy(vm: Vm, fault: Fault, pte: bigint, from: Pfn | null): number {
  const { vma, va, flags } = fault
  anon_vma_prepare(vm, vma)
  const copy = anonymousPage(vm, vma, va, from)
  if (copy === null) return VM_FAULT_OOM
  if (from === null) copyBarePage(vm, copy, pte)
  else {
    folio_remove_rmap_pte(vm, from)
    put_page(vm, from)
  }
  setPageTo(vm, fault, copy, (flags & FAULT_FLAG_UNSHARE) === 0)
  return 0
}

// A bare pfn is read through the pte itself, so with its memory type.
function copyBarePage({ cpu, geometry, pgdat: { arch, pageSize } }: Vm, to: Pfn, pte: bigint): void {
  const bytes = cpuRead(cpu, pte_pfn(geometry, pte) * pageSize, pageSize, memoryTypeOf(arch, pte))
  cpuWrite(cpu, to * pageSize, bytes, 'normal')
}
// #endregion memory-wp-copy
