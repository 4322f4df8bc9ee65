// SPDX-License-Identifier: MIT
//
// Memory as a picture to be read and written: pageblocks from the lowest pfn up, each a letter for its type and a character
// a page. A picture becomes a node of the page allocator, and a node becomes a picture again.
//
//     M ****....     U ########     C ........        spaces and line breaks between blocks are free to choose
//
//     U M R H C I    UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC (RESERVE), CMA, ISOLATE
//     .              free, on the list of the block's type        # in use by the kernel
//     u m r h c i    free, on the list of another type            * in use by a program: on an LRU list, may be moved
//     x              reserved: not the page allocator's
//
// All blocks are of one length, a power of two, and may be shorter than any kernel's: the allocator does not mind.
// `drawMemory()` gives the same picture back; `freeBlocks()` tells how the free pages hang together.

// #region picture-imports
import type { Arch, KernelVersion } from '../lib/kernel_version.ts'
import { Printk } from '../lib/printk.ts'
import { createTrace } from '../lib/trace.ts'
import { freeListType } from '../mm/free_list.ts'
import { createMemblock, memblock_add } from '../mm/memblock.ts'
import { createPgdat } from '../mm/mm_init.ts'
import { PG_buddy, PG_lru, PG_reserved, type Pgdat, type Zone, type ZoneName } from '../mm/mmzone.ts'
import { page_zone, set_pageblock_migratetype } from '../mm/page.ts'
import { __free_one_page } from '../mm/page_alloc_free.ts'
// #endregion picture-imports

// #region picture-options
const TYPES = 'UMRHCI'

export interface PictureOptions {
  readonly kernel?: KernelVersion
  readonly arch?: Arch
  /** MAX_PAGE_ORDER; without, one above the order of a pageblock. */
  readonly maxOrder?: number
  /** The first pfn; a multiple of the largest block. */
  readonly start?: number
  /** Zones by name and number of pageblocks, lowest first; without, all is Normal. */
  readonly zones?: readonly (readonly [ZoneName, number])[]
}
// #endregion picture-options

// #region picture-read
/** A node as drawn. Watermarks are 0, so that all free pages may be had. */
export function pictured(picture: string, options: PictureOptions = {}): Pgdat {
  const words = picture.trim().split(/\s+/)
  const blocks = words.filter((_, i) => i % 2 === 1)
  const pages = blocks[0]?.length ?? 0
  const pageblock_order = Math.log2(pages)
  const bad = words.find((word, i) => (i % 2 === 0 ? !/^[UMRHCI]$/.test(word) : word.length !== pages))
  if (bad !== undefined || !Number.isInteger(pageblock_order) || words.length % 2 === 1) {
    throw new Error(
      `pictured: '${bad ?? picture}' does not fit; write 'M ****.... U ########', blocks of one length 2^n`,
    )
  }
  const pgdat = emptyNode(blocks.length * pages, pageblock_order, options)
  const { start_pfn } = pgdat.map
  words.forEach((word, i) => {
    const first = start_pfn + (i >> 1) * pages
    if (i % 2 === 0) set_pageblock_migratetype(pgdat, first, typeOf(pgdat, word))
    else [...word].forEach((page, j) => putPage(pgdat, first + j, page, words[i - 1]!))
  })
  return pgdat
}
// #endregion picture-read

// #region picture-empty
function emptyNode(pages: number, pageblock_order: number, options: PictureOptions): Pgdat {
  const { kernel = '6.12.117', arch = 'arm64', maxOrder = pageblock_order + 1, start = 0 } = options
  const memblock = createMemblock()
  memblock_add(memblock, start * memblock.pageSize, pages * memblock.pageSize)
  const zones = options.zones ?? [['Normal', pages >> pageblock_order]]
  let end = start
  const limits = zones.map(([name, blocks]) => {
    end += blocks << pageblock_order
    return { name, end: end * memblock.pageSize }
  })
  const parts = { kernel, arch, memblock, zones: limits, maxOrder, pageblock_order }
  const pgdat = createPgdat({ ...parts, log: new Printk(), trace: createTrace() })
  pgdat.page_group_by_mobility_disabled = false
  return pgdat
}
// #endregion picture-empty

// #region picture-letters
function typeOf({ migrate }: Pgdat, letter: string): number {
  const { UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC, CMA, ISOLATE } = migrate
  return [UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC, CMA, ISOLATE][TYPES.indexOf(letter.toUpperCase())]!
}

function letterOf({ migrate }: Pgdat, type: number): string {
  const { UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC, CMA, ISOLATE } = migrate
  return TYPES[[UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC, CMA, ISOLATE].indexOf(type as never)]!
}
// #endregion picture-letters

// #region picture-put
function putPage(pgdat: Pgdat, pfn: number, page: string, block: string): void {
  const { map } = pgdat
  const at = pfn - map.start_pfn
  const zone = page_zone(pgdat, pfn)
  if (page !== 'x') zone.managed_pages++
  if (page === '.') __free_one_page(pgdat, pfn, zone, 0, typeOf(pgdat, block))
  else if (/[umrhci]/.test(page)) __free_one_page(pgdat, pfn, zone, 0, typeOf(pgdat, page))
  else {
    map.refcount[at] = 1
    map.flags[at] = page === '*' ? PG_lru : page === 'x' ? PG_reserved : 0
  }
}
// #endregion picture-put

// #region picture-draw
/** The picture of a node: a pageblock a line. */
export function drawMemory(pgdat: Pgdat): string {
  const { map, pageblock_order, pageblock_flags } = pgdat
  const lines: string[] = []
  for (const zone of pgdat.zones) {
    for (let pfn = zone.zone_start_pfn; pfn < zone.zone_end_pfn; pfn += 1 << pageblock_order) {
      const type = letterOf(pgdat, pageblock_flags[(pfn - map.start_pfn) >> pageblock_order]!)
      lines.push(`${type} ${drawBlock(pgdat, pfn, type)}`)
    }
  }
  return lines.join('\n')
}

function drawBlock(pgdat: Pgdat, first: number, block: string): string {
  const { map, pageblock_order } = pgdat
  let text = ''
  for (let pfn = first; pfn < first + (1 << pageblock_order); pfn++) {
    const flags = map.flags[pfn - map.start_pfn]!
    const type = freeType(pgdat, pfn)
    if (type !== null) text += type === block ? '.' : type.toLowerCase()
    else text += flags & PG_reserved ? 'x' : flags & PG_lru ? '*' : '#'
  }
  return text
}
// #endregion picture-draw

// #region picture-free-type
// The type of the list that the free block around a page is on; null for a page in use.
function freeType(pgdat: Pgdat, pfn: number): string | null {
  const { map, maxOrder } = pgdat
  for (let order = 0; order <= maxOrder; order++) {
    const at = (pfn - map.start_pfn) & ~((1 << order) - 1)
    if ((map.flags[at]! & PG_buddy) !== 0 && map.index[at]! >= order)
      return letterOf(pgdat, freeListType(map, at))
  }
  return null
}
// #endregion picture-free-type

// #region picture-blocks
/** The free blocks, by what their lists say: `M3@8` is a block of order 3 at pfn 8 on a list of MOVABLE; lowest pfn first. */
export function freeBlocks(pgdat: Pgdat): string[] {
  return pgdat.zones
    .flatMap((zone) => listedBlocks(pgdat, zone))
    .sort((a, b) => a.pfn - b.pfn)
    .map(({ pfn, order, type }) => `${letterOf(pgdat, type)}${order}@${pfn}`)
}

/** Every free block of a zone as its lists have them, heads first. */
export function listedBlocks(
  { map, maxOrder }: Pgdat,
  zone: Zone,
): { pfn: number; order: number; type: number }[] {
  const found: { pfn: number; order: number; type: number }[] = []
  for (let order = 0; order <= maxOrder; order++) {
    for (let type = 0; type < TYPES.length; type++) {
      for (let at = zone.free_list[2 * (order * TYPES.length + type)]!; at >= 0; at = map.next[at]!) {
        found.push({ pfn: at + map.start_pfn, order, type })
      }
    }
  }
  return found
}
// #endregion picture-blocks
