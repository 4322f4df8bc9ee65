// SPDX-License-Identifier: MIT
//
// kernel/dma/mapping.c, lists: a buffer in pieces is lent in one call. All of it is mapped, or nothing.
//
//     const n = dma_map_sg(dma, dev, sg, sg.length, DMA_TO_DEVICE)      0: nothing is mapped
//     sg.slice(0, n) → dma_address, dma_length                          for the device
//     dma_unmap_sg(dma, dev, sg, sg.length, DMA_TO_DEVICE)              as many as were given, not n
//
// dma_map_sgtable() says why: -EIO, the device does not reach a piece; -EINVAL, -ENOMEM from IOMMUs.
//
// Leaves out: memory of PCI peers (-EREMOTEIO); without an IOMMU no pieces are joined.

// #region map-sg-imports
import type { DmaDirection } from '../arch/dma_direction.ts'
import { EIO } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Device } from '../of/reserved_mem.ts'
import { dma_direct_map_page, dma_direct_unmap_page, giveToCpu, giveToDevice } from './direct_map.ts'
import { DMA_MAPPING_ERROR, dma_to_phys } from './dma_address.ts'
import { DMA_ATTR_SKIP_CPU_SYNC, dmaAddrBits, warnOnceAt, type Dma } from './dma_state.ts'
import { dma_dev_need_sync, mustHaveDirection } from './map.ts'
import { traceMapSg, traceSyncSg, traceUnmapSg } from './map_trace.ts'
import { get_dma_ops, mustHaveDevice } from './mapping.ts'
import type { Scatterlist, SgTable } from './scatterlist.ts'
import { swiotlb_sync_single_for_cpu, swiotlb_sync_single_for_device } from './swiotlb.ts'
// #endregion map-sg-imports

// #region map-sg-direct
/**
 * Maps the first `nents` pieces: `nents`, or -EIO after undoing what was mapped, without giving bytes back.
 * @kernel kernel/dma/direct.c dma_direct_map_sg() v6.12
 */
export function dma_direct_map_sg(
  dma: Dma,
  dev: Device,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): number {
  for (const [i, s] of sg.slice(0, nents).entries()) {
    s.dma_address = dma_direct_map_page(dma, dev, s.page, s.offset, s.length, dir, attrs, 'dma_direct_map_sg')
    if (s.dma_address === DMA_MAPPING_ERROR(dmaAddrBits(dma))) {
      dma_direct_unmap_sg(dma, dev, sg, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC)
      return -EIO
    }
    s.dma_length = s.length
  }
  return nents
}

// #endregion map-sg-direct

// #region map-sg-direct-unmap
/** @kernel kernel/dma/direct.c dma_direct_unmap_sg() v6.12 */
export function dma_direct_unmap_sg(
  dma: Dma,
  dev: Device,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): void {
  for (const s of sg.slice(0, nents)) dma_direct_unmap_page(dma, dev, s.dma_address, s.dma_length, dir, attrs)
}

/** @kernel kernel/dma/direct.c dma_direct_sync_sg_for_cpu() v6.12 */
export function dma_direct_sync_sg_for_cpu(
  dma: Dma,
  dev: Device,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
): void {
  for (const { dma_address, length } of sg.slice(0, nents)) {
    const paddr = dma_to_phys(dma.kernel, dev, dma_address)
    giveToCpu(dma, dev, paddr, length, dir)
    swiotlb_sync_single_for_cpu(dma, dev, paddr, length, dir)
  }
}

/** @kernel kernel/dma/direct.c dma_direct_sync_sg_for_device() v6.12 */
export function dma_direct_sync_sg_for_device(
  dma: Dma,
  dev: Device,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
): void {
  for (const { dma_address, length } of sg.slice(0, nents)) {
    const paddr = dma_to_phys(dma.kernel, dev, dma_address)
    swiotlb_sync_single_for_device(dma, dev, paddr, length, dir)
    giveToDevice(dma, dev, paddr, length, dir)
  }
}

// How many entries the device gets, 0 or a negative errno.
function __dma_map_sg_attrs(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): number {
  mustHaveDirection(dir, 'dma_map_sg_attrs')
  const ops = get_dma_ops(dma, dev)
  if (ops) return ops.map_sg!(dma, dev, sg, nents, dir, attrs)
  const device = mustHaveDevice(dev, 'dma_map_sg_attrs')
  if (device.dma_mask === null) {
    warnOnceAt(dma, 'kernel/dma/mapping.c', '__dma_map_sg_attrs')
    return 0
  }
  const ents = dma_direct_map_sg(dma, device, sg, nents, dir, attrs)
  if (ents > 0) traceMapSg(dma, device, sg, nents, ents, dir, attrs)
  return ents
}

/**
 * Lends the first `nents` pieces of a list to the device: how many entries it is to be given, or 0: none is mapped.
 * @kernel kernel/dma/mapping.c dma_map_sg_attrs() v6.12
 */
export function dma_map_sg_attrs(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): number {
  return Math.max(__dma_map_sg_attrs(dma, dev, sg, nents, dir, attrs), 0)
}
// #endregion map-sg-direct-unmap

// #region map-sg-sgtable
/**
 * The same for a table, whose `nents` it sets: 0, or -EIO: a piece has no address for the device, be it out of reach or the bounce buffer full.
 * Throws in kernels that have no such call (it came with v5.8).
 * @kernel kernel/dma/mapping.c dma_map_sgtable() v6.12
 */
export function dma_map_sgtable(
  dma: Dma,
  dev: Device | null,
  sgt: SgTable,
  dir: DmaDirection,
  attrs: number,
): number {
  if (!kernelAtLeast(dma.kernel, '6.1.192'))
    throw new Error(`dma_map_sgtable: got kernel ${dma.kernel}, expected 6.x; call dma_map_sg() there`)
  const nents = __dma_map_sg_attrs(dma, dev, sgt.sgl, sgt.orig_nents, dir, attrs)
  if (nents < 0) return nents
  sgt.nents = nents
  return 0
}
// #endregion map-sg-sgtable

// #region map-sg-unmap
/**
 * The list is the CPU's again; `nents` is what it was mapped with.
 * @kernel kernel/dma/mapping.c dma_unmap_sg_attrs() v6.12
 */
export function dma_unmap_sg_attrs(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
): void {
  mustHaveDirection(dir, 'dma_unmap_sg_attrs')
  const ops = get_dma_ops(dma, dev)
  if (ops) {
    ops.unmap_sg?.(dma, dev, sg, nents, dir, attrs)
    return
  }
  const device = mustHaveDevice(dev, 'dma_unmap_sg_attrs')
  traceUnmapSg(dma, device, sg, nents, dir, attrs)
  dma_direct_unmap_sg(dma, device, sg, nents, dir, attrs)
}

/** @kernel include/linux/dma-mapping.h dma_unmap_sgtable() v6.12 */
export function dma_unmap_sgtable(
  dma: Dma,
  dev: Device | null,
  sgt: SgTable,
  dir: DmaDirection,
  attrs: number,
): void {
  dma_unmap_sg_attrs(dma, dev, sgt.sgl, sgt.orig_nents, dir, attrs)
}

/** @kernel include/linux/dma-mapping.h dma_map_sg() v6.12 */
export function dma_map_sg(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
): number {
  return dma_map_sg_attrs(dma, dev, sg, nents, dir, 0)
}

/** @kernel include/linux/dma-mapping.h dma_unmap_sg() v6.12 */
export function dma_unmap_sg(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
): void {
  dma_unmap_sg_attrs(dma, dev, sg, nents, dir, 0)
}

/** The CPU may look at the pieces. @kernel include/linux/dma-mapping.h dma_sync_sg_for_cpu() v6.12 */
export function dma_sync_sg_for_cpu(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nelems: number,
  dir: DmaDirection,
): void {
  mustHaveDirection(dir, 'dma_sync_sg_for_cpu')
  const ops = get_dma_ops(dma, dev)
  if (ops) {
    ops.sync_sg_for_cpu?.(dma, dev, sg, nelems, dir)
    return
  }
  const device = mustHaveDevice(dev, 'dma_sync_sg_for_cpu')
  if (!dma_dev_need_sync(dma, device)) return
  dma_direct_sync_sg_for_cpu(dma, device, sg, nelems, dir)
  traceSyncSg(dma, 'dma_sync_sg_for_cpu', device, sg, nelems, dir)
}

/** The device may have them again. @kernel include/linux/dma-mapping.h dma_sync_sg_for_device() v6.12 */
export function dma_sync_sg_for_device(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nelems: number,
  dir: DmaDirection,
): void {
  mustHaveDirection(dir, 'dma_sync_sg_for_device')
  const ops = get_dma_ops(dma, dev)
  if (ops) {
    ops.sync_sg_for_device?.(dma, dev, sg, nelems, dir)
    return
  }
  const device = mustHaveDevice(dev, 'dma_sync_sg_for_device')
  if (!dma_dev_need_sync(dma, device)) return
  dma_direct_sync_sg_for_device(dma, device, sg, nelems, dir)
  traceSyncSg(dma, 'dma_sync_sg_for_device', device, sg, nelems, dir)
}
// #endregion map-sg-unmap
