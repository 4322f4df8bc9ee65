// SPDX-License-Identifier: MIT
//
// The widgets of the chapters, as their fences have them.
import { readFileSync } from 'node:fs'
import { fenceWords } from '../../site/markdown/fence_info.ts'
import { readFences } from '../../site/weave/fences.ts'
import { loadWeave } from '../../site/weave/weave.ts'
import { readWidget, type ReadWidget } from '../../site/widgets/fence.ts'
import { root } from './files.ts'

export interface PlacedWidget extends ReadWidget {
  /** The chapter's address, `/09-buddy-lists/`. */
  readonly page: string
}

/** Every widget of the book, in order. */
export function widgetFences(): PlacedWidget[] {
  return loadWeave(root).chapters.flatMap(({ file, slug, planned }) => {
    if (planned) return []
    const lines = readFileSync(`${root}/${file}`, 'utf8').split('\n')
    return readFences(lines.join('\n'))
      .filter(({ info }) => info.lang === 'widget')
      .map(({ line, content }) => {
        const info = fenceWords((lines[line - 1] ?? '').replace(/^`+/, ''))
        return { ...readWidget(info, content, { file, line }), page: `/${slug}/` }
      })
  })
}
