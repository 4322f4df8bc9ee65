// SPDX-License-Identifier: MIT
//
// The page cache, the part of mm/filemap.c that mappings and migration meet: the pages of a file that are in memory.
//
//     file page   0     1     2     3     4
//     i_pages     pfn   –     pfn   pfn   –        what was read or written; the cache holds one reference of each
//     disk        ▒     ▒           ▒              what was written back; absent is zeros
//
// A page is clean when the disk has the same: then it can be dropped. Memory that processes share without a file
// (shmem.ts) is such a cache too, with no disk behind it: its pages stay until the last mapping goes.
//
// Leaves out: read-ahead (one page comes at a time), buffer heads, sizes that are not whole pages, growing and
// truncating a file.

// #region filemap-imports
import { cpuFill, cpuRead, cpuWrite } from '../arch/cpu.ts'
import { EINVAL, EIO, ENOMEM } from '../lib/errno.ts'
import type { Pfn } from '../lib/units.ts'
import { GFP_HIGHUSER_MOVABLE } from './gfp.ts'
import { lru_add, put_page } from './lru.ts'
import { PG_dirty, PG_locked, PG_private, PG_swapbacked, PG_uptodate, PG_writeback } from './mmzone.ts'
import { __alloc_pages } from './page_alloc.ts'
import { folio_mkclean } from './rmap.ts'
import type { AddressSpace, File, Vm, VmArea } from './vm.ts'
import { folio_clear_dirty_for_io, writepage } from './writeback.ts'
// #endregion filemap-imports

// #region filemap-page-cache
/** The pages of one file. Its methods are what migration and reclaim ask of any owner. */
export class PageCache implements AddressSpace {
  readonly kind = 'file'
  readonly id: number
  readonly i_pages = new Map<number, Pfn>()
  readonly vmas: VmArea[] = []
  readonly nrpages: number
  readonly disk: Map<number, Uint8Array> | null
  canMigrate = true
  /** Whether its disk refuses writes. */
  failing = false
  readonly vm: Vm

  /** A cache for `nrpages` pages of what `disk` holds; null is shmem. */
  constructor(vm: Vm, nrpages: number, disk: Map<number, Uint8Array> | null) {
    this.vm = vm
    this.id = vm.mappings.push(this) - 1
    this.nrpages = nrpages
    this.disk = disk
  }
  // #region filemap-page-owner
  expectedRefs(pfn: Pfn): number {
    const { map } = this.vm.pgdat
    const at = pfn - map.start_pfn
    return 1 + map.mapcount[at]! + (map.flags[at]! & PG_private ? 1 : 0)
  }

  replace(src: Pfn, dst: Pfn): void {
    this.i_pages.set(indexOf(this.vm, src), dst)
  }

  remove(pfn: Pfn): void {
    this.i_pages.delete(indexOf(this.vm, pfn))
  }

  /** To the disk, after the page tables have been told to fault at the next write. -EIO: it fails, or there is none. */
  writepage(pfn: Pfn): number {
    if (!this.disk || this.failing) return -EIO
    const { cpu, pgdat } = this.vm
    folio_mkclean(this.vm, pfn)
    this.disk.set(indexOf(this.vm, pfn), cpuRead(cpu, pfn * pgdat.pageSize, pgdat.pageSize, 'normal'))
    return 0
  }
  // #endregion filemap-page-owner
}

const indexOf = ({ pgdat: { map } }: Vm, pfn: Pfn): number => map.index[pfn - map.start_pfn]!
// #endregion filemap-page-cache

// #region filemap-add
/**
 * Puts a new page into the cache at `index`, which must be empty; the reference that the caller has becomes the cache's.
 * @kernel mm/filemap.c filemap_add_folio() v6.12
 */
export function filemap_add_folio(vm: Vm, mapping: AddressSpace, pfn: Pfn, index: number): void {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  map.mapping[at] = mapping.id
  map.index[at] = index
  map.flags[at]! |= PG_uptodate | (mapping.disk ? 0 : PG_swapbacked)
  mapping.i_pages.set(index, pfn)
  lru_add(vm, pfn)
}
// #endregion filemap-add

// #region filemap-read-page
/**
 * The page at `index`, read from the disk when it is not in memory: its pfn, or -ENOMEM, or -EINVAL behind the end of the
 * file. The caller gets no reference of its own.
 * @kernel mm/filemap.c read_cache_page() v6.12
 */
export function read_cache_page(vm: Vm, mapping: AddressSpace, index: number): Pfn | number {
  if (index >= mapping.nrpages) return -EINVAL
  const cached = mapping.i_pages.get(index)
  if (cached !== undefined) return cached
  const pfn = __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)
  if (pfn === null) return -ENOMEM
  const { pageSize } = vm.pgdat
  const stored = mapping.disk?.get(index)
  if (stored) cpuWrite(vm.cpu, pfn * pageSize, stored, 'normal')
  else cpuFill(vm.cpu, pfn * pageSize, pageSize, 0)
  filemap_add_folio(vm, mapping, pfn, index)
  return pfn
}
// #endregion filemap-read-page

// #region filemap-dirty
/** Notes that a page holds what the disk has not. @kernel mm/page-writeback.c folio_mark_dirty() v6.12 */
export function folio_mark_dirty({ pgdat: { map } }: Vm, pfn: Pfn): void {
  map.flags[pfn - map.start_pfn]! |= PG_dirty
}

/** Writes every dirty page of the file to its disk: 0, or -EIO; what could not be written stays dirty. @kernel fs/sync.c vfs_fsync() v6.12 */
export function vfs_fsync(vm: Vm, file: File): number {
  let ret = 0
  for (const pfn of file.f_inode.i_mapping?.i_pages.values() ?? []) {
    if (folio_clear_dirty_for_io(vm, pfn) && writepage(vm, pfn) < 0) ret = -EIO
  }
  return ret
}
// #endregion filemap-dirty

// #region filemap-remove
/** Takes a page out of its cache and drops the cache's reference. @kernel mm/filemap.c filemap_remove_folio() v6.12 */
export function filemap_remove_folio(vm: Vm, mapping: AddressSpace, pfn: Pfn): void {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  mapping.i_pages.delete(map.index[at]!)
  map.mapping[at] = 0
  map.flags[at]! &= ~PG_dirty
  put_page(vm, pfn)
}

/**
 * Drops the pages from `start` to `end`, both included, that are clean and that nobody maps or holds: how many.
 * `echo 1 > /proc/sys/vm/drop_caches` does this to every file.
 * @kernel mm/truncate.c invalidate_mapping_pages() v6.12
 */
export function invalidate_mapping_pages(vm: Vm, mapping: AddressSpace, start: number, end: number): number {
  const { map } = vm.pgdat
  let dropped = 0
  for (const [index, pfn] of [...mapping.i_pages]) {
    const at = pfn - map.start_pfn
    const busy = (map.flags[at]! & (PG_dirty | PG_writeback | PG_locked)) !== 0 || map.refcount[at] !== 1
    if (index < start || index > end || busy || !mapping.disk) continue
    filemap_remove_folio(vm, mapping, pfn)
    dropped++
  }
  return dropped
}
// #endregion filemap-remove

// #region filemap-truncate
/**
 * Takes every page out of the cache, dirty or not: the file is gone. Nothing may map it any more.
 * @kernel mm/truncate.c truncate_inode_pages() v6.12
 */
export function truncate_inode_pages(vm: Vm, mapping: AddressSpace): void {
  for (const pfn of [...mapping.i_pages.values()]) filemap_remove_folio(vm, mapping, pfn)
}
// #endregion filemap-truncate
