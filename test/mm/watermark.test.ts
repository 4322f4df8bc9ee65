// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { GFP_ATOMIC, GFP_HIGHUSER_MOVABLE, GFP_KERNEL, GFP_NOWAIT } from '../../code/mm/gfp.ts'
import { createMemblock, memblock_add } from '../../code/mm/memblock.ts'
import { createPgdat, memblock_free_all } from '../../code/mm/mm_init.ts'
import { NR_FREE_PAGES, type Pgdat } from '../../code/mm/mmzone.ts'
import { page_zone, zone_page_state } from '../../code/mm/page.ts'
import { __alloc_pages, gfp_to_alloc_flags } from '../../code/mm/page_alloc.ts'
import {
  ALLOC_CMA,
  ALLOC_HIGHATOMIC,
  ALLOC_KSWAPD,
  ALLOC_MIN_RESERVE,
  ALLOC_NON_BLOCK,
  ALLOC_OOM,
} from '../../code/mm/page_alloc_rmqueue.ts'
import {
  __zone_watermark_ok,
  init_per_zone_wmark_min,
  setup_per_zone_wmarks,
  zone_watermark_ok,
} from '../../code/mm/watermark.ts'
import { X86_32_ZONES, type ZoneLimit } from '../../code/mm/zones.ts'
import { pictured } from '../support/memory_picture.ts'

/** A machine of so many MiB from 0, all of them free. */
function ofMiB(mib: number, kernel: KernelVersion, zones?: readonly ZoneLimit[]): Pgdat {
  const memblock = createMemblock()
  memblock_add(memblock, 0, mib * 2 ** 20)
  const pgdat = createPgdat({
    ...{ kernel, arch: 'arm64', memblock, maxOrder: 10, pageblock_order: 9 },
    ...{ zones: zones ?? [{ name: 'Normal', end: mib * 2 ** 20 }], log: new Printk(), trace: createTrace() },
  })
  memblock_free_all(pgdat, memblock)
  init_per_zone_wmark_min(pgdat)
  return pgdat
}

const marks = ({ zones }: Pgdat) => {
  const { min, low, high } = zones.find((zone) => zone.managed_pages > 0)!.watermark
  return [min, low, high]
}

describe('setup_per_zone_wmarks', () => {
  // MiB, min_free_kbytes, min, low, high of 6.x: TV-28.
  const table = [
    [128, 1448, 362, 452, 542],
    [256, 2048, 512, 640, 768],
    [512, 2896, 724, 905, 1086],
    [1024, 4096, 1024, 1286, 1548],
    [2048, 5792, 1448, 1972, 2496],
    [4096, 8192, 2048, 3096, 4144],
    [16384, 16384, 4096, 8290, 12484],
  ] as const

  it('setup_per_zone_wmarks() MC-9.9, TV-28: min, low and high of one zone by its size', () => {
    for (const kernel of ['4.6', '4.12.4', '6.1.192', '6.12.117'] as const) {
      for (const [mib, kbytes, ...expected] of table) {
        const pgdat = ofMiB(mib, kernel)
        expect(pgdat.min_free_kbytes).toBe(kbytes)
        expect(marks(pgdat)).toEqual(expected)
      }
    }
  })

  it('setup_per_zone_wmarks() MC-9.9: 3.x goes up by quarters of the share, whatever the size, and 3.5 adds min_cma_pages to all', () => {
    for (const kernel of ['3.5', '3.9'] as const) {
      expect(marks(ofMiB(512, kernel))).toEqual([724, 905, 1086])
      expect(marks(ofMiB(16384, kernel))).toEqual([4096, 5120, 6144])
    }
    const pgdat = ofMiB(512, '3.5')
    pgdat.zones[0]!.min_cma_pages = 1024
    setup_per_zone_wmarks(pgdat)
    expect(marks(pgdat)).toEqual([1748, 1929, 2110])
  })

  it('setup_per_zone_wmarks() MC-9.9: what khugepaged raised to 22528 gives 5632, 7040, 8448 and promo 9856', () => {
    const pgdat = ofMiB(1024, '6.12.117')
    pgdat.zones[0]!.managed_pages = 238716
    pgdat.min_free_kbytes = 22528
    setup_per_zone_wmarks(pgdat)
    expect(pgdat.zones[0]!.watermark).toEqual({ min: 5632, low: 7040, high: 8448, promo: 9856 })
  })

  it('calculate_min_free_kbytes() keeps between 128 KiB and 256 MiB, 64 MiB before 6.x', () => {
    expect(ofMiB(0.5, '6.12.117').min_free_kbytes).toBe(128)
    const huge = (kernel: KernelVersion) => {
      const pgdat = ofMiB(64, kernel)
      for (const pages of ['managed_pages', 'present_pages'] as const) pgdat.zones[0]![pages] = 2 ** 32
      init_per_zone_wmark_min(pgdat)
      return pgdat.min_free_kbytes
    }
    expect(KERNEL_VERSIONS.map(huge)).toEqual([65536, 65536, 65536, 65536, 262144, 262144])
  })

  it('setup_per_zone_wmarks() gives high memory a small min of its own and counts lowmem alone', () => {
    const pgdat = ofMiB(1024, '6.1.192', X86_32_ZONES)
    const [dma, normal, high] = pgdat.zones
    expect(pgdat.min_free_kbytes).toBe(Math.floor(Math.sqrt(896 * 1024 * 16)))
    expect(dma!.watermark.min + normal!.watermark.min).toBe((pgdat.min_free_kbytes >> 2) - 1)
    expect(high!.watermark.min).toBe(32)
    expect(normal!.lowmem_reserve).toEqual([0, 0, 1024, 1024])
    expect(dma!.lowmem_reserve).toEqual([0, 880, 1008, 1008])
    // A thousandth of 1152 MiB would be 288 pages.
    expect(ofMiB(2048, '6.1.192', X86_32_ZONES).zones[2]!.watermark.min).toBe(128)
  })

  it('setup_per_zone_lowmem_reserve() keeps pages in an empty zone too, until 4.12', () => {
    const zones: ZoneLimit[] = [
      { name: 'DMA', end: 768 * 2 ** 20 },
      { name: 'Normal', end: 768 * 2 ** 20 },
      { name: 'HighMem', end: 2 ** 36 },
    ]
    const kept = (kernel: KernelVersion) =>
      ofMiB(1024, kernel, zones).zones.map((zone) => zone.lowmem_reserve)
    const dma = [0, 0, 256, 256]
    const none = [0, 0, 0, 0]
    expect(kept('4.12.4')).toEqual([dma, [0, 0, 2048, 2048], none, none])
    expect(kept('6.12.117')).toEqual([dma, none, none, none])
  })
})

describe('__zone_watermark_ok', () => {
  const zoneWith = (picture: string, kernel: KernelVersion) => {
    const pgdat = pictured(picture, { kernel })
    return { pgdat, zone: page_zone(pgdat, 0) }
  }

  it('__zone_watermark_ok() MC-9.3: free CMA pages do not count for a request without ALLOC_CMA, except in 3.5', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const { pgdat, zone } = zoneWith('M ....#### C ........', kernel)
      const ok = (mark: number, flags: number) => zone_watermark_ok(pgdat, zone, 0, mark, 0, flags)
      expect([ok(11, ALLOC_CMA), ok(12, ALLOC_CMA)]).toEqual([true, false])
      expect([ok(3, 0), ok(4, 0)]).toEqual([true, kernel === '3.5'])
    }
  })

  it('__zone_watermark_ok() looks for one block that is big enough on the lists of the request in 4.x and 6.x', () => {
    for (const kernel of ['4.6', '4.12.4', '6.1.192', '6.12.117'] as const) {
      const { pgdat, zone } = zoneWith('M .#.#.#.# C ........', kernel)
      const ok = (order: number, flags: number) => __zone_watermark_ok(pgdat, zone, order, 0, 0, flags, 100)
      expect([ok(0, 0), ok(1, 0), ok(1, ALLOC_CMA), ok(3, ALLOC_CMA), ok(4, ALLOC_CMA)]).toEqual([
        ...[true, false, true, true, false],
      ])
      const reserved = zoneWith('M #.#.#.#. H ........', kernel)
      const high = ALLOC_HIGHATOMIC | ALLOC_NON_BLOCK
      expect(zone_watermark_ok(reserved.pgdat, reserved.zone, 1, 0, 0, 0)).toBe(false)
      expect(zone_watermark_ok(reserved.pgdat, reserved.zone, 1, 0, 0, high)).toBe(true)
    }
  })

  it('__zone_watermark_ok() of 3.x does not count blocks below the order, and halves what must be left with each order', () => {
    for (const kernel of ['3.5', '3.9'] as const) {
      // 4 pages alone, 2 blocks of order 1, 1 of order 3: 16 free pages.
      const { pgdat, zone } = zoneWith('M .#.#.#.# M ..##..## M ........', kernel)
      const ok = (order: number, mark: number) => zone_watermark_ok(pgdat, zone, order, mark, 0, 0)
      expect([ok(0, 15), ok(0, 16)]).toEqual([true, false])
      // order 1: 15 > mark, and then 11 > mark / 2.
      expect([ok(1, 14), ok(1, 15)]).toEqual([true, false])
      // order 2: 13 > mark, 9 > mark / 2, 5 > mark / 4; order 3: 9, 5, and then 1 > mark / 4 and mark / 8.
      expect([ok(2, 12), ok(2, 13)]).toEqual([true, false])
      expect([ok(3, 3), ok(3, 4), ok(4, 0)]).toEqual([true, false, false])
    }
  })

  it('__zone_watermark_ok() lets those who cannot wait go below the mark, by the rights of each version', () => {
    // How far down a request with these flags may go from a mark of 1000.
    const least = (kernel: KernelVersion, flags: number) => {
      const { pgdat, zone } = zoneWith('M ........', kernel)
      let free = 0
      while (!__zone_watermark_ok(pgdat, zone, 0, 1000, 0, flags, free)) free++
      return free - 1
    }
    const high = ALLOC_MIN_RESERVE
    const both = ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK
    for (const kernel of ['3.5', '3.9', '4.6', '4.12.4'] as const) {
      expect([least(kernel, 0), least(kernel, high), least(kernel, both)]).toEqual([1000, 500, 375])
      expect(least(kernel, ALLOC_NON_BLOCK)).toBe(750)
    }
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      expect([least(kernel, 0), least(kernel, high), least(kernel, both)]).toEqual([1000, 500, 375])
      expect([least(kernel, ALLOC_NON_BLOCK), least(kernel, ALLOC_OOM)]).toEqual([1000, 500])
    }
  })

  it('__zone_watermark_ok() keeps HIGHATOMIC reserves from requests without rights', () => {
    for (const kernel of ['4.6', '4.12.4', '6.1.192', '6.12.117'] as const) {
      const { pgdat, zone } = zoneWith('M ........', kernel)
      zone.nr_reserved_highatomic = 8
      const ok = (flags: number) => zone_watermark_ok(pgdat, zone, 0, 0, 0, flags)
      expect([ok(0), ok(ALLOC_MIN_RESERVE), ok(ALLOC_NON_BLOCK)]).toEqual([
        false,
        kernel.startsWith('6'),
        true,
      ])
    }
  })

  it('gfp_to_alloc_flags() GFP_ATOMIC gets the reserves, GFP_NOWAIT those of 3.x only', () => {
    const flags = (kernel: KernelVersion, gfp: number, order = 0) =>
      gfp_to_alloc_flags(pictured('M ........', { kernel }), gfp, order) & ~ALLOC_KSWAPD
    expect(flags('6.1.192', GFP_KERNEL)).toBe(0)
    expect(flags('6.1.192', GFP_HIGHUSER_MOVABLE)).toBe(ALLOC_CMA)
    for (const kernel of KERNEL_VERSIONS) {
      expect(flags(kernel, GFP_ATOMIC)).toBe(ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK)
      const nowait = kernel.startsWith('4.') ? 0 : ALLOC_NON_BLOCK
      expect(flags(kernel, GFP_NOWAIT)).toBe(nowait)
    }
    expect(flags('6.12.117', GFP_ATOMIC, 1)).toBe(ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK | ALLOC_HIGHATOMIC)
  })
})

describe('__alloc_pages', () => {
  it('__alloc_pages() wakes kswapd below low and ends at min: of 1000 free pages with min 724, 276', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured(`M ${'.'.repeat(512)} M ${'.'.repeat(488)}${'#'.repeat(24)}`, { kernel })
      const zone = page_zone(pgdat, 0)
      zone.watermark = { min: 724, low: 905, high: 1086, promo: 1267 }
      let wakes = 0
      pgdat.hooks.wakeKswapd = () => void wakes++
      let given = 0
      while (__alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 0) !== null) given++
      expect(given).toBe(276)
      // From 905 free pages on, each request; and the one that failed.
      expect(wakes).toBe(905 - 724 + 1)
      expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(724)
      expect(__alloc_pages(pgdat, GFP_ATOMIC, 0)).not.toBeNull()
    }
  })
})
