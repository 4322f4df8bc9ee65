// SPDX-License-Identifier: MIT
//
// Steps that ask the page allocator, and the one that asks where a page is: alloc_pages, __free_pages, findPage.
//
//     - alloc_pages: { gfp: GFP_KERNEL, order: 3 }
//         as: table
//     - findPage: { in: table, page: 2 }
//         gives: { block: Unmovable }

// #region scenario-steps-pages
import { nearestWord } from '../lib/nearest_word.ts'
import type { Pfn } from '../lib/units.ts'
import type { Cma } from '../mm/cma_declare.ts'
import { get_pageblock_migratetype } from '../mm/page.ts'
import { __alloc_pages, __free_pages } from '../mm/page_alloc.ts'
import { dma_to_phys } from '../dma/dma_address.ts'
import { migratetypeNames } from './proc_buddyinfo.ts'
import {
  bury,
  Fault,
  held,
  heldAny,
  type Doers,
  type Held,
  type HeldKinds,
  type Run,
} from './scenario_context.ts'
import { userPfn } from './scenario_user.ts'

/** The type of the pageblock that a page is in, by its name in /proc/pagetypeinfo. */
export function blockName({ system }: Run, pfn: Pfn): string {
  const { pgdat } = system
  return migratetypeNames(pgdat.migrate, pgdat.kernel)[get_pageblock_migratetype(pgdat, pfn)] ?? 'none'
}

/** The CMA area of a page, or null. */
export function areaOf({ system }: Run, pfn: Pfn): Cma | null {
  const { pageSize } = system.pgdat
  return system.cma.find(({ base, size }) => pfn * pageSize >= base && pfn * pageSize < base + size) ?? null
}

/** An area by its name. @throws Fault offering the nearest */
export function areaNamed({ system }: Run, name: string, key = 'area'): Cma {
  const found = system.cma.find((each) => each.name === name)
  if (found) return found
  const names = system.cma.map((each) => each.name)
  const near = nearestWord(name, names)
  const note = near
    ? `did you mean ${near}?`
    : 'the default area is called reserved; board.cmdline: cma=64M makes it'
  const text = `there is no CMA area ${name}, expected ${names.join(' or ') || 'one, but the board has none'}`
  throw new Fault({ rule: 'scenario-unknown-area', key, text, note })
}

/** The pfn of page number `page` of a result, or null when nothing is there. @throws Fault behind its end */
export function pageOf(run: Run, name: string, page: number): Pfn | null {
  const found = heldAny(run, name)
  const { pageSize } = run.system.pgdat
  const within = (first: Pfn, count: number): Pfn => {
    if (page < count) return first + page
    const text = `${name} has no page ${page}, expected 0 to ${count - 1}`
    throw new Fault({ rule: 'scenario-outside', key: 'page', text })
  }
  if (found.kind === 'area') return userPfn(run.system.vm, held(run, name, 'area'), page)
  if (found.kind === 'pages') return within(pfnOf(found), 2 ** held(run, name, 'pages').order)
  if (found.kind === 'range') return within(pfnOf(found), held(run, name, 'range').count)
  if (found.kind === 'file') return held(run, name, 'file').f_inode.i_mapping?.i_pages.get(page) ?? null
  const { dev, handle, size } = held(run, name, 'buffer')
  const first = Math.floor(dma_to_phys(run.system.machine.kernel, dev, handle) / pageSize)
  return within(first, Math.ceil(size / pageSize))
}

const pfnOf = ({ what }: Held): Pfn => (what as HeldKinds['pages']).pfn

export const pageDoers: Doers<'alloc_pages' | '__free_pages' | 'findPage'> = {
  alloc_pages: (run, { gfp, order }) => {
    const { pgdat } = run.system
    mustBeOrder(run, order)
    const pfn = __alloc_pages(pgdat, gfp, order)
    if (pfn === null) return { fields: { pfn: null, block: null } }
    return { fields: { pfn, block: blockName(run, pfn) }, made: { pfn, order } }
  },
  __free_pages: (run, { pages, pfn, order }) => {
    const { pgdat } = run.system
    if ((pages === undefined) === (pfn === undefined)) {
      const text = '__free_pages: expected either pages or pfn'
      throw new Fault({
        rule: 'scenario-value',
        text,
        note: 'pages: a name of alloc_pages; or pfn: and order:',
      })
    }
    mustBeOrder(run, order)
    if (pages !== undefined) {
      const block = held(run, pages, 'pages')
      bury(run, pages)
      __free_pages(pgdat, block.pfn, block.order)
    } else __free_pages(pgdat, pfn!, order)
    return {}
  },
  findPage: (run, args) => {
    const pfn = pageOf(run, args.in, args.page)
    if (pfn === null)
      return { fields: { ...{ pfn: null, block: null, area: null, refcount: 0, mapcount: 0 } } }
    const { map } = run.system.pgdat
    const at = pfn - map.start_pfn
    const counts = { refcount: map.refcount[at] ?? 0, mapcount: map.mapcount[at] ?? 0 }
    return { fields: { pfn, block: blockName(run, pfn), area: areaOf(run, pfn)?.name ?? null, ...counts } }
  },
}

function mustBeOrder({ system, verb }: Run, order: number): void {
  const { maxOrder, pageSize } = system.pgdat
  if (order <= maxOrder) return
  const largest = (2 ** maxOrder * pageSize) / 1024
  throw new Fault({
    ...{ rule: 'scenario-order', key: 'order' },
    text: `${verb}: order ${order} is too high, expected 0 to ${maxOrder} (MAX_PAGE_ORDER: ${largest} KiB)`,
    note: 'larger buffers come from a CMA area only: cma_alloc, or dma_alloc_coherent',
  })
}
// #endregion scenario-steps-pages
