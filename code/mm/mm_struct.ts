// SPDX-License-Identifier: MIT
//
// The address space of a process, the part of kernel/fork.c and mm/mmap.c that keeps its VMAs: sorted, none overlaps
// another, each known to the file that it maps.
//
//     createProcess() → MmStruct      vma_link() ── find_vma() ── vma_unlink()      exit_mmap() ends it (mmap_unmap.ts)
//
//     0        vm_start ├──── VMA ────┤ vm_end    ├── VMA ──┤         mmap_base ┊ stack      task_size
//                          pgd: va → pte, in pages that come from the buddy allocator (GFP_KERNEL, so they never move)
//
// Leaves out: the tree that finds a VMA (here a sorted list, searched by halves), locks, threads, limits, accounting,
// random addresses, the VMAs of a program's own code, heap and stack.

// #region mm-struct-imports
import { cpuFill } from '../arch/cpu.ts'
import { createPgtable } from '../arch/pgtable.ts'
import { MiB, round_down, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import { GFP_KERNEL } from './gfp.ts'
import { __alloc_pages, __free_pages } from './page_alloc.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion mm-struct-imports

// #region mm-struct-limits
/** `/proc/sys/vm/max_map_count`. @kernel include/linux/mm.h DEFAULT_MAX_MAP_COUNT v6.12 */
export const MAX_MAP_COUNT = 65530

// The program's stack may grow to this, at the end of its addresses; mmap_base is below.
const STACK_GAP = MiB(128)

// Behind the last address of a program. On arm 16 MiB below the kernel are for its modules.
function taskSize(vm: Vm): VirtAddr {
  return vm.pgdat.arch === 'arm' ? 0xbf00_0000 : 2 ** vm.geometry.vaBits
}
// #endregion mm-struct-limits

// #region mm-struct-create
/** A process without a VMA. */
export function createProcess(vm: Vm, comm: string): MmStruct {
  const task_size = taskSize(vm)
  const { pageSize } = vm.pgdat
  const mm: MmStruct = {
    pid: vm.nextPid++,
    comm,
    pgd: createPgtable({
      geometry: vm.geometry,
      ram: vm.cpu.ram,
      allocTable: (order) => pte_alloc_one(vm, order),
      freeTable: (pa, order) => __free_pages(vm.pgdat, pa / pageSize, order),
    }),
    mmap: [],
    task_size,
    mmap_base: round_down(task_size - STACK_GAP, pageSize),
    has_pinned: false,
  }
  vm.mms.push(mm)
  return mm
}
// #endregion mm-struct-create

// #region mm-struct-table
// A table of a page table: its address, or null. The MMU of the model walks RAM, so no line of it may stay in a cache.
function pte_alloc_one(vm: Vm, order: number): PhysAddr | null {
  const { pageSize } = vm.pgdat
  const pfn = __alloc_pages(vm.pgdat, GFP_KERNEL, order)
  if (pfn === null) return null
  cpuFill(vm.cpu, pfn * pageSize, pageSize * 2 ** order, 0)
  return pfn * pageSize
}
// #endregion mm-struct-table

// #region mm-struct-find
// Index of the first VMA that ends above `addr`.
function indexFor(mm: MmStruct, addr: VirtAddr): number {
  let low = 0
  let high = mm.mmap.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (mm.mmap[middle]!.vm_end > addr) high = middle
    else low = middle + 1
  }
  return low
}

/** The first VMA that ends above `addr`, which need not hold it; null when there is none. @kernel mm/mmap.c find_vma() v6.12 */
export function find_vma(mm: MmStruct, addr: VirtAddr): VmArea | null {
  return mm.mmap[indexFor(mm, addr)] ?? null
}

/** The VMA that holds `addr`, or null. @kernel include/linux/mm.h vma_lookup() v6.12 */
export function vma_lookup(mm: MmStruct, addr: VirtAddr): VmArea | null {
  const vma = find_vma(mm, addr)
  return vma && vma.vm_start <= addr ? vma : null
}
// #endregion mm-struct-find

// #region mm-struct-in
/** The VMAs that `[start, end)` touches, lowest first. */
export function vmasIn(mm: MmStruct, start: VirtAddr, end: VirtAddr): VmArea[] {
  const found: VmArea[] = []
  for (let i = indexFor(mm, start); i < mm.mmap.length && mm.mmap[i]!.vm_start < end; i++) {
    found.push(mm.mmap[i]!)
  }
  return found
}
// #endregion mm-struct-in

// #region mm-struct-gap
/**
 * What lies around `[start, end)` up to the nearest VMAs outside it: where page tables serve nobody else. The lowest two
 * pages of arm, where its vectors were, never count.
 * @kernel include/linux/pgtable.h FIRST_USER_ADDRESS, USER_PGTABLES_CEILING v6.12
 */
export function gapAround(
  vm: Vm,
  mm: MmStruct,
  start: VirtAddr,
  end: VirtAddr,
): { floor: VirtAddr; ceiling: VirtAddr } {
  const first = vm.pgdat.arch === 'arm' ? 2 * vm.pgdat.pageSize : 0
  const floor = mm.mmap[indexFor(mm, start) - 1]?.vm_end ?? first
  return { floor, ceiling: find_vma(mm, end)?.vm_start ?? mm.task_size }
}
// #endregion mm-struct-gap

// #region mm-struct-link
/** Puts a VMA into its address space and among those of its file. @kernel mm/vma.c vma_link() v6.12 */
export function vma_link(mm: MmStruct, vma: VmArea): void {
  mm.mmap.splice(indexFor(mm, vma.vm_start), 0, vma)
  vma.vm_file?.f_inode.i_mapping?.vmas.push(vma)
}

/** Takes a VMA out of both. Throws when it is not there. */
export function vmaUnlink(mm: MmStruct, vma: VmArea): void {
  const at = mm.mmap.indexOf(vma)
  if (at < 0) {
    const where = `0x${vma.vm_start.toString(16)}`
    throw new Error(`vmaUnlink: no such VMA at ${where} in process ${mm.pid}; was it unmapped already?`)
  }
  mm.mmap.splice(at, 1)
  const ofFile = vma.vm_file?.f_inode.i_mapping?.vmas
  ofFile?.splice(ofFile.indexOf(vma), 1)
}

/** How many pages a VMA spans. @kernel include/linux/mm.h vma_pages() v6.12 */
export function vma_pages(vm: Vm, vma: VmArea): number {
  return (vma.vm_end - vma.vm_start) / vm.pgdat.pageSize
}
// #endregion mm-struct-link
