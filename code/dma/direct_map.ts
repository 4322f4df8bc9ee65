// SPDX-License-Identifier: MIT
//
// kernel/dma/direct.h: streaming mappings without an IOMMU. The memory stays where it is; what changes is who may touch it.
//
//     reached, coherent        the address on the bus
//     reached, not coherent    the same, after the caches are cleaned
//     not reached, forced      a copy in the bounce buffer, or no mapping
//     6.12, arm64              also a buffer so small that it may share a cache line with others, unless TO_DEVICE
//
// Leaves out: memory of PCI peers, encrypted memory, resources.

// #region direct-map-imports
import { arch_sync_dma_for_cpu, arch_sync_dma_for_device } from '../arch/dma_sync.ts'
import { DMA_TO_DEVICE, type DmaDirection } from '../arch/dma_direction.ts'
import {
  IS_ALIGNED,
  minNotZero,
  round_up,
  type Bytes,
  type DmaAddr,
  type Pfn,
  type PhysAddr,
} from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
import { __dma_page_cpu_to_dev, __dma_page_dev_to_cpu } from './arm_dma_ops.ts'
import { DMA_BIT_MASK, DMA_MAPPING_ERROR, dma_to_phys, phys_to_dma } from './dma_address.ts'
import { DMA_ATTR_SKIP_CPU_SYNC, dev_name, devWarnOnce, dmaAddrBits, type Dma } from './dma_state.ts'
import {
  is_swiotlb_active,
  is_swiotlb_force_bounce,
  swiotlb_sync_single_for_cpu,
  swiotlb_sync_single_for_device,
  swiotlb_tbl_map_single,
  swiotlb_tbl_unmap_single,
} from './swiotlb.ts'
// #endregion direct-map-imports

// #region direct-map-capable
/**
 * Whether the device reaches all of `[addr, addr + size)` of its bus. Throws without a mask, where Linux would oops.
 * @kernel include/linux/dma-direct.h dma_capable() v6.12; arch/arm64/include/asm/dma-mapping.h v4.12
 */
export function dma_capable(dma: Dma, dev: Device, addr: DmaAddr, size: Bytes): boolean {
  const bits = dmaAddrBits(dma)
  const end = addr + size - 1
  // No address on this bus, or one that wraps around.
  if (addr >= DMA_BIT_MASK(bits) || end >= 2 ** bits) return false
  return end <= minNotZero(dev.dma_mask!, dev.bus_dma_limit)
}

// `%pad+%zu overflow (mask %llx, bus limit %llx).`
function overflow(dma: Dma, dev: Device, addr: DmaAddr, size: Bytes): string {
  const pad = `0x${hex(addr).padStart(dmaAddrBits(dma) / 4, '0')}`
  return `${pad}+${size} overflow (mask ${hex(dev.dma_mask!)}, bus limit ${hex(dev.bus_dma_limit)}).`
}

// All ones of 64 bits are held as 2^64.
const hex = (value: number) => (value >= 2 ** 64 ? 'f'.repeat(16) : value.toString(16))
// #endregion direct-map-capable

// #region direct-map-kmalloc
// Sizes of kmalloc(): a cache of at least `least` bytes' alignment.
const KMALLOC_SIZES = [8, 16, 32, 64, 96, 128, 192, 256]

// kmalloc_size_roundup() up to 256 bytes. Without a bounce buffer no object is smaller than a cache line.
function kmallocSize(dma: Dma, size: Bytes): Bytes {
  const line = dma.vm.cpu.l1.lineSize
  const smallest = is_swiotlb_active(dma) ? 8 : line
  const fitting = KMALLOC_SIZES.find((each) => each >= size)!
  return round_up(fitting, smallest)
}

/**
 * Whether data of this size may share a cache line with other data, so that giving it to a device that is not coherent
 * could destroy either. kmalloc() has such objects since it need not keep them apart any more.
 * @kernel include/linux/dma-map-ops.h dma_kmalloc_needs_bounce() v6.12
 */
export function dma_kmalloc_needs_bounce(dma: Dma, dev: Device, size: Bytes, dir: DmaDirection): boolean {
  if (!dma.config.DMA_BOUNCE_UNALIGNED_KMALLOC || dev.dma_coherent || dir === DMA_TO_DEVICE) return false
  return size < 2 * ARCH_DMA_MINALIGN && !IS_ALIGNED(kmallocSize(dma, size), dma.vm.cpu.l1.lineSize)
}

// arm64.
const ARCH_DMA_MINALIGN: Bytes = 128
// #endregion direct-map-kmalloc

// #region direct-map-caches
/** Cache maintenance for the device, unless it is coherent. */
export function giveToDevice(dma: Dma, dev: Device, paddr: PhysAddr, size: Bytes, dir: DmaDirection): void {
  if (dev.dma_coherent) return
  if (dma.arch === 'arm') __dma_page_cpu_to_dev(dma, paddr, size, dir)
  else arch_sync_dma_for_device(dma.vm.cpu, dma, paddr, size, dir)
}

/** And for the CPU. */
export function giveToCpu(dma: Dma, dev: Device, paddr: PhysAddr, size: Bytes, dir: DmaDirection): void {
  if (dev.dma_coherent) return
  if (dma.arch === 'arm') __dma_page_dev_to_cpu(dma, paddr, size, dir)
  else arch_sync_dma_for_cpu(dma.vm.cpu, dma, paddr, size, dir)
}
// #endregion direct-map-caches

// #region direct-map-swiotlb
/**
 * Gives the device a copy: its address on the bus, or DMA_MAPPING_ERROR with a line in the log: there was no room, or the
 * bounce buffer itself is out of the device's reach.
 * @kernel kernel/dma/swiotlb.c swiotlb_map() v6.12
 */
export function swiotlb_map(
  dma: Dma,
  dev: Device,
  paddr: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): DmaAddr {
  traceBounced(dma, dev, phys_to_dma(dma.kernel, dev, paddr), size)
  const copy = swiotlb_tbl_map_single(dma, dev, paddr, size, dir, attrs)
  if (copy === null) return DMA_MAPPING_ERROR(dmaAddrBits(dma))
  const dma_addr = phys_to_dma(dma.kernel, dev, copy)
  if (!dma_capable(dma, dev, dma_addr, size)) {
    swiotlb_tbl_unmap_single(dma, dev, copy, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC)
    const place = { file: 'kernel/dma/swiotlb.c', symbol: 'swiotlb_map', head: 'swiotlb addr' }
    devWarnOnce(dma, dev, place, overflow(dma, dev, dma_addr, size))
    return DMA_MAPPING_ERROR(dmaAddrBits(dma))
  }
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) giveToDevice(dma, dev, copy, size, dir)
  return dma_addr
}

/** The event swiotlb_bounced. */
export function traceBounced(dma: Dma, dev: Device, dev_addr: DmaAddr, size: Bytes): void {
  if (!dma.trace.enabled) return
  const { force_bounce, noForce } = dma.swiotlb
  const [forced, normal] = dma.kernel === '4.6' ? ['swiotlb_force', ''] : ['FORCE', 'NORMAL']
  const force = force_bounce ? forced : noForce ? 'NO_FORCE' : normal
  const fields = { dma_mask: dev.dma_mask ?? 0, dev_addr, size, force }
  dma.trace.emit('swiotlb_bounced', { dev_name: dev_name(dev), ...fields })
}
// #endregion direct-map-swiotlb

// #region direct-map-page
/**
 * Maps bytes of a page: the address for the device, or DMA_MAPPING_ERROR with a line in the log. `caller` is the function
 * that this one is compiled into: each has a warning of its own to spend.
 * @kernel kernel/dma/direct.h dma_direct_map_page() v6.12
 */
export function dma_direct_map_page(
  dma: Dma,
  dev: Device,
  page: Pfn,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
  caller = 'dma_map_page_attrs',
): DmaAddr {
  const phys = page * dma.pageSize + offset
  const dma_addr = phys_to_dma(dma.kernel, dev, phys)
  if (is_swiotlb_force_bounce(dma)) return swiotlb_map(dma, dev, phys, size, dir, attrs)
  if (!dma_capable(dma, dev, dma_addr, size) || dma_kmalloc_needs_bounce(dma, dev, size, dir)) {
    if (is_swiotlb_active(dma)) return swiotlb_map(dma, dev, phys, size, dir, attrs)
    const place = { file: 'kernel/dma/direct.h', symbol: caller, head: 'DMA addr' }
    devWarnOnce(dma, dev, place, overflow(dma, dev, dma_addr, size))
    return DMA_MAPPING_ERROR(dmaAddrBits(dma))
  }
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) giveToDevice(dma, dev, phys, size, dir)
  return dma_addr
}

// #endregion direct-map-page

// #region direct-map-unmap-page
/** Ends a mapping. @kernel kernel/dma/direct.h dma_direct_unmap_page() v6.12 */
export function dma_direct_unmap_page(
  dma: Dma,
  dev: Device,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
): void {
  const phys = dma_to_phys(dma.kernel, dev, addr)
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) dma_direct_sync_single_for_cpu(dma, dev, addr, size, dir)
  swiotlb_tbl_unmap_single(dma, dev, phys, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC)
}
// #endregion direct-map-unmap-page

// #region direct-map-sync
/** The copy first, then the caches: what they clean must be the new copy. @kernel kernel/dma/direct.h dma_direct_sync_single_for_device() v6.12 */
export function dma_direct_sync_single_for_device(
  dma: Dma,
  dev: Device,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  const paddr = dma_to_phys(dma.kernel, dev, addr)
  swiotlb_sync_single_for_device(dma, dev, paddr, size, dir)
  giveToDevice(dma, dev, paddr, size, dir)
}

/** The caches first, then the copy: what is copied must be what the device wrote. @kernel kernel/dma/direct.h dma_direct_sync_single_for_cpu() v6.12 */
export function dma_direct_sync_single_for_cpu(
  dma: Dma,
  dev: Device,
  addr: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  const paddr = dma_to_phys(dma.kernel, dev, addr)
  giveToCpu(dma, dev, paddr, size, dir)
  swiotlb_sync_single_for_cpu(dma, dev, paddr, size, dir)
}
// #endregion direct-map-sync
