// SPDX-License-Identifier: MIT
//
// migrate_pages() as it was from 3.5 to 4.12, page by page and pass by pass.
import { beforeEach, describe, expect, it } from 'vitest'
import { EAGAIN, EBUSY, ENOMEM } from '../../code/lib/errno.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { get_page, put_page } from '../../code/mm/lru.ts'
import { alloc_migrate_target, migrate_pages } from '../../code/mm/migrate.ts'
import { do_munmap } from '../../code/mm/mmap_unmap.ts'
import {
  PAGE_MAPPING_ANON,
  PG_dirty,
  PG_locked,
  PG_lru,
  PG_private,
  PG_writeback,
} from '../../code/mm/mmzone.ts'
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
  type SmallMachine,
} from '../support/mm_machine.ts'

const OLD = ['3.5', '3.9', '4.6', '4.12.4'] as const

describe.each(OLD)('migrate_pages() of %s', (kernel) => {
  let machine: SmallMachine
  let targets: (Pfn | null)[]
  let attempts: Map<Pfn, number>

  beforeEach(() => {
    machine = smallMachine({ kernel })
    targets = []
    attempts = new Map()
  })

  const flags = (pfn: Pfn) => machine.vm.pgdat.map.flags[atOf(machine.vm, pfn)]!
  const refs = (pfn: Pfn) => machine.vm.pgdat.map.refcount[atOf(machine.vm, pfn)]!

  /** Migrates with targets noted. */
  function migrate(list: PageList, none = false): number {
    const { vm } = machine
    const target = (src: Pfn) => {
      const dst = none ? null : alloc_migrate_target(vm, src)
      targets.push(dst)
      return dst
    }
    return migrate_pages(vm, list, target, 'MIGRATE_SYNC', 'contig_range')
  }

  /** A dirty page of a file at `pfn`, whose file system says `rc` to each attempt to move it. */
  function pageThatSays(pfn: Pfn, rc: number): void {
    const { cache } = cacheFile(machine, 1, pfn, true)
    const migrate_folio = (_dst: Pfn, src: Pfn) => {
      attempts.set(src, (attempts.get(src) ?? 0) + 1)
      return rc
    }
    Object.assign(cache, { migrate_folio })
  }

  it('MC-3.15, TV-53: tries A (-EAGAIN) 10 times, B (0) and C (-EBUSY) once; returns 2 and leaves A', () => {
    const { vm, cma } = machine
    const [a, b, c] = [cma.base_pfn, cma.base_pfn + 1, cma.base_pfn + 2]
    pageThatSays(a, -EAGAIN)
    pageThatSays(b, 0)
    pageThatSays(c, -EBUSY)
    const list = isolated(vm, a, b, c)
    vm.trace.enabled = true
    expect(migrate(list)).toBe(2)
    expect([a, b, c].map((pfn) => attempts.get(pfn))).toEqual([10, 1, 1])
    expect(pfnsOf(vm.pgdat.map, list)).toEqual([a])
    // B has moved and is free; C is back on its LRU list with the page cache's reference alone.
    expect([refs(b), flags(c) & PG_lru, refs(c)]).toEqual([0, PG_lru, 1])
    const counted = { '3.5': [0, 0], '3.9': [1, 1], '4.6': [1, 2], '4.12.4': [1, 2] }[kernel]
    const { pgmigrate_success, pgmigrate_fail } = vm.pgdat.vm_event
    expect([pgmigrate_success, pgmigrate_fail]).toEqual(counted)
    const event = { nr_succeeded: 1, nr_failed: counted[1], mode: 'MIGRATE_SYNC', reason: 'cma' }
    expect(eventsOf(vm, 'mm_migrate_pages')).toEqual(kernel === '3.5' ? [] : [event])
  })

  it('MC-3.15, MC-3.16: force is false in passes 0 to 2 and true from pass 3 on: then it waits for a locked page', () => {
    const { vm, cma } = machine
    fillArea(machine, 1)
    const list = isolated(vm, cma.base_pfn)
    vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! |= PG_locked
    const waited: number[] = []
    vm.hooks.whileWaiting = () => waited.push(targets.length)
    expect(migrate(list)).toBe(0)
    // A target for each pass: three in vain, and the fourth time it waits.
    expect([waited, targets.length]).toEqual([[4], 4])
  })

  it('MC-3.15: no target is -ENOMEM at once, and the page stays on the list', () => {
    const { vm, cma } = machine
    fillArea(machine, 2)
    const list = isolated(vm, cma.base_pfn, cma.base_pfn + 1)
    expect(migrate(list, true)).toBe(-ENOMEM)
    expect([targets.length, list.count]).toEqual([1, 2])
    expect(vm.pgdat.vm_event.pgmigrate_fail).toBe(kernel === '4.12.4' ? 1 : 0)
  })

  it('MC-3.16: takes the target first, and gives it back when the page was freed meanwhile', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    const list = isolated(vm, cma.base_pfn)
    do_munmap(vm, mm, va, PAGE)
    // Whoever has it locked is of no interest.
    vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! &= ~PG_locked
    expect(refs(cma.base_pfn)).toBe(1)
    expect(migrate(list)).toBe(0)
    expect([targets.length, list.count, refs(cma.base_pfn), refs(targets[0]!)]).toEqual([1, 0, 0, 0])
  })

  it('MC-3.16: a page under writeback is left for later in passes 0 to 2 and waited for then', () => {
    const { vm, cma } = machine
    cacheFile(machine, 1, cma.base_pfn, true)
    const list = isolated(vm, cma.base_pfn)
    vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! |= PG_writeback
    const waited: number[] = []
    vm.hooks.whileWaiting = () => waited.push(targets.length)
    expect(migrate(list)).toBe(0)
    expect([waited, targets.length]).toEqual([[4], 4])
  })

  it('MC-3.16: MIGRATE_ASYNC never waits: -EAGAIN for a lock, -EBUSY for writeback', () => {
    const { vm, cma } = machine
    cacheFile(machine, 2, cma.base_pfn, true)
    const list = isolated(vm, cma.base_pfn, cma.base_pfn + 1)
    vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! |= PG_locked
    vm.pgdat.map.flags[atOf(vm, cma.base_pfn + 1)]! |= PG_writeback
    vm.hooks.whileWaiting = () => expect.unreachable()
    const target = (src: Pfn) => alloc_migrate_target(vm, src)
    expect(migrate_pages(vm, list, target, 'MIGRATE_ASYNC', 'compaction')).toBe(2)
    expect(pfnsOf(vm.pgdat.map, list)).toEqual([cma.base_pfn])
  })

  it('MC-3.16: an anonymous page that nobody maps any more, and somebody holds, is -EAGAIN', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    get_page(vm, cma.base_pfn)
    const list = isolated(vm, cma.base_pfn)
    do_munmap(vm, mm, va, PAGE)
    expect(flags(cma.base_pfn) & PAGE_MAPPING_ANON).toBe(PAGE_MAPPING_ANON)
    expect(migrate(list)).toBe(1)
    expect([targets.length, list.count, refs(cma.base_pfn)]).toEqual([10, 1, 2])
    put_page(vm, cma.base_pfn)
  })

  it('MC-3.16: a page that is still mapped after unmapping is -EAGAIN, and its ptes are restored', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    const { map } = vm.pgdat
    const list = isolated(vm, cma.base_pfn)
    // A mapping that the reverse map does not find.
    map.mapcount[atOf(vm, cma.base_pfn)]!++
    get_page(vm, cma.base_pfn)
    expect(migrate(list)).toBe(1)
    expect([pfnAt(vm, mm, va), list.count, refs(cma.base_pfn)]).toEqual([cma.base_pfn, 1, 3])
    expect(readStamp(vm, mm, va)).toBe(1)
  })

  it('MC-3.16: success leaves the ptes at the new page and the old page free', () => {
    const { vm, cma } = machine
    const { mm, va } = fillArea(machine, 1)
    expect(migrate(isolated(vm, cma.base_pfn))).toBe(0)
    expect(pfnAt(vm, mm, va)).toBe(targets[0])
    expect([refs(targets[0]!), flags(targets[0]!) & (PG_lru | PG_locked)]).toEqual([1, PG_lru])
    expect(refs(cma.base_pfn)).toBe(0)
    expect(readStamp(vm, mm, va)).toBe(1)
  })

  it('a dirty page of a file system that cannot move pages is written, and moves clean the next time', () => {
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 1, cma.base_pfn, true)
    cache.canMigrate = false
    cache.disk!.clear()
    expect(flags(cma.base_pfn) & PG_dirty).toBe(PG_dirty)
    expect(migrate(isolated(vm, cma.base_pfn))).toBe(0)
    expect([targets.length, cache.i_pages.get(0)]).toEqual([2, targets[1]])
    expect(flags(targets[1]!) & PG_dirty).toBe(0)
    expect(cache.disk!.get(0)![0]).toBe(0)
  })

  it('a dirty page that cannot be written is -EIO, which no pass repeats; it is dirty still', () => {
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 1, cma.base_pfn, true)
    Object.assign(cache, { canMigrate: false, failing: true })
    const list = isolated(vm, cma.base_pfn)
    expect(migrate(list)).toBe(1)
    expect([targets.length, list.count, flags(cma.base_pfn) & (PG_dirty | PG_lru)]).toEqual([
      1,
      0,
      PG_dirty | PG_lru,
    ])
  })

  it('an empty list is 0', () => {
    expect(migrate(createPageList())).toBe(0)
  })

  it('a page cut off from its file loses its private data, and is free the next time', () => {
    const { vm, cma } = machine
    const { map } = vm.pgdat
    const { cache } = cacheFile(machine, 1, cma.base_pfn, false)
    const at = atOf(vm, cma.base_pfn)
    const list = isolated(vm, cma.base_pfn)
    // What truncation leaves behind when buffers were under I/O.
    cache.i_pages.clear()
    map.mapping[at] = 0
    map.flags[at]! |= PG_private
    expect(migrate(list)).toBe(0)
    expect([targets.length, map.refcount[at], map.flags[at]! & PG_lru]).toEqual([2, 0, 0])
  })
})
