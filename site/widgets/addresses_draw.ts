// SPDX-License-Identifier: MIT
//
// A frame of `three-addresses`: three lines of addresses, the buffer as a box on each, and the byte as one stroke through
// all three. What the film has not come to is there without its numbers.
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { Address, AddressesFrame } from './addresses_frames.ts'

type Words = (typeof enWidgets.kinds)['three-addresses']

const WIDTH = 480
const ROW = 66
const LEFT = 20
const BOX = 180

export function drawAddresses(frame: AddressesFrame, words: Words): string {
  const { labels } = words
  const rows = [
    [labels.cpu, frame.cpu],
    [labels.phys, frame.phys],
    [`${frame.device} ${labels.dma}`, frame.dma],
  ] as const
  const known = rows.filter(([, { known }]) => known).length
  const through =
    known > 1 ? `<path class="ta-through" d="M${LEFT + BOX / 3} 44V${44 + (known - 1) * ROW}"/>` : ''
  return (
    `<svg class="ta" viewBox="0 0 ${WIDTH} ${rows.length * ROW + 8}" role="img" aria-label="${escapeHtml(stateOf(rows))}">` +
    `${rows.map(([label, address], at) => row(label, address, at * ROW)).join('')}${through}</svg>`
  )
}

function row(label: string, { first, byte, known }: Address, y: number): string {
  const numbers = known
    ? `<text class="ta-value" x="${WIDTH - 6}" y="${y + 50}">${escapeHtml(byte)}</text>` +
      `<text class="ta-first" x="${LEFT}" y="${y + 70}">${escapeHtml(first)}</text>` +
      `<circle class="ta-byte" cx="${LEFT + BOX / 3}" cy="${y + 44}" r="5"/>`
    : ''
  return (
    `<text class="ta-label" x="0" y="${y + 20}">${escapeHtml(label)}</text><path class="ta-line" d="M0 ${y + 44}H${WIDTH - 170}"/>` +
    `<rect class="ta-box${known ? ' ta-known' : ''}" x="${LEFT}" y="${y + 34}" width="${BOX}" height="20"/>${numbers}`
  )
}

function stateOf(rows: readonly (readonly [string, Address])[]): string {
  return rows
    .filter(([, { known }]) => known)
    .map(([label, { byte }]) => `${label}: ${byte}`)
    .join('; ')
}
