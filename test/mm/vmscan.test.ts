// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { kernelAtLeast, KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { __reclaim_pages } from '../../code/mm/contig_reclaim_3x.ts'
import { kernel_read } from '../../code/mm/filemap_fault.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import {
  folio_isolate_lru,
  folio_putback_lru,
  get_page,
  lru_add,
  lruvec_del_folio,
} from '../../code/mm/lru.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import {
  NR_FREE_PAGES,
  PG_active,
  PG_dirty,
  PG_locked,
  PG_unevictable,
  PG_writeback,
} from '../../code/mm/mmzone.ts'
import { out_of_memory } from '../../code/mm/oom.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import { createPageList, pfnsOf } from '../../code/mm/page_list.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import {
  balance_pgdat,
  reclaim_clean_pages_from_list,
  SWAP_CLUSTER_MAX,
  try_to_free_pages,
} from '../../code/mm/vmscan.ts'
import {
  atOf,
  cacheFile,
  fillArea,
  freePages,
  isolated,
  PAGE,
  pfnAt,
  smallMachine,
  takeAllPages,
  type SmallMachine,
} from '../support/mm_machine.ts'

const mark = ({ vm }: SmallMachine, pfn: Pfn, flag: number) => {
  vm.pgdat.map.flags[atOf(vm, pfn)]! |= flag
}

describe('try_to_free_pages()', () => {
  it('MC-3.13: frees 32 pages a round or a few more, the oldest of the clean ones, and 0 when nothing is left', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    const { cache } = cacheFile(machine, 100, cma.base_pfn, false)
    const free = freePages(machine)
    // A 64th of the list, then a 32nd of the rest, and so on: 1 + 3 + 6 + 11 + 19.
    expect(try_to_free_pages(vm, zone)).toBe(40)
    expect(freePages(machine)).toBe(free + 40)
    expect([...cache.i_pages.keys()]).toEqual(Array.from({ length: 60 }, (_, i) => 40 + i))
    const rounds = Array.from({ length: 3 }, () => try_to_free_pages(vm, zone))
    expect(rounds).toEqual([41, 19, 0])
    expect(vm.pgdat.vm_event.pgsteal).toBe(100)
  })

  it('takes pages of lower zones for a request too, and leaves active pages while inactive ones are as many', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    const { cache } = cacheFile(machine, 2, cma.base_pfn, false)
    const active = cache.i_pages.get(1)!
    expect(folio_isolate_lru(vm, active)).toBe(0)
    mark(machine, active, PG_active)
    folio_putback_lru(vm, active)
    const above = vm.pgdat.zones[zone.index + 1]!
    expect(try_to_free_pages(vm, above)).toBe(1)
    expect([vm.lru.inactive_file.count, vm.lru.active_file.count]).toEqual([0, 1])
  })

  it('MC-3.13: stops at the batch with which it has 32 pages: at most 63', () => {
    const machine = smallMachine({ kernel: '3.5', pages: 16384, cmaPages: 9216 })
    const { vm, cma, zone } = machine
    cacheFile(machine, 9000, cma.base_pfn, false)
    // 2 + 4 + 8 + 17 are 31, and then a batch of 32.
    expect(try_to_free_pages(vm, zone)).toBe(SWAP_CLUSTER_MAX + 31)
  })

  it('takes nothing of programs’ anonymous memory: there is no swap', () => {
    const machine = smallMachine({ kernel: '6.1.192' })
    fillArea(machine, 50)
    expect(try_to_free_pages(machine.vm, machine.zone)).toBe(0)
    expect(machine.vm.lru.inactive_anon.count + machine.vm.lru.active_anon.count).toBe(50)
  })

  it('leaves dirty pages to the flusher and frees them at its next look', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    const { cache } = cacheFile(machine, 40, cma.base_pfn, true)
    cache.disk!.clear()
    // The first look is at one page, which is dirty.
    expect(try_to_free_pages(vm, zone)).toBe(40)
    expect([cache.disk!.size, cache.i_pages.size]).toEqual([40, 0])
  })

  it('keeps a dirty page that cannot be written', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { cache } = cacheFile(machine, 3, machine.cma.base_pfn, true)
    cache.failing = true
    expect(try_to_free_pages(machine.vm, machine.zone)).toBe(0)
    const flags = [...cache.i_pages.values()].map(
      (pfn) => machine.vm.pgdat.map.flags[atOf(machine.vm, pfn)]! & PG_dirty,
    )
    expect(flags).toEqual([PG_dirty, PG_dirty, PG_dirty])
  })

  it('keeps what is locked, under writeback, held or unevictable', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    cacheFile(machine, 5, cma.base_pfn, false)
    mark(machine, cma.base_pfn, PG_locked)
    mark(machine, cma.base_pfn + 1, PG_writeback)
    get_page(vm, cma.base_pfn + 2)
    folio_isolate_lru(vm, cma.base_pfn + 3)
    mark(machine, cma.base_pfn + 3, PG_unevictable)
    folio_putback_lru(vm, cma.base_pfn + 3)
    expect(try_to_free_pages(vm, zone)).toBe(1)
    expect(vm.pgdat.map.refcount[atOf(vm, cma.base_pfn + 4)]).toBe(0)
  })

  it('comes to active pages when the inactive ones are fewer', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    cacheFile(machine, 64, cma.base_pfn, false)
    for (let page = 0; page < 64; page++) {
      lruvec_del_folio(vm, cma.base_pfn + page)
      mark(machine, cma.base_pfn + page, PG_active)
      lru_add(vm, cma.base_pfn + page)
    }
    expect([vm.lru.active_file.count, vm.lru.inactive_file.count]).toEqual([64, 0])
    expect(try_to_free_pages(vm, zone)).toBeGreaterThanOrEqual(SWAP_CLUSTER_MAX)
  })

  it('unmaps a clean page of a file; the program reads it from the disk again', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    const { file, cache } = cacheFile(machine, 1, cma.base_pfn, false)
    const mm = createProcess(vm, 'reader')
    const va = do_mmap(vm, mm, { len: PAGE, prot: PROT_READ, flags: MAP_SHARED, file })
    expect(userRead(vm, mm, va, 1)).toEqual(Uint8Array.of(1))
    expect(try_to_free_pages(vm, zone)).toBe(1)
    expect([pfnAt(vm, mm, va), cache.i_pages.size]).toEqual([null, 0])
    expect(userRead(vm, mm, va, 1)).toEqual(Uint8Array.of(1))
  })

  it('sees when unmapping that a program has written, and keeps the page until it is written', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    const { file, cache } = cacheFile(machine, 1, cma.base_pfn, false)
    const mm = createProcess(vm, 'writer')
    const va = do_mmap(vm, mm, { len: PAGE, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED, file })
    userWrite(vm, mm, va, Uint8Array.of(42))
    vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! &= ~PG_dirty
    cache.failing = true
    expect(try_to_free_pages(vm, zone)).toBe(0)
    cache.failing = false
    expect(try_to_free_pages(vm, zone)).toBe(1)
    expect(userRead(vm, mm, va, 1)).toEqual(Uint8Array.of(42))
  })
})

describe('reclaim when nothing is free', () => {
  it('__alloc_pages() gets a page that was a clean page of a file', () => {
    const machine = smallMachine({ kernel: '6.1.192' })
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 40, cma.base_pfn, false)
    for (let i = 0; i < machine.zone.managed_pages - 40; i++) __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)
    expect([freePages(machine), cache.i_pages.size]).toEqual([0, 40])
    expect(__alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)).not.toBeNull()
    expect(cache.i_pages.size).toBeLessThan(40)
    expect(vm.log.lines).toEqual([])
  })

  it('says that memory is out when reclaim finds nothing, and the request fails', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm } = machine
    vm.trace.current = { comm: 'hungry', pid: 3 }
    vm.steps = []
    for (let i = 0; i < machine.zone.managed_pages; i++) __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)
    expect(vm.steps).toEqual([])
    expect(__alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)).toBeNull()
    const flags = '0x100cca(GFP_HIGHUSER_MOVABLE)'
    expect(vm.log.lines[0]).toBe(`hungry invoked oom-killer: gfp_mask=${flags}, order=0, oom_score_adj=0`)
    expect(vm.steps).toEqual(['out_of_memory'])
  })

  it('says so in the words of each kernel', () => {
    const said = KERNEL_VERSIONS.map((kernel) => {
      const { vm } = smallMachine({ kernel })
      vm.trace.current = { comm: 'hungry', pid: 3 }
      out_of_memory(vm, GFP_KERNEL, 1)
      return vm.log.lines[0]!.replace('hungry invoked oom-killer: gfp_mask=', '')
    })
    expect(said).toEqual([
      '0xd0, order=1, oom_adj=0, oom_score_adj=0',
      '0xd0, order=1, oom_score_adj=0',
      '0x24000c0(GFP_KERNEL), order=1, oom_score_adj=0',
      '0x14000c0(GFP_KERNEL), nodemask=(null),  order=1, oom_score_adj=0',
      '0xcc0(GFP_KERNEL), order=1, oom_score_adj=0',
      '0xcc0(GFP_KERNEL), order=1, oom_score_adj=0',
    ])
  })
})

describe('balance_pgdat()', () => {
  it('frees until the zone is above its high watermark', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    cacheFile(machine, 500, cma.base_pfn, false)
    const high = freePages(machine) + 100
    Object.assign(zone.watermark, { min: 10, low: high - 50, high })
    const freed = balance_pgdat(vm, zone)
    expect([freed > 100, freed < 100 + 2 * SWAP_CLUSTER_MAX, vm.kswapd_failures]).toEqual([true, true, 0])
    expect(freePages(machine)).toBe(high - 100 + freed)
  })

  it('gives up after 16 runs that freed nothing, until somebody else frees something', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma, zone } = machine
    Object.assign(zone.watermark, { min: 0, low: 1e6, high: 1e6 })
    for (let i = 0; i < 20; i++) vm.pgdat.hooks.wakeKswapd!(zone)
    expect(vm.kswapd_failures).toBe(16)
    Object.assign(zone.watermark, { low: 0, high: 0 })
    cacheFile(machine, 1, cma.base_pfn, false)
    expect(vm.pgdat.hooks.reclaim!(zone, GFP_KERNEL, 0)).toBe(1)
    expect(vm.kswapd_failures).toBe(0)
  })
})

describe('__reclaim_pages() of 3.5', () => {
  it('MC-3.13, TV-47: with real pages to reclaim, one round takes 1900 free pages over 1929', () => {
    const machine = smallMachine({ kernel: '3.5', pages: 8192, cmaPages: 2048 })
    const { vm, cma, zone } = machine
    cacheFile(machine, 64, cma.base_pfn, false)
    const { release } = takeAllPages(machine)
    for (let i = 0; i < 1900; i++) release(vm.pgdat.map.start_pfn + 1024 + i)
    expect(zone.vm_stat[NR_FREE_PAGES]).toBe(1900)
    // A zone of 8192 pages with the watermarks of one of 512 MiB.
    vm.pgdat.min_free_kbytes = 2896
    Object.assign(zone.watermark, { min: 724, low: 905, high: 1086 })
    const during: number[][] = []
    let rounds = 0
    vm.pgdat.hooks.wakeKswapd = () => {
      const { min, low, high } = zone.watermark
      during.push([min, low, high])
    }
    vm.pgdat.hooks.reclaim = () => (rounds++, try_to_free_pages(vm, zone))
    expect(__reclaim_pages(vm, zone, GFP_HIGHUSER_MOVABLE, 1024)).toBe(1024)
    expect(during).toEqual([[1748, 1929, 2110]])
    expect([rounds, zone.vm_stat[NR_FREE_PAGES]]).toEqual([1, 1900 + 44])
    expect(zone.watermark).toMatchObject({ min: 724, low: 905, high: 1086 })
  })
})

describe.each(KERNEL_VERSIONS.filter((kernel) => kernel !== '3.5'))(
  'reclaim_clean_pages_from_list() of %s',
  (kernel) => {
    it('MC-3.5: drops clean pages of files and leaves the rest on the list', () => {
      const machine = smallMachine({ kernel })
      const { vm, cma } = machine
      const { cache } = cacheFile(machine, 3, cma.base_pfn, false)
      cacheFile(machine, 1, cma.base_pfn + 3, true)
      fillArea(machine, 1, cma.base_pfn + 4)
      const pages = [0, 1, 2, 3, 4].map((page) => cma.base_pfn + page)
      const list = isolated(vm, ...pages)
      get_page(vm, cma.base_pfn + 1)
      expect(reclaim_clean_pages_from_list(vm, list)).toBe(2)
      // The one that somebody holds comes first now.
      expect(pfnsOf(vm.pgdat.map, list)).toEqual([1, 3, 4].map((page) => cma.base_pfn + page))
      expect([...cache.i_pages.values()]).toEqual([cma.base_pfn + 1])
    })

    it('keeps clean pages that are mlocked; 3.9 puts them back, so that they stay in the range', () => {
      const machine = smallMachine({ kernel })
      const { vm, cma } = machine
      cacheFile(machine, 1, cma.base_pfn, false)
      const list = isolated(vm, cma.base_pfn)
      mark(machine, cma.base_pfn, PG_unevictable)
      expect(reclaim_clean_pages_from_list(vm, list)).toBe(0)
      expect([list.count, vm.lru.unevictable.count]).toEqual(kernelAtLeast(kernel, '4.6') ? [1, 0] : [0, 1])
    })

    it('does nothing with an empty list', () => {
      expect(reclaim_clean_pages_from_list(smallMachine({ kernel }).vm, createPageList())).toBe(0)
    })
  },
)

describe('a file read while memory is short', () => {
  it('drops its own oldest pages to go on', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma } = machine
    const { file, cache } = cacheFile(machine, 200, cma.base_pfn, false)
    try_to_free_pages(vm, machine.zone)
    const into = new Uint8Array(1)
    for (let page = 0; page < 200; page++) {
      expect(kernel_read(vm, file, into, 1, page * PAGE)).toBe(1)
      expect(into[0]).toBe(page + 1)
    }
    expect(cache.i_pages.size).toBe(200)
  })
})
