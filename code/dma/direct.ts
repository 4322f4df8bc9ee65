// SPDX-License-Identifier: MIT
//
// kernel/dma/direct.c, buffers: memory that a device reaches without an IOMMU.
//
//     may not wait, not coherent ──→ atomic pool (pool.ts)
//     device's area, or > 1 page ──→ CMA ── none, or above the mask ──→ buddy ── above the mask ──→ DMA32, then DMA zone
//
//     coherent device     address in the linear map, cached: nothing else is to be done
//     other, arm64        caches cleaned, then mapped once more, uncached, in the vmalloc area
//     other, arm          arch_dma_alloc(): see arm_dma_alloc.ts
//
// Leaves out: global pools, uncached aliases of the linear map, encrypted memory, restricted DMA pools.

// #region direct-imports
import { arch_dma_prep_coherent } from '../arch/dma_sync.ts'
import { PAGE_KERNEL } from '../arch/pgtable_prot.ts'
import { is_vmalloc_addr, __va } from '../arch/kernel_map.ts'
import { minNotZero, type Bytes, type DmaAddr, type Pfn, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import { gfpflags_allow_blocking, GFP_DMA, GFP_DMA32, __GFP_NOWARN, __GFP_ZERO } from '../mm/gfp.ts'
import { PG_reserved } from '../mm/mmzone.ts'
import { __alloc_pages, __free_pages } from '../mm/page_alloc.ts'
import type { Device } from '../of/reserved_mem.ts'
import { arch_dma_alloc, arch_dma_free } from './arm_dma_alloc.ts'
import { dma_alloc_contiguous, dma_free_contiguous } from './contiguous.ts'
import { DMA_BIT_MASK, dma_to_phys, phys_to_dma } from './dma_address.ts'
import { isHighPage, memsetZero, unmapPages, vmapProt } from './dma_memory.ts'
import { dma_pgprot } from './dma_pgprot.ts'
import {
  DMA_ATTR_NO_KERNEL_MAPPING,
  DMA_ATTR_NO_WARN,
  maxPfn,
  PAGE_ALIGN,
  pageOrder,
  type Dma,
  type DmaBuffer,
} from './dma_state.ts'
import { dma_alloc_from_pool, dma_free_from_pool } from './pool.ts'
// #endregion direct-imports

// #region direct-limits
// The zone to ask for first, and the last physical address that the device reaches (MC-6.6).
function dma_direct_optimal_gfp_mask(dma: Dma, dev: Device): { gfp: number; phys_limit: PhysAddr } {
  const dma_limit = minNotZero(dev.coherent_dma_mask, dev.bus_dma_limit)
  const phys_limit = dma_to_phys(dma.kernel, dev, dma_limit)
  if (phys_limit <= dma.config.zone_dma_limit) return { gfp: GFP_DMA, phys_limit }
  if (phys_limit <= DMA_BIT_MASK(32)) return { gfp: GFP_DMA32, phys_limit }
  return { gfp: 0, phys_limit }
}

/**
 * Whether the device reaches all of `[phys, phys + size)`. A device without mask and without limit reaches nothing.
 * @kernel kernel/dma/direct.c dma_coherent_ok() v6.12
 */
export function dma_coherent_ok(dma: Dma, dev: Device, phys: PhysAddr, size: Bytes): boolean {
  const dma_addr = phys_to_dma(dma.kernel, dev, phys)
  if (dma_addr >= DMA_BIT_MASK(64)) return false
  return dma_addr + size - 1 <= minNotZero(dev.coherent_dma_mask, dev.bus_dma_limit)
}
// #endregion direct-limits

// #region direct-alloc-pages
/**
 * Pages that the device reaches, or null. CMA first; a page of CMA above the mask goes back and the buddy allocator is
 * asked, in ever lower zones (MC-6.7). `size` is a multiple of the page size.
 * @kernel kernel/dma/direct.c __dma_direct_alloc_pages() v6.12
 */
export function __dma_direct_alloc_pages(
  dma: Dma,
  dev: Device,
  size: Bytes,
  flags: number,
  allow_highmem: boolean,
): Pfn | null {
  const { pgdat } = dma.vm
  const order = pageOrder(dma, size)
  const optimal = dma_direct_optimal_gfp_mask(dma, dev)
  const reaches = (page: Pfn) => dma_coherent_ok(dma, dev, page * dma.pageSize, size)
  let gfp = flags | optimal.gfp
  const fromCma = dma_alloc_contiguous(dma.vm, dma.contiguous, dev, size, gfp)
  if (fromCma !== null) {
    if (reaches(fromCma) && (allow_highmem || !isHighPage(dma, fromCma))) return fromCma
    dma_free_contiguous(dma.vm, dma.contiguous, dev, fromCma, size)
  }
  // #region direct-alloc-buddy
  for (;;) {
    const page = __alloc_pages(pgdat, gfp, order)
    if (page === null || reaches(page)) return page
    __free_pages(pgdat, page, order)
    const lower = nextZone(dma, gfp, optimal.phys_limit)
    if (lower === null) return null
    gfp = lower
  }
  // #endregion direct-alloc-buddy
}

// #endregion direct-alloc-pages

// #region direct-next-zone
// The flags to try after pages that lay too high, or null.
function nextZone({ config }: Dma, gfp: number, phys_limit: PhysAddr): number | null {
  const anyZone = (gfp & (GFP_DMA32 | GFP_DMA)) === 0
  if (config.ZONE_DMA32 && phys_limit < DMA_BIT_MASK(64) && anyZone) return gfp | GFP_DMA32
  if (config.ZONE_DMA && (gfp & GFP_DMA) === 0) return (gfp & ~GFP_DMA32) | GFP_DMA
  return null
}
// #endregion direct-next-zone

// #region direct-alloc-kinds
function dma_direct_alloc_from_pool(dma: Dma, dev: Device, size: Bytes, gfp: number): DmaBuffer | null {
  const flags = gfp | dma_direct_optimal_gfp_mask(dma, dev).gfp
  const got = dma_alloc_from_pool(dma, dev, size, flags, dma_coherent_ok)
  return got && { cpu_addr: got.addr, dma_handle: phys_to_dma(dma.kernel, dev, got.page * dma.pageSize) }
}

// Pages alone; what they hold is what they held.
function dma_direct_alloc_no_mapping(dma: Dma, dev: Device, size: Bytes, gfp: number): DmaBuffer | null {
  const page = __dma_direct_alloc_pages(dma, dev, size, gfp & ~__GFP_ZERO, true)
  if (page === null) return null
  const phys = page * dma.pageSize
  if (!isHighPage(dma, page)) arch_dma_prep_coherent(dma.vm.cpu, dma, phys, size)
  return { cpu_addr: page as number, dma_handle: phys_to_dma(dma.kernel, dev, phys) }
}
// #endregion direct-alloc-kinds

// #region direct-alloc
/**
 * A cleared buffer of `size` bytes, in whole pages, or null: no memory, or none that the device reaches.
 * `gfp` has no zone flags. What is returned as `cpu_addr`: see the head of this file (MC-6.8).
 * @kernel kernel/dma/direct.c dma_direct_alloc() v6.12
 */
export function dma_direct_alloc(
  dma: Dma,
  dev: Device,
  size: Bytes,
  gfp: number,
  attrs: number,
): DmaBuffer | null {
  const bytes = PAGE_ALIGN(dma, size)
  const flags = attrs & DMA_ATTR_NO_WARN ? gfp | __GFP_NOWARN : gfp
  if (attrs & DMA_ATTR_NO_KERNEL_MAPPING) return dma_direct_alloc_no_mapping(dma, dev, bytes, flags)
  if (!dev.dma_coherent && dma.arch === 'arm') return arch_dma_alloc(dma, dev, bytes, flags, attrs)
  const uncached = !dev.dma_coherent
  if (uncached && !gfpflags_allow_blocking(flags)) return dma_direct_alloc_from_pool(dma, dev, bytes, flags)
  const page = __dma_direct_alloc_pages(dma, dev, bytes, flags & ~__GFP_ZERO, true)
  if (page === null) return null
  // #region direct-alloc-address
  const cpu_addr = kernelAddress(dma, dev, page, bytes, uncached || isHighPage(dma, page))
  if (cpu_addr === null) {
    dma_free_contiguous(dma.vm, dma.contiguous, dev, page, bytes)
    return null
  }
  memsetZero(dma, cpu_addr, bytes)
  return { cpu_addr, dma_handle: phys_to_dma(dma.kernel, dev, page * dma.pageSize) }
  // #endregion direct-alloc-address
}

// #endregion direct-alloc

// #region direct-address
// The linear address, or a mapping of its own with the attributes that the device calls for; null without room for one.
function kernelAddress(dma: Dma, dev: Device, page: Pfn, size: Bytes, remap: boolean): VirtAddr | null {
  if (!remap) return __va(dma.kernelMap, page * dma.pageSize)
  const prot = dma_pgprot(dma, dev, PAGE_KERNEL(dma.arch))
  // The linear map has the page as well: what it left in the cache must not be written over the buffer later.
  arch_dma_prep_coherent(dma.vm.cpu, dma, page * dma.pageSize, size)
  return vmapProt(dma, page, size / dma.pageSize, prot)
}
// #endregion direct-address

// #region direct-free
/**
 * Frees a buffer. The mapping that goes is the one at `cpu_addr`; the pages that go are those of `dma_addr`: with another
 * buffer's handle it is that buffer's pages. Throws, where Linux would free pages that nobody allocated, for a handle that
 * points at no page of the page allocator: a buffer of a pool that its device has given up (MC-7.8).
 * @kernel kernel/dma/direct.c dma_direct_free() v6.12
 */
export function dma_direct_free(
  dma: Dma,
  dev: Device,
  size: Bytes,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  attrs: number,
): void {
  if (attrs & DMA_ATTR_NO_KERNEL_MAPPING) {
    dma_free_contiguous(dma.vm, dma.contiguous, dev, cpu_addr as number, size)
    return
  }
  if (!dev.dma_coherent && dma.arch === 'arm') {
    arch_dma_free(dma, dev, size, cpu_addr, dma_addr, attrs)
    return
  }
  if (dma_free_from_pool(dma, dev, cpu_addr, PAGE_ALIGN(dma, size))) return
  const page = Math.floor(dma_to_phys(dma.kernel, dev, dma_addr) / dma.pageSize)
  checkPage(dma, page, dma_addr)
  if (is_vmalloc_addr(dma.kernelMap, cpu_addr)) unmapPages(dma, cpu_addr)
  dma_free_contiguous(dma.vm, dma.contiguous, dev, page, size)
}
// #endregion direct-free

// #region direct-check-page
function checkPage({ vm }: Dma, page: Pfn, dma_addr: DmaAddr): void {
  const { map } = vm.pgdat
  const known = page >= map.start_pfn && page < map.end_pfn
  if (known && (map.flags[page - map.start_pfn]! & PG_reserved) === 0) return
  throw new Error(
    `dma_direct_free: handle 0x${dma_addr.toString(16)} is pfn 0x${page.toString(16)}, no page of the page allocator; ` +
      'free a buffer before of_reserved_mem_device_release() takes its pool from the device',
  )
}
// #endregion direct-check-page

// #region direct-supported
/**
 * Whether a mask can work at all: 32 bits always, fewer only when they reach the end of RAM or of ZONE_DMA.
 * @kernel kernel/dma/direct.c dma_direct_supported() v6.12
 */
export function dma_direct_supported(dma: Dma, dev: Device, mask: number): boolean {
  if (mask >= DMA_BIT_MASK(32)) return true
  const ramEnd: PhysAddr = (maxPfn(dma) - 1) * dma.pageSize
  const { ZONE_DMA, zone_dma_limit } = dma.config
  const min_mask = ZONE_DMA ? Math.min(ramEnd, zone_dma_limit) : ramEnd
  return mask >= phys_to_dma(dma.kernel, dev, min_mask)
}
// #endregion direct-supported

// #region direct-required
/** The smallest mask that reaches all RAM. @kernel kernel/dma/direct.c dma_direct_get_required_mask() v6.12 */
export function dma_direct_get_required_mask(dma: Dma, dev: Device): number {
  const max_dma = phys_to_dma(dma.kernel, dev, (maxPfn(dma) - 1) * dma.pageSize)
  return DMA_BIT_MASK(Math.floor(Math.log2(max_dma)) + 1)
}
// #endregion direct-required
