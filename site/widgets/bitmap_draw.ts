// SPDX-License-Identifier: MIT
//
// A frame of `cma-bitmap`: the bits in rows, set ones as boxes with their owner's name, below each row the places at which
// a request may begin, and a diamond over a page that somebody holds.
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { BitmapFrame } from './bitmap_frames.ts'

type Words = (typeof enWidgets.kinds)['cma-bitmap']

const WIDTH = 480
const GUTTER = 46
const ROW = 36
const BOX = 19
const ROWS = 8
const TOP = 10

/** Bits `[from, to)` cut at the ends of rows: where each piece lies. */
function pieces(from: number, to: number, perRow: number): { x: number; y: number; width: number }[] {
  const scale = (WIDTH - GUTTER) / perRow
  const found: { x: number; y: number; width: number }[] = []
  for (let at = from; at < to;) {
    const row = Math.floor(at / perRow)
    const end = Math.min(to, (row + 1) * perRow)
    found.push({
      x: round(GUTTER + (at - row * perRow) * scale),
      y: TOP + row * ROW,
      width: round((end - at) * scale),
    })
    at = end
  }
  return found
}

const round = (value: number): number => Math.round(value * 100) / 100

function boxes(from: number, to: number, perRow: number, className: string, label: string): string {
  const parts = pieces(from, to, perRow)
  const widest = parts.reduce((best, part) => (part.width > best.width ? part : best))
  const text =
    label === '' || widest.width < 10
      ? ''
      : `<text class="cb-name" x="${round(widest.x + widest.width / 2)}" y="${widest.y + 14}">${escapeHtml(label)}</text>`
  return (
    parts
      .map(
        ({ x, y, width }) =>
          `<rect class="${className}" x="${x}" y="${y}" width="${width}" height="${BOX}"/>`,
      )
      .join('') + text
  )
}

function places({ places: { first, step }, bits }: BitmapFrame, perRow: number): string {
  // Closer than this they would be a bar.
  if ((step * (WIDTH - GUTTER)) / perRow < 3) return ''
  let path = ''
  for (let bit = first; bit < bits; bit += step) {
    const { x, y } = pieces(bit, bit + 1, perRow)[0]!
    path += `M${round(x + 0.5)} ${y + BOX + 2}v5`
  }
  return `<path class="cb-place" d="${path}"/>`
}

export function drawBitmap(frame: BitmapFrame, words: Words): string {
  const { bits, runs, tried, held } = frame
  const perRow = Math.max(1, 2 ** Math.ceil(Math.log2(bits / ROWS)))
  const rows = Math.ceil(bits / perRow)
  const numbers = Array.from(
    { length: rows },
    (_, row) =>
      `<text class="cb-number" x="${GUTTER - 8}" y="${TOP + row * ROW + 14}">${row * perRow}</text>`,
  )
  const set = runs
    .filter(({ owner }) => owner !== '')
    .map(({ from, to, owner }) =>
      boxes(
        from,
        to,
        perRow,
        owner === 'boot' ? 'cb-boot' : 'cb-set',
        owner === 'boot' ? words.labels.boot : owner,
      ),
    )
  const place = tried
    ? boxes(
        tried.from,
        tried.to,
        perRow,
        tried.busy ? 'cb-busy' : 'cb-tried',
        tried.busy ? words.labels.busy : '?',
      )
    : ''
  const marks = held.map((bit) => {
    const { x, y } = pieces(bit, bit + 1, perRow)[0]!
    return `<path class="cb-held" d="M${x} ${y - 8}l4.5 5 -4.5 5 -4.5-5z"/>`
  })
  return (
    `<svg class="cb" viewBox="0 0 ${WIDTH + 1} ${TOP + rows * ROW - 4}" role="img" aria-label="${escapeHtml(stateOf(frame, words))}">` +
    `${boxes(0, bits, perRow, 'cb-clear', '')}${places(frame, perRow)}${set.join('')}${place}${marks.join('')}${numbers.join('')}</svg>`
  )
}

// The picture in words, for those who do not see it.
function stateOf({ bits, runs, held }: BitmapFrame, { labels }: Words): string {
  const named = [...runs]
    .sort((a, b) => a.from - b.from)
    .map(
      ({ from, to, owner }) => `${from}–${to - 1} ${owner === 'boot' ? labels.boot : owner || labels.tried}`,
    )
  const pages = held.length === 0 ? '' : `; ${labels.held}: ${held.join(', ')}`
  return `${labels.bits} 0–${bits - 1}, ${labels.set}: ${named.join(', ') || labels.none}${pages}`
}
