// SPDX-License-Identifier: MIT
//
// What is found, in the built index and in plain Node: a reader's questions, and what must come first.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, inject, it } from 'vitest'
import { loadIndex, search } from '../../site/search/engine.ts'
import type { GlossaryData } from '../../site/search/write.ts'
import { htmlOf } from '../support/site_pages.ts'

const folder = inject('siteFolder')
const json = readFileSync(join(folder, 'data/search.en.json'), 'utf8')
const index = loadIndex(json)
const addresses = (query: string): string[] => search(index, query).map(({ address }) => address)

/** A query, and the beginning of the address that must be first. */
const FIRST: readonly (readonly [string, string])[] = [
  ['dma_alloc_coherent', 'source/code/dma/mapping.ts/#L'],
  ['dma_alloc_coherent()', 'source/code/dma/mapping.ts/#L'],
  ['__alloc_contig_migrate_range', 'source/code/mm/contig_migrate.ts/#L'],
  ['alloc_contig_migrate', 'source/code/mm/contig_migrate.ts/#L'],
  ['contig_range', 'source/code/mm/contig_range.ts/#L'],
  ['remap_pfn', '08-remap-pfn-range/'],
  ['bootMachine', 'source/code/machine/boot.ts/#L'],
  ['code/mm/cma.ts', 'source/code/mm/cma.ts/'],
  ['cma_test.c', 'source/kernel/cma_test/cma_test.c/'],
  ['cma_alloc_start', '13-watching-it-happen/#what-a-cma_alloc-says'],
  ['MIGRATE_CMA', '09-buddy-lists/#how-a-pageblock-becomes-cma'],
  ['CONFIG_CMA_DEBUGFS', 'reading-a-cma-failure/#'],
  ['buddy', 'glossary/#term-buddy'],
  ['pin', 'glossary/#term-pin'],
  ['pfn', 'glossary/#term-page-frame-number'],
  ['bounce buffer', 'glossary/#term-bounce-buffer'],
  ['watermark', 'glossary/#term-watermark'],
  ['no-map', 'glossary/#term-no-map'],
  ['页框', 'glossary/#term-page-frame'],
  ['伙伴', 'glossary/#term-buddy'],
  ['回弹', 'glossary/#term-bounce-buffer'],
  ['写时拷贝', 'glossary/#term-copy-on-write'],
  ['水位', 'glossary/#term-watermark'],
  ['why is a buffer busy', 'reading-a-cma-failure/#busy'],
  ['a pin that lasts', '12-migration-and-reclaim/#a-pin-that-lasts'],
  ['dma_alloc_coherrent', 'source/code/dma/mapping.ts/#L'],
]

describe('search', () => {
  it.for(FIRST)('finds for %s first %s', ([query, expected]) => {
    expect(addresses(query)[0]).toBeDefined()
    expect(addresses(query)[0]!.startsWith(expected), addresses(query).slice(0, 3).join(' ')).toBe(true)
  })

  it('finds a line of a log by its words, in the chapters that print it', () => {
    const found = search(index, 'alloc failed, req-size: 2048 pages').slice(0, 5)
    expect(found.map(({ address }) => address.split('/')[0])).toContain('11-cma-alloc')
  })

  it('finds the sections of a kernel name behind its definition', () => {
    const kinds = search(index, 'migrate_pages')
      .slice(0, 6)
      .map(({ kind }) => kind)
    expect(kinds).toContain('section')
    expect(kinds[0]).toBe('symbol')
  })

  it('finds nothing for words that are nowhere, and nothing for none', () => {
    expect(search(index, 'xyzzyqwfp')).toEqual([])
    expect(search(index, ' the ')).toEqual([])
  })

  it('answers while one types', () => {
    const typed = '__alloc_contig_migrate_range'
    const took = [...typed].map((_, at) => {
      const started = performance.now()
      search(index, typed.slice(0, at + 1))
      return performance.now() - started
    })
    expect(took.sort((a, b) => a - b)[took.length >> 1]).toBeLessThan(20)
  })

  it('leads to what exists', () => {
    const all = JSON.parse(json) as { storedFields: Record<string, { address: string }> }
    const ids = new Map<string, string>()
    const missing = Object.values(all.storedFields).filter(({ address }) => {
      const [page = '', id] = address.split('#')
      if (!ids.has(page)) ids.set(page, htmlOf(folder, `/${page}`))
      return id !== undefined && !ids.get(page)!.includes(` id="${id}"`)
    })
    expect(missing).toEqual([])
  })

  it('weighs less than 400 KB, and the glossary for pop-ups less than 8', () => {
    expect(gzipSync(json).length).toBeLessThan(400_000)
    expect(gzipSync(readFileSync(join(folder, 'data/glossary.en.json'))).length).toBeLessThan(8000)
  })
})

describe('the glossary for pop-ups', () => {
  it('has every term that a page links to, and says where it is told', () => {
    const data = JSON.parse(readFileSync(join(folder, 'data/glossary.en.json'), 'utf8')) as GlossaryData
    const linked = htmlOf(folder, '/12-migration-and-reclaim/').matchAll(/glossary\/#(term-[^"]+)"/g)
    const anchors = [...linked].map(([, anchor]) => anchor!)
    expect(anchors.length).toBeGreaterThan(5)
    expect(anchors.filter((anchor) => !data[anchor])).toEqual([])
    expect(new Set(anchors).size).toBe(anchors.length)
    expect(data['term-pin']?.slice(3)).toEqual([
      '12-migration-and-reclaim/#term-pin',
      'Chapter 12, Migration and reclaim',
    ])
  })
})
