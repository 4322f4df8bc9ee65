// SPDX-License-Identifier: MIT
//
// Open files, the part of fs/file_table.c that memory needs: a file is counted, and what holds it is a descriptor or a VMA.
//
//     openFile() → 1     mmap(): +1 a VMA, fork and split: +1, munmap(): -1     close(): fput() → -1     at 0: f_op.release
//
// So a driver's release runs after the last munmap and the last close, whichever comes last: memory that is freed there
// cannot be under a mapping made from the same open file.
//
// Leaves out: descriptors and their table (a File is its own descriptor), names in directories, permissions.

// #region file-imports
import type { File, FileOperations, Inode, Vm } from './vm.ts'
// #endregion file-imports

// #region file-modes
/** @kernel include/linux/fs.h v6.12 */
export const FMODE_READ = 0x1
export const FMODE_WRITE = 0x2
// #endregion file-modes

// #region file-open
/** A device's node: what it does is `i_fop`. */
export function createDeviceNode(name: string, i_fop: FileOperations): Inode {
  return { name, i_mapping: null, i_fop }
}

/** Opens a file for FMODE_READ, FMODE_WRITE or both; close it with fput(). */
export function openFile(vm: Vm, inode: Inode, f_mode = FMODE_READ | FMODE_WRITE): File {
  const file: File = { f_inode: inode, f_mode, f_count: 1, f_op: inode.i_fop, private_data: null }
  vm.files.push(file)
  return file
}
// #endregion file-open

// #region file-references
/** One more holds it. @kernel include/linux/fs.h get_file() v6.12 */
export function get_file(file: File): File {
  file.f_count++
  return file
}

/**
 * One fewer holds it; after the last `f_op.release` runs. Throws when nobody held it.
 * @kernel fs/file_table.c fput() v6.12
 */
export function fput(vm: Vm, file: File): void {
  if (file.f_count <= 0) {
    throw new Error(
      `fput: ${file.f_inode.name} has ${file.f_count} references, expected at least 1; closed twice?`,
    )
  }
  file.f_count--
  if (file.f_count > 0) return
  vm.files.splice(vm.files.indexOf(file), 1)
  file.f_op.release?.(vm, file)
}
// #endregion file-references
