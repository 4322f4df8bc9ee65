// SPDX-License-Identifier: MIT
//
// What the files in /proc say of pages in use, counted by looking at every struct page once:
//
//     struct pages of a zone ─ pageCounts() ─→ active, inactive, anonymous, mapped, dirty …
//
// Linux keeps these numbers up to date with each change (mm/vmstat.c); here they are counted when somebody reads. Only
// free pages have counters (`Zone.vm_stat`), because the allocator itself asks for them.

// #region proc-counts
import {
  PG_active,
  PAGE_MAPPING_ANON,
  PG_dirty,
  PG_lru,
  PG_swapbacked,
  PG_unevictable,
  PG_writeback,
  type Pgdat,
} from '../mm/mmzone.ts'
import type { Vm } from '../mm/vm.ts'

/** Pages in use, by what they are. Unit: pages. */
export interface PageCounts {
  readonly inactive_anon: number
  readonly active_anon: number
  readonly inactive_file: number
  readonly active_file: number
  readonly unevictable: number
  /** NR_ANON_MAPPED: anonymous pages in a page table. */
  readonly anon_pages: number
  /** NR_FILE_MAPPED: pages of files in a page table. */
  readonly mapped: number
  /** NR_FILE_PAGES: the page cache. */
  readonly file_pages: number
  readonly dirty: number
  readonly writeback: number
}

/** Counts the pages in use in `[start, end)`; without bounds, of the whole node. @cost one look at each page */
export function pageCounts(vm: Vm, start?: number, end?: number): PageCounts {
  const { map } = vm.pgdat
  const counts = { ...NONE }
  const last = Math.min(end ?? map.end_pfn, map.end_pfn) - map.start_pfn
  for (let at = Math.max(start ?? map.start_pfn, map.start_pfn) - map.start_pfn; at < last; at++) {
    const flags = map.flags[at]!
    const owner = map.mapping[at]!
    if (owner === 0 && (flags & PG_lru) === 0) continue
    if (flags & PG_lru) counts[lruOf(flags)]++
    if (flags & PG_dirty && !(flags & PAGE_MAPPING_ANON)) counts.dirty++
    if (flags & PG_writeback) counts.writeback++
    const isFile = vm.mappings[owner]?.kind === 'file'
    if (isFile) counts.file_pages++
    if (map.mapcount[at]! > 0) counts[flags & PAGE_MAPPING_ANON ? 'anon_pages' : 'mapped']++
  }
  return counts
}

const NONE = {
  ...{ inactive_anon: 0, active_anon: 0, inactive_file: 0, active_file: 0, unevictable: 0 },
  ...{ anon_pages: 0, mapped: 0, file_pages: 0, dirty: 0, writeback: 0 },
}

// The list that the flags of a page on one name.
function lruOf(
  flags: number,
): 'unevictable' | 'active_anon' | 'inactive_anon' | 'active_file' | 'inactive_file' {
  if (flags & PG_unevictable) return 'unevictable'
  if (flags & (PG_swapbacked | PAGE_MAPPING_ANON)) return flags & PG_active ? 'active_anon' : 'inactive_anon'
  return flags & PG_active ? 'active_file' : 'inactive_file'
}

/** Pages that the buddy allocator has or has given, over all zones. @kernel include/linux/mm.h totalram_pages() v6.12 */
export function totalram_pages(pgdat: Pgdat): number {
  return pgdat.zones.reduce((sum, zone) => sum + zone.managed_pages, 0)
}

/** A counter of free pages over all zones. @kernel include/linux/vmstat.h global_zone_page_state() v6.12 */
export function global_zone_page_state(pgdat: Pgdat, item: number): number {
  return pgdat.zones.reduce((sum, zone) => sum + zone.vm_stat[item]!, 0)
}
// #endregion proc-counts
