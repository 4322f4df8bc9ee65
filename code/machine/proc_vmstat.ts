// SPDX-License-Identifier: MIT
//
// /proc/vmstat: `name value`, one a line, in the kernel's order:
//
//     counters of zones        nr_free_pages … nr_free_cma          (3.5 and 4.6 have all of them here)
//     counters of the node     nr_inactive_anon … nr_writeback      (4.12 and later)
//     events since boot        pgfree pgfault pgmigrate_success … cma_alloc_success cma_alloc_fail
//
// Leaves out what the models do not count: slabs, stacks, page tables, isolated pages, NUMA, reclaim and compaction in
// detail, huge pages, and pgalloc by zone.

// #region proc-vmstat-items
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, type VmEvent, type Zone } from '../mm/mmzone.ts'
import type { Vm } from '../mm/vm.ts'
import { global_zone_page_state, pageCounts, type PageCounts } from './proc_counts.ts'

/** A name in /proc/vmstat and its value: pages, or events. */
export type VmstatItem = readonly [name: string, value: number]

const LRU = ['inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable'] as const

const lruItems = (counts: PageCounts, prefix: string): VmstatItem[] =>
  LRU.map((list) => [`${prefix}${list}`, counts[list]])

const useItems = (counts: PageCounts): VmstatItem[] => [
  ['nr_anon_pages', counts.anon_pages],
  ['nr_mapped', counts.mapped],
  ['nr_file_pages', counts.file_pages],
  ['nr_dirty', counts.dirty],
  ['nr_writeback', counts.writeback],
]

/** The counters of one zone, or of all together, in order. @kernel include/linux/mmzone.h enum zone_stat_item v6.12 */
export function zoneItems(vm: Vm, zone: Zone | null): VmstatItem[] {
  const { pgdat } = vm
  const state = (item: number) => (zone ? zone.vm_stat[item]! : global_zone_page_state(pgdat, item))
  const counts = pageCounts(vm, zone?.zone_start_pfn, zone?.zone_end_pfn)
  const perNode = kernelAtLeast(pgdat.kernel, '4.12.4')
  const counters = perNode
    ? [
        ...lruItems(counts, 'nr_zone_'),
        ['nr_zone_write_pending', counts.dirty + counts.writeback] satisfies VmstatItem,
      ]
    : [...lruItems(counts, 'nr_'), ...useItems(counts)]
  const cma: VmstatItem[] = [['nr_free_cma', state(NR_FREE_CMA_PAGES)]]
  return [
    ['nr_free_pages', state(NR_FREE_PAGES)],
    ...counters,
    ...(kernelAtLeast(pgdat.kernel, '3.9') ? cma : []),
  ]
}

/**
 * The counters of the node, in order; none before 4.12, where zones have them.
 * @kernel include/linux/mmzone.h enum node_stat_item v6.12
 */
export function nodeItems(vm: Vm): VmstatItem[] {
  if (!kernelAtLeast(vm.pgdat.kernel, '4.12.4')) return []
  const counts = pageCounts(vm)
  return [...lruItems(counts, 'nr_'), ...useItems(counts)]
}
// #endregion proc-vmstat-items

// #region proc-vmstat-events
const EVENTS: readonly (readonly [VmEvent, KernelVersion])[] = [
  ['pgfree', '3.5'],
  ['pgfault', '3.5'],
  ['oom_kill', '6.1.192'],
  ['pgmigrate_success', '3.9'],
  ['pgmigrate_fail', '3.9'],
  ['cma_alloc_success', '6.1.192'],
  ['cma_alloc_fail', '6.1.192'],
]

/** The text of /proc/vmstat. @kernel mm/vmstat.c vmstat_show() v6.12 @omits see above */
export function procVmstat(vm: Vm): string {
  const { kernel, vm_event } = vm.pgdat
  const events = EVENTS.filter(([, since]) => kernelAtLeast(kernel, since))
  const items: VmstatItem[] = [
    ...zoneItems(vm, null),
    ...nodeItems(vm),
    ...events.map(([name]) => [name, vm_event[name]] as const),
  ]
  return items.map(([name, value]) => `${name} ${value}\n`).join('')
}
// #endregion proc-vmstat-events
