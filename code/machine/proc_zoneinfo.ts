// SPDX-License-Identifier: MIT
//
// /proc/zoneinfo: each zone with its watermarks and what it keeps from others.
//
//     Node 0, zone      DMA
//       pages free     242868
//             min      1024               below it only those in need get pages
//             low      1286               kswapd wakes
//             high     1548               kswapd rests
//             managed  253904
//             cma      16384              (6.1 and later)
//             protection: (0, 0, 3947)    lowmem_reserve: pages kept from requests that could go higher
//
// Format of each version; `nr_free_cma` comes among the counters. Leaves out counters that the models do not have (pages
// scanned, unreclaimable, inactive_ratio), the per-cpu page sets, NUMA events, the boost of watermarks, which is always 0, and
// ZONE_DEVICE: a kernel that is built with it, as Debian's, prints one more empty zone and one more number of protection.

// #region proc-zoneinfo
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { NR_FREE_PAGES, type Pgdat, type Zone } from '../mm/mmzone.ts'
import type { Vm } from '../mm/vm.ts'
import { nodeItems, zoneItems, type VmstatItem } from './proc_vmstat.ts'

/**
 * The text of /proc/zoneinfo. Zones without memory are there since 4.12.
 * @kernel mm/vmstat.c zoneinfo_show() v6.12
 * @omits see above
 */
export function procZoneinfo(vm: Vm): string {
  const { pgdat } = vm
  const empty = kernelAtLeast(pgdat.kernel, '4.12.4')
  return pgdat.zones
    .filter((zone) => empty || zone.present_pages > 0)
    .map((zone) => zoneText(vm, zone))
    .join('')
}

function zoneText(vm: Vm, zone: Zone): string {
  const { pgdat } = vm
  const first = pgdat.zones.find((each) => each.present_pages > 0)
  const perNode = kernelAtLeast(pgdat.kernel, '4.12.4')
  const lines = [
    `Node 0, zone ${zone.name.padStart(8)}`,
    ...(perNode && zone === first ? ['  per-node stats', ...statLines(nodeItems(vm), 6)] : []),
    ...pagesLines(pgdat, zone),
    ...tailLines(vm, zone, perNode),
  ]
  return `${lines.join('\n')}\n`
}

const statLines = (items: readonly VmstatItem[], indent: number): string[] =>
  items.map(([name, value]) => `${' '.repeat(indent)}${name.padEnd(12)} ${value}`)

function pagesLines({ kernel }: Pgdat, zone: Zone): string[] {
  const modern = kernelAtLeast(kernel, '6.1.192')
  const rows: [string, number][] = [
    ...(modern ? ([['boost', 0]] as [string, number][]) : []),
    ['min', zone.watermark.min],
    ['low', zone.watermark.low],
    ['high', zone.watermark.high],
    ...(kernelAtLeast(kernel, '6.12.117') ? ([['promo', zone.watermark.promo]] as [string, number][]) : []),
    ['spanned', zone.zone_end_pfn - zone.zone_start_pfn],
    ['present', zone.present_pages],
    ...(kernelAtLeast(kernel, '3.9') ? ([['managed', zone.managed_pages]] as [string, number][]) : []),
    ...(modern ? ([['cma', zone.cma_pages]] as [string, number][]) : []),
  ]
  return [
    `  pages free     ${zone.vm_stat[NR_FREE_PAGES]!}`,
    ...rows.map(([name, value]) => `        ${name.padEnd(8)} ${value}`),
  ]
}

// Counters and protection: since 4.12 the protection comes first.
function tailLines(vm: Vm, zone: Zone, protectionFirst: boolean): string[] {
  const protection = `        protection: (${zone.lowmem_reserve.join(', ')})`
  const start = protectionFirst ? '  start_pfn:           ' : '  start_pfn:         '
  const startLine = `${start}${zone.zone_start_pfn}`
  if (!protectionFirst) return [...statLines(zoneItems(vm, zone), 4), protection, startLine]
  if (zone.present_pages === 0) return [protection]
  return [protection, ...statLines(zoneItems(vm, zone), 6), startLine]
}
// #endregion proc-zoneinfo
