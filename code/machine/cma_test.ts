// SPDX-License-Identifier: MIT
//
// The driver kernel/cma_test on a machine of the model: the same slots, counters, log lines and return codes.
//
//     const test = probeCmaTest(system.dma)     0 … 9: 1 … 10 MiB, empty
//     writeCmaTest(test)                        1: the lowest empty slot has memory; -ENOMEM, -ENOSPC
//     readCmaTest(test)                         0: the lowest slot in use was freed; -ENOENT, -EIO
//     removeCmaTest(test)                       everything is given back
//
// Each page is marked through the kernel's own address of the buffer, and looked at through it before it is freed.
//
// Leaves out: the mutex (one caller at a time), /dev and debugfs.

// #region cma-test-model-imports
import { kernelRead, kernelWrite } from '../arch/kernel_map.ts'
import { DMA_BIT_MASK } from '../dma/dma_address.ts'
import type { Dma, DmaBuffer } from '../dma/dma_state.ts'
import { dma_alloc_coherent, dma_free_coherent } from '../dma/mapping.ts'
import { dma_set_mask_and_coherent } from '../dma/mask.ts'
import { EINVAL, EIO, ENODEV, ENOENT, ENOMEM, ENOSPC } from '../lib/errno.ts'
import { KiB, MiB, type Bytes } from '../lib/units.ts'
import { GFP_KERNEL } from '../mm/gfp.ts'
import { createDevice, type Device } from '../of/reserved_mem.ts'

/** One buffer, or the place for it. */
export interface CmaTestSlot {
  readonly size: Bytes
  /** Null while it is empty. */
  buffer: DmaBuffer | null
}

/** The device; its counters are those of debugfs. */
export interface CmaTest {
  readonly dma: Dma
  readonly dev: Device
  readonly slots: readonly CmaTestSlot[]
  /** Writes that got memory. */
  allocated: number
  /** Reads that gave some back. */
  freed: number
  /** Writes that got none; -ENOSPC did not ask. */
  failed: number
  /** Buffers that did not hold their marks any more. */
  spoiled: number
  /** In all slots together. Unit: bytes. */
  held: Bytes
}

/** The module's parameters. */
export interface CmaTestParameters {
  /** MiB of each slot: one to ten whole numbers from 1 to 1024. */
  readonly sizes?: readonly number[]
  /** Address bits of the device, 1 to 64. */
  readonly dma_bits?: number
}
// #endregion cma-test-model-imports

// #region cma-test-model-probe
const MAX_MIB = 1024
const MAX_SLOTS = 10
const whole = (n: number, most: number) => Number.isInteger(n) && n >= 1 && n <= most

/**
 * Loads the module.
 * @param dma - of a machine that runs
 * @returns the device; -EINVAL for a parameter out of its range, -ENODEV when the device reaches no memory
 */
export function probeCmaTest(
  dma: Dma,
  { sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], dma_bits = 32 }: CmaTestParameters = {},
): CmaTest | number {
  if (!whole(dma_bits, 64) || !whole(sizes.length, MAX_SLOTS)) return -EINVAL
  if (!sizes.every((mib) => whole(mib, MAX_MIB))) return -EINVAL
  // A platform device has 32 bits before its driver says anything.
  const dev = createDevice('cma_test cma_test', null)
  dev.dma_mask = DMA_BIT_MASK(32)
  if (dma_set_mask_and_coherent(dma, dev, DMA_BIT_MASK(dma_bits)) !== 0) {
    // Symbolic, as kernels print it that were built with CONFIG_SYMBOLIC_ERRNAME.
    dma.log.print('err', `${dev.name}: error -EIO: no DMA with ${dma_bits} address bits`)
    return -ENODEV
  }
  const slots = sizes.map((mib): CmaTestSlot => ({ size: MiB(mib), buffer: null }))
  return { dma, dev, slots, allocated: 0, freed: 0, failed: 0, spoiled: 0, held: 0 }
}
// #endregion cma-test-model-probe

// #region cma-test-model-marks
// First and last word of a page: the page's own DMA address, and its opposite.
const WORD = 8
const words = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(WORD)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
  return bytes
}

function markPages({ dma }: CmaTest, size: Bytes, { cpu_addr, dma_handle }: DmaBuffer): void {
  for (let offset = 0; offset < size; offset += dma.pageSize) {
    const mark = BigInt(dma_handle + offset)
    kernelWrite(dma.kernelMap, cpu_addr + offset, words(mark))
    kernelWrite(dma.kernelMap, cpu_addr + offset + dma.pageSize - WORD, words(~mark))
  }
}

/** Offset of the first page that lost its marks, or `size` for none. */
function firstUnmarked({ dma }: CmaTest, size: Bytes, { cpu_addr, dma_handle }: DmaBuffer): Bytes {
  const holds = (va: number, value: bigint) =>
    words(value).every((byte, i) => byte === kernelRead(dma.kernelMap, va, WORD)[i])
  for (let offset = 0; offset < size; offset += dma.pageSize) {
    const mark = BigInt(dma_handle + offset)
    const last = cpu_addr + offset + dma.pageSize - WORD
    if (!holds(cpu_addr + offset, mark) || !holds(last, ~mark)) return offset
  }
  return size
}
// #endregion cma-test-model-marks

// #region cma-test-model-write
/**
 * A write to /dev/cma_test: memory for the lowest empty slot. A failed one leaves the slot empty, so the next write tries
 * the same size again.
 * @param count - bytes written; none do nothing
 * @returns `count`; -ENOMEM: no memory; -ENOSPC: every slot is in use
 */
export function writeCmaTest(test: CmaTest, count = 1): number {
  const slot = test.slots.find(({ buffer }) => buffer === null)
  if (count === 0) return 0
  if (!slot) return -ENOSPC
  slot.buffer = dma_alloc_coherent(test.dma, test.dev, slot.size, GFP_KERNEL)
  if (!slot.buffer) {
    test.failed++
    test.dma.log.print('err', `${test.dev.name}: no memory for ${slot.size / KiB(1)} KiB`)
    return -ENOMEM
  }
  markPages(test, slot.size, slot.buffer)
  test.allocated++
  test.held += slot.size
  return count
}
// #endregion cma-test-model-write

// #region cma-test-model-read
/**
 * A read from /dev/cma_test: the lowest slot in use is freed.
 * @param count - bytes asked for; none do nothing
 * @returns 0, the end of the file; -ENOENT: no slot is in use; -EIO: freed, but somebody had written into the buffer
 */
export function readCmaTest(test: CmaTest, count = 1): number {
  const index = test.slots.findIndex(({ buffer }) => buffer !== null)
  const slot = test.slots[index]
  if (count === 0) return 0
  if (!slot?.buffer) return -ENOENT
  const unmarked = firstUnmarked(test, slot.size, slot.buffer)
  dma_free_coherent(test.dma, test.dev, slot.size, slot.buffer.cpu_addr, slot.buffer.dma_handle)
  slot.buffer = null
  test.freed++
  test.held -= slot.size
  if (unmarked === slot.size) return 0
  test.spoiled++
  const at = `0x${unmarked.toString(16)}`
  test.dma.log.print(
    'err',
    `${test.dev.name}: slot ${index}: somebody wrote at offset ${unmarked ? at : '0'}`,
  )
  return -EIO
}
// #endregion cma-test-model-read

// #region cma-test-model-remove
/** Unloads the module: every slot that is in use is freed. */
export function removeCmaTest(test: CmaTest): void {
  while (readCmaTest(test) !== -ENOENT);
}
// #endregion cma-test-model-remove
