// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MemMap } from '../../code/mm/mmzone.ts'
import {
  createPageList,
  cutFront,
  list_add,
  list_add_tail,
  list_del,
  list_empty,
  list_move_tail,
  list_splice_init,
  list_splice_tail_init,
  pfnsOf,
  type PageList,
} from '../../code/mm/page_list.ts'
import '../support/laws_seed.ts'

const BASE = 0x40000
const PAGES = 16

function memMap(): MemMap {
  return {
    start_pfn: BASE,
    end_pfn: BASE + PAGES,
    flags: new Uint16Array(PAGES),
    refcount: new Uint16Array(PAGES),
    mapcount: new Uint16Array(PAGES),
    next: new Int32Array(PAGES),
    prev: new Int32Array(PAGES),
    mapping: new Int32Array(PAGES),
    index: new Int32Array(PAGES),
  }
}

function listOf(map: MemMap, ...pages: number[]): PageList {
  const list = createPageList()
  for (const page of pages) list_add_tail(map, BASE + page, list)
  return list
}

const pages = (map: MemMap, list: PageList) => pfnsOf(map, list).map((pfn) => pfn - BASE)

describe('page lists', () => {
  it('list_add() makes a stack, list_add_tail() a queue', () => {
    const map = memMap()
    const list = createPageList()
    expect(list_empty(list)).toBe(true)
    list_add(map, BASE + 1, list)
    list_add(map, BASE + 2, list)
    list_add_tail(map, BASE + 3, list)
    expect(pages(map, list)).toEqual([2, 1, 3])
    expect(list.count).toBe(3)
  })

  it('list_splice_init() puts a list before another, list_splice_tail_init() behind it; it is empty then', () => {
    const map = memMap()
    const list = listOf(map, 1, 2)
    const before = listOf(map, 3, 4)
    const behind = listOf(map, 5)
    list_splice_init(map, before, list)
    list_splice_tail_init(map, behind, list)
    expect(pages(map, list)).toEqual([3, 4, 1, 2, 5])
    expect([before, behind, createPageList()].map((each) => each.count)).toEqual([0, 0, 0])
    expect(list_empty(before)).toBe(true)
  })

  it('cutFront() takes the first pages in order, and all of a shorter list', () => {
    const map = memMap()
    const list = listOf(map, 1, 2, 3)
    expect(pages(map, cutFront(map, list, 2))).toEqual([1, 2])
    expect(pages(map, cutFront(map, list, 2))).toEqual([3])
    expect(list).toEqual(createPageList())
  })

  // Two lists beside two arrays that do the same.
  it('lists agree with arrays after any operations', () => {
    const operation = fc.record({
      what: fc.constantFrom('add', 'tail', 'del', 'move', 'splice', 'spliceTail', 'cut'),
      page: fc.nat(PAGES - 1),
      list: fc.nat(1),
    })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const map = memMap()
        const lists = [createPageList(), createPageList()] as const
        const arrays: [number[], number[]] = [[], []]
        for (const { what, page, list: i } of operations) {
          const [list, other] = i ? [lists[1], lists[0]] : lists
          const [array, rest] = i ? [arrays[1], arrays[0]] : arrays
          const isOn = array.includes(page)
          const isFree = !isOn && !rest.includes(page)
          if (what === 'add' && isFree) {
            list_add(map, BASE + page, list)
            array.unshift(page)
          } else if (what === 'tail' && isFree) {
            list_add_tail(map, BASE + page, list)
            array.push(page)
          } else if (what === 'del' && isOn) {
            list_del(map, BASE + page, list)
            array.splice(array.indexOf(page), 1)
          } else if (what === 'move' && isOn) {
            list_move_tail(map, BASE + page, list, other)
            rest.push(...array.splice(array.indexOf(page), 1))
          } else if (what === 'splice') {
            list_splice_init(map, list, other)
            rest.unshift(...array.splice(0))
          } else if (what === 'spliceTail') {
            list_splice_tail_init(map, list, other)
            rest.push(...array.splice(0))
          } else if (what === 'cut') {
            list_splice_tail_init(map, cutFront(map, list, page), other)
            rest.push(...array.splice(0, page))
          }
        }
        for (const side of [0, 1] as const) {
          expect(pages(map, lists[side])).toEqual(arrays[side])
          expect(lists[side].count).toBe(arrays[side].length)
          // The links backwards say the same.
          const backwards: number[] = []
          for (let at = lists[side].tail; at >= 0; at = map.prev[at]!) backwards.unshift(at)
          expect(backwards).toEqual(arrays[side])
        }
      }),
      { numRuns: 300 },
    )
  })
})
