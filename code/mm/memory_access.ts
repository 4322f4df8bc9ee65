// SPDX-License-Identifier: MIT
//
// The memory of one process read or written by another, the part of mm/memory.c behind ptrace and /proc/<pid>/mem.
//
//     mem_rw() ── access_process_vm() ── a page: pinned for the moment, copied
//                                     └─ a bare pfn: only if the driver's vm_ops.access does it; else EIO
//
// Leaves out: who may (ptrace), generic_access_phys(), which refuses RAM on arm64 anyway.

// #region memory-access-imports
import { cpuReadInto, cpuWrite } from '../arch/cpu.ts'
import { EIO } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes, Pfn, VirtAddr } from '../lib/units.ts'
import { folio_mark_dirty } from './filemap.ts'
import { FOLL_FORCE, FOLL_WRITE, get_user_pages } from './gup.ts'
import { put_page } from './lru.ts'
import { vma_lookup } from './mm_struct.ts'
import type { MmStruct, Vm } from './vm.ts'
// #endregion memory-access-imports

// #region memory-access-process
/**
 * Copies between `buf` and `len` bytes at `addr` of a process; FOLL_WRITE in `gup_flags` is towards it. Bytes done, fewer
 * where it meets something that cannot be accessed.
 * @kernel mm/memory.c access_process_vm() v6.12
 */
export function access_process_vm(
  vm: Vm,
  mm: MmStruct,
  addr: VirtAddr,
  buf: Uint8Array,
  len: Bytes,
  gup_flags: number,
): number {
  let done = 0
  while (done < len) {
    const rest = buf.subarray(done, len)
    const n =
      accessPage(vm, mm, addr + done, rest, gup_flags) || accessBare(vm, mm, addr + done, rest, gup_flags)
    if (n <= 0) break
    done += n
  }
  return done
}
// #endregion memory-access-process

// #region memory-access-page
// Within one page that can be held: bytes done, 0 when it cannot.
function accessPage(vm: Vm, mm: MmStruct, addr: VirtAddr, buf: Uint8Array, gup_flags: number): number {
  const { pageSize } = vm.pgdat
  const pages: Pfn[] = []
  if (get_user_pages(vm, mm, addr, 1, gup_flags, pages) !== 1) return 0
  const offset = addr % pageSize
  const part = buf.subarray(0, pageSize - offset)
  const pa = pages[0]! * pageSize + offset
  if (gup_flags & FOLL_WRITE) {
    cpuWrite(vm.cpu, pa, part, 'normal')
    folio_mark_dirty(vm, pages[0]!)
  } else cpuReadInto(vm.cpu, pa, part, 'normal')
  put_page(vm, pages[0]!)
  return part.length
}
// #endregion memory-access-page

// #region memory-access-bare
// Of the modelled kernels only arm64's of 6.x ask the driver (CONFIG_HAVE_IOREMAP_PROT).
function accessBare(vm: Vm, mm: MmStruct, addr: VirtAddr, buf: Uint8Array, gup_flags: number): number {
  const { kernel, arch } = vm.pgdat
  const vma = vma_lookup(mm, addr)
  if (!vma || arch !== 'arm64' || !kernelAtLeast(kernel, '6.1.192')) return 0
  const write = (gup_flags & FOLL_WRITE) !== 0
  return vma.vm_ops?.access?.(vm, vma, addr, buf, buf.length, write) ?? 0
}
// #endregion memory-access-bare

// #region memory-access-proc
/**
 * pread or (`write`) pwrite on /proc/<pid>/mem: bytes done, or -EIO when not even the first can be accessed. Private memory
 * may be written that the process may only read.
 * @kernel fs/proc/base.c mem_rw() v6.12
 */
export function mem_rw(
  vm: Vm,
  mm: MmStruct,
  buf: Uint8Array,
  count: Bytes,
  ppos: VirtAddr,
  write: boolean,
): number {
  const done = access_process_vm(vm, mm, ppos, buf, count, FOLL_FORCE | (write ? FOLL_WRITE : 0))
  return done === 0 && count > 0 ? -EIO : done
}
// #endregion memory-access-proc
