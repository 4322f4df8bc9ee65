// SPDX-License-Identifier: MIT
//
// Which attributes a buffer is mapped with, in the kernel and for programs (MC-6.15, MC-8.6).
//
//     coherent device              as the caller has it: cached
//     other, 6.x                   pgprot_dmacoherent()
//     other, arm before 6.0        the same; with DMA_ATTR_WRITE_COMBINE pgprot_writecombine(): executable, else no difference
//     other, arm64 4.x             pgprot_writecombine()
//
// Leaves out: arm kernels without ARM_DMA_MEM_BUFFERABLE, where the two are different kinds of memory.

// #region dma-pgprot-imports
import { pgprot_dmacoherent, pgprot_writecombine, type Pgprot } from '../arch/pgtable_prot.ts'
import type { Device } from '../of/reserved_mem.ts'
import { DMA_ATTR_WRITE_COMBINE, type Dma } from './dma_state.ts'
// #endregion dma-pgprot-imports

// #region dma-pgprot
/**
 * The attributes of a mapping of the device's buffers.
 * @kernel kernel/dma/mapping.c dma_pgprot() v6.12
 * @omits `attrs`: neither arm64 nor ARMv7 makes a difference for write-combining there
 */
export function dma_pgprot(dma: Dma, dev: Device, prot: Pgprot): Pgprot {
  return dev.dma_coherent ? prot : pgprot_dmacoherent(dma.arch, prot)
}

/**
 * Those of the functions that arm and arm64 have of their own. arm does not look at `coherent`: its functions for coherent
 * devices do not ask.
 * @kernel arch/arm/mm/dma-mapping.c __get_dma_pgprot() v6.12; arch/arm64/mm/dma-mapping.c v4.12
 */
export function __get_dma_pgprot(dma: Dma, attrs: number, prot: Pgprot, coherent = false): Pgprot {
  const combine = (attrs & DMA_ATTR_WRITE_COMBINE) !== 0
  if (dma.arch === 'arm64') return coherent && !combine ? prot : pgprot_writecombine(dma.arch, prot)
  return combine ? pgprot_writecombine(dma.arch, prot) : pgprot_dmacoherent(dma.arch, prot)
}
// #endregion dma-pgprot
