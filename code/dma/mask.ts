// SPDX-License-Identifier: MIT
//
// kernel/dma/mapping.c, the masks of a device: how far it reaches. A driver sets both before it asks for memory, and looks
// at the result (S0-8):
//
//     dma_set_mask_and_coherent(dma, dev, DMA_BIT_MASK(32))      0, or -EIO: no memory that it reaches is sure to exist
//
//     6.x     32 bits always, fewer only to the end of RAM or of ZONE_DMA
//     4.x     arm: to the end of RAM or of its DMA zone; arm64: to the end of the bounce buffer, if there is one
//     3.x     arm: not below arm_dma_limit
//
// Leaves out: that `dma_mask` may point to the coherent mask, so that one call sets both.

// #region mask-imports
import { EIO } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Device } from '../of/reserved_mem.ts'
import { __dma_supported } from './arm_dma_mask.ts'
import { dma_direct_get_required_mask, dma_direct_supported } from './direct.ts'
import { DMA_BIT_MASK, phys_to_dma } from './dma_address.ts'
import { dmaAddrBits, type Dma } from './dma_state.ts'
// #endregion mask-imports

// #region mask-supported
/** Whether a device with this mask can work in this machine. @kernel kernel/dma/mapping.c dma_supported() v6.12 */
export function dma_supported(dma: Dma, dev: Device, mask: number): boolean {
  if (kernelAtLeast(dma.kernel, '6.1.192')) return dma_direct_supported(dma, dev, mask)
  if (dma.arch === 'arm64') return reachesCopies(dma, dev, mask)
  if (kernelAtLeast(dma.kernel, '4.6')) return __dma_supported(dma, dev, mask, false)
  return mask >= dma.config.arm_dma_limit
}

// arm64 of 4.x wants all of the bounce buffer reached, and nothing where there is none.
function reachesCopies(dma: Dma, dev: Device, mask: number): boolean {
  const { defpool } = dma.swiotlb
  return !defpool || phys_to_dma(dma.kernel, dev, defpool.end - 1) <= mask
}

// 6.x cuts a mask to the width of dma_addr_t before it looks at it.
function cut(dma: Dma, mask: number): number {
  const widest = DMA_BIT_MASK(dmaAddrBits(dma))
  return kernelAtLeast(dma.kernel, '6.1.192') ? Math.min(mask, widest) : mask
}
// #endregion mask-supported

// #region mask-set
/**
 * Sets the mask of streaming mappings: 0, or -EIO: the device has none to set, or it cannot work.
 * @kernel kernel/dma/mapping.c dma_set_mask() v6.12
 */
export function dma_set_mask(dma: Dma, dev: Device, mask: number): number {
  const wanted = cut(dma, mask)
  if (dev.dma_mask === null || !dma_supported(dma, dev, wanted)) return -EIO
  dev.dma_mask = wanted
  // A bounce buffer may change that later.
  if (kernelAtLeast(dma.kernel, '6.12.117')) dev.dma_skip_sync = dev.dma_coherent
  return 0
}

/**
 * Sets the mask of buffers: 0, or -EIO: the device cannot work with it.
 * @kernel kernel/dma/mapping.c dma_set_coherent_mask() v6.12
 */
export function dma_set_coherent_mask(dma: Dma, dev: Device, mask: number): number {
  const wanted = cut(dma, mask)
  if (!dma_supported(dma, dev, wanted)) return -EIO
  dev.coherent_dma_mask = wanted
  return 0
}
// #endregion mask-set

// #region mask-set-both
/** Sets both: 0, or -EIO as dma_set_mask(). @kernel include/linux/dma-mapping.h dma_set_mask_and_coherent() v6.12 */
export function dma_set_mask_and_coherent(dma: Dma, dev: Device, mask: number): number {
  const rc = dma_set_mask(dma, dev, mask)
  if (rc === 0) dma_set_coherent_mask(dma, dev, mask)
  return rc
}

/**
 * The same for a device that has no mask of streaming mappings: it gets one.
 * @kernel include/linux/dma-mapping.h dma_coerce_mask_and_coherent() v6.12
 */
export function dma_coerce_mask_and_coherent(dma: Dma, dev: Device, mask: number): number {
  dev.dma_mask = dev.coherent_dma_mask
  return dma_set_mask_and_coherent(dma, dev, mask)
}

/**
 * The smallest mask with which the device reaches all RAM.
 * @kernel kernel/dma/mapping.c dma_get_required_mask() v6.12
 */
export function dma_get_required_mask(dma: Dma, dev: Device): number {
  return dma_direct_get_required_mask(dma, dev)
}
// #endregion mask-set-both
