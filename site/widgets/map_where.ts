// SPDX-License-Identifier: MIT
//
// What there is to say of one page frame of a map.
import { fill } from '../client/words.ts'
import type { WidgetText } from '../text/en_widgets.ts'
import { KIND_MASK, KINDS, type Kind, type PageMap, placeOf } from './map_layout.ts'
import { perRowOf } from './map_view.ts'
import { hexPfn } from './movie/sentence.ts'

export interface PageFacts {
  readonly pfn: number
  readonly kind: Kind
  /** Null outside every zone. */
  readonly zone: string | null
  readonly migratetype: string
  /** The smallest range with a name around it; null for none. */
  readonly region: string | null
}

export function factsOf(map: PageMap, pfn: number): PageFacts {
  const index = pfn - map.startPfn
  const { width, cells } = map.levels[0]!
  const { x, y } = placeOf(index, perRowOf(map))
  const around = map.ranges
    .filter(({ from, to }) => from <= pfn && pfn < to)
    // Of two that are alike the later one, which is the tree's and says more than /proc/iomem.
    .reverse()
    .sort((a, b) => a.to - a.from - (b.to - b.from))
  return {
    pfn,
    kind: KINDS[cells[y * width + x]! & KIND_MASK] ?? 'none',
    zone: map.zones.find(({ from, to }) => from <= pfn && pfn < to)?.name ?? null,
    migratetype: map.migratetypes[map.blockTypes[Math.floor(index / map.pagesOfBlock)]!] ?? '',
    region: around[0]?.name ?? null,
  }
}

/** 0x1_0000_0000: as the book prints addresses. */
const grouped = (address: number): string =>
  '0x' +
  address
    .toString(16)
    .padStart(8, '0')
    .replace(/\B(?=(....)+$)/g, '_')

/** The same as a line of text. */
export function sayFacts(
  { pfn, kind, zone, migratetype, region }: PageFacts,
  words: WidgetText['map'],
): string {
  const inside = zone !== null && kind !== 'none'
  const parts = [
    fill(words.page, { pfn: hexPfn(pfn), address: grouped(pfn * 4096) }),
    words.kinds[kind],
    ...(inside ? [fill(words.zone, { zone }), fill(words.pageblock, { migratetype })] : []),
    ...(region === null ? [] : [region]),
  ]
  return parts.join(' · ')
}
