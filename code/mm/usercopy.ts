// SPDX-License-Identifier: MIT
//
// A driver and the memory of the program that called it: copy_from_user() and copy_to_user().
//
//     bytes not copied = 0      all of it arrived
//     anything else             some address is not the program's: the driver answers -EFAULT
//
// A pointer that comes with an ioctl is a number from a program, and may be anything. The copy faults pages in as the
// program's own access would, and stops at the first address that has none.
//
// Leaves out: that part of a page is copied where a fault comes in its middle (a fault of the model is a page's).

// #region usercopy-imports
import type { Bytes, VirtAddr } from '../lib/units.ts'
import { userRead, userWrite } from './uaccess.ts'
import type { MmStruct, Vm } from './vm.ts'
// #endregion usercopy-imports

// #region usercopy-pages
// Page by page, until one says no: how many bytes are left.
function copyPages(
  vm: Vm,
  va: VirtAddr,
  n: Bytes,
  copy: (va: VirtAddr, done: Bytes, bytes: Bytes) => boolean,
): Bytes {
  const { pageSize } = vm.pgdat
  for (let done = 0; done < n;) {
    const bytes = Math.min(pageSize - ((va + done) % pageSize), n - done)
    if (!copy(va + done, done, bytes)) return n - done
    done += bytes
  }
  return 0
}
// #endregion usercopy-pages

// #region usercopy-from
/**
 * Copies from address `from` of a program to the kernel: how many bytes could not be. Those are 0 in `to`.
 * @kernel include/linux/uaccess.h copy_from_user() v6.12
 */
export function copy_from_user(
  vm: Vm,
  mm: MmStruct,
  to: Uint8Array,
  from: VirtAddr,
  n: Bytes = to.length,
): Bytes {
  to.fill(0, 0, n)
  return copyPages(vm, from, n, (va, done, bytes) => {
    const got = userRead(vm, mm, va, bytes)
    if (typeof got === 'string') return false
    to.set(got, done)
    return true
  })
}
// #endregion usercopy-from

// #region usercopy-to
/**
 * Copies from the kernel to address `to` of a program: how many bytes could not be.
 * @kernel include/linux/uaccess.h copy_to_user() v6.12
 */
export function copy_to_user(
  vm: Vm,
  mm: MmStruct,
  to: VirtAddr,
  from: Uint8Array,
  n: Bytes = from.length,
): Bytes {
  return copyPages(vm, to, n, (va, done, bytes) => {
    return userWrite(vm, mm, va, from.subarray(done, done + bytes)) === null
  })
}
// #endregion usercopy-to
