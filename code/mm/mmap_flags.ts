// SPDX-License-Identifier: MIT
//
// The flags of a mapping, twice: what a program asks mmap() for (PROT_*, MAP_*), and what a VMA then has (VM_*).
//
//     0x00000fb    rw- shared: READ WRITE SHARED, and all four MAY: what mprotect() may give it later
//     0x0100073    rw- private: READ WRITE, MAYREAD MAYWRITE MAYEXEC, ACCOUNT
//     0x40444fb    the first after remap_pfn_range(): and PFNMAP IO DONTEXPAND DONTDUMP
//
// The values are those of every modelled kernel. 3.5 has three of its own: RESERVED, which later became
// DONTEXPAND | DONTDUMP, INSERTPAGE and PFN_AT_MMAP.

// #region mmap-flags-imports
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
// #endregion mmap-flags-imports

// #region mmap-flags-asked
/** @kernel include/uapi/asm-generic/mman-common.h v6.12 */
export const PROT_NONE = 0
export const PROT_READ = 1
export const PROT_WRITE = 2
export const PROT_EXEC = 4
export const MAP_SHARED = 0x01
export const MAP_PRIVATE = 0x02
/** Exactly there, and what is there goes. */
export const MAP_FIXED = 0x10
export const MAP_ANONYMOUS = 0x20
export const MAP_LOCKED = 0x2000
export const MAP_NORESERVE = 0x4000
/** Brings the pages at once. */
export const MAP_POPULATE = 0x8000
// #endregion mmap-flags-asked

// #region mmap-flags-rights
/** @kernel include/linux/mm.h v6.12 */
export const VM_READ = 0x1
export const VM_WRITE = 0x2
export const VM_EXEC = 0x4
export const VM_SHARED = 0x8
export const VM_MAYREAD = 0x10
export const VM_MAYWRITE = 0x20
export const VM_MAYEXEC = 0x40
export const VM_MAYSHARE = 0x80
// #endregion mmap-flags-rights

// #region mmap-flags-kinds
/** Its ptes hold pfns without struct page: nobody counts, nobody looks at the pages. */
export const VM_PFNMAP = 0x400
export const VM_LOCKED = 0x2000
/** Reading has side effects. */
export const VM_IO = 0x4000
export const VM_SEQ_READ = 0x8000
export const VM_RAND_READ = 0x10000
/** Not for children. */
export const VM_DONTCOPY = 0x20000
/** mremap() does not let it grow. */
export const VM_DONTEXPAND = 0x40000
/** 3.5 only. */
export const VM_RESERVED = 0x80000
/** Counted against the limit of what may be promised. */
export const VM_ACCOUNT = 0x100000
export const VM_NORESERVE = 0x200000
/** 3.5 only: vm_insert_page() was here. */
export const VM_INSERTPAGE = 0x2000000
/** Not in core dumps. */
export const VM_DONTDUMP = 0x4000000
/** Its ptes may hold pages and bare pfns. */
export const VM_MIXEDMAP = 0x10000000
/** 3.5 only: all of it was remapped at once. */
export const VM_PFN_AT_MMAP = 0x40000000
// #endregion mmap-flags-kinds

// #region mmap-flags-special
/** VMAs that merging and locking leave alone. @kernel include/linux/mm.h VM_SPECIAL v6.12 */
export function vmSpecial(kernel: KernelVersion): number {
  const always = VM_IO | VM_DONTEXPAND | VM_PFNMAP
  if (kernel === '3.5') return always | VM_RESERVED
  return kernelAtLeast(kernel, '4.6') ? always | VM_MIXEDMAP : always
}

/**
 * Whether a write makes a copy: private, and writable now or after mprotect().
 * @kernel include/linux/mm.h is_cow_mapping() v6.12
 */
export function is_cow_mapping(flags: number): boolean {
  return (flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE
}
// #endregion mmap-flags-special

// #region mmap-flags-calc
/** VM_READ and so on of PROT_READ and so on. @kernel include/linux/mman.h calc_vm_prot_bits() v6.12 */
export function calc_vm_prot_bits(prot: number): number {
  return prot & (PROT_READ | PROT_WRITE | PROT_EXEC)
}

/** The VM_* that MAP_* bring by themselves. @kernel include/linux/mman.h calc_vm_flag_bits() v6.12 */
export function calc_vm_flag_bits(flags: number): number {
  return flags & MAP_LOCKED ? VM_LOCKED : 0
}
// #endregion mmap-flags-calc
