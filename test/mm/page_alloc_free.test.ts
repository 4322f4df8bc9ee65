// SPDX-License-Identifier: MIT
//
// Merging: MC-9.6, MC-9.7, MC-9.8, MC-9.10, and the order of the lists.
import { describe, expect, it } from 'vitest'
import { KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { MIGRATE_TYPES, NR_FREE_CMA_PAGES, NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import {
  find_buddy_page_pfn,
  page_zone,
  set_pageblock_migratetype,
  split_page,
  zone_page_state,
} from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { move_freepages_block } from '../../code/mm/page_alloc_fallback.ts'
import { __free_one_page } from '../../code/mm/page_alloc_free.ts'
import { drawMemory, freeBlocks, listedBlocks, pictured } from '../support/memory_picture.ts'

describe('__free_one_page', () => {
  it('__free_one_page() MC-9.6: merges with the XOR buddy, over and over', () => {
    const pgdat = pictured('M ....#... M ........')
    expect(find_buddy_page_pfn(pgdat, 4, 0)).toBe(5)
    expect(find_buddy_page_pfn(pgdat, 0, 2)).toBeNull()
    __free_pages(pgdat, 4, 0)
    expect(freeBlocks(pgdat)).toEqual(['M4@0'])
  })

  it('__free_one_page() MC-9.6: never merges across zones', () => {
    const pgdat = pictured('M #....... M ........', {
      zones: [
        ['DMA', 1],
        ['Normal', 1],
      ],
    })
    __free_pages(pgdat, 0, 0)
    expect(freeBlocks(pgdat)).toEqual(['M3@0', 'M3@8'])
    expect(find_buddy_page_pfn(pgdat, 0, 3)).toBeNull()
  })

  it('__free_one_page() MC-9.6: a pageblock of CMA does not merge with another type in 6.x; 3.x and 4.x merge what is not isolated', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured('M #....... C ........', { kernel })
      __free_pages(pgdat, 0, 0)
      const apart = kernel === '6.1.192' || kernel === '6.12.117'
      expect(freeBlocks(pgdat)).toEqual(apart ? ['M3@0', 'C3@8'] : ['M4@0'])
    }
  })

  it('__free_one_page() MC-9.6: an isolated pageblock does not merge since 4.6; 3.x isolates units of the largest block', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured('M #....... I ........', { kernel })
      __free_pages(pgdat, 0, 0)
      const merges = kernel === '3.5' || kernel === '3.9'
      expect(freeBlocks(pgdat)).toEqual(merges ? ['M4@0'] : ['M3@0', 'I3@8'])
    }
  })

  it('__free_one_page() MC-9.6: UNMOVABLE, MOVABLE and RECLAIMABLE blocks merge; 6.12 gives all of them the type of the last page', () => {
    for (const [kernel, types] of [
      ['6.1.192', 'M ........\nU uuuuuuuu'],
      ['6.12.117', 'M ........\nM ........'],
    ] as const) {
      const pgdat = pictured('M #....... U ........', { kernel })
      __free_pages(pgdat, 0, 0)
      expect(freeBlocks(pgdat)).toEqual(['M4@0'])
      expect(drawMemory(pgdat)).toBe(types.replace('uuuuuuuu', 'mmmmmmmm'))
    }
  })

  it('__free_one_page() puts a block at the tail when the block above is free already, for it will merge soon', () => {
    for (const [kernel, first] of [
      ['6.12.117', 16],
      ['3.9', 16],
      // 3.5 looks for that block in the wrong place when the freed page is the upper half.
      ['3.5', 1],
    ] as const) {
      const pgdat = pictured('M ##..........#### M .###############', { kernel })
      __free_pages(pgdat, 1, 0)
      expect(__alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 0)).toBe(first)
    }
  })

  it('__free_one_page() puts a block of the second largest order at the head: the one above cannot become larger', () => {
    const pgdat = pictured('M ######## M ######## M ........ M ........ M ######## M ........')
    for (let pfn = 0; pfn < 8; pfn++) __free_pages(pgdat, pfn, 0)
    expect(freeBlocks(pgdat)).toEqual(['M3@0', 'M4@16', 'M3@40'])
    expect(__alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 3)).toBe(0)
  })

  it('__free_one_page() throws for a block that does not begin at a multiple of its size', () => {
    const pgdat = pictured('M ########')
    expect(() => __free_one_page(pgdat, 2, page_zone(pgdat, 2), 2, 1)).toThrow(
      '__free_one_page: pfn 0x2 does not begin a block of order 2, expected a multiple of 4',
    )
  })

  it('split_page() MC-3.12, TV-29: pages 256 to 511 of a free order-10 block are taken, order 8 at 0 and order 9 at 512 stay free', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured(`M ${'.'.repeat(512)} M ${'.'.repeat(512)}`, { kernel })
      expect(__alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 10)).toBe(0)
      split_page(pgdat, 0, 10)
      for (let pfn = 0; pfn < 1024; pfn++) if (pfn < 256 || pfn >= 512) __free_pages(pgdat, pfn, 0)
      expect(freeBlocks(pgdat)).toEqual(['M8@0', 'M9@512'])
    }
  })
})

describe('move_freepages_block', () => {
  it('move_freepages_block() MC-9.8: isolated free pages stay in nr_free but are no free pages any more; in 3.5 they are', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured('M ........ C .....###', { kernel })
      const zone = page_zone(pgdat, 0)
      const blocks = () => zone.nr_free.reduce((sum, count) => sum + count, 0)
      const before = blocks()
      expect(move_freepages_block(pgdat, zone, 8, pgdat.migrate.ISOLATE)).toBe(5)
      set_pageblock_migratetype(pgdat, 8, pgdat.migrate.ISOLATE)
      expect(drawMemory(pgdat)).toBe('M ........\nI .....###')
      expect(blocks()).toBe(before)
      expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(kernel === '3.5' ? 13 : 8)
      expect(zone_page_state(zone, NR_FREE_CMA_PAGES)).toBe(0)
      __free_pages(pgdat, 13, 0)
      expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(kernel === '3.5' ? 14 : 8)
      move_freepages_block(pgdat, zone, 8, pgdat.migrate.CMA)
      expect(zone_page_state(zone, NR_FREE_PAGES)).toBe(14)
      expect(zone_page_state(zone, NR_FREE_CMA_PAGES)).toBe(kernel === '3.5' ? 0 : 6)
    }
  })

  it('move_freepages_block() leaves a pageblock alone that reaches out of its zone', () => {
    const pgdat = pictured('M ........ M ........')
    const zone = { ...page_zone(pgdat, 0), zone_end_pfn: 12 }
    expect(move_freepages_block(pgdat, zone, 8, 0)).toBe(0)
  })
})

describe('counts', () => {
  it('nr_free MC-9.7: 16 MiB of free CMA in blocks of 4 MiB are 4 free blocks of order 10', () => {
    const block = '.'.repeat(512)
    const pgdat = pictured(`${`M ${'#'.repeat(512)} `.repeat(2)}${`C ${block} `.repeat(8)}`)
    const zone = page_zone(pgdat, 0)
    expect(zone.nr_free[10 * MIGRATE_TYPES + pgdat.migrate.CMA]).toBe(4)
    expect(listedBlocks(pgdat, zone).map(({ order }) => order)).toEqual([10, 10, 10, 10])
  })

  it('pageblock_flags MC-9.10: 64 MiB of CMA in blocks of 2 MiB count 32, free or not', () => {
    const pgdat = pictured(`${`M ${'.'.repeat(512)} `.repeat(2)}${`C ${'.'.repeat(512)} `.repeat(32)}`)
    while (__alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE, 9) !== null);
    while (__alloc_pages(pgdat, GFP_KERNEL, 0) !== null);
    expect(pgdat.pageblock_flags.filter((type) => type === pgdat.migrate.CMA)).toHaveLength(32)
  })
})
