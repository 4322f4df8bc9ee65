// SPDX-License-Identifier: MIT
//
// /proc/buddyinfo and /proc/pagetypeinfo: how many free blocks there are of each order, over all migratetypes or by type,
// and how many pageblocks are of each type.
//
//     Node 0, zone      DMA      3      1      4 …        orders 0, 1, 2 … (MC-9.7)
//
// Free pages of isolated blocks are in both, under `Isolate` in pagetypeinfo, although MemFree lacks them (MC-9.8).
// Leaves out: CONFIG_PAGE_OWNER's table of mixed blocks, NUMA.

// #region proc-buddyinfo-head
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { MIGRATE_TYPES, type MigrateTypes, type Pgdat, type Zone } from '../mm/mmzone.ts'

const ROWS: Readonly<Record<keyof MigrateTypes, string>> = {
  UNMOVABLE: 'Unmovable',
  MOVABLE: 'Movable',
  RECLAIMABLE: 'Reclaimable',
  HIGHATOMIC: 'HighAtomic',
  CMA: 'CMA',
  ISOLATE: 'Isolate',
}

/** The names of the migratetypes in /proc/pagetypeinfo, by number. @kernel mm/page_alloc.c migratetype_names v6.12 */
export function migratetypeNames(migrate: MigrateTypes, kernel: KernelVersion): string[] {
  const names = new Array<string>(MIGRATE_TYPES)
  for (const [type, number] of Object.entries(migrate) as [keyof MigrateTypes, number][]) {
    const reserve = type === 'HIGHATOMIC' && !kernelAtLeast(kernel, '4.6')
    names[number] = reserve ? 'Reserve' : ROWS[type]
  }
  return names
}

/** Zones that have memory: the others are left out of both files. */
const populated = ({ zones }: Pgdat): Zone[] => zones.filter((zone) => zone.present_pages > 0)

const ordersOf = ({ maxOrder }: Pgdat): number[] => Array.from({ length: maxOrder + 1 }, (_, order) => order)
// #endregion proc-buddyinfo-head

// #region proc-buddyinfo
/** The text of /proc/buddyinfo. @kernel mm/vmstat.c frag_show() v6.12 */
export function procBuddyinfo(pgdat: Pgdat): string {
  const row = (zone: Zone): string => {
    const counts = ordersOf(pgdat).map((order) => {
      const row = zone.nr_free.subarray(order * MIGRATE_TYPES, (order + 1) * MIGRATE_TYPES)
      return `${String(row.reduce((sum, blocks) => sum + blocks, 0)).padStart(6)} `
    })
    return `Node 0, zone ${zone.name.padStart(8)} ${counts.join('')}\n`
  }
  return populated(pgdat).map(row).join('')
}
// #endregion proc-buddyinfo

// #region proc-pagetypeinfo
/** The text of /proc/pagetypeinfo. @kernel mm/vmstat.c pagetypeinfo_show() v6.12 @omits mixed blocks */
export function procPagetypeinfo(pgdat: Pgdat): string {
  const names = migratetypeNames(pgdat.migrate, pgdat.kernel)
  const orders = ordersOf(pgdat)
  const head = 'Free pages count per migrate type at order'.padEnd(43)
  return [
    `Page block order: ${pgdat.pageblock_order}\n`,
    `Pages per block:  ${2 ** pgdat.pageblock_order}\n\n`,
    `${head} ${orders.map((order) => `${String(order).padStart(6)} `).join('')}\n`,
    ...populated(pgdat).flatMap((zone) => names.map((name, type) => freeRow(pgdat, zone, name, type))),
    `\n${'Number of blocks type '.padEnd(23)}${names.map((name) => `${name.padStart(12)} `).join('')}\n`,
    ...populated(pgdat).map((zone) => blocksRow(pgdat, zone)),
  ].join('')
}

// Since 5.x a list is walked to 100,000 blocks at most, for the zone is locked meanwhile.
const CAP = 100_000

function freeRow(pgdat: Pgdat, zone: Zone, name: string, type: number): string {
  const capped = kernelAtLeast(pgdat.kernel, '6.1.192')
  const counts = ordersOf(pgdat).map((order) => {
    const blocks = zone.nr_free[order * MIGRATE_TYPES + type]!
    const overflow = capped && blocks >= CAP
    return `${overflow ? '>' : ''}${String(overflow ? CAP : blocks).padStart(6)} `
  })
  return `Node    0, zone ${zone.name.padStart(8)}, type ${name.padStart(12)} ${counts.join('')}\n`
}

function blocksRow({ map, pageblock_flags, pageblock_order }: Pgdat, zone: Zone): string {
  const counts = new Array<number>(MIGRATE_TYPES).fill(0)
  const block = 2 ** pageblock_order
  for (let pfn = zone.zone_start_pfn; pfn < zone.zone_end_pfn; pfn += block) {
    counts[pageblock_flags[Math.floor((pfn - map.start_pfn) / block)]!]!++
  }
  return `Node 0, zone ${zone.name.padStart(8)} ${counts.map((n) => `${String(n).padStart(12)} `).join('')}\n`
}
// #endregion proc-pagetypeinfo
