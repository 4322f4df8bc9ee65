// SPDX-License-Identifier: MIT
//
// Activation, the part of mm/cma.c that runs as core_initcall: the pages of each area, reserved until now, go to the page
// allocator, which lends them to whoever can be moved out again. From then on cma_alloc() works.
//
//     declared    ▓▓▓▓▓▓▓▓▓▓▓▓   reserved          bitmap null
//     activated   │ CMA│ CMA│    free, type CMA    bitmap of zeros
//
// An area must lie in one zone. What becomes of one that does not (here a boundary in its third block):
//
//     3.5, 3.9    │ CMA│ CMA│▓▓▓▓│▓▓▓▓│    the rest is lost; areas behind it are activated
//     4.6, 4.12   │ CMA│ CMA│▓▓▓▓│▓▓▓▓│    likewise, and areas behind it are not activated
//     6.1, 6.12   │ mov│ mov│ mov│ mov│    ordinary memory, and the log says so
//
// Leaves out: cma_reserve_pages_on_error() of hugetlb.

// #region cma-activate-imports
import { bitmap_zalloc } from '../lib/bitmap.ts'
import { EINVAL } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { cma_bitmap_maxno } from './cma.ts'
import type { Cma, CmaAreas } from './cma_declare.ts'
import { free_reserved_page, init_cma_reserved_pageblock } from './mm_init.ts'
import type { Pgdat } from './mmzone.ts'
import { mustBeValid, page_zone } from './page.ts'
import type { Vm } from './vm.ts'
// #endregion cma-activate-imports

// #region cma-activate-all
/**
 * Activates all areas, in the order in which they were declared; an area that fails has count 0 afterwards.
 * 0, or -EINVAL: an area is not in one zone (4.x, which stops there).
 * @kernel mm/cma.c cma_init_reserved_areas() v6.12; drivers/base/dma-contiguous.c v3.5
 */
export function cma_init_reserved_areas({ pgdat }: Vm, { areas }: CmaAreas): number {
  // Counted when they are declared, in Linux; the node stands only now.
  for (const cma of areas) pgdat.totalcma_pages += cma.count
  for (const cma of areas) {
    const ret = cma_activate_area(pgdat, cma)
    const stops = kernelAtLeast(pgdat.kernel, '4.6') && !kernelAtLeast(pgdat.kernel, '6.1.192')
    if (ret !== 0 && stops) return ret
  }
  return 0
}
// #endregion cma-activate-all

// #region cma-activate-area
// 0, or -EINVAL: a page of it is in another zone than the first.
function cma_activate_area(pgdat: Pgdat, cma: Cma): number {
  mustBeValid(pgdat, cma.base_pfn, cma.count, `cma_activate_area: ${cma.name}`)
  const { zone_end_pfn } = page_zone(pgdat, cma.base_pfn)
  const end = cma.base_pfn + cma.count
  const modern = kernelAtLeast(pgdat.kernel, '6.1.192')
  if (modern && end > zone_end_pfn) return exposeArea(pgdat, cma)
  const block = 2 ** pgdat.pageblock_order
  for (let pfn = cma.base_pfn; pfn < end; pfn += block) {
    if (pfn + block > zone_end_pfn) {
      cma.count = 0
      return -EINVAL
    }
    init_cma_reserved_pageblock(pgdat, pfn)
  }
  cma.bitmap = bitmap_zalloc(cma_bitmap_maxno(cma))
  return 0
}
// #endregion cma-activate-area

// #region cma-activate-expose
// 6.x: what is of no use as an area becomes ordinary memory, page by page.
function exposeArea(pgdat: Pgdat, cma: Cma): number {
  for (let pfn = cma.base_pfn; pfn < cma.base_pfn + cma.count; pfn++) free_reserved_page(pgdat, pfn)
  pgdat.totalcma_pages -= cma.count
  cma.count = 0
  pgdat.log.print('err', `cma: CMA area ${cma.name} could not be activated`)
  return -EINVAL
}
// #endregion cma-activate-expose
