// SPDX-License-Identifier: MIT
//
// What tests of processes ask of a machine: free pages as one number, none of them for a while, memory that is mapped.
import type { Bytes, Pfn, VirtAddr } from '../../code/lib/units.ts'
import { __GFP_NOWARN, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { do_mmap, type MmapRequest } from '../../code/mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import type { MmStruct, Vm } from '../../code/mm/vm.ts'

/** Free pages of all zones. */
export function freePagesOf({ pgdat: { zones } }: Vm): number {
  return zones.reduce((sum, zone) => sum + zone.vm_stat[NR_FREE_PAGES]!, 0)
}

/** Runs `act` while the kernel has no page left to give (those of CMA areas are not for it). */
export function withoutMemory<T>({ pgdat }: Vm, act: () => T): T {
  const hooks = { ...pgdat.hooks }
  delete pgdat.hooks.reclaim
  delete pgdat.hooks.wakeKswapd
  delete pgdat.hooks.outOfMemory
  const taken: [Pfn, number][] = []
  for (let order = pgdat.maxOrder; order >= 0; order--) {
    for (let pfn; (pfn = __alloc_pages(pgdat, GFP_KERNEL | __GFP_NOWARN, order)) !== null;)
      taken.push([pfn, order])
  }
  try {
    return act()
  } finally {
    for (const [pfn, order] of taken) __free_pages(pgdat, pfn, order)
    Object.assign(pgdat.hooks, hooks)
  }
}

/** Private anonymous memory, readable and writable, unless the request says otherwise. */
export function mapMemory(vm: Vm, mm: MmStruct, len: Bytes, more: Partial<MmapRequest> = {}): VirtAddr {
  const prot = PROT_READ | PROT_WRITE
  const at = do_mmap(vm, mm, { len, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS, ...more })
  if (at < 0) throw new Error(`mapMemory: do_mmap() returned ${at}, expected an address`)
  return at
}
