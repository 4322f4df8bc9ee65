// SPDX-License-Identifier: MIT
//
// The stage of the movie: rows of page frames with their addresses, what is counted, the line of the trace. Text in, HTML
// out, the same in Node and in the page.
import { fill } from '../../client/words.ts'
import { escapeHtml } from '../../html.ts'
import type { MovieText } from '../../text/en_movie.ts'
import type { FilmFrame } from './frame.ts'
import type { Film } from './film_types.ts'
import { type Box, boxesOf, COLUMNS, type Rows, rowsOf } from './rows.ts'
import type { PageState, Run, Span } from './runs.ts'
import { hexPfn } from './sentence.ts'

/** Height of a row. Unit: CSS pixels. */
const ROW = 8
/** A single page must be seen among thousands. */
const LEAST = 5
const LABELS = 84

const rounded = (value: number): string => String(Math.round(value * 100) / 100)

function rect({ x, y, width, height }: Box, look: string): string {
  const at = `x="${rounded(x)}" y="${y * ROW}" width="${rounded(width)}" height="${height * ROW}"`
  return `<rect class="${look}" ${at}/>`
}

// Around the rows of the place that is tried: one line, which turns where the place begins and ends within a row.
function outline(rows: Rows, span: Span): string {
  const boxes = boxesOf(rows, span)
  const top = boxes[0]!
  const bottom = boxes.at(-1)!
  const [y0, y1] = [top.y * ROW, (bottom.y + bottom.height) * ROW]
  if (boxes.length === 1 || (top.x === 0 && bottom.width === COLUMNS))
    return path([
      [top.x, y0],
      [top.x + top.width, y0],
      [top.x + top.width, y1],
      [top.x, y1],
    ])
  const headEnds = (top.y + (top.x === 0 ? 0 : 1)) * ROW
  const tailBegins = bottom.y * ROW
  const tail = bottom.width < COLUMNS ? bottom.width : COLUMNS
  return path([
    ...[
      [top.x, y0],
      [COLUMNS, y0],
      [COLUMNS, tail === COLUMNS ? y1 : tailBegins],
      [tail, tailBegins],
    ],
    ...[
      [tail, y1],
      [0, y1],
      [0, headEnds],
      [top.x, headEnds],
    ],
  ])
}

const path = (points: readonly (readonly number[])[]): string =>
  `<path class="pf-range" d="M${points.map(([x, y]) => `${rounded(x!)} ${y}`).join('L')}Z"/>`

function drawnRun(rows: Rows, { start, end, state }: Run): string {
  const least = state === 'held' || state === 'stuck' ? LEAST : 0
  return boxesOf(rows, { start, end }, least)
    .map((box) => rect(box, `pf-${state}`))
    .join('')
}

// Every fourth row has its address; the row with a page in the way has that page's instead.
function labels(rows: Rows, runs: readonly Run[]): string {
  const held = new Map(
    runs
      .filter(({ state }) => state === 'held')
      .map(({ start }) => [Math.floor((start - rows.start) / rows.pages), start] as const),
  )
  const near = (row: number): boolean => [row - 1, row + 1].some((other) => held.has(other))
  return Array.from({ length: rows.count }, (_, row) => {
    const pfn = held.get(row)
    const look = pfn === undefined ? 'pf-at' : 'pf-at pf-at-held'
    if (pfn === undefined && (row % 4 !== 0 || near(row))) return ''
    return `<text class="${look}" x="${LABELS - 8}" y="${row * ROW + 8}">${hexPfn(pfn ?? rows.start + row * rows.pages)}</text>`
  }).join('')
}

function figureText(film: Film, rows: Rows, words: MovieText): string {
  const span = { start: hexPfn(film.span.start), end: hexPfn(Math.max(film.span.start, film.span.end - 1)) }
  return fill(words.figure, { ...span, area: film.area ?? words.unnamedArea, row: rows.pages })
}

/** The stage of one frame. */
export function movieStage(film: Film, { step, runs }: FilmFrame, words: MovieText): string {
  const rows = rowsOf(film.span)
  const height = rows.count * ROW
  // A page in the way is drawn wider than it is, so it comes last.
  const drawn = [...runs].sort((a, b) => Number(a.state === 'held') - Number(b.state === 'held'))
  const range = step.range ? outline(rows, step.range) : ''
  const lines = Array.from({ length: rows.count - 1 }, (_, row) => `M0 ${(row + 1) * ROW}h${COLUMNS}`).join(
    '',
  )
  const counts = Object.entries(words.counts)
    .map(
      ([name, label]) =>
        `<div><dt>${label}</dt><dd>${step.counts[name as keyof typeof step.counts]}</dd></div>`,
    )
    .join('')
  return (
    `<div class="pf"><div class="pf-map"><svg class="pf-labels" width="${LABELS}" height="${height}" aria-hidden="true">${labels(rows, runs)}</svg>` +
    `<svg class="pf-rows" height="${height}" viewBox="0 0 ${COLUMNS} ${height}" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(figureText(film, rows, words))}">` +
    `<rect class="pf-none" width="${COLUMNS}" height="${height}"/>${drawn.map((run) => drawnRun(rows, run)).join('')}` +
    `<path class="pf-lines" d="${lines}"/>${range}</svg></div><dl class="pf-counts">${counts}</dl>` +
    `<p class="pf-line"><span>${fill(words.line, { line: step.line })}</span><code>${escapeHtml(eventOf(step.text))}</code></p></div>`
  )
}

// The event without the columns before it, which the sentence has told.
const eventOf = (text: string): string => /\d: (\w+: .*)$/.exec(text)?.[1]?.replace(/ page=\S+/, '') ?? text

/** What the colours mean; those that a film may show. */
export function movieKey(words: MovieText): string {
  const item = (look: string, label: string): string =>
    `<li><svg class="pf-swatch" viewBox="0 0 16 12" aria-hidden="true"><rect class="pf-none" width="16" height="12"/><rect class="${look}" x="1" y="1" width="14" height="10"/></svg> ${escapeHtml(label)}</li>`
  const states = (Object.keys(words.states) as PageState[]).map((state) =>
    item(`pf-${state}`, words.states[state]),
  )
  return `<ul class="mm-key">${item('pf-range', words.range)}${states.join('')}</ul>`
}
