// SPDX-License-Identifier: MIT
//
// madvise(2), mm/madvise.c: what a program says about its memory, as far as a driver's buffer is concerned.
//
//     MADV_DONTNEED    the pages go now: anonymous ones read as zeros afterwards, a file's come again. Not for bare pfns.
//     MADV_DONTFORK    children do not get it          MADV_DOFORK    they do again; not for VM_IO
//     MADV_DONTDUMP    not in core dumps               MADV_DODUMP    in again; not for what a driver remapped
//     MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL        how it will be read; noted in the flags, and no more
//
// Leaves out: every other advice (-EINVAL here), merging of VMAs whose flags have become the same.

// #region madvise-imports
import { EAGAIN, EINVAL, ENOMEM } from '../lib/errno.ts'
import { round_up, type Bytes, type VirtAddr } from '../lib/units.ts'
import { zap_page_range_single } from './memory.ts'
import { vmasIn } from './mm_struct.ts'
import {
  vmSpecial,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_IO,
  VM_LOCKED,
  VM_PFNMAP,
  VM_RAND_READ,
  VM_SEQ_READ,
} from './mmap_flags.ts'
import { splitOut } from './mmap_unmap.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion madvise-imports

// #region madvise-advice
/** @kernel include/uapi/asm-generic/mman-common.h v6.12 */
export const MADV_NORMAL = 0
export const MADV_RANDOM = 1
export const MADV_SEQUENTIAL = 2
export const MADV_DONTNEED = 4
export const MADV_DONTFORK = 10
export const MADV_DOFORK = 11
export const MADV_DONTDUMP = 16
export const MADV_DODUMP = 17

const KNOWN = [
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_DONTNEED,
  MADV_DONTFORK,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DODUMP,
]
// #endregion madvise-advice

// #region madvise-call
/**
 * Advice for `[start, start + len_in)`. 0, or -EINVAL (start not page aligned, advice unknown, or not for this kind of VMA),
 * -ENOMEM (some of it is not mapped: the rest has been done), -EAGAIN (too many VMAs).
 * @kernel mm/madvise.c do_madvise() v6.12
 */
export function do_madvise(vm: Vm, mm: MmStruct, start: VirtAddr, len_in: Bytes, behavior: number): number {
  const { pageSize } = vm.pgdat
  if (!KNOWN.includes(behavior) || start % pageSize !== 0) return -EINVAL
  const end = start + round_up(len_in, pageSize)
  let covered = start
  let hole = false
  for (const vma of vmasIn(mm, start, end)) {
    hole ||= vma.vm_start > covered
    covered = vma.vm_end
    const rc = madvise_vma_behavior(vm, vma, start, end, behavior)
    if (rc < 0) return rc
  }
  return hole || covered < end ? -ENOMEM : 0
}
// #endregion madvise-call

// #region madvise-behavior
// One VMA, as far as the range reaches into it.
function madvise_vma_behavior(vm: Vm, vma: VmArea, start: VirtAddr, end: VirtAddr, behavior: number): number {
  const from = Math.max(start, vma.vm_start)
  const to = Math.min(end, vma.vm_end)
  if (behavior === MADV_DONTNEED) {
    if (vma.vm_flags & (VM_LOCKED | VM_PFNMAP)) return -EINVAL
    zap_page_range_single(vm, vma, from, to - from)
    return 0
  }
  const flags = advisedFlags(vm, vma.vm_flags, behavior)
  if (flags < 0 || flags === vma.vm_flags) return Math.min(flags, 0)
  const part = splitOut(vm, vma, from, to)
  if (typeof part === 'number') return -EAGAIN
  part.vm_flags = flags
  return 0
}
// #endregion madvise-behavior

// #region madvise-flags
// The flags of a VMA after the advice, or -EINVAL.
function advisedFlags({ pgdat: { kernel } }: Vm, vm_flags: number, behavior: number): number {
  if (behavior === MADV_DONTFORK) return vm_flags | VM_DONTCOPY
  if (behavior === MADV_DOFORK) return vm_flags & VM_IO ? -EINVAL : vm_flags & ~VM_DONTCOPY
  if (behavior === MADV_DONTDUMP) return vm_flags | VM_DONTDUMP
  if (behavior === MADV_DODUMP) {
    return kernel !== '3.5' && vm_flags & vmSpecial(kernel) ? -EINVAL : vm_flags & ~VM_DONTDUMP
  }
  const unread = vm_flags & ~(VM_RAND_READ | VM_SEQ_READ)
  if (behavior === MADV_RANDOM) return unread | VM_RAND_READ
  return behavior === MADV_SEQUENTIAL ? unread | VM_SEQ_READ : unread
}
// #endregion madvise-flags
