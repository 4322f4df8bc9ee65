// SPDX-License-Identifier: MIT
//
// The canvas of a map: one picture of the window's own size, coloured anew whenever something moves.
import { boxesOf, indexAt, KIND_MASK, KINDS, type PageMap, placeOf, ZONE_SHIFT } from './map_layout.ts'
import { paintView, perRowOf, type Size, type View } from './map_view.ts'

/** The colours of the page's theme, as they lie in an ImageData. */
export interface Colours {
  /** For each state. */
  readonly palette: Uint32Array
  /** The same, as it lies under a trace. */
  readonly pale: Uint32Array
  readonly beside: number
  readonly ink: string
  readonly paper: string
}

/** Page frames, from the first to, not including, the last. */
interface Frames {
  readonly start: number
  readonly end: number
}

/** What lies over the map: in the ink of the page, the darker the more it matters now. */
export interface MapMarks {
  readonly taken: readonly Frames[]
  readonly about: readonly Frames[]
  readonly tried: Frames | null
}

type Rgb = [number, number, number]

const rgbOf = (text: string): Rgb => (text.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number) as Rgb
const pixel = ([r, g, b]: Rgb): number => new Uint32Array(new Uint8Array([r, g, b, 255]).buffer)[0]!

/** Reads them from the key below the map, whose swatches the style sheet has coloured. Every other zone is paler. */
export function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element)
  const paper = style.getPropertyValue('background-color')
  const kinds = KINDS.map((kind): Rgb => {
    const swatch = element.querySelector(`.map-key .mp-${kind}`)
    return rgbOf(swatch ? getComputedStyle(swatch).fill : paper)
  })
  const ground = rgbOf(paper)
  const mixed = (colour: Rgb, part: number): Rgb =>
    colour.map((each, i) => Math.round(each * part + ground[i]! * (1 - part))) as Rgb
  const paletteOf = (part: number): Uint32Array =>
    Uint32Array.from({ length: 256 }, (_, state) => {
      const odd = (state >> ZONE_SHIFT) % 2 === 1
      return pixel(mixed(kinds[state & KIND_MASK] ?? ground, odd ? part * 0.75 : part))
    })
  return { palette: paletteOf(1), pale: paletteOf(0.35), beside: pixel(ground), ink: style.color, paper }
}

/** From here on pages have edges, from there on numbers: points a page. */
const EDGES = 10
const NUMBERS = 64

export class MapCanvas {
  readonly element = document.createElement('canvas')
  private readonly context: CanvasRenderingContext2D
  private image = new ImageData(1, 1)
  private ratio = 1

  constructor() {
    this.context = this.element.getContext('2d', { alpha: false })!
  }

  /** Points of the window, of which the screen may have two for one of CSS. */
  get size(): Size {
    return { width: this.element.width, height: this.element.height }
  }

  /** Points for one of CSS. */
  get dots(): number {
    return this.ratio
  }

  resize(cssWidth: number, cssHeight: number): void {
    this.ratio = Math.min(2, devicePixelRatio)
    this.element.width = Math.max(1, Math.round(cssWidth * this.ratio))
    this.element.height = Math.max(1, Math.round(cssHeight * this.ratio))
    this.image = new ImageData(this.element.width, this.element.height)
  }

  paint(map: PageMap, view: View, colours: Colours, cursor: number, marks: MapMarks | null): void {
    const { size, context } = this
    const out = new Uint32Array(this.image.data.buffer)
    paintView(map, view, size, marks ? colours.pale : colours.palette, colours.beside, out)
    context.putImageData(this.image, 0, 0)
    if (marks) this.over(map, view, colours, marks)
    if (view.scale >= EDGES * this.ratio) this.edges(view, colours)
    if (view.scale >= NUMBERS * this.ratio) this.numbers(map, view, colours)
    this.mark(map, view, colours, cursor)
  }

  private over(map: PageMap, view: View, { ink }: Colours, { taken, about, tried }: MapMarks): void {
    const { context } = this
    context.fillStyle = ink
    const fill = (frames: readonly Frames[], alpha: number): void => {
      context.globalAlpha = alpha
      for (const { start, end } of frames)
        for (const { x, y, width, height } of boxesOf(
          start - map.startPfn,
          end - map.startPfn,
          perRowOf(map),
        )) {
          const [left, top] = [(x - view.x) * view.scale, (y - view.y) * view.scale]
          context.fillRect(left, top, width * view.scale, height * view.scale)
        }
    }
    fill(tried ? [tried] : [], 0.35)
    fill(about, 0.6)
    fill(taken, 0.95)
    context.globalAlpha = 1
  }

  private edges({ x, y, scale }: View, { paper }: Colours): void {
    const { size, context } = this
    context.fillStyle = paper
    for (let at = Math.ceil(x); (at - x) * scale < size.width; at++)
      context.fillRect(Math.round((at - x) * scale), 0, 1, size.height)
    for (let at = Math.ceil(y); (at - y) * scale < size.height; at++)
      context.fillRect(0, Math.round((at - y) * scale), size.width, 1)
  }

  // Page frame numbers, in the pages that are seen.
  private numbers(map: PageMap, view: View, { ink }: Colours): void {
    const { size, context } = this
    const [columns, rows] = [Math.ceil(size.width / view.scale) + 1, Math.ceil(size.height / view.scale) + 1]
    context.fillStyle = ink
    context.font = `${11 * this.ratio}px monospace`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [x, y] = [Math.floor(view.x) + column, Math.floor(view.y) + row]
        const pfn = pfnAt(map, x, y)
        if (pfn === null) continue
        const [px, py] = [(x + 0.5 - view.x) * view.scale, (y + 0.5 - view.y) * view.scale]
        context.fillText(pfn.toString(16), px, py)
      }
    }
  }

  private mark(map: PageMap, view: View, { ink, paper }: Colours, cursor: number): void {
    const { x, y } = placeOf(cursor - map.startPfn, perRowOf(map))
    const side = Math.max(view.scale, 5 * this.ratio)
    const px = (x + 0.5 - view.x) * view.scale - side / 2
    const py = (y + 0.5 - view.y) * view.scale - side / 2
    const { context, ratio } = this
    context.lineWidth = 2 * ratio
    context.strokeStyle = paper
    context.strokeRect(px - 2 * ratio, py - 2 * ratio, side + 4 * ratio, side + 4 * ratio)
    context.strokeStyle = ink
    context.strokeRect(px, py, side, side)
  }
}

/** The page frame at a place of the map; null beside it. */
export function pfnAt(map: PageMap, x: number, y: number): number | null {
  const { width, height } = map.levels[0]!
  if (x < 0 || y < 0 || x >= width || y >= height) return null
  const pfn = map.startPfn + indexAt(Math.floor(x), Math.floor(y), perRowOf(map))
  return pfn < map.endPfn ? pfn : null
}
