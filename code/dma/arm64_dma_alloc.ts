// SPDX-License-Identifier: MIT
//
// arch/arm64/mm/dma-mapping.c until 4.18: buffers of arm64 before dma-direct.
//
//     not coherent, may not wait ──→ the pool of the architecture (arm_atomic_pool.ts)
//     an area, may wait ──→ CMA, and nothing else when it is full
//     otherwise ──→ buddy allocator; above the mask ──→ a bounce buffer
//
//     coherent: the linear address        other: caches flushed, mapped once more uncached
//
// Leaves out: bounce buffers as buffers, so that pages above the mask are a failure. Streaming: swiotlb_4x.ts.

// #region arm64-alloc-imports
import { arch_dma_prep_coherent } from '../arch/dma_sync.ts'
import { __va } from '../arch/kernel_map.ts'
import { PAGE_KERNEL } from '../arch/pgtable_prot.ts'
import { get_order, type Bytes, type DmaAddr, type Pfn, type VirtAddr } from '../lib/units.ts'
import { gfpflags_allow_blocking, GFP_DMA } from '../mm/gfp.ts'
import { __alloc_pages, __free_pages } from '../mm/page_alloc.ts'
import type { Device } from '../of/reserved_mem.ts'
import { __alloc_from_pool, __free_from_pool } from './arm_atomic_pool.ts'
import { __swiotlb_mmap } from './arm_dma_mmap.ts'
import { dma_alloc_from_contiguous, dma_release_from_contiguous } from './contiguous.ts'
import { dev_get_cma_area } from './contiguous_3x.ts'
import { DMA_BIT_MASK, dma_to_pfn, phys_to_dma } from './dma_address.ts'
import type { DmaMapOps } from './dma_map_ops.ts'
import { memsetZero, unmapPages, vmapProt } from './dma_memory.ts'
import { __get_dma_pgprot } from './dma_pgprot.ts'
import { dev_name, PAGE_ALIGN, pageOrder, type Dma, type DmaBuffer } from './dma_state.ts'
import { swiotlbStreamingOps } from './swiotlb_4x.ts'
// #endregion arm64-alloc-imports

// #region arm64-alloc-swiotlb
/**
 * Pages of the buddy allocator that the device reaches, or null with a line in the log.
 * @kernel lib/swiotlb.c swiotlb_alloc_coherent() v4.12
 */
function swiotlb_alloc_coherent(dma: Dma, dev: Device, size: Bytes, flags: number): Pfn | null {
  const { pgdat } = dma.vm
  const order = pageOrder(dma, size)
  const page = __alloc_pages(pgdat, flags, order)
  const dma_mask = dev.coherent_dma_mask || DMA_BIT_MASK(32)
  if (page !== null) {
    if (phys_to_dma(dma.kernel, dev, page * dma.pageSize) + size - 1 <= dma_mask) return page
    __free_pages(pgdat, page, order)
  }
  dma.log.print('warn', `swiotlb: coherent allocation failed for device ${dev_name(dev)} size=${size}`)
  return null
}
// #endregion arm64-alloc-swiotlb

// #region arm64-alloc-coherent
// Cleared pages, in whole pages, or null. An area that is full is the end of it.
function __dma_alloc_coherent(dma: Dma, dev: Device, size: Bytes, gfp: number): Pfn | null {
  const flags = dma.config.ZONE_DMA && dev.coherent_dma_mask <= DMA_BIT_MASK(32) ? gfp | GFP_DMA : gfp
  const area = dev_get_cma_area(dma.contiguous, dev)
  const count = size / dma.pageSize
  const order = get_order(size, dma.pageSize)
  const page =
    area && gfpflags_allow_blocking(flags)
      ? dma_alloc_from_contiguous(dma.vm, dma.contiguous, dev, count, order, false)
      : swiotlb_alloc_coherent(dma, dev, size, flags)
  if (page !== null) memsetZero(dma, __va(dma.kernelMap, page * dma.pageSize), size)
  return page
}
// #endregion arm64-alloc-coherent

// #region arm64-alloc
/** A cleared buffer in whole pages, or null. @kernel arch/arm64/mm/dma-mapping.c __dma_alloc() v4.12 */
function __dma_alloc(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  flags: number,
  attrs: number,
): DmaBuffer | null {
  if (!dev) return null
  const bytes = PAGE_ALIGN(dma, size)
  const handleOf = (page: Pfn): DmaAddr => phys_to_dma(dma.kernel, dev, page * dma.pageSize)
  if (!dev.dma_coherent && !gfpflags_allow_blocking(flags)) {
    const pooled = __alloc_from_pool(dma, bytes)
    return pooled && { cpu_addr: pooled.addr, dma_handle: handleOf(pooled.page) }
  }
  const page = __dma_alloc_coherent(dma, dev, bytes, flags)
  if (page === null) return null
  const phys = page * dma.pageSize
  if (dev.dma_coherent) return { cpu_addr: __va(dma.kernelMap, phys), dma_handle: handleOf(page) }
  arch_dma_prep_coherent(dma.vm.cpu, dma, phys, bytes)
  const prot = __get_dma_pgprot(dma, attrs, PAGE_KERNEL(dma.arch))
  const cpu_addr = vmapProt(dma, page, bytes / dma.pageSize, prot)
  if (cpu_addr !== null) return { cpu_addr, dma_handle: handleOf(page) }
  __dma_free_coherent(dma, dev, page, bytes)
  return null
}
// #endregion arm64-alloc

// #region arm64-free
/** Frees it; the pages are those of the handle. @kernel arch/arm64/mm/dma-mapping.c __dma_free() v4.12 */
function __dma_free(dma: Dma, dev: Device | null, size: Bytes, vaddr: VirtAddr, dma_handle: DmaAddr): void {
  if (!dev) return
  const bytes = PAGE_ALIGN(dma, size)
  if (!dev.dma_coherent) {
    if (__free_from_pool(dma, vaddr, bytes)) return
    unmapPages(dma, vaddr)
  }
  __dma_free_coherent(dma, dev, dma_to_pfn(dma.kernel, dev, dma_handle, dma.pageSize), bytes)
}

// To its area, or to the buddy allocator.
function __dma_free_coherent(dma: Dma, dev: Device, page: Pfn, size: Bytes): void {
  if (dma_release_from_contiguous(dma.vm, dma.contiguous, dev, page, size / dma.pageSize)) return
  __free_pages(dma.vm.pgdat, page, get_order(size, dma.pageSize))
}
// #endregion arm64-free

// #region arm64-table
/** The table of arm64. @kernel arch/arm64/mm/dma-mapping.c swiotlb_dma_ops v4.12 */
export const swiotlb_dma_ops: DmaMapOps = {
  alloc: __dma_alloc,
  free: __dma_free,
  mmap: __swiotlb_mmap,
  ...swiotlbStreamingOps,
}
// #endregion arm64-table
