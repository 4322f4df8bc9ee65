// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { ENOMEM } from '../../code/lib/errno.ts'
import { KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import { createCompactControl } from '../../code/mm/compaction_isolate.ts'
import { isolate_freepages_range } from '../../code/mm/contig_freepages.ts'
import { alloc_contig_range } from '../../code/mm/contig_range.ts'
import { __GFP_NOWARN, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { freeBlocks } from '../support/memory_picture.ts'
import { eventsOf, fillArea, smallMachine, takeAllPages } from '../support/mm_machine.ts'

describe('isolate_freepages_range()', () => {
  it('takes nothing when 3.5 would fall below the low watermark halfway', () => {
    const { vm, cma, zone } = smallMachine({ kernel: '3.5', cmaPages: 2048 })
    const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
    const before = freeBlocks(vm.pgdat)
    const free = zone.vm_stat[NR_FREE_PAGES]!
    // Enough for the first block of 1024 pages and not for the second: each is asked for on top of itself.
    zone.watermark.low = free - 2048
    expect(isolate_freepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 2048)).toBe(0)
    expect([freeBlocks(vm.pgdat), zone.vm_stat[NR_FREE_PAGES]]).toEqual([before, free])
    zone.watermark.low = 0
    expect(isolate_freepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 2048)).toBe(cma.base_pfn + 2048)
  })

  it('tells of each pageblock; what is scanned is a free block until 4.12, each of its pages in 6.x', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const { vm, cma, zone } = smallMachine({ kernel })
      const cc = createCompactControl(zone, 'MIGRATE_SYNC', GFP_KERNEL)
      vm.trace.enabled = true
      isolate_freepages_range(vm, cc, cma.base_pfn, cma.base_pfn + 512)
      const modern = kernel.startsWith('6')
      const range = kernel.startsWith('3') ? {} : { start_pfn: cma.base_pfn, end_pfn: cma.base_pfn + 512 }
      expect(eventsOf(vm, 'mm_compaction_isolate_freepages')).toEqual([
        { ...range, nr_scanned: modern ? 1024 : 1, nr_taken: 1024 },
      ])
    }
  })
})

describe('alloc_contig_range() of 6.12', () => {
  it('keeps __GFP_NOWARN of its caller for those who have to move', () => {
    const failures = (gfp: number) => {
      const machine = smallMachine({ kernel: '6.12.117' })
      const { vm, cma } = machine
      fillArea(machine, 1)
      const { giveBack } = takeAllPages(machine)
      const lines = vm.log.lines.length
      expect(alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 1, vm.pgdat.migrate.CMA, gfp)).toBe(-ENOMEM)
      giveBack()
      return vm.log.lines.length - lines
    }
    expect([failures(GFP_KERNEL), failures(GFP_KERNEL | __GFP_NOWARN)]).toEqual([1, 0])
  })
})
