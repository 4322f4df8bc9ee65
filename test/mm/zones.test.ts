// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { KERNEL_VERSIONS, type Arch, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import { createMemblock, memblock_add, memblock_mark_nomap } from '../../code/mm/memblock.ts'
import { createPgdat } from '../../code/mm/mm_init.ts'
import {
  X86_32_ZONES,
  X86_64_ZONES,
  zoneLimits,
  zoneRangesLines,
  type ZoneInputs,
} from '../../code/mm/zones.ts'

type Ram = readonly (readonly [number, number])[]

function zonesOf(kernel: KernelVersion, arch: Arch, ram: Ram, more: Partial<ZoneInputs> = {}) {
  const memblock = createMemblock()
  for (const [base, size] of ram) memblock_add(memblock, base, size)
  const zones = zoneLimits({ kernel, arch, memblock, ...more })
  return { memblock, pgdat: nodeOf(kernel, arch, memblock, zones) }
}

function nodeOf(
  kernel: KernelVersion,
  arch: Arch,
  memblock: ReturnType<typeof createMemblock>,
  zones: ReturnType<typeof zoneLimits>,
) {
  const sizes = { maxOrder: 10, pageblock_order: 9 }
  return createPgdat({ kernel, arch, memblock, zones, ...sizes, log: new Printk(), trace: createTrace() })
}

/** `DMA 0x40000000-0x80000000` for each zone that is not empty. */
const spans = (kernel: KernelVersion, arch: Arch, ram: Ram, more: Partial<ZoneInputs> = {}) =>
  zonesOf(kernel, arch, ram, more)
    .pgdat.zones.filter((zone) => zone.zone_end_pfn > zone.zone_start_pfn)
    .map(({ name, zone_start_pfn: start, zone_end_pfn: end }) => {
      return `${name} 0x${(start * 4096).toString(16)}-0x${(end * 4096).toString(16)}`
    })

describe('zoneLimits', () => {
  it('zoneLimits() of arm64 6.x: RAM below 4 GiB is all DMA, DMA32 is empty, Normal is above', () => {
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      expect(spans(kernel, 'arm64', [[0x4000_0000, GiB(1)]])).toEqual(['DMA 0x40000000-0x80000000'])
      expect(spans(kernel, 'arm64', [[0x4000_0000, GiB(6)]])).toEqual([
        'DMA 0x40000000-0x100000000',
        'Normal 0x100000000-0x1c0000000',
      ])
    }
  })

  it('zoneLimits() of arm64 6.x: a bus that reaches 1 GiB makes a DMA zone of 1 GiB', () => {
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      expect(spans(kernel, 'arm64', [[0, GiB(8)]], { dmaRangesLast: 0x3fff_ffff })).toEqual([
        'DMA 0x0-0x40000000',
        'DMA32 0x40000000-0x100000000',
        'Normal 0x100000000-0x200000000',
      ])
    }
  })

  it('zoneLimits() of arm64: 6.1 counts bits of the bus, 6.12 takes its last address', () => {
    const ram: Ram = [[0, GiB(2)]]
    expect(spans('6.1.192', 'arm64', ram, { dmaRangesLast: 0x2fff_ffff })[0]).toBe('DMA 0x0-0x40000000')
    expect(spans('6.12.117', 'arm64', ram, { dmaRangesLast: 0x2fff_ffff })[0]).toBe('DMA 0x0-0x30000000')
  })

  it('zoneLimits() of arm64 6.x: where RAM begins at or above 4 GiB, the DMA zone has it all', () => {
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      expect(spans(kernel, 'arm64', [[0x8_0000_0000, GiB(8)]])).toEqual(['DMA 0x800000000-0xa00000000'])
    }
    expect(spans('6.1.192', 'arm64', [[0x8000_0000, GiB(1)]], { dmaRangesLast: 0x3fff_ffff })).toEqual([
      'DMA 0x80000000-0xc0000000',
    ])
  })

  it('zoneLimits() of arm64 4.x: DMA is the 4 GiB in which RAM begins, there is no DMA32', () => {
    for (const kernel of ['4.6', '4.12.4'] as const) {
      const { pgdat } = zonesOf(kernel, 'arm64', [[0x8_8000_0000, GiB(6)]])
      expect(pgdat.zones.map(({ name }) => name)).toEqual(['DMA', 'Normal', 'Movable'])
      expect(spans(kernel, 'arm64', [[0x8_8000_0000, GiB(6)]])).toEqual([
        'DMA 0x880000000-0x900000000',
        'Normal 0x900000000-0xa00000000',
      ])
    }
  })

  it('zoneLimits() of arm: all lowmem is DMA unless the board names a size; HighMem is above', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const ram: Ram = [[0x4000_0000, GiB(1)]]
      const lowmemEnd = 0x4000_0000 + MiB(768)
      expect(spans(kernel, 'arm', ram, { lowmemEnd })).toEqual([
        'DMA 0x40000000-0x70000000',
        'HighMem 0x70000000-0x80000000',
      ])
      expect(spans(kernel, 'arm', ram, { lowmemEnd, dma_zone_size: MiB(256) })).toEqual([
        'DMA 0x40000000-0x50000000',
        'Normal 0x50000000-0x70000000',
        'HighMem 0x70000000-0x80000000',
      ])
      expect(spans(kernel, 'arm', ram, { lowmemEnd, zoneDma: false })[0]).toBe('Normal 0x40000000-0x70000000')
    }
  })

  it('X86_64_ZONES is where a DMA zone of 16 MiB is, and nowhere else', () => {
    const memblock = createMemblock()
    memblock_add(memblock, 0, GiB(8))
    const { zones } = nodeOf('6.12.117', 'arm64', memblock, [...X86_64_ZONES])
    expect(zones.map(({ name, present_pages }) => [name, present_pages / 256])).toEqual([
      ...[
        ['DMA', 16],
        ['DMA32', 4080],
        ['Normal', 4096],
        ['Movable', 0],
      ],
    ])
    const old = nodeOf('3.5', 'arm', memblock, [...X86_32_ZONES])
    expect(old.zones.map(({ name, present_pages }) => [name, present_pages / 256])).toEqual([
      ...[
        ['DMA', 16],
        ['Normal', 880],
        ['HighMem', 7296],
        ['Movable', 0],
      ],
    ])
  })
})

describe('zoneRangesLines', () => {
  it('zoneRangesLines() prints what QEMU virt with 1 GiB prints', () => {
    const { pgdat, memblock } = zonesOf('6.12.117', 'arm64', [[0x4000_0000, GiB(1)]])
    memblock_mark_nomap(memblock, 0x7000_0000, MiB(2))
    expect(zoneRangesLines(pgdat, memblock)).toEqual([
      'Zone ranges:',
      '  DMA      [mem 0x0000000040000000-0x000000007fffffff]',
      '  DMA32    empty',
      '  Normal   empty',
      'Movable zone start for each node',
      'Early memory node ranges',
      '  node   0: [mem 0x0000000040000000-0x000000006fffffff]',
      '  node   0: [mem 0x0000000070000000-0x00000000701fffff]',
      '  node   0: [mem 0x0000000070200000-0x000000007fffffff]',
    ])
  })

  it('zoneRangesLines() prints DMA and Normal of a machine with RAM above 4 GiB', () => {
    const { pgdat, memblock } = zonesOf('6.1.192', 'arm64', [[0x4000_0000, GiB(4)]])
    expect(zoneRangesLines(pgdat, memblock).slice(0, 4)).toEqual([
      'Zone ranges:',
      '  DMA      [mem 0x0000000040000000-0x00000000ffffffff]',
      '  DMA32    empty',
      '  Normal   [mem 0x0000000100000000-0x000000013fffffff]',
    ])
  })
})
