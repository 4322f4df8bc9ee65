// SPDX-License-Identifier: MIT
//
// Migration by every kernel that is modelled, on the real page allocator, through real page tables.
import { describe, expect, it } from 'vitest'
import { EAGAIN, EBUSY, ENOMEM } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { cma_alloc } from '../../code/mm/cma.ts'
import { alloc_contig_range, free_contig_range } from '../../code/mm/contig_range.ts'
import { __GFP_NOWARN, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { FOLL_WRITE, pin_user_pages, unpin_user_page } from '../../code/mm/gup.ts'
import { dup_mm } from '../../code/mm/mmap_unmap.ts'
import { PG_locked, PG_lru } from '../../code/mm/mmzone.ts'
import { get_pageblock_migratetype } from '../../code/mm/page.ts'
import {
  atOf,
  cacheFile,
  eventsOf,
  fillArea,
  freePages,
  PAGE,
  pfnAt,
  readStamp,
  smallMachine,
  takeAllPages,
  writeStamp,
} from '../support/mm_machine.ts'

const modern = (kernel: KernelVersion) => kernelAtLeast(kernel, '6.1.192')

describe.each(KERNEL_VERSIONS)('a range full of anonymous pages under %s', (kernel) => {
  it('MC-3.4, TV-26: alloc_contig_range() moves 288 pages in 9 batches of 32', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 288)
    vm.trace.enabled = true
    expect(alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 288, vm.pgdat.migrate.CMA, GFP_KERNEL)).toBe(0)
    const events = eventsOf(vm, 'mm_migrate_pages').map((fields) => fields['nr_succeeded'])
    // 3.5 has neither the event nor the counter.
    expect(events).toEqual(kernel === '3.5' ? [] : Array.from({ length: 9 }, () => 32))
    expect(vm.pgdat.vm_event.pgmigrate_success).toBe(kernel === '3.5' ? 0 : 288)
    const batches = eventsOf(vm, 'mm_compaction_isolate_migratepages').map((fields) => fields['nr_taken'])
    expect(batches).toEqual(Array.from({ length: 9 }, () => 32))
    for (let page = 0; page < 288; page++) {
      expect(pfnAt(vm, mm, va + page * PAGE)).toBeLessThan(cma.base_pfn)
      expect(readStamp(vm, mm, va + page * PAGE)).toBe(page + 1)
    }
  })

  it('TV-27: cma_alloc() moves 2048 pages in 64 batches of 32', () => {
    const machine = smallMachine({ kernel, pages: 6144, cmaPages: 2048 })
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 2048)
    vm.trace.enabled = true
    expect(cma_alloc(vm, cma, 2048, 0, false)).toBe(cma.base_pfn)
    const batches = eventsOf(vm, 'mm_compaction_isolate_migratepages').filter(
      (fields) => fields['nr_taken'] === 32,
    )
    expect(batches.length).toBe(64)
    if (kernel !== '3.5') {
      const events = eventsOf(vm, 'mm_migrate_pages').filter((fields) => fields['nr_succeeded'] === 32)
      expect(events.length).toBe(64)
      expect(vm.pgdat.vm_event).toMatchObject({ pgmigrate_success: 2048, pgmigrate_fail: 0 })
    }
    for (let page = 0; page < 2048; page += 97) expect(readStamp(vm, mm, va + page * PAGE)).toBe(page + 1)
  })

  it('migrate_pages() moves a page that parent and child share, and both have it there', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 4)
    const child = dup_mm(vm, mm)
    if (typeof child === 'number') throw new Error('no memory for a child')
    expect(cma_alloc(vm, cma, 512, 0, false)).not.toBeNull()
    for (let page = 0; page < 4; page++) {
      const pfn = pfnAt(vm, mm, va + page * PAGE)!
      expect(pfn).toBeLessThan(cma.base_pfn)
      expect(pfnAt(vm, child, va + page * PAGE)).toBe(pfn)
      expect(vm.pgdat.map.mapcount[atOf(vm, pfn)]).toBe(2)
    }
    writeStamp(vm, child, va, 77)
    expect([readStamp(vm, mm, va), readStamp(vm, child, va)]).toEqual([1, 77])
  })
})

describe.each(KERNEL_VERSIONS)('what does not move under %s', (kernel) => {
  it('MC-3.4: a page that always gives -EAGAIN is tried 50 times, ten in each of 5 calls, then -EBUSY', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 1, cma.base_pfn, true)
    let attempts = 0
    Object.assign(cache, { migrate_folio: () => (attempts++, -EAGAIN) })
    vm.trace.enabled = true
    expect(alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 256, vm.pgdat.migrate.CMA, GFP_KERNEL)).toBe(
      -EBUSY,
    )
    expect(attempts).toBe(50)
    const calls = eventsOf(vm, 'mm_migrate_pages').length
    expect(calls).toBe(kernel === '3.5' ? 0 : 5)
    // It is back on its list, at its place, with what it had.
    expect(cache.i_pages.get(0)).toBe(cma.base_pfn)
    expect(vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! & (PG_lru | PG_locked)).toBe(PG_lru)
    expect(vm.pgdat.map.refcount[atOf(vm, cma.base_pfn)]).toBe(1)
  })

  it('MC-3.5: a clean page of a file is dropped and needs no target, except in 3.5', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 40, cma.base_pfn, false)
    // Behind the isolated unit, and before it, nothing is free.
    const { giveBack } = takeAllPages(machine)
    const ret = alloc_contig_range(
      vm,
      cma.base_pfn,
      cma.base_pfn + 40,
      vm.pgdat.migrate.CMA,
      GFP_KERNEL | __GFP_NOWARN,
    )
    expect(ret).toBe(kernel === '3.5' ? -ENOMEM : 0)
    expect(cache.i_pages.size).toBe(kernel === '3.5' ? 40 : 0)
    giveBack()
  })

  it.each(['anonymous', 'dirty'])(
    'MC-3.5: no target for a page (%s) is -ENOMEM, after 1 call in 6.x, 5 before',
    (what) => {
      const machine = smallMachine({ kernel })
      const { vm, cma } = machine
      if (what === 'dirty') cacheFile(machine, 1, cma.base_pfn, true)
      else fillArea(machine, 1)
      const { giveBack } = takeAllPages(machine)
      expect(alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 1, vm.pgdat.migrate.CMA, GFP_KERNEL)).toBe(
        -ENOMEM,
      )
      const failures = vm.log.lines.filter((line) => line.includes('page allocation failure: order:0'))
      expect(failures.length).toBe(modern(kernel) ? 1 : 5)
      giveBack()
    },
  )

  it('MC-3.6: a pinned anonymous page is passed over at isolation since 4.6, and tried in vain before', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    const pins: Pfn[] = []
    expect(pin_user_pages(vm, mm, va, 1, FOLL_WRITE, pins)).toBe(1)
    vm.trace.enabled = true
    expect(alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 64, vm.pgdat.migrate.CMA, GFP_KERNEL)).toBe(
      -EBUSY,
    )
    const taken = eventsOf(vm, 'mm_compaction_isolate_migratepages').map((fields) => fields['nr_taken'])
    expect(Math.max(...(taken as number[]))).toBe(kernelAtLeast(kernel, '4.6') ? 0 : 1)
    if (kernelAtLeast(kernel, '4.6')) {
      expect(vm.pgdat.vm_event).toMatchObject({ pgmigrate_success: 0, pgmigrate_fail: 0 })
      const events = eventsOf(vm, 'mm_migrate_pages').map((fields) => [
        fields['nr_succeeded'],
        fields['nr_failed'],
      ])
      expect(events).toEqual([[0, 0]])
    }
    unpin_user_page(vm, pins[0]!)
    expect(alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 64, vm.pgdat.migrate.CMA, GFP_KERNEL)).toBe(0)
    expect(readStamp(vm, mm, va)).toBe(1)
  })

  it('MC-3.6: a pinned page of a file is tried through all passes; cma_alloc() steps to the next place', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 1, cma.base_pfn, true)
    vm.pgdat.map.refcount[atOf(vm, cma.base_pfn)]!++
    vm.trace.enabled = true
    expect(cma_alloc(vm, cma, 64, 6, false)).toBe(cma.base_pfn + 64)
    if (kernel !== '3.5') {
      const failed = eventsOf(vm, 'mm_migrate_pages').map((fields) => fields['nr_failed'])
      // 3.9 counts as failed only what is sure never to move.
      const five = Array.from({ length: 5 }, () => (kernel === '3.9' ? 0 : 1))
      expect(failed.slice(0, 5)).toEqual(five)
    }
    expect(cache.i_pages.get(0)).toBe(cma.base_pfn)
  })

  it('MC-3.3: after a failure what has moved stays where it went, and the blocks are CMA again', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 64)
    const pinned = 40
    vm.pgdat.map.refcount[atOf(vm, cma.base_pfn + pinned)]!++
    const free = freePages(machine)
    expect(alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 64, vm.pgdat.migrate.CMA, GFP_KERNEL)).toBe(
      -EBUSY,
    )
    expect(freePages(machine)).toBe(free)
    for (let page = 0; page < 64; page++) {
      const pfn = pfnAt(vm, mm, va + page * PAGE)!
      // The first batch moved; of the second the pinned one stayed. 3.x moves no more once a batch is stuck.
      if (page === pinned) expect(pfn).toBe(cma.base_pfn + page)
      else expect(pfn).toBeLessThan(cma.base_pfn)
      expect(readStamp(vm, mm, va + page * PAGE)).toBe(page + 1)
    }
    for (let block = 0; block < cma.count; block += 512) {
      expect(get_pageblock_migratetype(vm.pgdat, cma.base_pfn + block)).toBe(vm.pgdat.migrate.CMA)
    }
  })

  it('MC-3.11: targets come from above the min watermark: of 1000 free pages 276 when it is 724', () => {
    for (const [pages, ret] of [
      [276, 0],
      [277, -ENOMEM],
    ] as const) {
      const machine = smallMachine({ kernel })
      const { vm, cma, zone } = machine
      const { mm, va } = fillArea(machine, pages)
      // 1000 pages outside the isolated blocks stay free; in 3.5 the isolated ones still count.
      const { release, giveBack } = takeAllPages(machine)
      for (let i = 0; i < 1000; i++) release(vm.pgdat.map.start_pfn + 1024 + i)
      expect(freePages(machine)).toBe(1000)
      Object.assign(zone.watermark, { min: 724, low: 905, high: 1086 })
      // What moves out is free, and isolated: it counts in 3.5 alone, so that there is no bound.
      const got = alloc_contig_range(
        vm,
        cma.base_pfn,
        cma.base_pfn + pages,
        vm.pgdat.migrate.CMA,
        GFP_KERNEL | __GFP_NOWARN,
      )
      expect(got).toBe(kernel === '3.5' ? 0 : ret)
      for (let page = 0; page < pages; page++) expect(readStamp(vm, mm, va + page * PAGE)).toBe(page + 1)
      giveBack()
      if (got === 0) free_contig_range(vm, cma.base_pfn, pages)
    }
  })
})
