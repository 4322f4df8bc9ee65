// SPDX-License-Identifier: MIT
//
// `npm run diagrams`: draws what is missing under site/diagrams/, removes what no chapter shows any more, and draws the card
// that is shown where a page is shared.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { diagramFile, diagramsOf } from './diagrams/key.ts'
import { chromiumMissing, launchChromium, renderDiagrams } from './diagrams/render.ts'
import { root } from './paths.ts'
import { drawCard } from './publish/card.ts'
import { loadWeave } from './weave/weave.ts'

const missing = chromiumMissing()
if (missing) {
  process.stderr.write(`diagrams: ${missing}\n`)
  process.exit(4)
}
const diagrams = diagramsOf(loadWeave(root))
const drawn = await renderDiagrams(diagrams)
const files = diagrams.map(({ id, source }) => diagramFile(id, source))
for (const file of readdirSync(join(root, 'site/diagrams'))) {
  if (file.endsWith('.svg') && !files.includes(`site/diagrams/${file}`))
    rmSync(join(root, 'site/diagrams', file))
}
files.forEach((file, index) => writeFileSync(join(root, file), drawn[index]!))
const browser = await launchChromium()
const card = await drawCard(browser).finally(() => browser.close())
process.stdout.write(`${files.length} diagrams in site/diagrams/, ${card}\n`)
