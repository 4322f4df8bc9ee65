// SPDX-License-Identifier: MIT
//
//     a anonymous   p the same, pinned   f clean file   k kernel   · free       read from the start of the area on
import { describe, expect, it } from 'vitest'
import { EINTR } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import {
  COMPACT_CLUSTER_MAX,
  createCompactControl,
  isolate_migratepages_range,
  type CompactControl,
} from '../../code/mm/compaction_isolate.ts'
import { GFP_KERNEL, GFP_NOWAIT } from '../../code/mm/gfp.ts'
import { folio_isolate_lru, folio_putback_lru, get_page } from '../../code/mm/lru.ts'
import { putback_movable_pages } from '../../code/mm/migrate.ts'
import { PG_lru, PG_unevictable } from '../../code/mm/mmzone.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import { pfnsOf } from '../../code/mm/page_list.ts'
import {
  atOf,
  cacheFile,
  eventsOf,
  fillArea,
  smallMachine,
  type SmallMachine,
} from '../support/mm_machine.ts'

/** A machine whose area starts as the picture shows. */
function pictured(kernel: KernelVersion, picture: string): SmallMachine {
  const machine = smallMachine({ kernel })
  const { vm, cma } = machine
  for (const [i, page] of [...picture].entries()) {
    const pfn = cma.base_pfn + i
    if (page === 'a' || page === 'p') fillArea(machine, 1, pfn)
    if (page === 'p') get_page(vm, pfn)
    if (page === 'f') cacheFile(machine, 1, pfn, false)
    if (page === 'k') {
      // Memory that no list has: nobody can tell what it is for.
      fillArea(machine, 1, pfn)
      folio_isolate_lru(vm, pfn)
    }
  }
  return machine
}

/** Which pages of the area were taken, in the order of the list. */
function taken({ vm, cma }: SmallMachine, cc: CompactControl): number[] {
  return pfnsOf(vm.pgdat.map, cc.migratepages).map((pfn) => pfn - cma.base_pfn)
}

describe.each(KERNEL_VERSIONS)('isolate_migratepages_range() of %s', (kernel) => {
  it('takes pages of the LRU lists, the last one first, and passes over what is free or the kernel’s', () => {
    const machine = pictured(kernel, 'a·fk·aa')
    const { vm, cma, zone } = machine
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
    expect(isolate_migratepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 512)).toBe(0)
    expect(taken(machine, cc)).toEqual([6, 5, 2, 0])
    expect([cc.nr_migratepages, cc.migrate_pfn]).toEqual([4, cma.base_pfn + 512])
    const { map } = vm.pgdat
    for (const i of [0, 2, 5, 6]) {
      const at = atOf(vm, cma.base_pfn + i)
      expect([map.refcount[at], map.flags[at]! & PG_lru]).toEqual([2, 0])
    }
    putback_movable_pages(vm, cc.migratepages)
    for (const i of [0, 2, 5, 6]) expect(map.refcount[atOf(vm, cma.base_pfn + i)]).toBe(1)
  })

  it('MC-3.4: stops at 32 pages and says where to go on', () => {
    const machine = pictured(kernel, '')
    const { vm, cma, zone } = machine
    fillArea(machine, 40, cma.base_pfn + 2)
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
    isolate_migratepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 512)
    expect([cc.nr_migratepages, cc.migrate_pfn]).toEqual([COMPACT_CLUSTER_MAX, cma.base_pfn + 34])
    expect(taken(machine, cc)).toEqual(Array.from({ length: 32 }, (_, i) => 33 - i))
  })

  it('MC-3.6: passes over a pinned anonymous page since 4.6, and takes a pinned page of a file', () => {
    const machine = pictured(kernel, 'apf')
    const { vm, cma, zone } = machine
    get_page(vm, cma.base_pfn + 2)
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
    isolate_migratepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 512)
    expect(taken(machine, cc)).toEqual(kernelAtLeast(kernel, '4.6') ? [2, 0] : [2, 1, 0])
  })

  it('leaves locked (unevictable) pages in 3.5, and takes them later', () => {
    const machine = pictured(kernel, 'aa')
    const { vm, cma, zone } = machine
    folio_isolate_lru(vm, cma.base_pfn)
    vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! |= PG_unevictable
    folio_putback_lru(vm, cma.base_pfn)
    expect(vm.lru.unevictable.count).toBe(1)
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
    isolate_migratepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 512)
    expect(taken(machine, cc)).toEqual(kernel === '3.5' ? [1] : [1, 0])
  })

  it('leaves pages of files since 4.12 when the caller may not go into file systems', () => {
    const machine = pictured(kernel, 'af')
    const { vm, cma, zone } = machine
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_NOWAIT)
    isolate_migratepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 512)
    expect(taken(machine, cc)).toEqual(kernelAtLeast(kernel, '4.12.4') ? [0] : [1, 0])
  })

  it('gives up with -EINTR in 6.x when the task is killed; before, its caller looks', () => {
    const machine = pictured(kernel, 'a')
    const { vm, cma, zone } = machine
    vm.fatalSignal = true
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
    const ret = isolate_migratepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 512)
    const modern = kernelAtLeast(kernel, '6.1.192')
    expect([ret, cc.nr_migratepages]).toEqual(modern ? [-EINTR, 0] : [0, 1])
  })

  it('tells for each pageblock what it looked at: a free block is one page from 4.6 to 6.1', () => {
    const machine = pictured(kernel, 'a')
    const { vm, cma, zone } = machine
    vm.trace.enabled = true
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
    isolate_migratepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 1024)
    const events = eventsOf(vm, 'mm_compaction_isolate_migratepages')
    // Behind the page: free blocks of 1, 2, 4 … 256 pages, and in the next pageblock one of 512.
    const [start_pfn, middle, end_pfn] = [cma.base_pfn, cma.base_pfn + 512, cma.base_pfn + 1024]
    if (!kernelAtLeast(kernel, '4.6')) expect(events).toEqual([{ nr_scanned: 1024, nr_taken: 1 }])
    else {
      const [first, second] = kernelAtLeast(kernel, '6.12.117') ? [512, 512] : [10, 1]
      expect(events).toEqual([
        { start_pfn, end_pfn: middle, nr_scanned: first, nr_taken: 1 },
        { start_pfn: middle, end_pfn, nr_scanned: second, nr_taken: 0 },
      ])
    }
  })
})

describe('createCompactControl()', () => {
  it('starts with nothing isolated', () => {
    const { zone, vm } = smallMachine({ kernel: '6.12.117' })
    expect(__alloc_pages(vm.pgdat, GFP_KERNEL, 0)).not.toBeNull()
    expect(createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)).toMatchObject({
      ...{ nr_migratepages: 0, mode: 'MIGRATE_SYNC', migratepages: { head: -1, count: 0 } },
    })
  })
})
