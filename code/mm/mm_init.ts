// SPDX-License-Identifier: MIT
//
// The page allocator starts: struct pages for all RAM, zones, and then memblock hands over what nobody has taken.
//
//     memblock   RAM ─ no-map ─ reserved
//        │ createPgdat()                      zones, struct pages, every pageblock MOVABLE, nothing free
//        │ memblock_free_all()                free ranges, bottom up, in the largest blocks that are aligned
//        │ init_cma_reserved_pageblock()      later, for each pageblock of a CMA area: free memory of type CMA
//        ↓ init_per_zone_wmark_min()          watermarks (watermark.ts)
//     zone.free_list[order][migratetype]
//
// Linux writes every struct page at boot. Here a page of zeros is one that is in a free block, or in use by nobody yet, so
// only pages that are not RAM or are reserved get written: 64 GiB start in milliseconds.
//
// Leaves out: NUMA, deferred initialisation, memory of struct pages itself (`own` events of a boot reserve it).

// #region mm-init-imports
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import type { Trace } from '../lib/trace.ts'
import { round_down, round_up, type Pfn } from '../lib/units.ts'
import { memblock_end_of_DRAM, memblock_start_of_DRAM, regionEnd, type Memblock } from './memblock.ts'
import { forEachFreeRange } from './memblock_find.ts'
import {
  MIGRATE_TYPES,
  NR_ZONE_STATS,
  PG_reserved,
  type MemMap,
  type Pgdat,
  type Zone,
  type Zonelist,
} from './mmzone.ts'
import { get_pageblock_migratetype, page_zone, set_pageblock_migratetype } from './page.ts'
import { __free_pages } from './page_alloc.ts'
import { __free_one_page, __free_pages_ok } from './page_alloc_free.ts'
import { migrateTypes, pageAllocRules } from './page_alloc_rules.ts'
import type { ZoneLimit } from './zones.ts'
// #endregion mm-init-imports

// #region mm-init-options
export interface PgdatOptions {
  readonly kernel: KernelVersion
  readonly arch: Arch
  /** Where RAM is. */
  readonly memblock: Memblock
  /** Zones by their upper ends, lowest first: zoneLimits(). */
  readonly zones: readonly ZoneLimit[]
  /** MAX_PAGE_ORDER. */
  readonly maxOrder: number
  readonly pageblock_order: number
  readonly log: Printk
  readonly trace: Trace
}
// #endregion mm-init-options

// #region mm-init-pgdat
/** A node with all the RAM of memblock, none of it free. @kernel mm/mm_init.c free_area_init() v6.12 */
export function createPgdat(options: PgdatOptions): Pgdat {
  const { kernel, arch, memblock, maxOrder, pageblock_order, log, trace } = options
  const { pageSize } = memblock
  const unit = 1 << Math.max(maxOrder, pageblock_order)
  const start = round_down(Math.floor(memblock_start_of_DRAM(memblock) / pageSize), unit)
  const end = round_up(Math.ceil(memblock_end_of_DRAM(memblock) / pageSize), unit)
  const migrate = migrateTypes(kernel)
  const pageblock_flags = new Uint8Array((end - start) >> pageblock_order).fill(migrate.MOVABLE)
  const zones = createZones(options)
  const present = zones.reduce((sum, zone) => sum + zone.present_pages, 0)
  const rules = pageAllocRules(kernel)
  // One literal without spreads: all nodes are of one hidden class, for which an engine compiles the allocator once.
  return {
    kernel,
    arch,
    pageSize,
    maxOrder,
    pageblock_order,
    migrate,
    rules,
    page_group_by_mobility_disabled: present < MIGRATE_TYPES << pageblock_order,
    map: createMemMap(start, end),
    pageblock_flags,
    zones,
    normalZone: zones.findIndex(({ name }) => name === 'Normal'),
    node_zonelists: zones.map(({ index }) => build_zonelist(kernel, zones.slice(0, index + 1))),
    totalcma_pages: 0,
    min_free_kbytes: 0,
    hooks: {},
    log,
    trace,
    warned: new Set(),
    vm_event: noEvents(),
  }
}

// #endregion mm-init-pgdat

// #region mm-init-events
const noEvents = (): Pgdat['vm_event'] => ({
  pgalloc: 0,
  pgfree: 0,
  pgfault: 0,
  pgmigrate_success: 0,
  pgmigrate_fail: 0,
  cma_alloc_success: 0,
  cma_alloc_fail: 0,
  pgsteal: 0,
  oom_kill: 0,
})
// #endregion mm-init-events

// #region mm-init-zonelist
// @kernel mm/page_alloc.c build_zonerefs_node() v6.12
function build_zonelist(kernel: KernelVersion, upTo: readonly Zone[]): Zonelist {
  const zones = upTo.filter((zone) => zone.present_pages > 0).reverse()
  const hasDma32 = upTo.some(({ name }) => name === 'DMA32')
  return {
    zones,
    avoidsFragments: kernelAtLeast(kernel, '6.1.192') && hasDma32 && zones[0]?.name === 'Normal',
  }
}
// #endregion mm-init-zonelist

// #region mm-init-mem-map
// 22 bytes a page, of which the machine that runs this spends only what is written to.
function createMemMap(start_pfn: Pfn, end_pfn: Pfn): MemMap {
  const pages = end_pfn - start_pfn
  return {
    start_pfn,
    end_pfn,
    flags: new Uint16Array(pages),
    refcount: new Uint16Array(pages),
    mapcount: new Uint16Array(pages),
    next: new Int32Array(pages),
    prev: new Int32Array(pages),
    mapping: new Int32Array(pages),
    index: new Int32Array(pages),
  }
}
// #endregion mm-init-mem-map

// #region mm-init-zones
// Zones share out what lies between the first and the last page of RAM, holes included.
function createZones({ memblock, zones, maxOrder }: PgdatOptions): Zone[] {
  const first = Math.floor(memblock_start_of_DRAM(memblock) / memblock.pageSize)
  const last = Math.ceil(memblock_end_of_DRAM(memblock) / memblock.pageSize)
  const movable: ZoneLimit = { name: 'Movable', end: 0 }
  let from = first
  return [...zones, movable].map(({ name, end }, index, all) => {
    const to = Math.min(Math.max(Math.floor(end / memblock.pageSize), from), last)
    const lists = (maxOrder + 1) * MIGRATE_TYPES
    const zone: Zone = {
      name,
      index,
      zone_start_pfn: to > from ? from : 0,
      zone_end_pfn: to > from ? to : 0,
      present_pages: presentPages(memblock, from, to),
      managed_pages: 0,
      cma_pages: 0,
      watermark: { min: 0, low: 0, high: 0, promo: 0 },
      min_cma_pages: 0,
      nr_reserved_highatomic: 0,
      lowmem_reserve: all.map(() => 0),
      free_list: new Int32Array(2 * lists).fill(-1),
      nr_free: new Int32Array(lists),
      vm_stat: new Int32Array(NR_ZONE_STATS),
    }
    from = to
    return zone
  })
}

// #endregion mm-init-zones

// #region mm-init-present
// Whole pages of RAM in [from, to).
function presentPages({ memory, pageSize }: Memblock, from: Pfn, to: Pfn): number {
  return memory.regions.reduce((sum, region) => {
    const start = Math.max(Math.ceil(region.base / pageSize), from)
    const end = Math.min(Math.floor(regionEnd(region) / pageSize), to)
    return sum + Math.max(end - start, 0)
  }, 0)
}
// #endregion mm-init-present

// #region mm-init-free-all
/**
 * Hands over what memblock has free: ranges bottom up, each in the largest blocks that its alignment allows. All else is
 * marked reserved. High memory comes last, page by page. Returns the pages that came.
 * @kernel mm/memblock.c memblock_free_all() v6.12
 */
export function memblock_free_all(pgdat: Pgdat, memblock: Memblock): number {
  const { map, pageSize } = pgdat
  const high: [Pfn, Pfn][] = []
  let reserved = map.start_pfn
  let count = 0
  forEachFreeRange(memblock, (from, to) => {
    const start = Math.ceil(from / pageSize)
    const end = Math.floor(to / pageSize)
    if (start >= end) return false
    reserve_bootmem_region(pgdat, reserved, start)
    reserved = end
    count += end - start
    for (const zone of pgdat.zones) {
      const [low, top] = [Math.max(start, zone.zone_start_pfn), Math.min(end, zone.zone_end_pfn)]
      if (low >= top) continue
      if (zone.name === 'HighMem') high.push([low, top])
      else __free_pages_memory(pgdat, zone, low, top)
    }
    return false
  })
  reserve_bootmem_region(pgdat, reserved, map.end_pfn)
  for (const [start, end] of high) free_highpages(pgdat, start, end)
  return count
}
// #endregion mm-init-free-all

// #region mm-init-free-memory
// @kernel mm/memblock.c __free_pages_memory() v6.12
function __free_pages_memory(pgdat: Pgdat, zone: Zone, start: Pfn, end: Pfn): void {
  const { maxOrder } = pgdat
  zone.managed_pages += end - start
  pgdat.vm_event.pgfree += end - start
  while (start < end) {
    let order = maxOrder
    while (start % (1 << order) !== 0) order--
    while (start + (1 << order) > end) order--
    const type = get_pageblock_migratetype(pgdat, start)
    __free_one_page(pgdat, start, zone, order, type, pgdat.rules.bootToTail)
    start += 1 << order
  }
}

// @kernel arch/arm/mm/init.c free_highpages() v6.12
function free_highpages(pgdat: Pgdat, start: Pfn, end: Pfn): void {
  const zone = page_zone(pgdat, start)
  zone.managed_pages += end - start
  for (let pfn = start; pfn < end; pfn++) __free_pages_ok(pgdat, pfn, 0)
}

/**
 * Marks pages that are not free: reserved, with a reference that nobody drops.
 * @kernel mm/mm_init.c reserve_bootmem_region() v6.12
 */
function reserve_bootmem_region({ map }: Pgdat, start: Pfn, end: Pfn): void {
  map.flags.fill(PG_reserved, start - map.start_pfn, end - map.start_pfn)
  map.refcount.fill(1, start - map.start_pfn, end - map.start_pfn)
}
// #endregion mm-init-free-memory

// #region mm-init-cma-pageblock
/**
 * Makes a reserved pageblock free memory of type CMA (MC-4.12). `pfn` is its first page.
 * @kernel mm/mm_init.c init_cma_reserved_pageblock() v6.12
 */
export function init_cma_reserved_pageblock(pgdat: Pgdat, pfn: Pfn): void {
  const { map, pageblock_order } = pgdat
  const pages = 1 << pageblock_order
  const at = pfn - map.start_pfn
  const zone = page_zone(pgdat, pfn)
  map.flags.fill(0, at, at + pages)
  map.refcount.fill(0, at, at + pages)
  set_pageblock_migratetype(pgdat, pfn, pgdat.migrate.CMA)
  map.refcount[at] = 1
  __free_pages(pgdat, pfn, pageblock_order)
  zone.managed_pages += pages
  zone.cma_pages += pages
}

/** Gives reserved pages to the page allocator one by one. @kernel mm/page_alloc.c free_reserved_page() v6.12 */
export function free_reserved_page(pgdat: Pgdat, pfn: Pfn): void {
  const at = pfn - pgdat.map.start_pfn
  pgdat.map.flags[at] = 0
  pgdat.map.refcount[at] = 1
  __free_pages(pgdat, pfn, 0)
  page_zone(pgdat, pfn).managed_pages++
}
// #endregion mm-init-cma-pageblock
