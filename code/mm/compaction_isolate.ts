// SPDX-License-Identifier: MIT
//
// Isolation for migration, the part of mm/compaction.c that alloc_contig_range() uses: walks a range of pages and takes
// those that can be moved off their LRU lists, until 32 are together.
//
//     pfn →    ▒▒▒▒ · a a F a ▓ p a …          ▒ free   · in nobody's hands   ▓ kernel   p pinned
//                     ↓ ↓ ↓ ↓     ↓
//     cc.migratepages = a a F a a              the last one found is first: what is moved first has the highest pfn
//
// Protocol: isolate_migratepages_range() from cc.migrate_pfn on, migrate_pages(cc.migratepages), and at the end
// putback_movable_pages() for what is left. A page that is passed over simply stays: test_pages_isolated() finds it.
//
// Leaves out: compaction itself (the free scanner, the hints which blocks to skip), waiting when too much is isolated,
// pages of drivers that can be moved (movable_ops), compound pages, huge pages.

// #region compaction-imports
import { EINTR } from '../lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import { __GFP_FS } from './gfp.ts'
import { lruvec_del_folio } from './lru.ts'
import type { MigrateMode } from './migrate_mode.ts'
import { PAGE_MAPPING_ANON, PG_buddy, PG_lru, PG_unevictable, type MemMap, type Zone } from './mmzone.ts'
import { buddy_order, pageblock_end_pfn } from './page.ts'
import { createPageList, list_add, type PageList } from './page_list.ts'
import type { Vm } from './vm.ts'
// #endregion compaction-imports

// #region compaction-control
/** Isolation stops when so many pages are together. @kernel include/linux/swap.h COMPACT_CLUSTER_MAX v6.12 */
export const COMPACT_CLUSTER_MAX = 32

/** A migration under way. @kernel mm/internal.h struct compact_control v6.12 */
export interface CompactControl {
  readonly zone: Zone
  /** The isolated pages. */
  readonly migratepages: PageList
  /** How many there are, as far as the callers keep count. */
  nr_migratepages: number
  /** Where the next isolation starts. */
  migrate_pfn: Pfn
  readonly mode: MigrateMode
  /** What the caller of alloc_contig_range() allows; without __GFP_FS only anonymous pages are taken (4.12 and later). */
  readonly gfp_mask: number
}

/** A migration of pages of `zone`, nothing isolated yet. */
export function createCompactControl(zone: Zone, mode: MigrateMode, gfp_mask: number): CompactControl {
  return { zone, migratepages: createPageList(), nr_migratepages: 0, migrate_pfn: 0, mode, gfp_mask }
}
// #endregion compaction-control

// #region compaction-rules
/** In what the kernels' isolation differs. */
interface IsolationRules {
  /** Goes pageblock by pageblock, with an event for each that names it; and a free block counts as one page. */
  readonly byPageblock: boolean
  /** Anonymous pages that somebody holds besides page tables are passed over: their migration would fail. */
  readonly passesPinned: boolean
  /** 3.5 leaves pages that are locked into memory where they are, and with them the range. */
  readonly leavesUnevictable: boolean
  /** Pages of files only for a caller that may go into file systems. */
  readonly asksForFs: boolean
  /** Looks itself whether the task is killed; before, its caller does. */
  readonly interruptible: boolean
  readonly countsFreePages: boolean
}

function rulesOf(kernel: KernelVersion): IsolationRules {
  const since = (version: KernelVersion) => kernelAtLeast(kernel, version)
  return {
    ...{ byPageblock: since('4.6'), passesPinned: since('4.6'), leavesUnevictable: kernel === '3.5' },
    ...{ asksForFs: since('4.12.4'), interruptible: since('6.1.192'), countsFreePages: since('6.12.117') },
  }
}

const RULES = new Map(KERNEL_VERSIONS.map((kernel) => [kernel, rulesOf(kernel)]))
// #endregion compaction-rules

// #region compaction-isolate-range
/**
 * Isolates pages of `[start_pfn, end_pfn)` onto `cc.migratepages`, up to 32; `cc.migrate_pfn` is where to go on.
 * 0, or -EINTR: a fatal signal is pending (6.x; before, Linux returns the pfn where to go on).
 * @kernel mm/compaction.c isolate_migratepages_range() v6.12
 * @cost the pages of the range; since 4.6 a free block counts as one
 */
export function isolate_migratepages_range(vm: Vm, cc: CompactControl, start_pfn: Pfn, end_pfn: Pfn): number {
  const rules = RULES.get(vm.pgdat.kernel)!
  for (let pfn = start_pfn; pfn < end_pfn;) {
    const blockEnd = rules.byPageblock ? Math.min(end_pfn, pageblock_end_pfn(vm.pgdat, pfn)) : end_pfn
    const ret = isolate_migratepages_block(vm, cc, pfn, blockEnd, rules)
    if (ret !== 0) return ret
    if (cc.nr_migratepages >= COMPACT_CLUSTER_MAX) break
    pfn = blockEnd
  }
  return 0
}
// #endregion compaction-isolate-range

// #region compaction-isolate-block
// The pages of one pageblock; the walk ends when 32 are together.
function isolate_migratepages_block(
  vm: Vm,
  cc: CompactControl,
  start_pfn: Pfn,
  end_pfn: Pfn,
  rules: IsolationRules,
): number {
  const before = cc.nr_migratepages
  let nr_scanned = 0
  let pfn = start_pfn
  for (; pfn < end_pfn && cc.nr_migratepages < COMPACT_CLUSTER_MAX; pfn++) {
    if (rules.interruptible && vm.fatalSignal === true && pfn % COMPACT_CLUSTER_MAX === 0) {
      cc.migrate_pfn = pfn
      return -EINTR
    }
    nr_scanned++
    const skip = skipOrTake(vm, cc, pfn, rules)
    if (rules.byPageblock) pfn += skip
    if (rules.countsFreePages) nr_scanned += skip
  }
  cc.migrate_pfn = Math.min(pfn, end_pfn)
  if (vm.trace.enabled) traceIsolation(vm, cc, start_pfn, nr_scanned, cc.nr_migratepages - before, rules)
  return 0
}
// #endregion compaction-isolate-block

// #region compaction-take
// Takes a page if it can be moved. How many pages follow it that need not be looked at, for they are of one free block.
function skipOrTake(vm: Vm, cc: CompactControl, pfn: Pfn, rules: IsolationRules): number {
  const { map } = vm.pgdat
  const at = pfn - map.start_pfn
  const flags = map.flags[at]!
  if (flags & PG_buddy) return (1 << buddy_order(vm.pgdat, pfn)) - 1
  if (flags & PG_lru && isolatable(map, cc, at, rules)) {
    lruvec_del_folio(vm, pfn)
    map.refcount[at]!++
    list_add(map, pfn, cc.migratepages)
    cc.nr_migratepages++
  }
  return 0
}

// Whether a page on an LRU list may be taken. Of a page of a file it cannot be told yet whether somebody holds it: its
// page cache holds it as well.
function isolatable(map: MemMap, cc: CompactControl, at: number, rules: IsolationRules): boolean {
  const flags = map.flags[at]!
  const refs = map.refcount[at]!
  if (refs === 0 || (rules.leavesUnevictable && flags & PG_unevictable)) return false
  const ofFile = !(flags & PAGE_MAPPING_ANON) && map.mapping[at] !== 0
  if (ofFile) return (cc.gfp_mask & __GFP_FS) !== 0 || !rules.asksForFs
  return refs <= map.mapcount[at]! || !rules.passesPinned
}
// #endregion compaction-take

// #region compaction-trace
function traceIsolation(
  vm: Vm,
  { migrate_pfn }: CompactControl,
  start_pfn: Pfn,
  nr_scanned: number,
  nr_taken: number,
  rules: IsolationRules,
): void {
  const range = rules.byPageblock ? { start_pfn, end_pfn: migrate_pfn } : {}
  vm.trace.emit('mm_compaction_isolate_migratepages', { ...range, nr_scanned, nr_taken })
}
// #endregion compaction-trace
