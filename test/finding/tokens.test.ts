// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { marked, snippet } from '../../site/search/snippet.ts'
import { indexWords, queryWords } from '../../site/search/tokens.ts'

describe('indexWords()', () => {
  it('knows a kernel name whole, without its first underscores, and from each underscore on', () => {
    expect(indexWords('__alloc_contig_range()')).toEqual([
      '__alloc_contig_range',
      'alloc_contig_range',
      'contig_range',
      'range',
    ])
  })

  it('knows a name of ours from each capital on', () => {
    expect(indexWords('bootMachine')).toEqual(['bootmachine', 'machine'])
  })

  it('pairs Chinese characters, and parts them from the letters that they touch', () => {
    expect(indexWords('默认CMA区域')).toEqual(['默认', 'cma', '区域'])
    expect(indexWords('写时拷贝')).toEqual(['写时', '时拷', '拷贝'])
    expect(indexWords('阶')).toEqual(['阶'])
  })

  it('leaves out words that every page has, keeps `no`, and takes the s off a plural', () => {
    expect(indexWords('the pages of a no-map region')).toEqual(['page', 'no', 'map', 'region'])
    expect(indexWords('address process')).toEqual(['address', 'process'])
  })

  it('takes no number for a name', () => {
    expect(indexWords('0x5000_0000')).toEqual(['0x5000_0000'])
  })
})

describe('queryWords()', () => {
  it('takes a name as it was typed', () => {
    expect(queryWords('alloc_contig')).toEqual(['alloc_contig'])
    expect(queryWords('mm/cma.c')).toEqual(['mm', 'cma'])
    expect(queryWords('of the')).toEqual([])
  })
})

describe('snippet()', () => {
  const textOf = (pieces: readonly { text: string }[]): string => pieces.map(({ text }) => text).join('')
  const marks = (pieces: readonly { text: string; mark: boolean }[]): string[] =>
    pieces.filter(({ mark }) => mark).map(({ text }) => text)

  it('marks where a word begins, inside a name too, and nowhere else', () => {
    expect(marks(marked('alloc_contig_range changes a range', ['range']))).toEqual(['range', 'range'])
    expect(marks(marked('bootMachine', ['machine']))).toEqual(['Machine'])
    expect(marks(marked('arrange', ['range']))).toEqual([])
    expect(marks(marked('一个伙伴块', ['伙伴']))).toEqual(['伙伴'])
  })

  it('is cut where most of the words stand, at blanks', () => {
    const text = `${'a pin '.repeat(60)}a buffer is pinned and busy ${'and so on '.repeat(40)}`
    const found = snippet(text, ['buffer', 'busy', 'pin'])
    expect(textOf(found)).toContain('buffer is pinned and busy')
    expect(textOf(found)).toMatch(/^… \S.* …$/)
    expect(textOf(found).length).toBeLessThan(190)
  })

  it('is the whole of a short text', () => {
    expect(textOf(snippet('A short text.', ['nothing']))).toBe('A short text.')
  })

  it('takes a query for text, not for a pattern', () => {
    expect(marks(marked('a (b', ['(b']))).toEqual(['(b'])
  })
})
