// SPDX-License-Identifier: MIT
//
// migrate_pages() of 6.1 and 6.12: unmapping and moving apart, passes, and what is waited for.
import { beforeEach, describe, expect, it } from 'vitest'
import { EAGAIN, EBUSY, EINVAL, ENOMEM } from '../../code/lib/errno.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { __GFP_MOVABLE, __GFP_NOWARN, __GFP_RETRY_MAYFAIL, GFP_USER } from '../../code/mm/gfp.ts'
import { get_page } from '../../code/mm/lru.ts'
import { alloc_migration_target, migrate_pages, putback_movable_pages } from '../../code/mm/migrate.ts'
import type { MigrateMode } from '../../code/mm/migrate_mode.ts'
import { do_munmap } from '../../code/mm/mmap_unmap.ts'
import { PG_dirty, PG_locked, PG_lru, PG_uptodate, PG_writeback } from '../../code/mm/mmzone.ts'
import { createPageList, pfnsOf, type PageList } from '../../code/mm/page_list.ts'
import {
  atOf,
  cacheFile,
  eventsOf,
  fillArea,
  isolated,
  PAGE,
  pfnAt,
  readStamp,
  smallMachine,
  takeAllPages,
  type SmallMachine,
} from '../support/mm_machine.ts'

const TARGET = GFP_USER | __GFP_MOVABLE | __GFP_RETRY_MAYFAIL

describe.each(['6.1.192', '6.12.117'] as const)('migrate_pages() of %s', (kernel) => {
  const latest = kernel === '6.12.117'
  let machine: SmallMachine
  let targets: (Pfn | null)[]

  beforeEach(() => {
    machine = smallMachine({ kernel })
    targets = []
  })

  const flags = (pfn: Pfn) => machine.vm.pgdat.map.flags[atOf(machine.vm, pfn)]!
  const refs = (pfn: Pfn) => machine.vm.pgdat.map.refcount[atOf(machine.vm, pfn)]!
  const mark = (pfn: Pfn, flag: number) => {
    machine.vm.pgdat.map.flags[atOf(machine.vm, pfn)]! |= flag
  }

  function migrate(list: PageList, mode: MigrateMode = 'MIGRATE_SYNC', most = Infinity): number {
    const { vm } = machine
    const target = (src: Pfn) => {
      const dst = targets.length < most ? alloc_migration_target(vm, src, TARGET) : null
      targets.push(dst)
      return dst
    }
    return migrate_pages(vm, list, target, mode, 'contig_range')
  }

  function says(rc: number, pfn: Pfn): Pfn[] {
    const { cache } = cacheFile(machine, 1, pfn, true)
    const attempts: Pfn[] = []
    Object.assign(cache, { migrate_folio: (_dst: Pfn, src: Pfn) => (attempts.push(src), rc) })
    return attempts
  }

  it('MC-3.4: makes 10 passes: 6.1 with a target for each, 6.12 3 without waiting and 7 with, a target for either', () => {
    const attempts = says(-EAGAIN, machine.cma.base_pfn)
    const list = isolated(machine.vm, machine.cma.base_pfn)
    expect(migrate(list)).toBe(1)
    expect([attempts.length, targets.length, list.count]).toEqual([10, latest ? 2 : 10, 1])
    targets.length = attempts.length = 0
    // Without waiting there is one batch of 10 passes.
    expect(migrate(list, 'MIGRATE_ASYNC')).toBe(1)
    expect([attempts.length, targets.length]).toEqual([10, latest ? 1 : 10])
    putback_movable_pages(machine.vm, list)
    expect([flags(machine.cma.base_pfn) & (PG_lru | PG_locked), refs(machine.cma.base_pfn)]).toEqual([
      PG_lru,
      1,
    ])
  })

  it('a page that never will move is tried once by 6.1, twice by 6.12, and stays for the caller to put back', () => {
    const { vm, cma } = machine
    const attempts = says(-EBUSY, cma.base_pfn)
    fillArea(machine, 3, cma.base_pfn + 1)
    const list = isolated(vm, cma.base_pfn, cma.base_pfn + 1, cma.base_pfn + 2, cma.base_pfn + 3)
    vm.trace.enabled = true
    expect(migrate(list)).toBe(1)
    expect(attempts.length).toBe(latest ? 2 : 1)
    expect(pfnsOf(vm.pgdat.map, list)).toEqual([cma.base_pfn])
    expect(vm.pgdat.vm_event).toMatchObject({ pgmigrate_success: 3, pgmigrate_fail: 1 })
    const huge = { nr_thp_succeeded: 0, nr_thp_failed: 0, nr_thp_split: 0 }
    const why = { mode: 'MIGRATE_SYNC', reason: 'contig_range' }
    expect(eventsOf(vm, 'mm_migrate_pages_start')).toEqual([why])
    expect(eventsOf(vm, 'mm_migrate_pages')).toEqual([
      { nr_succeeded: 3, nr_failed: 1, ...huge, ...(latest ? { nr_split: 0 } : {}), ...why },
    ])
  })

  it('an empty list is 0, with an event that says so', () => {
    machine.vm.trace.enabled = true
    expect(migrate(createPageList())).toBe(0)
    expect(eventsOf(machine.vm, 'mm_migrate_pages')).toMatchObject([{ nr_succeeded: 0, nr_failed: 0 }])
  })

  it('a locked page is waited for: from pass 3 on in 6.1, after the passes without waiting in 6.12', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    const list = isolated(vm, cma.base_pfn)
    mark(cma.base_pfn, PG_locked)
    const waited: number[] = []
    vm.hooks.whileWaiting = () => waited.push(targets.length)
    expect(migrate(list)).toBe(0)
    expect(waited).toEqual([4])
    expect(readStamp(vm, mm, va)).toBe(1)
  })

  it('a page under writeback is waited for likewise: 6.12 takes it off its first batch at once', () => {
    const { vm, cma } = machine
    cacheFile(machine, 1, cma.base_pfn, true)
    const list = isolated(vm, cma.base_pfn)
    mark(cma.base_pfn, PG_writeback)
    const waited: number[] = []
    vm.hooks.whileWaiting = () => waited.push(targets.length)
    expect(migrate(list)).toBe(0)
    expect(waited).toEqual([latest ? 2 : 4])
  })

  it('MIGRATE_SYNC_LIGHT waits for no I/O: not for writeback, nor in 6.12 for a page that is being read', () => {
    const { vm, cma } = machine
    cacheFile(machine, 2, cma.base_pfn, true)
    const [writing, reading] = [cma.base_pfn, cma.base_pfn + 1]
    const list = isolated(vm, writing, reading)
    mark(writing, PG_writeback)
    mark(reading, PG_locked)
    vm.pgdat.map.flags[atOf(vm, reading)]! &= ~PG_uptodate
    const waited: Pfn[] = []
    vm.hooks.whileWaiting = (_vm, pfn) => waited.push(pfn)
    expect(migrate(list, 'MIGRATE_SYNC_LIGHT')).toBe(latest ? 2 : 1)
    expect(waited).toEqual(latest ? [] : [reading])
  })

  it('a page that was freed meanwhile is success, and takes no target', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    const list = isolated(vm, cma.base_pfn)
    do_munmap(vm, mm, va, PAGE)
    expect(migrate(list)).toBe(0)
    expect([targets.length, refs(cma.base_pfn)]).toEqual([0, 0])
    expect(vm.pgdat.vm_event.pgmigrate_success).toBe(1)
  })

  it('-ENOMEM: the rest is not tried; what 6.12 has unmapped by then moves all the same', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 5)
    const list = isolated(vm, ...[0, 1, 2, 3, 4].map((page) => cma.base_pfn + page))
    expect(migrate(list, 'MIGRATE_SYNC', 3)).toBe(-ENOMEM)
    expect(pfnsOf(vm.pgdat.map, list)).toEqual([cma.base_pfn + 3, cma.base_pfn + 4])
    expect(vm.pgdat.vm_event).toMatchObject({ pgmigrate_success: 3, pgmigrate_fail: 1 })
    for (let page = 0; page < 5; page++) {
      const pfn = pfnAt(vm, mm, va + page * PAGE)
      expect(pfn).toBe(page < 3 ? targets[page] : cma.base_pfn + page)
      expect(readStamp(vm, mm, va + page * PAGE)).toBe(page + 1)
    }
  })

  it('-ENOMEM counts as failed the pages that were to be tried again, too', () => {
    const { vm, cma } = machine
    says(-EAGAIN, cma.base_pfn)
    fillArea(machine, 1, cma.base_pfn + 1)
    // In 6.12 a page to be tried again is one that could not be locked.
    if (latest) mark(cma.base_pfn, PG_locked)
    const list = isolated(vm, cma.base_pfn, cma.base_pfn + 1)
    expect(migrate(list, 'MIGRATE_SYNC', 1)).toBe(-ENOMEM)
    expect(vm.pgdat.vm_event).toMatchObject({ pgmigrate_success: 0, pgmigrate_fail: 2 })
  })

  it('goes on after 512 pages', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 600)
    const list = isolated(vm, ...Array.from({ length: 600 }, (_, page) => cma.base_pfn + page))
    expect(migrate(list)).toBe(0)
    expect(vm.pgdat.vm_event.pgmigrate_success).toBe(600)
    expect(readStamp(vm, mm, va + 599 * PAGE)).toBe(600)
  })

  it('a dirty page of a file system that cannot move pages is written; one that no page table maps moves then', () => {
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 1, cma.base_pfn, true)
    cache.canMigrate = false
    expect(migrate(isolated(vm, cma.base_pfn))).toBe(0)
    const moved = cache.i_pages.get(0)!
    expect([moved < cma.base_pfn, flags(moved) & PG_dirty]).toEqual([true, 0])
  })

  it('a dirty page is -EBUSY when I/O is not waited for, and -EINVAL when nobody can write it', () => {
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 1, cma.base_pfn, true)
    Object.assign(cache, { canMigrate: false, writepage: undefined })
    const list = isolated(vm, cma.base_pfn)
    expect(migrate(list, 'MIGRATE_ASYNC')).toBe(1)
    expect(migrate(list)).toBe(1)
    expect([list.count, flags(cma.base_pfn) & PG_dirty]).toEqual([1, PG_dirty])
    expect([EBUSY, EINVAL]).not.toContain(-EAGAIN)
  })

  it('a reference that nobody expects is -EAGAIN, in every pass', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    const list = isolated(vm, cma.base_pfn)
    get_page(vm, cma.base_pfn)
    expect(migrate(list)).toBe(1)
    expect(targets.length).toBe(latest ? 2 : 10)
    expect([pfnAt(vm, mm, va), readStamp(vm, mm, va)]).toEqual([cma.base_pfn, 1])
  })
})

describe('alloc_migration_target()', () => {
  it('MC-2.6: says in the log which flags it asked with when there is no page', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma } = machine
    fillArea(machine, 1)
    const { giveBack } = takeAllPages(machine)
    vm.trace.current = { comm: 'alloc', pid: 7 }
    expect(alloc_migration_target(vm, cma.base_pfn, TARGET)).toBeNull()
    expect(alloc_migration_target(vm, cma.base_pfn, TARGET | __GFP_NOWARN)).toBeNull()
    const mode = '0x144cc8(GFP_USER|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_MOVABLE)'
    const where = 'nodemask=(null),cpuset=/,mems_allowed=0'
    expect(vm.log.lines).toEqual([`alloc: page allocation failure: order:0, mode:${mode}, ${where}`])
    giveBack()
  })
})
