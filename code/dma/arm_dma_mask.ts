// SPDX-License-Identifier: MIT
//
// arch/arm/mm/dma-mapping.c until 5.19: what arm wants of a mask before it gives a buffer.
//
//     3.x    the mask has every bit of arm_dma_limit, the end of the DMA zone
//     4.x    it reaches all memory, or all of the DMA zone, whichever ends first

// #region arm-mask-imports
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Bytes } from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
import { DMA_BIT_MASK, dma_to_pfn } from './dma_address.ts'
import { deviceName, dmaAddrBits, maxPfn, type Dma } from './dma_state.ts'
// #endregion arm-mask-imports

// #region arm-mask-supported
const hex = (n: number) => '0x' + n.toString(16)

/**
 * 4.x: whether the device reaches all memory that a request for it may get; with `warn` it is said if not.
 * @kernel arch/arm/mm/dma-mapping.c __dma_supported() v4.12
 */
export function __dma_supported(dma: Dma, dev: Device, mask: number, warn: boolean): boolean {
  const pfn = (addr: number) => dma_to_pfn(dma.kernel, dev, addr, dma.pageSize)
  const say = (text: string) => warn && dma.log.print('warn', `${deviceName(dev)}: ${text}`)
  const widest = DMA_BIT_MASK(dmaAddrBits(dma))
  if (mask > widest && pfn(widest) < maxPfn(dma) - 1) {
    say(`Coherent DMA mask ${hexMask(mask)} is larger than dma_addr_t allows`)
    say('Driver did not use or check the return value from dma_set_coherent_mask()?')
    return false
  }
  const max_dma_pfn = Math.min(maxPfn(dma), Math.floor(dma.config.arm_dma_limit / dma.pageSize))
  if (pfn(mask) >= max_dma_pfn) return true
  say(
    `Coherent DMA mask ${hexMask(mask)} (pfn ${hex(pfn(0))}-${hex(pfn(mask) + 1)}) covers a smaller range of system ` +
      `memory than the DMA zone pfn 0x0-${hex(max_dma_pfn + 1)}`,
  )
  return false
}

// A mask of 54 bits and more is held as the power of two above it.
function hexMask(mask: number): string {
  return '0x' + (Number.isSafeInteger(mask) ? BigInt(mask) : BigInt(mask) - 1n).toString(16)
}
// #endregion arm-mask-supported

// #region arm-mask-get
/**
 * The mask of the device, all 32 bits (3.x: arm_dma_limit) for none; 0, after a line in the log, when it will not do.
 * @kernel arch/arm/mm/dma-mapping.c get_coherent_dma_mask() v4.12
 */
export function get_coherent_dma_mask(dma: Dma, dev: Device | null): number {
  const then = !kernelAtLeast(dma.kernel, '4.6')
  if (!dev) return then ? dma.config.arm_dma_limit : DMA_BIT_MASK(32)
  const mask = dev.coherent_dma_mask
  if (mask === 0) {
    dma.log.print('warn', `${deviceName(dev)}: coherent DMA mask is unset`)
    return 0
  }
  if (!then) return __dma_supported(dma, dev, mask, true) ? mask : 0
  const limit = dma.config.arm_dma_limit
  if ((BigInt.asUintN(64, ~BigInt(mask)) & BigInt(limit)) === 0n) return mask
  const text = `coherent DMA mask ${hexMask(mask)} is smaller than system GFP_DMA mask ${hex(limit)}`
  dma.log.print('warn', `${deviceName(dev)}: ${text}`)
  return 0
}
// #endregion arm-mask-get

// #region arm-mask-too-big
/**
 * Whether a size does not fit below the mask, by a test of CONFIG_DMA_API_DEBUG, which says so: the mask's lowest zero bit is
 * the first size that is too big. Mask 0 makes every size too big.
 */
export function isTooBig(dma: Dma, dev: Device | null, size: Bytes, mask: number): boolean {
  const m = BigInt(mask)
  const limit = Number(BigInt.asUintN(64, (m + 1n) & ~m))
  if (limit === 0 || size < limit) return false
  const text = `(requested ${hex(size)} mask ${hexMask(mask)})`
  dma.log.print('warn', `${deviceName(dev)}: coherent allocation too big ${text}`)
  return true
}
// #endregion arm-mask-too-big
