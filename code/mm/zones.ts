// SPDX-License-Identifier: MIT
//
// Where zones end: by what devices can reach, and by what the kernel itself has mapped. It depends on the architecture:
//
//     x86        0 ── DMA ── 16 MiB ── DMA32 ── 4 GiB ── Normal                    16 MiB: the ISA bus, and x86 alone
//     x86-32     0 ── DMA ── 16 MiB ── Normal ── 896 MiB ── HighMem
//     arm        RAM ── DMA: what the board says, else all of lowmem ── Normal ── lowmem ── HighMem
//     arm64 4.x  RAM ── DMA: 4 GiB ── Normal
//     arm64 6.x  RAM ── DMA: narrowest bus, at most 4 GiB ── DMA32: 4 GiB ── Normal
//
// Limits are data for createPgdat(); a limit at or below the one before it makes an empty zone.

// #region zones-imports
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import { round_down, type PhysAddr } from '../lib/units.ts'
import { memblock_end_of_DRAM, memblock_start_of_DRAM, regionEnd, type Memblock } from './memblock.ts'
import type { Pgdat, ZoneName } from './mmzone.ts'
// #endregion zones-imports

// #region zones-type
const FOUR_GIB: PhysAddr = 2 ** 32

/** A zone by its upper end. */
export interface ZoneLimit {
  readonly name: ZoneName
  /** The first address behind it. */
  readonly end: PhysAddr
}

/** On what the zones of a machine depend, besides its RAM. */
export interface ZoneInputs {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly memblock: Memblock
  /** arm: behind the last address of the linear mapping (`arm_lowmem_limit`). */
  readonly lowmemEnd?: PhysAddr
  /** arm: `mdesc->dma_zone_size`, for boards with a device that cannot reach all; 0 for others. Unit: bytes. */
  readonly dma_zone_size?: number
  /** arm: CONFIG_ZONE_DMA, default yes. */
  readonly zoneDma?: boolean
  /**
   * arm64 6.x: the last CPU address that every bus reaches by its `dma-ranges` (of_dma_get_max_cpu_address()); without,
   * no bus is narrower than the CPU. Raspberry Pi 4: 0x3fffffff.
   */
  readonly dmaRangesLast?: PhysAddr
}
// #endregion zones-type

// #region zones-x86
/**
 * Zones of x86, for comparison: its DMA zone of 16 MiB is what most texts describe.
 * @kernel arch/x86/mm/init.c zone_sizes_init() v6.12
 */
export const X86_64_ZONES: readonly ZoneLimit[] = [
  { name: 'DMA', end: 16 * 2 ** 20 },
  { name: 'DMA32', end: FOUR_GIB },
  { name: 'Normal', end: 2 ** 52 },
]
/** 32-bit x86; lowmem is what 1 GiB of kernel addresses leaves. */
export const X86_32_ZONES: readonly ZoneLimit[] = [
  { name: 'DMA', end: 16 * 2 ** 20 },
  { name: 'Normal', end: 896 * 2 ** 20 },
  { name: 'HighMem', end: 2 ** 36 },
]
// #endregion zones-x86

// #region zones-limits
/** The zones of a machine, lowest first. @kernel arch/arm64/mm/init.c, arch/arm/mm/init.c zone_sizes_init() v6.12 */
export function zoneLimits(inputs: ZoneInputs): ZoneLimit[] {
  if (inputs.arch === 'arm') return armZones(inputs)
  if (!kernelAtLeast(inputs.kernel, '6.1.192')) return arm64Before6(inputs)
  const end = memblock_end_of_DRAM(inputs.memblock)
  const dma = kernelAtLeast(inputs.kernel, '6.12.117') ? dmaLimit612(inputs) : dmaLimit61(inputs)
  return [
    { name: 'DMA', end: dma },
    { name: 'DMA32', end: dma32Limit(inputs) },
    { name: 'Normal', end },
  ]
}

// 4 GiB, counted from the 4 GiB in which RAM begins.
function arm64Before6({ memblock }: ZoneInputs): ZoneLimit[] {
  const end = memblock_end_of_DRAM(memblock)
  const dma = round_down(memblock_start_of_DRAM(memblock), FOUR_GIB) + FOUR_GIB
  return [
    { name: 'DMA', end: Math.min(dma, end) },
    { name: 'Normal', end },
  ]
}
// #endregion zones-limits

// #region zones-arm
// All of lowmem is DMA memory unless the board says less: then the rest is Normal.
function armZones({ memblock, lowmemEnd, dma_zone_size = 0, zoneDma = true }: ZoneInputs): ZoneLimit[] {
  const start = memblock_start_of_DRAM(memblock)
  const end = memblock_end_of_DRAM(memblock)
  const low = Math.min(lowmemEnd ?? end, end)
  const dma = dma_zone_size > 0 ? Math.min(start + dma_zone_size, low) : low
  return [
    ...(zoneDma ? [{ name: 'DMA', end: dma } as const] : []),
    { name: 'Normal', end: low },
    { name: 'HighMem', end },
  ]
}
// #endregion zones-arm

// #region zones-arm64-6
// 6.1 counts bits: of the narrowest bus, 32 at most. RAM that begins above such a mask gets 4 GiB, or all of it.
function dmaLimit61({ memblock, dmaRangesLast }: ZoneInputs): PhysAddr {
  const bits = dmaRangesLast === undefined ? 32 : Math.min(32, bitsOf(dmaRangesLast))
  return maxZonePhys61(memblock, 2 ** bits)
}

function maxZonePhys61(memblock: Memblock, mask: PhysAddr): PhysAddr {
  const start = memblock_start_of_DRAM(memblock)
  const end = memblock_end_of_DRAM(memblock)
  if (start >= FOUR_GIB) return end
  return Math.min(start >= mask ? FOUR_GIB : mask, end)
}

// How many bits an address has.
function bitsOf(addr: PhysAddr): number {
  return addr.toString(2).length
}

// #endregion zones-arm64-6

// #region zones-arm64-612
// 6.12 takes the address itself, above 4 GiB only where RAM begins there.
function dmaLimit612({ memblock, dmaRangesLast }: ZoneInputs): PhysAddr {
  const end = memblock_end_of_DRAM(memblock)
  const reach = dmaRangesLast === undefined ? end : dmaRangesLast + 1
  const low = memblock_start_of_DRAM(memblock) < FOUR_GIB - 1
  return Math.min(reach, end, low ? FOUR_GIB : end)
}

function dma32Limit({ kernel, memblock }: ZoneInputs): PhysAddr {
  if (!kernelAtLeast(kernel, '6.12.117')) return maxZonePhys61(memblock, FOUR_GIB)
  return Math.min(FOUR_GIB, memblock_end_of_DRAM(memblock))
}
// #endregion zones-arm64-612

// #region zones-print
/**
 * The lines of the boot log on zones and RAM. Kernels of arm before 6.x print none.
 * @kernel mm/mm_init.c free_area_init() v6.12
 */
export function zoneRangesLines(pgdat: Pgdat, memblock: Memblock): string[] {
  const range = (start: PhysAddr, end: PhysAddr) => `[mem ${hex16(start)}-${hex16(end - 1)}]`
  const { pageSize } = pgdat
  const zones = pgdat.zones.filter(({ name }) => name !== 'Movable')
  return [
    'Zone ranges:',
    ...zones.map(({ name, zone_start_pfn: start, zone_end_pfn: end }) => {
      return `  ${name.padEnd(8)} ${start === end ? 'empty' : range(start * pageSize, end * pageSize)}`
    }),
    'Movable zone start for each node',
    'Early memory node ranges',
    ...memblock.memory.regions.map((region) => `  node   0: ${range(region.base, regionEnd(region))}`),
  ]
}

const hex16 = (addr: PhysAddr) => `0x${addr.toString(16).padStart(16, '0')}`
// #endregion zones-print
