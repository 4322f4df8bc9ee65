// SPDX-License-Identifier: MIT
//
// Draws diagrams with Mermaid in Chromium, on the author's machine: a site is built from what is committed, and a test
// draws all of them again to see that nothing has drifted.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { root } from '../paths.ts'
import { cleanDiagram } from './clean.ts'
import { mermaidConfig, ROLES } from './config.ts'
import type { Diagram } from './key.ts'

/** Where Debian puts it; CHROMIUM names another. */
export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** The switches under which Chromium runs headless and quietly, with no request of its own. */
export const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const chromiumMissing = (): string | null =>
  existsSync(CHROMIUM) ? null : `${CHROMIUM} is not installed (Debian: apt-get install chromium)`

/** Chromium, headless and quiet. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS, timeout: 30_000 })
}

/** What the page has once mermaid.min.js is in it. */
interface WithMermaid {
  mermaid: {
    initialize(config: object): void
    render(id: string, source: string): Promise<{ svg: string }>
  }
}

/** The SVG of each diagram, in order. Throws when Mermaid cannot read one, naming its place. */
export async function renderDiagrams(diagrams: readonly Diagram[]): Promise<string[]> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.setContent('<!doctype html><title>diagrams</title><body></body>')
    await page.addScriptTag({ path: join(root, 'node_modules/mermaid/dist/mermaid.min.js') })
    // What a bundler leaves around function names.
    await page.evaluate('globalThis.__name = (f) => f')
    const drawn: string[] = []
    for (const { id, source, chapter, line } of diagrams) {
      try {
        await page.evaluate(
          async ({ id, source, config }) => {
            const { mermaid } = window as unknown as WithMermaid
            mermaid.initialize(config)
            const { svg } = await mermaid.render(id, source)
            document.body.innerHTML = svg
          },
          { id, source, config: mermaidConfig as object },
        )
      } catch (error) {
        throw new Error(
          `${chapter}:${line}: diagram ${id}: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        )
      }
      drawn.push(
        await page.evaluate(`(${cleanDiagram.toString()})(${JSON.stringify(id)}, ${JSON.stringify(ROLES)})`),
      )
    }
    return drawn.map((svg) => svg + '\n')
  } finally {
    await browser.close()
  }
}
