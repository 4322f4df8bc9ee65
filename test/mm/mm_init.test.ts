// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { MiB } from '../../code/lib/units.ts'
import { GFP_HIGHUSER, GFP_HIGHUSER_MOVABLE } from '../../code/mm/gfp.ts'
import {
  createMemblock,
  memblock_add,
  memblock_mark_nomap,
  memblock_reserve,
} from '../../code/mm/memblock.ts'
import {
  createPgdat,
  free_reserved_page,
  init_cma_reserved_pageblock,
  memblock_free_all,
} from '../../code/mm/mm_init.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, PG_reserved, type Pgdat } from '../../code/mm/mmzone.ts'
import {
  PageBuddy,
  buddy_order,
  get_pageblock_migratetype,
  page_zone,
  zone_page_state,
} from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { listedBlocks } from '../support/memory_picture.ts'

/** 16 MiB at 0x40000000 with a reservation of 3 pages in the middle and a no-map range; pageblocks of 2 MiB. */
function booted(kernel: KernelVersion): Pgdat {
  const memblock = createMemblock()
  memblock_add(memblock, 0x4000_0000, MiB(16))
  memblock_reserve(memblock, 0x4040_1000, 0x3000)
  memblock_mark_nomap(memblock, 0x4080_0000, MiB(4))
  const zones = [{ name: 'DMA', end: 0x4100_0000 } as const, { name: 'Normal', end: 0x4100_0000 } as const]
  const parts = { kernel, arch: 'arm64', memblock, zones, maxOrder: 10, pageblock_order: 9 } as const
  const pgdat = createPgdat({ ...parts, log: new Printk(), trace: createTrace() })
  expect(memblock_free_all(pgdat, memblock)).toBe(4096 - 3 - 1024)
  return pgdat
}

describe('memblock_free_all', () => {
  it('memblock_free_all() frees ranges bottom up, in the largest aligned blocks; since 6.x the lowest is given first', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = booted(kernel)
      const zone = pgdat.zones[0]!
      const blocks = listedBlocks(pgdat, zone).map(({ pfn, order }) => `${order}@${pfn.toString(16)}`)
      const small = [
        '0@40400',
        '2@40404',
        '3@40408',
        '4@40410',
        '5@40420',
        '6@40440',
        '7@40480',
        '8@40500',
        '9@40600',
      ]
      const modern = kernel.startsWith('6')
      expect(blocks).toEqual([...small, ...(modern ? ['10@40000', '10@40c00'] : ['10@40c00', '10@40000'])])
      expect([zone.present_pages, zone.managed_pages]).toEqual([4096, 3069])
      expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(3069)
      expect(__alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 10)).toBe(modern ? 0x40000 : 0x40c00)
    }
  })

  it('memblock_free_all() leaves what is reserved or no-map reserved, with a reference', () => {
    const pgdat = booted('6.12.117')
    const reserved = [0x40401, 0x40402, 0x40403, 0x40800, 0x40bff]
    for (const pfn of reserved) {
      expect(pgdat.map.flags[pfn - pgdat.map.start_pfn]).toBe(PG_reserved)
      expect(pgdat.map.refcount[pfn - pgdat.map.start_pfn]).toBe(1)
    }
    expect(pgdat.map.flags.filter((flags) => flags === PG_reserved)).toHaveLength(1027)
  })

  it('memblock_free_all() frees high memory after all else', () => {
    const memblock = createMemblock(32)
    memblock_add(memblock, 0, MiB(16))
    const zones = [
      { name: 'DMA', end: MiB(4) as number },
      { name: 'Normal', end: MiB(4) as number },
      { name: 'HighMem', end: MiB(16) as number },
    ] as const
    const parts = { kernel: '3.5', arch: 'arm', memblock, zones, maxOrder: 10, pageblock_order: 10 } as const
    const pgdat = createPgdat({ ...parts, log: new Printk(), trace: createTrace() })
    memblock_free_all(pgdat, memblock)
    expect(pgdat.zones.map((zone) => zone.managed_pages)).toEqual([1024, 0, 3072, 0])
    expect(page_zone(pgdat, __alloc_pages(pgdat, GFP_HIGHUSER, 0)!).name).toBe('HighMem')
  })

  it('createPgdat() groups by mobility only where there is a block for each type', () => {
    const of = (mib: number) => {
      const memblock = createMemblock()
      memblock_add(memblock, 0, MiB(mib))
      const zones = [{ name: 'Normal', end: MiB(mib) as number } as const]
      const parts = {
        kernel: '6.12.117',
        arch: 'arm64',
        memblock,
        zones,
        maxOrder: 10,
        pageblock_order: 9,
      } as const
      return createPgdat({ ...parts, log: new Printk(), trace: createTrace() })
        .page_group_by_mobility_disabled
    }
    expect([of(10), of(12)]).toEqual([true, false])
  })

  it('createPgdat() spends 22 bytes a page and a byte a pageblock', () => {
    const { map, pageblock_flags } = booted('6.12.117')
    const columns = [map.flags, map.refcount, map.mapcount, map.next, map.prev, map.mapping, map.index]
    const bytes = columns.reduce((sum, column) => sum + column.byteLength, pageblock_flags.byteLength)
    expect(bytes).toBe(22 * 4096 + 8)
  })
})

describe('init_cma_reserved_pageblock', () => {
  it('init_cma_reserved_pageblock() MC-4.12: reserved pages become one free block of CMA, counted in the zone', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const memblock = createMemblock()
      memblock_add(memblock, 0x4000_0000, MiB(16))
      memblock_reserve(memblock, 0x4080_0000, MiB(2))
      const zones = [{ name: 'Normal', end: 0x4100_0000 } as const]
      const parts = { kernel, arch: 'arm64', memblock, zones, maxOrder: 10, pageblock_order: 9 } as const
      const pgdat = createPgdat({ ...parts, log: new Printk(), trace: createTrace() })
      memblock_free_all(pgdat, memblock)
      const zone = pgdat.zones[0]!
      const at = 0x40800 - pgdat.map.start_pfn
      const pages = () => [...pgdat.map.flags.subarray(at, at + 512)]
      expect(new Set(pages())).toEqual(new Set([PG_reserved]))
      expect(get_pageblock_migratetype(pgdat, 0x40800)).toBe(pgdat.migrate.MOVABLE)
      expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(3584)

      init_cma_reserved_pageblock(pgdat, 0x40800)
      expect(pages().some((flags) => flags & PG_reserved)).toBe(false)
      expect([PageBuddy(pgdat, 0x40800), buddy_order(pgdat, 0x40800)]).toEqual([
        true,
        // Older kernels merge it with the MOVABLE pageblock behind it: their areas are aligned to 4 MiB.
        kernel.startsWith('6') ? 9 : 10,
      ])
      expect(get_pageblock_migratetype(pgdat, 0x40800)).toBe(pgdat.migrate.CMA)
      expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(4096)
      expect(zone_page_state(zone, NR_FREE_CMA_PAGES)).toBe(kernel === '3.5' ? 0 : 512)
      expect([zone.managed_pages, zone.cma_pages]).toEqual([4096, 512])
    }
  })

  it('free_reserved_page() makes a reserved page ordinary free memory', () => {
    const pgdat = booted('6.1.192')
    for (const pfn of [0x40401, 0x40402, 0x40403]) free_reserved_page(pgdat, pfn)
    expect(buddy_order(pgdat, 0x40400)).toBe(10)
    expect(pgdat.zones[0]!.managed_pages).toBe(3072)
    expect(() => __free_pages(pgdat, 0x40401, 0)).toThrow(
      'is free already, in the block of order 10 at 0x40400',
    )
  })
})
