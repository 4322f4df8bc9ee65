// SPDX-License-Identifier: MIT
//
// arch/arm64/mm/dma-mapping.c and lib/swiotlb.c until 4.18: streaming mappings of arm64. Every device goes through swiotlb,
// which bounces what the device's mask does not reach.
//
//     no room for a copy      the mapping points to a page set aside for that (io_tlb_overflow_buffer), which is what
//                             dma_mapping_error() looks for; a large one would be a panic
//     no bounce buffer        that page is address 0, and dma_mapping_error() does not look (since 4.8)
//
// Leaves out: rate limits of the log.

// #region swiotlb-4x-bounce
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, type DmaDirection } from '../arch/dma_direction.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { formatPa, KiB, type Bytes, type DmaAddr, type Pfn, type PhysAddr } from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
import { giveToCpu, giveToDevice, traceBounced } from './direct_map.ts'
import { DMA_MAPPING_ERROR, dma_to_phys, phys_to_dma } from './dma_address.ts'
import type { DmaStreamingOps } from './dma_map_ops.ts'
import { dev_name, DMA_ATTR_SKIP_CPU_SYNC, deviceName, type Dma } from './dma_state.ts'
import type { Scatterlist } from './scatterlist.ts'
import {
  swiotlb_sync_single_for_cpu,
  swiotlb_sync_single_for_device,
  swiotlb_tbl_map_single,
  swiotlb_tbl_unmap_single,
} from './swiotlb.ts'

/** Bytes of the page for mappings that failed. @kernel lib/swiotlb.c io_tlb_overflow v4.12 */
export const io_tlb_overflow: Bytes = KiB(32)

// Whether the mask reaches it; a device without mask reaches nothing.
function dma_capable(dev: Device, addr: DmaAddr, size: Bytes): boolean {
  return dev.dma_mask !== null && addr + size - 1 <= dev.dma_mask
}

// A copy, or null with a line in the log.
function map_single(
  dma: Dma,
  dev: Device,
  phys: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): PhysAddr | null {
  if (!dma.swiotlb.noForce) return swiotlb_tbl_map_single(dma, dev, phys, size, dir, attrs)
  dma.log.print('warn', `${deviceName(dev)}: Cannot do DMA to address ${formatPa(phys, 64)}`)
  return null
}

// Nothing can be done for the caller. Throws where Linux panics: for a mapping of a page that is larger than the overflow
// buffer.
function swiotlb_full(dma: Dma, dev: Device, size: Bytes, dir: DmaDirection, do_panic: boolean): void {
  if (dma.swiotlb.noForce) return
  const text = `DMA: Out of SW-IOMMU space for ${size} bytes`
  const where = kernelAtLeast(dma.kernel, '4.12.4') ? null : ` at device ${dev_name(dev)}`
  dma.log.print('err', where ? text + where : `${deviceName(dev)}: ${text}`)
  if (size <= io_tlb_overflow || !do_panic) return
  const how = dir === DMA_BIDIRECTIONAL ? 'accessed' : dir === DMA_FROM_DEVICE ? 'written' : 'read'
  throw new Error(`swiotlb_full: panic: DMA: Random memory could be DMA ${how}`)
}

// The address for the device, which may be that of the overflow buffer.
function swiotlb_map_page(
  dma: Dma,
  dev: Device,
  phys: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): DmaAddr {
  const { force_bounce, io_tlb_overflow_buffer } = dma.swiotlb
  const dev_addr = phys_to_dma(dma.kernel, dev, phys)
  if (dma_capable(dev, dev_addr, size) && !force_bounce) return dev_addr
  traceBounced(dma, dev, dev_addr, size)
  const copy = map_single(dma, dev, phys, size, dir, attrs)
  if (copy === null) {
    swiotlb_full(dma, dev, size, dir, true)
    return phys_to_dma(dma.kernel, dev, io_tlb_overflow_buffer)
  }
  const copy_addr = phys_to_dma(dma.kernel, dev, copy)
  if (dma_capable(dev, copy_addr, size)) return copy_addr
  // 4.6 had not learnt yet to leave the data alone here.
  const skips = kernelAtLeast(dma.kernel, '4.12.4') ? DMA_ATTR_SKIP_CPU_SYNC : 0
  swiotlb_tbl_unmap_single(dma, dev, copy, size, dir, attrs | skips)
  return phys_to_dma(dma.kernel, dev, io_tlb_overflow_buffer)
}

function __swiotlb_map_page(
  dma: Dma,
  dev: Device | null,
  page: Pfn,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): DmaAddr {
  // A device that nobody described has dummy_dma_ops, which refuse.
  if (!dev) return DMA_MAPPING_ERROR(64)
  const dev_addr = swiotlb_map_page(dma, dev, page * dma.pageSize + offset, size, dir, attrs)
  const skips = attrs & DMA_ATTR_SKIP_CPU_SYNC
  if (!skips) giveToDevice(dma, dev, dma_to_phys(dma.kernel, dev, dev_addr), size, dir)
  return dev_addr
}

function __swiotlb_unmap_page(
  dma: Dma,
  dev: Device | null,
  handle: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): void {
  if (!dev) return
  const paddr = dma_to_phys(dma.kernel, dev, handle)
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) giveToCpu(dma, dev, paddr, size, dir)
  const kept = kernelAtLeast(dma.kernel, '4.12.4') ? attrs : 0
  swiotlb_tbl_unmap_single(dma, dev, paddr, size, dir, kept)
}

function __swiotlb_sync_single_for_cpu(
  dma: Dma,
  dev: Device | null,
  handle: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  if (!dev) return
  const paddr = dma_to_phys(dma.kernel, dev, handle)
  giveToCpu(dma, dev, paddr, size, dir)
  swiotlb_sync_single_for_cpu(dma, dev, paddr, size, dir)
}

function __swiotlb_sync_single_for_device(
  dma: Dma,
  dev: Device | null,
  handle: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  if (!dev) return
  const paddr = dma_to_phys(dma.kernel, dev, handle)
  swiotlb_sync_single_for_device(dma, dev, paddr, size, dir)
  giveToDevice(dma, dev, paddr, size, dir)
}
// #endregion swiotlb-4x-bounce

// #region swiotlb-4x-map-sg
// All pieces get their addresses; only then are the caches seen to.
function __swiotlb_map_sg_attrs(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nelems: number,
  dir: DmaDirection,
  attrs: number,
): number {
  if (!dev) return 0
  for (const [i, s] of sg.slice(0, nelems).entries()) {
    const phys = s.page * dma.pageSize + s.offset
    const dev_addr = phys_to_dma(dma.kernel, dev, phys)
    const reached = !dma.swiotlb.force_bounce && dma_capable(dev, dev_addr, s.length)
    const copy = reached ? phys : map_single(dma, dev, phys, s.length, dir, attrs)
    if (copy === null) {
      swiotlb_full(dma, dev, s.length, dir, false)
      undo(dma, dev, sg.slice(0, i), dir, attrs)
      sg[0]!.dma_length = 0
      return 0
    }
    s.dma_address = phys_to_dma(dma.kernel, dev, copy)
    s.dma_length = s.length
  }
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0)
    for (const { dma_address, length } of sg.slice(0, nelems))
      giveToDevice(dma, dev, dma_to_phys(dma.kernel, dev, dma_address), length, dir)
  return nelems
}

// Since 4.10 without copying back what no device has seen.
function undo(dma: Dma, dev: Device, done: readonly Scatterlist[], dir: DmaDirection, attrs: number): void {
  const how = kernelAtLeast(dma.kernel, '4.12.4') ? attrs | DMA_ATTR_SKIP_CPU_SYNC : 0
  for (const { dma_address, dma_length } of done)
    swiotlb_tbl_unmap_single(dma, dev, dma_to_phys(dma.kernel, dev, dma_address), dma_length, dir, how)
}

const piecesOf = (dma: Dma, dev: Device, sg: readonly Scatterlist[], nelems: number) =>
  sg.slice(0, nelems).map((s) => ({ ...s, paddr: dma_to_phys(dma.kernel, dev, s.dma_address) }))

// The caches for all pieces, then the copies.
function __swiotlb_unmap_sg_attrs(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nelems: number,
  dir: DmaDirection,
  attrs: number,
): void {
  if (!dev) return
  const pieces = piecesOf(dma, dev, sg, nelems)
  const kept = kernelAtLeast(dma.kernel, '4.12.4') ? attrs : 0
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0)
    for (const { paddr, length } of pieces) giveToCpu(dma, dev, paddr, length, dir)
  for (const { paddr, dma_length } of pieces) swiotlb_tbl_unmap_single(dma, dev, paddr, dma_length, dir, kept)
}

function __swiotlb_sync_sg_for_cpu(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nelems: number,
  dir: DmaDirection,
): void {
  if (!dev) return
  const pieces = piecesOf(dma, dev, sg, nelems)
  for (const { paddr, length } of pieces) giveToCpu(dma, dev, paddr, length, dir)
  for (const { paddr, dma_length } of pieces) swiotlb_sync_single_for_cpu(dma, dev, paddr, dma_length, dir)
}

function __swiotlb_sync_sg_for_device(
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nelems: number,
  dir: DmaDirection,
): void {
  if (!dev) return
  const pieces = piecesOf(dma, dev, sg, nelems)
  for (const { paddr, dma_length } of pieces) swiotlb_sync_single_for_device(dma, dev, paddr, dma_length, dir)
  for (const { paddr, length } of pieces) giveToDevice(dma, dev, paddr, length, dir)
}

/** The streaming entries of arm64's table. @kernel arch/arm64/mm/dma-mapping.c swiotlb_dma_ops v4.12 */
export const swiotlbStreamingOps: Required<DmaStreamingOps> = {
  map_page: __swiotlb_map_page,
  unmap_page: __swiotlb_unmap_page,
  map_sg: __swiotlb_map_sg_attrs,
  unmap_sg: __swiotlb_unmap_sg_attrs,
  sync_single_for_cpu: __swiotlb_sync_single_for_cpu,
  sync_single_for_device: __swiotlb_sync_single_for_device,
  sync_sg_for_cpu: __swiotlb_sync_sg_for_cpu,
  sync_sg_for_device: __swiotlb_sync_sg_for_device,
}
// #endregion swiotlb-4x-map-sg
