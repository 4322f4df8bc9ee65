// SPDX-License-Identifier: MIT
//
// Which way a DMA transfer goes. The direction decides which cache maintenance a buffer needs, and nothing else.

// #region dma-direction
/** Either way, or both: the device reads and writes. */
export const DMA_BIDIRECTIONAL = 0
/** The device reads what the CPU wrote. */
export const DMA_TO_DEVICE = 1
/** The CPU reads what the device wrote. */
export const DMA_FROM_DEVICE = 2
/** No transfer; a BUG_ON in every call that maps. */
export const DMA_NONE = 3

/** @kernel include/linux/dma-direction.h enum dma_data_direction v6.12 */
export type DmaDirection = 0 | 1 | 2 | 3
// #endregion dma-direction

// #region dma-direction-valid
/** Whether `direction` says which way. @kernel include/linux/dma-direction.h valid_dma_direction() v6.12 */
export function valid_dma_direction(direction: number): direction is 0 | 1 | 2 {
  return direction === DMA_BIDIRECTIONAL || direction === DMA_TO_DEVICE || direction === DMA_FROM_DEVICE
}
// #endregion dma-direction-valid
