// SPDX-License-Identifier: MIT
//
// include/linux/dma-direct.h: what an address is called on a device's bus.
//
//     phys   0x40000000 ─ dma_range_map: cpu 0x40000000, bus 0x0 ─→  dma 0x0
//     no map: the same number on both sides (S0-9: that is luck, not a rule)
//
// 4.x and 3.x know one shift for a device, `dma_pfn_offset`, and no bounds; here that is the first entry of the map.
// Masks and addresses are numbers: a mask of n bits is 2^n - 1, one of 64 bits is 2^64, for a number ends at 53 bits.
//
// Leaves out: encrypted memory.

// #region dma-address-imports
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import type { Bytes, DmaAddr, Pfn, PhysAddr } from '../lib/units.ts'
import type { Device } from '../of/reserved_mem.ts'
// #endregion dma-address-imports

// #region dma-address-masks
/** A mask of `n` ones; `n` from 1 to 64. @kernel include/linux/dma-mapping.h DMA_BIT_MASK() v6.12 */
export function DMA_BIT_MASK(n: number): number {
  return 2 ** n - 1
}

/**
 * No address: all ones, in as many bits as `dma_addr_t` has.
 * @kernel include/linux/dma-mapping.h DMA_MAPPING_ERROR v6.12
 */
export function DMA_MAPPING_ERROR(bits: 32 | 64): DmaAddr {
  return DMA_BIT_MASK(bits)
}
// #endregion dma-address-masks

// #region dma-address-translate
/**
 * The address that a device drives for `paddr`; all ones (64 bits) outside the ranges of its bus.
 * `dev` is null for a device that nobody described.
 * @kernel include/linux/dma-direct.h phys_to_dma() v6.12
 */
export function phys_to_dma(kernel: KernelVersion, dev: Device | null, paddr: PhysAddr): DmaAddr {
  const map = dev?.dma_range_map
  if (!map || map.length === 0) return paddr as number
  if (!kernelAtLeast(kernel, '6.1.192')) return paddr - (map[0]!.cpu_start - map[0]!.dma_start)
  const range = map.find(({ cpu_start, size }) => paddr >= cpu_start && paddr - cpu_start < size)
  return range ? range.dma_start + (paddr - range.cpu_start) : DMA_MAPPING_ERROR(64)
}

/**
 * The physical address behind a device's address, with the same exception.
 * @kernel include/linux/dma-direct.h dma_to_phys() v6.12
 */
export function dma_to_phys(kernel: KernelVersion, dev: Device | null, dma_addr: DmaAddr): PhysAddr {
  const map = dev?.dma_range_map
  if (!map || map.length === 0) return dma_addr as number
  if (!kernelAtLeast(kernel, '6.1.192')) return dma_addr + (map[0]!.cpu_start - map[0]!.dma_start)
  const range = map.find(({ dma_start, size }) => dma_addr >= dma_start && dma_addr - dma_start < size)
  return range ? range.cpu_start + (dma_addr - range.dma_start) : (DMA_MAPPING_ERROR(64) as number)
}
// #endregion dma-address-translate

// #region dma-address-pfn
/** @kernel arch/arm/include/asm/dma-mapping.h pfn_to_dma() v4.12 */
export function pfn_to_dma(kernel: KernelVersion, dev: Device | null, pfn: Pfn, pageSize: Bytes): DmaAddr {
  return phys_to_dma(kernel, dev, pfn * pageSize)
}

/** @kernel arch/arm/include/asm/dma-mapping.h dma_to_pfn() v4.12 */
export function dma_to_pfn(kernel: KernelVersion, dev: Device | null, addr: DmaAddr, pageSize: Bytes): Pfn {
  return Math.floor(dma_to_phys(kernel, dev, addr) / pageSize)
}
// #endregion dma-address-pfn
