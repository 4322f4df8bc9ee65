// SPDX-License-Identifier: MIT
//
// What the allocators of this room do to memory: give pages an address, change the attributes of one, write zeros.
//
// Zeros are written as the CPU of the model would: through an uncached mapping they reach RAM and leave the caches alone,
// through a cached one no stale line stays.

// #region dma-memory-imports
import { cpuFill } from '../arch/cpu.ts'
import { setLinearType, translate, vmap, vunmap } from '../arch/kernel_map.ts'
import { isCacheable, type MemoryType } from '../arch/memory_type.ts'
import { memoryTypeOf, type Pgprot } from '../arch/pgtable_prot.ts'
import { fillBytes } from '../arch/ram.ts'
import type { Bytes, Pfn, VirtAddr } from '../lib/units.ts'
import { page_zone } from '../mm/page.ts'
import type { Dma } from './dma_state.ts'
// #endregion dma-memory-imports

// #region dma-memory-map
/** Maps `count` pages from `page` in the vmalloc area: their address, or null when the area has no room. */
export function vmapPages(dma: Dma, page: Pfn, count: number, type: MemoryType): VirtAddr | null {
  return vmap(
    dma.kernelMap,
    Array.from({ length: count }, (_, i) => page + i),
    type,
  )
}

/** The same with the memory type of `prot`. @kernel kernel/dma/remap.c dma_common_contiguous_remap() v6.12 */
export function vmapProt(dma: Dma, page: Pfn, count: number, prot: Pgprot): VirtAddr | null {
  return vmapPages(dma, page, count, memoryTypeOf(dma.arch, prot))
}

/** Undoes such a mapping. */
export function unmapPages(dma: Dma, addr: VirtAddr): void {
  vunmap(dma.kernelMap, addr)
}
// #endregion dma-memory-map

// #region dma-memory-linear
/**
 * Gives pages another memory type where the linear map has them.
 * @kernel arch/arm/mm/dma-mapping.c __dma_remap() v6.12
 */
export function __dma_remap(dma: Dma, page: Pfn, size: Bytes, prot: Pgprot): void {
  setLinearType(dma.kernelMap, page, size / dma.pageSize, memoryTypeOf(dma.arch, prot))
}

/** Whether the linear map has no address for the page. @kernel include/linux/page-flags.h PageHighMem() v6.12 */
export function isHighPage({ vm }: Dma, page: Pfn): boolean {
  return page_zone(vm.pgdat, page).name === 'HighMem'
}
// #endregion dma-memory-linear

// #region dma-memory-zero
/** memset(addr, 0, size) at a kernel address; what lies behind `size` in the last page stays. @cost a step for each page */
export function memsetZero(dma: Dma, addr: VirtAddr, size: Bytes): void {
  const { cpu } = dma.vm
  for (let done = 0; done < size;) {
    const { pa, type } = translate(dma.kernelMap, addr + done)
    const n = Math.min(dma.pageSize - (pa % dma.pageSize), size - done)
    if (isCacheable(type)) cpuFill(cpu, pa, n, 0)
    else fillBytes(cpu.ram, pa, n, 0)
    done += n
  }
}
// #endregion dma-memory-zero
