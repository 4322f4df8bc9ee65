// SPDX-License-Identifier: MIT
//
// Cache maintenance around a transfer, for a device that does not snoop. A buffer belongs to the CPU or to the
// device; these are the two moments when it changes hands.
//
//                              arm64 6.x              arm64 4.x           arm v7, all versions
//     for_device TO, BIDI      clean                  clean               L1 clean, outer clean
//     for_device FROM          clean                  invalidate          L1 invalidate, outer invalidate
//     for_cpu    FROM, BIDI    invalidate             invalidate          outer invalidate, L1 invalidate
//     for_cpu    TO            –                      –                   –
//
// Invalidating a range means whole lines; a line that the range has only part of is cleaned first, for its other bytes'
// sake. For a coherent device nobody calls these.
// Leaves out: the instruction cache, highmem (arm does its pages one by one; the lines are the same).

// #region dma-sync-imports
import type { Arch, KernelVersion } from '../lib/kernel_version.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes, PhysAddr } from '../lib/units.ts'
import { round_down, round_up } from '../lib/units.ts'
import type { Cache } from './cache.ts'
import { clean, cleanAndInvalidate, invalidate } from './cache.ts'
import type { Cpu } from './cpu.ts'
import type { DmaDirection } from './dma_direction.ts'
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from './dma_direction.ts'
// #endregion dma-sync-imports

// #region dma-sync-invalidate
/** Which kernel does the maintenance. */
export interface SyncKernel {
  readonly kernel: KernelVersion
  readonly arch: Arch
}

/**
 * Invalidates `[pa, pa + size)`; at the edges, a line that lies only partly in it is cleaned and invalidated, so that
 * neighbouring data is kept. Whole lines inside are forgotten, dirty or not.
 * @kernel arch/arm64/mm/cache.S dcache_inval_poc() v6.12
 * @kernel arch/arm/mm/cache-v7.S v7_dma_inv_range() v6.12
 * @kernel arch/arm/mm/cache-l2x0.c l2c210_inv_range() v6.12
 */
export function invalidateRange(cache: Cache, pa: PhysAddr, size: Bytes): void {
  const { lineSize } = cache
  const end = pa + size
  const first = round_up(pa, lineSize)
  const behind = round_down(end, lineSize)
  if (pa < first) cleanAndInvalidate(cache, pa, 1)
  if (behind < end) cleanAndInvalidate(cache, behind, 1)
  invalidate(cache, first, behind - first)
}
// #endregion dma-sync-invalidate

// #region dma-sync-for-device
// Does the same to both levels, the one next to the CPU first: what it writes out must not stay in the second.
function toMemory(cpu: Cpu, maintain: typeof clean, paddr: PhysAddr, size: Bytes): void {
  maintain(cpu.l1, paddr, size)
  if (cpu.outer) maintain(cpu.outer, paddr, size)
}

/**
 * The device may have `[paddr, paddr + size)` now.
 * @kernel arch/arm64/mm/dma-mapping.c arch_sync_dma_for_device() v6.12
 * @kernel arch/arm/mm/dma-mapping.c __dma_page_cpu_to_dev() v6.12
 */
export function arch_sync_dma_for_device(
  cpu: Cpu,
  { kernel, arch }: SyncKernel,
  paddr: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  const invalidates = dir === DMA_FROM_DEVICE && !(arch === 'arm64' && kernelAtLeast(kernel, '6.1.192'))
  toMemory(cpu, invalidates ? invalidateRange : clean, paddr, size)
}
// #endregion dma-sync-for-device

// #region dma-sync-for-cpu
/**
 * The CPU has `[paddr, paddr + size)` again. What came into the cache by speculation during the transfer is stale, so
 * it is invalidated once more; the outer cache first, for else the first level would fill from it.
 * @kernel arch/arm64/mm/dma-mapping.c arch_sync_dma_for_cpu() v6.12
 * @kernel arch/arm/mm/dma-mapping.c __dma_page_dev_to_cpu() v6.12
 * @omits PG_dcache_clean, which is `pagesMarkedDcacheClean()`
 */
export function arch_sync_dma_for_cpu(
  cpu: Cpu,
  _kernel: SyncKernel,
  paddr: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  if (dir === DMA_TO_DEVICE) return
  if (cpu.outer) invalidateRange(cpu.outer, paddr, size)
  invalidateRange(cpu.l1, paddr, size)
}
// #endregion dma-sync-for-cpu

// #region dma-sync-prep
/**
 * `[paddr, paddr + size)` will be mapped non-cacheable: what the cache has of it goes to memory. 6.1.192 and older
 * forget the lines as well (clean and invalidate), 6.12 only cleans them. arm has its own way to the same, which
 * flushes.
 * @kernel arch/arm64/mm/dma-mapping.c arch_dma_prep_coherent() v6.12
 * @kernel arch/arm/mm/dma-mapping.c __dma_clear_buffer() v6.12
 */
export function arch_dma_prep_coherent(
  cpu: Cpu,
  { kernel, arch }: SyncKernel,
  paddr: PhysAddr,
  size: Bytes,
): void {
  const cleansOnly = arch === 'arm64' && kernelAtLeast(kernel, '6.12.117')
  toMemory(cpu, cleansOnly ? clean : cleanAndInvalidate, paddr, size)
}
// #endregion dma-sync-prep

// #region dma-sync-dcache-clean
/** Pages that are one folio: its first page and how many. */
export interface FolioExtent {
  readonly first: number
  readonly pages: number
}

/**
 * Which pages arm marks PG_dcache_clean when the CPU gets a buffer back: the cache holds nothing of them that memory
 * has not, so that mapping them into a program needs no flush. As page numbers from the page that `offset` counts
 * from.
 *
 * 3.x marks the first page alone, and only when the buffer starts with it; 4.x and 6.1 every page that lies wholly
 * inside; 6.12 every folio that does, and of a large one the first page stands for all.
 * @param offset bytes from the start of page 0
 * @param size bytes
 * @param folioAt 6.12: the folio that a page belongs to; each page is one of its own unless said otherwise
 * @kernel arch/arm/mm/dma-mapping.c __dma_page_dev_to_cpu() v6.12
 */
export function pagesMarkedDcacheClean(
  kernel: KernelVersion,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
  pageSize: Bytes = 4096,
  folioAt: (page: number) => FolioExtent = (first) => ({ first, pages: 1 }),
): number[] {
  if (dir === DMA_TO_DEVICE || size < pageSize) return []
  if (!kernelAtLeast(kernel, '4.6')) return offset === 0 ? [0] : []
  const byFolio = kernelAtLeast(kernel, '6.12.117')
  const behind = Math.floor((offset + size) / pageSize)
  const marked: number[] = []
  for (let page = Math.floor(offset / pageSize); page < behind;) {
    const { first, pages } = byFolio ? folioAt(page) : { first: page, pages: 1 }
    if (first + pages > behind) break
    if (first * pageSize >= offset) marked.push(first)
    page = first + pages
  }
  return marked
}
// #endregion dma-sync-dcache-clean
