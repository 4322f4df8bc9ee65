// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import {
  GFP_ATOMIC,
  GFP_DMA,
  GFP_DMA32,
  GFP_HIGHUSER,
  GFP_HIGHUSER_MOVABLE,
  GFP_KERNEL,
  __GFP_MOVABLE,
  __GFP_NOWARN,
  __GFP_RECLAIMABLE,
} from '../../code/mm/gfp.ts'
import { NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { page_zone, split_page, zone_page_state } from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages, gfp_zone } from '../../code/mm/page_alloc.ts'
import { gfp_migratetype } from '../../code/mm/page_alloc_rules.ts'
import { setup_per_zone_lowmem_reserve } from '../../code/mm/watermark.ts'
import { drawMemory, freeBlocks, pictured } from '../support/memory_picture.ts'

const blocks = (count: number, block: string) => `${block} `.repeat(count)

describe('__alloc_pages', () => {
  it('__alloc_pages() TV-30: of one order-3 block at pfn 8 gives pfn 8; 9, 10 and 12 stay free', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured('M ######## M ........', { kernel })
      expect(__alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 0)).toBe(8)
      expect(freeBlocks(pgdat)).toEqual(['M0@9', 'M1@10', 'M2@12'])
    }
  })

  it('__alloc_pages() counts a page as used, with one reference, until __free_pages() merges it back', () => {
    const pgdat = pictured('M ........ M ........')
    const zone = page_zone(pgdat, 0)
    const pfn = __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 1)!
    expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(14)
    expect(pgdat.map.refcount[pfn]).toBe(1)
    expect(drawMemory(pgdat)).toBe('M ##......\nM ........')
    __free_pages(pgdat, pfn, 1)
    expect(freeBlocks(pgdat)).toEqual(['M4@0'])
    expect(pgdat.vm_event).toMatchObject({ pgalloc: 2, pgfree: 2 })
  })

  it('__alloc_pages() gives null and one warning for an order above the largest, and nothing with __GFP_NOWARN', () => {
    const pgdat = pictured('M ........ M ........')
    expect(__alloc_pages(pgdat, GFP_KERNEL | __GFP_NOWARN, 5)).toBeNull()
    expect(pgdat.log.lines).toEqual([])
    expect(__alloc_pages(pgdat, GFP_KERNEL, 5)).toBeNull()
    expect(__alloc_pages(pgdat, GFP_KERNEL, 11)).toBeNull()
    expect(pgdat.log.lines).toEqual(['WARNING: at mm/page_alloc.c __alloc_pages_noprof'])
  })

  it('__alloc_pages() refuses an order that is no number of halvings', () => {
    const pgdat = pictured('M ........ M ........')
    for (const order of [-1, 1.5, NaN]) {
      expect(() => __alloc_pages(pgdat, GFP_KERNEL, order)).toThrow(
        `order ${order}, expected an integer from 0`,
      )
    }
    expect(pgdat.log.lines).toEqual([])
  })

  it('__alloc_pages() reclaims while that makes progress, then tells of out of memory', () => {
    const pgdat = pictured('M ######## M ########')
    const asked: string[] = []
    pgdat.hooks.wakeKswapd = () => void asked.push('kswapd')
    pgdat.hooks.outOfMemory = () => void asked.push('oom')
    pgdat.hooks.reclaim = () => {
      asked.push('reclaim')
      if (asked.filter((what) => what === 'reclaim').length > 1) return 0
      __free_pages(pgdat, 3, 0)
      return 1
    }
    expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBe(3)
    expect(asked).toEqual(['kswapd', 'reclaim'])
    expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBeNull()
    expect(asked).toEqual(['kswapd', 'reclaim', 'kswapd', 'reclaim', 'oom'])
    expect(__alloc_pages(pgdat, GFP_ATOMIC, 0)).toBeNull()
    expect(asked.slice(5)).toEqual(['kswapd'])
  })
})

describe('__free_pages', () => {
  it('__free_pages() frees with the last reference only; since 6.1 the rest of a block goes at once', () => {
    for (const [kernel, after] of [
      ['4.12.4', 'M ####....'],
      ['6.12.117', 'M #.......'],
    ] as const) {
      const pgdat = pictured('M ........', { kernel, maxOrder: 3 })
      const pfn = __alloc_pages(pgdat, GFP_KERNEL, 2)!
      pgdat.map.refcount[pfn]!++
      __free_pages(pgdat, pfn, 2)
      expect(drawMemory(pgdat).replace('U', 'M')).toBe(after)
    }
  })

  it('__free_pages() throws when a page is freed twice, lies inside a block or outside memory', () => {
    const pgdat = pictured('M ........ M ........', { start: 16 })
    const pfn = __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 1)!
    expect(() => __free_pages(pgdat, pfn + 1, 0)).toThrow(
      '__free_pages: pfn 0x11 has 0 references and is no free block: it lies inside a block that is in use; expected',
    )
    __free_pages(pgdat, pfn, 1)
    expect(() => __free_pages(pgdat, pfn, 1)).toThrow(
      '__free_pages: pfn 0x10 is free already, in the block of order 4 at 0x10; expected a page with at least 1 reference',
    )
    expect(() => __free_pages(pgdat, 4, 0)).toThrow('__free_pages: pfn 0x4 is outside 0x10..0x1f')
    expect(() => page_zone(pgdat, 0x99)).toThrow('page_zone: pfn 0x99 is outside 0x10..0x1f')
  })

  it('__free_pages() throws for a page that is still mapped or on an LRU list, as Linux reports a bad page', () => {
    const pgdat = pictured('M *#######')
    expect(() => __free_pages(pgdat, 0, 0)).toThrow('bad page state of pfn 0x0: flags 0x8')
    pgdat.map.mapcount[1] = 1
    expect(() => __free_pages(pgdat, 1, 0)).toThrow('mapcount 1')
  })

  it('split_page() makes pages of a block that are freed one by one', () => {
    const pgdat = pictured('M ........')
    const pfn = __alloc_pages(pgdat, GFP_KERNEL, 3)!
    split_page(pgdat, pfn, 3)
    for (let i = 0; i < 8; i++) __free_pages(pgdat, pfn + i, 0)
    expect(freeBlocks(pgdat)).toEqual(['U3@0'])
    expect(() => split_page(pgdat, pfn, 3)).toThrow('split_page: pfn 0x0 has 0 references')
  })
})

describe('reclaim', () => {
  it('__alloc_pages() asks for a page as often as reclaim frees one, and no lower zone while a higher one gives', () => {
    const pgdat = pictured(blocks(4, 'M ********'), {
      zones: [
        ['DMA', 1],
        ['Normal', 3],
      ],
    })
    pgdat.zones[1]!.watermark.min = 20
    const asked: string[] = []
    pgdat.hooks.reclaim = ({ name }) => {
      asked.push(name)
      if (name === 'DMA') return 0
      pgdat.map.flags[7 + asked.length] = 0
      __free_pages(pgdat, 7 + asked.length, 0)
      return 1
    }
    expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBeGreaterThanOrEqual(8)
    expect(asked).toEqual(Array.from({ length: 21 }, () => 'Normal'))
  })

  it('__alloc_pages() of 6.x does not complain of a DMA zone that is not there', () => {
    const lines = (kernel: (typeof KERNEL_VERSIONS)[number], gfp: number) => {
      const pgdat = pictured('M ########', { kernel })
      pgdat.trace.current = { comm: 'driver', pid: 1 }
      expect(__alloc_pages(pgdat, gfp, 1)).toBeNull()
      return pgdat.log.lines
    }
    expect(lines('6.12.117', GFP_KERNEL | GFP_DMA)).toEqual([])
    expect(lines('4.12.4', GFP_KERNEL | GFP_DMA).length).toBe(1)
    const empty = pictured('M ########', {
      zones: [
        ['DMA', 0],
        ['Normal', 1],
      ],
    })
    expect(__alloc_pages(empty, GFP_KERNEL | GFP_DMA, 1)).toBeNull()
    expect(empty.log.lines).toEqual([])
    expect(KERNEL_VERSIONS.map((kernel) => lines(kernel, GFP_KERNEL)[0])).toEqual([
      'driver: page allocation failure: order:1, mode:0xd0',
      'driver: page allocation failure: order:1, mode:0xd0',
      'driver: page allocation failure: order:1, mode:0x24000c0(GFP_KERNEL)',
      'driver: page allocation failure: order:1, mode:0x14000c0(GFP_KERNEL), nodemask=(null)',
      'driver: page allocation failure: order:1, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0',
      'driver: page allocation failure: order:1, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0',
    ])
  })
})

describe('trace', () => {
  it('mm_page_alloc and mm_page_free are emitted when somebody listens', () => {
    const pgdat = pictured('M ........')
    __free_pages(pgdat, __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 0)!, 0)
    expect(pgdat.trace.records).toEqual([])
    pgdat.trace.enabled = true
    __free_pages(pgdat, __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 1)!, 1)
    expect(pgdat.trace.records.map(({ event, fields }) => [event, fields])).toEqual([
      ['mm_page_alloc', { pfn: 0, order: 1, migratetype: 1, gfp_flags: GFP_HIGHUSER_MOVABLE }],
      ['mm_page_free', { pfn: 0, order: 1 }],
    ])
  })
})

describe('gfp_migratetype', () => {
  const both = __GFP_MOVABLE | __GFP_RECLAIMABLE
  it('gfp_migratetype() TV-31: GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_KERNEL|RECLAIMABLE', () => {
    const of = (kernel: (typeof KERNEL_VERSIONS)[number]) =>
      [GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_KERNEL | __GFP_RECLAIMABLE].map((gfp) =>
        gfp_migratetype(pictured('M ........', { kernel }), gfp),
      )
    expect(of('3.5')).toEqual([0, 2, 1])
    for (const kernel of ['4.6', '4.12.4', '6.1.192', '6.12.117'] as const)
      expect(of(kernel)).toEqual([0, 1, 2])
  })

  it('gfp_migratetype() MC-9.11, TV-45: rows of (MOVABLE, RECLAIMABLE); both at once warn and give 3; grouping off gives 0', () => {
    for (const [kernel, row] of [
      ['3.5', [0, 1, 2, 3]],
      ['3.9', [0, 1, 2, 3]],
      ['4.6', [0, 2, 1, 3]],
      ['4.12.4', [0, 2, 1, 3]],
      ['6.1.192', [0, 2, 1, 3]],
      ['6.12.117', [0, 2, 1, 3]],
    ] as const) {
      const pgdat = pictured('M ........', { kernel })
      const rows = [0, __GFP_RECLAIMABLE, __GFP_MOVABLE, both]
      expect(rows.map((gfp) => gfp_migratetype(pgdat, gfp))).toEqual(row)
      expect(pgdat.log.lines).toHaveLength(1)
      pgdat.page_group_by_mobility_disabled = true
      expect(rows.map((gfp) => gfp_migratetype(pgdat, gfp))).toEqual([0, 0, 0, 0])
    }
  })
})

describe('zonelist', () => {
  const three = {
    zones: [
      ['DMA', 1],
      ['DMA32', 1],
      ['Normal', 1],
    ],
  } as const

  it('__alloc_pages() MC-10.2: GFP_DMA never climbs, others fall down', () => {
    const pgdat = pictured(blocks(3, 'M ........'), three)
    const zoneOf = (gfp: number) => page_zone(pgdat, __alloc_pages(pgdat, gfp, 3)!).name
    expect([zoneOf(GFP_KERNEL), zoneOf(GFP_KERNEL), zoneOf(GFP_KERNEL)]).toEqual(['Normal', 'DMA32', 'DMA'])
    const dmaTaken = pictured('M ######## M ........ M ........', three)
    expect(__alloc_pages(dmaTaken, GFP_DMA, 0)).toBeNull()
    expect(page_zone(dmaTaken, __alloc_pages(dmaTaken, GFP_DMA32, 3)!).name).toBe('DMA32')
    expect(__alloc_pages(dmaTaken, GFP_DMA32, 3)).toBeNull()
  })

  it('__alloc_pages() MC-10.2: DMA 2000 free, min 1000, Normal of 262144 pages empty: a NORMAL request fails, a DMA one succeeds', () => {
    const node = (dma: string, normal: string) =>
      pictured(`${blocks(4, `M ${dma.repeat(512)}`)} ${blocks(512, `M ${normal.repeat(512)}`)}`, {
        maxOrder: 10,
        zones: [
          ['DMA', 4],
          ['DMA32', 0],
          ['Normal', 512],
        ],
      })
    const pgdat = node('.', '#')
    for (let i = 0; i < 48; i++) __alloc_pages(pgdat, GFP_DMA, 0)
    const dma = pgdat.zones[0]!
    dma.watermark = { min: 1000, low: 1000, high: 1000, promo: 1000 }
    setup_per_zone_lowmem_reserve(pgdat)
    expect(zone_page_state(dma, NR_FREE_PAGES)).toBe(2000)
    expect(dma.lowmem_reserve[2]).toBe(1024)
    expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBeNull()
    expect(page_zone(pgdat, __alloc_pages(pgdat, GFP_KERNEL | GFP_DMA, 0)!)).toBe(dma)
    expect(__alloc_pages(node('#', '.'), GFP_DMA, 0)).toBeNull()
  })

  it('gfp_zone() MC-10.1: a flag that names a zone which is not there has no effect', () => {
    const plain = pictured('M ........')
    for (const gfp of [GFP_DMA, GFP_DMA32, GFP_HIGHUSER]) {
      expect(plain.zones[gfp_zone(plain, gfp)]!.name).toBe('Normal')
      expect(__alloc_pages(plain, gfp, 0)).not.toBeNull()
    }
    const dma = pictured(blocks(2, 'M ........'), {
      zones: [
        ['DMA', 1],
        ['Normal', 1],
      ],
    })
    expect(dma.zones[gfp_zone(dma, GFP_DMA32)]!.name).toBe('Normal')
    expect(dma.zones[gfp_zone(dma, GFP_DMA)]!.name).toBe('DMA')
  })

  it('gfp_zone() MC-6.6: with a DMA zone up to 4 GiB, GFP_DMA gets it; with one of 1 GiB, GFP_DMA32 reaches further', () => {
    const wide = pictured(blocks(2, 'M ........'), {
      zones: [
        ['DMA', 1],
        ['DMA32', 0],
        ['Normal', 1],
      ],
    })
    expect(page_zone(wide, __alloc_pages(wide, GFP_KERNEL | GFP_DMA, 0)!).name).toBe('DMA')
    // DMA32 is empty there: such a request falls to DMA and never goes above 4 GiB.
    expect(page_zone(wide, __alloc_pages(wide, GFP_KERNEL | GFP_DMA32, 0)!).name).toBe('DMA')
    const narrow = pictured(blocks(3, 'M ........'), three)
    expect(page_zone(narrow, __alloc_pages(narrow, GFP_KERNEL | GFP_DMA32, 0)!).name).toBe('DMA32')
    expect(page_zone(narrow, __alloc_pages(narrow, GFP_KERNEL | GFP_DMA, 0)!).name).toBe('DMA')
  })
})
