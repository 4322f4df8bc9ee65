// SPDX-License-Identifier: MIT
//
// The `page-map` fence: YAML → the whole memory of a board, coarse, as SVG, with a key of what is in it.
import { escapeHtml } from '../html.ts'
import { fill } from '../client/words.ts'
import { FIRST } from '../languages.ts'
import { enWidgets } from '../text/en_widgets.ts'
import { KIND_MASK, KINDS, type Kind, type Level, type PageMap, ZONE_SHIFT } from './map_layout.ts'
import { pageMap, type MapScenario } from './map_states.ts'

/** The picture has no more cells than this a side. */
const CELLS = 64

const classOf = (state: number): string => {
  const odd = (state >> ZONE_SHIFT) % 2 === 1
  return `mp-${KINDS[state & KIND_MASK]}${odd ? ' mp-odd' : ''}`
}

// A path for each state, of the runs of cells that have it.
function picture({ width, height, cells }: Level): string {
  const paths = new Map<number, string>()
  for (let y = 0; y < height; y++) {
    for (let x = 0, end; x < width; x = end) {
      const state = cells[y * width + x]!
      end = x + 1
      while (end < width && cells[y * width + end] === state) end++
      if (state !== 0) paths.set(state, `${paths.get(state) ?? ''}M${x} ${y}h${end - x}v1h${x - end}z`)
    }
  }
  return [...paths].map(([state, d]) => `<path class="${classOf(state)}" d="${d}"/>`).join('')
}

const swatch = (kind: Kind): string =>
  `<li><svg class="mm-swatch" viewBox="0 0 16 12" aria-hidden="true"><rect class="mp-${kind}" x="1" y="1" width="14" height="10"/></svg> ${enWidgets.map.kinds[kind]}</li>`

function kindsIn({ levels }: PageMap): Kind[] {
  const found = new Uint8Array(KINDS.length)
  for (const state of levels[0]!.cells) found[state & KIND_MASK] = 1
  return KINDS.filter((kind, number) => kind !== 'none' && found[number] === 1)
}

// By scenario: a boot of millions of pages, which no edit of a chapter's text changes.
const drawn = new Map<string, string>()

/** What stands in <contig-map> before it wakes. Throws what the models throw. */
export function mapHtml(scenario: MapScenario): string {
  const key = JSON.stringify(scenario)
  const html = drawn.get(key) ?? draw(scenario)
  drawn.set(key, html)
  return html
}

function draw(scenario: MapScenario): string {
  const map = pageMap(scenario)
  const level = map.levels.find(({ width }) => width <= CELLS) ?? map.levels.at(-1)!
  const { width, height } = level
  const pages = map.endPfn - map.startPfn
  const each = Math.round((map.levels[0]!.width / width) ** 2)
  const said = fill(enWidgets.map.start, {
    gib: scenario.gib,
    pages: pages.toLocaleString(FIRST.lang),
    each: each.toLocaleString(FIRST.lang),
  })
  return (
    `<div class="widget-stage"><svg class="mp" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(said)}">` +
    `${picture(level)}</svg></div>` +
    `<p class="widget-said">${escapeHtml(said)}</p><ul class="mm-key map-key">${kindsIn(map).map(swatch).join('')}</ul>`
  )
}
