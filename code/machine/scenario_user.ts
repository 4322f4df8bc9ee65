// SPDX-License-Identifier: MIT
//
// The memory of a process as scenarios speak of it: by the number of its page.
//
//     fill in a CMA area      pages that lie elsewhere are given back, so the area has holes: `pages` numbers the rest
//     page number 2           → address → page table → pfn

// #region scenario-user
import { ptesIn, walk } from '../arch/pgtable.ts'
import { pte_pfn, pte_present } from '../arch/pgtable_pte.ts'
import type { Bytes, Pfn, VirtAddr } from '../lib/units.ts'
import { populate_vma_page_range } from '../mm/gup.ts'
import { vmasIn } from '../mm/mm_struct.ts'
import { get_pageblock_migratetype } from '../mm/page.ts'
import type { MmStruct, Vm } from '../mm/vm.ts'
import { Fault, type UserArea } from './scenario_context.ts'

/** How many pages it counts. */
export function pagesIn(vm: Vm, area: UserArea): number {
  return area.pages?.length ?? Math.ceil(area.size / vm.pgdat.pageSize)
}

/** The address of its page number `page`. @throws Fault behind its end */
export function userAddress(vm: Vm, area: UserArea, page: number): VirtAddr {
  const count = pagesIn(vm, area)
  if (page >= count) {
    const text = `the area has no page ${page}, expected 0 to ${count - 1}`
    throw new Fault({ rule: 'scenario-outside', key: 'page', text })
  }
  return area.va + (area.pages?.[page] ?? page) * vm.pgdat.pageSize
}

/** How many pages `from` and those behind it are, all to the end when unsaid. @throws Fault: the area has not so many */
export function pagesFrom(vm: Vm, area: UserArea, from: number, pages: number | undefined): number {
  const all = pagesIn(vm, area)
  const count = pages ?? all - from
  if (count > 0 && from + count <= all) return count
  const text = `got pages ${from} to ${from + count - 1}, expected some of 0 to ${all - 1}: the area has ${all}`
  throw new Fault({ rule: 'scenario-outside', key: pages === undefined ? 'from' : 'pages', text })
}

/** The page that its page table has for page number `page`, or null. */
export function userPfn(vm: Vm, area: UserArea, page: number): Pfn | null {
  return mappedPfn(vm, area.mm, userAddress(vm, area, page))
}

/** The page that a process has at `va`, or null. */
export function mappedPfn({ geometry, pgdat }: Vm, mm: MmStruct, va: VirtAddr): Pfn | null {
  const found = walk(mm.pgd, va)
  return found && pte_present(pgdat.arch, found.pte) ? pte_pfn(geometry, found.pte) : null
}

/** Brings the pages of `[va, va + size)` in, until memory runs out. */
export function populate(vm: Vm, mm: MmStruct, va: VirtAddr, size: Bytes): void {
  for (const vma of vmasIn(mm, va, va + size)) {
    populate_vma_page_range(vm, vma, Math.max(va, vma.vm_start), Math.min(va + size, vma.vm_end))
  }
}

/** How many pages of `[va, va + size)` are there, and how many of them in blocks of CMA areas. */
export function countPages(
  vm: Vm,
  mm: MmStruct,
  va: VirtAddr,
  size: Bytes,
): { pages: number; inCma: number } {
  const { pgdat, geometry } = vm
  let pages = 0
  let inCma = 0
  for (const { pte } of ptesIn(mm.pgd, va, va + size)) {
    if (!pte_present(pgdat.arch, pte)) continue
    pages++
    if (get_pageblock_migratetype(pgdat, pte_pfn(geometry, pte)) === pgdat.migrate.CMA) inCma++
  }
  return { pages, inCma }
}
// #endregion scenario-user
