// SPDX-License-Identifier: MIT
//
// The name under which a drawn diagram is kept. It changes with anything that may change the drawing, so that a stale
// drawing is a missing one.
import { createHash } from 'node:crypto'
import { readText } from '../paths.ts'
import { readFences } from '../weave/fences.ts'
import type { Weave } from '../weave/types.ts'
import { mermaidConfig } from './config.ts'

/** Changed by hand when clean.ts changes what it makes. */
const CLEANING = 1

function mermaidVersion(): string {
  const { version } = JSON.parse(readText('node_modules/mermaid/package.json')) as { version: string }
  return version
}

/** `site/diagrams/<id>-<hash>.svg` for a diagram's source. */
export function diagramFile(id: string, source: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([mermaidVersion(), CLEANING, mermaidConfig, source.trim()]))
    .digest('hex')
  return `site/diagrams/${id}-${hash.slice(0, 10)}.svg`
}

export interface Diagram {
  readonly id: string
  readonly source: string
  readonly chapter: string
  readonly line: number
}

/** Every mermaid fence of the book that has an id. */
export function diagramsOf(weave: Weave): Diagram[] {
  return weave.chapters.flatMap((chapter) =>
    readFences(chapter.markdown).flatMap(({ info, content, line }) => {
      const id = info.words.get('id')
      return info.lang === 'mermaid' && id ? [{ id, source: content, chapter: chapter.file, line }] : []
    }),
  )
}
