// SPDX-License-Identifier: MIT
//
// The picture that is shown where somebody shares a page: the strip of page frames of the front page, the course's name and
// its subject. `npm run diagrams` draws it; what is drawn is committed under a hash of the SVG, so that building the site
// needs no browser, and a card whose words have changed is missed.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { strip } from '../figures/strip.ts'
import { escapeHtml } from '../html.ts'
import { FIRST } from '../languages.ts'
import { root } from '../paths.ts'
import { refuse } from '../refuse.ts'

const FOLDER = 'site/publish/card'
export const CARD_SIZE = { width: 1200, height: 630 }

/** Words in lines of at most `most` characters. */
function lines(words: string, most: number): string[] {
  return words.split(' ').reduce<string[]>((all, word) => {
    const last = all.at(-1)
    if (last !== undefined && last.length + word.length < most)
      return [...all.slice(0, -1), `${last} ${word}`]
    return [...all, word]
  }, [])
}

/** The picture as SVG, in the light colours of site/css/tokens.css. */
export function cardSvg(): string {
  const { width, height } = CARD_SIZE
  const row = strip(0.42, 23, 5).replace('<svg class="strip"', '<svg x="80" y="428" width="1040" height="78"')
  const said = lines(FIRST.tagline, 46).map(
    (line, index) => `<text class="said" x="80" y="${290 + index * 50}">${escapeHtml(line)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
text { font-family: 'Noto Serif', 'Noto Serif CJK SC', serif; fill: #25211b }
.name { font-size: 104px; font-weight: 600 }
.said { font-size: 38px; fill: #645b4e }
.free { fill: none; stroke: #ddd3c1 }
.used { fill: #b9ae9b }
.run { fill: #b4531c }
</style>
<rect width="${width}" height="${height}" fill="#fbf8f1"/>
<rect width="${width}" height="14" fill="#1c5b45"/>
<text class="name" x="76" y="200">${escapeHtml(FIRST.name)}</text>
${said.join('\n')}
${row}
</svg>
`
}

/** The committed picture of this very SVG, a path from the root. */
export function cardFile(): string {
  return `${FOLDER}/${createHash('sha256').update(cardSvg()).digest('hex').slice(0, 10)}.png`
}

/** The same for a build, which stops where nobody has drawn it. */
export function drawnCard(): string {
  const file = cardFile()
  if (existsSync(join(root, file))) return file
  const text = `${file} does not exist: the card's words or its strip have changed`
  const note = 'Run `npm run diagrams` and commit what it draws.'
  refuse([
    { rule: 'card-missing', severity: 'error', file: 'site/publish/card.ts', line: 1, column: 1, text, note },
  ])
}

/** Draws the picture, unless it is there, and removes older ones. */
export async function drawCard(browser: Browser): Promise<string> {
  const file = cardFile()
  if (!existsSync(join(root, file))) {
    const page = await browser.newPage({ viewport: CARD_SIZE })
    await page.setContent(
      `<!doctype html><style>body { margin: 0 } svg { display: block }</style>${cardSvg()}`,
    )
    const png = await page.screenshot()
    for (const old of readdirSync(join(root, FOLDER))) rmSync(join(root, FOLDER, old))
    writeFileSync(join(root, file), png)
  }
  return file
}
