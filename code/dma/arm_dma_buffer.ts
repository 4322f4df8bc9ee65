// SPDX-License-Identifier: MIT
//
// arch/arm/mm/dma-mapping.c: where arm's buffers come from, each way with its way back.
//
//     contiguous   CMA; low memory keeps its linear address and is made uncached there, high memory is mapped anew
//     remap        the buddy allocator, mapped anew uncached
//     simple       the buddy allocator, at its linear address: for coherent devices
//     pool         memory mapped at boot (arm_atomic_pool.ts)
//
// The buddy allocator gives a power of two of pages; what is too much goes back at once (MC-6.5).

// #region arm-buffer-imports
import { cpuFill } from '../arch/cpu.ts'
import { arch_dma_prep_coherent } from '../arch/dma_sync.ts'
import { __va } from '../arch/kernel_map.ts'
import { PAGE_KERNEL, type Pgprot } from '../arch/pgtable_prot.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { get_order, type Bytes, type Pfn, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import { __GFP_NOWARN } from '../mm/gfp.ts'
import { split_page } from '../mm/page.ts'
import { __alloc_pages, __free_pages } from '../mm/page_alloc.ts'
import type { Device } from '../of/reserved_mem.ts'
import { dma_alloc_from_contiguous, dma_release_from_contiguous } from './contiguous.ts'
import { __dma_remap, isHighPage, unmapPages, vmapProt } from './dma_memory.ts'
import { pageOrder, type Dma, type MappedPages } from './dma_state.ts'
// #endregion arm-buffer-imports

// #region arm-buffer-clear
/**
 * Zeros for a new buffer. Unless the device is coherent the caches then forget the range, L1 before outer, for it will be
 * read and written past them. 3.x flushes in any case.
 * @kernel arch/arm/mm/dma-mapping.c __dma_clear_buffer() v6.12
 */
export function __dma_clear_buffer(dma: Dma, page: Pfn, size: Bytes, coherent: boolean): void {
  const phys: PhysAddr = page * dma.pageSize
  cpuFill(dma.vm.cpu, phys, size, 0)
  if (coherent && kernelAtLeast(dma.kernel, '4.6')) return
  arch_dma_prep_coherent(dma.vm.cpu, dma, phys, size)
}
// #endregion arm-buffer-clear

// #region arm-buffer-pages
/**
 * Cleared pages of the buddy allocator, exactly `size` bytes (a multiple of the page size), or null.
 * @kernel arch/arm/mm/dma-mapping.c __dma_alloc_buffer() v6.12
 */
export function __dma_alloc_buffer(dma: Dma, size: Bytes, gfp: number, coherent: boolean): Pfn | null {
  const { pgdat } = dma.vm
  const order = pageOrder(dma, size)
  const page = __alloc_pages(pgdat, gfp, order)
  if (page === null) return null
  split_page(pgdat, page, order)
  for (let excess = page + size / dma.pageSize; excess < page + 2 ** order; excess++) {
    __free_pages(pgdat, excess, 0)
  }
  __dma_clear_buffer(dma, page, size, coherent)
  return page
}

/** Gives them back, one by one. @kernel arch/arm/mm/dma-mapping.c __dma_free_buffer() v6.12 */
export function __dma_free_buffer(dma: Dma, page: Pfn, size: Bytes): void {
  for (let p = page; p < page + size / dma.pageSize; p++) __free_pages(dma.vm.pgdat, p, 0)
}
// #endregion arm-buffer-pages

// #region arm-buffer-contiguous
/**
 * A cleared buffer of CMA, or null: no area, or no room in it. `gfp` counts for its __GFP_NOWARN; `want_vaddr` false
 * leaves the pages without a kernel address of their own.
 * @kernel arch/arm/mm/dma-mapping.c __alloc_from_contiguous() v6.12
 */
export function __alloc_from_contiguous(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  prot: Pgprot,
  want_vaddr: boolean,
  coherent: boolean,
  gfp: number,
): MappedPages | null {
  const count = size / dma.pageSize
  const order = get_order(size, dma.pageSize)
  const no_warn = (gfp & __GFP_NOWARN) !== 0
  const page = dma_alloc_from_contiguous(dma.vm, dma.contiguous, dev, count, order, no_warn)
  if (page === null) return null
  __dma_clear_buffer(dma, page, size, coherent)
  // #region arm-buffer-contiguous-map
  if (!want_vaddr) return { page, addr: null }
  if (!isHighPage(dma, page)) {
    __dma_remap(dma, page, size, prot)
    return { page, addr: __va(dma.kernelMap, page * dma.pageSize) }
  }
  const addr = vmapProt(dma, page, count, prot)
  if (addr !== null) return { page, addr }
  dma_release_from_contiguous(dma.vm, dma.contiguous, dev, page, count)
  return null
  // #endregion arm-buffer-contiguous-map
}
// #endregion arm-buffer-contiguous

// #region arm-buffer-contiguous-free
/** Gives it back; low memory is cached again. @kernel arch/arm/mm/dma-mapping.c __free_from_contiguous() v6.12 */
export function __free_from_contiguous(
  dma: Dma,
  dev: Device | null,
  page: Pfn,
  cpu_addr: VirtAddr,
  size: Bytes,
  want_vaddr: boolean,
): void {
  if (want_vaddr) {
    if (isHighPage(dma, page)) unmapPages(dma, cpu_addr)
    else __dma_remap(dma, page, size, PAGE_KERNEL(dma.arch))
  }
  dma_release_from_contiguous(dma.vm, dma.contiguous, dev, page, size / dma.pageSize)
}
// #endregion arm-buffer-contiguous-free

// #region arm-buffer-remap
/**
 * A cleared buffer of the buddy allocator, mapped anew, or null.
 * @kernel arch/arm/mm/dma-mapping.c __alloc_remap_buffer() v6.12
 */
export function __alloc_remap_buffer(
  dma: Dma,
  size: Bytes,
  gfp: number,
  prot: Pgprot,
  want_vaddr: boolean,
): MappedPages | null {
  const page = __dma_alloc_buffer(dma, size, gfp, false)
  if (page === null) return null
  if (!want_vaddr) return { page, addr: null }
  const addr = vmapProt(dma, page, size / dma.pageSize, prot)
  if (addr !== null) return { page, addr }
  __dma_free_buffer(dma, page, size)
  return null
}

/**
 * A cleared buffer of the buddy allocator at its linear address, or null.
 * @kernel arch/arm/mm/dma-mapping.c __alloc_simple_buffer() v6.12
 */
export function __alloc_simple_buffer(dma: Dma, size: Bytes, gfp: number): MappedPages | null {
  const page = __dma_alloc_buffer(dma, size, gfp, true)
  return page === null ? null : { page, addr: __va(dma.kernelMap, page * dma.pageSize) }
}
// #endregion arm-buffer-remap
