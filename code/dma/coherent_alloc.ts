// SPDX-License-Identifier: MIT
//
// kernel/dma/coherent.c, buffers of a device's own pool: a power of two of pages at a multiple of itself (MC-7.1).
//
//     page   0   1   2   3   4   5   6   7
//            ├ 3 pages ────┤ ├1┤             3 pages take four
//            ▓   ▓   ▓   ▓   ▓
//
// Nothing is remembered of a buffer but its bits: freeing with another size frees other bits (MC-7.7). The pool answers for
// the device alone: when it has no room there is no memory, wherever else some is free.
//
// Leaves out: memset_io() of pools that are registers.

// #region coherent-alloc-imports
import { bitmap_find_free_region, bitmap_release_region, bitmap_zalloc } from '../lib/bitmap.ts'
import { EINVAL, ENXIO } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { get_order, type Bytes, type DmaAddr, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import { remap_pfn_range } from '../mm/memory_remap.ts'
import type { VmArea } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import {
  dma_assign_coherent_memory,
  dma_init_coherent_memory,
  DMA_MEMORY_EXCLUSIVE,
  DMA_MEMORY_IO,
  DMA_MEMORY_MAP,
  type DmaCoherentMem,
} from './coherent.ts'
import { phys_to_dma } from './dma_address.ts'
import { memsetZero, unmapPages, vmapPages } from './dma_memory.ts'
import { PAGE_ALIGN, type Dma, type DmaBuffer } from './dma_state.ts'
// #endregion coherent-alloc-imports

// #region coherent-alloc-live
function dev_get_coherent_memory(dev: Device | null): DmaCoherentMem | null {
  return (dev?.dma_mem ?? null) as DmaCoherentMem | null
}

// Its address and bitmap, made now if nobody has used the pool; null when the vmalloc area has no room for it.
function liveOf(dma: Dma, mem: DmaCoherentMem): DmaCoherentMem['live'] {
  if (mem.live) return mem.live
  const pages = Math.floor(mem.size / dma.pageSize)
  const virt_base = vmapPages(dma, mem.mapping.phys / dma.pageSize, pages, 'normal-nc')
  mem.live = virt_base === null ? null : { virt_base, bitmap: bitmap_zalloc(pages) }
  return mem.live
}

// Bytes by the arithmetic of the kernel: 4.x computes them as `int`, which overflows at 2 GiB.
function shifted(dma: Dma, pages: number): number {
  const bytes = pages * dma.pageSize
  return kernelAtLeast(dma.kernel, '6.1.192') ? bytes : Number(BigInt.asIntN(32, BigInt(bytes)))
}
// #endregion coherent-alloc-live

// #region coherent-alloc-from
/** Where `dev` finds the pool. @kernel kernel/dma/coherent.c dma_get_device_base() v6.12 */
export function dma_get_device_base(dma: Dma, dev: Device | null, mem: DmaCoherentMem): DmaAddr {
  return mem.use_dev_dma_pfn_offset ? phys_to_dma(dma.kernel, dev, mem.mapping.phys) : mem.device_base
}

// Takes pages and clears the bytes that were asked for: not the rest of the last page (MC-7.6).
function __dma_alloc_from_coherent(
  dma: Dma,
  dev: Device | null,
  mem: DmaCoherentMem,
  size: Bytes,
): DmaBuffer | null {
  const live = liveOf(dma, mem)
  if (!live) return null
  const { virt_base, bitmap } = live
  if (size > shifted(dma, bitmap.nbits)) return null
  const pageno = bitmap_find_free_region(bitmap, bitmap.nbits, get_order(size, dma.pageSize))
  if (pageno < 0) return null
  const cpu_addr: VirtAddr = virt_base + shifted(dma, pageno)
  memsetZero(dma, cpu_addr, size)
  return { cpu_addr, dma_handle: dma_get_device_base(dma, dev, mem) + shifted(dma, pageno) }
}
// #endregion coherent-alloc-from

// #region coherent-alloc-dev
/**
 * A buffer of the device's pool; null when the pool has no room for it, and that is final; undefined when the caller is
 * to look elsewhere: the device has no pool, or (4.x) one that is not exclusive and full.
 * @kernel kernel/dma/coherent.c dma_alloc_from_dev_coherent() v6.12; dma_alloc_from_coherent() v4.12
 */
export function dma_alloc_from_dev_coherent(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
): DmaBuffer | null | undefined {
  const mem = dev_get_coherent_memory(dev)
  if (!mem) return undefined
  const buffer = __dma_alloc_from_coherent(dma, dev, mem, size)
  const shares = !kernelAtLeast(dma.kernel, '6.1.192') && (mem.flags & DMA_MEMORY_EXCLUSIVE) === 0
  return buffer === null && shares ? undefined : buffer
}

// #endregion coherent-alloc-dev

// #region coherent-alloc-release
/**
 * Whether `vaddr` is of the device's pool; then `2^order` pages from there are free, whoever had them.
 * @kernel kernel/dma/coherent.c dma_release_from_dev_coherent() v6.12; dma_release_from_coherent() v4.12
 */
export function dma_release_from_dev_coherent(
  dma: Dma,
  dev: Device | null,
  order: number,
  vaddr: VirtAddr,
): boolean {
  const live = dev_get_coherent_memory(dev)?.live
  if (!live) return false
  const { virt_base, bitmap } = live
  if (vaddr < virt_base || vaddr >= virt_base + shifted(dma, bitmap.nbits)) return false
  bitmap_release_region(bitmap, Math.floor((vaddr - virt_base) / dma.pageSize), order)
  return true
}
// #endregion coherent-alloc-release

// #region coherent-alloc-mmap
/**
 * What mapping the buffer into `vma` gave, or undefined: `vaddr` is not of the device's pool. -ENXIO when `vm_pgoff` and the
 * length of the vma reach beyond the buffer, else what remap_pfn_range() returns.
 * 4.6 counts the whole pages of `size` only, so the last page of an odd size cannot be mapped.
 * @kernel kernel/dma/coherent.c dma_mmap_from_dev_coherent() v6.12; dma_mmap_from_coherent() v4.12
 */
export function dma_mmap_from_dev_coherent(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  vaddr: VirtAddr,
  size: Bytes,
): number | undefined {
  const mem = dev_get_coherent_memory(dev)
  if (!mem?.live) return undefined
  const { virt_base, bitmap } = mem.live
  if (vaddr < virt_base || vaddr + size > virt_base + shifted(dma, bitmap.nbits)) return undefined
  const roundsUp = kernelAtLeast(dma.kernel, '4.12.4')
  const count = Math.floor((roundsUp ? PAGE_ALIGN(dma, size) : size) / dma.pageSize)
  const user_count = (vma.vm_end - vma.vm_start) / dma.pageSize
  const off = vma.vm_pgoff
  if (off >= count || user_count > count - off) return -ENXIO
  const pfn = Math.floor((mem.mapping.phys + (vaddr - virt_base)) / dma.pageSize) + off
  return remap_pfn_range(dma.vm, vma, vma.vm_start, pfn, user_count * dma.pageSize, vma.vm_page_prot)
}
// #endregion coherent-alloc-mmap

// #region coherent-alloc-declare
/**
 * Gives `dev` a pool at `phys_addr`, which the device finds at `device_addr`.
 * 6.x: 0, or -EINVAL (size 0, or memremap() refuses), -EBUSY (it has a pool). 4.x, which alone reads `flags`: DMA_MEMORY_MAP
 * or DMA_MEMORY_IO, as it was mapped; 0 for any failure, flags that say neither among them.
 * @kernel kernel/dma/coherent.c dma_declare_coherent_memory() v6.12
 */
export function dma_declare_coherent_memory(
  dma: Dma,
  dev: Device,
  phys_addr: PhysAddr,
  device_addr: DmaAddr,
  size: Bytes,
  flags = DMA_MEMORY_MAP,
): number {
  const now = kernelAtLeast(dma.kernel, '6.1.192')
  const kind = now ? DMA_MEMORY_MAP | DMA_MEMORY_EXCLUSIVE : flags
  const mem = dma_init_coherent_memory(dma, phys_addr, device_addr, size, kind, false)
  if (!mem) return now ? -EINVAL : 0
  const assigned = dma_assign_coherent_memory(dev, mem)
  if (now) return assigned
  return assigned === 0 ? flags & DMA_MEMORY_MAP || DMA_MEMORY_IO : 0
}

/** Takes such a pool away, mapping and all. @kernel kernel/dma/coherent.c dma_release_coherent_memory() v6.12 */
export function dma_release_coherent_memory(dma: Dma, dev: Device): void {
  const live = dev_get_coherent_memory(dev)?.live
  if (live) unmapPages(dma, live.virt_base)
  dev.dma_mem = null
}
// #endregion coherent-alloc-declare
