// SPDX-License-Identifier: MIT
//
// alloc_contig_range() with real pages: 32 MiB of RAM, the last 8 of them a CMA area from pfn 0x41800 on, pageblocks of
// 512 pages, free blocks of up to 1024.
import { describe, expect, it, test } from 'vitest'
import { cpuRead } from '../../code/arch/cpu.ts'
import { bitmap_weight } from '../../code/lib/bitmap.ts'
import { EAGAIN, EBUSY, EINTR, EINVAL, ENOMEM } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { cma_alloc } from '../../code/mm/cma.ts'
import { alloc_contig_range, free_contig_range, type ContigRange } from '../../code/mm/contig_range.ts'
import { __GFP_NOFAIL, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { lruvec_del_folio } from '../../code/mm/lru.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, PAGE_MAPPING_ANON } from '../../code/mm/mmzone.ts'
import { get_pageblock_migratetype, PageBuddy, set_pageblock_migratetype } from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { start_isolate_page_range } from '../../code/mm/page_isolation.ts'
import type { Vm } from '../../code/mm/vm.ts'
import { freeBlocks } from '../support/memory_picture.ts'
import {
  fillArea,
  PAGE,
  pfnAt,
  readStamp,
  smallMachine,
  stamp,
  type SmallMachine,
} from '../support/mm_machine.ts'

const areaMachine = (kernel: KernelVersion) => smallMachine({ kernel, pages: 8192, cmaPages: 2048 })
const MODERN = ['6.1.192', '6.12.117'] as const
const SINCE_39 = KERNEL_VERSIONS.filter((kernel) => kernel !== '3.5')
const isModern = (kernel: KernelVersion) => kernelAtLeast(kernel, '6.1.192')

// Takes `count` pages of the area from `bit` on.
function take({ vm, cma }: SmallMachine, bit: number, count: number): number {
  const start = cma.base_pfn + bit
  return alloc_contig_range(vm, start, start + count, vm.pgdat.migrate.CMA, GFP_KERNEL)
}

// Calls `look` at each step of alloc_contig_range().
function atStep(vm: Vm, look: (step: string) => void): void {
  const steps: string[] = []
  steps.push = (...names) => {
    names.forEach(look)
    return 0
  }
  vm.steps = steps
}

const counters = ({ zone }: SmallMachine) => [zone.vm_stat[NR_FREE_PAGES]!, zone.vm_stat[NR_FREE_CMA_PAGES]!]
const typesOf = ({ vm, cma }: SmallMachine) =>
  [0, 512, 1024, 1536].map((bit) => get_pageblock_migratetype(vm.pgdat, cma.base_pfn + bit))
const free = ({ vm, cma }: SmallMachine) =>
  freeBlocks(vm.pgdat).flatMap((block) => {
    const [, order, pfn] = /^C(\d+)@(\d+)$/.exec(block) ?? []
    return pfn === undefined ? [] : [`${Number(pfn) - cma.base_pfn}+${2 ** Number(order)}`]
  })

describe.each(KERNEL_VERSIONS)('alloc_contig_range() of %s', (kernel) => {
  it('MC-3.1: whole pageblocks stop being free meanwhile, until 4.12 whole 4 MiB', () => {
    const machine = smallMachine({ kernel, pages: 16384, cmaPages: 4096 })
    const [free, cma] = counters(machine)
    const seen: number[][] = []
    atStep(machine.vm, (step) => step === '__alloc_contig_migrate_range' && seen.push(counters(machine)))
    expect(take(machine, 0, 256)).toBe(0)
    // 3.5 counts isolated pages as free, and no free CMA pages at all.
    const [gone, ofCma] = kernel === '3.5' ? [0, 0] : isModern(kernel) ? [512, 512] : [1024, 1024]
    expect(seen).toEqual([[free! - gone, cma! - ofCma]])
    expect(counters(machine)).toEqual([free! - 256, kernel === '3.5' ? 0 : cma! - 256])
  })

  it('MC-3.2: the pages are the caller’s, the rest of their pageblocks is as before', () => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    expect(take(machine, 100, 600)).toBe(0)
    const { map, migrate } = vm.pgdat
    for (let pfn = cma.base_pfn + 100; pfn < cma.base_pfn + 700; pfn++) {
      expect([map.refcount[pfn - map.start_pfn], PageBuddy(vm.pgdat, pfn)]).toEqual([1, false])
    }
    expect(typesOf(machine)).toEqual([migrate.CMA, migrate.CMA, migrate.CMA, migrate.CMA])
    expect(free(machine)).toEqual(['0+64', '64+32', '96+4', '700+4', '704+64', '768+256', '1024+1024'])
  })

  it('MC-3.2: who was there is elsewhere, with all that he had', () => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 700)
    expect(take(machine, 0, 600)).toBe(0)
    for (let page = 0; page < 700; page++) {
      expect(readStamp(vm, mm, va + page * PAGE)).toBe(page + 1)
      const pfn = pfnAt(vm, mm, va + page * PAGE)!
      expect(pfn >= cma.base_pfn && pfn < cma.base_pfn + 600).toBe(false)
      if (page >= 600) expect(pfn).toBe(cma.base_pfn + page)
    }
  })

  it('MC-3.3: after a failure nothing is lost, and what has moved stays where it went', () => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 64)
    const { map, migrate } = vm.pgdat
    const pinned = cma.base_pfn + 40
    map.refcount[pinned - map.start_pfn]!++
    const [before] = counters(machine)
    expect(take(machine, 0, 256)).toBe(-EBUSY)
    expect(typesOf(machine)).toEqual([migrate.CMA, migrate.CMA, migrate.CMA, migrate.CMA])
    expect(counters(machine)[0]).toBe(before)
    const where = Array.from({ length: 64 }, (_, page) => pfnAt(vm, mm, va + page * PAGE)!)
    expect(where[40]).toBe(pinned)
    // The first batch of 32 is gone from the range; 3.x gives up at the second.
    expect(where.slice(0, 32).every((pfn) => pfn < cma.base_pfn || pfn >= cma.base_pfn + 256)).toBe(true)
    expect(where.every((_, page) => readStamp(vm, mm, va + page * PAGE) === page + 1)).toBe(true)
    expect(free(machine)[0]).toBe('0+32')
    map.refcount[pinned - map.start_pfn]!--
    expect(take(machine, 0, 256)).toBe(0)
  })

  it('a range that is empty or of no whole pages is no range', () => {
    const machine = areaMachine(kernel)
    const before = free(machine)
    for (const count of [0, -8, 0.5]) expect(() => take(machine, 16, count)).toThrow('holds no whole page')
    expect(free(machine)).toEqual(before)
  })

  it('MC-3.7: a killed task stops the search, and nothing has changed', () => {
    const machine = areaMachine(kernel)
    const before = [counters(machine), freeBlocks(machine.vm.pgdat)]
    machine.vm.fatalSignal = true
    expect(take(machine, 0, 256)).toBe(-EINTR)
    const tried: number[] = []
    const watched: ContigRange = (vm, start, ...rest) => {
      tried.push(start)
      return alloc_contig_range(vm, start, ...rest)
    }
    expect(cma_alloc(machine.vm, machine.cma, 256, 8, false, watched)).toBeNull()
    expect(tried).toEqual([machine.cma.base_pfn])
    expect(bitmap_weight(machine.cma.bitmap!, 2048)).toBe(0)
    expect([counters(machine), freeBlocks(machine.vm.pgdat).sort()]).toEqual([
      before[0],
      [...(before[1] as string[])].sort(),
    ])
  })

  it('MC-3.9: does not clear the pages', () => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    fillArea(machine, 1)
    expect(take(machine, 0, 1)).toBe(0)
    expect(cpuRead(vm.cpu, cma.base_pfn * PAGE, 16, 'normal')).toEqual(stamp(1))
  })

  it('TV-29, MC-3.12: a free block of 4 MiB around the range is cut into the largest pieces that are left', () => {
    const machine = smallMachine({ kernel, pages: 8192, cmaPages: 1024 })
    expect(free(machine)).toEqual(['0+1024'])
    expect(take(machine, 256, 256)).toBe(0)
    expect(free(machine)).toEqual(['0+256', '512+512'])
    free_contig_range(machine.vm, machine.cma.base_pfn + 256, 256)
    expect(free(machine)).toEqual(['0+1024'])
  })

  it('a page without owner is in nobody’s power: cma_alloc() steps over it', () => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    expect(take(machine, 300, 1)).toBe(0)
    expect(cma_alloc(vm, cma, 256, 6, false)).toBe(cma.base_pfn)
    expect(cma_alloc(vm, cma, 256, 6, false)).toBe(cma.base_pfn + 320)
  })
})

describe.each(KERNEL_VERSIONS)('MC-3.14: the steps of alloc_contig_range() in %s', (kernel) => {
  // What is recorded while `use` takes a range.
  function steps(prepare: (machine: SmallMachine) => void, count = 100): string[] {
    const machine = areaMachine(kernel)
    prepare(machine)
    machine.vm.steps = []
    take(machine, 10, count)
    return machine.vm.steps
  }
  const start = ['start_isolate_page_range']
  const undo = ['undo_isolate_page_range']
  const migrate = isModern(kernel)
    ? ['drain_all_pages', '__alloc_contig_migrate_range', 'lru_cache_disable', 'lru_cache_enable']
    : ['__alloc_contig_migrate_range']
  const drain = isModern(kernel) ? [] : ['lru_add_drain_all', 'drain_all_pages']
  const tested = [...drain, 'outer_start', 'test_pages_isolated']
  const reclaim = kernel === '3.5' ? ['__reclaim_pages'] : []
  const taken = [...reclaim, 'isolate_freepages_range', 'free_contig_range']

  it('success', () => {
    expect(steps(() => undefined)).toEqual([...start, ...migrate, ...tested, ...taken, ...undo])
  })

  it('a busy page ends it at migration in 3.x, at the test later', () => {
    const ofFile = (machine: SmallMachine) => {
      fillArea(machine, 64)
      const { map } = machine.vm.pgdat
      map.refcount[machine.cma.base_pfn + 20 - map.start_pfn]!++
    }
    const test = kernelAtLeast(kernel, '4.6') ? tested : []
    expect(steps(ofFile)).toEqual([...start, ...migrate, ...test, ...undo])
  })

  it('a failed isolation is undone twice in 3.5 and 6.x', () => {
    const unmovable = ({ vm, cma }: SmallMachine) => {
      alloc_contig_range(vm, cma.base_pfn + 20, cma.base_pfn + 21, vm.pgdat.migrate.CMA, GFP_KERNEL)
      set_pageblock_migratetype(vm.pgdat, cma.base_pfn, vm.pgdat.migrate.UNMOVABLE)
    }
    const again = kernel === '3.5' || isModern(kernel) ? undo : []
    expect(steps(unmovable)).toEqual([...start, ...again])
  })
})

describe('alloc_contig_range() has too little memory', () => {
  // `pages` anonymous pages in an area that is isolated as a whole, 1000 free pages besides, min watermark 724.
  function crowded(kernel: KernelVersion, pages: number): SmallMachine {
    const machine = smallMachine({ kernel, pages: 8192, cmaPages: 1024 })
    const { vm, zone } = machine
    fillArea(machine, pages)
    delete vm.pgdat.hooks.reclaim
    delete vm.pgdat.hooks.wakeKswapd
    delete vm.pgdat.hooks.outOfMemory
    const inArea = kernel === '3.5' ? 0 : 1024 - pages
    while (zone.vm_stat[NR_FREE_PAGES]! > 1000 + inArea) {
      if (__alloc_pages(vm.pgdat, GFP_KERNEL, 0) === null) throw new Error('crowded: nothing left')
    }
    Object.assign(zone.watermark, { min: 724, low: 905, high: 1086 })
    return machine
  }

  test.each(SINCE_39)('MC-3.11: 276 pages can go, 277 cannot: -ENOMEM [%s]', (kernel) => {
    expect(take(crowded(kernel, 276), 0, 1024)).toBe(0)
    const full = crowded(kernel, 277)
    expect(take(full, 0, 1024)).toBe(-ENOMEM)
    const tried: number[] = []
    const again = crowded(kernel, 277)
    const range: ContigRange = (vm, start, ...rest) => {
      tried.push(start)
      return alloc_contig_range(vm, start, ...rest)
    }
    expect(cma_alloc(again.vm, again.cma, 1024, 8, true, range)).toBeNull()
    expect(tried.length).toBe(1)
  })
})

describe.each(KERNEL_VERSIONS)('a page that never moves, %s', (kernel) => {
  it('MC-3.4: is tried in five rounds of ten passes, then the range is busy', () => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    const { map } = vm.pgdat
    fillArea(machine, 3)
    const at = cma.base_pfn + 1 - map.start_pfn
    let attempts = 0
    const owner = vm.mappings[map.mapping[at]!]!
    const stubborn = { ...owner, expectedRefs: (pfn: number) => owner.expectedRefs(pfn) }
    stubborn.migrate_folio = () => {
      attempts++
      return -EAGAIN
    }
    map.mapping[at] = vm.mappings.push(stubborn) - 1
    expect(take(machine, 0, 3)).toBe(-EBUSY)
    expect(attempts).toBe(50)
  })
})

describe('a range that is isolated already', () => {
  test.each(MODERN)('MC-3.8: -EBUSY, and the other one’s isolation is undone [%s]', (kernel) => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    const { CMA } = vm.pgdat.migrate
    start_isolate_page_range(vm.pgdat, cma.base_pfn + 512, cma.base_pfn + 1024, CMA)
    expect(take(machine, 0, 1024)).toBe(-EBUSY)
    // This is why there is a mutex around all of it.
    expect(typesOf(machine)).toEqual([CMA, CMA, CMA, CMA])
  })
})

describe('a page that is busy while others move and free when it is tested', () => {
  function late(kernel: KernelVersion): { ret: number; refs: number } {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    const { map } = vm.pgdat
    fillArea(machine, 21)
    const at = cma.base_pfn + 20 - map.start_pfn
    // A file page in all but its file: five rounds of migration find it held.
    map.flags[at]! &= ~PAGE_MAPPING_ANON
    map.refcount[at]!++
    map.mapping[at] =
      vm.mappings.push({ kind: 'movable_ops', expectedRefs: () => map.mapcount[at]!, canMigrate: true }) - 1
    atStep(vm, (step) => {
      if (step !== 'outer_start' || !map.refcount[at]) return
      lruvec_del_folio(vm, at + map.start_pfn)
      map.mapcount[at] = 0
      map.refcount[at] = 1
      __free_pages(vm.pgdat, at + map.start_pfn, 0)
    })
    const ret = take(machine, 0, 64)
    return { ret, refs: map.refcount[at]! }
  }

  it('is no failure in 6.x; 4.x takes the range and says -EBUSY, so that its pages are lost', () => {
    expect(late('6.12.117')).toEqual({ ret: 0, refs: 1 })
    expect(late('4.12.4')).toEqual({ ret: -EBUSY, refs: 1 })
    expect(late('3.9').ret).toBe(-EBUSY)
  })
})

describe('what alloc_contig_range() tells', () => {
  test.each(KERNEL_VERSIONS)('a range that is busy: two lines until 4.12, none in 6.x [%s]', (kernel) => {
    const machine = areaMachine(kernel)
    take(machine, 20, 1)
    const before = machine.vm.log.lines.length
    expect(take(machine, 16, 16)).toBe(-EBUSY)
    const line = kernelAtLeast(kernel, '4.6')
      ? 'alloc_contig_range: [41810, 41820) PFNs busy'
      : 'alloc_contig_range test_pages_isolated(41810, 41820) failed'
    expect(machine.vm.log.lines.slice(before)).toEqual(isModern(kernel) ? [] : [line])
  })

  it('the event has where the free block around the range begins and ends', () => {
    const machine = areaMachine('6.12.117')
    machine.vm.trace.enabled = true
    take(machine, 0x20, 0x100)
    const { fields } = machine.vm.trace.records.find(({ event }) => event === 'test_pages_isolated')!
    expect(fields).toEqual({ start_pfn: 0x4_1800, end_pfn: 0x4_1920, fin_pfn: 0x4_1a00 })
  })

  it('6.12 has one field too late in each field of mm_alloc_contig_migrate_range_info', () => {
    const machine = areaMachine('6.12.117')
    fillArea(machine, 288)
    machine.vm.trace.enabled = true
    take(machine, 0, 512)
    const events = machine.vm.trace.records.filter(
      ({ event }) => event === 'mm_alloc_contig_migrate_range_info',
    )
    const numbers = { nr_migrated: 4, nr_reclaimed: 288, nr_mapped: 0, migratetype: 288 }
    expect(events.map(({ fields }) => fields)).toEqual([{ start: 0x4_1800, end: 0x4_1a00, ...numbers }])
  })

  it('6.12 refuses flags that make no sense', () => {
    const { vm, cma } = areaMachine('6.12.117')
    const range = (gfp: number) =>
      alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 1, vm.pgdat.migrate.CMA, gfp)
    expect(range(GFP_KERNEL | __GFP_NOFAIL)).toBe(-EINVAL)
    expect(range(GFP_KERNEL)).toBe(0)
  })

  it('throws for a range outside memory', () => {
    const machine = areaMachine('6.12.117')
    expect(() => take(machine, 2040, 100)).toThrow(/alloc_contig_range: pfn 0x41ff8 to 0x4205b is outside/)
  })
})

describe('free_contig_range()', () => {
  test.each(KERNEL_VERSIONS)('warns of pages that somebody holds, which stay his [%s]', (kernel) => {
    const machine = areaMachine(kernel)
    const { vm, cma } = machine
    take(machine, 0, 8)
    const { map } = vm.pgdat
    map.refcount[cma.base_pfn + 3 - map.start_pfn]!++
    const before = vm.log.lines.length
    free_contig_range(vm, cma.base_pfn, 8)
    expect(vm.log.lines.slice(before)).toEqual(
      kernel === '3.5'
        ? []
        : ['2 pages are still in use!', 'WARNING: at mm/page_alloc.c free_contig_range'].map((line) =>
            line.replace('2', '1'),
          ),
    )
    expect(map.refcount[cma.base_pfn + 3 - map.start_pfn]).toBe(1)
    expect(PageBuddy(vm.pgdat, cma.base_pfn + 4)).toBe(true)
  })
})
