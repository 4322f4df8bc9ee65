// SPDX-License-Identifier: MIT
import { describe, expect, it, test } from 'vitest'
import { bitmap_weight } from '../../code/lib/bitmap.ts'
import { EINVAL } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { createRam } from '../../code/arch/ram.ts'
import { createCpu } from '../../code/arch/cpu.ts'
import { GEOMETRIES } from '../../code/arch/pgtable.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import { cma_init_reserved_areas } from '../../code/mm/cma_activate.ts'
import { createCma, type CmaAreas } from '../../code/mm/cma_declare.ts'
import { createMemblock, memblock_add, memblock_reserve } from '../../code/mm/memblock.ts'
import { createPgdat, init_cma_reserved_pageblock, memblock_free_all } from '../../code/mm/mm_init.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, PG_reserved } from '../../code/mm/mmzone.ts'
import { buddy_order, get_pageblock_migratetype, PageBuddy } from '../../code/mm/page.ts'
import { createVm } from '../../code/mm/vm.ts'
import { freeBlocks } from '../support/memory_picture.ts'

const modern = (kernel: KernelVersion) => kernelAtLeast(kernel, '6.1.192')
const BLOCK = 512
// Pageblocks.
const RAM = 64

// 128 MiB from pfn 0x40000 on, in two zones that meet at pageblock `boundary`; areas of `size` pageblocks at `at`, declared and
// not yet activated.
function booted(kernel: KernelVersion, boundary: number, wishes: { at: number; size: number }[]) {
  const memblock = createMemblock()
  memblock_add(memblock, 0x4000_0000, RAM * BLOCK * 4096)
  const log = new Printk()
  const trace = createTrace()
  const highmemStart = 0x4000_0000 + RAM * BLOCK * 4096
  const areas: CmaAreas = {
    ...{ kernel, memblock, log, minAlignment: BLOCK * 4096, maxAreas: 8, highmemStart, areas: [] },
  }
  for (const [i, { at, size }] of wishes.entries()) {
    const base = 0x4000_0000 + at * BLOCK * 4096
    memblock_reserve(memblock, base, size * BLOCK * 4096)
    areas.areas.push(createCma(areas, base, size * BLOCK * 4096, 0, `area${i}`))
  }
  const zones = [
    { name: 'DMA', end: 0x4000_0000 + boundary * BLOCK * 4096 },
    { name: 'Normal', end: highmemStart },
  ] as const
  const sizes = { maxOrder: 10, pageblock_order: 9 }
  const pgdat = createPgdat({ kernel, arch: 'arm64', memblock, zones, ...sizes, log, trace })
  memblock_free_all(pgdat, memblock)
  const cpu = createCpu({ ram: createRam(), arch: 'arm64' })
  const vm = createVm({ pgdat, cpu, log, trace, geometry: GEOMETRIES['arm64-4k-48'] })
  const typeAt = (block: number) => get_pageblock_migratetype(pgdat, 0x4_0000 + block * BLOCK)
  const state = (block: number) => {
    const at = block * BLOCK
    return { reserved: (pgdat.map.flags[at]! & PG_reserved) !== 0, refcount: pgdat.map.refcount[at] }
  }
  return { vm, pgdat, areas, cma: areas.areas, log, typeAt, state, zones: pgdat.zones }
}

const freeOf = (zone: { vm_stat: Int32Array }) => zone.vm_stat[NR_FREE_PAGES]!

describe.each(KERNEL_VERSIONS)('cma_init_reserved_areas() of %s', (kernel) => {
  test('MC-4.12: a pageblock that is reserved becomes one free block of type CMA', () => {
    const { pgdat, cma, typeAt, state, zones } = booted(kernel, RAM, [{ at: 8, size: 2 }])
    const { MOVABLE, CMA } = pgdat.migrate
    expect([typeAt(8), state(8), PageBuddy(pgdat, cma[0]!.base_pfn)]).toEqual([
      MOVABLE,
      { reserved: true, refcount: 1 },
      false,
    ])
    const before = [freeOf(zones[0]!), zones[0]!.managed_pages]
    init_cma_reserved_pageblock(pgdat, cma[0]!.base_pfn)
    expect([typeAt(8), state(8)]).toEqual([CMA, { reserved: false, refcount: 0 }])
    expect([PageBuddy(pgdat, cma[0]!.base_pfn), buddy_order(pgdat, cma[0]!.base_pfn)]).toEqual([true, 9])
    expect([freeOf(zones[0]!), zones[0]!.managed_pages]).toEqual(before.map((pages) => pages + BLOCK))
    expect(zones[0]!.cma_pages).toBe(BLOCK)
    expect(freeBlocks(pgdat)).toContain(`C9@${0x4_0000 + 8 * BLOCK}`)
  })

  test('MC-4.9, MC-9.10: an area of 64 MiB: pages, counters, blocks of type CMA', () => {
    const { vm, pgdat, areas, cma, zones } = booted(kernel, RAM, [{ at: 32, size: 32 }])
    cma_init_reserved_areas(vm, areas)
    const pages = 32 * BLOCK
    expect([zones[0]!.managed_pages, zones[0]!.cma_pages, pgdat.totalcma_pages]).toEqual([
      RAM * BLOCK,
      pages,
      pages,
    ])
    // 3.5 does not count free CMA pages.
    expect(zones[0]!.vm_stat[NR_FREE_CMA_PAGES]).toBe(kernel === '3.5' ? 0 : pages)
    expect(pgdat.pageblock_flags.filter((type) => type === pgdat.migrate.CMA)).toHaveLength(32)
    expect([cma[0]!.bitmap!.nbits, bitmap_weight(cma[0]!.bitmap!, pages)]).toEqual([pages, 0])
  })

  test('MC-4.7: an area across two zones, with a boundary in its third block of four', () => {
    const { vm, pgdat, areas, cma, log, typeAt, state, zones } = booted(kernel, 10, [
      { at: 8, size: 4 },
      { at: 16, size: 2 },
    ])
    const before = zones.map(freeOf)
    expect(cma_init_reserved_areas(vm, areas)).toBe(
      kernelAtLeast(kernel, '4.6') && !modern(kernel) ? -EINVAL : 0,
    )
    expect([cma[0]!.count, cma[0]!.bitmap]).toEqual([0, null])
    const gained = zones.map((zone, i) => freeOf(zone) - before[i]!)
    const { CMA, MOVABLE } = pgdat.migrate
    const second = kernelAtLeast(kernel, '4.6') && !modern(kernel) ? 0 : 2 * BLOCK
    if (modern(kernel)) {
      expect(gained.slice(0, 2)).toEqual([2 * BLOCK, 2 * BLOCK + second])
      expect([8, 9, 10, 11].map(typeAt)).toEqual([MOVABLE, MOVABLE, MOVABLE, MOVABLE])
      expect(pgdat.totalcma_pages).toBe(2 * BLOCK)
      expect(log.lines).toEqual(['cma: CMA area area0 could not be activated'])
    } else {
      expect(gained.slice(0, 2)).toEqual([2 * BLOCK, second])
      expect([8, 9, 10, 11].map(typeAt)).toEqual([CMA, CMA, MOVABLE, MOVABLE])
      expect([9, 10, 11].map(state)).toEqual([
        { reserved: false, refcount: 0 },
        { reserved: true, refcount: 1 },
        { reserved: true, refcount: 1 },
      ])
      expect(log.lines).toEqual([])
    }
    expect(cma_alloc(vm, cma[0]!, 1, 0, true)).toBeNull()
    expect(cma[1]!.bitmap !== null).toBe(second > 0)
  })

  test('MC-2.10: after everything is given back the area is as it was', () => {
    const { vm, pgdat, areas, cma, zones } = booted(kernel, RAM, [{ at: 8, size: 8 }])
    cma_init_reserved_areas(vm, areas)
    const before = [freeBlocks(pgdat), [...zones[0]!.vm_stat]]
    const taken = [1, 100, 2000, 513].map((count) => ({
      count,
      pfn: cma_alloc(vm, cma[0]!, count, 4, false),
    }))
    expect(freeBlocks(pgdat)).not.toEqual(before[0])
    for (const { count, pfn } of taken) expect(cma_release(vm, cma[0]!, pfn, count)).toBe(true)
    expect(bitmap_weight(cma[0]!.bitmap!, 8 * BLOCK)).toBe(0)
    expect([freeBlocks(pgdat), [...zones[0]!.vm_stat]]).toEqual(before)
  })
})

describe('cma_init_reserved_areas()', () => {
  it('throws for an area where there is no RAM', () => {
    const { vm, areas } = booted('6.12.117', RAM, [])
    areas.areas.push(createCma(areas, 0x8000_0000, BLOCK * 4096, 0, 'nowhere'))
    expect(() => cma_init_reserved_areas(vm, areas)).toThrow(
      /cma_activate_area: nowhere: pfn 0x80000 to 0x801ff is outside/,
    )
  })
})
