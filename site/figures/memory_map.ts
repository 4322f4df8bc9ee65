// SPDX-License-Identifier: MIT
//
// A picture of physical memory, one column or several side by side:
//
//   0x7fff_ffff ┌────────────┐        All columns share the heights of their common boundaries, so the eye can go
//               │ System RAM │        straight across from before to after. A range inside another is drawn on it,
//   0x4000_0000 └────────────┘        one step further in. Heights grow with the size, but less than in proportion.
import { escapeHtml } from '../html.ts'
import type { SiteText } from '../languages.ts'

export type RangeKind = keyof SiteText['kinds']

export interface MemoryRange {
  /** First byte. */
  readonly base: number
  /** Bytes; more than 0. */
  readonly size: number
  readonly label: string
  readonly kind: RangeKind
}

export interface MemoryMap {
  /** Unique in the page; starts the ids inside the figure. */
  readonly id: string
  readonly title: string
  readonly description?: string
  readonly columns: readonly { readonly label: string; readonly ranges: readonly MemoryRange[] }[]
}

const WIDTH = 340
const ADDRESS = 104
const INDENT = 14
const LEAST = 34
const MOST = 120

/** 0x4000_0000: hexadecimal, grouped by four digits, at least eight. */
export function groupedHex(address: number): string {
  const digits = address.toString(16).padStart(8, '0')
  return '0x' + digits.replace(/\B(?=(....)+$)/g, '_')
}

/** `512 MiB`, in the largest unit that leaves a whole number. */
export function sizeText(bytes: number): string {
  for (const [unit, name] of [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const) {
    if (bytes % unit === 0) return `${bytes / unit} ${name}`
  }
  return `${bytes} B`
}

const endOf = (range: MemoryRange): number => range.base + range.size
const holds = (outer: MemoryRange, inner: MemoryRange): boolean =>
  outer !== inner && outer.base <= inner.base && endOf(outer) >= endOf(inner) && outer.size > inner.size

/** Address → y, from the top: low addresses first, as /proc/iomem lists them. */
function heights(ranges: readonly MemoryRange[]): { y: (address: number) => number; total: number } {
  const edges = [...new Set(ranges.flatMap((range) => [range.base, endOf(range)]))].sort((a, b) => a - b)
  const tops = new Map<number, number>()
  let y = 8
  edges.forEach((edge, index) => {
    tops.set(edge, y)
    const next = edges[index + 1]
    if (next === undefined) return
    const covered = ranges.some((range) => range.base <= edge && endOf(range) >= next)
    const grown = LEAST + 11 * Math.max(0, Math.log2((next - edge) / 2 ** 20))
    y += covered ? Math.min(MOST, grown) : LEAST - 8
  })
  return { y: (address) => tops.get(address) ?? 0, total: y + 16 }
}

function columnSvg(map: MemoryMap, index: number, scale: ReturnType<typeof heights>, text: SiteText): string {
  const column = map.columns[index]!
  const id = `${map.id}-${index + 1}`
  const ranges = [...column.ranges].sort((a, b) => a.base - b.base || b.size - a.size)
  const boxes = ranges.map((range) => {
    const depth = ranges.filter((other) => holds(other, range)).length
    const x = ADDRESS + depth * INDENT
    const top = scale.y(range.base)
    const height = scale.y(endOf(range)) - top
    // A range that others lie in has its words above the first of them.
    const firstInside = ranges.find((other) => holds(range, other))
    const room = firstInside ? scale.y(firstInside.base) - top : height
    const tight = room < 40
    const words = tight
      ? `<text class="mm-label" x="${x + 12}" y="${top + Math.max(14, room / 2 + 5)}">${escapeHtml(range.label)} <tspan class="mm-size">${sizeText(range.size)}</tspan></text>`
      : `<text class="mm-label" x="${x + 12}" y="${top + room / 2 - 3}">${escapeHtml(range.label)}</text>` +
        `<text class="mm-size" x="${x + 12}" y="${top + room / 2 + 15}">${sizeText(range.size)}</text>`
    return (
      `<rect class="mm-${range.kind}" x="${x}" y="${top}" width="${WIDTH - x - 2}" height="${height}"/>` +
      (firstInside && room < 16 ? '' : words)
    )
  })
  const edges = [...new Set(ranges.flatMap((range) => [range.base, endOf(range)]))].sort((a, b) => a - b)
  const addresses = edges.map(
    (edge) =>
      `<text class="mm-address" x="${ADDRESS - 10}" y="${scale.y(edge) + 4}">${groupedHex(edge)}</text>` +
      `<line class="mm-tick" x1="${ADDRESS - 6}" x2="${ADDRESS}" y1="${scale.y(edge)}" y2="${scale.y(edge)}"/>`,
  )
  const told = ranges
    .map(
      (range) =>
        `${groupedHex(range.base)}: ${range.label}, ${sizeText(range.size)}, ${text.kinds[range.kind]}`,
    )
    .join('; ')
  return (
    `<svg class="mm" viewBox="0 0 ${WIDTH} ${scale.total}" role="img" aria-labelledby="${id}-t ${id}-d">` +
    `<title id="${id}-t">${escapeHtml(column.label || map.title)}</title><desc id="${id}-d">${escapeHtml(told)}</desc>` +
    `${boxes.join('')}${addresses.join('')}</svg>`
  )
}

/** The figure: an SVG a column, which stand below each other on a narrow screen, and a key of the kinds in use. */
export function memoryMap(map: MemoryMap, text: SiteText): string {
  const scale = heights(map.columns.flatMap((column) => column.ranges))
  const columns = map.columns.map((column, index) => {
    const heading = column.label ? `<p class="mm-heading">${escapeHtml(column.label)}</p>` : ''
    return `<div class="mm-column">${heading}${columnSvg(map, index, scale, text)}</div>`
  })
  const kinds = [...new Set(map.columns.flatMap((column) => column.ranges.map((range) => range.kind)))]
  const key = kinds
    .map(
      (kind) =>
        `<li><svg class="mm-swatch" viewBox="0 0 16 12" aria-hidden="true"><rect class="mm-${kind}" x="1" y="1" width="14" height="10"/></svg> ${text.kinds[kind]}</li>`,
    )
    .join('')
  const description = map.description ? ` ${escapeHtml(map.description)}` : ''
  return (
    `<figure class="memory-map" id="${map.id}"><div class="mm-columns">${columns.join('')}</div>` +
    `<ul class="mm-key">${key}</ul>` +
    `<figcaption><strong>${escapeHtml(map.title)}</strong>${description} ${text.mapScale}</figcaption></figure>\n`
  )
}
