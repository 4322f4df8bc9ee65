// SPDX-License-Identifier: MIT
//
// Traces of the models beside those of boards: what a random life of a machine traces can be printed and read back, and
// the same allocation as on a board leaves the board's own events, one by one, field by field.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { kernelAtLeast, type KernelVersion } from '../../code/lib/kernel_version.ts'
import type { TraceRecord } from '../../code/lib/trace.ts'
import { formatTrace, formatTraceRecord } from '../../code/lib/trace_format.ts'
import { parseTrace, printTrace } from '../../code/lib/trace_parse.ts'
import { MiB } from '../../code/lib/units.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { cma_alloc } from '../../code/mm/cma.ts'
import { FOLL_WRITE, get_user_pages } from '../../code/mm/gup.ts'
import { fillArea, PAGE } from '../support/mm_machine.ts'
import { board } from './board.ts'
import { boot, live } from './laws_life.ts'
import { LAYOUTS, MACHINES } from './laws_machines.ts'
import { operation } from './laws_operations.ts'
import { LAWS_SEED } from '../support/laws_seed.ts'

// An event without what a clock or a hash of pointers says.
function said(record: TraceRecord, kernel: KernelVersion): string {
  const line = formatTraceRecord(record, kernel)!
  return line.slice(line.indexOf(`${record.event}: `)).replace(/ page=\S+/, '')
}

describe.each(MACHINES)('traces of $kernel on $arch', ({ kernel, arch }) => {
  const bits = arch === 'arm' ? 32 : 64
  // A model's records are printed by its own kernel, and those of 6.12 have all that 6.1 prints.
  const printers: KernelVersion[] = kernel === '6.12.117' ? ['6.1.192', kernel] : [kernel]

  test(`parseTrace() reads what formatTrace() prints of any run, and nothing is lost (seed ${LAWS_SEED})`, () => {
    const sequence = fc.array(operation, { minLength: 1, maxLength: 200, size: 'max' })
    const law = fc.property(fc.nat(LAYOUTS - 1), sequence, (layout, operations) => {
      const world = boot({ kernel, arch }, layout)
      const { trace } = world.system
      trace.enabled = true
      live(world, operations)
      for (const printer of printers) {
        const text = formatTrace(trace.records, printer, { bits })
        const back = parseTrace(text, 'model')
        expect(back.diagnostics).toEqual([])
        expect(printTrace(back)).toBe(text)
        expect(back.records.filter(({ fields }) => 'verbatim' in fields)).toEqual([])
        expect(formatTrace(back.records, printer, { bits })).toBe(text)
        // Every event of the model is one that its kernel has.
        if (printer === kernel) expect(back.records.length).toBe(trace.records.length)
      }
    })
    fc.assert(law, { seed: LAWS_SEED, numRuns: 6 })
  }, 60_000)
})

const BOARD_EVENTS = /^(cma_|mm_migrate_|mm_compaction_|test_pages_isolated|mm_alloc_contig_)/

// From the request for `count` pages to the next, without events of other parts of Linux.
function ofRequest(records: readonly TraceRecord[], count: number): TraceRecord[] {
  const first = records.findIndex(
    ({ event, fields }) => event === 'cma_alloc_start' && fields['count'] === count,
  )
  const after = records.findIndex(({ event }, i) => i > first && event === 'cma_alloc_start')
  const upTo = after < 0 ? records.length : after
  return records.slice(first, upTo).filter(({ event }) => BOARD_EVENTS.test(event) && event !== 'cma_release')
}

const boardTrace = (name: string): readonly TraceRecord[] =>
  parseTrace(readFileSync(new URL(`../lib/fixtures/traces/${name}`, import.meta.url), 'utf8'), name).records

// The board of the recordings: 512 MiB, an area of 128 MiB at 0x50000000, of which boot has taken three atomic pools.
function recordedBoard(kernel: KernelVersion): System {
  const tree = board([0x4000_0000, MiB(512)])
  const system = startSystem({ kernel, arch: 'arm64', tree, image: null, cmdline: 'cma=128M@0x50000000' })
  return system
}

describe.each([
  ['board-6.1.txt', '6.1.192'],
  ['board-6.12.txt', '6.12.117'],
] as const)('beside %s', (name, kernel) => {
  const recorded = boardTrace(name)

  it('startSystem() leaves the events of the three atomic pools', () => {
    expect(kernelAtLeast(kernel, '6.1.192')).toBe(true)
    const { cma } = recordedBoard(kernel)
    const pools = recorded.filter(
      ({ event, fields }) => event === 'cma_alloc_finish' && fields['count'] === 32,
    )
    expect(pools.map(({ fields }) => Number(fields['pfn']) - cma[0]!.base_pfn)).toEqual([0, 32, 64])
  })

  it('cma_alloc() of 1024 free pages leaves the events of the board', () => {
    const { vm, cma, trace } = recordedBoard(kernel)
    trace.enabled = true
    cma_alloc(vm, cma[0]!, 1024, 8, false)
    const expected = ofRequest(recorded, 1024)
    expect(ofRequest(trace.records, 1024).map((record) => said(record, kernel))).toEqual(
      expected.map((record) => said(record, kernel)),
    )
  })

  it('cma_alloc() of 375 pages of a program, one of them pinned, leaves the events of the board', () => {
    const { vm, cma, trace, pgdat } = recordedBoard(kernel)
    // The program's pages lie in order from 0x50100 on; it holds one.
    const machine = { vm, cma: cma[0]!, zone: pgdat.zones[0]! }
    const marks = pgdat.zones.map(({ watermark }) => watermark)
    for (const zone of pgdat.zones) zone.watermark = { min: 0, low: 0, high: 0, promo: 0 }
    const { mm, va } = fillArea(machine, 0x280, 0x50100)
    pgdat.zones.forEach((zone, i) => (zone.watermark = marks[i]!))
    const expected = ofRequest(recorded, 375)
    const pinned = Number(expected.find(({ event }) => event === 'test_pages_isolated')!.fields['fin_pfn'])
    const pages: number[] = []
    expect(get_user_pages(vm, mm, va + (pinned - 0x50100) * PAGE, 1, FOLL_WRITE, pages)).toBe(1)
    expect(pages).toEqual([pinned])
    trace.enabled = true
    expect(cma_alloc(vm, cma[0]!, 375, 8, false)).toBe(Number(expected.at(-1)!.fields['pfn']))
    const found = ofRequest(trace.records, 375).map((record) => said(record, kernel))
    expect(found).toEqual(expected.map((record) => said(record, kernel)))
  })

  it('cma_alloc() of more than the area has leaves a start alone, as on the board', () => {
    const { vm, cma, trace } = recordedBoard(kernel)
    trace.enabled = true
    expect(cma_alloc(vm, cma[0]!, 40_000, 8, false)).toBe(null)
    const expected = ofRequest(recorded, 40_000)
    expect(expected.map(({ event }) => event)).toEqual(['cma_alloc_start'])
    expect(trace.records.map((record) => said(record, kernel))).toEqual(
      expected.map((record) => said(record, kernel)),
    )
  })
})
