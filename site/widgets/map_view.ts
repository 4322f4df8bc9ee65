// SPDX-License-Identifier: MIT
//
// What of the map is seen, and the points of the screen for it. Pure numbers: map_element.ts holds the canvas.
import { type PageBox, type PageMap, TILE_WIDTH } from './map_layout.ts'

/** The map's point at the upper left corner of the window, in pages, and how many points a page is wide. */
export interface View {
  readonly x: number
  readonly y: number
  readonly scale: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** The largest a page gets, in points of the screen. */
export const MOST = 96

/** The whole map, in the middle of the window. */
export function wholeMap({ levels }: PageMap, size: Size): View {
  const { width, height } = levels[0]!
  const scale = Math.min(size.width / width, size.height / height)
  return { scale, x: (width - size.width / scale) / 2, y: (height - size.height / scale) / 2 }
}

/** The nearest view that leaves no more beside the map than the whole map leaves. */
export function bounded(map: PageMap, size: Size, { x, y, scale }: View): View {
  const { width, height } = map.levels[0]!
  const whole = wholeMap(map, size)
  const bound = Math.max(whole.scale, Math.min(scale, MOST))
  const within = (at: number, all: number, seen: number): number =>
    seen >= all ? (all - seen) / 2 : Math.max(0, Math.min(at, all - seen))
  return {
    scale: bound,
    x: within(x, width, size.width / bound),
    y: within(y, height, size.height / bound),
  }
}

/** As near as it goes with these rectangles, and a little around them, in the window. */
export function viewOf(map: PageMap, size: Size, boxes: readonly PageBox[]): View {
  const left = Math.min(...boxes.map(({ x }) => x))
  const top = Math.min(...boxes.map(({ y }) => y))
  const width = Math.max(...boxes.map(({ x, width: wide }) => x + wide)) - left
  const height = Math.max(...boxes.map(({ y, height: high }) => y + high)) - top
  const scale = Math.min(MOST, 0.8 * Math.min(size.width / width, size.height / height))
  return bounded(map, size, {
    scale,
    x: left + width / 2 - size.width / scale / 2,
    y: top + height / 2 - size.height / scale / 2,
  })
}

/** Nearer or farther by `factor`, the map's point under the window's point (px, py) staying where it is. */
export function zoomed(map: PageMap, size: Size, view: View, factor: number, px: number, py: number): View {
  const least = wholeMap(map, size).scale
  const scale = Math.max(least, Math.min(view.scale * factor, MOST))
  return bounded(map, size, {
    scale,
    x: view.x + px / view.scale - px / scale,
    y: view.y + py / view.scale - py / scale,
  })
}

/** Tiles in a row of the map. */
export const perRowOf = ({ levels }: PageMap): number => levels[0]!.width / TILE_WIDTH

/**
 * Colours the window: `out` is Uint32Array[width × height], `palette` a colour for each state, `beside` the one for what
 * is no map. Of the levels it reads the one whose cells are a point wide or a little more.
 * @cost a read for each point of the window, however large the map
 */
export function paintView(
  { levels }: PageMap,
  view: View,
  { width, height }: Size,
  palette: Uint32Array,
  beside: number,
  out: Uint32Array,
): void {
  const fine = Math.max(0, Math.ceil(Math.log2(1 / view.scale)))
  const at = Math.min(fine, levels.length - 1)
  const level = levels[at]!
  const step = 1 / (view.scale * 2 ** at)
  const [left, top] = [view.x / 2 ** at, view.y / 2 ** at]
  // The points that are on the map, and the column of each: the loop below has nothing to ask.
  const first = clamp(Math.ceil(-left / step), width)
  const behind = clamp(Math.ceil((level.width - left) / step), width)
  const columns = new Int32Array(behind)
  for (let px = first; px < behind; px++) columns[px] = Math.floor(left + px * step)
  let before = -1
  for (let py = 0; py < height; py++) {
    const y = Math.floor(top + py * step)
    const row = py * width
    if (y === before) {
      out.copyWithin(row, row - width, row)
      continue
    }
    before = y
    if (y < 0 || y >= level.height) {
      out.fill(beside, row, row + width)
      continue
    }
    const base = y * level.width
    out.fill(beside, row, row + first)
    for (let px = first; px < behind; px++) out[row + px] = palette[level.cells[base + columns[px]!]!]!
    out.fill(beside, row + behind, row + width)
  }
}

const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most))
