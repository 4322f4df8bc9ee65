// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { EBUSY } from '../../code/lib/errno.ts'
import { alloc_contig_range } from '../../code/mm/contig_range.ts'
import { __reclaim_pages } from '../../code/mm/contig_reclaim_3x.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { init_per_zone_wmark_min } from '../../code/mm/watermark.ts'
import { smallMachine, type SmallMachine } from '../support/mm_machine.ts'

// 512 MiB with `free` pages left; what is taken can be freed again, 32 pages a call.
function starved(free: number): { machine: SmallMachine; freeSome: () => number } {
  const machine = smallMachine({ kernel: '3.5', pages: 131072, cmaPages: 2048 })
  const { vm, zone } = machine
  const taken: number[] = []
  for (let order = 10; order >= 0; order--) {
    while (zone.vm_stat[NR_FREE_PAGES]! - 2 ** order >= free) {
      const pfn = __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, order)
      if (pfn === null) break
      for (let page = 0; page < 2 ** order; page++) taken.push(pfn + page)
      vm.pgdat.map.refcount.fill(1, pfn - vm.pgdat.map.start_pfn, pfn - vm.pgdat.map.start_pfn + 2 ** order)
    }
  }
  init_per_zone_wmark_min(vm.pgdat)
  delete vm.pgdat.hooks.reclaim
  delete vm.pgdat.hooks.wakeKswapd
  delete vm.pgdat.hooks.outOfMemory
  const freeSome = () => {
    for (const pfn of taken.splice(-32)) __free_pages(vm.pgdat, pfn, 0)
    return 32
  }
  return { machine, freeSome }
}

const marks = ({ zone: { watermark } }: SmallMachine) => [watermark.min, watermark.low, watermark.high]

describe('__reclaim_pages()', () => {
  it('TV-47, MC-3.13, MC-3.10: raises the watermarks by count, reclaims until free is above low, lowers them again', () => {
    const { machine, freeSome } = starved(1900)
    const { vm, zone } = machine
    const seen: number[][] = []
    let woken = 0
    vm.pgdat.hooks.reclaim = () => {
      seen.push(marks(machine))
      return freeSome()
    }
    vm.pgdat.hooks.wakeKswapd = () => void woken++
    expect([zone.vm_stat[NR_FREE_PAGES], ...marks(machine)]).toEqual([1900, 724, 905, 1086])
    expect(__reclaim_pages(vm, zone, GFP_HIGHUSER_MOVABLE, 1024)).toBe(1024)
    expect(seen).toEqual([[1748, 1929, 2110]])
    expect([zone.vm_stat[NR_FREE_PAGES], woken, ...marks(machine)]).toEqual([1932, 1, 724, 905, 1086])
    // What the seed compares with counts the range twice: so many rounds more.
    expect(Math.ceil((905 + 1024 + 1024 + 1 - 1900) / 32)).toBe(33)
  })

  it('MC-3.13: a round without progress calls the OOM killer, and the loop goes on', () => {
    const { machine, freeSome } = starved(1900)
    const { vm, zone } = machine
    const calls: string[] = []
    vm.pgdat.hooks.reclaim = () => {
      calls.push('reclaim')
      return calls.length > 2 ? freeSome() : 0
    }
    vm.pgdat.hooks.outOfMemory = () => {
      calls.push('oom')
      __free_pages(vm.pgdat, vm.pgdat.map.start_pfn + 5, 0)
    }
    __reclaim_pages(vm, zone, GFP_HIGHUSER_MOVABLE, 1024)
    expect(calls).toEqual(['reclaim', 'oom', 'reclaim'])
  })

  it('throws where 3.5 would go on for ever, with the watermarks as they were', () => {
    const { machine } = starved(1900)
    expect(() => __reclaim_pages(machine.vm, machine.zone, GFP_HIGHUSER_MOVABLE, 1024)).toThrow(
      '__reclaim_pages: zone Normal has 1900 free pages, expected more than 1929',
    )
    expect(marks(machine)).toEqual([724, 905, 1086])
  })

  it('MC-3.10: is a step of alloc_contig_range() in 3.5, for as many pages as the range has', () => {
    const { machine, freeSome } = starved(3000)
    const { vm, cma } = machine
    const seen: number[] = []
    vm.pgdat.hooks.reclaim = () => {
      seen.push(marks(machine)[1]!)
      return freeSome()
    }
    // 2100 pages of it are in the area.
    const start = cma.base_pfn
    const ret = alloc_contig_range(vm, start, start + 2048, vm.pgdat.migrate.CMA, 0)
    expect([ret, new Set(seen)]).toEqual([0, new Set(seen.length > 0 ? [905 + 2048] : [])])
  })
})

describe('isolate_freepages_range() of 3.5', () => {
  it('leaves a free block alone that would take the zone below its low watermark, whatever was reclaimed', () => {
    const machine = smallMachine({ kernel: '3.5', pages: 8192, cmaPages: 1024 })
    const { vm, cma, zone } = machine
    const taken: number[] = []
    for (
      let pfn;
      zone.vm_stat[NR_FREE_PAGES]! > 1024 && (pfn = __alloc_pages(vm.pgdat, GFP_KERNEL, 0)) !== null;
    ) {
      taken.push(pfn)
    }
    const one = () => alloc_contig_range(vm, cma.base_pfn, cma.base_pfn + 1, vm.pgdat.migrate.CMA, 0)
    expect([zone.vm_stat[NR_FREE_PAGES], one(), zone.vm_stat[NR_FREE_PAGES]]).toEqual([1024, -EBUSY, 1024])
    __free_pages(vm.pgdat, taken[0]!, 0)
    expect([one(), zone.vm_stat[NR_FREE_PAGES]]).toEqual([0, 1024])
  })
})
