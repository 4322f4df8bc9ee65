// SPDX-License-Identifier: MIT
//
// MC-9.1 to MC-9.5: whose lists a request takes from when its own are empty, and what becomes of the pageblock.
import { describe, expect, it } from 'vitest'
import { KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL, __GFP_RECLAIMABLE } from '../../code/mm/gfp.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, type Pgdat } from '../../code/mm/mmzone.ts'
import { page_zone, zone_page_state } from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { ALLOC_NOFRAGMENT, rmqueue } from '../../code/mm/page_alloc_rmqueue.ts'
import { createMemblock, memblock_add, memblock_reserve } from '../../code/mm/memblock.ts'
import { createPgdat, init_cma_reserved_pageblock, memblock_free_all } from '../../code/mm/mm_init.ts'
import { init_per_zone_wmark_min } from '../../code/mm/watermark.ts'
import { zoneLimits } from '../../code/mm/zones.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { drawMemory, freeBlocks, pictured } from '../support/memory_picture.ts'

const MOVABLE = GFP_HIGHUSER_MOVABLE
const typesOf = (pgdat: Pgdat) => drawMemory(pgdat).replace(/ .*/g, '').replace(/\n/g, '')

describe('fallback', () => {
  const order3 = (movable: number) => `M ........${'*'.repeat(movable)}${'#'.repeat(504 - movable)}`

  it('__alloc_pages() MC-9.1 (a): an order-10 block of MOVABLE becomes UNMOVABLE with both of its pageblocks', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured(`M ${'.'.repeat(512)} M ${'.'.repeat(512)}`, { kernel })
      expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBe(0)
      expect(typesOf(pgdat)).toBe('UU')
      expect(freeBlocks(pgdat)).toEqual(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((order) => `U${order}@${2 ** order}`),
      )
    }
  })

  it('__alloc_pages() MC-9.1 (b): with 500 movable pages around, 12 < 256: 6.1 moves the free pages, 6.12 takes one', () => {
    const old = pictured(order3(500), { kernel: '6.1.192' })
    expect(__alloc_pages(old, GFP_KERNEL, 0)).toBe(0)
    expect(typesOf(old)).toBe('M')
    expect(freeBlocks(old)).toEqual(['U0@1', 'U1@2', 'U2@4'])
    const now = pictured(order3(500), { kernel: '6.12.117' })
    expect(__alloc_pages(now, GFP_KERNEL, 0)).toBe(0)
    expect(typesOf(now)).toBe('M')
    expect(freeBlocks(now)).toEqual(['M0@1', 'M1@2', 'M2@4'])
  })

  it('__alloc_pages() MC-9.1 (c): with 100 movable pages, 412 ≥ 256: the block becomes UNMOVABLE since 4.12; 4.6 counts free pages only', () => {
    for (const [kernel, type] of [
      ['4.6', 'M'],
      ['4.12.4', 'U'],
      ['6.1.192', 'U'],
      ['6.12.117', 'U'],
    ] as const) {
      const pgdat = pictured(order3(100), { kernel })
      expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBe(0)
      expect(typesOf(pgdat)).toBe(type)
      expect(freeBlocks(pgdat)).toEqual(['U0@1', 'U1@2', 'U2@4'])
    }
  })

  it('__alloc_pages() MC-9.1, MC-9.5: MOVABLE may not take over for an order-3 block (3 < 4): its pieces alone change lists, or stay in 6.12', () => {
    for (const [kernel, letter] of [
      ['3.5', 'M'],
      ['4.6', 'M'],
      ['4.12.4', 'M'],
      ['6.1.192', 'M'],
      ['6.12.117', 'U'],
    ] as const) {
      const pgdat = pictured(`U ........${'#'.repeat(504)}`, { kernel })
      expect(__alloc_pages(pgdat, MOVABLE, 0)).toBe(0)
      expect(typesOf(pgdat)).toBe('U')
      expect(freeBlocks(pgdat)).toEqual([`${letter}0@1`, `${letter}1@2`, `${letter}2@4`])
    }
  })

  it('__alloc_pages() a movable request takes the smallest block that it cannot take over since 6.1, the largest in 4.x', () => {
    const picture = `U ..##....${'#'.repeat(504)}`
    expect(__alloc_pages(pictured(picture, { kernel: '4.12.4' }), MOVABLE, 0)).toBe(4)
    expect(__alloc_pages(pictured(picture, { kernel: '6.1.192' }), MOVABLE, 0)).toBe(0)
    expect(__alloc_pages(pictured(picture, { kernel: '6.12.117' }), MOVABLE, 0)).toBe(0)
  })

  it('__alloc_pages() RECLAIMABLE looks at UNMOVABLE before MOVABLE', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured('M ........ U ........', { kernel, maxOrder: 3 })
      expect(__alloc_pages(pgdat, GFP_KERNEL | __GFP_RECLAIMABLE, 0)).toBe(8)
    }
  })

  it('__alloc_pages() 3.5 claims a block when half of it is free, and moves what is free for RECLAIMABLE', () => {
    const half = pictured('M ####....', { kernel: '3.5' })
    __alloc_pages(half, GFP_KERNEL, 0)
    expect(drawMemory(half)).toBe('U #####...')
    const less = pictured('M ######.#', { kernel: '3.5' })
    __alloc_pages(less, GFP_KERNEL | __GFP_RECLAIMABLE, 0)
    expect(typesOf(less)).toBe('M')
    const blocks = pictured('M #####.##.......#', { kernel: '3.5' })
    __alloc_pages(blocks, GFP_KERNEL | __GFP_RECLAIMABLE, 0)
    expect(drawMemory(blocks)).toBe('R #####.###......#')
  })

  it('rmqueue() with ALLOC_NOFRAGMENT takes whole pageblocks of another type only', () => {
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      const part = pictured('M ####.... M ########', { kernel })
      expect(rmqueue(part, page_zone(part, 0), 0, 0, ALLOC_NOFRAGMENT)).toBe(-1)
      const whole = pictured('M ####.... M ........', { kernel })
      expect(rmqueue(whole, page_zone(whole, 0), 0, 0, ALLOC_NOFRAGMENT)).toBe(8)
      expect(typesOf(whole)).toBe('MU')
    }
  })

  it('mm_page_alloc_extfrag tells of orders, types and whether the block changed', () => {
    const pgdat = pictured('M ####....', { kernel: '6.1.192' })
    pgdat.trace.enabled = true
    __alloc_pages(pgdat, GFP_KERNEL, 0)
    expect(pgdat.trace.records[0]).toMatchObject({
      event: 'mm_page_alloc_extfrag',
      fields: {
        ...{ pfn: 4, alloc_order: 0, fallback_order: 2, pageblock_order: 3 },
        ...{ alloc_migratetype: 0, fallback_migratetype: 1, fragmenting: 1, change_ownership: 1 },
      },
    })
  })
})

describe('fallback at its edges', () => {
  it('a HIGHATOMIC block keeps its type, whoever takes what of it lies on other lists', () => {
    for (const picture of ['H mmmmmmmm', 'H mmmm####'] as const) {
      for (const kernel of ['6.1.192', '6.12.117'] as const) {
        const pgdat = pictured(picture, { kernel })
        expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).not.toBeNull()
        expect(typesOf(pgdat)).toBe('H')
      }
    }
  })

  it('mm_page_alloc_extfrag: a whole pageblock is not fragmented; 3.x says of ownership what it says of the types', () => {
    const told = (kernel: KernelVersion, picture: string) => {
      const pgdat = pictured(picture, { kernel, maxOrder: 3 })
      pgdat.trace.enabled = true
      __alloc_pages(pgdat, GFP_KERNEL, 0)
      const { fallback_order, fallback_migratetype, fragmenting, change_ownership } =
        pgdat.trace.records[0]!.fields
      return [fallback_order, fallback_migratetype, fragmenting, change_ownership]
    }
    expect(told('6.12.117', 'M ........')).toEqual([3, 1, 0, 1])
    // Two of eight pages: they change lists, the block does not change sides, and 3.5 says that it did.
    expect(told('3.5', 'M ######..')).toEqual([1, 0, 1, 1])
    expect(told('4.6', 'M ######..')).toEqual([1, 1, 1, 0])
  })
})

describe('CMA', () => {
  it('__alloc_pages() TV-32, MC-9.3: UNMOVABLE fails where only CMA is free, and memory is out, in all versions', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const pgdat = pictured('M ######## C ........', { kernel })
      let outOfMemory = 0
      pgdat.hooks.outOfMemory = () => void outOfMemory++
      expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBeNull()
      expect(__alloc_pages(pgdat, GFP_KERNEL | __GFP_RECLAIMABLE, 0)).toBeNull()
      expect(outOfMemory).toBe(2)
      expect(__alloc_pages(pgdat, MOVABLE, 0)).toBe(8)
      expect(freeBlocks(pgdat)).toEqual(['C0@9', 'C1@10', 'C2@12'])
    }
  })

  it('__alloc_pages() TV-33: 3.5 takes RECLAIMABLE order 10 before CMA order 3, for the search goes by orders', () => {
    for (const kernel of ['3.5', '3.9'] as const) {
      expect(givenFrom(kernel)).toBe('R')
      // At the same order CMA is first.
      const same = pictured(`R ${'.'.repeat(8)} C ${'.'.repeat(8)}`, { kernel, maxOrder: 3 })
      expect(__alloc_pages(same, MOVABLE, 0)).toBe(8)
    }
  })

  it('__alloc_pages() TV-34: 4.x and 6.x take CMA order 3 there, before any other type', () => {
    for (const kernel of ['4.6', '4.12.4', '6.1.192', '6.12.117'] as const)
      expect(givenFrom(kernel)).toBe('C')
  })

  // RECLAIMABLE has an order-10 block, CMA an order-3 block: which of them a movable page comes from.
  function givenFrom(kernel: KernelVersion): string {
    const reclaimable = `R ${'.'.repeat(512)} R ${'.'.repeat(512)}`
    const pgdat = pictured(`${reclaimable} C ${'#'.repeat(504)}........`, { kernel })
    return __alloc_pages(pgdat, MOVABLE, 0)! >= 1024 ? 'C' : 'R'
  }

  it('__alloc_pages() MC-9.2: CMA comes first only when it is more than half of the free pages, rounded down', () => {
    const firstFrom = (own: number, cma: number, kernel: KernelVersion) => {
      const block = (free: number) => `${'.'.repeat(free)}${'#'.repeat(64 - free)}`
      const pgdat = pictured(`M ${block(own)} C ${block(cma)}`, { kernel })
      return __alloc_pages(pgdat, MOVABLE, 0)! >= 64 ? 'CMA' : 'own'
    }
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      expect(firstFrom(50, 50, kernel)).toBe('own')
      expect(firstFrom(49, 51, kernel)).toBe('CMA')
      expect(firstFrom(50, 51, kernel)).toBe('CMA')
    }
    for (const kernel of ['3.5', '3.9', '4.6', '4.12.4'] as const)
      expect(firstFrom(1, 60, kernel)).toBe('own')
  })

  it('__alloc_pages() MC-9.4: movable pages come from half rule, own, CMA, others in 6.x; own, CMA, others in 4.x; in 3.5 CMA is one of the others', () => {
    // 4 pages each of MOVABLE, CMA, UNMOVABLE; 0 to 3 is own, 8 to 11 CMA, 16 to 19 UNMOVABLE.
    const order = (kernel: KernelVersion) => {
      const pgdat = pictured('M ....#### C ....#### U ....####', { kernel, maxOrder: 3 })
      let taken = ''
      for (let i = 0; i < 12; i++) taken += 'MCU'[__alloc_pages(pgdat, MOVABLE, 0)! >> 3]
      return taken
    }
    // One page of CMA leaves pieces; then the largest block is UNMOVABLE, which changes sides whole.
    expect(order('3.5')).toBe('MMMMCUUUUCCC')
    expect(order('3.9')).toBe('MMMMCUUUUCCC')
    expect(order('4.6')).toBe('MMMMCCCCUUUU')
    expect(order('4.12.4')).toBe('MMMMCCCCUUUU')
    // 12 free, 4 CMA: own until CMA is more than half of what is left; then CMA; 4 > 6/2 after six.
    expect(order('6.1.192')).toBe('MMMMCCCCUUUU')
    const half = (kernel: KernelVersion) => {
      const pgdat = pictured('M ..###### C ......##', { kernel, maxOrder: 3 })
      let taken = ''
      for (let i = 0; i < 8; i++) taken += 'MC'[__alloc_pages(pgdat, MOVABLE, 0)! >> 3]
      return taken
    }
    expect(half('4.12.4')).toBe('MMCCCCCC')
    expect(half('6.1.192')).toBe('CCCCMCMC')
    expect(half('6.12.117')).toBe('CCCCMCMC')
  })

  it('__alloc_pages() MC-9.5: what is cut off a CMA block stays CMA; a claimed block gives its pieces to the request', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const cma = pictured('M ######## C ........', { kernel })
      __alloc_pages(cma, MOVABLE, 1)
      expect(drawMemory(cma)).toBe('M ########\nC ##......')
      const claimed = pictured('M ........', { kernel })
      __alloc_pages(claimed, GFP_KERNEL, 1)
      expect(drawMemory(claimed)).toBe('U ##......')
    }
  })

  it('__alloc_pages() TV-25: with 512 MiB, 256 MiB of them CMA, filled with movable pages, CmaFree/MemFree goes to 0.500', () => {
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      const pgdat = filledNode(kernel)
      const zone = pgdat.zones[0]!
      const ratio = () => zone_page_state(zone, NR_FREE_CMA_PAGES) / zone_page_state(zone, NR_FREE_PAGES)
      for (let i = 0; i < 40_000; i++) __alloc_pages(pgdat, MOVABLE, 0)
      expect(ratio()).toBeCloseTo(0.5, 3)
      while (__alloc_pages(pgdat, MOVABLE, 0) !== null);
      // About 700 pages are left: one page more or less.
      expect(ratio()).toBeCloseTo(0.5, 2)
      // Unmovable requests see half of what is free, and are refused first.
      expect(__alloc_pages(pgdat, GFP_KERNEL, 0)).toBeNull()
    }
  })

  // 512 MiB at 0x40000000, a kernel of 32 MiB, 256 MiB of CMA at the top.
  function filledNode(kernel: KernelVersion): Pgdat {
    const memblock = createMemblock()
    memblock_add(memblock, 0x4000_0000, 0x2000_0000)
    memblock_reserve(memblock, 0x4020_0000, 0x200_0000)
    memblock_reserve(memblock, 0x5000_0000, 0x1000_0000)
    const zones = zoneLimits({ kernel, arch: 'arm64', memblock })
    const parts = { kernel, arch: 'arm64', memblock, zones, maxOrder: 10, pageblock_order: 9 } as const
    const pgdat = createPgdat({ ...parts, log: new Printk(), trace: createTrace() })
    memblock_free_all(pgdat, memblock)
    for (let pfn = 0x50000; pfn < 0x60000; pfn += 512) init_cma_reserved_pageblock(pgdat, pfn)
    init_per_zone_wmark_min(pgdat)
    return pgdat
  }

  it('__free_pages() puts pages on the list of their pageblock, whoever had them', () => {
    const pgdat = pictured('M ######## C ........')
    const pfn = __alloc_pages(pgdat, MOVABLE, 0)!
    __free_pages(pgdat, pfn, 0)
    expect(freeBlocks(pgdat)).toEqual(['C3@8'])
  })
})
