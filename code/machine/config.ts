// SPDX-License-Identifier: MIT
//
// What a kernel was built with, as far as the models ask: page size, CMA, the image's size. For 6.1 and 6.12 these are
// Debian's kernels; for 4.6 and 4.12 the defaults of the time, since no distribution's configuration was at hand.

// #region config-imports
import type { CmaSize } from '../dma/contiguous.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import { KiB, MiB, type Bytes, type PhysAddr } from '../lib/units.ts'
import type { KernelImage } from './iomem.ts'
// #endregion config-imports

// #region config-type
export interface KernelConfig {
  readonly pageSize: Bytes
  /** CONFIG_PHYS_ADDR_T_64BIT: 64 on arm64 and on arm with LPAE. */
  readonly physAddrBits: 32 | 64
  /** Width of what can be mapped: CONFIG_ARM64_PA_BITS. arm has no bound but that of `phys_addr_t`. */
  readonly paBits: number
  /** MAX_PAGE_ORDER: the largest block of the buddy allocator. */
  readonly maxOrder: number
  readonly pageblockOrder: number
  /** Bytes of a pageblock (6.x); of the bigger of pageblock and largest buddy block (3.9, 4.x); twice that (3.5). */
  readonly cmaAlignment: Bytes
  /** `MAX_CMA_AREAS`. */
  readonly cmaAreas: number
  /** CONFIG_CMA_SIZE_*: the default area. */
  readonly cmaSize: CmaSize
  /** arm: most RAM that the linear mapping can hold; what is above is high memory, or lost without CONFIG_HIGHMEM. */
  readonly lowmem: Bytes
  readonly highmem: boolean
  /** CONFIG_NUMA: the node of all memory in debugfs. */
  readonly nid: number | null
}
// #endregion config-type

// #region config-debian
/** The configuration of Debian's kernel of this series (of an upstream default one for 4.6 and 4.12). */
export function defaultConfig(kernel: KernelVersion, arch: Arch): KernelConfig {
  const now = kernelAtLeast(kernel, '6.1.192')
  const arm64 = arch === 'arm64'
  const mbytes = arm64 && now ? 64 : 16
  const alignment4K = kernel === '3.5' ? 8 : !now ? 4 : arm64 ? 2 : 8
  return {
    pageSize: KiB(4),
    physAddrBits: arm64 ? 64 : 32,
    paBits: !arm64 ? 64 : kernelAtLeast(kernel, '6.12.117') ? 52 : 48,
    // Debian's armmp has 8 MiB buddy blocks and no huge pages; arm64 pageblocks are huge pages.
    maxOrder: !arm64 && now ? 11 : 10,
    pageblockOrder: arm64 ? 9 : now ? 11 : 10,
    cmaAlignment: MiB(alignment4K),
    // 4.6 to 6.1 have one slot more than CONFIG_CMA_AREAS; NUMA kernels are configured with more.
    cmaAreas: arm64 && now ? 20 : 8,
    cmaSize: { choose: 'MBYTES', mbytes, percentage: 10 },
    lowmem: MiB(768),
    highmem: true,
    nid: arm64 && now ? 0 : null,
  }
}
// #endregion config-debian

// #region config-image
/**
 * Where the image of such a kernel lies when RAM begins at `ram`: what QEMU's `virt` makes of Debian's arm64 kernels;
 * for the others a plausible place and size.
 */
export function defaultImage(kernel: KernelVersion, arch: Arch, ram: PhysAddr): KernelImage {
  const at = (text: number, stext: number, initBegin: number, sdata: number, end: number): KernelImage => ({
    _text: ram + text,
    _stext: ram + text + stext,
    __init_begin: ram + text + initBegin,
    _sdata: ram + text + sdata,
    _end: ram + text + end,
  })
  if (arch === 'arm') return at(0x20_8000, 0xf8000, 0xe0_0000, 0x100_0000, 0x120_0000)
  if (kernel === '6.12.117') return at(0x20_0000, 0x1_0000, 0x1d0_0000, 0x267_0000, 0x2b3_0000)
  if (kernel === '6.1.192') return at(0x20_0000, 0x1_0000, 0x166_0000, 0x1cb_0000, 0x201_0000)
  return at(0x8_0000, 0x1000, 0xb0_0000, 0xd0_0000, 0xf0_0000)
}
// #endregion config-image
