// SPDX-License-Identifier: MIT
//
// A frame of `page-walk`: the pointer cut into indices, below each index its table with the one entry that is read, below
// them what the last entry's bits say, and the physical address.
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { DrawnLevel, WalkFrame } from './walk_frames.ts'

type Words = (typeof enWidgets.kinds)['page-walk']

const WIDTH = 480
const TABLE_TOP = 62
const HEIGHT = 136

export function drawPageWalk(frame: WalkFrame, words: Words): string {
  const { levels, read, offset } = frame
  const width = WIDTH / (levels.length + 1)
  const columns = levels.map((level, at) => column(level, at, width, read, words))
  const last = levels.length * width
  const svg =
    `<svg class="pw" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(stateOf(frame, words))}">` +
    `${columns.join('')}${part(last, width, offset, words.labels.offset, '11–0', read === levels.length)}</svg>`
  return `<div>${svg}${attributes(frame)}${physical(frame, words)}</div>`
}

function part(x: number, width: number, index: number, name: string, bits: string, lit: boolean): string {
  const middle = x + width / 2
  return (
    `<rect class="pw-part${lit ? ' pw-lit' : ''}" x="${x + 1}" y="18" width="${width - 2}" height="26"/>` +
    `<text class="pw-small" x="${middle}" y="12">${escapeHtml(name)} ${bits}</text>` +
    `<text class="pw-index" x="${middle}" y="36">${index}</text>`
  )
}

function column(
  { name, index, bits, table, entry }: DrawnLevel,
  at: number,
  width: number,
  read: number,
  words: Words,
): string {
  const x = at * width
  const seen = at < read
  const now = at === read - 1
  const box =
    `<rect class="pw-table${seen ? '' : ' pw-unread'}" x="${x + 8}" y="${TABLE_TOP}" width="${width - 16}" height="70"/>` +
    `<text class="pw-small" x="${x + width / 2}" y="${TABLE_TOP + 15}">${seen ? escapeHtml(table ?? '') : words.labels.table}</text>`
  const line = seen
    ? `<rect class="pw-entry${now ? ' pw-lit' : ''}" x="${x + 8}" y="${TABLE_TOP + 26}" width="${width - 16}" height="34"/>` +
      `<text class="pw-word" x="${x + width / 2}" y="${TABLE_TOP + 40}">${entry?.slice(0, 8)}</text>` +
      `<text class="pw-word" x="${x + width / 2}" y="${TABLE_TOP + 53}">${entry?.slice(8)}</text>`
    : ''
  // From the entry that was read to the table that it names.
  const arrow = at + 1 < read ? `<path class="pw-arrow" d="M${x + width - 8} ${TABLE_TOP + 43}h14"/>` : ''
  return part(x, width, index, name, `${bits[0]}–${bits[1]}`, now) + box + line + arrow
}

// Their room is kept before they are told. A bit that is not set is there, struck through.
function attributes({ attributes, looked }: WalkFrame): string {
  const items = attributes.map(
    ({ name, set }) => `<li${set ? '' : ' class="pw-clear"'}>${escapeHtml(name)}</li>`,
  )
  return `<ul class="pw-bits${looked ? '' : ' pw-unknown'}">${items.join('')}</ul>`
}

function physical({ pa }: WalkFrame, { labels }: Words): string {
  const known = pa === null ? ' pw-unknown' : ''
  return `<p class="pw-pa${known}">${labels.physical} <code>${escapeHtml(pa ?? '')}</code></p>`
}

function stateOf({ va, levels, read, pa }: WalkFrame, { labels }: Words): string {
  const seen = levels.slice(0, read).map(({ name, index, entry }) => `${name} ${index}: 0x${entry}`)
  return [`${labels.pointer} ${va}`, ...seen, ...(pa === null ? [] : [`${labels.physical} ${pa}`])].join('; ')
}
