// SPDX-License-Identifier: MIT
//
// arch/arm/mm/dma-mapping.c until 5.19: the two tables of arm, side by side, and the streaming functions in them.
//
//                          arm_dma_ops                arm_coherent_dma_ops
//     alloc, free, mmap    memory made uncached       memory as it is
//     map_page             caches cleaned             the address, nothing else
//     map_sg               map_page of its table for each entry
//     unmap, sync          caches again               not there: nothing to do
//
// 3.5 has the first table only and asks inside whether the machine is coherent.
// Leaves out: get_sgtable, set_dma_mask (see mask.ts), IOMMUs, dmabounce.

// #region arm-ops-imports
import type { DmaDirection } from '../arch/dma_direction.ts'
import { arch_sync_dma_for_cpu, arch_sync_dma_for_device, pagesMarkedDcacheClean } from '../arch/dma_sync.ts'
import type { Bytes, DmaAddr, Pfn, PhysAddr } from '../lib/units.ts'
import { PG_dcache_clean } from '../mm/mmzone.ts'
import type { Device } from '../of/reserved_mem.ts'
import {
  arm_coherent_dma_alloc,
  arm_coherent_dma_free,
  arm_dma_alloc,
  arm_dma_free,
} from './arm_dma_alloc.ts'
import { arm_coherent_dma_mmap, arm_dma_mmap } from './arm_dma_mmap.ts'
import { DMA_MAPPING_ERROR, dma_to_phys, pfn_to_dma } from './dma_address.ts'
import type { DmaMapOps } from './dma_map_ops.ts'
import { DMA_ATTR_SKIP_CPU_SYNC, dmaAddrBits, type Dma } from './dma_state.ts'
import type { Scatterlist } from './scatterlist.ts'
// #endregion arm-ops-imports

// #region arm-ops-maintenance
/**
 * The device may have the bytes. 3.5 asks here whether the machine is coherent; later kernels chose another table.
 * @kernel arch/arm/mm/dma-mapping.c __dma_page_cpu_to_dev() v6.12
 */
export function __dma_page_cpu_to_dev(dma: Dma, paddr: PhysAddr, size: Bytes, dir: DmaDirection): void {
  if (dma.kernel === '3.5' && dma.config.coherentMachine) return
  arch_sync_dma_for_device(dma.vm.cpu, dma, paddr, size, dir)
}

/** The CPU has them again; whole pages are marked clean (MC-11.7). @kernel arch/arm/mm/dma-mapping.c __dma_page_dev_to_cpu() v6.12 */
export function __dma_page_dev_to_cpu(dma: Dma, paddr: PhysAddr, size: Bytes, dir: DmaDirection): void {
  if (dma.kernel === '3.5' && dma.config.coherentMachine) return
  arch_sync_dma_for_cpu(dma.vm.cpu, dma, paddr, size, dir)
  const { map } = dma.vm.pgdat
  const first = Math.floor(paddr / dma.pageSize) - map.start_pfn
  for (const page of pagesMarkedDcacheClean(dma.kernel, paddr % dma.pageSize, size, dir)) {
    map.flags[first + page]! |= PG_dcache_clean
  }
}
// #endregion arm-ops-maintenance

// #region arm-ops-pages
/**
 * The device's address of the bytes; caches are cleaned or invalidated unless DMA_ATTR_SKIP_CPU_SYNC.
 * @kernel arch/arm/mm/dma-mapping.c arm_dma_map_page() v4.12
 */
function arm_dma_map_page(
  dma: Dma,
  dev: Device | null,
  page: Pfn,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): DmaAddr {
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0)
    __dma_page_cpu_to_dev(dma, page * dma.pageSize + offset, size, dir)
  return arm_coherent_dma_map_page(dma, dev, page, offset)
}

function arm_coherent_dma_map_page(dma: Dma, dev: Device | null, page: Pfn, offset: Bytes): DmaAddr {
  return pfn_to_dma(dma.kernel, dev, page, dma.pageSize) + offset
}
// #endregion arm-ops-pages

// #region arm-ops-unmap-page
function arm_dma_unmap_page(
  dma: Dma,
  dev: Device | null,
  handle: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): void {
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) arm_dma_sync_single_for_cpu(dma, dev, handle, size, dir)
}
// #endregion arm-ops-unmap-page

// #region arm-ops-sync
function arm_dma_sync_single_for_cpu(
  dma: Dma,
  dev: Device | null,
  handle: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  __dma_page_dev_to_cpu(dma, dma_to_phys(dma.kernel, dev, handle), size, dir)
}

function arm_dma_sync_single_for_device(
  dma: Dma,
  dev: Device | null,
  handle: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  __dma_page_cpu_to_dev(dma, dma_to_phys(dma.kernel, dev, handle), size, dir)
}
// #endregion arm-ops-sync

// #region arm-ops-map-sg
/**
 * Maps the first `nents` entries by the table of the device: `nents`, or 0 after undoing what was mapped.
 * @kernel arch/arm/mm/dma-mapping.c arm_dma_map_sg() v4.12
 */
function arm_dma_map_sg(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): number {
  const ops = arm_get_dma_map_ops(dma, dev)
  for (const [i, s] of sg.slice(0, nents).entries()) {
    s.dma_address = ops.map_page(dma, dev, s.page, s.offset, s.length, dir, attrs)
    s.dma_length = s.length
    if (s.dma_address !== DMA_MAPPING_ERROR(dmaAddrBits(dma))) continue
    for (const done of sg.slice(0, i))
      ops.unmap_page?.(dma, dev, done.dma_address, done.dma_length, dir, attrs)
    return 0
  }
  return nents
}
// #endregion arm-ops-map-sg

// #region arm-ops-sg
function arm_dma_unmap_sg(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): void {
  const { unmap_page } = arm_get_dma_map_ops(dma, dev)
  for (const s of sg.slice(0, nents)) unmap_page?.(dma, dev, s.dma_address, s.dma_length, dir, attrs)
}

function arm_dma_sync_sg_for_cpu(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
): void {
  for (const s of sg.slice(0, nents)) arm_dma_sync_single_for_cpu(dma, dev, s.dma_address, s.length, dir)
}

function arm_dma_sync_sg_for_device(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
): void {
  for (const s of sg.slice(0, nents)) arm_dma_sync_single_for_device(dma, dev, s.dma_address, s.length, dir)
}
// #endregion arm-ops-sg

// #region arm-ops-tables
/** For a device beside the caches. @kernel arch/arm/mm/dma-mapping.c arm_dma_ops v4.12 */
export const arm_dma_ops = {
  alloc: arm_dma_alloc,
  free: arm_dma_free,
  mmap: arm_dma_mmap,
  map_page: arm_dma_map_page,
  unmap_page: arm_dma_unmap_page,
  map_sg: arm_dma_map_sg,
  unmap_sg: arm_dma_unmap_sg,
  sync_single_for_cpu: arm_dma_sync_single_for_cpu,
  sync_single_for_device: arm_dma_sync_single_for_device,
  sync_sg_for_cpu: arm_dma_sync_sg_for_cpu,
  sync_sg_for_device: arm_dma_sync_sg_for_device,
} satisfies DmaMapOps

/** For a device that looks into the caches; since 3.7. @kernel arch/arm/mm/dma-mapping.c arm_coherent_dma_ops v4.12 */
export const arm_coherent_dma_ops = {
  alloc: arm_coherent_dma_alloc,
  free: arm_coherent_dma_free,
  mmap: arm_coherent_dma_mmap,
  map_page: arm_coherent_dma_map_page,
  map_sg: arm_dma_map_sg,
} satisfies DmaMapOps
// #endregion arm-ops-tables

// #region arm-ops-choice
/**
 * The table of a device: the node's `dma-coherent` decides; 3.5 has one for all. A device that nobody described is not
 * coherent.
 * @kernel arch/arm/mm/dma-mapping.c arm_get_dma_map_ops() v4.12
 */
export function arm_get_dma_map_ops(
  dma: Dma,
  dev: Device | null,
): DmaMapOps & Required<Pick<DmaMapOps, 'map_page'>> {
  return dma.kernel !== '3.5' && dev?.dma_coherent ? arm_coherent_dma_ops : arm_dma_ops
}
// #endregion arm-ops-choice
