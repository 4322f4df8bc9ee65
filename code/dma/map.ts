// SPDX-License-Identifier: MIT
//
// kernel/dma/mapping.c, streaming: memory that a driver has anyway is lent to its device, for one transfer after another.
//
//     const handle = dma_map_single(dma, dev, ptr, size, DMA_FROM_DEVICE)      the device's from here on
//     if (dma_mapping_error(dma, dev, handle)) return -ENOMEM                  address 0 is a valid one
//     dma_sync_single_for_cpu(dma, dev, handle, size, DMA_FROM_DEVICE)         the CPU's: look at it
//     dma_sync_single_for_device(dma, dev, handle, size, DMA_FROM_DEVICE)      the device's again
//     dma_unmap_single(dma, dev, handle, size, DMA_FROM_DEVICE)                the CPU's for good
//
// Size and direction are the same at every step. Who touches the memory out of turn reads old bytes or loses new ones.
//
//     6.x     dma-direct (direct_map.ts)              4.x     the device's table
//     3.x     arm's table; a device without entry for a step has nothing to do there
//
// Leaves out: resources, IOMMUs, dma-debug.

// #region map-checks
import { valid_dma_direction, type DmaDirection } from '../arch/dma_direction.ts'
import { is_vmalloc_addr, __pa } from '../arch/kernel_map.ts'
import { ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes, DmaAddr, Pfn, VirtAddr } from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
import {
  dma_direct_map_page,
  dma_direct_sync_single_for_cpu,
  dma_direct_sync_single_for_device,
  dma_direct_unmap_page,
} from './direct_map.ts'
import { DMA_MAPPING_ERROR, phys_to_dma } from './dma_address.ts'
import { devWarnOnce, dmaAddrBits, warnOnceAt, type Dma } from './dma_state.ts'
import { traceDma } from './map_trace.ts'
import { get_dma_ops, mustHaveDevice } from './mapping.ts'

/** Throws for a direction that says nothing, where Linux has a BUG_ON. */
export function mustHaveDirection(dir: number, who: string): void {
  if (valid_dma_direction(dir)) return
  throw new Error(
    `${who}: got direction ${dir}, expected 0 (BIDIRECTIONAL), 1 (TO_DEVICE) or 2 (FROM_DEVICE); who reads the data?`,
  )
}

/**
 * Lends `size` bytes from byte `offset` of a page to the device: the address for it, or DMA_MAPPING_ERROR, of which
 * `dma_mapping_error()` knows: the device does not reach the bytes and they cannot bounce, or it has no mask.
 * `attrs` are DMA_ATTR_* or-ed. Throws for DMA_NONE.
 * @kernel kernel/dma/mapping.c dma_map_page_attrs() v6.12; include/linux/dma-mapping.h v4.12
 */
export function dma_map_page_attrs(
  dma: Dma,
  dev: Device | null,
  page: Pfn,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): DmaAddr {
  mustHaveDirection(dir, 'dma_map_page_attrs')
  const ops = get_dma_ops(dma, dev)
  if (ops) return ops.map_page!(dma, dev, page, offset, size, dir, attrs)
  const device = mustHaveDevice(dev, 'dma_map_page_attrs')
  if (device.dma_mask === null) {
    warnOnceAt(dma, 'kernel/dma/mapping.c', 'dma_map_page_attrs')
    return DMA_MAPPING_ERROR(dmaAddrBits(dma))
  }
  const dma_addr = dma_direct_map_page(dma, device, page, offset, size, dir, attrs)
  const phys_addr = page * dma.pageSize + offset
  traceDma(dma, 'dma_map_page', device, dir, { dma_addr, size, phys_addr, attrs })
  return dma_addr
}

/**
 * The bytes are the CPU's again; every argument as they were mapped.
 * @kernel kernel/dma/mapping.c dma_unmap_page_attrs() v6.12
 */
export function dma_unmap_page_attrs(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): void {
  mustHaveDirection(dir, 'dma_unmap_page_attrs')
  const ops = get_dma_ops(dma, dev)
  if (ops) {
    ops.unmap_page?.(dma, dev, addr, size, dir, attrs)
    return
  }
  const device = mustHaveDevice(dev, 'dma_unmap_page_attrs')
  dma_direct_unmap_page(dma, device, addr, size, dir, attrs)
  traceDma(dma, 'dma_unmap_page', device, dir, { dma_addr: addr, size, attrs })
}
// #endregion map-checks

// #region map-single
/**
 * Lends `size` bytes at `ptr` of the linear map. An address of the vmalloc area is refused with DMA_MAPPING_ERROR by 6.x,
 * for its pages lie anywhere; before, nobody looked (here: throws).
 * @kernel include/linux/dma-mapping.h dma_map_single_attrs() v6.12
 */
export function dma_map_single_attrs(
  dma: Dma,
  dev: Device | null,
  ptr: VirtAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): DmaAddr {
  if (kernelAtLeast(dma.kernel, '6.1.192') && is_vmalloc_addr(dma.kernelMap, ptr)) {
    const place = {
      file: 'include/linux/dma-mapping.h',
      symbol: 'dma_map_single_attrs',
      head: 'rejecting DMA',
    }
    devWarnOnce(dma, mustHaveDevice(dev, place.symbol), place, 'map of vmalloc memory')
    return DMA_MAPPING_ERROR(dmaAddrBits(dma))
  }
  const pa = __pa(dma.kernelMap, ptr)
  const offset = pa % dma.pageSize
  return dma_map_page_attrs(dma, dev, (pa - offset) / dma.pageSize, offset, size, dir, attrs)
}
// #endregion map-single

// #region map-short
/** @kernel include/linux/dma-mapping.h dma_map_single() v6.12 */
export function dma_map_single(
  dma: Dma,
  dev: Device | null,
  ptr: VirtAddr,
  size: Bytes,
  dir: DmaDirection,
): DmaAddr {
  return dma_map_single_attrs(dma, dev, ptr, size, dir, 0)
}

/** @kernel include/linux/dma-mapping.h dma_map_page() v6.12 */
export function dma_map_page(
  dma: Dma,
  dev: Device | null,
  page: Pfn,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
): DmaAddr {
  return dma_map_page_attrs(dma, dev, page, offset, size, dir, 0)
}

/** @kernel include/linux/dma-mapping.h dma_unmap_single_attrs() v6.12 */
export function dma_unmap_single_attrs(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): void {
  dma_unmap_page_attrs(dma, dev, addr, size, dir, attrs)
}

/** @kernel include/linux/dma-mapping.h dma_unmap_single() v6.12 */
export function dma_unmap_single(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  dma_unmap_page_attrs(dma, dev, addr, size, dir, 0)
}

/** @kernel include/linux/dma-mapping.h dma_unmap_page() v6.12 */
export function dma_unmap_page(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  dma_unmap_page_attrs(dma, dev, addr, size, dir, 0)
}
// #endregion map-short

// #region map-need-sync
/**
 * Whether a mapping that changes hands asks for anything. Since 6.10 a coherent device is known to need nothing from
 * dma_set_mask() on, until a mapping of its bounces.
 * @kernel include/linux/dma-mapping.h dma_dev_need_sync() v6.12
 */
export function dma_dev_need_sync(dma: Dma, dev: Device): boolean {
  return !dev.dma_skip_sync || dma.config.DMA_API_DEBUG
}
// #endregion map-need-sync

// #region map-sync
/**
 * The CPU may look at `[addr, addr + size)` of a mapping, or of a part of one, until it gives the bytes back.
 * @kernel include/linux/dma-mapping.h dma_sync_single_for_cpu() v6.12
 */
export function dma_sync_single_for_cpu(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  mustHaveDirection(dir, 'dma_sync_single_for_cpu')
  const ops = get_dma_ops(dma, dev)
  if (ops) {
    ops.sync_single_for_cpu?.(dma, dev, addr, size, dir)
    return
  }
  const device = mustHaveDevice(dev, 'dma_sync_single_for_cpu')
  if (!dma_dev_need_sync(dma, device)) return
  dma_direct_sync_single_for_cpu(dma, device, addr, size, dir)
  traceDma(dma, 'dma_sync_single_for_cpu', device, dir, { dma_addr: addr, size })
}

/** The device may have them again. @kernel include/linux/dma-mapping.h dma_sync_single_for_device() v6.12 */
export function dma_sync_single_for_device(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  mustHaveDirection(dir, 'dma_sync_single_for_device')
  const ops = get_dma_ops(dma, dev)
  if (ops) {
    ops.sync_single_for_device?.(dma, dev, addr, size, dir)
    return
  }
  const device = mustHaveDevice(dev, 'dma_sync_single_for_device')
  if (!dma_dev_need_sync(dma, device)) return
  dma_direct_sync_single_for_device(dma, device, addr, size, dir)
  traceDma(dma, 'dma_sync_single_for_device', device, dir, { dma_addr: addr, size })
}

/** Bytes of a mapping from `offset` on. @kernel include/linux/dma-mapping.h dma_sync_single_range_for_cpu() v6.12 */
export function dma_sync_single_range_for_cpu(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
): void {
  dma_sync_single_for_cpu(dma, dev, addr + offset, size, dir)
}

/** @kernel include/linux/dma-mapping.h dma_sync_single_range_for_device() v6.12 */
export function dma_sync_single_range_for_device(
  dma: Dma,
  dev: Device | null,
  addr: DmaAddr,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
): void {
  dma_sync_single_for_device(dma, dev, addr + offset, size, dir)
}
// #endregion map-sync

// #region map-error
/**
 * Whether a mapping failed: 0 for an address. For none, 6.x returns -ENOMEM, older kernels 1: they compare with all ones
 * (`DMA_ERROR_CODE`), arm64 with the page where failed mappings point, and without a bounce buffer never.
 * @kernel include/linux/dma-mapping.h dma_mapping_error() v6.12; arch/arm64/mm/dma-mapping.c __swiotlb_dma_mapping_error() v4.12
 */
export function dma_mapping_error(dma: Dma, dev: Device | null, dma_addr: DmaAddr): number {
  const none = dma_addr === DMA_MAPPING_ERROR(dmaAddrBits(dma))
  if (kernelAtLeast(dma.kernel, '6.1.192')) return none ? -ENOMEM : 0
  if (dma.arch === 'arm' || !dev) return none ? 1 : 0
  const { defpool, io_tlb_overflow_buffer } = dma.swiotlb
  return defpool && dma_addr === phys_to_dma(dma.kernel, dev, io_tlb_overflow_buffer) ? 1 : 0
}
// #endregion map-error
