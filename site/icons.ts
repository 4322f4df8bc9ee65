// SPDX-License-Identifier: MIT
//
// `npm run icons`: draws the icons of the installed course from site/favicon.svg, and the cover of the EPUB from
// site/epub/cover.svg. The author's act, as with diagrams: what it draws is committed, and building needs no browser.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { CHROMIUM, CHROMIUM_ARGS, chromiumMissing } from './diagrams/render.ts'
import { readText, root } from './paths.ts'

interface Drawing {
  readonly to: string
  readonly svg: string
  readonly width: number
  readonly height: number
}

const icon = readText('site/favicon.svg')
/** Launchers cut a maskable icon to a circle of four fifths: the picture lies within it, its ground reaches the edge. */
const maskable = icon
  .replace('viewBox="0 0 16 16"', 'viewBox="-3 -3 22 22"')
  .replace('<rect width="16" height="16" rx="2"', '<rect x="-3" y="-3" width="22" height="22"')

const DRAWINGS: readonly Drawing[] = [
  ...[192, 512].flatMap((size) => [
    { to: `site/icons/icon-${size}.png`, svg: icon, width: size, height: size },
    { to: `site/icons/maskable-${size}.png`, svg: maskable, width: size, height: size },
  ]),
  { to: 'site/epub/cover.png', svg: readText('site/epub/cover.svg'), width: 1200, height: 1600 },
]

async function draw(browser: Browser, { to, svg, width, height }: Drawing): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height } })
  await page.setContent(
    `<style>body{margin:0}svg{display:block;width:${width}px;height:${height}px}</style>${svg}`,
  )
  writeFileSync(join(root, to), await page.screenshot({ omitBackground: true }))
  await page.close()
}

const missing = chromiumMissing()
if (missing) {
  process.stderr.write(`icons: ${missing}\n`)
  process.exit(4)
}
const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS, timeout: 30_000 })
for (const drawing of DRAWINGS) await draw(browser, drawing)
await browser.close()
process.stdout.write(`${DRAWINGS.length} pictures in site/icons/ and site/epub/\n`)
