// SPDX-License-Identifier: MIT
//
// The memory of a booted machine as a map: what each page is, by memblock, the free lists, and who asked for it.
// The requests that make it busy are drawn by a seeded generator and served by the page allocator's model.
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { test_bit } from '../../code/lib/bitmap.ts'
import { createRng } from '../../code/lib/rng.ts'
import { listedBlocks } from '../../code/machine/picture.ts'
import type { Resource } from '../../code/machine/resource.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { memblock_is_nomap, regionEnd } from '../../code/mm/memblock.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { fill } from '../client/words.ts'
import { treeOf } from './board.ts'
import {
  fillPages,
  type Kind,
  KINDS,
  type Level,
  type NamedRange,
  type PageMap,
  pyramid,
  TILE_HEIGHT,
  TILE_PAGES,
  TILE_WIDTH,
  tilesInRow,
  ZONE_SHIFT,
} from './map_layout.ts'

export interface MapScenario {
  readonly gib: number
  readonly kernel: KernelVersion
  readonly cmdline: string
  readonly busy: number
  readonly dts: string
}

interface Given {
  readonly pfn: number
  readonly order: number
  readonly kind: Kind
}

// Three requests of four are of programs. Then every third block is given back, so that there are holes of all sizes.
function makeBusy({ pgdat }: System, percent: number): Given[] {
  const rng = createRng(1)
  const wanted = Math.floor((pgdat.zones.reduce((sum, zone) => sum + zone.managed_pages, 0) * percent) / 100)
  const given: Given[] = []
  for (let pages = 0; pages < wanted;) {
    const order = rng.next(pgdat.maxOrder)
    const kind = rng.next(4) === 0 ? 'kernel' : 'program'
    const pfn = __alloc_pages(pgdat, kind === 'kernel' ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE, order)
    if (pfn === null) break
    given.push({ pfn, order, kind })
    pages += 2 ** order
  }
  return given.filter(({ pfn, order }) => {
    const back = rng.next(3) === 0
    if (back) __free_pages(pgdat, pfn, order)
    return !back
  })
}

class Painter {
  readonly level: Level
  private readonly zones: readonly NamedRange[]
  private readonly start: number

  constructor(start: number, end: number, zones: readonly NamedRange[]) {
    const tiles = Math.ceil((end - start) / TILE_PAGES)
    const perRow = tilesInRow(tiles)
    const [width, height] = [perRow * TILE_WIDTH, Math.ceil(tiles / perRow) * TILE_HEIGHT]
    this.level = { width, height, cells: new Uint8Array(width * height) }
    this.zones = zones
    this.start = start
  }

  /** The page frames `[from, to)`, each with its zone. */
  put(from: number, to: number, kind: Kind): void {
    this.zones.forEach((zone, index) => {
      const [low, high] = [Math.max(from, zone.from), Math.min(to, zone.to)]
      const state = KINDS.indexOf(kind) | (index << ZONE_SHIFT)
      if (low < high) fillPages(this.level, low - this.start, high - this.start, state)
    })
  }
}

function paint(
  { machine, pgdat, cma }: System,
  given: readonly Given[],
  zones: readonly NamedRange[],
): Level {
  const { map, migrate, pageSize } = pgdat
  const painter = new Painter(map.start_pfn, map.end_pfn, zones)
  for (const region of machine.memblock.memory.regions) {
    const kind = memblock_is_nomap(region) ? 'nomap' : 'reserved'
    painter.put(Math.ceil(region.base / pageSize), Math.floor(regionEnd(region) / pageSize), kind)
  }
  for (const zone of pgdat.zones) {
    for (const { pfn, order, type } of listedBlocks(pgdat, zone))
      painter.put(pfn, pfn + 2 ** order, type === migrate.CMA ? 'cmaFree' : 'free')
  }
  for (const { pfn, order, kind } of given) painter.put(pfn, pfn + 2 ** order, kind)
  for (const { bitmap, base_pfn, count, order_per_bit } of cma) {
    const pages = 2 ** order_per_bit
    for (let bit = 0; bitmap && bit < count / pages; bit++)
      if (test_bit(bit, bitmap)) painter.put(base_pfn + bit * pages, base_pfn + (bit + 1) * pages, 'cmaTaken')
  }
  return painter.level
}

function rangesOf({ machine, cma, pgdat: { pageSize } }: System): NamedRange[] {
  const found: NamedRange[] = []
  const walk = ({ children }: Resource): void => {
    for (const child of children) {
      found.push({ name: child.name, from: child.start / pageSize, to: (child.end + 1) / pageSize })
      walk(child)
    }
  }
  walk(machine.iomem)
  for (const { name, base, size } of machine.reserved_mem.regions)
    found.push({ name, from: base / pageSize, to: (base + size) / pageSize })
  for (const { name, base_pfn, count } of cma) found.push({ name, from: base_pfn, to: base_pfn + count })
  return found
}

/** Boots the board and draws its map. Throws what the models and the device tree's parser throw. */
export function pageMap({ gib, kernel, cmdline, busy, dts }: MapScenario): PageMap {
  const tree = treeOf(fill(dts, { gib }))
  const system = startSystem({ tree, kernel, arch: 'arm64', cmdline })
  const { pgdat } = system
  const given = makeBusy(system, busy)
  const zones = pgdat.zones
    .filter(({ present_pages }) => present_pages > 0)
    .map(({ name, zone_start_pfn: from, zone_end_pfn: to }) => ({ name, from, to }))
  const migratetypes: string[] = []
  for (const [name, type] of Object.entries(pgdat.migrate) as [string, number][]) migratetypes[type] = name
  return {
    startPfn: pgdat.map.start_pfn,
    endPfn: pgdat.map.end_pfn,
    levels: pyramid(paint(system, given, zones)),
    zones,
    ranges: rangesOf(system),
    blockTypes: pgdat.pageblock_flags,
    migratetypes,
    pagesOfBlock: 2 ** pgdat.pageblock_order,
  }
}
