// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EFAULT, EIO, ENOMEM } from '../../code/lib/errno.ts'
import { KERNEL_VERSIONS, kernelAtLeast } from '../../code/lib/kernel_version.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { openFile } from '../../code/mm/file.ts'
import { createFile } from '../../code/mm/filemap_fault.ts'
import {
  folio_is_longterm_pinnable,
  FOLL_LONGTERM,
  FOLL_WRITE,
  get_user_pages,
  pin_user_pages,
  unpin_user_page,
} from '../../code/mm/gup.ts'
import { put_page } from '../../code/mm/lru.ts'
import { mem_rw } from '../../code/mm/memory_access.ts'
import { migrateLongterm } from '../../code/mm/migrate_longterm.ts'
import { createProcess, find_vma } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm } from '../../code/mm/mmap_unmap.ts'
import { set_pageblock_migratetype } from '../../code/mm/page.ts'
import { pagemap } from '../../code/mm/smaps.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { MmStruct, Vm } from '../../code/mm/vm.ts'
import { PAGE, smallMachine } from '../support/mm_machine.ts'
import { freePagesOf, mapMemory, withoutMemory } from '../support/processes.ts'

const byte = (value: number): Uint8Array => Uint8Array.of(value)
const refs = ({ pgdat: { map } }: Vm, pfn: Pfn): number => map.refcount[pfn - map.start_pfn]!
const pfns = (vm: Vm, mm: MmStruct) => pagemap(vm, mm).map(({ pfn }) => pfn!)

function process(kernel = '6.12.117' as (typeof KERNEL_VERSIONS)[number]) {
  const { vm, cma } = smallMachine({ kernel })
  return { vm, cma, mm: createProcess(vm, 'prog') }
}

describe('pin_user_pages', () => {
  test.each(KERNEL_VERSIONS)(
    'pin_user_pages() brings and holds pages; a pin counts 1024 in 6.x and 1 before, %s',
    (kernel) => {
      const { vm, mm } = process(kernel)
      const at = mapMemory(vm, mm, 3 * PAGE)
      const pages: Pfn[] = []
      expect(pin_user_pages(vm, mm, at, 3, FOLL_WRITE, pages)).toBe(3)
      expect(pages).toEqual(pfns(vm, mm))
      const pin = kernelAtLeast(kernel, '6.1.192') ? 1024 : 1
      expect(pages.map((pfn) => refs(vm, pfn))).toEqual([1 + pin, 1 + pin, 1 + pin])
      for (const pfn of pages) unpin_user_page(vm, pfn)
      expect(pages.map((pfn) => refs(vm, pfn))).toEqual([1, 1, 1])
      if (pin > 1) expect(() => unpin_user_page(vm, pages[0]!)).toThrow('unpinned twice?')
    },
  )

  test('pin_user_pages() keeps a page when its program has unmapped it, and frees it with the unpin', () => {
    const { vm, mm } = process()
    // The second page keeps the page tables.
    const at = mapMemory(vm, mm, 2 * PAGE)
    const pages: Pfn[] = []
    pin_user_pages(vm, mm, at, 1, FOLL_WRITE, pages)
    const free = freePagesOf(vm)
    do_munmap(vm, mm, at, PAGE)
    expect([freePagesOf(vm), refs(vm, pages[0]!)]).toEqual([free, 1024])
    unpin_user_page(vm, pages[0]!)
    expect(freePagesOf(vm)).toBe(free + 1)
  })

  test('pin_user_pages() says -EFAULT for what is not mapped or not allowed, and what it got before that', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, 2 * PAGE)
    const pages: Pfn[] = []
    expect(pin_user_pages(vm, mm, at, 3, FOLL_WRITE, pages)).toBe(2)
    expect(pin_user_pages(vm, mm, at + 2 * PAGE, 1, FOLL_WRITE, [])).toBe(-EFAULT)
    const readOnly = mapMemory(vm, mm, PAGE, { prot: flag.PROT_READ })
    expect(pin_user_pages(vm, mm, readOnly, 1, FOLL_WRITE, [])).toBe(-EFAULT)
    expect(pin_user_pages(vm, mm, readOnly, 1, 0, [])).toBe(1)
    const far = mapMemory(vm, mm, PAGE, { addr: 0x70_0000_0000 })
    expect(withoutMemory(vm, () => pin_user_pages(vm, mm, far, 1, FOLL_WRITE, []))).toBe(-ENOMEM)
  })

  test('pin_user_pages() fails with -ENOMEM when a page has as many pins as its count has room for', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE)
    const pages: Pfn[] = []
    const counts = Array.from({ length: 64 }, () => pin_user_pages(vm, mm, at, 1, FOLL_WRITE, pages))
    expect([counts.filter((n) => n === 1).length, counts.at(-1)]).toEqual([63, -ENOMEM])
  })

  test('pin_user_pages() and fork: in 6.x the pinned page stays the parent’s, before whoever writes first loses it', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const { vm, mm } = process(kernel)
      const at = mapMemory(vm, mm, PAGE)
      const pages: Pfn[] = []
      pin_user_pages(vm, mm, at, 1, FOLL_WRITE, pages)
      const child = dup_mm(vm, mm) as MmStruct
      userWrite(vm, mm, at, byte(5))
      expect(pfns(vm, mm)[0] === pages[0]).toBe(kernelAtLeast(kernel, '6.1.192'))
      expect(userRead(vm, child, at, 1)).toEqual(byte(0))
    }
  })

  test('pin_user_pages() to read after fork takes a copy first in 6.x', () => {
    for (const kernel of ['4.12.4', '6.12.117'] as const) {
      const { vm, mm } = process(kernel)
      const at = mapMemory(vm, mm, PAGE)
      userWrite(vm, mm, at, byte(1))
      const child = dup_mm(vm, mm) as MmStruct
      const pages: Pfn[] = []
      expect(pin_user_pages(vm, mm, at, 1, 0, pages)).toBe(1)
      expect(pages[0] === pfns(vm, child)[0]).toBe(kernel === '4.12.4')
      expect(pages).toEqual(pfns(vm, mm))
    }
  })

  test('get_user_pages() takes a plain reference: in 6.x a write after it is a copy once the page was shared', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE)
    userWrite(vm, mm, at, byte(1))
    const child = dup_mm(vm, mm) as MmStruct
    const pages: Pfn[] = []
    expect(get_user_pages(vm, child, at, 1, 0, pages)).toBe(1)
    do_munmap(vm, child, at, PAGE)
    userWrite(vm, mm, at, byte(2))
    expect(pfns(vm, mm)).not.toEqual(pages)
    put_page(vm, pages[0]!)
  })
})

describe('FOLL_LONGTERM', () => {
  // A page of a program that lies in the CMA area, because nothing else was left.
  const inArea = (kernel = '6.12.117' as (typeof KERNEL_VERSIONS)[number]) => {
    const machine = process(kernel)
    const { vm, mm } = machine
    const at = mapMemory(vm, mm, 2 * PAGE)
    userWrite(vm, mm, at, byte(1))
    withoutMemory(vm, () => userWrite(vm, mm, at + PAGE, byte(7)))
    const [, pfn] = pfns(vm, mm)
    expect(folio_is_longterm_pinnable(vm, pfn!)).toBe(false)
    return { ...machine, at: at + PAGE, pfn: pfn! }
  }

  test('pin_user_pages() for long moves a page out of the CMA area first; a short pin leaves it there', () => {
    const { vm, mm, at, pfn } = inArea()
    vm.hooks.migrateLongterm = migrateLongterm
    const pages: Pfn[] = []
    expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE, pages)).toBe(1)
    expect(pages).toEqual([pfn])
    unpin_user_page(vm, pfn)
    expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE | FOLL_LONGTERM, pages)).toBe(1)
    expect(pages).not.toEqual([pfn])
    expect(folio_is_longterm_pinnable(vm, pages[0]!)).toBe(true)
    expect(userRead(vm, mm, at, 1)).toEqual(byte(7))
    expect(refs(vm, pages[0]!)).toBe(1025)
  })

  test('folio_is_longterm_pinnable() says no for a block that is being isolated, whatever it was', () => {
    const { vm, mm } = process()
    userWrite(vm, mm, mapMemory(vm, mm, PAGE), byte(1))
    const [pfn] = pfns(vm, mm)
    expect(folio_is_longterm_pinnable(vm, pfn!)).toBe(true)
    set_pageblock_migratetype(vm.pgdat, pfn!, vm.pgdat.migrate.ISOLATE)
    expect(folio_is_longterm_pinnable(vm, pfn!)).toBe(false)
  })

  test('pin_user_pages() for long is -ENOMEM when the page cannot move, and holds nothing then', () => {
    const { vm, mm, at, pfn } = inArea()
    expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE | FOLL_LONGTERM, [])).toBe(-ENOMEM)
    vm.hooks.migrateLongterm = migrateLongterm
    const held: Pfn[] = []
    pin_user_pages(vm, mm, at, 1, FOLL_WRITE, held)
    const pages: Pfn[] = []
    expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE | FOLL_LONGTERM, pages)).toBe(-ENOMEM)
    expect([pages, refs(vm, pfn)]).toEqual([[], 1025])
  })

  test('pin_user_pages() before 6.x knows no long pin: the page stays in the area', () => {
    const { vm, mm, at, pfn } = inArea('4.12.4')
    const pages: Pfn[] = []
    expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE | FOLL_LONGTERM, pages)).toBe(1)
    expect(pages).toEqual([pfn])
  })

  test('pin_user_pages() for long to write a shared file is -EFAULT in 6.12, allowed in 6.1', () => {
    for (const [kernel, expected] of [
      ['6.1.192', 1],
      ['6.12.117', -EFAULT],
    ] as const) {
      const { vm, mm } = process(kernel)
      const file = openFile(vm, createFile(vm, 'data', 1))
      const prot = flag.PROT_READ | flag.PROT_WRITE
      const at = do_mmap(vm, mm, { len: PAGE, prot, flags: flag.MAP_SHARED, file })
      expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE | FOLL_LONGTERM, [])).toBe(expected)
      expect(pin_user_pages(vm, mm, at, 1, FOLL_WRITE, [])).toBe(1)
    }
  })
})

describe('mem_rw', () => {
  test('mem_rw() reads and writes another process; private memory that it may only read becomes its own copy', () => {
    const { vm, mm } = process()
    const file = openFile(vm, createFile(vm, 'data', 2))
    const flags = flag.MAP_PRIVATE
    const at = do_mmap(vm, mm, { len: 2 * PAGE, prot: flag.PROT_READ, flags, file })
    const bytes = Uint8Array.of(1, 2, 3, 4)
    expect(mem_rw(vm, mm, bytes, 4, at + PAGE - 2, true)).toBe(4)
    expect(userRead(vm, mm, at + PAGE - 2, 4)).toEqual(bytes)
    const back = new Uint8Array(4)
    expect(mem_rw(vm, mm, back, 4, at + PAGE - 2, false)).toBe(4)
    expect(back).toEqual(bytes)
    expect(userWrite(vm, mm, at, byte(1))).toBe('SIGSEGV')
    expect(mem_rw(vm, mm, back, 4, at + 2 * PAGE - 2, false)).toBe(2)
    expect(mem_rw(vm, mm, back, 4, at + 2 * PAGE, false)).toBe(-EIO)
  })

  test('mem_rw() of bare pfns asks the driver on arm64 of 6.x, nobody before', () => {
    for (const [kernel, expected] of [
      ['4.12.4', -EIO],
      ['6.1.192', 4],
    ] as const) {
      const { vm, mm } = process(kernel)
      const at = mapMemory(vm, mm, PAGE)
      const vma = find_vma(mm, at)!
      vma.vm_flags |= flag.VM_PFNMAP | flag.VM_IO
      vma.vm_ops = { access: (_vm, _vma, _addr, buf, len) => (buf.fill(9), len) }
      const buf = new Uint8Array(4)
      expect(mem_rw(vm, mm, buf, 4, at, false)).toBe(expected)
    }
  })
})
