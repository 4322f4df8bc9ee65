// SPDX-License-Identifier: MIT
//
// kernel/dma/swiotlb.c: bounce buffers. A device that does not reach its data is given a copy that it reaches.
//
//     map        slots; data → copy (6.x also FROM_DEVICE: bytes that the device does not write come back as they were)
//     for_cpu    copy → data, FROM_DEVICE and BIDIRECTIONAL        after the caches have given way
//     for_device data → copy, TO_DEVICE and BIDIRECTIONAL          before the caches are cleaned
//     unmap      as for_cpu, then the slots are free
//
// A part of a mapping may change hands: the address in the copy leads to its slot, and that to the data.
//
// Leaves out: encrypted memory, restricted pools, rate limits of the log.

// #region swiotlb-questions
import { cpuReadInto, cpuWrite } from '../arch/cpu.ts'
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  type DmaDirection,
} from '../arch/dma_direction.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes, PhysAddr } from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
import { DMA_ATTR_NO_WARN, DMA_ATTR_SKIP_CPU_SYNC, deviceName, devWarnOnce, type Dma } from './dma_state.ts'
import {
  INVALID_PHYS_ADDR,
  IO_TLB_SEGSIZE,
  IO_TLB_SIZE,
  mem_used,
  slotsFor,
  swiotlb_find_pool,
  type IoTlbPool,
} from './swiotlb_pool.ts'
import {
  rememberOrigin,
  swiotlb_align_offset,
  swiotlb_find_slots,
  swiotlb_release_slots,
} from './swiotlb_slots.ts'

const HERE = { file: 'kernel/dma/swiotlb.c', symbol: 'swiotlb_bounce' }
const BEFORE = { ...HERE, head: 'Access before mapping start detected.' }
const BEHIND = { ...HERE, head: 'Buffer overflow detected. Allocation size:' }

/** Whether there is a bounce buffer at all. @kernel kernel/dma/swiotlb.c is_swiotlb_active() v6.12 */
export function is_swiotlb_active({ swiotlb }: Dma): boolean {
  return swiotlb.defpool !== null
}

/** Whether all mappings bounce. @kernel include/linux/swiotlb.h is_swiotlb_force_bounce() v6.12 */
export function is_swiotlb_force_bounce({ swiotlb }: Dma): boolean {
  return swiotlb.force_bounce
}

/** The largest mapping that can bounce, 256 KiB less what alignment may cost. @kernel kernel/dma/swiotlb.c swiotlb_max_mapping_size() v6.12 */
export function swiotlb_max_mapping_size(dev: Device): Bytes {
  return IO_TLB_SIZE * IO_TLB_SEGSIZE - slotsFor(dev.min_align_mask) * IO_TLB_SIZE
}

// memcpy() by the CPU, through its caches.
function copy({ vm }: Dma, to: PhysAddr, from: PhysAddr, size: Bytes): void {
  if (size > 0) cpuWrite(vm.cpu, to, cpuReadInto(vm.cpu, from, new Uint8Array(size), 'normal'), 'normal')
}

// Where the data of the copy's byte `tlb_addr` lie, and how many bytes of the mapping follow; null for a slot that nobody
// has. 6.1 refuses an address before the data; later kernels count backwards from it.
function originOf(dma: Dma, dev: Device, pool: IoTlbPool, tlb_addr: PhysAddr, size: Bytes) {
  const slot = Math.floor((tlb_addr - pool.start) / IO_TLB_SIZE)
  const orig = pool.orig_addr[slot]!
  if (orig === INVALID_PHYS_ADDR) return null
  if (!kernelAtLeast(dma.kernel, '6.1.192')) return { orig: orig + (tlb_addr % IO_TLB_SIZE), left: Infinity }
  const start = swiotlb_align_offset(dev, orig)
  const into = (tlb_addr % IO_TLB_SIZE) - start
  const alloc_size = pool.alloc_size[slot]!
  if (!kernelAtLeast(dma.kernel, '6.12.117')) {
    const asked = tlb_addr % IO_TLB_SIZE
    if (into < 0) devWarnOnce(dma, dev, BEFORE, `orig offset ${start}, requested offset ${asked}.`)
    if (into > alloc_size) devWarnOnce(dma, dev, BEHIND, `${alloc_size}. Mapping size: ${size}+${into}.`)
    if (into < 0 || into > alloc_size) return null
  }
  return { orig: orig + into, left: alloc_size - into }
}
// #endregion swiotlb-questions

// #region swiotlb-bounce
/**
 * Copies `size` bytes between the copy at `tlb_addr` and the data: DMA_TO_DEVICE into the copy, DMA_FROM_DEVICE out of
 * it. What lies behind the mapping is not touched, with a warning (4.x trusts its caller).
 * @kernel kernel/dma/swiotlb.c swiotlb_bounce() v6.12
 */
export function swiotlb_bounce(
  dma: Dma,
  dev: Device,
  tlb_addr: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
  pool: IoTlbPool,
): void {
  const from = originOf(dma, dev, pool, tlb_addr, size)
  if (!from) return
  const bytes = Math.min(size, from.left)
  if (bytes < size) devWarnOnce(dma, dev, BEHIND, `${from.left}. Mapping size: ${size}.`)
  if (dir === DMA_TO_DEVICE) copy(dma, tlb_addr, from.orig, bytes)
  else copy(dma, from.orig, tlb_addr, bytes)
}
// #endregion swiotlb-bounce

// #region swiotlb-map-single
/**
 * A copy of `[orig_addr, orig_addr + mapping_size)`: where it lies, or null with a line in the log: there is no bounce
 * buffer, or none of its areas has so many slots in a row. Throws in 4.x without a bounce buffer, where Linux panics.
 * @kernel kernel/dma/swiotlb.c swiotlb_tbl_map_single() v6.12
 * @omits the alignment that IOMMUs ask for
 */
export function swiotlb_tbl_map_single(
  dma: Dma,
  dev: Device,
  orig_addr: PhysAddr,
  mapping_size: Bytes,
  dir: DmaDirection,
  attrs: number,
): PhysAddr | null {
  const pool = dma.swiotlb.defpool
  if (!pool) return noMemory(dma, dev)
  const now = kernelAtLeast(dma.kernel, '6.1.192')
  const offset = now ? swiotlb_align_offset(dev, orig_addr) : 0
  const size = mapping_size + offset
  const slot = swiotlb_find_slots(dma, pool, dev, orig_addr, size)
  if (slot < 0) return full(dma, dev, mapping_size, size, attrs)
  // From now on there is something to be done when the mapping changes hands.
  dev.dma_skip_sync = false
  const tlb_addr = rememberOrigin(pool, slot, slotsFor(size), orig_addr, offset)
  const copies = now || ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0 && dir !== DMA_FROM_DEVICE)
  if (copies) swiotlb_bounce(dma, dev, tlb_addr, mapping_size, DMA_TO_DEVICE, pool)
  return tlb_addr
}
// #endregion swiotlb-map-single

// #region swiotlb-map-failures
function noMemory(dma: Dma, dev: Device): null {
  const text = "Can not allocate SWIOTLB buffer earlier and can't now provide you with the DMA bounce buffer"
  if (!kernelAtLeast(dma.kernel, '6.1.192')) throw new Error(`swiotlb_tbl_map_single: panic: ${text}`)
  dma.log.print('warn', `${deviceName(dev)}: ${text}`)
  return null
}

// 4.x says no more than the size; 6.1 counts the mapping, 6.12 also the offset in its slot.
function full(dma: Dma, dev: Device, mapping: Bytes, withOffset: Bytes, attrs: number): null {
  const now = kernelAtLeast(dma.kernel, '6.1.192')
  if (now && attrs & DMA_ATTR_NO_WARN) return null
  const size = kernelAtLeast(dma.kernel, '6.12.117') ? withOffset : mapping
  const { nslabs } = dma.swiotlb.defpool!
  const slots = now ? `, total ${nslabs} (slots), used ${mem_used(dma.swiotlb)} (slots)` : ''
  dma.log.print('warn', `${deviceName(dev)}: swiotlb buffer is full (sz: ${size} bytes)${slots}`)
  return null
}

/**
 * Ends a mapping: what the device wrote is copied back, unless DMA_ATTR_SKIP_CPU_SYNC, and its slots are free. An address
 * that is no copy is nobody's business here. 4.x believes `mapping_size`; later kernels know the size.
 * @kernel include/linux/swiotlb.h swiotlb_tbl_unmap_single() v6.12; lib/swiotlb.c v4.12
 */
export function swiotlb_tbl_unmap_single(
  dma: Dma,
  dev: Device,
  addr: PhysAddr,
  mapping_size: Bytes,
  dir: DmaDirection,
  attrs: number,
): void {
  const pool = swiotlb_find_pool(dma.swiotlb, addr)
  if (!pool) return
  const comesBack = dir === DMA_FROM_DEVICE || dir === DMA_BIDIRECTIONAL
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0 && comesBack)
    swiotlb_bounce(dma, dev, addr, mapping_size, DMA_FROM_DEVICE, pool)
  const now = kernelAtLeast(dma.kernel, '6.1.192')
  const offset = now ? swiotlb_align_offset(dev, addr) : 0
  const slot = Math.floor((addr - offset - pool.start) / IO_TLB_SIZE)
  const size = now ? pool.alloc_size[slot]! + offset : mapping_size
  swiotlb_release_slots(pool, slot, slotsFor(size))
}

/** The device has `[addr, addr + size)` again; an address that is no copy needs nothing. @kernel include/linux/swiotlb.h swiotlb_sync_single_for_device() v6.12 */
export function swiotlb_sync_single_for_device(
  dma: Dma,
  dev: Device,
  addr: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  const pool = swiotlb_find_pool(dma.swiotlb, addr)
  if (pool && dir !== DMA_FROM_DEVICE) swiotlb_bounce(dma, dev, addr, size, DMA_TO_DEVICE, pool)
}

/** The CPU has it again. @kernel include/linux/swiotlb.h swiotlb_sync_single_for_cpu() v6.12 */
export function swiotlb_sync_single_for_cpu(
  dma: Dma,
  dev: Device,
  addr: PhysAddr,
  size: Bytes,
  dir: DmaDirection,
): void {
  const pool = swiotlb_find_pool(dma.swiotlb, addr)
  if (pool && dir !== DMA_TO_DEVICE) swiotlb_bounce(dma, dev, addr, size, DMA_FROM_DEVICE, pool)
}
// #endregion swiotlb-map-failures
