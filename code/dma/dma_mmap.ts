// SPDX-License-Identifier: MIT
//
// kernel/dma/mapping.c, kernel/dma/direct.c: a buffer for a program. Called from the mmap() of a driver, whose vma has been
// checked by nobody yet:
//
//     vm_pgoff    pages from the start of the buffer          count = pages of the buffer
//     length      pages of the vma                            -ENXIO unless vm_pgoff + pages <= count
//
// The attributes of the vma are set before any check, and stay when it fails (MC-8.5). For a coherent device they stay as
// they are, cached, which does not go with the uncached address of a buffer of a pool: Linux does not look, `aliasMismatch()`
// does (MC-8.6).
//
// Leaves out: dma_common_mmap() of architectures without a function of their own.

// #region dma-mmap-imports
import { translate } from '../arch/kernel_map.ts'
import { isAliasMismatch, type MemoryType } from '../arch/memory_type.ts'
import { memoryTypeOf } from '../arch/pgtable_prot.ts'
import { ENXIO } from '../lib/errno.ts'
import type { Bytes, DmaAddr, VirtAddr } from '../lib/units.ts'
import { remap_pfn_range } from '../mm/memory_remap.ts'
import type { VmArea } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import { dma_mmap_from_dev_coherent } from './coherent_alloc.ts'
import { dma_to_pfn } from './dma_address.ts'
import { dma_pgprot } from './dma_pgprot.ts'
import { DMA_ATTR_WRITE_COMBINE, PAGE_ALIGN, type Dma } from './dma_state.ts'
import { get_dma_ops, mustHaveDevice } from './mapping.ts'
// #endregion dma-mmap-imports

// #region dma-mmap-direct
/**
 * Maps the pages of `vma` from page `vm_pgoff` of the buffer on; `cpu_addr` decides whether it is of the device's pool,
 * otherwise `dma_addr` is where the pages are. 0, -ENXIO (beyond the buffer), or what remap_pfn_range() returns.
 * @kernel kernel/dma/direct.c dma_direct_mmap() v6.12
 */
export function dma_direct_mmap(
  dma: Dma,
  dev: Device,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
): number {
  vma.vm_page_prot = dma_pgprot(dma, dev, vma.vm_page_prot)
  const own = dma_mmap_from_dev_coherent(dma, dev, vma, cpu_addr, size)
  if (own !== undefined) return own
  const user_count = (vma.vm_end - vma.vm_start) / dma.pageSize
  const count = PAGE_ALIGN(dma, size) / dma.pageSize
  if (vma.vm_pgoff >= count || user_count > count - vma.vm_pgoff) return -ENXIO
  const pfn = dma_to_pfn(dma.kernel, dev, dma_addr, dma.pageSize) + vma.vm_pgoff
  return remap_pfn_range(dma.vm, vma, vma.vm_start, pfn, user_count * dma.pageSize, vma.vm_page_prot)
}
// #endregion dma-mmap-direct

// #region dma-mmap
/**
 * Maps a buffer into a program, as above; older kernels by the table of the device.
 * @kernel kernel/dma/mapping.c dma_mmap_attrs() v6.12
 */
export function dma_mmap_attrs(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
  attrs: number,
): number {
  const ops = get_dma_ops(dma, dev)
  if (ops) return ops.mmap(dma, dev, vma, cpu_addr, dma_addr, size, attrs)
  const device = mustHaveDevice(dev, 'dma_mmap_attrs')
  return dma_direct_mmap(dma, device, vma, cpu_addr, dma_addr, size)
}

// #endregion dma-mmap

// #region dma-mmap-short
/** @kernel include/linux/dma-mapping.h dma_mmap_coherent() v6.12 */
export function dma_mmap_coherent(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
): number {
  return dma_mmap_attrs(dma, dev, vma, cpu_addr, dma_addr, size, 0)
}

/** @kernel include/linux/dma-mapping.h dma_mmap_wc() v6.12 */
export function dma_mmap_wc(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
): number {
  return dma_mmap_attrs(dma, dev, vma, cpu_addr, dma_addr, size, DMA_ATTR_WRITE_COMBINE)
}
// #endregion dma-mmap-short

// #region dma-mmap-alias
/** Two views of one buffer that do not agree. */
export interface AliasMismatch {
  readonly kernel: MemoryType
  readonly user: MemoryType
}

/**
 * Whether the kernel's address of a buffer and a program's mapping of it disagree about the caches, so that one may not see
 * what the other writes; null when they agree.
 */
export function aliasMismatch(dma: Dma, vma: VmArea, cpu_addr: VirtAddr): AliasMismatch | null {
  const kernel = translate(dma.kernelMap, cpu_addr).type
  const user = memoryTypeOf(dma.arch, vma.vm_page_prot)
  return isAliasMismatch(kernel, user) ? { kernel, user } : null
}
// #endregion dma-mmap-alias
