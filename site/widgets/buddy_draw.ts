// SPDX-License-Identifier: MIT
//
// A frame of `buddy-lists`: a lane for each order, in it the free blocks above the pages that they are, and the pages.
//
//     order 2               ┌────12────┐
//     order 1         ┌─10─┐
//     order 0      ┌9┐
//     M  #  #  #  a  .  .  .  .  .  .
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { BuddyFrame, DrawnBlock } from './buddy_frames.ts'

type Words = (typeof enWidgets.kinds)['buddy-lists']

const WIDTH = 480
const GUTTER = 62
const LANE = 27
const PAGE = 26

export function drawBuddyLists(frame: BuddyFrame, words: Words): string {
  const { maxOrder, pages, about } = frame
  const width = (WIDTH - GUTTER) / pages.length
  const bottom = (maxOrder + 1) * LANE + 10
  const lanes = Array.from({ length: maxOrder + 1 }, (_, order) => {
    const y = (maxOrder - order) * LANE
    return (
      `<text class="bl-order" x="0" y="${y + 17}">${words.labels.order} ${order}</text>` +
      `<path class="bl-lane" d="M${GUTTER} ${y + LANE - 1.5}H${WIDTH}"/>`
    )
  })
  const blocks = frame.free.map((block) => drawBlock(block, width, maxOrder, frame.free))
  const shade = about
    ? `<rect class="bl-about" x="${x(GUTTER + about.at * width)}" y="0" width="${x(2 ** about.order * width)}" height="${bottom + PAGE}"/>`
    : ''
  const cells = [...pages].map(
    (page, at) =>
      `<rect class="bl-page ${PAGE_CLASS[page] ?? 'bl-taken'}" x="${x(GUTTER + at * width + 0.5)}" y="${bottom}" width="${x(width - 1)}" height="${PAGE}"/>` +
      (/[a-z]/.test(page)
        ? `<text class="bl-name" x="${x(GUTTER + (at + 0.5) * width)}" y="${bottom + 17.5}">${page}</text>`
        : ''),
  )
  const height = bottom + PAGE + 24
  return (
    `<svg class="bl" viewBox="0 0 ${WIDTH + 1} ${height}" role="img" aria-label="${escapeHtml(stateOf(frame, words))}">` +
    `${shade}${lanes.join('')}${blocks.join('')}${cells.join('')}${pageblocks(frame, width, bottom)}</svg>`
  )
}

const PAGE_CLASS: Readonly<Record<string, string>> = {
  '.': 'bl-free',
  '#': 'bl-kernel',
  '*': 'bl-program',
  '?': 'bl-hand',
}

const x = (value: number): number => Math.round(value * 100) / 100

function drawBlock(block: DrawnBlock, width: number, maxOrder: number, free: readonly DrawnBlock[]): string {
  const { at, order, type, place } = block
  const left = GUTTER + at * width
  const wide = 2 ** order * width
  const y = (maxOrder - order) * LANE
  const more = free.some((other) => other !== block && other.order === order && other.type === type)
  return (
    `<g class="bl-block bl-${type}" data-key="${at}.${order}.${type}"><rect x="${x(left + 1)}" y="${y + 3}" width="${x(wide - 2)}" height="${LANE - 8}"/>` +
    `<text x="${x(left + wide / 2)}" y="${y + 16.5}">${at}${more ? `<tspan class="bl-place" dy="-3"> ${place + 1}</tspan>` : ''}</text></g>`
  )
}

// Which pages make a pageblock, and of what type.
function pageblocks({ blockTypes, pagesOfBlock }: BuddyFrame, width: number, bottom: number): string {
  return blockTypes
    .map((type, block) => {
      const left = GUTTER + block * pagesOfBlock * width
      const right = left + pagesOfBlock * width
      const y = bottom + PAGE + 4
      return (
        `<path class="bl-bracket bl-${type}" d="M${x(left + 1)} ${y}v4H${x(right - 1)}v-4"/>` +
        `<text class="bl-type" x="${x((left + right) / 2)}" y="${y + 17}">${type}</text>`
      )
    })
    .join('')
}

// The picture in words, for those who do not see it.
function stateOf({ free, maxOrder }: BuddyFrame, { labels }: Words): string {
  const lists = Array.from({ length: maxOrder + 1 }, (_, order) => {
    const here = free.filter((block) => block.order === order)
    return `${labels.order} ${order}: ${here.map(({ at, type }) => `${at} ${type}`).join(', ') || labels.none}`
  })
  return `${labels.lists}: ${lists.join('; ')}`
}
