// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { termFinder } from '../../site/markdown/term_finder.ts'
import { sectionsOf } from '../../site/search/documents.ts'
import { definitionsIn } from '../../site/search/symbols.ts'
import type { WovenLanguage } from '../../site/weave/types.ts'

describe('sectionsOf()', () => {
  const html =
    '<p>Before.</p>' +
    '<h2 id="look"><a class="header-anchor" href="#look">Look &amp; <code>take()</code></a></h2>' +
    '<p>It asks<sup class="ref"><a href="#source-1">1</a></sup> twice.</p><p>Then not.</p>' +
    '<figure class="listing"><figcaption>code/a.ts</figcaption>' +
    '<pre class="code lang-ts" tabindex="0"><code><span>pfn_valid</span>(at) // why</code></pre></figure>' +
    '<figure class="said"><pre class="code lang-console"><code>cma: alloc &lt;failed&gt;</code></pre></figure>' +
    '<h2 id="sources">Sources</h2><p>mm/cma.c</p>'
  const found = sectionsOf({ url: '/11-x/', name: 'Chapter 11, X', title: 'X', html })

  it('gives the beginning of a page and each heading an address, and leaves the sources out', () => {
    expect(found.map(({ address, title }) => [address, title])).toEqual([
      ['11-x/', 'X'],
      ['11-x/#look', 'Look & take()'],
    ])
  })

  it('keeps what is told and what machines said, and of a listing its names alone', () => {
    expect(found[1]!.text).toBe('It asks twice. Then not. cma: alloc <failed>')
    expect(found[1]!.code).toBe('pfn_valid')
  })
})

describe('definitionsIn()', () => {
  const names = (lang: WovenLanguage, file: string, ...lines: string[]): string[] =>
    definitionsIn({ file, lang, lines, regions: [] }).map(({ name, line }) => `${name}:${line}`)

  it('finds what a model exports', () => {
    const lines = [
      'export function cma_alloc(',
      '  cma: Cma,',
      'const hidden = 1',
      'export type Pfn = number',
    ]
    expect(names('ts', 'code/mm/cma.ts', ...lines)).toEqual(['cma_alloc:1', 'Pfn:4'])
  })

  it('finds functions, types and the macros of a header in C, not calls and declarations', () => {
    const lines = [
      '#define CMEM_MAP _IO(1)',
      'struct buffer {',
      'static int cma_test_open(struct inode *inode,',
      'struct page *look(void);',
      '\treturn call(1);',
      'struct page *find(int a)',
    ]
    const found = ['buffer:2', 'cma_test_open:3', 'find:6']
    expect(names('c', 'kernel/x/x.h', ...lines)).toEqual(['CMEM_MAP:1', ...found])
    expect(names('c', 'kernel/x/x.c', ...lines)).toEqual(found)
    expect(names('c', 'kernel/user/x.c', ...lines)).toEqual(['buffer:2', 'find:6'])
  })
})

describe('termFinder()', () => {
  const entry = (...names: string[]) => ({
    anchor: `term-${names[0]!.replaceAll(' ', '-')}`,
    names,
    chinese: '',
    meaning: '',
    defined: '',
  })
  const glossary = [
    entry('page frame', 'frame'),
    entry('page frame number', 'pfn'),
    entry('PTE'),
    entry('zone'),
  ]
  const found = (text: string, skip = ''): string[] =>
    termFinder(glossary, ({ names }) => names[0] === skip)
      .firstIn(text)
      .map(({ index, length }) => text.slice(index, index + length))

  it('takes the longest name, plurals, capitals at a beginning, and each term once', () => {
    const text = 'Page frame numbers name page frames, a pfn a page frame, in a zone or other zones.'
    expect(found(text)).toEqual(['Page frame numbers', 'page frames', 'zone'])
  })

  it('takes no part of a word or of a name, and an abbreviation as it is written only', () => {
    expect(found('ozone zone_id zone-wide pte ptes')).toEqual([])
    expect(found('two PTEs')).toEqual(['PTEs'])
  })

  it('leaves alone what the page defines, and everyday words', () => {
    expect(found('a zone in its frame', 'zone')).toEqual([])
  })
})
