// SPDX-License-Identifier: MIT
//
// A frame of `calls-over-time`: time goes down, and each call has a row in three lanes: who calls and what, what the driver
// answers and counts, how many pages are in use. Below stand the buffer's pages with the number of their mappings.
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { CallsFrame, DrawnCall } from './calls_frames.ts'

type Words = (typeof enWidgets.kinds)['calls-over-time']

const WIDTH = 480
const ROW = 22
const TOP = 26
const LANES = [0, 222, 372] as const
const PAGE = 30

export function drawCalls({ calls, rows, pages }: CallsFrame, words: Words): string {
  const { labels } = words
  const bottom = TOP + rows * ROW + 12
  const heads = [labels.program, labels.driver, labels.memory]
    .map((label, lane) => `<text class="ct-head" x="${LANES[lane]}" y="14">${label}</text>`)
    .join('')
  const boxes = pages
    .map(
      (count, page) =>
        `<rect class="ct-page${count > 0 ? ' ct-mapped' : ''}" x="${LANES[1] + page * PAGE}" y="${bottom}" width="${PAGE - 3}" height="24"/>` +
        `<text class="ct-count" x="${LANES[1] + page * PAGE + PAGE / 2 - 1}" y="${bottom + 17}">${count}</text>`,
    )
    .join('')
  return (
    `<svg class="ct" viewBox="0 0 ${WIDTH} ${bottom + 28}" role="img" aria-label="${escapeHtml(stateOf(calls, words))}">${heads}` +
    `<path class="ct-rule" d="M0 20.5H${WIDTH}"/>${calls.map((call, at) => row(call, at, at === calls.length - 1, words)).join('')}` +
    `<text class="ct-who" x="0" y="${bottom + 17}">${pages.length > 0 ? labels.pages : labels.none}</text>${boxes}</svg>`
  )
}

function row(
  { who, call, answer, mappings, used }: DrawnCall,
  at: number,
  now: boolean,
  { labels }: Words,
): string {
  const y = TOP + at * ROW
  const lit = now ? `<rect class="ct-now" x="0" y="${y - 3}" width="${WIDTH}" height="${ROW - 1}"/>` : ''
  const text = (lane: number, look: string, said: string): string =>
    `<text class="${look}" x="${LANES[lane]}" y="${y + 13}">${escapeHtml(said)}</text>`
  const counted = mappings === null ? labels.gone : `${mappings} ${labels.mappings}`
  return (
    lit +
    text(0, 'ct-call', `${labels[who]} ${call}`) +
    text(1, answer === 0 ? 'ct-answer' : 'ct-answer ct-refused', `${answer} · ${counted}`) +
    text(2, 'ct-used', `${used} ${labels.used}`)
  )
}

function stateOf(calls: readonly DrawnCall[], { labels }: Words): string {
  return calls
    .map(({ who, call, answer, used }) => `${labels[who]} ${call}: ${answer}, ${used} ${labels.used}`)
    .join('; ')
}
