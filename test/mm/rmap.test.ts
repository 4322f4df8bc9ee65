// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { walk } from '../../code/arch/pgtable.ts'
import { is_migration_entry, pte_to_swp_entry } from '../../code/arch/pgtable_swap.ts'
import { cpuCopyPage } from '../../code/arch/cpu.ts'
import { KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { openFile } from '../../code/mm/file.ts'
import { createFile } from '../../code/mm/filemap_fault.ts'
import { GFP_HIGHUSER_MOVABLE } from '../../code/mm/gfp.ts'
import { get_page, put_page } from '../../code/mm/lru.ts'
import { createProcess, find_vma } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm } from '../../code/mm/mmap_unmap.ts'
import { PAGE_MAPPING_ANON, PG_dirty } from '../../code/mm/mmzone.ts'
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../code/mm/mremap.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import {
  folio_remove_rmap_pte,
  linear_page_index,
  page_mapcount,
  remove_migration_ptes,
  try_to_migrate,
  try_to_unmap,
  vma_address,
} from '../../code/mm/rmap.ts'
import { pagemap } from '../../code/mm/smaps.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { MmStruct, Vm } from '../../code/mm/vm.ts'
import { PAGE, smallMachine } from '../support/mm_machine.ts'
import { mapMemory } from '../support/processes.ts'

const byte = (value: number): Uint8Array => Uint8Array.of(value)
const RW = flag.PROT_READ | flag.PROT_WRITE

function process(arch: 'arm' | 'arm64' = 'arm64', kernel = '6.12.117' as (typeof KERNEL_VERSIONS)[number]) {
  const { vm } = smallMachine({ kernel, arch })
  return { vm, mm: createProcess(vm, 'prog') }
}

const pfnAt = (vm: Vm, mm: MmStruct, va: number): Pfn | null =>
  pagemap(vm, mm).find((entry) => entry.va === va)?.pfn ?? null

const refs = ({ pgdat: { map } }: Vm, pfn: Pfn): number => map.refcount[pfn - map.start_pfn]!

// The steps of a migration, without mm/migrate.c: only what rmap does and what it needs.
function moveByHand(vm: Vm, src: Pfn): Pfn {
  const { map } = vm.pgdat
  const dst = __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)!
  get_page(vm, src)
  try_to_migrate(vm, src)
  expect([page_mapcount(vm, src), refs(vm, src)]).toEqual([0, 1])
  cpuCopyPage(vm.cpu, dst * PAGE, src * PAGE, PAGE)
  map.mapping[dst - map.start_pfn] = map.mapping[src - map.start_pfn]!
  map.index[dst - map.start_pfn] = map.index[src - map.start_pfn]!
  map.flags[dst - map.start_pfn] = map.flags[src - map.start_pfn]! & PAGE_MAPPING_ANON
  remove_migration_ptes(vm, src, dst)
  put_page(vm, src)
  put_page(vm, dst)
  return dst
}

describe('try_to_migrate and remove_migration_ptes', () => {
  test('try_to_migrate() leaves a migration entry in every page table; remove_migration_ptes() maps the new page', () => {
    for (const arch of ['arm', 'arm64'] as const) {
      const { vm, mm } = process(arch)
      const at = mapMemory(vm, mm, 2 * PAGE) + PAGE
      userWrite(vm, mm, at, byte(7))
      const child = dup_mm(vm, mm) as MmStruct
      const src = pfnAt(vm, mm, at)!
      get_page(vm, src)
      try_to_migrate(vm, src)
      for (const each of [mm, child]) {
        expect(is_migration_entry(pte_to_swp_entry(arch, walk(each.pgd, at)!.pte))).toBe(true)
        expect(pagemap(vm, each)[0]!.pfn).toBeNull()
      }
      expect(() => userRead(vm, mm, at, 1)).toThrow('is being migrated')
      // It failed: everybody has the page again.
      remove_migration_ptes(vm, src, src)
      put_page(vm, src)
      expect([page_mapcount(vm, src), refs(vm, src)]).toEqual([2, 2])
      const dst = moveByHand(vm, src)
      expect([pfnAt(vm, mm, at), pfnAt(vm, child, at)]).toEqual([dst, dst])
      expect([page_mapcount(vm, dst), refs(vm, dst)]).toEqual([2, 2])
      expect([userRead(vm, mm, at, 1), userRead(vm, child, at, 1)]).toEqual([byte(7), byte(7)])
      // Still shared: a write is a copy.
      userWrite(vm, child, at, byte(8))
      expect([userRead(vm, mm, at, 1), pfnAt(vm, mm, at)]).toEqual([byte(7), dst])
    }
  })

  test('remove_migration_ptes() finds the page after its VMA was split and moved', () => {
    for (const kernel of KERNEL_VERSIONS) {
      const { vm, mm } = process('arm64', kernel)
      const at = mapMemory(vm, mm, 4 * PAGE)
      for (let page = 0; page < 4; page++) userWrite(vm, mm, at + page * PAGE, byte(page + 1))
      do_munmap(vm, mm, at + PAGE, PAGE)
      const to = 0x2000_0000
      mremap(vm, mm, at + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to)
      const src = pfnAt(vm, mm, to + PAGE)!
      expect(pfnAt(vm, mm, to + PAGE)).not.toBe(moveByHand(vm, src))
      expect([userRead(vm, mm, to + PAGE, 1), userRead(vm, mm, at, 1)]).toEqual([byte(4), byte(1)])
      expect(pfnAt(vm, mm, to + PAGE)).not.toBe(src)
    }
  })

  test('linear_page_index() and vma_address() are inverse, also where offsets of pages have 36 bits', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, 3 * PAGE)
    const vma = find_vma(mm, at)!
    expect(vma.vm_pgoff).toBeGreaterThan(2 ** 35)
    for (let page = 0; page < 3; page++) {
      const index = linear_page_index(vm, vma, at + page * PAGE)
      expect(index).toBeLessThan(2 ** 31)
      expect(vma_address(vm, vma, index)).toBe(at + page * PAGE)
    }
    expect(vma_address(vm, vma, linear_page_index(vm, vma, at) - 1)).toBeNull()
    expect(vma_address(vm, vma, linear_page_index(vm, vma, at) + 3)).toBeNull()
  })
})

describe('try_to_unmap', () => {
  test('try_to_unmap() takes a file’s page out of all page tables and remembers that it was written', () => {
    const { vm, mm } = process()
    const inode = createFile(vm, 'data', 1)
    const file = openFile(vm, inode)
    const at = do_mmap(vm, mm, { len: PAGE, prot: RW, flags: flag.MAP_SHARED, file })
    userWrite(vm, mm, at, byte(3))
    dup_mm(vm, mm)
    const pfn = inode.i_mapping!.i_pages.get(0)!
    const { map } = vm.pgdat
    map.flags[pfn - map.start_pfn]! &= ~PG_dirty
    get_page(vm, pfn)
    try_to_unmap(vm, pfn)
    expect([page_mapcount(vm, pfn), refs(vm, pfn)]).toEqual([0, 2])
    expect(map.flags[pfn - map.start_pfn]! & PG_dirty).toBe(PG_dirty)
    put_page(vm, pfn)
    expect(userRead(vm, mm, at, 1)).toEqual(byte(3))
  })

  test('try_to_unmap() leaves anonymous memory where it is; folio_remove_rmap_pte() throws below 0', () => {
    const { vm, mm } = process()
    const at = mapMemory(vm, mm, PAGE)
    userWrite(vm, mm, at, byte(1))
    const pfn = pfnAt(vm, mm, at)!
    try_to_unmap(vm, pfn)
    expect(page_mapcount(vm, pfn)).toBe(1)
    const unmapped = __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)!
    expect(() => folio_remove_rmap_pte(vm, unmapped)).toThrow('is mapped 0 times')
  })
})
