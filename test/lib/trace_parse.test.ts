// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import type { TraceRecord } from '../../code/lib/trace.ts'
import { TRACE_EVENTS, printsLike } from '../../code/lib/trace_events.ts'
import { formatTrace, tracePieces } from '../../code/lib/trace_format.ts'
import { parseTrace, printTrace } from '../../code/lib/trace_parse.ts'
import '../support/laws_seed.ts'

const board = (name: string): string =>
  readFileSync(new URL(`./fixtures/traces/${name}`, import.meta.url), 'utf8')

describe('a trace of a board', () => {
  test.each([
    ['board-6.1.txt', '6.1.192'],
    ['board-6.12.txt', '6.12.117'],
  ] as const)(
    'parseTrace() reads %s of Linux %s without a diagnostic, and printTrace() gives it back',
    (name, kernel) => {
      const text = board(name)
      const trace = parseTrace(text, name)
      expect(trace.diagnostics).toEqual([])
      expect(trace.kernel).toBe(kernel)
      expect(printTrace(trace)).toBe(text)
      const entries = Number(/entries-in-buffer\/entries-written: (\d+)\//.exec(text)![1])
      expect(trace.records.length).toBe(entries)
      // Every line of an event is printed from its fields, none from the text it had.
      expect(trace.lines.filter(({ record, text }) => record && text !== undefined)).toEqual([])
      expect(trace.records.filter(({ fields }) => 'verbatim' in fields)).toEqual([])
      // The kernel's own header too.
      expect(formatTrace(trace.records, kernel, { cpus: 2 })).toBe(text)
    },
  )

  it('parseTrace() reads what trace-cmd report prints: no flags, and spaces behind the name of the event', () => {
    const line =
      '       busy_page-165   [000]     3.687389: test_pages_isolated:  start_pfn=0x50100 end_pfn=0x52100 fin_pfn=0x50200 ret=fail'
    const { records, diagnostics, ...rest } = parseTrace(`cpus=2\n${line}\n`, 'report.txt')
    expect(records).toMatchObject([
      { comm: 'busy_page', pid: 165, flags: '', usec: 3687389, fields: { fin_pfn: 0x50200 } },
    ])
    expect(diagnostics).toEqual([])
    expect(printTrace({ records, diagnostics, ...rest })).toBe(`cpus=2\n${line}\n`)
  })

  it('parseTrace() reads a task whose name has a space and a dash', () => {
    const { records } = parseTrace(board('board-6.12.txt'), 'board')
    const mapped = records.find(({ event }) => event === 'dma_map_sg')!
    expect(mapped).toMatchObject({ comm: 'dma reader-2', flags: '.....', fields: { device: 'trace-maker' } })
    expect(mapped.fields).toMatchObject({
      dir: 'TO_DEVICE',
      nents: 3,
      ents: 3,
      sizes: '{0x1000,0x800,0x555}',
    })
  })
})

const HEAD = '            init-1       [001] ..... '
const line = (said: string): string => `${HEAD}    1.000002: ${said}\n`

describe('what parseTrace() keeps', () => {
  test.each([
    ['an event that the models do not know', line('sched_switch: prev_comm=a b ==> next_comm=c')],
    [
      'an event of a later kernel',
      line('cma_alloc_start: name=reserved request_count=1 available_count=2 total_count=3 align=0'),
    ],
    [
      'lost events',
      `${line('cma_alloc_start: name=reserved count=1 align=0')}CPU:0 [LOST 12 EVENTS]\nCPU:1 [LOST EVENTS]\n`,
    ],
    [
      'a column TGID',
      '            init-1       (      1) [001] .....     1.000002: cma_alloc_start: name=a count=1 align=0\n',
    ],
    [
      'another clock',
      '            init-1       [001] .....       123456: cma_alloc_start: name=a count=1 align=0\n',
    ],
    [
      'no irq-info',
      '            init-1       [001]      1.000002: cma_alloc_start: name=a count=1 align=0\n',
    ],
    ['a line of the function tracer', `${HEAD}    1.000002: cma_alloc <-dma_alloc_contiguous\n`],
    [
      'a pid of five columns and four flags',
      '            init-1     [001] ....     1.000002: cma_alloc: pfn=50100 page=ffff7e0000404000 count=1 align=0\n',
    ],
    [
      'an odd kernel’s events mixed',
      line('cma_alloc: pfn=50100 page=0 count=1 align=0') +
        line('mm_migrate_pages_start: mode=MIGRATE_SYNC reason=x'),
    ],
    ['nothing at all', ''],
    ['an empty trace', formatTrace([], '6.12.117')],
    ['text that is no trace', 'hello\n\nworld: 1\n'],
  ])('printTrace() gives back %s', (_, text) => {
    expect(printTrace(parseTrace(text, 'f'))).toBe(text)
  })

  it('parseTrace() keeps an unknown event’s text in `verbatim` and counts what was lost', () => {
    const text = `CPU:0 [LOST 12 EVENTS]\nCPU:1 [LOST EVENTS]\n${line('sched_waking: comm=a')}`
    const { records, lostEvents, diagnostics } = parseTrace(text, 'f')
    expect(records).toEqual([
      {
        comm: 'init',
        pid: 1,
        cpu: 1,
        flags: '.....',
        usec: 1_000_002,
        event: 'sched_waking',
        fields: { verbatim: 'comm=a' },
      },
    ])
    expect(lostEvents).toBe(13)
    expect(diagnostics).toEqual([])
  })

  test.each([
    ['4.12.4, by none of its lines alone', line('cma_alloc: pfn=1 page=0 count=1 align=0'), undefined],
    [
      '6.1.192 by a finish without errorno',
      line('cma_alloc_finish: name=r pfn=0x1 page=0 count=1 align=0'),
      '6.1.192',
    ],
    [
      '6.12.117 by a dma event',
      line('dma_sync_single_for_cpu: dev dir=TO_DEVICE dma_addr=1 size=2'),
      '6.12.117',
    ],
    ['no kernel by what two of them print', line('cma_alloc_start: name=r count=1 align=0'), undefined],
  ])('parseTrace() tells %s', (_, text, kernel) => {
    expect(parseTrace(text, 'f').kernel).toBe(kernel)
  })
})

describe('what parseTrace() says of a bad trace', () => {
  const whole = line('cma_alloc_start: name=reserved count=256 align=8')

  it('parseTrace() names the place where a trace was cut, and reads the records before it', () => {
    const trace = parseTrace(
      whole + line('cma_alloc_finish: name=reserved pfn=0x501').slice(0, -1),
      'board.txt',
    )
    expect(trace.records.length).toBe(1)
    expect(trace.diagnostics.map(formatDiagnostic)).toEqual([
      expect.stringMatching(
        /^board\.txt:2:93: error: the trace ends in the middle of a line: got "init-1 .*", expected "name=<name> pfn=0x<pfn>.*\[trace-cut]\n {2}The records before/,
      ),
    ])
  })

  it('parseTrace() finds every cut inside a line, and loses nothing before it', () => {
    for (let length = 1; length < whole.length; length++) {
      const trace = parseTrace(whole + whole.slice(0, length), 'f')
      expect(trace.diagnostics.map(({ rule, line }) => [rule, line])).toEqual([['trace-cut', 2]])
      expect(trace.records[0]).toEqual(parseTrace(whole, 'f').records[0])
      expect(trace.records.length).toBe(trace.diagnostics[0]!.severity === 'error' ? 1 : 2)
    }
  })

  it('parseTrace() warns of a line without its end that may have lost digits', () => {
    const { diagnostics, records } = parseTrace(whole.slice(0, -1), 'f')
    expect(diagnostics).toMatchObject([{ rule: 'trace-cut', severity: 'warning', line: 1 }])
    expect(records.length).toBe(1)
  })

  it('parseTrace() warns of fields that no kernel prints, with line and column, and keeps the line', () => {
    const text = whole + line('cma_release: name=reserved pfn=12')
    const trace = parseTrace(text, 'f')
    expect(trace.diagnostics).toMatchObject([
      { rule: 'trace-event-format', severity: 'warning', line: 2, column: 65 },
    ])
    expect(trace.records[1]!.fields).toEqual({ verbatim: 'name=reserved pfn=12' })
    expect(printTrace(trace)).toBe(text)
  })

  it('parseTrace() warns of a line that is none of a trace', () => {
    expect(parseTrace('total 4\n', 'f').diagnostics).toMatchObject([
      { rule: 'trace-line', line: 1, column: 1 },
    ])
  })
})

const letters = (characters: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength })
const word = letters('az09@_.-', 1, 10)
const unsigned = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.bigInt(2n ** 53n, 2n ** 64n - 1n))
const pointer = letters('0123456789abcdef', 16, 16)
const values = {
  d: fc.integer(),
  u: unsigned,
  x: unsigned,
  s: word,
  p: pointer,
  array: fc.constantFrom('{}', '{0x1}', '{0x1000,0x2000}'),
  dir: fc.constantFrom('TO_DEVICE', 'NONE'),
  attrs: fc.constantFrom('', 'NO_WARN', 'SKIP_CPU_SYNC|NO_WARN'),
  gfp: fc.constantFrom('GFP_KERNEL', 'GFP_KERNEL|__GFP_ZERO', 'GFP_NOWAIT|0x1000000'),
  force: fc.constantFrom('NORMAL', 'FORCE'),
}

const recordOf = (kernel: '6.1.192' | '6.12.117'): fc.Arbitrary<TraceRecord> =>
  fc
    .constantFrom(...TRACE_EVENTS.filter((format) => printsLike(format, kernel)))
    .chain(({ event, print }) => {
      const fields: Record<string, fc.Arbitrary<string | number | bigint>> = {}
      for (const piece of tracePieces(print)) {
        if (typeof piece !== 'string' && piece.conversion !== 'derived')
          fields[piece.field] = values[piece.conversion]
      }
      // A count of entries is not negative.
      for (const count of ['nents', 'ents']) if (fields[count]) fields[count] = fc.nat()
      return fc.record({
        // A task's name begins with no space: that could not be told from what it is padded with.
        comm: letters('az09<>/:- ', 1, 15).map((name) => name.trimStart() || 'a'),
        pid: fc.nat(4_194_303),
        cpu: fc.nat(4095),
        flags: fc.constantFrom('.....', 'd..2.', 'DNs31'),
        usec: fc.nat({ max: 2 ** 50 }),
        event: fc.constant(event),
        fields: fc.record(fields),
      })
    })

describe('laws', () => {
  test.each(['6.1.192', '6.12.117'] as const)(
    'parseTrace() gives back the records that formatTrace() printed as %s',
    (kernel) => {
      fc.assert(
        fc.property(fc.array(recordOf(kernel), { maxLength: 8 }), (records) => {
          const text = formatTrace(records, kernel)
          const trace = parseTrace(text, 'law')
          expect(trace.records).toEqual(records)
          expect(trace.diagnostics).toEqual([])
          expect(printTrace(trace)).toBe(text)
        }),
        { numRuns: 2000 },
      )
    },
  )

  it('printTrace() gives back any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('#', '\n', ' ', 'a', '-', '1', '[', ']', ':', '.') }),
        (text) => {
          expect(printTrace(parseTrace(text, 'law'))).toBe(text)
        },
      ),
      { numRuns: 500 },
    )
  })
})
