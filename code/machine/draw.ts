// SPDX-License-Identifier: MIT
//
// Memory as a picture of letters, for a terminal and for widgets: every pageblock with its type and with what is in it.
//
//     DMA 0x40000000..0x47ffffff  128 MiB  24128 of 32768 pages free
//     0x40000000 type UUUUUMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMCCCCCCCCCCCC
//                in   KKKKk.aAAa............................................ca...P....
//
// A lower-case letter stands for a block that is partly used, an upper-case one for a full one; of several kinds the
// commonest is named, but a pin is always shown, because one pin is enough to hold a block. No colour: the letters do.
//
//     a anonymous  f page cache  d dirty page cache  c taken from CMA  k kernel  r reserved or no RAM  P pinned  . free

// #region draw-head
import { find_next_bit, type Bitmap } from '../lib/bitmap.ts'
import { round_down, type Pfn } from '../lib/units.ts'
import {
  NR_FREE_PAGES,
  PAGE_MAPPING_ANON,
  PG_buddy,
  PG_dirty,
  PG_reserved,
  type MigrateTypes,
  type Pgdat,
  type Zone,
} from '../mm/mmzone.ts'

export interface DrawOptions {
  /** Characters a line may have; 80 when unsaid, 48 at least. */
  readonly width?: number
  /** Whether somebody holds this page besides its owner and page tables: drawn as P. */
  readonly pinned?: (pfn: Pfn) => boolean
}

/** A CMA area as far as its picture needs it. */
export interface DrawnArea {
  readonly name: string
  readonly base_pfn: Pfn
  /** Pages. */
  readonly count: number
  readonly order_per_bit: number
  /** Null before the area is activated. */
  readonly bitmap: Bitmap | null
}

const KINDS = ['.', 'a', 'f', 'd', 'c', 'k', 'r', 'P'] as const
type Kind = (typeof KINDS)[number]
const [FREE, ANON, FILE, DIRTY, CMA, KERNEL, RESERVED, PINNED] = [0, 1, 2, 3, 4, 5, 6, 7]

const MEANING: Readonly<Record<Kind, string>> = {
  '.': 'free',
  a: 'anonymous',
  f: 'page cache',
  d: 'dirty page cache',
  c: 'taken from CMA',
  k: 'kernel',
  r: 'reserved or no RAM',
  P: 'pinned',
}

// What a page in use is, as an index into KINDS.
function kindOf(pgdat: Pgdat, pfn: Pfn, pinned: (pfn: Pfn) => boolean): number {
  const { map, migrate } = pgdat
  const at = pfn - map.start_pfn
  const flags = map.flags[at]!
  if (flags & PG_reserved) return RESERVED
  if (map.mapping[at]! !== 0) {
    if (pinned(pfn)) return PINNED
    if (flags & PAGE_MAPPING_ANON) return ANON
    return flags & PG_dirty ? DIRTY : FILE
  }
  const type = blockType(pgdat, pfn)
  return type === migrate.CMA || type === migrate.ISOLATE ? CMA : KERNEL
}

const blockType = ({ map, pageblock_flags, pageblock_order }: Pgdat, pfn: Pfn): number =>
  pageblock_flags[Math.floor((pfn - map.start_pfn) / 2 ** pageblock_order)]!

// Pages of each kind for each cell of `pages` pages in [from, to): Uint32Array[cells × KINDS].
function countCells(pgdat: Pgdat, from: Pfn, to: Pfn, pages: number, options: DrawOptions): Uint32Array {
  const { map, maxOrder } = pgdat
  const counts = new Uint32Array(Math.ceil((to - from) / pages) * KINDS.length)
  const pinned = options.pinned ?? (() => false)
  const add = (pfn: Pfn, kind: number): void => {
    if (pfn >= from && pfn < to) counts[Math.floor((pfn - from) / pages) * KINDS.length + kind]!++
  }
  // A free block that reaches into the range may begin before it.
  let pfn = Math.max(round_down(from, 2 ** maxOrder), map.start_pfn)
  while (pfn < to) {
    const at = pfn - map.start_pfn
    const free = (map.flags[at]! & PG_buddy) !== 0
    const run = free ? 2 ** map.index[at]! : 1
    for (let i = 0; i < run; i++) add(pfn + i, free ? FREE : pfn < from ? FREE : kindOf(pgdat, pfn, pinned))
    pfn += run
  }
  return counts
}
// #endregion draw-head

// #region draw-cell
// The letter of a cell: see the head of the file.
function letter(counts: Uint32Array, cell: number): string {
  const row = counts.subarray(cell * KINDS.length, (cell + 1) * KINDS.length)
  if (row[PINNED]! > 0) return 'P'
  let best = FREE
  for (let kind = ANON; kind < KINDS.length; kind++) {
    if (row[kind]! > 0 && (best === FREE || row[kind]! > row[best]!)) best = kind
  }
  if (best === FREE) return '.'
  return row[FREE] === 0 ? KINDS[best]!.toUpperCase() : KINDS[best]!
}
// #endregion draw-cell

// #region draw-pictures
/** Every zone that has memory, a letter a pageblock, with a legend of the letters that occur. */
export function drawMemory(pgdat: Pgdat, options: DrawOptions = {}): string[] {
  const zones = pgdat.zones.filter((zone) => zone.present_pages > 0)
  const lines = zones.flatMap((zone) => [
    ...zoneTitle(pgdat, zone, options),
    ...drawZone(pgdat, zone, options),
  ])
  return [...lines, ...legend(pgdat, lines, options)]
}

function zoneTitle({ pageSize }: Pgdat, zone: Zone, { width = 80 }: DrawOptions): string[] {
  const mib = Math.floor((zone.present_pages * pageSize) / 2 ** 20)
  const range = `${address(zone.zone_start_pfn * pageSize)}..${address(zone.zone_end_pfn * pageSize - 1)}`
  const free = `${zone.vm_stat[NR_FREE_PAGES]!} of ${zone.managed_pages} pages free`
  return wrapWords([`${zone.name} ${range}`, `${mib} MiB`, free], width)
}

const address = (pa: number): string => `0x${pa.toString(16).padStart(8, '0')}`

// How many cells go into a line: a power of two, so that lines begin at round addresses.
const cellsPerLine = (width: number, taken: number): number =>
  2 ** Math.max(3, Math.floor(Math.log2(Math.max(8, width - taken))))

function drawZone(pgdat: Pgdat, zone: Zone, options: DrawOptions): string[] {
  const block = 2 ** pgdat.pageblock_order
  const perLine = cellsPerLine(options.width ?? 80, 16)
  const from = round_down(zone.zone_start_pfn, block)
  const counts = countCells(pgdat, from, zone.zone_end_pfn, block, options)
  const types = typeLetters(pgdat.migrate)
  const rows: DrawnRow[] = []
  const cells = counts.length / KINDS.length
  for (let first = 0; first < cells; first += perLine) {
    const row = Array.from({ length: Math.min(perLine, cells - first) }, (_, i) => first + i)
    const head = address((from + first * block) * pgdat.pageSize)
    const type = row.map((cell) => types[blockType(pgdat, from + cell * block)]).join('')
    rows.push({ head, type, inside: row.map((cell) => letter(counts, cell)).join('') })
  }
  return alikeOnce(rows)
}

interface DrawnRow {
  readonly head: string
  readonly type: string
  readonly inside: string
}

// Two lines a row; of rows in a row that are alike, the first, and how many follow.
function alikeOnce(rows: readonly DrawnRow[]): string[] {
  const lines: string[] = []
  let alike = 0
  rows.forEach(({ head, type, inside }, i) => {
    const before = rows[i - 1]
    const next = rows[i + 1]
    const same = before?.type === type && before.inside === inside
    alike = same ? alike + 1 : 0
    const indent = ' '.repeat(head.length)
    if (!same) lines.push(`${head} type ${type}`, `${indent} in   ${inside}`)
    const goesOn = next?.type === type && next.inside === inside
    if (same && !goesOn) lines.push(`${indent} and ${alike} more like it, to ${head}`)
  })
  return lines
}

// The letters that show_mem() has for migratetypes, by number.
function typeLetters(migrate: MigrateTypes): string[] {
  const letters: string[] = []
  letters[migrate.UNMOVABLE] = 'U'
  letters[migrate.MOVABLE] = 'M'
  letters[migrate.RECLAIMABLE] = 'E'
  letters[migrate.HIGHATOMIC] = 'H'
  letters[migrate.CMA] = 'C'
  letters[migrate.ISOLATE] = 'I'
  return letters
}

const TYPE_MEANING = {
  U: 'unmovable',
  M: 'movable',
  E: 'reclaimable',
  H: 'reserve',
  C: 'CMA',
  I: 'isolated',
} as const

function legend(pgdat: Pgdat, lines: readonly string[], { width = 80 }: DrawOptions): string[] {
  const shown = (label: string): Set<string> =>
    new Set(lines.flatMap((line) => [...(line.split(` ${label} `)[1] ?? '')]))
  const types = shown('type')
  const kinds = shown('in  ')
  const mib = (2 ** pgdat.pageblock_order * pgdat.pageSize) / 2 ** 20
  const words = [
    `a letter is ${mib} MiB`,
    ...Object.entries(TYPE_MEANING).flatMap(([sign, word]) => (types.has(sign) ? [`${sign} ${word}`] : [])),
    ...KINDS.flatMap((kind) =>
      kinds.has(kind) || kinds.has(kind.toUpperCase()) ? [`${kind} ${MEANING[kind]}`] : [],
    ),
  ]
  return wrapWords(words, width)
}

// Words joined by two spaces, as many a line as fit.
function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 2 + word.length <= width)
      lines[lines.length - 1] = `${last}  ${word}`
    else lines.push(word)
  }
  return lines
}

/**
 * The pages `[from, to)` closer up, `pages` of them a letter (1 when unsaid), lines beginning with their pfn.
 * Throws when the range leaves the node.
 */
export function drawPages(
  pgdat: Pgdat,
  from: Pfn,
  to: Pfn,
  options: DrawOptions & { pages?: number } = {},
): string[] {
  const { start_pfn, end_pfn } = pgdat.map
  if (from < start_pfn || to > end_pfn || from >= to) {
    const [got, expected] = [
      [from, to],
      [start_pfn, end_pfn],
    ].map(([a, b]) => `0x${a!.toString(16)}..0x${b!.toString(16)}`)
    throw new Error(`drawPages: pfns ${got} are not inside ${expected}; does the range begin before it ends?`)
  }
  const pages = options.pages ?? 1
  const counts = countCells(pgdat, from, to, pages, options)
  const head = (pfn: Pfn): string => `0x${pfn.toString(16).padStart(6, '0')}`
  const perLine = cellsPerLine(options.width ?? 80, 9)
  const cells = Array.from({ length: counts.length / KINDS.length }, (_, cell) => letter(counts, cell))
  return linesOf(cells, perLine, (first) => head(from + first * pages))
}

function linesOf(cells: readonly string[], perLine: number, head: (first: number) => string): string[] {
  const lines: string[] = []
  for (let first = 0; first < cells.length; first += perLine) {
    lines.push(`${head(first)} ${cells.slice(first, first + perLine).join('')}`)
  }
  return lines
}

/** A CMA area's bitmap: `#` all taken, `+` partly, `.` none; as many bits a letter as make four lines at most. */
export function drawBitmap(area: DrawnArea, options: DrawOptions = {}): string[] {
  const bits = area.count / 2 ** area.order_per_bit
  const perLine = cellsPerLine(options.width ?? 80, 9)
  const each = 2 ** Math.max(0, Math.ceil(Math.log2(bits / (4 * perLine))))
  const { bitmap } = area
  if (!bitmap)
    return [`${area.name}: ${area.count} pages at pfn 0x${area.base_pfn.toString(16)}, not activated`]
  const cells: string[] = []
  let taken = 0
  for (let from = 0; from < bits; from += each) {
    const set = weight(bitmap, from, Math.min(from + each, bits))
    taken += set
    cells.push(set === 0 ? '.' : set === Math.min(each, bits - from) ? '#' : '+')
  }
  const pages = 2 ** area.order_per_bit
  const used = taken * pages
  const title = [
    `${area.name}: ${used} of ${area.count} pages taken`,
    `bit 0 is pfn 0x${area.base_pfn.toString(16)}`,
    `a letter is ${each * pages} pages`,
  ]
  return [
    ...wrapWords(title, options.width ?? 80),
    ...linesOf(cells, perLine, (first) => `bit ${String(first * each).padStart(5)}`),
  ]
}

// Bits set in [from, to).
function weight(bitmap: Bitmap, from: number, to: number): number {
  let set = 0
  for (let bit = find_next_bit(bitmap, to, from); bit < to; bit = find_next_bit(bitmap, to, bit + 1)) set++
  return set
}
// #endregion draw-pictures
