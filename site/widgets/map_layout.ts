// SPDX-License-Identifier: MIT
//
// How a map of memory is laid out: pages into tiles of 32 × 16, a pageblock each with pages of 4 KiB, and the tiles in rows
// whose number of tiles is a power of two, so that a row begins at a round address.
//
//     ┌──────32──────┬──────────────┬─          A run of pages stays together, where rows of single pages would
//     16  0..511     │  512..1023   │           make stripes of it.
//     ├──────────────┼──────────────┼─
//
// Beside the states of single pages, `levels[0]`, lie coarser pictures, each half as wide and half as high, in which a
// cell has what most of its four have: far away the map reads one cell for each point of the screen, never all pages.

export const TILE_WIDTH = 32
export const TILE_HEIGHT = 16
export const TILE_PAGES = TILE_WIDTH * TILE_HEIGHT

/** What a page is. The names are keys of the map's words. */
export const KINDS = [
  'none',
  'nomap',
  'reserved',
  'free',
  'program',
  'kernel',
  'cmaFree',
  'cmaTaken',
] as const
export type Kind = (typeof KINDS)[number]

/** A state is a byte: the kind below, the index of the zone in the upper half. */
export const KIND_MASK = 15
export const ZONE_SHIFT = 4

export interface Level {
  readonly width: number
  readonly height: number
  /** A state for each cell, row after row. */
  readonly cells: Uint8Array
}

/** `[from, to)` in page frame numbers. */
export interface NamedRange {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** A machine's memory as the page gets it from the worker. */
export interface PageMap {
  readonly startPfn: number
  readonly endPfn: number
  readonly levels: readonly Level[]
  readonly zones: readonly NamedRange[]
  /** What is known by name: regions of the tree, areas, lines of /proc/iomem. */
  readonly ranges: readonly NamedRange[]
  /** Migratetype of each pageblock, as an index into `migratetypes`. */
  readonly blockTypes: Uint8Array
  readonly migratetypes: readonly string[]
  readonly pagesOfBlock: number
}

/** Tiles in a row for so many: a power of two that makes the map about as wide as it is high. */
export function tilesInRow(tiles: number): number {
  return 2 ** Math.max(1, Math.round(Math.log2(Math.sqrt(tiles / 2))))
}

/** Where the page number `index`, counted from the first, lies. */
export function placeOf(index: number, perRow: number): { x: number; y: number } {
  const tile = Math.floor(index / TILE_PAGES)
  const inside = index % TILE_PAGES
  return {
    x: (tile % perRow) * TILE_WIDTH + (inside % TILE_WIDTH),
    y: Math.floor(tile / perRow) * TILE_HEIGHT + Math.floor(inside / TILE_WIDTH),
  }
}

/** The number of the page at a place. */
export function indexAt(x: number, y: number, perRow: number): number {
  const tile = Math.floor(y / TILE_HEIGHT) * perRow + Math.floor(x / TILE_WIDTH)
  return tile * TILE_PAGES + (y % TILE_HEIGHT) * TILE_WIDTH + (x % TILE_WIDTH)
}

/** A rectangle of pages. */
export interface PageBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** What the pages `[from, to)`, counted from the first, cover, lowest first. @cost whole tiles of a row are one */
export function boxesOf(from: number, to: number, perRow: number): PageBox[] {
  const boxes: PageBox[] = []
  const put = (at: number, width: number, height: number): number => {
    boxes.push({ ...placeOf(at, perRow), width, height })
    return at + width * height
  }
  for (let at = from; at < to;) {
    const inside = at % TILE_PAGES
    const tiles = Math.min(
      Math.floor((to - at) / TILE_PAGES),
      perRow - (Math.floor(at / TILE_PAGES) % perRow),
    )
    if (inside === 0 && tiles > 0) {
      at = put(at, tiles * TILE_WIDTH, TILE_HEIGHT)
      continue
    }
    const left = Math.min(to, at - inside + TILE_PAGES) - at
    const column = at % TILE_WIDTH
    if (column === 0 && left >= TILE_WIDTH) at = put(at, TILE_WIDTH, Math.floor(left / TILE_WIDTH))
    else at = put(at, Math.min(left, TILE_WIDTH - column), 1)
  }
  return boxes
}

/** Writes a state to the pages `[from, to)`, counted from the first. @cost whole tiles go by rows */
export function fillPages({ width, cells }: Level, from: number, to: number, state: number): void {
  const perRow = width / TILE_WIDTH
  for (let at = from; at < to;) {
    const { x, y } = placeOf(at, perRow)
    const length = Math.min(to - at, TILE_WIDTH - (x % TILE_WIDTH))
    const start = y * width + x
    cells.fill(state, start, start + length)
    at += length
  }
}

// What most of four have; of two and two by turns one and the other, as `turn` says, so that neither gains on the way up.
function dominant(a: number, b: number, c: number, d: number, turn: boolean): number {
  if (a === b) return c !== d || turn ? a : c
  if (a === c || a === d) {
    const pair = a === c ? b === d : b === c
    return !pair || turn ? a : b
  }
  if (b === c || b === d) return b
  return c === d || turn ? c : b
}

function coarser({ width, height, cells }: Level): Level {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) }
  const coarse = new Uint8Array(half.width * half.height)
  for (let y = 0; y < half.height; y++) {
    const upper = 2 * y * width
    const lower = 2 * y + 1 < height ? upper + width : upper
    for (let x = 0; x < half.width; x++) {
      const left = 2 * x
      const right = left + 1 < width ? left + 1 : left
      const [a, b] = [cells[upper + left]!, cells[upper + right]!]
      const [c, d] = [cells[lower + left]!, cells[lower + right]!]
      coarse[y * half.width + x] = a === b && c === d && a === c ? a : dominant(a, b, c, d, (x + y) % 2 === 0)
    }
  }
  return { ...half, cells: coarse }
}

/** The finest level and all that are coarser, down to one that is 32 cells wide or high at most. */
export function pyramid(finest: Level): Level[] {
  const levels = [finest]
  for (let last = finest; Math.min(last.width, last.height) > 32; levels.push(last)) last = coarser(last)
  return levels
}
