// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { ENOMEM } from '../../code/lib/errno.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { FOLL_LONGTERM, FOLL_WRITE, pin_user_pages } from '../../code/mm/gup.ts'
import { get_page } from '../../code/mm/lru.ts'
import { migrateLongterm } from '../../code/mm/migrate_longterm.ts'
import { fillArea, PAGE, pfnAt, readStamp, smallMachine } from '../support/mm_machine.ts'

describe.each(['6.1.192', '6.12.117'] as const)('migrateLongterm() of %s', (kernel) => {
  it('a long pin moves pages out of CMA first; a short one leaves them', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    vm.hooks.migrateLongterm = migrateLongterm
    const { mm, va } = fillArea(machine, 3)
    const pins: Pfn[] = []
    expect(pin_user_pages(vm, mm, va + 2 * PAGE, 1, FOLL_WRITE, pins)).toBe(1)
    expect(pins).toEqual([cma.base_pfn + 2])
    pins.length = 0
    expect(pin_user_pages(vm, mm, va, 2, FOLL_WRITE | FOLL_LONGTERM, pins)).toBe(2)
    for (const page of [0, 1]) {
      expect(pins[page]).toBeLessThan(cma.base_pfn)
      expect([pfnAt(vm, mm, va + page * PAGE), readStamp(vm, mm, va + page * PAGE)]).toEqual([
        pins[page],
        page + 1,
      ])
    }
  })

  it('-ENOMEM when somebody else holds the page: it stays', () => {
    const machine = smallMachine({ kernel })
    const { vm, cma } = machine
    vm.hooks.migrateLongterm = migrateLongterm
    const { mm, va } = fillArea(machine, 1)
    get_page(vm, cma.base_pfn)
    expect(pin_user_pages(vm, mm, va, 1, FOLL_WRITE | FOLL_LONGTERM, [])).toBe(-ENOMEM)
    expect(pfnAt(vm, mm, va)).toBe(cma.base_pfn)
  })
})
