// SPDX-License-Identifier: MIT
//
// mmap(2), the part of mm/mmap.c that makes a VMA: what is asked is checked, a place is found, the file or its driver has
// its say, and the VMA stands. No page moves yet: that is for the first access (memory_fault.ts).
//
//     do_mmap() ── get_unmapped_area()     where: the highest gap below mmap_base, or where MAP_FIXED says
//          └───── mmap_region() ── file.f_op.mmap(vm, file, vma)     a driver maps its buffer here
//
// Leaves out: merging with neighbours (each mmap() is a VMA of its own), limits and overcommit, huge pages, stacks that
// grow, alignment for caches of arm that are indexed by virtual address, addresses that are random.

// #region mmap-imports
import { vm_get_page_prot } from '../arch/pgtable_prot.ts'
import { EACCES, EINVAL, ENODEV, ENOMEM, EOVERFLOW } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { round_up, type Bytes, type VirtAddr } from '../lib/units.ts'
import { FMODE_READ, FMODE_WRITE, fput, get_file } from './file.ts'
import { shmem_zero_setup } from './shmem.ts'
import { find_vma, MAX_MAP_COUNT, vma_link } from './mm_struct.ts'
import * as flag from './mmap_flags.ts'
import { do_munmap, unmap_region } from './mmap_unmap.ts'
import { populate_vma_page_range } from './gup.ts'
import type { File, MmStruct, Vm, VmArea } from './vm.ts'
// #endregion mmap-imports

// #region mmap-request
/** What mmap(2) is asked for. */
export interface MmapRequest {
  /** Bytes; rounded up to pages. */
  readonly len: Bytes
  /** PROT_* bits. */
  readonly prot: number
  /** MAP_* bits; one of MAP_SHARED and MAP_PRIVATE must be among them. */
  readonly flags: number
  /** Absent with MAP_ANONYMOUS. */
  readonly file?: File
  /** Where in the file, in pages. */
  readonly pgoff?: number
  /** A wish, or with MAP_FIXED an order. */
  readonly addr?: VirtAddr
}
// #endregion mmap-request

// #region mmap-do-mmap
/**
 * Makes a mapping: its address, or
 * -EINVAL (len 0; neither or both of MAP_SHARED and MAP_PRIVATE; MAP_FIXED and addr not page aligned),
 * -ENOMEM (no room, too many VMAs, no memory for page tables),
 * -EACCES (the file is not open for reading, or not for writing and a shared mapping wants PROT_WRITE),
 * -ENODEV (the file cannot be mapped), -EOVERFLOW (offset and length are no number), or what the driver's mmap says.
 * @kernel mm/mmap.c do_mmap() v6.12
 * @omits the limit of regular files, MAP_SHARED_VALIDATE, MAP_GROWSDOWN, MAP_HUGETLB, files without execute permission, seals
 */
export function do_mmap(vm: Vm, mm: MmStruct, request: MmapRequest): VirtAddr | number {
  if (request.len === 0) return -EINVAL
  const len = round_up(request.len, vm.pgdat.pageSize)
  if (len > mm.task_size || mm.mmap.length > MAX_MAP_COUNT) return -ENOMEM
  const addr = get_unmapped_area(vm, mm, request.addr ?? 0, len, request.flags)
  if (addr < 0) return addr
  if (request.file && !file_mmap_ok(vm, request.pgoff ?? 0, len)) return -EOVERFLOW
  const vm_flags = flagsFor(request)
  if (vm_flags < 0) return vm_flags
  const pgoff = request.file ? (request.pgoff ?? 0) : anonymousPgoff(vm, addr, vm_flags)
  const at = mmap_region(vm, mm, request.file ?? null, addr, len, vm_flags, pgoff)
  if (at >= 0 && request.flags & (flag.MAP_POPULATE | flag.MAP_LOCKED)) {
    populate_vma_page_range(vm, find_vma(mm, at)!, at, at + len)
  }
  return at
}
// #endregion mmap-do-mmap

// #region mmap-file-ok
// Whether the end of the range in the file is a number: of pages in all kernels, of bytes in 6.x.
function file_mmap_ok({ pgdat: { kernel, arch, pageSize } }: Vm, pgoff: number, len: Bytes): boolean {
  const word = arch === 'arm64' ? 2 ** 64 : 2 ** 32
  return pgoff + len / pageSize < (kernelAtLeast(kernel, '6.1.192') ? word / pageSize : word)
}
// #endregion mmap-file-ok

// #region mmap-anonymous-pgoff
// Private anonymous memory counts its pages by address, shared from its start.
function anonymousPgoff(vm: Vm, addr: VirtAddr, vm_flags: number): number {
  return vm_flags & flag.VM_SHARED ? 0 : addr / vm.pgdat.pageSize
}
// #endregion mmap-anonymous-pgoff

// #region mmap-flags-for
// VM_* of a request, or a negative errno.
function flagsFor({ prot, flags, file }: MmapRequest): number {
  const may = flag.VM_MAYREAD | flag.VM_MAYWRITE | flag.VM_MAYEXEC
  let vm_flags = flag.calc_vm_prot_bits(prot) | flag.calc_vm_flag_bits(flags) | may
  const shared = (flags & flag.MAP_SHARED) !== 0
  if (shared === ((flags & flag.MAP_PRIVATE) !== 0)) return -EINVAL
  if (shared) {
    vm_flags |= flag.VM_SHARED | flag.VM_MAYSHARE
    if (file && !(file.f_mode & FMODE_WRITE)) {
      if (prot & flag.PROT_WRITE) return -EACCES
      // It can never be written, so it need not be called shared.
      vm_flags &= ~(flag.VM_MAYWRITE | flag.VM_SHARED)
    }
  }
  if (file) {
    if (!(file.f_mode & FMODE_READ)) return -EACCES
    if (!file.f_op.mmap) return -ENODEV
  }
  return flags & flag.MAP_NORESERVE ? vm_flags | flag.VM_NORESERVE : vm_flags
}
// #endregion mmap-flags-for

// #region mmap-unmapped-area
/**
 * A place for `len` bytes: `addr` when it is free there, else the highest gap below mmap_base, else the lowest above
 * a quarter of the address space. -ENOMEM: there is none. -EINVAL: MAP_FIXED at an address that is not page aligned.
 * @kernel mm/mmap.c arch_get_unmapped_area_topdown() v6.12
 * @omits the multiples of 2 MiB that 6.12 prefers for a length that is one
 * @cost the number of VMAs
 */
export function get_unmapped_area(
  vm: Vm,
  mm: MmStruct,
  addr: VirtAddr,
  len: Bytes,
  flags: number,
): VirtAddr | number {
  const { pageSize } = vm.pgdat
  if (flags & flag.MAP_FIXED) {
    if (addr > mm.task_size - len) return -ENOMEM
    return addr % pageSize === 0 ? addr : -EINVAL
  }
  const wish = round_up(addr, pageSize)
  if (wish !== 0 && wish <= mm.task_size - len && isFree(mm, wish, len)) return wish
  return highestGap(mm, len, pageSize) ?? lowestGap(mm, len, round_up(mm.task_size / 4, pageSize)) ?? -ENOMEM
}

function isFree(mm: MmStruct, addr: VirtAddr, len: Bytes): boolean {
  const next = find_vma(mm, addr)
  return !next || addr + len <= next.vm_start
}
// #endregion mmap-unmapped-area

// #region mmap-gaps
// Page 0 stays free, so that a null pointer faults.
function highestGap(mm: MmStruct, len: Bytes, lowest: number): VirtAddr | null {
  let top = mm.mmap_base
  for (let i = mm.mmap.length - 1; i >= 0; i--) {
    const { vm_start, vm_end } = mm.mmap[i]!
    if (top - vm_end >= len) return top - len
    top = Math.min(top, vm_start)
  }
  return top - lowest >= len ? top - len : null
}

function lowestGap(mm: MmStruct, len: Bytes, from: VirtAddr): VirtAddr | null {
  let bottom = from
  for (const { vm_start, vm_end } of mm.mmap) {
    if (vm_start - bottom >= len) return bottom
    bottom = Math.max(bottom, vm_end)
  }
  return mm.task_size - bottom >= len ? bottom : null
}
// #endregion mmap-gaps

// #region mmap-region
/**
 * Makes the VMA, whatever was there before: its address, or -ENOMEM, or what the driver's mmap says; then nothing is
 * mapped and the file is as before.
 * @kernel mm/mmap.c mmap_region() v6.12
 */
export function mmap_region(
  vm: Vm,
  mm: MmStruct,
  file: File | null,
  addr: VirtAddr,
  len: Bytes,
  vm_flags: number,
  pgoff: number,
): VirtAddr | number {
  const cleared = do_munmap(vm, mm, addr, len)
  if (cleared < 0) return cleared
  const vma = newVma(vm, mm, addr, len, accountable(vm_flags), pgoff)
  const rc = file ? callMmap(vm, file, vma) : 0
  if (rc < 0) return rc
  if (!file && vm_flags & flag.VM_SHARED) shmem_zero_setup(vm, vma)
  vma_link(mm, vma)
  if (vma_wants_writenotify(vma)) {
    vma.vm_page_prot = vm_get_page_prot(vm.pgdat.arch, vma.vm_flags & ~flag.VM_SHARED)
  }
  if (vma.vm_flags & flag.VM_LOCKED && vma.vm_flags & flag.vmSpecial(vm.pgdat.kernel)) {
    vma.vm_flags &= ~flag.VM_LOCKED
  }
  return addr
}
// #endregion mmap-region

// #region mmap-accountable
// A private mapping that may be written will need memory of its own.
function accountable(vm_flags: number): number {
  const mask = flag.VM_NORESERVE | flag.VM_SHARED | flag.VM_WRITE
  return (vm_flags & mask) === flag.VM_WRITE ? vm_flags | flag.VM_ACCOUNT : vm_flags
}
// #endregion mmap-accountable

// #region mmap-new-vma
function newVma(
  vm: Vm,
  vm_mm: MmStruct,
  vm_start: VirtAddr,
  len: Bytes,
  vm_flags: number,
  vm_pgoff: number,
): VmArea {
  return {
    vm_start,
    vm_end: vm_start + len,
    vm_mm,
    vm_flags,
    vm_page_prot: vm_get_page_prot(vm.pgdat.arch, vm_flags),
    vm_pgoff,
    vm_file: null,
    vm_ops: null,
    vm_private_data: null,
    anon_vma: 0,
  }
}
// #endregion mmap-new-vma

// #region mmap-call-mmap
// The driver maps. When it refuses, what it had mapped by then goes.
function callMmap(vm: Vm, file: File, vma: VmArea): number {
  vma.vm_file = get_file(file)
  // Without operations a VMA is taken for anonymous memory; one of a file no longer has none, as it had in 4.12.
  if (kernelAtLeast(vm.pgdat.kernel, '6.1.192')) vma.vm_ops = dummy_vm_ops
  const rc = file.f_op.mmap!(vm, file, vma)
  if (rc === 0) return 0
  fput(vm, file)
  vma.vm_file = null
  unmap_region(vm, [vma])
  return rc
}

const dummy_vm_ops = {}
// #endregion mmap-call-mmap

// #region mmap-writenotify
/**
 * Whether the first write to each page must fault, so that the file learns that it is dirty.
 * @kernel mm/vma.c vma_wants_writenotify() v6.12
 */
export function vma_wants_writenotify(vma: VmArea): boolean {
  const both = flag.VM_WRITE | flag.VM_SHARED
  if ((vma.vm_flags & both) !== both || vma.vm_flags & flag.VM_PFNMAP) return false
  return vma.vm_ops?.page_mkwrite !== undefined
}
// #endregion mmap-writenotify
