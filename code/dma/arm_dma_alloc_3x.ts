// SPDX-License-Identifier: MIT
//
// arch/arm/mm/dma-mapping.c of 3.5 and 3.9: one allocator for each kind of caller, by configuration, and no way round it.
//
//     coherent          simple         3.5: a property of the machine, 3.9: of the device
//     cannot wait       pool           3.5 asks for __GFP_HIGH, so that GFP_NOWAIT counts as waiting
//     CONFIG_CMA        contiguous     no area, or a full one: no memory
//     else              remap
//
// Nobody remembers who gave a buffer: freeing asks the pool, then goes by configuration.

// #region arm-3x-imports
import type { Pgprot } from '../arch/pgtable_prot.ts'
import { get_order, type Bytes, type DmaAddr, type VirtAddr } from '../lib/units.ts'
import { gfpflags_allow_blocking, GFP_DMA, __GFP_COMP, __GFP_HIGH } from '../mm/gfp.ts'
import type { Device } from '../of/reserved_mem.ts'
import { __alloc_from_pool, __free_from_pool } from './arm_atomic_pool.ts'
import {
  __alloc_from_contiguous,
  __alloc_remap_buffer,
  __alloc_simple_buffer,
  __dma_free_buffer,
  __free_from_contiguous,
} from './arm_dma_buffer.ts'
import { get_coherent_dma_mask, isTooBig } from './arm_dma_mask.ts'
import { dma_alloc_from_dev_coherent, dma_release_from_dev_coherent } from './coherent_alloc.ts'
import { dma_to_pfn, pfn_to_dma } from './dma_address.ts'
import { unmapPages } from './dma_memory.ts'
import { PAGE_ALIGN, warnAt, type Dma, type DmaBuffer, type MappedPages } from './dma_state.ts'
// #endregion arm-3x-imports

// #region arm-3x-choice
/** How 3.x gets a buffer. */
export type Allocator3x = 'simple' | 'pool' | 'contiguous' | 'remap'

/** Which way serves a request. */
export function choose3x(dma: Dma, gfp: number, is_coherent: boolean): Allocator3x {
  const old = dma.kernel === '3.5'
  if (old ? dma.config.coherentMachine : is_coherent) return 'simple'
  if (old ? (gfp & __GFP_HIGH) !== 0 : !gfpflags_allow_blocking(gfp)) return 'pool'
  return dma.config.CMA ? 'contiguous' : 'remap'
}
// #endregion arm-3x-choice

// #region arm-3x-alloc
/**
 * A buffer in whole pages, the device's pool first; null: no memory, or the mask will not do.
 * @kernel arch/arm/mm/dma-mapping.c arm_dma_alloc(), __dma_alloc() v3.9
 */
export function armDmaAlloc3x(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  gfp: number,
  prot: Pgprot,
  is_coherent: boolean,
): DmaBuffer | null {
  const own = dma_alloc_from_dev_coherent(dma, dev, size)
  if (own !== undefined) return own
  const mask = get_coherent_dma_mask(dma, dev)
  if (dma.config.DMA_API_DEBUG && isTooBig(dma, dev, size, mask)) return null
  if (mask === 0) return null
  const flags = (mask < 0xffff_ffff ? gfp | GFP_DMA : gfp) & ~__GFP_COMP
  const how = choose3x(dma, flags, is_coherent)
  const got = pagesBy(dma, dev, how, PAGE_ALIGN(dma, size), flags, prot)
  if (!got || got.addr === null) return null
  return { cpu_addr: got.addr, dma_handle: pfn_to_dma(dma.kernel, dev, got.page, dma.pageSize) }
}
// #endregion arm-3x-alloc

// #region arm-3x-pages
function pagesBy(
  dma: Dma,
  dev: Device | null,
  how: Allocator3x,
  size: Bytes,
  gfp: number,
  prot: Pgprot,
): MappedPages | null {
  switch (how) {
    case 'simple':
      return __alloc_simple_buffer(dma, size, gfp)
    case 'pool':
      return __alloc_from_pool(dma, size)
    case 'contiguous':
      return __alloc_from_contiguous(dma, dev, size, prot, true, false, 0)
    case 'remap':
      return __alloc_remap_buffer(dma, size, gfp, prot, true)
  }
}
// #endregion arm-3x-pages

// #region arm-3x-free
/**
 * Frees a buffer; the pages are those of `handle`. One that came from CMA must not be freed with interrupts off: that is
 * warned about, and it is freed.
 * @kernel arch/arm/mm/dma-mapping.c __arm_dma_free() v3.9
 */
export function armDmaFree3x(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr,
  handle: DmaAddr,
  is_coherent: boolean,
): void {
  if (dma_release_from_dev_coherent(dma, dev, get_order(size, dma.pageSize), cpu_addr)) return
  const page = dma_to_pfn(dma.kernel, dev, handle, dma.pageSize)
  const bytes = PAGE_ALIGN(dma, size)
  if (dma.kernel === '3.5' ? dma.config.coherentMachine : is_coherent) {
    __dma_free_buffer(dma, page, bytes)
  } else if (__free_from_pool(dma, cpu_addr, bytes)) {
    return
  } else if (!dma.config.CMA) {
    unmapPages(dma, cpu_addr)
    __dma_free_buffer(dma, page, bytes)
  } else {
    if (dma.irqsDisabled) warnAt(dma, 'arch/arm/mm/dma-mapping.c', 'arm_dma_free')
    __free_from_contiguous(dma, dev, page, cpu_addr, bytes, true)
  }
}
// #endregion arm-3x-free
