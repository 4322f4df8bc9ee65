// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { EBUSY, EIO } from '../../code/lib/errno.ts'
import { folio_lock, folio_trylock, folio_unlock, folio_wait_writeback } from '../../code/mm/folio_wait.ts'
import { GFP_HIGHUSER_MOVABLE } from '../../code/mm/gfp.ts'
import {
  folio_isolate_lru,
  folio_lru_list,
  folio_putback_lru,
  get_page,
  lru_add,
  lru_add_drain_all,
  lru_cache_disable,
  lru_cache_enable,
  lruvec_del_folio,
  put_page,
} from '../../code/mm/lru.ts'
import {
  PG_active,
  PAGE_MAPPING_ANON,
  PG_dirty,
  PG_locked,
  PG_lru,
  PG_swapbacked,
  PG_unevictable,
  PG_writeback,
} from '../../code/mm/mmzone.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import { pfnsOf } from '../../code/mm/page_list.ts'
import { folio_clear_dirty_for_io, wakeup_flusher_threads, writepage } from '../../code/mm/writeback.ts'
import { atOf, cacheFile, smallMachine } from '../support/mm_machine.ts'

function onePage() {
  const machine = smallMachine({ kernel: '6.12.117' })
  const pfn = __alloc_pages(machine.vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)!
  return { ...machine, pfn, at: atOf(machine.vm, pfn), map: machine.vm.pgdat.map }
}

describe('LRU lists', () => {
  it.each([
    [0, 'inactive_file'],
    [PG_active, 'active_file'],
    [PAGE_MAPPING_ANON | PG_swapbacked, 'inactive_anon'],
    [PG_swapbacked | PG_active, 'active_anon'],
    [PG_unevictable | PAGE_MAPPING_ANON | PG_active, 'unevictable'],
  ])('folio_lru_list() of flags 0x%x is %s', (flags, list) => {
    const { vm, pfn, at, map } = onePage()
    map.flags[at]! |= flags
    expect(folio_lru_list(vm, pfn)).toBe(list)
  })

  it('lru_add() puts a page at the head without a reference; twice throws', () => {
    const { vm, pfn, at, map } = onePage()
    const second = __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)!
    lru_add(vm, pfn)
    lru_add(vm, second)
    expect(pfnsOf(map, vm.lru.inactive_file)).toEqual([second, pfn])
    expect([map.refcount[at], map.flags[at]! & PG_lru]).toEqual([1, PG_lru])
    expect(() => lru_add(vm, pfn)).toThrow(
      /lru_add: pfn 0x[0-9a-f]+ is on inactive_file already; isolate it first/,
    )
  })

  it('folio_isolate_lru() takes a page once, folio_putback_lru() gives it back', () => {
    const { vm, pfn, at, map } = onePage()
    expect(folio_isolate_lru(vm, pfn)).toBe(-EBUSY)
    lru_add(vm, pfn)
    expect([folio_isolate_lru(vm, pfn), folio_isolate_lru(vm, pfn)]).toEqual([0, -EBUSY])
    expect([map.refcount[at], vm.lru.inactive_file.count]).toEqual([2, 0])
    map.flags[at]! |= PG_active
    folio_putback_lru(vm, pfn)
    expect([map.refcount[at], vm.lru.active_file.count]).toEqual([1, 1])
    expect(() => lruvec_del_folio(vm, pfn)).not.toThrow()
    expect(() => lruvec_del_folio(vm, pfn)).toThrow(/on no LRU list/)
  })

  it('put_page() frees with the last reference, off the list; get_page() of a free page throws', () => {
    const { vm, pfn, at, map } = onePage()
    lru_add(vm, pfn)
    get_page(vm, pfn)
    put_page(vm, pfn)
    expect(vm.lru.inactive_file.count).toBe(1)
    put_page(vm, pfn)
    expect([vm.lru.inactive_file.count, map.refcount[at]]).toEqual([0, 0])
    expect(() => get_page(vm, pfn)).toThrow(/get_page: pfn 0x[0-9a-f]+ has 0 references, expected at least 1/)
  })

  it('draining and disabling the batches are steps and nothing else', () => {
    const { vm } = onePage()
    vm.steps = []
    lru_cache_disable(vm)
    lru_add_drain_all(vm)
    lru_cache_enable(vm)
    expect(vm.steps).toEqual(['lru_cache_disable', 'lru_add_drain_all', 'lru_cache_enable'])
  })
})

describe('waiting for a page', () => {
  it('folio_lock() sleeps while another has the lock, and has it then', () => {
    const { vm, pfn, at, map } = onePage()
    expect([folio_trylock(vm, pfn), folio_trylock(vm, pfn)]).toEqual([true, false])
    const slept: number[] = []
    vm.hooks.whileWaiting = (_vm, page) => slept.push(page)
    folio_lock(vm, pfn)
    expect([slept, map.flags[at]! & PG_locked]).toEqual([[pfn], PG_locked])
    folio_unlock(vm, pfn)
    expect(() => folio_unlock(vm, pfn)).toThrow(/is not locked; lock it first/)
  })

  it('folio_wait_writeback() sleeps only under writeback', () => {
    const { vm, pfn, at, map } = onePage()
    let slept = 0
    vm.hooks.whileWaiting = () => void slept++
    folio_wait_writeback(vm, pfn)
    map.flags[at]! |= PG_writeback
    folio_wait_writeback(vm, pfn)
    expect([slept, map.flags[at]! & PG_writeback]).toEqual([1, 0])
  })
})

describe('writeback', () => {
  it('writepage() leaves a clean page, or a dirty one when it fails: -EIO', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 1, cma.base_pfn, true)
    const flags = () => vm.pgdat.map.flags[atOf(vm, cma.base_pfn)]! & (PG_dirty | PG_writeback)
    cache.failing = true
    expect(folio_clear_dirty_for_io(vm, cma.base_pfn)).toBe(true)
    expect([writepage(vm, cma.base_pfn), flags()]).toEqual([-EIO, PG_dirty])
    cache.failing = false
    expect(folio_clear_dirty_for_io(vm, cma.base_pfn)).toBe(true)
    expect([writepage(vm, cma.base_pfn), flags()]).toEqual([0, 0])
    expect(folio_clear_dirty_for_io(vm, cma.base_pfn)).toBe(false)
  })

  it('wakeup_flusher_threads() writes every dirty page of files', () => {
    const machine = smallMachine({ kernel: '6.12.117' })
    const { vm, cma } = machine
    const { cache } = cacheFile(machine, 5, cma.base_pfn, true)
    cache.disk!.clear()
    wakeup_flusher_threads(vm)
    expect([...cache.disk!.keys()].sort()).toEqual([0, 1, 2, 3, 4])
  })
})
