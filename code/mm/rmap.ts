// SPDX-License-Identifier: MIT
//
// Reverse maps, mm/rmap.c: from a page to the page table entries that map it, so that a page can move or go.
//
//     pfn ── mapping ── AnonVma or PageCache ── VMAs ── (index - vm_pgoff) pages in ── va ── pte
//
//     try_to_migrate(vm, src)               every pte of src becomes a migration entry: nobody can reach the page
//        … its contents are copied …
//     remove_migration_ptes(vm, src, dst)   every entry of src becomes a pte of dst (or of src again)
//
// Rules: a page table that maps a page holds one reference and one mapcount of it. A pfn that was mapped bare
// (remap_pfn_range) is not known here, nor are kernel pages.
//
// Leaves out: an anon_vma for each process with chains between them (here parent and children share one, so a walk also
// looks at VMAs that cannot have the page), huge pages, KSM, mlocked pages found by the walk, the TLB.

// #region rmap-imports
import { pteAddrOf, walk, writePteAt } from '../arch/pgtable.ts'
import { fromMigrationEntry, toMigrationEntry, WAS_DIRTY } from '../arch/pgtable_parts.ts'
import {
  pfn_pte,
  pte_dirty,
  pte_mkclean,
  pte_mkdirty,
  pte_mkwrite,
  pte_pfn,
  pte_present,
  pte_write,
  pte_wrprotect,
} from '../arch/pgtable_pte.ts'
import {
  is_migration_entry,
  is_swap_pte,
  is_writable_migration_entry,
  make_readable_migration_entry,
  make_writable_migration_entry,
  pte_to_swp_entry,
  swp_entry_to_pte,
  swp_offset_pfn,
} from '../arch/pgtable_swap.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import { get_page, put_page } from './lru.ts'
import { VM_SHARED } from './mmap_flags.ts'
import { PAGE_MAPPING_ANON, PG_dirty, PG_swapbacked, PG_uptodate, type MemMap } from './mmzone.ts'
import type { PageOwner, Vm, VmArea } from './vm.ts'
// #endregion rmap-imports

// #region rmap-anon-vma
/** The owner of the anonymous pages of one VMA, of its parts after a split, and of its copies in children. */
export class AnonVma implements PageOwner {
  readonly kind = 'anon'
  readonly canMigrate = true
  readonly map: MemMap
  readonly vmas: VmArea[] = []

  constructor(map: MemMap) {
    this.map = map
  }

  expectedRefs(pfn: Pfn): number {
    return this.map.mapcount[pfn - this.map.start_pfn]!
  }
}
// #endregion rmap-anon-vma

// #region rmap-anon-vma-link
/** Gives a VMA an owner for its anonymous pages, if it has none. @kernel include/linux/rmap.h anon_vma_prepare() v6.12 */
export function anon_vma_prepare(vm: Vm, vma: VmArea): void {
  if (vma.anon_vma !== 0) return
  const owner = new AnonVma(vm.pgdat.map)
  owner.vmas.push(vma)
  vma.anon_vma = vm.mappings.push(owner) - 1
}

/** Makes `dst`, a part or a copy of `src`, known to the owner of its pages. @kernel mm/rmap.c anon_vma_clone() v6.12 */
export function anon_vma_clone(vm: Vm, dst: VmArea, src: VmArea): void {
  dst.anon_vma = src.anon_vma
  vm.mappings[src.anon_vma]?.vmas?.push(dst)
}

/** A VMA ends; with the last one its owner does. @kernel mm/rmap.c unlink_anon_vmas() v6.12 */
export function unlink_anon_vmas(vm: Vm, vma: VmArea): void {
  const vmas = vm.mappings[vma.anon_vma]?.vmas
  if (!vmas) return
  vmas.splice(vmas.indexOf(vma), 1)
  if (vmas.length === 0) vm.mappings[vma.anon_vma] = null
  vma.anon_vma = 0
}

// #endregion rmap-anon-vma-link

// #region rmap-index
// Addresses of 48 bits have page offsets of 36: the column `index` keeps the lowest 31, which tell pages of a VMA apart.
const INDEX_LIMIT = 2 ** 31

/** The page offset of an address of a VMA, as `MemMap.index` has it. @kernel include/linux/pagemap.h linear_page_index() v6.12 */
export function linear_page_index(vm: Vm, vma: VmArea, address: VirtAddr): number {
  return ((address - vma.vm_start) / vm.pgdat.pageSize + vma.vm_pgoff) % INDEX_LIMIT
}

/** Where a page with `index` lies in a VMA, or null when it is not in it. @kernel mm/internal.h vma_address() v6.12 */
export function vma_address(vm: Vm, vma: VmArea, index: number): VirtAddr | null {
  const { pageSize } = vm.pgdat
  const pages = (index - vma.vm_pgoff) & (INDEX_LIMIT - 1)
  const address = vma.vm_start + pages * pageSize
  return address < vma.vm_end ? address : null
}
// #endregion rmap-index

// #region rmap-count
/** How many page tables map a page. @kernel include/linux/mm.h page_mapcount() v6.1 */
export function page_mapcount({ pgdat: { map } }: Vm, pfn: Pfn): number {
  return map.mapcount[pfn - map.start_pfn]!
}

/** Whether any does. @kernel include/linux/mm.h folio_mapped() v6.12 */
export function folio_mapped(vm: Vm, pfn: Pfn): boolean {
  return page_mapcount(vm, pfn) > 0
}

/** Whether it is anonymous memory. @kernel include/linux/page-flags.h folio_test_anon() v6.12 */
export function folio_test_anon({ pgdat: { map } }: Vm, pfn: Pfn): boolean {
  return (map.flags[pfn - map.start_pfn]! & PAGE_MAPPING_ANON) !== 0
}
// #endregion rmap-count

// #region rmap-add
/** A new anonymous page of `vma` at `address`; its reference becomes the page table's. @kernel mm/rmap.c folio_add_new_anon_rmap() v6.12 */
export function folio_add_new_anon_rmap(vm: Vm, pfn: Pfn, vma: VmArea, address: VirtAddr): void {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  map.flags[at]! |= PAGE_MAPPING_ANON | PG_swapbacked | PG_uptodate
  map.mapping[at] = vma.anon_vma
  map.index[at] = linear_page_index(vm, vma, address)
  map.mapcount[at] = 1
}

/** Another page table maps it; the caller has taken the reference. @kernel include/linux/rmap.h folio_add_file_rmap_pte() v6.12 */
export function folio_add_file_rmap_pte({ pgdat: { map } }: Vm, pfn: Pfn): void {
  map.mapcount[pfn - map.start_pfn]!++
}

/** A page table no longer maps it; the caller drops the reference. Throws when none did. @kernel include/linux/rmap.h folio_remove_rmap_pte() v6.12 */
export function folio_remove_rmap_pte({ pgdat: { map } }: Vm, pfn: Pfn): void {
  const at = pfn - map.start_pfn
  if (map.mapcount[at] === 0) {
    const name = `pfn 0x${pfn.toString(16)}`
    throw new Error(`folio_remove_rmap_pte: ${name} is mapped 0 times, expected 1 or more; unmapped twice?`)
  }
  map.mapcount[at]!--
}
// #endregion rmap-add

// #region rmap-walk
/** Calls `visit` for every place where a page may be mapped by what it belongs to. @kernel mm/rmap.c rmap_walk() v6.12 */
export function rmap_walk(vm: Vm, pfn: Pfn, visit: (vma: VmArea, address: VirtAddr) => void): void {
  const { map } = vm.pgdat
  const owner = vm.mappings[map.mapping[pfn - map.start_pfn]!]
  for (const vma of owner?.vmas ?? []) {
    const address = vma_address(vm, vma, map.index[pfn - map.start_pfn]!)
    if (address !== null) visit(vma, address)
  }
}
// #endregion rmap-walk

// #region rmap-each-pte
// Every present pte of a page: `change` says what becomes of it.
function eachPte(vm: Vm, pfn: Pfn, change: (pte: bigint, vma: VmArea) => bigint): void {
  const { geometry } = vm
  rmap_walk(vm, pfn, (vma, address) => {
    const found = walk(vma.vm_mm.pgd, address)
    if (!found || !pte_present(geometry.arch, found.pte) || pte_pfn(geometry, found.pte) !== pfn) return
    writePteAt(vma.vm_mm.pgd, found.pteAddr, change(found.pte, vma))
  })
}

// A pte of the page goes; that it was written to must not be forgotten.
function dropPte(vm: Vm, pfn: Pfn, pte: bigint): void {
  const { map, arch } = vm.pgdat
  if (pte_dirty(arch, pte)) map.flags[pfn - map.start_pfn]! |= PG_dirty
  folio_remove_rmap_pte(vm, pfn)
  put_page(vm, pfn)
}
// #endregion rmap-each-pte

// #region rmap-unmap
/**
 * Takes a page of a file out of every page table; a program that wants it faults and finds it in the page cache. Anonymous
 * pages stay, for there is no swap. The caller holds a reference.
 * @kernel mm/rmap.c try_to_unmap() v6.12
 */
export function try_to_unmap(vm: Vm, pfn: Pfn): void {
  if (folio_test_anon(vm, pfn)) return
  eachPte(vm, pfn, (pte) => {
    dropPte(vm, pfn, pte)
    return 0n
  })
}

/**
 * Puts a migration entry in place of every pte of a page. The caller holds a reference, so that the page outlives it.
 * @kernel mm/rmap.c try_to_migrate() v6.12
 */
export function try_to_migrate(vm: Vm, pfn: Pfn): void {
  const { arch } = vm.pgdat
  if (arch === 'arm64') return migrateFast(vm, pfn)
  eachPte(vm, pfn, (pte) => {
    dropPte(vm, pfn, pte)
    const writable = pte_write(arch, pte)
    const entry = writable ? make_writable_migration_entry(pfn) : make_readable_migration_entry(pfn)
    return swp_entry_to_pte(arch, entry)
  })
}
// #endregion rmap-unmap

// #region rmap-mkclean
/**
 * Makes the next write to a page of a file fault wherever it is mapped shared, because it is about to be written back.
 * @kernel mm/rmap.c folio_mkclean() v6.12
 */
export function folio_mkclean(vm: Vm, pfn: Pfn): void {
  const { arch } = vm.pgdat
  eachPte(vm, pfn, (pte, { vm_flags }) =>
    vm_flags & VM_SHARED ? pte_mkclean(arch, pte_wrprotect(arch, pte)) : pte,
  )
}
// #endregion rmap-mkclean

// #region rmap-migration-ptes
/**
 * Maps `dst` wherever a migration entry stands for `src`; `dst` may be `src` again. `dst` must belong to what `src` did:
 * it is by its owner and index that the places are found.
 * @kernel mm/migrate.c remove_migration_ptes() v6.12
 */
export function remove_migration_ptes(vm: Vm, src: Pfn, dst: Pfn): void {
  const { arch, map } = vm.pgdat
  if (arch === 'arm64') return removeFast(vm, src, dst)
  rmap_walk(vm, dst, (vma, address) => {
    const found = walk(vma.vm_mm.pgd, address)
    if (!found || !is_swap_pte(arch, found.pte)) return
    const entry = pte_to_swp_entry(arch, found.pte)
    if (!is_migration_entry(entry) || swp_offset_pfn(entry) !== src) return
    get_page(vm, dst)
    map.mapcount[dst - map.start_pfn]!++
    let pte = pfn_pte(vm.geometry, dst, vma.vm_page_prot)
    if (map.flags[dst - map.start_pfn]! & PG_dirty) pte = pte_mkdirty(arch, pte)
    pte = is_writable_migration_entry(entry) ? pte_mkwrite(arch, pte) : pte_wrprotect(arch, pte)
    writePteAt(vma.vm_mm.pgd, found.pteAddr, pte)
  })
}
// #endregion rmap-migration-ptes

// #region rmap-migrate-fast
// The two above for arm64, without a bigint or a function made on the way: half of the time of moving a page was theirs.
function migrateFast(vm: Vm, pfn: Pfn): void {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  for (const vma of vm.mappings[map.mapping[at]!]?.vmas ?? []) {
    const address = vma_address(vm, vma, map.index[at]!)
    const pteAddr = address === null ? -1 : pteAddrOf(vma.vm_mm.pgd, address)
    const was = pteAddr < 0 ? 0 : toMigrationEntry(vma.vm_mm.pgd, pteAddr, pfn)
    if (was === 0) continue
    if (was & WAS_DIRTY) map.flags[at]! |= PG_dirty
    folio_remove_rmap_pte(vm, pfn)
    put_page(vm, pfn)
  }
}

function removeFast(vm: Vm, src: Pfn, dst: Pfn): void {
  const { map } = vm.pgdat
  const at = dst - map.start_pfn
  const dirty = (map.flags[at]! & PG_dirty) !== 0
  for (const vma of vm.mappings[map.mapping[at]!]?.vmas ?? []) {
    const address = vma_address(vm, vma, map.index[at]!)
    const pteAddr = address === null ? -1 : pteAddrOf(vma.vm_mm.pgd, address)
    if (pteAddr < 0) continue
    if (!fromMigrationEntry(vma.vm_mm.pgd, pteAddr, src, dst, vma.vm_page_prot, dirty)) continue
    get_page(vm, dst)
    map.mapcount[at]!++
  }
}
// #endregion rmap-migrate-fast
