// SPDX-License-Identifier: MIT
//
// A mermaid fence → the SVG that was drawn for it beforehand, inside a figure. No browser is needed here.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { escapeHtml } from '../html.ts'
import { failAt, type FenceWords, type Where } from '../markdown/fence_info.ts'
import { readText, root } from '../paths.ts'
import { diagramFile } from './key.ts'

export function inlineDiagram(source: string, fence: FenceWords, where: Where): string {
  const id = fence.words.get('id') ?? ''
  if (!/^[a-z][a-z0-9-]*$/.test(id)) {
    failAt(where, 'diagram-id', `the diagram has the id '${id}', expected small letters, as in id=boot-order`)
  }
  if (!/^\s*accTitle:/m.test(source) || !/^\s*accDescr\s*[:{]/m.test(source)) {
    failAt(
      where,
      'diagram-described',
      `diagram ${id} lacks accTitle or accDescr`,
      'A reader may not see it: say what it shows.',
    )
  }
  const file = diagramFile(id, source)
  if (!existsSync(join(root, file))) {
    failAt(
      where,
      'diagram-missing',
      `${file} does not exist`,
      'Run `npm run diagrams` and commit what it draws.',
    )
  }
  const caption = fence.title ? `<figcaption>${escapeHtml(fence.title)}</figcaption>` : ''
  return `<figure class="diagram" id="${id}"><div class="scroll" tabindex="0">${readText(file).trim()}</div>${caption}</figure>\n`
}
