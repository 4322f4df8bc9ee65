// SPDX-License-Identifier: MIT
//
// A frame of `cache-lines`: a row for each line, as the cache has it on the left and as RAM has it on the right. Letters
// that differ between the two are marked on the side that is behind: RAM's below a dirty line, the cache's where it is clean.
import { escapeHtml } from '../html.ts'
import type { enWidgets } from '../text/en_widgets.ts'
import type { CacheFrame, DrawnLine } from './cache_frames.ts'

type Words = (typeof enWidgets.kinds)['cache-lines']

const CELL = 30
const ROW = 40
const TOP = 24
const CACHE = 52
const RAM = 330

export function drawCacheLines({ lines, about }: CacheFrame, words: Words): string {
  const letters = lines[0]?.ram.length ?? 0
  const rows = lines.map((line, row) => {
    const y = TOP + row * ROW
    const touched =
      (side: 'cache' | 'ram') =>
      (at: number): boolean => {
        const letter = row * letters + at
        // The CPU touches its cache, a device RAM; maintenance touches both.
        const here = about?.by === 'kernel' || (about?.by === 'cpu') === (side === 'cache')
        return about !== null && here && letter >= about.from && letter < about.to
      }
    const behind =
      (side: 'cache' | 'ram') =>
      (at: number): boolean =>
        line.cache !== null &&
        line.cache[at] !== line.ram[at] &&
        (line.state === 'dirty') === (side === 'ram')
    const state = line.state === 'clean' && line.cache !== line.ram ? 'stale' : line.state
    return (
      `<text class="cl-name" x="0" y="${y + 20}">${words.labels.line} ${row}</text>` +
      cells(
        line.cache ?? ' '.repeat(letters),
        CACHE,
        y,
        line.cache === null ? 'cl-absent' : '',
        touched('cache'),
        behind('cache'),
      ) +
      `<text class="cl-state cl-${state}" x="${CACHE + letters * CELL + 14}" y="${y + 20}">${words.labels[state]}</text>` +
      cells(line.ram, RAM, y, '', touched('ram'), behind('ram'))
    )
  })
  const height = TOP + lines.length * ROW
  return (
    `<svg class="cl" viewBox="0 0 480 ${height}" role="img" aria-label="${escapeHtml(stateOf(lines, words))}">` +
    `<text class="cl-head" x="${CACHE}" y="14">${words.labels.cache}</text><text class="cl-head" x="${RAM}" y="14">${words.labels.ram}</text>` +
    `${rows.join('')}</svg>`
  )
}

function cells(
  text: string,
  x: number,
  y: number,
  look: string,
  touched: (at: number) => boolean,
  behind: (at: number) => boolean,
): string {
  return [...text]
    .map((letter, at) => {
      const kind = `cl-cell ${look}${touched(at) ? ' cl-touched' : ''}${behind(at) ? ' cl-behind' : ''}`
      return (
        `<rect class="${kind}" x="${x + at * CELL}" y="${y}" width="${CELL - 2}" height="28"/>` +
        (letter === ' '
          ? ''
          : `<text class="cl-letter" x="${x + at * CELL + CELL / 2 - 1}" y="${y + 19}">${escapeHtml(letter)}</text>`)
      )
    })
    .join('')
}

function stateOf(lines: readonly DrawnLine[], { labels }: Words): string {
  return lines
    .map(({ cache, ram, state }, row) => {
      const has =
        cache === null
          ? labels.absent
          : `${cache} (${state === 'clean' && cache !== ram ? labels.stale : labels[state]})`
      return `${labels.line} ${row}: ${labels.cache} ${has}, ${labels.ram} ${ram}`
    })
    .join('; ')
}
