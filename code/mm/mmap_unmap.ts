// SPDX-License-Identifier: MIT
//
// munmap(2), fork(2) and exit, the parts of mm/mmap.c and kernel/fork.c that end and double VMAs.
//
//     munmap of the middle     ├────────── A ──────────┤          open is called for the new VMA of each split,
//                              ├─ A ─┤  gone   ├─ A'' ─┤          close for what goes: open, open, close
//
//     What is new: in 6.12 what stays, and the old VMA is closed; before, first all above the cut, then what goes.
//
// A driver can count on it: mmap itself + every open - every close = the VMAs there are.
//
// Leaves out: merging, the limits of locked memory.

// #region mmap-unmap-imports
import { freeTables, freeTablesIn } from '../arch/pgtable.ts'
import { EINVAL, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { round_up, type Bytes, type VirtAddr } from '../lib/units.ts'
import { fput, get_file } from './file.ts'
import { copy_page_range, zap_page_range_single } from './memory.ts'
import {
  createProcess,
  find_vma,
  gapAround,
  MAX_MAP_COUNT,
  vma_link,
  vmasIn,
  vmaUnlink,
} from './mm_struct.ts'
import { VM_DONTCOPY, VM_LOCKED } from './mmap_flags.ts'
import { anon_vma_clone, unlink_anon_vmas } from './rmap.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion mmap-unmap-imports

// #region mmap-split
/**
 * Cuts a VMA in two at `addr`; the new one is below or above. The driver's open sees the new one while the old one still
 * has its whole length.
 * @kernel mm/vma.c __split_vma() v6.12
 */
function __split_vma(vm: Vm, vma: VmArea, addr: VirtAddr, new_below: boolean): void {
  const pages = (addr - vma.vm_start) / vm.pgdat.pageSize
  const part: VmArea = new_below
    ? { ...vma, vm_end: addr }
    : { ...vma, vm_start: addr, vm_pgoff: vma.vm_pgoff + pages }
  anon_vma_clone(vm, part, vma)
  if (part.vm_file) get_file(part.vm_file)
  part.vm_ops?.open?.(vm, part)
  if (new_below) {
    vma.vm_start = addr
    vma.vm_pgoff += pages
  } else vma.vm_end = addr
  vma_link(vma.vm_mm, part)
}

/** The same where the VMA stays: 0, or -ENOMEM: too many VMAs. @kernel mm/vma.c split_vma() v6.12 */
export function split_vma(vm: Vm, vma: VmArea, addr: VirtAddr, new_below: boolean): number {
  if (vma.vm_mm.mmap.length >= MAX_MAP_COUNT) return -ENOMEM
  __split_vma(vm, vma, addr, new_below)
  return 0
}
// #endregion mmap-split

// #region mmap-split-out
/**
 * Makes `[start, end)` of a VMA, which has it all, a VMA of its own, lower part first: its VMA, or -ENOMEM: too many VMAs;
 * the first cut stays.
 * @kernel mm/vma.c vma_modify() v6.12
 */
export function splitOut(vm: Vm, vma: VmArea, start: VirtAddr, end: VirtAddr): VmArea | number {
  if (vma.vm_start < start && split_vma(vm, vma, start, true) < 0) return -ENOMEM
  if (end < vma.vm_end && split_vma(vm, vma, end, false) < 0) return -ENOMEM
  return vma
}
// #endregion mmap-split-out

// #region mmap-split-ends
// Cuts the first and the last VMA of a range that goes: 0, or -ENOMEM. Only cutting out the middle makes more VMAs than
// there were; while it is done there may be one too many.
function splitEnds(vm: Vm, mm: MmStruct, start: VirtAddr, end: VirtAddr): number {
  const newStays = kernelAtLeast(vm.pgdat.kernel, '6.12.117')
  const first = find_vma(mm, start)
  if (first && first.vm_start < start) {
    if (end < first.vm_end && mm.mmap.length >= MAX_MAP_COUNT) return -ENOMEM
    __split_vma(vm, first, start, newStays)
  }
  const last = find_vma(mm, end)
  if (last && last.vm_start < end) __split_vma(vm, last, end, !newStays)
  return 0
}
// #endregion mmap-split-ends

// #region mmap-munmap
/**
 * Unmaps `[start, start + len)`; where nothing is mapped, that is fine. 0, or -EINVAL (start not page aligned, len 0, beyond
 * what a program may use), -ENOMEM (the middle of a VMA, and there are too many). The memory behind a remapped pfn is not touched.
 * @kernel mm/mmap.c do_munmap() v6.12
 */
export function do_munmap(vm: Vm, mm: MmStruct, start: VirtAddr, len: Bytes): number {
  const { pageSize } = vm.pgdat
  const size = round_up(len, pageSize)
  if (start % pageSize !== 0 || size === 0 || start > mm.task_size || size > mm.task_size - start) {
    return -EINVAL
  }
  const end = start + size
  const rc = splitEnds(vm, mm, start, end)
  if (rc < 0) return rc
  const gone = vmasIn(mm, start, end)
  unmap_region(vm, gone)
  for (const vma of gone) remove_vma(vm, vma)
  return 0
}
// #endregion mmap-munmap

// #region mmap-remove-vma
/**
 * Takes away the ptes of neighbouring VMAs, lowest first, and the page tables that served them alone.
 * @kernel mm/vma.c unmap_region() v6.12
 */
export function unmap_region(vm: Vm, vmas: readonly VmArea[]): void {
  const first = vmas[0]
  if (!first) return
  for (const vma of vmas) zap_page_range_single(vm, vma, vma.vm_start, vma.vm_end - vma.vm_start)
  const mm = first.vm_mm
  const { floor, ceiling } = gapAround(vm, mm, first.vm_start, vmas.at(-1)!.vm_end)
  freeTablesIn(mm.pgd, floor, ceiling)
}

/** Ends a VMA without ptes: the driver's close, then its reference to the file. @kernel mm/vma.c remove_vma() v6.12 */
export function remove_vma(vm: Vm, vma: VmArea): void {
  vmaUnlink(vma.vm_mm, vma)
  unlink_anon_vmas(vm, vma)
  vma.vm_ops?.close?.(vm, vma)
  if (vma.vm_file) fput(vm, vma.vm_file)
}
// #endregion mmap-remove-vma

// #region mmap-exit
/** Ends an address space: every VMA, then the page tables. Files stay open that are open otherwise. @kernel mm/mmap.c exit_mmap() v6.12 */
export function exit_mmap(vm: Vm, mm: MmStruct): void {
  unmap_region(vm, mm.mmap)
  for (const vma of [...mm.mmap]) remove_vma(vm, vma)
  freeTables(mm.pgd)
  vm.mms.splice(vm.mms.indexOf(mm), 1)
}
// #endregion mmap-exit

// #region mmap-dup
/**
 * fork: a child with the VMAs of `oldmm`. Every copy holds the file and is told to the driver (open). The child, or -ENOMEM;
 * then what was copied is gone again.
 * @kernel kernel/fork.c dup_mm() v6.12
 */
export function dup_mm(vm: Vm, oldmm: MmStruct, comm = oldmm.comm): MmStruct | number {
  const mm = createProcess(vm, comm)
  const openFirst = kernelAtLeast(vm.pgdat.kernel, '6.1.192')
  for (const mpnt of oldmm.mmap) {
    if (mpnt.vm_flags & VM_DONTCOPY) continue
    const tmp: VmArea = { ...mpnt, vm_mm: mm, vm_flags: mpnt.vm_flags & ~VM_LOCKED }
    anon_vma_clone(vm, tmp, mpnt)
    if (tmp.vm_file) get_file(tmp.vm_file)
    vma_link(mm, tmp)
    // The driver hears of it before its pages are mapped; until 4.12 after.
    if (openFirst) tmp.vm_ops?.open?.(vm, tmp)
    const rc = copy_page_range(vm, tmp, mpnt)
    if (!openFirst) tmp.vm_ops?.open?.(vm, tmp)
    if (rc === 0) continue
    exit_mmap(vm, mm)
    return -ENOMEM
  }
  return mm
}
// #endregion mmap-dup
