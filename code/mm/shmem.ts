// SPDX-License-Identifier: MIT
//
// Anonymous memory that is shared: MAP_SHARED | MAP_ANONYMOUS, the part of mm/shmem.c that mmap() meets. It is a file
// without a name: its pages are in a page cache with no disk behind it, and go with its last mapping.
//
// Leaves out: swap, tmpfs and its files, huge pages, memfd.

// #region shmem-imports
import { FMODE_READ, FMODE_WRITE, openFile } from './file.ts'
import { PageCache, truncate_inode_pages } from './filemap.ts'
import { filemap_fault } from './filemap_fault.ts'
import type { File, FileOperations, Vm, VmArea, VmOperations } from './vm.ts'
// #endregion shmem-imports

// #region shmem-zero-setup
/**
 * Puts a new nameless file of zeros behind a VMA, which holds its only reference.
 * @kernel mm/shmem.c shmem_zero_setup() v6.12
 */
export function shmem_zero_setup(vm: Vm, vma: VmArea): void {
  const nrpages = (vma.vm_end - vma.vm_start) / vm.pgdat.pageSize
  const i_mapping = new PageCache(vm, nrpages, null)
  const inode = { name: '/dev/zero (deleted)', i_mapping, i_fop: shmem_file_operations }
  vma.vm_file = openFile(vm, inode, FMODE_READ | FMODE_WRITE)
  vma.vm_ops = shmem_vm_ops
}
// #endregion shmem-zero-setup

// #region shmem-operations
const shmem_vm_ops: VmOperations = { fault: filemap_fault }

// The file has no name, so it ends with its last reference.
function shmem_evict_inode(vm: Vm, file: File): void {
  const mapping = file.f_inode.i_mapping!
  truncate_inode_pages(vm, mapping)
  vm.mappings[mapping.id] = null
}

const shmem_file_operations: FileOperations = { release: shmem_evict_inode }
// #endregion shmem-operations
