// SPDX-License-Identifier: MIT
//
// The memory of a machine as the page allocator sees it: one node, its zones, a free list for each order and
// migratetype, a block type for each pageblock, and a struct page for each page, as columns of numbers.
//
//     node     ├──────── ZONE_DMA ────────┼──────── ZONE_NORMAL ────────┤
//     blocks   │ U │ M │ M │ C │ C │ M │ …      a migratetype each
//     pages    ················································       flags, counts, list links
//     free     zone.free_list[order][migratetype] → pfn ↔ pfn ↔ pfn
//
// A page is its pfn; what struct page holds of it is at `pfn - start_pfn` in each column: 22 bytes a page, and a byte a
// pageblock. start_pfn is a multiple of the largest block, so that a block's buddy is found by XOR of its index.
// Leaves out: NUMA (one node), per-cpu lists (what is freed is free at once; the kernel's counters lag behind until a
// drain), hot-plugging, compound pages larger than what a caller says.

// #region mmzone-imports
import type { Arch, KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import type { Trace } from '../lib/trace.ts'
import type { Bytes } from '../lib/units.ts'
// #endregion mmzone-imports

// #region mmzone-migratetypes
/**
 * The migratetypes by number. 3.5 and 3.9 count RECLAIMABLE before MOVABLE and have RESERVE where HIGHATOMIC is now.
 * @kernel include/linux/mmzone.h enum migratetype v6.12
 */
export interface MigrateTypes {
  readonly UNMOVABLE: 0
  readonly MOVABLE: 1 | 2
  readonly RECLAIMABLE: 1 | 2
  /** HIGHATOMIC; RESERVE in 3.x. Also MIGRATE_PCPTYPES: types below it merge with each other. */
  readonly HIGHATOMIC: 3
  readonly CMA: 4
  readonly ISOLATE: 5
}
export const MIGRATE_TYPES = 6
// #endregion mmzone-migratetypes

// #region mmzone-page-flags
/** @kernel include/linux/page-flags.h enum pageflags v6.12; the bit numbers are ours. */
export const PG_locked = 1 << 0
export const PG_uptodate = 1 << 1
export const PG_dirty = 1 << 2
export const PG_lru = 1 << 3
export const PG_active = 1 << 4
export const PG_writeback = 1 << 5
export const PG_reserved = 1 << 6
/** A free block begins here. The bits above then are its list: migratetype in 8 to 10, order in 11 to 14 (free_list.ts). */
export const PG_buddy = 1 << 7
/** Of a process, not of a file; Linux keeps it in the low bits of `mapping`. */
export const PAGE_MAPPING_ANON = 1 << 8
export const PG_unevictable = 1 << 9
export const PG_head = 1 << 10
export const PG_dcache_clean = 1 << 11
export const PG_private = 1 << 13
export const PG_swapbacked = 1 << 14
// #endregion mmzone-page-flags

// #region mmzone-mem-map
/** struct page of every pfn in `[start_pfn, end_pfn)`, holes included, as columns indexed by `pfn - start_pfn`. */
export interface MemMap {
  readonly start_pfn: number
  readonly end_pfn: number
  /** PG_* bits. */
  readonly flags: Uint16Array
  /** `_refcount`. */
  readonly refcount: Uint16Array
  /** How many page tables map it; Linux counts from -1. */
  readonly mapcount: Uint16Array
  /** List links as pfn - start_pfn; of a free list or of an LRU list, for a page is on one list at most. -1 ends. */
  readonly next: Int32Array
  readonly prev: Int32Array
  /** Number of the anon_vma or address_space that it belongs to (`Vm.mappings`); 0 is none. */
  readonly mapping: Int32Array
  /** Page offset in its mapping; in the first page of a free block its order. */
  readonly index: Int32Array
}
// #endregion mmzone-mem-map

// #region mmzone-zone
export type ZoneName = 'DMA' | 'DMA32' | 'Normal' | 'HighMem' | 'Movable'

/** Counters of a zone, by index into `vm_stat`. @kernel include/linux/mmzone.h enum zone_stat_item v6.12 */
export const NR_FREE_PAGES = 0
export const NR_FREE_CMA_PAGES = 1
export const NR_ZONE_STATS = 2

/** @kernel include/linux/mmzone.h struct zone v6.12 */
export interface Zone {
  readonly name: ZoneName
  /** Its place in `Pgdat.zones`, lowest addresses first. */
  readonly index: number
  readonly zone_start_pfn: number
  /** Behind its last page; equal to the start in an empty zone. */
  readonly zone_end_pfn: number
  /** Pages that exist. */
  present_pages: number
  /** Pages that the buddy allocator has or has given. */
  managed_pages: number
  /** Pages of CMA areas. */
  cma_pages: number
  /** Watermarks in pages. */
  watermark: { min: number; low: number; high: number; promo: number }
  /** 3.5 raises all watermarks by this while CMA reclaims. */
  min_cma_pages: number
  /** Pages of HIGHATOMIC blocks, which only requests with reserves may use. */
  nr_reserved_highatomic: number
  /** Pages kept from requests that could have come from zone i: `lowmem_reserve[i]`. */
  readonly lowmem_reserve: number[]
  /**
   * First and last free block of each list as pfn - start_pfn, -1 for none: list i, i = order × MIGRATE_TYPES + migratetype,
   * has its head at 2i and its tail at 2i + 1. Int32Array[2 × NR_PAGE_ORDERS × MIGRATE_TYPES].
   */
  readonly free_list: Int32Array
  /** Free blocks on each list: Int32Array[NR_PAGE_ORDERS × MIGRATE_TYPES]. */
  readonly nr_free: Int32Array
  readonly vm_stat: Int32Array
}
// #endregion mmzone-zone

// #region mmzone-zonelist
/** Where a request looks for pages. @kernel include/linux/mmzone.h struct zonelist v6.12 */
export interface Zonelist {
  /** Zones that have memory, from the one it would like best downwards. */
  readonly zones: readonly Zone[]
  /** Whether the first try would rather have another zone than mix a pageblock: 6.x, if NORMAL is first and DMA32 exists. */
  readonly avoidsFragments: boolean
}
// #endregion mmzone-zonelist

// #region mmzone-rules
/** In what the page allocators of the kernels differ: values in page_alloc_rules.ts. */
export interface PageAllocRules {
  /** Behind a request's own lists CMA is one of the other types (3.x), comes before them (4.x, 6.1), by modes (6.12). */
  readonly rmqueue: 'cma-among-others' | 'cma-second' | 'modes'
  /** Whether CMA comes first while more than half of the free pages are CMA. */
  readonly halfRule: boolean
  /** Whether a movable request that cannot take over a pageblock takes the smallest block, not the largest. */
  readonly takesSmallest: boolean
  /** Whether a request that fell back looks at its own lists again (4.12, 6.1), or takes what it found (4.6). */
  readonly fallbackRestarts: boolean
  /** For each migratetype by number, where else its requests look, in order. */
  readonly fallbacks: readonly (readonly number[])[]
  /** Whether pages in use that are like the request count when a block is claimed. */
  readonly countsAlike: boolean
  /** Which blocks never merge with one of another type: none, isolated ones, all but UNMOVABLE, MOVABLE, RECLAIMABLE. */
  readonly keepsApart: 'none' | 'isolated' | 'unmergeable'
  /** Whether blocks that merge all get the type of the page that was freed. */
  readonly mergeSetsType: boolean
  /** Whether free pages that change lists go to the tail. */
  readonly movesToTail: boolean
  /** Whether memblock's pages are put at the tails, so that the lowest addresses are given first. */
  readonly bootToTail: boolean
  /** Whether free CMA pages and isolated pages are counted apart; 3.5 knows free pages only. */
  readonly countsCma: boolean
  /** 3.5 looks for the buddy of the next order in the wrong place unless the freed page is the lower one. */
  readonly mergeLikelyOfLower: boolean
  /** Whether a request that cannot sleep gets a last page from HIGHATOMIC blocks, whatever its order. */
  readonly reservesForAnyOrder: boolean
  /** `__zone_watermark_ok()`: 3.x looks at the free blocks below the order, 4.x and 6.x for one block that is big enough. */
  readonly watermark: '3.x' | '4.x' | '6.x'
  /** Whether the distance of the watermarks follows the zone's size (watermark_scale_factor), or its share alone. */
  readonly scalesWatermarks: boolean
  /** Whether a block whose first page has other users is freed but for that page. */
  readonly freesTails: boolean
  /** The most that min_free_kbytes gets by itself. */
  readonly maxMinFreeKbytes: number
}
// #endregion mmzone-rules

// #region mmzone-hooks
/** What the page allocator asks of those above it, which ask it in turn: set by vmscan and by whoever wants to know. */
export interface PageAllocHooks {
  /** One round of direct reclaim for a request that no zone could serve: pages freed, 0 for no progress. */
  reclaim?: (zone: Zone, gfp: number, order: number) => number
  /** Something is below its low watermark: kswapd ought to run. */
  wakeKswapd?: (zone: Zone) => void
  /** Nothing more can be freed. */
  outOfMemory?: (gfp: number, order: number) => void
}
// #endregion mmzone-hooks

// #region mmzone-pgdat
/** The node. @kernel include/linux/mmzone.h typedef struct pglist_data pg_data_t v6.12 */
export interface Pgdat {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly pageSize: Bytes
  /** MAX_PAGE_ORDER: the largest order there is, 10 by default. */
  readonly maxOrder: number
  readonly pageblock_order: number
  readonly migrate: MigrateTypes
  /** In what the page allocators of the kernels differ. */
  readonly rules: PageAllocRules
  /** Too little memory for a block of each type: every request counts as UNMOVABLE. */
  page_group_by_mobility_disabled: boolean
  readonly map: MemMap
  /** Migratetype of each pageblock: Uint8Array, index (pfn - start_pfn) >> pageblock_order; start_pfn is aligned to it. */
  readonly pageblock_flags: Uint8Array
  /** Lowest first; empty ones are there too, and Movable, which is always empty here, last. */
  readonly zones: readonly Zone[]
  /** Index of ZONE_NORMAL: what a request gets that names no zone. */
  readonly normalZone: number
  /** For each zone by index, where requests look that would like it best. */
  readonly node_zonelists: readonly Zonelist[]
  /** Pages in CMA areas. */
  totalcma_pages: number
  /** /proc/sys/vm/min_free_kbytes. */
  min_free_kbytes: number
  readonly hooks: PageAllocHooks
  readonly log: Printk
  readonly trace: Trace
  /** Warnings that were given: WARN_ONCE. */
  readonly warned: Set<string>
  /** Events since boot, by their name in /proc/vmstat. */
  readonly vm_event: Record<VmEvent, number>
}

/** @kernel include/linux/vm_event_item.h enum vm_event_item v6.12 */
export type VmEvent =
  | 'pgalloc'
  | 'pgfree'
  | 'pgfault'
  | 'pgmigrate_success'
  | 'pgmigrate_fail'
  | 'cma_alloc_success'
  | 'cma_alloc_fail'
  | 'pgsteal'
  | 'oom_kill'
// #endregion mmzone-pgdat
