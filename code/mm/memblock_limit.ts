// SPDX-License-Identifier: MIT
//
// `mem=` on the command line: the kernel is to use less RAM than there is.
//
//     mem=96M     ├──── 64 MiB ────┤        ├─ 32 ─┤╌╌╌╌╌╌╌╌╌ NOMAP ╌╌╌╌┤      counted over gaps, NOMAP stays
//
// As arm64 does it; arm has a rule of its own, which is not modelled.

// #region memblock-limit-imports
import type { Bytes } from '../lib/units.ts'
import {
  MEMBLOCK_ALLOC_ANYWHERE,
  memblock_is_nomap,
  memblock_phys_free,
  memblock_remove,
  regionEnd,
  type Memblock,
} from './memblock.ts'
// #endregion memblock-limit-imports

// #region memblock-limit
/**
 * `mem=`: keeps the first `limit` bytes of RAM. NOMAP regions above stay; what was reserved above is forgotten.
 * @kernel mm/memblock.c memblock_mem_limit_remove_map() v6.12
 */
export function memblock_mem_limit_remove_map(memblock: Memblock, limit: Bytes): void {
  const regions = [...memblock.memory.regions]
  let end = 0
  for (const region of regions) {
    end = region.base + Math.min(limit, region.size)
    if (limit <= region.size) break
    limit -= region.size
  }
  const above = regions.filter((region) => regionEnd(region) > end)
  if (!limit || above.length === 0) return
  for (const region of above) {
    const from = Math.max(region.base, end)
    if (!memblock_is_nomap(region)) memblock_remove(memblock, from, regionEnd(region) - from)
  }
  memblock_phys_free(memblock, end, MEMBLOCK_ALLOC_ANYWHERE - end)
}
// #endregion memblock-limit
