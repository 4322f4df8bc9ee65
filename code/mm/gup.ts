// SPDX-License-Identifier: MIT
//
// Pins, mm/gup.c: a driver holds pages of a process, so that a device may reach them while the process goes on.
//
//     pin_user_pages(FOLL_WRITE)                  short: the page must stay where it is, and blocks whoever wants to move it
//     pin_user_pages(FOLL_WRITE | FOLL_LONGTERM)  long: pages of CMA areas are moved out first, then pinned
//     unpin_user_page()                           every pin has its unpin
//
// A pin adds 1024 to the references of a page (6.x, so that pins can be told from other references) or 1 (before, where
// get_user_pages() was all there was, and nothing moved out of CMA). Bare pfns cannot be pinned: -EFAULT.
//
// Leaves out: the fast path without locks, FOLL_NOWAIT and signals, huge pages, memory of other devices, limits.

// #region gup-imports
import { walk } from '../arch/pgtable.ts'
import { pte_present, pte_write } from '../arch/pgtable_pte.ts'
import { EFAULT, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import { get_page, put_page } from './lru.ts'
import { GUP_PIN_COUNTING_BIAS, vm_normal_page } from './memory.ts'
import { handle_mm_fault } from './memory_fault.ts'
import { vma_lookup } from './mm_struct.ts'
import {
  is_cow_mapping,
  VM_EXEC,
  VM_IO,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from './mmap_flags.ts'
import { get_pageblock_migratetype } from './page.ts'
import { folio_test_anon, page_mapcount } from './rmap.ts'
import { FAULT_FLAG_UNSHARE, FAULT_FLAG_WRITE, VM_FAULT_ERROR, VM_FAULT_OOM } from './vm_fault.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion gup-imports

// #region gup-flags
/** The holder will write. @kernel include/linux/mm_types.h v6.12 */
export const FOLL_WRITE = 0x1
/** A debugger: private memory may be written that the program may only read. */
export const FOLL_FORCE = 0x8
/** It will be held for as long as the process likes. */
export const FOLL_LONGTERM = 0x100
const FOLL_GET = 0x2
const FOLL_PIN = 0x80000
// #endregion gup-flags

// #region gup-pin
/**
 * Pins `nr_pages` pages from `start` on into `pages`: how many; fewer when a later one cannot be. When the first cannot:
 * -EFAULT (no VMA, not allowed, a bare pfn, nothing behind the page), -ENOMEM (no memory; pinned too often; a page of CMA
 * could not be moved out for FOLL_LONGTERM).
 * Before 5.6 this is get_user_pages(), and FOLL_LONGTERM says nothing.
 * @kernel mm/gup.c pin_user_pages() v6.12
 */
export function pin_user_pages(
  vm: Vm,
  mm: MmStruct,
  start: VirtAddr,
  nr_pages: number,
  gup_flags: number,
  pages: Pfn[],
): number {
  const pins = kernelAtLeast(vm.pgdat.kernel, '6.1.192')
  if (!pins) return __get_user_pages(vm, mm, start, nr_pages, gup_flags | FOLL_GET, pages)
  mm.has_pinned = true
  return __gup_longterm_locked(vm, mm, start, nr_pages, gup_flags | FOLL_PIN, pages)
}
// #endregion gup-pin

// #region gup-get-user-pages
/** Takes an ordinary reference of each page; arguments and errors as pin_user_pages(). Ends with put_page(). @kernel mm/gup.c get_user_pages() v6.12 */
export function get_user_pages(
  vm: Vm,
  mm: MmStruct,
  start: VirtAddr,
  nr_pages: number,
  gup_flags: number,
  pages: Pfn[],
): number {
  return __get_user_pages(vm, mm, start, nr_pages, gup_flags | FOLL_GET, pages)
}
// #endregion gup-get-user-pages

// #region gup-unpin
/** Ends one pin of a page. Throws when there is none. @kernel mm/gup.c unpin_user_page() v6.12 */
export function unpin_user_page(vm: Vm, pfn: Pfn): void {
  const { map, kernel } = vm.pgdat
  if (kernelAtLeast(kernel, '6.1.192')) {
    const refs = map.refcount[pfn - map.start_pfn]!
    if (refs < GUP_PIN_COUNTING_BIAS) {
      const name = `pfn 0x${pfn.toString(16)}`
      throw new Error(
        `unpin_user_page: ${name} has ${refs} references, expected ${GUP_PIN_COUNTING_BIAS} of a pin; unpinned twice?`,
      )
    }
    map.refcount[pfn - map.start_pfn] = refs - (GUP_PIN_COUNTING_BIAS - 1)
  }
  put_page(vm, pfn)
}
// #endregion gup-unpin

// #region gup-longterm
// As often as Linux would find pages in CMA again and again, which it bears for ever.
const MOST_ROUNDS = 10

// A long pin: no page of it may be one that others need moved.
function __gup_longterm_locked(
  vm: Vm,
  mm: MmStruct,
  start: VirtAddr,
  nr_pages: number,
  gup_flags: number,
  pages: Pfn[],
): number {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const pinned = __get_user_pages(vm, mm, start, nr_pages, gup_flags, pages)
    if (!(gup_flags & FOLL_LONGTERM) || pinned <= 0) return pinned
    const inTheWay = pages.slice(0, pinned).filter((pfn) => !folio_is_longterm_pinnable(vm, pfn))
    if (inTheWay.length === 0) return pinned
    for (const pfn of pages.splice(0, pinned)) unpin_user_page(vm, pfn)
    const rc = vm.hooks.migrateLongterm?.(vm, inTheWay) ?? -ENOMEM
    if (rc < 0) return rc
  }
  return -ENOMEM
}
// #endregion gup-longterm

// #region gup-pinnable
/** Whether a page may be held long: not in a CMA area (or one being isolated), not in ZONE_MOVABLE. @kernel include/linux/mm.h folio_is_longterm_pinnable() v6.12 */
export function folio_is_longterm_pinnable(vm: Vm, pfn: Pfn): boolean {
  const { pgdat } = vm
  const type = get_pageblock_migratetype(pgdat, pfn)
  const movable = pgdat.zones.find(({ name }) => name === 'Movable')
  const inMovable = movable && pfn >= movable.zone_start_pfn && pfn < movable.zone_end_pfn
  return type !== pgdat.migrate.CMA && type !== pgdat.migrate.ISOLATE && !inMovable
}
// #endregion gup-pinnable

// #region gup-get
function __get_user_pages(
  vm: Vm,
  mm: MmStruct,
  start: VirtAddr,
  nr_pages: number,
  gup_flags: number,
  pages: Pfn[],
): number {
  pages.length = 0
  for (let i = 0; i < nr_pages; i++) {
    const address = start + i * vm.pgdat.pageSize
    const pfn = getPage(vm, mm, address, gup_flags)
    if (pfn < 0) return i || pfn
    pages.push(pfn)
  }
  return nr_pages
}

// The page at an address, faulted in and held, or a negative errno.
function getPage(vm: Vm, mm: MmStruct, address: VirtAddr, gup_flags: number): Pfn | number {
  const vma = vma_lookup(mm, address)
  if (!vma || !check_vma_flags(vm, vma, gup_flags)) return -EFAULT
  const va = address - (address % vm.pgdat.pageSize)
  const pfn = faultin_page(vm, vma, va, gup_flags)
  return pfn < 0 ? pfn : try_grab_folio(vm, pfn, gup_flags)
}
// #endregion gup-get

// #region gup-check
// Whether the VMA allows it at all.
function check_vma_flags(vm: Vm, vma: VmArea, gup_flags: number): boolean {
  const { vm_flags } = vma
  const force = (gup_flags & FOLL_FORCE) !== 0
  if (vm_flags & (VM_IO | VM_PFNMAP)) return false
  if (!(gup_flags & FOLL_WRITE)) {
    return (vm_flags & VM_READ) !== 0 || (force && (vm_flags & VM_MAYREAD) !== 0)
  }
  if (!(vm_flags & VM_WRITE) && !(force && vm_flags & VM_MAYWRITE && is_cow_mapping(vm_flags))) return false
  // Since 6.5: what a device writes for long, the file would not notice.
  const long = FOLL_PIN | FOLL_LONGTERM
  const unnoticed = (gup_flags & long) === long && vm_flags & VM_SHARED && vma.vm_ops?.page_mkwrite
  return !(unnoticed && kernelAtLeast(vm.pgdat.kernel, '6.12.117'))
}
// #endregion gup-check

// #region gup-faultin
// The page, after as many faults as a program would need for the same access; or a negative errno.
function faultin_page(vm: Vm, vma: VmArea, va: VirtAddr, gup_flags: number): Pfn | number {
  const { arch } = vm.pgdat
  const write = (gup_flags & FOLL_WRITE) !== 0
  for (let forced = false; ; forced = true) {
    const pte = walk(vma.vm_mm.pgd, va)?.pte ?? 0n
    const pfn = pte_present(arch, pte) ? vm_normal_page(vm, vma, va, pte) : null
    if (pte_present(arch, pte) && pfn === null) return -EFAULT
    let need = write ? FAULT_FLAG_WRITE : 0
    if (pfn !== null) {
      const mayWrite = !write || pte_write(arch, pte) || (forced && copiedAlready(vm, vma, pfn))
      const unshare = !write && gup_must_unshare(vm, gup_flags, pfn)
      if (mayWrite && !unshare) return pfn
      if (unshare) need = FAULT_FLAG_UNSHARE
    }
    const fault = handle_mm_fault(vm, vma, va, need)
    if (fault & VM_FAULT_ERROR) return fault & VM_FAULT_OOM ? -ENOMEM : -EFAULT
  }
}
// #endregion gup-faultin

// #region gup-faultin-cases
// FOLL_FORCE: the program may not write, but the page is its own copy by now.
function copiedAlready(vm: Vm, vma: VmArea, pfn: Pfn): boolean {
  return !(vma.vm_flags & VM_WRITE) && folio_test_anon(vm, pfn) && page_mapcount(vm, pfn) === 1
}

// 6.x: who pins to read gets a copy of his own first, else another's write would leave him with the old page.
function gup_must_unshare(vm: Vm, gup_flags: number, pfn: Pfn): boolean {
  return (gup_flags & FOLL_PIN) !== 0 && folio_test_anon(vm, pfn) && page_mapcount(vm, pfn) > 1
}
// #endregion gup-faultin-cases

// #region gup-grab
// Takes the reference or the pin: the pfn, or -ENOMEM when the count has no room for it.
function try_grab_folio(vm: Vm, pfn: Pfn, gup_flags: number): Pfn | number {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  if (!(gup_flags & FOLL_PIN)) {
    get_page(vm, pfn)
    return pfn
  }
  if (map.refcount[at]! + GUP_PIN_COUNTING_BIAS > 0xffff) return -ENOMEM
  map.refcount[at]! += GUP_PIN_COUNTING_BIAS
  return pfn
}
// #endregion gup-grab

// #region gup-populate
/**
 * Brings the pages of `[start, end)` of a VMA, writable if they may be; nobody holds them. 0, or what pin_user_pages() says
 * of the first page that cannot be had, -EFAULT if none may be accessed. Bare pfns are there already.
 * @kernel mm/gup.c populate_vma_page_range() v6.12
 */
export function populate_vma_page_range(vm: Vm, vma: VmArea, start: VirtAddr, end: VirtAddr): number {
  if (vma.vm_flags & (VM_IO | VM_PFNMAP)) return 0
  if (!(vma.vm_flags & (VM_READ | VM_WRITE | VM_EXEC))) return -EFAULT
  // A shared page is only read, lest it become dirty.
  const write = (vma.vm_flags & (VM_WRITE | VM_SHARED)) === VM_WRITE
  const gup_flags = FOLL_GET | (write ? FOLL_WRITE : FOLL_FORCE)
  const pages: Pfn[] = []
  for (let va = start; va < end; va += pages.length * vm.pgdat.pageSize) {
    const count = (end - va) / vm.pgdat.pageSize
    const got = __get_user_pages(vm, vma.vm_mm, va, count, gup_flags, pages)
    if (got < 0) return got
    for (const pfn of pages) put_page(vm, pfn)
  }
  return 0
}
// #endregion gup-populate
