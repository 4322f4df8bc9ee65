// SPDX-License-Identifier: MIT
//
// arch/arm/mm/dma-mapping.c and arch/arm64/mm/dma-mapping.c before they used dma-direct: a buffer for a program. The checks
// are those of dma_mmap.ts; what differs is who gets uncached attributes.
//
//     arm 3.x    everybody                             arm 4.x    all but coherent devices
//     arm64 4.x  the same, and coherent devices that ask for write-combining

// #region arm-mmap-imports
import { ENXIO } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes, DmaAddr, VirtAddr } from '../lib/units.ts'
import { remap_pfn_range } from '../mm/memory_remap.ts'
import type { VmArea } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import { dma_mmap_from_dev_coherent } from './coherent_alloc.ts'
import { dma_to_pfn } from './dma_address.ts'
import { __get_dma_pgprot } from './dma_pgprot.ts'
import { PAGE_ALIGN, type Dma } from './dma_state.ts'
// #endregion arm-mmap-imports

// #region arm-mmap-pages
// The device's pool first; then the pages of the handle. 0, -ENXIO, or what remap_pfn_range() returns.
function __arm_dma_mmap(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
): number {
  const own = dma_mmap_from_dev_coherent(dma, dev, vma, cpu_addr, size)
  if (own !== undefined) return own
  const length: Bytes = vma.vm_end - vma.vm_start
  const nr_pages = PAGE_ALIGN(dma, size) / dma.pageSize
  const off = vma.vm_pgoff
  if (off >= nr_pages || length / dma.pageSize > nr_pages - off) return -ENXIO
  const pfn = dma_to_pfn(dma.kernel, dev, dma_addr, dma.pageSize) + off
  return remap_pfn_range(dma.vm, vma, vma.vm_start, pfn, length, vma.vm_page_prot)
}
// #endregion arm-mmap-pages

// #region arm-mmap
/** For a device beside the caches. @kernel arch/arm/mm/dma-mapping.c arm_dma_mmap() v4.12 */
export function arm_dma_mmap(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
  attrs: number,
): number {
  vma.vm_page_prot = __get_dma_pgprot(dma, attrs, vma.vm_page_prot)
  return __arm_dma_mmap(dma, dev, vma, cpu_addr, dma_addr, size)
}

/**
 * For one that looks into them; 3.9 has arm_dma_mmap() here.
 * @kernel arch/arm/mm/dma-mapping.c arm_coherent_dma_mmap() v4.12
 */
export function arm_coherent_dma_mmap(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
  attrs: number,
): number {
  const cached = kernelAtLeast(dma.kernel, '4.6')
  if (!cached) vma.vm_page_prot = __get_dma_pgprot(dma, attrs, vma.vm_page_prot)
  return __arm_dma_mmap(dma, dev, vma, cpu_addr, dma_addr, size)
}
// #endregion arm-mmap

// #region arm-mmap-arm64
/** arm64. @kernel arch/arm64/mm/dma-mapping.c __swiotlb_mmap() v4.12 */
export function __swiotlb_mmap(
  dma: Dma,
  dev: Device | null,
  vma: VmArea,
  cpu_addr: VirtAddr,
  dma_addr: DmaAddr,
  size: Bytes,
  attrs: number,
): number {
  vma.vm_page_prot = __get_dma_pgprot(dma, attrs, vma.vm_page_prot, dev?.dma_coherent ?? false)
  return __arm_dma_mmap(dma, dev, vma, cpu_addr, dma_addr, size)
}
// #endregion arm-mmap-arm64
