// SPDX-License-Identifier: MIT
//
// What PG_dcache_clean is for on arm: instructions are fetched past the data cache, so before a page is mapped
// executable its dirty lines have to be in memory. The flag says that they are, and saves the flush.
//
//     a device wrote it, the CPU got it back     set      nothing dirty: dma_sync.ts, `pagesMarkedDcacheClean()`
//     the kernel wrote it                        clear    or, before 4.x, flushed and set when a program has it mapped
//     mapped executable                          set      flushed first if it was clear
//
// The flag is handed in and its new value returned: where flags live is mm's business.
// Leaves out: caches with aliases, ARM11 MPCore (whose maintenance stays on one CPU), flushing the instruction cache.

// #region dcache-clean-imports
import type { KernelVersion } from '../lib/kernel_version.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes, PhysAddr } from '../lib/units.ts'
import { cleanAndInvalidate } from './cache.ts'
import type { Cpu } from './cpu.ts'
// #endregion dcache-clean-imports

// #region dcache-clean-map
/**
 * A page is about to be mapped into a program: 1 flush if it will be executed and the flag is clear, else none.
 * Returns the flag as it is then.
 * @kernel arch/arm/mm/flush.c __sync_icache_dcache() v6.12
 */
export function syncIcacheDcache(
  cpu: Cpu,
  pa: PhysAddr,
  pageSize: Bytes,
  { dcacheClean, exec }: { dcacheClean: boolean; exec: boolean },
): boolean {
  if (!exec) return dcacheClean
  if (!dcacheClean) cleanAndInvalidate(cpu.l1, pa, pageSize)
  return true
}
// #endregion dcache-clean-map

// #region dcache-clean-written
/**
 * The kernel has written to a page: since 4.x the flag is cleared and the flush left to the next mapping; 3.x flushes at
 * once and sets it, unless it is a page of a file that no program has mapped. Returns the flag as it is then.
 * @kernel arch/arm/mm/flush.c flush_dcache_page() v4.12
 */
export function flushDcachePage(
  cpu: Cpu,
  kernel: KernelVersion,
  pa: PhysAddr,
  pageSize: Bytes,
  unmappedFile: boolean,
): boolean {
  if (kernelAtLeast(kernel, '4.6') || unmappedFile) return false
  cleanAndInvalidate(cpu.l1, pa, pageSize)
  return true
}
// #endregion dcache-clean-written
