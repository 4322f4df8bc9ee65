// SPDX-License-Identifier: MIT
//
// arch/arm/mm/dma-mapping.c since 4.12: buffers of arm. One of four allocators is chosen, its answer is final, and who gave
// a buffer is remembered by its address, so that freeing goes the same way back (MC-6.13):
//
//     area found   may wait   coherent        an area is the device's own, or the default one
//        yes         yes        any     cma
//         –          –          yes     simple
//        no          yes        no      remap
//         –          no         no      pool
//
//     4.x   arm_dma_ops.alloc, arm_coherent_dma_ops.alloc        the mask of the device is checked first
//     6.x   arch_dma_alloc(), called by dma-direct for devices that are not coherent; no mask is checked
//
// 4.6 is taken to be like 4.12. Older kernels: arm_dma_alloc_3x.ts.

// #region arm-alloc-imports
import { PAGE_KERNEL, type Pgprot } from '../arch/pgtable_prot.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { minNotZero, type Bytes, type DmaAddr, type Pfn, type VirtAddr } from '../lib/units.ts'
import { gfpflags_allow_blocking, GFP_DMA, __GFP_COMP } from '../mm/gfp.ts'
import type { Device } from '../of/reserved_mem.ts'
import { __alloc_from_pool, __free_from_pool } from './arm_atomic_pool.ts'
import { armDmaAlloc3x, armDmaFree3x } from './arm_dma_alloc_3x.ts'
import {
  __alloc_from_contiguous,
  __alloc_remap_buffer,
  __alloc_simple_buffer,
  __dma_free_buffer,
  __free_from_contiguous,
} from './arm_dma_buffer.ts'
import { dev_get_cma_area } from './contiguous_3x.ts'
import { get_coherent_dma_mask, isTooBig } from './arm_dma_mask.ts'
import { dma_to_pfn, phys_to_dma } from './dma_address.ts'
import { unmapPages } from './dma_memory.ts'
import { __get_dma_pgprot } from './dma_pgprot.ts'
import {
  DMA_ATTR_NO_KERNEL_MAPPING,
  PAGE_ALIGN,
  type ArmAllocatorName,
  type Dma,
  type DmaBuffer,
  type MappedPages,
} from './dma_state.ts'
// #endregion arm-alloc-imports

// #region arm-alloc-args
/**
 * What an allocator is told; `size` in whole pages.
 * @kernel arch/arm/mm/dma-mapping.c struct arm_dma_alloc_args v6.12
 */
interface ArmDmaAllocArgs {
  readonly dev: Device | null
  readonly size: Bytes
  readonly gfp: number
  readonly prot: Pgprot
  readonly want_vaddr: boolean
  readonly coherent: boolean
}

/** What it is told to free. @kernel arch/arm/mm/dma-mapping.c struct arm_dma_free_args v6.12 */
interface ArmDmaFreeArgs {
  readonly dev: Device | null
  readonly size: Bytes
  readonly cpu_addr: VirtAddr
  readonly page: Pfn
  readonly want_vaddr: boolean
}

/** @kernel arch/arm/mm/dma-mapping.c struct arm_dma_allocator v6.12 */
interface ArmDmaAllocator {
  readonly alloc: (dma: Dma, args: ArmDmaAllocArgs) => MappedPages | null
  readonly free: (dma: Dma, args: ArmDmaFreeArgs) => void
}
// #endregion arm-alloc-args

// #region arm-alloc-allocators
const allocators: Readonly<Record<ArmAllocatorName, ArmDmaAllocator>> = {
  cma: {
    alloc: (dma, { dev, size, prot, want_vaddr, coherent, gfp }) =>
      __alloc_from_contiguous(dma, dev, size, prot, want_vaddr, coherent, gfp),
    free: (dma, { dev, page, cpu_addr, size, want_vaddr }) =>
      __free_from_contiguous(dma, dev, page, cpu_addr, size, want_vaddr),
  },
  simple: {
    alloc: (dma, { size, gfp }) => __alloc_simple_buffer(dma, size, gfp),
    free: (dma, { page, size }) => __dma_free_buffer(dma, page, size),
  },
  remap: {
    alloc: (dma, { size, gfp, prot, want_vaddr }) => __alloc_remap_buffer(dma, size, gfp, prot, want_vaddr),
    free: (dma, { cpu_addr, page, size, want_vaddr }) => {
      if (want_vaddr) unmapPages(dma, cpu_addr)
      __dma_free_buffer(dma, page, size)
    },
  },
  pool: {
    alloc: (dma, { size }) => __alloc_from_pool(dma, size),
    free: (dma, { cpu_addr, size }) => void __free_from_pool(dma, cpu_addr, size),
  },
}
// #endregion arm-alloc-allocators

// #region arm-alloc-choose
/** Which allocator serves a request. `area`: the device has a CMA area, or there is a default one. */
export function chooseArmAllocator(area: boolean, mayBlock: boolean, coherent: boolean): ArmAllocatorName {
  if (area && mayBlock) return 'cma'
  if (coherent) return 'simple'
  return mayBlock ? 'remap' : 'pool'
}
// #endregion arm-alloc-choose

// #region arm-alloc-mask
// The reach of the device; null when the request fails for it.
function maskFor(dma: Dma, dev: Device | null, size: Bytes): number | null {
  const now = kernelAtLeast(dma.kernel, '6.1.192')
  const mask = now ? minNotZero(dev!.coherent_dma_mask, dev!.bus_dma_limit) : get_coherent_dma_mask(dma, dev)
  if (dma.config.DMA_API_DEBUG && isTooBig(dma, dev, size, mask)) return null
  return mask === 0 && !now ? null : mask
}
// #endregion arm-alloc-mask

// #region arm-alloc
/**
 * A buffer in whole pages with `prot`, cleared unless it is of the pool; null: no memory, or (4.x) the mask will not do.
 * @kernel arch/arm/mm/dma-mapping.c __dma_alloc() v6.12
 * @omits that the record of the buffer may not fit into memory
 */
function __dma_alloc(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  gfp: number,
  prot: Pgprot,
  is_coherent: boolean,
  attrs: number,
): DmaBuffer | null {
  const mask = maskFor(dma, dev, size)
  if (mask === null) return null
  const flags = (mask < 0xffff_ffff ? gfp | GFP_DMA : gfp) & ~__GFP_COMP
  const area = dev_get_cma_area(dma.contiguous, dev) !== null
  const name = chooseArmAllocator(area, gfpflags_allow_blocking(flags), is_coherent)
  const want_vaddr = (attrs & DMA_ATTR_NO_KERNEL_MAPPING) === 0
  const args = { dev, size: PAGE_ALIGN(dma, size), gfp: flags, prot, want_vaddr, coherent: is_coherent }
  const got = allocators[name].alloc(dma, args)
  if (!got) return null
  const cpu_addr: VirtAddr = want_vaddr && got.addr !== null ? got.addr : (got.page as number)
  dma.arm_dma_bufs.set(cpu_addr, name)
  return { cpu_addr, dma_handle: phys_to_dma(dma.kernel, dev, got.page * dma.pageSize) }
}
// #endregion arm-alloc

// #region arm-alloc-free
/**
 * Frees a buffer the way it was made, by its address; the pages are those of `handle`, whose ever they are. An address
 * that nobody remembers is warned about, and nothing is freed.
 * @kernel arch/arm/mm/dma-mapping.c __arm_dma_free() v6.12
 */
function __arm_dma_free(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr,
  handle: DmaAddr,
  attrs: number,
): void {
  const name = dma.arm_dma_bufs.get(cpu_addr)
  if (name === undefined) {
    dma.log.print('warn', `Freeing invalid buffer ${cpu_addr.toString(16).padStart(8, '0')}`)
    return
  }
  dma.arm_dma_bufs.delete(cpu_addr)
  const page = dma_to_pfn(dma.kernel, dev, handle, dma.pageSize)
  const want_vaddr = (attrs & DMA_ATTR_NO_KERNEL_MAPPING) === 0
  allocators[name].free(dma, { dev, size: PAGE_ALIGN(dma, size), cpu_addr, page, want_vaddr })
}
// #endregion arm-alloc-free

// #region arm-alloc-arch
/**
 * A buffer for a device that is not coherent, called by dma-direct.
 * @kernel arch/arm/mm/dma-mapping.c arch_dma_alloc() v6.12
 */
export function arch_dma_alloc(
  dma: Dma,
  dev: Device,
  size: Bytes,
  gfp: number,
  attrs: number,
): DmaBuffer | null {
  const prot = __get_dma_pgprot(dma, attrs, PAGE_KERNEL(dma.arch))
  return __dma_alloc(dma, dev, size, gfp, prot, false, attrs)
}

/** @kernel arch/arm/mm/dma-mapping.c arch_dma_free() v6.12 */
export function arch_dma_free(
  dma: Dma,
  dev: Device,
  size: Bytes,
  cpu_addr: VirtAddr,
  handle: DmaAddr,
  attrs: number,
): void {
  __arm_dma_free(dma, dev, size, cpu_addr, handle, attrs)
}
// #endregion arm-alloc-arch

// #region arm-alloc-ops
/** A buffer for a device beside the caches. @kernel arch/arm/mm/dma-mapping.c arm_dma_alloc() v4.12 */
export function arm_dma_alloc(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  gfp: number,
  attrs: number,
): DmaBuffer | null {
  const prot = __get_dma_pgprot(dma, attrs, PAGE_KERNEL(dma.arch))
  if (!kernelAtLeast(dma.kernel, '4.6')) return armDmaAlloc3x(dma, dev, size, gfp, prot, false)
  return __dma_alloc(dma, dev, size, gfp, prot, false, attrs)
}
// #endregion arm-alloc-ops

// #region arm-alloc-ops-coherent
/**
 * One for a device that looks into them: cached, whatever `attrs` say.
 * @kernel arch/arm/mm/dma-mapping.c arm_coherent_dma_alloc() v4.12
 */
export function arm_coherent_dma_alloc(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  gfp: number,
  attrs: number,
): DmaBuffer | null {
  // 3.9 hands the uncached attributes on; the simple allocator does not look at them.
  const prot = PAGE_KERNEL(dma.arch)
  if (!kernelAtLeast(dma.kernel, '4.6')) return armDmaAlloc3x(dma, dev, size, gfp, prot, true)
  return __dma_alloc(dma, dev, size, gfp, prot, true, attrs)
}
// #endregion arm-alloc-ops-coherent

// #region arm-alloc-ops-free
/** @kernel arch/arm/mm/dma-mapping.c arm_dma_free() v4.12 */
export function arm_dma_free(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr,
  handle: DmaAddr,
  attrs: number,
): void {
  if (kernelAtLeast(dma.kernel, '4.6')) __arm_dma_free(dma, dev, size, cpu_addr, handle, attrs)
  else armDmaFree3x(dma, dev, size, cpu_addr, handle, false)
}

/** @kernel arch/arm/mm/dma-mapping.c arm_coherent_dma_free() v4.12 */
export function arm_coherent_dma_free(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr,
  handle: DmaAddr,
  attrs: number,
): void {
  if (kernelAtLeast(dma.kernel, '4.6')) __arm_dma_free(dma, dev, size, cpu_addr, handle, attrs)
  else armDmaFree3x(dma, dev, size, cpu_addr, handle, true)
}
// #endregion arm-alloc-ops-free
