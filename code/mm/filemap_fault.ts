// SPDX-License-Identifier: MIT
//
// Files that can be mapped, read and written, the part of mm/filemap.c and fs/read_write.c over the page cache.
//
//     createFile() ── openFile() ── do_mmap()         filemap_fault(): a page of the cache is mapped
//                         │                           filemap_page_mkwrite(): its first write makes it dirty
//                         └── kernel_read(), kernel_write()      the same pages, without a mapping
//
// Leaves out: fault-around, holes, access times, O_DIRECT, and that a write beyond the end makes a file grow.

// #region filemap-fault-imports
import { cpuRead, cpuWrite } from '../arch/cpu.ts'
import { EINVAL, ENOMEM } from '../lib/errno.ts'
import type { Bytes } from '../lib/units.ts'
import { FMODE_READ, FMODE_WRITE } from './file.ts'
import { folio_mark_dirty, PageCache, read_cache_page } from './filemap.ts'
import { get_page } from './lru.ts'
import { VM_FAULT_OOM, VM_FAULT_SIGBUS } from './vm_fault.ts'
import type { File, FileOperations, Inode, Vm, VmArea, VmFault, VmOperations } from './vm.ts'
// #endregion filemap-fault-imports

// #region filemap-create-file
/** A file of `nrpages` pages of zeros on a disk, none in memory. Throws for a length that is no whole number of pages. */
export function createFile(vm: Vm, name: string, nrpages: number): Inode {
  if (!Number.isInteger(nrpages) || nrpages < 0) {
    throw new Error(
      `createFile: ${name} got ${nrpages} pages, expected a whole number; round its length up to pages`,
    )
  }
  return { name, i_mapping: new PageCache(vm, nrpages, new Map()), i_fop: generic_file_operations }
}
// #endregion filemap-create-file

// #region filemap-fault
/**
 * Brings the page of a fault, with a reference. VM_FAULT_SIGBUS behind the end of the file, VM_FAULT_OOM.
 * @kernel mm/filemap.c filemap_fault() v6.12
 */
export function filemap_fault(vm: Vm, vmf: VmFault): number {
  const page = read_cache_page(vm, vmf.vma.vm_file!.f_inode.i_mapping!, vmf.pgoff)
  if (page === -ENOMEM) return VM_FAULT_OOM
  if (page < 0) return VM_FAULT_SIGBUS
  get_page(vm, page)
  vmf.page = page
  return 0
}

/** A shared page is about to be written: the disk no longer has the same. @kernel mm/filemap.c filemap_page_mkwrite() v6.12 */
export function filemap_page_mkwrite(vm: Vm, vmf: VmFault): number {
  folio_mark_dirty(vm, vmf.page!)
  return 0
}
// #endregion filemap-fault

// #region filemap-operations
/** @kernel mm/filemap.c generic_file_vm_ops v6.12 */
export const generic_file_vm_ops: VmOperations = { fault: filemap_fault, page_mkwrite: filemap_page_mkwrite }

/** The mmap of a file with a page cache: nothing is mapped before it is needed. @kernel mm/filemap.c generic_file_mmap() v6.12 */
export function generic_file_mmap(_vm: Vm, _file: File, vma: VmArea): number {
  vma.vm_ops = generic_file_vm_ops
  return 0
}

const generic_file_operations: FileOperations = { mmap: generic_file_mmap }
// #endregion filemap-operations

// #region filemap-read-write
/**
 * Reads up to `count` bytes at `pos` into `buf`: how many, fewer at the end of the file; -EINVAL (not open for reading, or
 * no file with pages), -ENOMEM.
 * @kernel fs/read_write.c kernel_read() v6.12
 */
export function kernel_read(vm: Vm, file: File, buf: Uint8Array, count: Bytes, pos: Bytes): number {
  if (!(file.f_mode & FMODE_READ)) return -EINVAL
  return eachPage(vm, file, count, pos, (pa, n, done) => buf.set(cpuRead(vm.cpu, pa, n, 'normal'), done))
}

/** Writes `count` bytes of `buf` at `pos`, into memory: how many; errors as kernel_read(). @kernel fs/read_write.c kernel_write() v6.12 */
export function kernel_write(vm: Vm, file: File, buf: Uint8Array, count: Bytes, pos: Bytes): number {
  if (!(file.f_mode & FMODE_WRITE)) return -EINVAL
  return eachPage(vm, file, count, pos, (pa, n, done, pfn) => {
    cpuWrite(vm.cpu, pa, buf.subarray(done, done + n), 'normal')
    folio_mark_dirty(vm, pfn)
  })
}
// #endregion filemap-read-write

// #region filemap-each-page
// Goes through the bytes of a file, page by page: bytes done, or a negative errno when there were none.
function eachPage(
  vm: Vm,
  file: File,
  count: Bytes,
  pos: Bytes,
  act: (pa: number, n: Bytes, done: Bytes, pfn: number) => void,
): number {
  const mapping = file.f_inode.i_mapping
  if (!mapping) return -EINVAL
  const { pageSize } = vm.pgdat
  const end = Math.min(pos + count, mapping.nrpages * pageSize)
  let at = pos
  while (at < end) {
    const offset = at % pageSize
    const n = Math.min(pageSize - offset, end - at)
    const pfn = read_cache_page(vm, mapping, Math.floor(at / pageSize))
    if (pfn < 0) return at > pos ? at - pos : pfn
    act(pfn * pageSize + offset, n, at - pos, pfn)
    at += n
  }
  return Math.max(0, at - pos)
}
// #endregion filemap-each-page
