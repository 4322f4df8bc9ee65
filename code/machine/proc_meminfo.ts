// SPDX-License-Identifier: MIT
//
// /proc/meminfo, in kibibytes:
//
//     MemTotal:        1011712 kB       what the buddy allocator has or has given, CMA areas included
//     MemFree:          950272 kB       free, CMA areas included
//     CmaTotal:          65536 kB       all areas (4.6 and later have this line and the next)
//     CmaFree:           65152 kB       free in CMA blocks: falls when a program's pages lie there
//
// The format is the kernel's. Leaves out the lines that the models cannot answer: MemAvailable, Buffers, swap, Mlocked,
// Shmem, slabs, kernel stacks, page tables, vmalloc, commit limits, huge pages.

// #region proc-meminfo
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES, type Pgdat } from '../mm/mmzone.ts'
import type { Vm } from '../mm/vm.ts'
import { global_zone_page_state, pageCounts, totalram_pages } from './proc_counts.ts'

/** The text of /proc/meminfo. @kernel fs/proc/meminfo.c meminfo_proc_show() v6.12 @omits see above */
export function procMeminfo(vm: Vm): string {
  const { pgdat } = vm
  const n = pageCounts(vm)
  const rows: [string, number][] = [
    ['MemTotal', totalram_pages(pgdat)],
    ['MemFree', global_zone_page_state(pgdat, NR_FREE_PAGES)],
    ['Cached', n.file_pages],
    ['Active', n.active_anon + n.active_file],
    ['Inactive', n.inactive_anon + n.inactive_file],
    ['Active(anon)', n.active_anon],
    ['Inactive(anon)', n.inactive_anon],
    ['Active(file)', n.active_file],
    ['Inactive(file)', n.inactive_file],
    ['Unevictable', n.unevictable],
    ...highmemRows(pgdat),
    ['Dirty', n.dirty],
    ['Writeback', n.writeback],
    ['AnonPages', n.anon_pages],
    ['Mapped', n.mapped],
    ...cmaRows(pgdat),
  ]
  const kib = pgdat.pageSize / 1024
  return rows
    .map(([name, pages]) => `${`${name}:`.padEnd(16)}${String(pages * kib).padStart(8)} kB\n`)
    .join('')
}
// #endregion proc-meminfo

// #region proc-meminfo-optional
function cmaRows(pgdat: Pgdat): [string, number][] {
  if (!kernelAtLeast(pgdat.kernel, '4.6')) return []
  return [
    ['CmaTotal', pgdat.totalcma_pages],
    ['CmaFree', global_zone_page_state(pgdat, NR_FREE_CMA_PAGES)],
  ]
}

// CONFIG_HIGHMEM: what the linear mapping does not reach.
function highmemRows(pgdat: Pgdat): [string, number][] {
  const high = pgdat.zones.find((zone) => zone.name === 'HighMem')
  if (!high) return []
  const free = high.vm_stat[NR_FREE_PAGES]!
  return [
    ['HighTotal', high.managed_pages],
    ['HighFree', free],
    ['LowTotal', totalram_pages(pgdat) - high.managed_pages],
    ['LowFree', global_zone_page_state(pgdat, NR_FREE_PAGES) - free],
  ]
}
// #endregion proc-meminfo-optional
