// SPDX-License-Identifier: MIT
//
// The committed drawings are what Mermaid draws today, and no more than the book shows.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diagramFile, diagramsOf, type Diagram } from '../../site/diagrams/key.ts'
import { chromiumMissing, renderDiagrams } from '../../site/diagrams/render.ts'
import { loadWeave } from '../../site/weave/weave.ts'
import { filesUnder, root } from '../support/files.ts'

const diagrams = diagramsOf(loadWeave(root))

describe('the diagrams', () => {
  it('are the committed files, all of them and no other', () => {
    const wanted = diagrams.map(({ id, source }) => diagramFile(id, source)).sort()
    expect(filesUnder('site/diagrams', '.svg')).toEqual(wanted)
  })

  it('drawn again come out to the byte', { timeout: 120_000 }, async (context) => {
    const missing = chromiumMissing()
    if (missing) context.skip(missing)
    const drawn = await renderDiagrams(diagrams)
    const drifted = diagrams.filter(({ id, source }, index) => {
      const file = join(root, diagramFile(id, source))
      return !existsSync(file) || readFileSync(file, 'utf8') !== drawn[index]
    })
    expect(drifted.map(({ id }) => id)).toEqual([])
  })
})

describe('renderDiagrams()', () => {
  const samples: Diagram[] = [
    'flowchart TD\n  accTitle: T\n  accDescr: D\n  a["alloc_contig_range()"] --> b{free?}\n  b -->|no| c[migrate]:::accent\n  subgraph zone\n  c\n  end',
    'sequenceDiagram\n  accTitle: T\n  accDescr: D\n  driver->>kernel: dma_alloc_coherent()\n  Note over kernel: clears it\n  kernel-->>driver: cpu address',
    'stateDiagram-v2\n  accTitle: T\n  accDescr: D\n  [*] --> mapped\n  mapped --> [*]',
  ].map((source, index) => ({ id: `sample-${index}`, source, chapter: 'sample', line: 1 }))

  it(
    'gives SVG without style, with a title, in the colours of our own classes',
    { timeout: 120_000 },
    async (context) => {
      const missing = chromiumMissing()
      if (missing) context.skip(missing)
      const [first, again] = [await renderDiagrams(samples), await renderDiagrams(samples)]
      expect(again).toEqual(first)
      for (const [index, svg] of first.entries()) {
        expect(svg).not.toMatch(/\sstyle=|<style|foreignObject|#[0-9a-f]{6}|rgba?\(/)
        expect(svg).toContain(`<title id="sample-${index}-title">T</title>`)
        expect(svg).toContain('class="dg-node dg-s-border"')
        const ids = [...svg.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!)
        expect(ids.every((id) => id.startsWith(`sample-${index}-`))).toBe(true)
        expect(new Set(ids).size).toBe(ids.length)
      }
      expect(first[0]).toContain('dg-accent')
      expect(first[0]!.replace(/<[^>]*>/g, '')).toContain('alloc_contig_range()')
    },
  )

  it('names the place of a diagram that Mermaid cannot read', { timeout: 60_000 }, async (context) => {
    const missing = chromiumMissing()
    if (missing) context.skip(missing)
    const broken = [
      { id: 'broken', source: 'flowchart LR\n  a --> [', chapter: 'chapters/x/index.md', line: 12 },
    ]
    await expect(renderDiagrams(broken)).rejects.toThrow(/chapters\/x\/index\.md:12: diagram broken/)
  })
})
