// SPDX-License-Identifier: MIT
//
// A frame of `three-addresses`: three lines of addresses, the buffer as a box on each, and the byte as one stroke through
// those that are known. What the film has not come to, or a trace does not name, is there without its numbers.
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { Address, AddressesFrame } from './addresses_frames.ts'
import { shortName } from './short_name.ts'

type Words = (typeof enWidgets.kinds)['three-addresses']

const WIDTH = 480
const ROW = 58
const LEFT = 4
const BOX = 190
/** So long a device's name may be beside its box. */
const NAME = 12

export function drawAddresses(frame: AddressesFrame, words: Words): string {
  const { labels } = words
  const rows = [
    [labels.cpu, frame.cpu],
    [labels.phys, frame.phys],
    [`${shortName(frame.device, NAME)} ${labels.dma}`, frame.dma],
  ] as const
  const known = rows.flatMap(([, { known }], at) => (known ? [at] : []))
  const [from = 0, to = 0] = [known[0], known.at(-1)]
  const x = Math.round(LEFT + frame.part * BOX)
  const through = to > from ? `<path class="ta-through" d="M${x} ${32 + from * ROW}V${32 + to * ROW}"/>` : ''
  return (
    `<svg class="ta" viewBox="0 0 ${WIDTH} ${rows.length * ROW}" role="img" aria-label="${escapeHtml(stateOf(rows))}">` +
    `${rows.map(([label, address], at) => row(label, address, at * ROW, x)).join('')}${through}</svg>`
  )
}

function row(label: string, { first, byte, known }: Address, y: number, x: number): string {
  const numbers = known
    ? `<text class="ta-value" x="${LEFT + BOX + 16}" y="${y + 36}">${escapeHtml(byte)}</text>` +
      `<text class="ta-first" x="${LEFT + BOX + 16}" y="${y + 51}">${escapeHtml(first)} …</text>` +
      `<circle class="ta-byte" cx="${x}" cy="${y + 32}" r="5"/>`
    : ''
  return (
    `<text class="ta-label" x="${LEFT + BOX + 16}" y="${y + 18}">${escapeHtml(label)}</text>` +
    `<rect class="ta-box${known ? ' ta-known' : ''}" x="${LEFT}" y="${y + 20}" width="${BOX}" height="24"/>${numbers}`
  )
}

function stateOf(rows: readonly (readonly [string, Address])[]): string {
  return rows
    .filter(([, { known }]) => known)
    .map(([label, { byte }]) => `${label}: ${byte}`)
    .join('; ')
}
