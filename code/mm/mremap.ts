// SPDX-License-Identifier: MIT
//
// mremap(2), mm/mremap.c: a mapping shrinks, grows or goes elsewhere with its pages.
//
//     shrink    ├──────┤ gone      the end is unmapped
//     grow      ├──────┼ new ┤     where it is, if the addresses behind it are free; else, with MREMAP_MAYMOVE, elsewhere
//     move      the ptes go to new addresses; no page is copied. A driver's open sees the new VMA, its close the old one.
//
// What a driver mapped with remap_pfn_range() does not grow (-EFAULT): what would it grow into? It may move and shrink.
//
// Leaves out: MREMAP_DONTUNMAP, old_len 0 (a second mapping of shared memory), vm_ops->mremap, huge pages.

// #region mremap-imports
import { ptesIn, setPte, writePteAt } from '../arch/pgtable.ts'
import { EFAULT, EINVAL, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { round_up, type Bytes, type VirtAddr } from '../lib/units.ts'
import { get_file } from './file.ts'
import { populate_vma_page_range } from './gup.ts'
import { find_vma, MAX_MAP_COUNT, vma_link, vma_lookup } from './mm_struct.ts'
import { get_unmapped_area } from './mmap.ts'
import { MAP_FIXED, VM_DONTEXPAND, VM_LOCKED, VM_PFNMAP } from './mmap_flags.ts'
import { do_munmap } from './mmap_unmap.ts'
import { anon_vma_clone } from './rmap.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion mremap-imports

// #region mremap-flags
/** @kernel include/uapi/linux/mman.h v6.12 */
export const MREMAP_MAYMOVE = 1
export const MREMAP_FIXED = 2
// #endregion mremap-flags

// #region mremap-call
/**
 * Changes the length or the place of `[addr, addr + old_len)`, which lies in one VMA. Its address, or
 * -EINVAL (an address not page aligned, a length 0, unknown flags, MREMAP_FIXED without MREMAP_MAYMOVE or onto itself),
 * -EFAULT (no VMA, or more than one; it grows and is remapped or marked VM_DONTEXPAND),
 * -ENOMEM (it cannot grow where it is and may not move; no room; no memory for page tables).
 * @kernel mm/mremap.c mremap() v6.12
 */
export function mremap(
  vm: Vm,
  mm: MmStruct,
  addr: VirtAddr,
  old_len: Bytes,
  new_len: Bytes,
  flags: number,
  new_addr: VirtAddr = 0,
): VirtAddr | number {
  const { pageSize } = vm.pgdat
  const from = round_up(old_len, pageSize)
  const to = round_up(new_len, pageSize)
  const fixed = (flags & MREMAP_FIXED) !== 0
  if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED) || (fixed && !(flags & MREMAP_MAYMOVE))) return -EINVAL
  if (addr % pageSize !== 0 || from === 0 || to === 0) return -EINVAL
  // In 4.12 nobody looks before what is in the way has gone, and shrinking may meet a hole.
  const looksFirst = kernelAtLeast(vm.pgdat.kernel, '6.1.192')
  if (looksFirst && !vma_lookup(mm, addr)) return -EFAULT
  if (fixed) return mremap_to(vm, mm, addr, from, new_addr, to)
  if (from < to) return grow(vm, mm, addr, from, to, flags)
  const rc = from > to ? do_munmap(vm, mm, addr + to, from - to) : 0
  return rc < 0 ? rc : addr
}
// #endregion mremap-call

// #region mremap-resize
// The VMA, when it may have the new length; else a negative errno.
function vma_to_resize(mm: MmStruct, addr: VirtAddr, old_len: Bytes, new_len: Bytes): VmArea | number {
  const vma = vma_lookup(mm, addr)
  if (!vma || old_len > vma.vm_end - addr) return -EFAULT
  const grows = new_len > old_len
  return grows && vma.vm_flags & (VM_DONTEXPAND | VM_PFNMAP) ? -EFAULT : vma
}
// #endregion mremap-resize

// #region mremap-grow
function grow(
  vm: Vm,
  mm: MmStruct,
  addr: VirtAddr,
  old_len: Bytes,
  new_len: Bytes,
  flags: number,
): VirtAddr | number {
  const vma = vma_to_resize(mm, addr, old_len, new_len)
  if (typeof vma === 'number') return vma
  if (addr + old_len === vma.vm_end && roomBehind(mm, vma, new_len - old_len)) {
    vma.vm_end += new_len - old_len
    if (vma.vm_flags & VM_LOCKED) populate_vma_page_range(vm, vma, addr + old_len, vma.vm_end)
    return addr
  }
  if (!(flags & MREMAP_MAYMOVE)) return -ENOMEM
  const new_addr = get_unmapped_area(vm, mm, 0, new_len, 0)
  return new_addr < 0 ? new_addr : move_vma(vm, vma, addr, old_len, new_len, new_addr)
}

function roomBehind(mm: MmStruct, { vm_end }: VmArea, more: Bytes): boolean {
  const next = find_vma(mm, vm_end)
  return vm_end + more <= (next?.vm_start ?? mm.task_size)
}
// #endregion mremap-grow

// #region mremap-to
// To a place of the caller's choice; what is there goes.
function mremap_to(
  vm: Vm,
  mm: MmStruct,
  addr: VirtAddr,
  old_len: Bytes,
  new_addr: VirtAddr,
  new_len: Bytes,
): VirtAddr | number {
  const overlaps = addr + old_len > new_addr && new_addr + new_len > addr
  if (new_addr % vm.pgdat.pageSize !== 0 || new_len > mm.task_size - new_addr || overlaps) return -EINVAL
  // Two VMAs more are the worst that unmapping comes to: enough must be left for move_vma().
  const crowded = mm.mmap.length + 2 >= MAX_MAP_COUNT - 3
  if (crowded && kernelAtLeast(vm.pgdat.kernel, '6.1.192')) return -ENOMEM
  const cleared = do_munmap(vm, mm, new_addr, new_len)
  if (cleared < 0) return cleared
  const shrunk = old_len > new_len ? do_munmap(vm, mm, addr + new_len, old_len - new_len) : 0
  if (shrunk < 0) return shrunk
  const length = Math.min(old_len, new_len)
  const vma = vma_to_resize(mm, addr, length, new_len)
  if (typeof vma === 'number') return vma
  const place = get_unmapped_area(vm, mm, new_addr, new_len, MAP_FIXED)
  return place < 0 ? place : move_vma(vm, vma, addr, length, new_len, new_addr)
}
// #endregion mremap-to

// #region mremap-move
// A new VMA takes the ptes of the old one; then the old range is unmapped, empty as it is.
function move_vma(
  vm: Vm,
  vma: VmArea,
  addr: VirtAddr,
  old_len: Bytes,
  new_len: Bytes,
  new_addr: VirtAddr,
): VirtAddr | number {
  const mm = vma.vm_mm
  if (mm.mmap.length >= MAX_MAP_COUNT - 3) return -ENOMEM
  const copy = copy_vma(vm, vma, addr, new_addr, new_len)
  if (!move_page_tables(mm, addr, new_addr, old_len)) {
    move_page_tables(mm, new_addr, addr, old_len)
    do_munmap(vm, mm, new_addr, new_len)
    return -ENOMEM
  }
  const rc = do_munmap(vm, mm, addr, old_len)
  if (rc < 0) return rc
  if (copy.vm_flags & VM_LOCKED) populate_vma_page_range(vm, copy, new_addr + old_len, new_addr + new_len)
  return new_addr
}
// #endregion mremap-move

// #region mremap-copy-vma
function copy_vma(vm: Vm, vma: VmArea, addr: VirtAddr, new_addr: VirtAddr, len: Bytes): VmArea {
  const { pageSize } = vm.pgdat
  const untouched = vma.vm_file === null && vma.anon_vma === 0
  const pgoff = untouched ? new_addr / pageSize : vma.vm_pgoff + (addr - vma.vm_start) / pageSize
  const copy: VmArea = { ...vma, vm_start: new_addr, vm_end: new_addr + len, vm_pgoff: pgoff }
  anon_vma_clone(vm, copy, vma)
  if (copy.vm_file) get_file(copy.vm_file)
  copy.vm_ops?.open?.(vm, copy)
  vma_link(vma.vm_mm, copy)
  return copy
}

// False when there was no page for a table; what was moved stays moved.
function move_page_tables({ pgd }: MmStruct, old_addr: VirtAddr, new_addr: VirtAddr, len: Bytes): boolean {
  for (const { va, pte, pteAddr } of ptesIn(pgd, old_addr, old_addr + len)) {
    if (setPte(pgd, new_addr + (va - old_addr), pte) !== 0) return false
    writePteAt(pgd, pteAddr, 0n)
  }
  return true
}
// #endregion mremap-copy-vma
