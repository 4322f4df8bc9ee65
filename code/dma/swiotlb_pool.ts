// SPDX-License-Identifier: MIT
//
// include/linux/swiotlb.h: the memory of the bounce buffer, in slots of 2 KiB, and who has which.
//
//     slot            0    1    2    3  …  127 │ 128 …         a mapping lies inside 128 slots: 256 KiB at most
//     list          128  127    0    0  …    1 │ 128 …         free slots from here to the end of the 128; 0: taken
//     orig_addr                 X  X+2K                        whose data the slot has
//
// Areas are equal parts of the pool, each with its own lock: one for each CPU. A search begins in the area of its CPU.
// 4.x has one.
//
// Leaves out: pools that grow (CONFIG_SWIOTLB_DYNAMIC, which Debian leaves off), restricted pools of one device.

// #region swiotlb-pool-sizes
import type { Bytes, PhysAddr } from '../lib/units.ts'

/** Slots in a row that one mapping can have. */
export const IO_TLB_SEGSIZE = 128
/** Bytes of a slot. @kernel include/linux/swiotlb.h IO_TLB_SIZE v6.12 */
export const IO_TLB_SIZE: Bytes = 2048
/** 64 MiB, unless the command line says otherwise. @kernel include/linux/swiotlb.h IO_TLB_DEFAULT_SIZE v6.12 */
export const IO_TLB_DEFAULT_SIZE: Bytes = 64 * 2 ** 20
/** What orig_addr says of a free slot: all ones, as near as a number comes. */
export const INVALID_PHYS_ADDR: PhysAddr = 2 ** 64

/** How many slots `size` bytes need. */
export function slotsFor(size: Bytes): number {
  return Math.ceil(size / IO_TLB_SIZE)
}
// #endregion swiotlb-pool-sizes

// #region swiotlb-pool-types
/** A part of the pool. @kernel kernel/dma/swiotlb.c struct io_tlb_area v6.12 */
export interface IoTlbArea {
  /** Slots taken. */
  used: number
  /** Slot of the area at which the next search begins. */
  index: number
}

/** Memory and its slots. @kernel include/linux/swiotlb.h struct io_tlb_pool v6.12; in 6.1 part of struct io_tlb_mem */
export interface IoTlbPool {
  readonly start: PhysAddr
  /** The first address behind it. */
  readonly end: PhysAddr
  readonly nslabs: number
  readonly area_nslabs: number
  readonly areas: readonly IoTlbArea[]
  /** Uint8Array[nslabs]. */
  readonly list: Uint8Array
  /** Float64Array[nslabs]. */
  readonly orig_addr: Float64Array
  /** Uint32Array[nslabs], bytes of the mapping from this slot on; 4.x does not keep it. */
  readonly alloc_size: Uint32Array
}
// #endregion swiotlb-pool-types

// #region swiotlb-pool-mem
/** The bounce buffer of a machine. @kernel include/linux/swiotlb.h struct io_tlb_mem v6.12 */
export interface IoTlbMem {
  /** null: there is none. */
  defpool: IoTlbPool | null
  /** `swiotlb=force`: every mapping bounces. */
  force_bounce: boolean
  /** 4.x: `swiotlb=noforce`, or since 4.8 nothing in this machine needs it. @kernel lib/swiotlb.c SWIOTLB_NO_FORCE v4.12 */
  noForce: boolean
  /** 4.x: where a mapping points for which there was no room. @kernel lib/swiotlb.c io_tlb_overflow_buffer v4.12 */
  io_tlb_overflow_buffer: PhysAddr
}

/** A machine without. */
export function createIoTlbMem(): IoTlbMem {
  return { defpool: null, force_bounce: false, noForce: false, io_tlb_overflow_buffer: 0 }
}

/**
 * A pool at `start` in which all is free. `nslabs` is a multiple of 128 slots for each area.
 * @kernel kernel/dma/swiotlb.c swiotlb_init_io_tlb_pool() v6.12
 */
export function swiotlb_init_io_tlb_pool(start: PhysAddr, nslabs: number, nareas: number): IoTlbPool {
  return {
    ...{ start, end: start + nslabs * IO_TLB_SIZE, nslabs, area_nslabs: Math.floor(nslabs / nareas) },
    areas: Array.from({ length: nareas }, () => ({ used: 0, index: 0 })),
    list: Uint8Array.from({ length: nslabs }, (_, i) =>
      Math.min(IO_TLB_SEGSIZE - (i % IO_TLB_SEGSIZE), nslabs - i),
    ),
    orig_addr: new Float64Array(nslabs).fill(INVALID_PHYS_ADDR),
    alloc_size: new Uint32Array(nslabs),
  }
}

/** The pool that `paddr` lies in, or null: it is no bounce buffer. @kernel include/linux/swiotlb.h swiotlb_find_pool() v6.12; is_swiotlb_buffer() until 6.5 */
export function swiotlb_find_pool({ defpool }: IoTlbMem, paddr: PhysAddr): IoTlbPool | null {
  return defpool && paddr >= defpool.start && paddr < defpool.end ? defpool : null
}

/** Slots taken. */
export function mem_used({ defpool }: IoTlbMem): number {
  return defpool ? defpool.areas.reduce((sum, { used }) => sum + used, 0) : 0
}

/** What starts at slot `index`. */
export function slot_addr({ start }: IoTlbPool, index: number): PhysAddr {
  return start + index * IO_TLB_SIZE
}
// #endregion swiotlb-pool-mem
