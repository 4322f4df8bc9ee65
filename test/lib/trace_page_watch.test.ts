// SPDX-License-Identifier: MIT
//
// What two real kernels traced while page_watch looked on (chapters/12-migration-and-reclaim/lab.yaml): 150 MiB taken out
// of an area in which pages of a program lay.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseTrace } from '../../code/lib/trace_parse.ts'

const BATCH = 32

describe.each([
  ['page-watch-6.1.txt', '6.1.192', 2697],
  ['page-watch-6.12.txt', '6.12.117', 2191],
] as const)('%s', (name, kernel, migrated) => {
  const trace = parseTrace(readFileSync(new URL(`./fixtures/traces/${name}`, import.meta.url), 'utf8'), name)
  const events = trace.records.map(({ event }) => event)
  const batches = trace.records
    .filter(({ event }) => event === 'mm_migrate_pages')
    .map(({ fields }) => Number(fields['nr_succeeded']))

  it('parseTrace() reads every line', () => {
    expect(trace.diagnostics).toEqual([])
    expect([trace.kernel, trace.lostEvents]).toEqual([kernel, 0])
    expect(trace.records.filter(({ fields }) => 'verbatim' in fields)).toEqual([])
  })

  it('has a start, batches, one test, a finish and in the end the release, in this order', () => {
    expect(events.filter((event, i) => event !== events[i - 1])).toEqual([
      'cma_alloc_start',
      'mm_migrate_pages',
      'test_pages_isolated',
      'cma_alloc_finish',
      'cma_release',
    ])
    const { fields } = trace.records.find(({ event }) => event === 'cma_alloc_finish')!
    expect([Number(fields['pfn']), fields['count']]).toEqual([0x50100, 38400])
  })

  it('MC-3.4: moves 32 pages a batch, none more; their sum is what pgmigrate_success grew by', () => {
    expect(batches.reduce((sum, pages) => sum + pages, 0)).toBe(migrated)
    expect(Math.max(...batches)).toBe(BATCH)
    expect(batches.length).toBe(Math.ceil(migrated / BATCH))
    expect(batches.slice(0, -1).every((pages) => pages === BATCH)).toBe(true)
  })
})
