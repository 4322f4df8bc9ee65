// SPDX-License-Identifier: MIT
//
// Reclaim, mm/vmscan.c: gets free pages by taking away what can be had again. Without swap those are the pages of files:
// a clean one is dropped, a dirty one must be written first.
//
//     inactive_file   head ◦ ◦ ◦ ◦ ◦ ◦ ◦ tail ──▶ shrink_folio_list(), 32 at a time
//     active_file     head ◦ ◦ ◦ ◦ ◦ tail ──▶ inactive_file, while that is the shorter list
//     …_anon          nothing to be had: no swap
//
//     try_to_free_pages()                one round for who found nothing free: 32 pages, if there are so many
//     reclaim_clean_pages_from_list()    drops what migration would have to copy otherwise (3.9 and later)
//
// Leaves out: swap, referenced bits (what is inactive is old), slab shrinkers, memory cgroups, the multi-generational
// LRU, waiting for writeback, zones of a node being scanned one by one (until 4.7).

// #region vmscan-imports
import { kernelAtLeast } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import { folio_trylock, folio_unlock } from './folio_wait.ts'
import { folio_is_file_lru, folio_putback_lru, lruvec_del_folio, put_page } from './lru.ts'
import {
  PG_active,
  PAGE_MAPPING_ANON,
  PG_dirty,
  PG_private,
  PG_unevictable,
  PG_uptodate,
  PG_writeback,
  NR_FREE_PAGES,
  type Zone,
} from './mmzone.ts'
import { out_of_memory } from './oom.ts'
import { page_zone } from './page.ts'
import {
  createPageList,
  list_add,
  list_del,
  list_empty,
  list_splice_init,
  type PageList,
} from './page_list.ts'
import { try_to_unmap } from './rmap.ts'
import type { Vm } from './vm.ts'
import { wakeup_flusher_threads } from './writeback.ts'
// #endregion vmscan-imports

// #region vmscan-shrink-list
/** What shrink_folio_list() came across. */
interface ReclaimStat {
  nr_reclaimed: number
  nr_dirty: number
}

// Frees what can be freed of `list`; the rest is left on it, in the order it came.
function shrink_folio_list(vm: Vm, list: PageList): ReclaimStat {
  const { map, kernel } = vm.pgdat
  const kept = createPageList()
  const stat: ReclaimStat = { nr_reclaimed: 0, nr_dirty: 0 }
  while (!list_empty(list)) {
    const pfn = list.tail + map.start_pfn
    const at = list.tail
    list_del(map, pfn, list)
    if (map.flags[at]! & PG_dirty) stat.nr_dirty++
    if (kernel === '3.9' && map.flags[at]! & PG_unevictable) folio_putback_lru(vm, pfn)
    else if (reclaimFolio(vm, pfn)) stat.nr_reclaimed++
    else list_add(map, pfn, kept)
  }
  list_splice_init(map, kept, list)
  vm.pgdat.vm_event.pgsteal += stat.nr_reclaimed
  return stat
}
// #endregion vmscan-shrink-list

// #region vmscan-reclaim-folio
// Whether an isolated page is free now.
function reclaimFolio(vm: Vm, pfn: Pfn): boolean {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  if (!folio_trylock(vm, pfn)) return false
  const droppable = !(map.flags[at]! & (PG_unevictable | PG_writeback | PAGE_MAPPING_ANON))
  if (droppable && map.mapcount[at]! > 0) try_to_unmap(vm, pfn)
  if (droppable && map.mapcount[at] === 0 && map.flags[at]! & PG_private) {
    map.flags[at]! &= ~PG_private
    map.refcount[at]!--
  }
  // Unmapping may have found that a program had written to it.
  const clean = droppable && map.mapcount[at] === 0 && !(map.flags[at]! & PG_dirty)
  const removed = clean && __remove_mapping(vm, pfn)
  folio_unlock(vm, pfn)
  if (removed) put_page(vm, pfn)
  return removed
}
// #endregion vmscan-reclaim-folio

// #region vmscan-remove-mapping
// Takes a page out of the page cache, if nobody but the cache and the isolation holds it.
function __remove_mapping(vm: Vm, pfn: Pfn): boolean {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  const owner = vm.mappings[map.mapping[at]!]
  if (!owner?.remove || map.refcount[at] !== owner.expectedRefs(pfn) + 1) return false
  owner.remove(pfn)
  map.refcount[at]!--
  map.mapping[at] = 0
  map.index[at] = 0
  map.flags[at]! &= ~(PG_uptodate | PG_active)
  return true
}
// #endregion vmscan-remove-mapping

// #region vmscan-clean-from-list
/**
 * Drops the clean pages of files among the isolated pages of `list` instead of having them copied: how many.
 * A mapped one is unmapped first: its program reads it from the file again. 3.5 has no such step.
 * @kernel mm/vmscan.c reclaim_clean_pages_from_list() v6.12
 */
export function reclaim_clean_pages_from_list(vm: Vm, list: PageList): number {
  const { map, kernel } = vm.pgdat
  const clean = createPageList()
  const skip = PG_dirty | (kernelAtLeast(kernel, '6.1.192') ? PG_unevictable : 0)
  for (let at = list.head, next; at >= 0; at = next) {
    next = map.next[at]!
    const pfn = at + map.start_pfn
    if (map.flags[at]! & skip || !folio_is_file_lru(vm, pfn)) continue
    map.flags[at]! &= ~PG_active
    list_del(map, pfn, list)
    list_add(map, pfn, clean)
  }
  const { nr_reclaimed } = shrink_folio_list(vm, clean)
  list_splice_init(map, clean, list)
  return nr_reclaimed
}
// #endregion vmscan-clean-from-list

// #region vmscan-isolate
/** As many pages are reclaimed at a time, and tell a round of reclaim that it is enough. @kernel include/linux/swap.h SWAP_CLUSTER_MAX v6.12 */
export const SWAP_CLUSTER_MAX = 32

// Up to `count` pages off the tail of an LRU list, the oldest last. Those of zones above `zone` are of no use: they go to
// the head, out of the way.
function isolate_lru_folios(vm: Vm, from: PageList, count: number, zone: Zone): PageList {
  const { map } = vm.pgdat
  const taken = createPageList()
  for (let looked = from.count; looked > 0 && taken.count < count; looked--) {
    const pfn = from.tail + map.start_pfn
    if (page_zone(vm.pgdat, pfn).index > zone.index) {
      list_del(map, pfn, from)
      list_add(map, pfn, from)
      continue
    }
    lruvec_del_folio(vm, pfn)
    map.refcount[pfn - map.start_pfn]!++
    list_add(map, pfn, taken)
  }
  return taken
}
// #endregion vmscan-isolate

// #region vmscan-shrink-lruvec
// One look at the lists: a 2^priority-th of each. Pages freed.
function shrink_lruvec(vm: Vm, zone: Zone, priority: number, target: number, stat: ReclaimStat): void {
  const { inactive_file, active_file } = vm.lru
  const share = (list: PageList) => Math.floor(list.count / 2 ** priority)
  let inactive = share(inactive_file)
  let active = share(active_file)
  while ((inactive > 0 || active > 0) && stat.nr_reclaimed < target) {
    if (active > 0 && inactive_file.count < active_file.count) {
      shrink_active_list(vm, Math.min(active, SWAP_CLUSTER_MAX), zone)
      inactive += Math.min(active, SWAP_CLUSTER_MAX)
    }
    active -= SWAP_CLUSTER_MAX
    if (inactive > 0) shrink_inactive_list(vm, Math.min(inactive, SWAP_CLUSTER_MAX), zone, stat)
    inactive -= SWAP_CLUSTER_MAX
  }
}
// #endregion vmscan-shrink-lruvec

// #region vmscan-shrink-inactive
function shrink_inactive_list(vm: Vm, count: number, zone: Zone, stat: ReclaimStat): void {
  const { map } = vm.pgdat
  const list = isolate_lru_folios(vm, vm.lru.inactive_file, count, zone)
  const { nr_reclaimed, nr_dirty } = shrink_folio_list(vm, list)
  stat.nr_reclaimed += nr_reclaimed
  stat.nr_dirty += nr_dirty
  while (!list_empty(list)) {
    const pfn = list.tail + map.start_pfn
    list_del(map, pfn, list)
    folio_putback_lru(vm, pfn)
  }
}
// #endregion vmscan-shrink-inactive

// #region vmscan-shrink-active
function shrink_active_list(vm: Vm, count: number, zone: Zone): void {
  const { map } = vm.pgdat
  const list = isolate_lru_folios(vm, vm.lru.active_file, count, zone)
  while (!list_empty(list)) {
    const pfn = list.tail + map.start_pfn
    list_del(map, pfn, list)
    map.flags[pfn - map.start_pfn]! &= ~PG_active
    folio_putback_lru(vm, pfn)
  }
}
// #endregion vmscan-shrink-active

// #region vmscan-direct
/** The first look is at a 4096th of the lists. @kernel include/linux/mmzone.h DEF_PRIORITY v6.12 */
const DEF_PRIORITY = 12

/**
 * A round of direct reclaim for a request that `zone`, or a lower one, is to serve: pages freed, 32 or a few more; fewer
 * when there are no more, 0 when there is nothing to be had. Dirty pages are not written here; the flusher is woken, and they are clean at the next look.
 * @kernel mm/vmscan.c try_to_free_pages() v6.12
 * @cost the pages of the file lists, when nothing can be had
 */
export function try_to_free_pages(vm: Vm, zone: Zone): number {
  return reclaimRound(vm, zone, SWAP_CLUSTER_MAX)
}

// Looks at more and more of the lists until `target` pages are free. If the last look met dirty pages, there is another:
// Linux's allocator comes again, as long as there is something that might be had.
function reclaimRound(vm: Vm, zone: Zone, target: number): number {
  const stat: ReclaimStat = { nr_reclaimed: 0, nr_dirty: 0 }
  for (let priority = DEF_PRIORITY; priority >= -1 && stat.nr_reclaimed < target; priority--) {
    if (stat.nr_dirty > 0) wakeup_flusher_threads(vm)
    else if (priority < 0) break
    stat.nr_dirty = 0
    shrink_lruvec(vm, zone, Math.max(priority, 0), target, stat)
  }
  return stat.nr_reclaimed
}
// #endregion vmscan-direct

// #region vmscan-kswapd
/** kswapd gives up after so many runs in a row that freed nothing. @kernel mm/internal.h MAX_RECLAIM_RETRIES v6.12 */
const MAX_RECLAIM_RETRIES = 16

/**
 * What kswapd does once woken: frees pages until `zone` is above its high watermark, or nothing can be had. Pages freed.
 * @kernel mm/vmscan.c balance_pgdat() v6.12
 * @omits its own thread and its sleep: it runs at once
 */
export function balance_pgdat(vm: Vm, zone: Zone): number {
  let freed = 0
  while (zone.vm_stat[NR_FREE_PAGES]! <= zone.watermark.high) {
    const round = reclaimRound(vm, zone, SWAP_CLUSTER_MAX)
    if (round === 0) break
    freed += round
  }
  vm.kswapd_failures = freed > 0 ? 0 : vm.kswapd_failures + 1
  return freed
}
// #endregion vmscan-kswapd

// #region vmscan-install
/** Lets the page allocator reclaim when it finds nothing free: direct reclaim, kswapd, and the OOM killer's word. */
export function installReclaim(vm: Vm): void {
  const { hooks } = vm.pgdat
  hooks.reclaim = (zone) => {
    const freed = try_to_free_pages(vm, zone)
    if (freed > 0) vm.kswapd_failures = 0
    return freed
  }
  hooks.wakeKswapd = (zone) => {
    if (vm.kswapd_failures < MAX_RECLAIM_RETRIES) balance_pgdat(vm, zone)
  }
  hooks.outOfMemory = (gfp, order) => out_of_memory(vm, gfp, order)
}
// #endregion vmscan-install
