// SPDX-License-Identifier: MIT
//
// What debugfs and sysfs show of an area, and the quickest way to drive CMA by hand: mm/cma_debug.c, mm/cma_sysfs.c.
//
//     echo 256 > /sys/kernel/debug/cma/reserved/alloc      cma_alloc_write(): 256 pages, without alignment
//     echo 100 > /sys/kernel/debug/cma/reserved/free       cma_free_write(): 100 pages of the newest ones
//     cat /sys/kernel/debug/cma/reserved/used              cma_used_get()
//     cat /sys/kernel/mm/cma/reserved/alloc_pages_fail     cmaSysfs()
//
// debugfs since 4.1 (folders `cma-<index>` in 4.6, `cma-<name>` in 4.12, `<name>` in 6.x), sysfs since 5.13.

// #region cma-debug-imports
import { bitmap_weight, find_next_bit, find_next_zero_bit } from '../lib/bitmap.ts'
import { ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { cma_alloc, cma_bitmap_maxno, cma_release } from './cma.ts'
import type { Cma } from './cma_declare.ts'
import type { Vm } from './vm.ts'
// #endregion cma-debug-imports

// #region cma-debug-read
/** `used`: pages taken. @kernel mm/cma_debug.c cma_used_get() v6.12 */
export function cma_used_get(cma: Cma): number {
  return cma.bitmap ? bitmap_weight(cma.bitmap, cma_bitmap_maxno(cma)) * 2 ** cma.order_per_bit : 0
}

/** `maxchunk`: the most pages in a row that are not taken. @kernel mm/cma_debug.c cma_maxchunk_get() v6.12 */
export function cma_maxchunk_get(cma: Cma): number {
  const maxno = cma_bitmap_maxno(cma)
  let maxchunk = 0
  for (let end = 0, start; cma.bitmap && (start = find_next_zero_bit(cma.bitmap, maxno, end)) < maxno;) {
    end = find_next_bit(cma.bitmap, maxno, start)
    maxchunk = Math.max(maxchunk, end - start)
  }
  return maxchunk * 2 ** cma.order_per_bit
}

/** `bitmap`: words of 32 bits in decimal, the lowest bit first in the first word. */
export function cmaBitmapText(cma: Cma): string {
  return [...(cma.bitmap?.words ?? [])].join(' ')
}
// #endregion cma-debug-read

// #region cma-debug-alloc
/**
 * `alloc`: takes `pages` pages, aligned to nothing. 0, or -ENOMEM, whatever the reason was.
 * @kernel mm/cma_debug.c cma_alloc_write() v6.12
 */
export function cma_alloc_write(vm: Vm, cma: Cma, pages: number): number {
  const p = cma_alloc(vm, cma, pages, 0, false)
  if (p === null) return -ENOMEM
  cma.mem_head.unshift({ p, n: pages })
  return 0
}
// #endregion cma-debug-alloc

// #region cma-debug-free
/**
 * `free`: gives `pages` pages back, of the newest allocation first, from its start. A part of an allocation can only be
 * given back where a bit is a page. 0, also when there was less to give back.
 * @kernel mm/cma_debug.c cma_free_write() v6.12
 */
export function cma_free_write(vm: Vm, cma: Cma, pages: number): number {
  for (let left = pages; left > 0;) {
    const mem = cma.mem_head[0]
    if (!mem || (mem.n > left && cma.order_per_bit !== 0)) return 0
    const n = Math.min(mem.n, left)
    cma_release(vm, cma, mem.p, n)
    mem.p += n
    mem.n -= n
    left -= n
    if (mem.n === 0) cma.mem_head.shift()
  }
  return 0
}
// #endregion cma-debug-free

// #region cma-debug-sysfs
/**
 * The files of /sys/kernel/mm/cma/<name> and what they say: pages of all calls together. None before 6.1.
 * @kernel mm/cma_sysfs.c v6.12
 */
export function cmaSysfs(kernel: KernelVersion, cma: Cma): Record<string, number> {
  if (!kernelAtLeast(kernel, '6.1.192')) return {}
  const alloc = { alloc_pages_success: cma.nr_pages_succeeded, alloc_pages_fail: cma.nr_pages_failed }
  return kernelAtLeast(kernel, '6.12.117')
    ? { ...alloc, release_pages_success: cma.nr_pages_released }
    : alloc
}
// #endregion cma-debug-sysfs
