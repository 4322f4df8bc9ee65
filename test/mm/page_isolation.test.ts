// SPDX-License-Identifier: MIT
import { describe, expect, it, test } from 'vitest'
import { EBUSY } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { get_page_from_free_area } from '../../code/mm/free_list.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, type Pgdat } from '../../code/mm/mmzone.ts'
import { get_pageblock_migratetype } from '../../code/mm/page.ts'
import {
  find_large_buddy,
  start_isolate_page_range,
  test_pages_isolated,
  undo_isolate_page_range,
} from '../../code/mm/page_isolation.ts'
import { drawMemory, freeBlocks, pictured, type PictureOptions } from '../support/memory_picture.ts'

const MODERN = ['6.1.192', '6.12.117'] as const
const BEFORE_6 = KERNEL_VERSIONS.filter((kernel) => !kernelAtLeast(kernel, '6.1.192'))

// The lines of a picture, so that it can be written in one.
const lines = (picture: string) =>
  picture
    .trim()
    .replace(/(\S+) (\S+)\s*/g, '$1 $2\n')
    .trim()
const counted = ({ zones }: Pgdat) =>
  [NR_FREE_PAGES, NR_FREE_CMA_PAGES].map((item) => zones[0]!.vm_stat[item])

// Pageblocks of 8 pages, free blocks of up to 16.
const draw = (picture: string, options: PictureOptions = {}) => pictured(picture, { maxOrder: 4, ...options })

describe.each(KERNEL_VERSIONS)('start_isolate_page_range() of %s', (kernel) => {
  const isolate = (pgdat: Pgdat, start: number, end: number) =>
    start_isolate_page_range(pgdat, start, end, pgdat.migrate.CMA)

  it('takes pageblocks out of circulation, and undoing brings them back', () => {
    const before = 'C ........ C ..####.. C ........ C ........'
    const pgdat = draw(before, { kernel, maxOrder: 3 })
    const [free, cma] = counted(pgdat)
    expect(isolate(pgdat, 8, 24)).toBe(0)
    expect(drawMemory(pgdat)).toBe(lines('C ........ I ..####.. I ........ C ........'))
    expect(counted(pgdat)).toEqual(kernel === '3.5' ? [free, cma] : [free! - 12, cma! - 12])
    undo_isolate_page_range(pgdat, 8, 24, pgdat.migrate.CMA)
    expect(drawMemory(pgdat)).toBe(lines(before))
    expect(counted(pgdat)).toEqual([free, cma])
    expect(freeBlocks(pgdat)).toEqual(['C3@0', 'C1@8', 'C1@14', 'C3@16', 'C3@24'])
  })

  it('changes nothing when a block of the range cannot be isolated', () => {
    const before = 'M ........ M ....**** U ...#.... M ........'
    const pgdat = draw(before, { kernel })
    const free = counted(pgdat)
    const { MOVABLE } = pgdat.migrate
    expect(start_isolate_page_range(pgdat, 0, 32, MOVABLE)).toBe(-EBUSY)
    expect(drawMemory(pgdat)).toBe(lines(before))
    expect(counted(pgdat)).toEqual(free)
  })

  it('looks for unmovable pages in blocks that are not for movable ones; what is free or on an LRU list may stay', () => {
    const pgdat = draw('U ..**.... U ........', { kernel })
    expect(start_isolate_page_range(pgdat, 0, 8, pgdat.migrate.MOVABLE)).toBe(0)
    const kernelPage = draw('R ......#. U ........', { kernel })
    expect(start_isolate_page_range(kernelPage, 0, 8, kernelPage.migrate.MOVABLE)).toBe(-EBUSY)
  })
})

describe.each(MODERN)('start_isolate_page_range() of %s', (kernel) => {
  it('isolates the pageblocks that the range touches', () => {
    const pgdat = draw('C ........ C ........ C ........ C ........', { kernel })
    expect(start_isolate_page_range(pgdat, 10, 17, pgdat.migrate.CMA)).toBe(0)
    expect(drawMemory(pgdat)).toBe(lines('C ........ I ........ I ........ C ........'))
    // The free block of 16 pages at each edge is cut there.
    expect(freeBlocks(pgdat)).toEqual(['C3@0', 'I3@8', 'I3@16', 'C3@24'])
    undo_isolate_page_range(pgdat, 10, 17, pgdat.migrate.CMA)
    expect(freeBlocks(pgdat)).toEqual(['C4@0', 'C4@16'])
  })

  it('cuts a free block that is larger than two pageblocks', () => {
    const before = 'M ........ M ........ M ........ M ........'
    const pgdat = draw(before, { kernel, maxOrder: 5 })
    start_isolate_page_range(pgdat, 9, 10, pgdat.migrate.MOVABLE)
    expect(drawMemory(pgdat)).toBe(lines('M ........ I ........ M ........ M ........'))
    expect(freeBlocks(pgdat)).toEqual(['M3@0', 'I3@8', 'M4@16'])
    undo_isolate_page_range(pgdat, 9, 10, pgdat.migrate.MOVABLE)
    expect([drawMemory(pgdat), freeBlocks(pgdat)]).toEqual([lines(before), ['M5@0']])
  })

  it('MC-3.8: a block that is isolated already is -EBUSY, and stays so', () => {
    const pgdat = draw('C ........ C ........ C ........ C ........', { kernel })
    const { CMA } = pgdat.migrate
    expect(start_isolate_page_range(pgdat, 8, 16, CMA)).toBe(0)
    expect(start_isolate_page_range(pgdat, 0, 24, CMA)).toBe(-EBUSY)
    expect(start_isolate_page_range(pgdat, 8, 16, CMA)).toBe(-EBUSY)
    expect(drawMemory(pgdat)).toBe(lines('C ........ I ........ C ........ C ........'))
  })

  it('refuses CMA blocks to whoever does not ask for CMA', () => {
    const pgdat = draw('C ........ C ........', { kernel })
    expect(start_isolate_page_range(pgdat, 0, 8, pgdat.migrate.MOVABLE)).toBe(-EBUSY)
  })

  it('minds unmovable pages that are not wanted, if they are in a pageblock that is', () => {
    const pgdat = draw('M #####... M ........ M .......#', { kernel })
    const { MOVABLE } = pgdat.migrate
    expect(start_isolate_page_range(pgdat, 5, 8, MOVABLE)).toBe(-EBUSY)
    expect(start_isolate_page_range(pgdat, 8, 17, MOVABLE)).toBe(-EBUSY)
    expect(start_isolate_page_range(pgdat, 10, 12, MOVABLE)).toBe(0)
    expect(drawMemory(pgdat)).toBe(lines('M #####... I ........ M .......#'))
  })

  it('6.12 refuses a pageblock that two zones share, 6.1 isolates it in name only', () => {
    const shared = pictured('C ........ C ........', {
      kernel,
      maxOrder: 3,
      zones: [
        ['DMA', 1],
        ['Normal', 1],
      ],
    })
    Object.assign(shared.zones[0]!, { zone_end_pfn: 12 })
    Object.assign(shared.zones[1]!, { zone_start_pfn: 12 })
    const free = counted(shared)
    const { CMA, ISOLATE } = shared.migrate
    const old = kernel === '6.1.192'
    expect(start_isolate_page_range(shared, 8, 16, CMA)).toBe(old ? 0 : -EBUSY)
    expect(get_pageblock_migratetype(shared, 8)).toBe(old ? ISOLATE : CMA)
    expect(counted(shared)).toEqual(free)
  })

  it('gives back last in the list what undo_isolate_page_range() merged', () => {
    const pgdat = draw('C ........ C ........ C ........ C ........', { kernel })
    const { CMA } = pgdat.migrate
    start_isolate_page_range(pgdat, 8, 16, CMA)
    undo_isolate_page_range(pgdat, 8, 16, CMA)
    expect(get_page_from_free_area(pgdat.zones[0]!, 4, CMA)).toBe(16)
  })

  it('refuses reserved pages of a block that is not CMA', () => {
    const pgdat = draw('M ...x.... M ........', { kernel })
    expect(start_isolate_page_range(pgdat, 0, 8, pgdat.migrate.MOVABLE)).toBe(-EBUSY)
  })
})

describe.each(BEFORE_6)('start_isolate_page_range() of %s', (kernel) => {
  it('wants whole pageblocks', () => {
    const pgdat = draw('C ........ C ........', { kernel })
    expect(() => start_isolate_page_range(pgdat, 2, 8, pgdat.migrate.CMA)).toThrow(
      'start_isolate_page_range: [0x2, 0x8) does not begin and end at a pageblock, expected multiples of 8',
    )
  })

  it('moves a free block that reaches over the edge as a whole: hence the caller widens the range', () => {
    const pgdat = draw('C ........ C ........', { kernel })
    expect(start_isolate_page_range(pgdat, 0, 8, pgdat.migrate.CMA)).toBe(0)
    expect(drawMemory(pgdat)).toBe(lines('I ........ C iiiiiiii'))
  })

  it('believes that MOVABLE blocks hold movable pages only, and isolates twice', () => {
    const pgdat = draw('M #####... M ........', { kernel })
    const { MOVABLE } = pgdat.migrate
    expect(start_isolate_page_range(pgdat, 0, 8, MOVABLE)).toBe(0)
    expect(start_isolate_page_range(pgdat, 8, 16, MOVABLE)).toBe(0)
    expect(start_isolate_page_range(pgdat, 8, 16, MOVABLE)).toBe(0)
  })
})

describe('undo_isolate_page_range()', () => {
  // Two neighbours are isolated one after the other, so that they could not merge meanwhile.
  function parted(kernel: KernelVersion): string[] {
    const pgdat = draw('C ........ C ........', { kernel })
    const { CMA } = pgdat.migrate
    start_isolate_page_range(pgdat, 0, 8, CMA)
    start_isolate_page_range(pgdat, 8, 16, CMA)
    undo_isolate_page_range(pgdat, 0, 16, CMA)
    return freeBlocks(pgdat)
  }
  test.each(KERNEL_VERSIONS)('leaves free blocks merged [%s]', (kernel) => {
    expect(parted(kernel)).toEqual(['C4@0'])
  })
})

describe('test_pages_isolated()', () => {
  function tested(kernel: KernelVersion, picture: string, start: number, end: number) {
    const pgdat = draw(picture, { kernel })
    pgdat.trace.enabled = true
    const ret = test_pages_isolated(pgdat, start, end)
    return { ret, events: pgdat.trace.records.map(({ fields }) => fields) }
  }

  it('reports the first page that is not free', () => {
    expect(tested('6.12.117', 'I ........ I ..#.....', 0, 16)).toEqual({
      ret: -EBUSY,
      events: [{ start_pfn: 0, end_pfn: 16, fin_pfn: 10 }],
    })
  })

  it('reports the end of the last free block, which may lie behind the range', () => {
    expect(tested('4.6', 'I ........ I ........', 0, 10)).toEqual({
      ret: 0,
      events: [{ start_pfn: 0, end_pfn: 10, fin_pfn: 16 }],
    })
  })

  it('a block that is not isolated: an event in 6.x alone; none at all in 3.x', () => {
    const other = (kernel: KernelVersion) => tested(kernel, 'I ........ C ........', 0, 16)
    expect(other('6.1.192')).toEqual({ ret: -EBUSY, events: [{ start_pfn: 0, end_pfn: 16, fin_pfn: 8 }] })
    expect(other('4.12.4')).toEqual({ ret: -EBUSY, events: [] })
    expect(tested('3.9', 'I ........ I ........', 0, 16)).toEqual({ ret: 0, events: [] })
  })
})

describe('find_large_buddy()', () => {
  it('finds the free block around a page, not one that ends before it', () => {
    const pgdat = draw('C ....###. C ########')
    expect([0, 3, 4, 6, 7, 8].map((pfn) => find_large_buddy(pgdat, pfn))).toEqual([0, 0, 4, 6, 7, 8])
  })
})
