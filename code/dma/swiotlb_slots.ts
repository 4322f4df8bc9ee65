// SPDX-License-Identifier: MIT
//
// kernel/dma/swiotlb.c, the slots: where a mapping finds its place, and how it gives it back.
//
//     search    first fit from where the last search ended, area after area. A mapping of a page or more begins at a page:
//               4.12 and 6.1 by their stride, from a multiple of it; 6.12 by asking each slot for its address
//     bits      that the device wants kept (min_align_mask) choose the slot above 2 KiB, and the offset in it below
//     release   the counts of free slots are mended in both directions, never across 128
//
// Leaves out: segment boundaries of devices; alignment that IOMMUs ask for.

// #region swiotlb-slots-offset
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { IS_ALIGNED, round_up, type Bytes, type PhysAddr } from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
import { phys_to_dma } from './dma_address.ts'
import type { Dma } from './dma_state.ts'
import {
  INVALID_PHYS_ADDR,
  IO_TLB_SEGSIZE,
  IO_TLB_SIZE,
  slot_addr,
  slotsFor,
  type IoTlbPool,
} from './swiotlb_pool.ts'

/**
 * Where in its slot the data of `addr` begins, so that the device finds the low bits that it wants kept. Unit: bytes.
 * @kernel kernel/dma/swiotlb.c swiotlb_align_offset() v6.12
 */
export function swiotlb_align_offset(dev: Device, addr: PhysAddr): Bytes {
  return addr % Math.min(dev.min_align_mask + 1, IO_TLB_SIZE)
}

// What is searched for.
interface Request {
  readonly dev: Device
  readonly orig_addr: PhysAddr
  /** With the offset in the first slot. */
  readonly alloc_size: Bytes
}

// Whether a slot that begins at `tlb_addr` on the bus keeps the bits above the slot's own.
function keepsBits({ dev, orig_addr }: Request, tlb_addr: PhysAddr, above: Bytes): boolean {
  const span = dev.min_align_mask + 1
  if (span <= above || orig_addr === 0) return true
  return Math.floor((tlb_addr % span) / above) === Math.floor((orig_addr % span) / above)
}
// #endregion swiotlb-slots-offset

// #region swiotlb-slots-6-12
// Slot by slot until one is aligned, from then on by its alignment.
function search612(dma: Dma, pool: IoTlbPool, areaIndex: number, request: Request): number {
  const { dev, alloc_size } = request
  const { index: from } = pool.areas[areaIndex]!
  const needed = slotsFor(alloc_size)
  const wantsPage = dev.min_align_mask === 0 && alloc_size >= dma.pageSize
  const align = wantsPage ? dma.pageSize : IO_TLB_SIZE
  const stride = Math.max(align, dev.min_align_mask + 1) / IO_TLB_SIZE
  let index = from
  for (let checked = 0; checked < pool.area_nslabs;) {
    const slot = areaIndex * pool.area_nslabs + index
    const tlb_addr = phys_to_dma(dma.kernel, dev, pool.start) + slot * IO_TLB_SIZE
    const fits = IS_ALIGNED(tlb_addr, align) && keepsBits(request, tlb_addr, align)
    if (fits && pool.list[slot]! >= needed) return slot
    const step = fits ? stride : 1
    index = index + step >= pool.area_nslabs ? 0 : index + step
    checked += step
  }
  return -1
}

// By strides, from a multiple of it, once around.
function search61(dma: Dma, pool: IoTlbPool, areaIndex: number, request: Request): number {
  const { dev, alloc_size } = request
  const needed = slotsFor(alloc_size)
  const bits = Math.max(dev.min_align_mask + 1, IO_TLB_SIZE) / IO_TLB_SIZE
  const stride = alloc_size >= dma.pageSize ? bits * (dma.pageSize / IO_TLB_SIZE) : bits
  const wrapped = (index: number) => (index >= pool.area_nslabs ? 0 : index)
  const first = wrapped(round_up(pool.areas[areaIndex]!.index, stride))
  let index = first
  do {
    const slot = areaIndex * pool.area_nslabs + index
    const tlb_addr = phys_to_dma(dma.kernel, dev, pool.start) + slot * IO_TLB_SIZE
    const fits = keepsBits(request, tlb_addr, IO_TLB_SIZE)
    if (fits && pool.list[slot]! >= needed) return slot
    index = wrapped(index + (fits ? stride : 1))
  } while (index !== first)
  return -1
}

// The same without areas and without wishes of devices; 4.6 takes a mapping of exactly a page anywhere.
function search4(dma: Dma, pool: IoTlbPool, { alloc_size }: Request): number {
  const needed = slotsFor(alloc_size)
  const paged = kernelAtLeast(dma.kernel, '4.12.4') ? alloc_size >= dma.pageSize : alloc_size > dma.pageSize
  const stride = paged ? dma.pageSize / IO_TLB_SIZE : 1
  const wrapped = (index: number) => (index >= pool.nslabs ? 0 : index)
  const first = wrapped(round_up(pool.areas[0]!.index, stride))
  let index = first
  do {
    if (pool.list[index]! >= needed) return index
    index = wrapped(index + stride)
  } while (index !== first)
  return -1
}

/**
 * Takes slots for `alloc_size` bytes of `orig_addr`: the first of them, or -1 when no area has so many in a row.
 * Throws for 0 bytes, where Linux has a BUG_ON.
 * @kernel kernel/dma/swiotlb.c swiotlb_find_slots() v6.12
 */
export function swiotlb_find_slots(
  dma: Dma,
  pool: IoTlbPool,
  dev: Device,
  orig_addr: PhysAddr,
  alloc_size: Bytes,
): number {
  if (alloc_size <= 0)
    throw new Error(`swiotlb_find_slots: got ${alloc_size} bytes, expected at least 1; map what there is`)
  const request = { dev, orig_addr, alloc_size }
  for (const [i, area] of pool.areas.entries()) {
    if (slotsFor(alloc_size) > pool.area_nslabs - area.used) continue
    const slot = !kernelAtLeast(dma.kernel, '6.1.192')
      ? search4(dma, pool, request)
      : kernelAtLeast(dma.kernel, '6.12.117')
        ? search612(dma, pool, i, request)
        : search61(dma, pool, i, request)
    if (slot < 0) continue
    take(pool, slot, request)
    return slot
  }
  return -1
}
// #endregion swiotlb-slots-6-12

// #region swiotlb-slots-take
function take(pool: IoTlbPool, slot: number, { dev, orig_addr, alloc_size }: Request): void {
  const { list, area_nslabs } = pool
  const nslots = slotsFor(alloc_size)
  const payload = alloc_size - swiotlb_align_offset(dev, orig_addr)
  for (let i = 0; i < nslots; i++) {
    list[slot + i] = 0
    pool.alloc_size[slot + i] = payload - i * IO_TLB_SIZE
  }
  mendBefore(pool, slot, 0)
  const area = pool.areas[Math.floor(slot / area_nslabs)]!
  const index = (slot % area_nslabs) + nslots
  area.index = index >= area_nslabs ? 0 : index
  area.used += nslots
}

// Free slots before `slot` count `following` free ones from there on, back to the last multiple of 128.
function mendBefore({ list }: IoTlbPool, slot: number, following: number): void {
  let count = following
  for (let i = slot - 1; i >= 0 && i % IO_TLB_SEGSIZE !== IO_TLB_SEGSIZE - 1 && list[i]! > 0; i--)
    list[i] = ++count
}
// #endregion swiotlb-slots-take

// #region swiotlb-slots-release
/**
 * Gives back the `nslots` slots from `index` on.
 * @kernel kernel/dma/swiotlb.c swiotlb_release_slots() v6.12; the end of swiotlb_tbl_unmap_single() until 5.12
 */
export function swiotlb_release_slots(pool: IoTlbPool, index: number, nslots: number): void {
  const { list, area_nslabs } = pool
  const behind = index + nslots
  let count = behind < round_up(index + 1, IO_TLB_SEGSIZE) ? list[behind]! : 0
  for (let i = behind - 1; i >= index; i--) {
    list[i] = ++count
    pool.orig_addr[i] = INVALID_PHYS_ADDR
    pool.alloc_size[i] = 0
  }
  mendBefore(pool, index, count)
  pool.areas[Math.floor(index / area_nslabs)]!.used -= nslots
}

/** Writes down that slots hold `orig_addr` on; the address of the first byte of data. */
export function rememberOrigin(
  pool: IoTlbPool,
  slot: number,
  nslots: number,
  orig_addr: PhysAddr,
  offset: Bytes,
): PhysAddr {
  for (let i = 0; i < nslots; i++) pool.orig_addr[slot + i] = orig_addr + i * IO_TLB_SIZE
  return slot_addr(pool, slot) + offset
}
// #endregion swiotlb-slots-release
