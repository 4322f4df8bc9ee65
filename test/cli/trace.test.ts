// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { registerTrace } from '../../code/cli/trace.ts'
import { reportTrace, traceReportText } from '../../code/cli/trace_report.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { formatTrace } from '../../code/lib/trace_format.ts'

const folder = mkdtempSync(join(tmpdir(), 'contig-trace-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../lib/fixtures/traces/${name}`, import.meta.url))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function contig(...words: string[]): Promise<string> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const program = new Command()
  registerTrace(program)
  await program.parseAsync(['trace', ...words], { from: 'user' })
  return written.mock.calls.map(([text]) => String(text)).join('')
}

describe('contig trace', () => {
  it('reportTrace() reads lines that end in CR LF as those that end in LF, and ends with /dev/zero', () => {
    const text = readFileSync(fixture('board-6.12.txt'), 'utf8')
    const crlf = reportTrace(file('crlf.txt', text.replaceAll('\n', '\r\n')))
    const { counts, allocations, kernel } = reportTrace(fixture('board-6.12.txt'))
    expect(crlf).toMatchObject({ counts, allocations, kernel, diagnostics: [] })
    expect(() => reportTrace('/dev/zero')).toThrow(/got more than 64 MiB/)
    expect(traceReportText(reportTrace(file('empty.txt', '')))).toContain('no event in it: was tracing on?')
  })

  it('reportTrace() tells of a pinned page on a board of 6.12: a retry, what stood in the way, what moved', () => {
    const report = reportTrace(fixture('board-6.12.txt'))
    expect(report.kernel).toBe('6.12.117')
    expect(report.counts['cma_alloc_start']).toBe(7)
    const pinned = report.allocations.find(({ count }) => count === 375)!
    expect(pinned).toMatchObject({ area: 'reserved', align: 8, busy: [0x50100], blockers: [0x501ff] })
    expect(pinned).toMatchObject({ outcome: 'allocated', pfn: 0x50200, errno: 0 })
    expect(traceReportText(report)).toMatch(
      /cma_alloc of 375 pages from reserved, align 8\. Busy: 1 range, at pfn 0x50100\. In the way: pfn 0x501ff\. \d+ pages migrated\..* It got pfn 0x50200 … 0x50376 after \d+ µs\./,
    )
  })

  it('reportTrace() finds no end of a request larger than the area, on 6.1 and on 6.12 (MC-2.7)', () => {
    for (const name of ['board-6.1.txt', 'board-6.12.txt']) {
      const { allocations } = reportTrace(fixture(name))
      expect(allocations.find(({ count }) => count === 40000)).toMatchObject({
        outcome: 'unknown',
        took: null,
      })
      expect(allocations.filter(({ outcome }) => outcome === 'allocated').length).toBe(6)
    }
  })

  it('reportTrace() tells a failure by its errno, and without one by a page that is NULL', () => {
    const trace = createTrace()
    trace.enabled = true
    const area = { name: 'r', count: 2, align: 1 }
    trace.emit('cma_alloc_start', area)
    trace.emit('cma_alloc_busy_retry', { ...area, pfn: 0x100 })
    trace.emit('cma_alloc_finish', { ...area, pfn: 0x101, errorno: -16 })
    for (const [kernel, errno, words] of [
      ['6.1.192', null, 'It failed after 2 µs.'],
      ['6.12.117', -16, 'It failed with -16 after 2 µs.'],
    ] as const) {
      const report = reportTrace(file('failed.txt', formatTrace(trace.records, kernel)))
      expect(report.allocations).toMatchObject([{ outcome: 'failed', pfn: null, errno, busy: [0x100] }])
      expect(traceReportText(report)).toContain(words)
    }
  })

  it('reportTrace() reads the one event that 4.12 has, and says what was lost', () => {
    const text =
      'CPU:0 [LOST 9 EVENTS]\n           a b-7     [000] ....     1.000000: cma_alloc: pfn=50100 page=ffff7e0001404000 count=16 align=4\n'
    const report = reportTrace(file('old.txt', text))
    expect(report.allocations).toMatchObject([
      { task: 'a b-7', area: null, pfn: 0x50100, outcome: 'allocated' },
    ])
    expect(traceReportText(report)).toContain('9 events lost')
    expect(traceReportText(report)).toContain('cma_alloc of 16 pages, align 4. It got pfn 0x50100 … 0x5010f.')
  })

  it('contig trace prints one JSON object, and leaves with 0', async () => {
    const { allocations, diagnostics } = JSON.parse(
      await contig(fixture('board-6.1.txt'), '--json'),
    ) as ReturnType<typeof reportTrace>
    expect(diagnostics).toEqual([])
    expect(allocations.length).toBe(7)
    expect(process.exitCode).toBeUndefined()
  })

  it('contig trace says where a trace was cut, tells of what stands before, and leaves with 1', async () => {
    const whole = readFileSync(fixture('board-6.12.txt'), 'utf8')
    const cut = whole.slice(0, whole.indexOf('page=', whole.indexOf('cma_alloc_finish')))
    const text = await contig(file('cut.txt', cut))
    expect(text).toMatch(
      /cut\.txt:19:\d+: error: the trace ends in the middle of a line: got ".*\[trace-cut\]/,
    )
    expect(text).toContain('6 events')
    expect(process.exitCode).toBe(1)
  })

  it('reportTrace() complains of a file that is not there, with what to do', () => {
    const complaint = (() => {
      try {
        return reportTrace(join(folder, 'missing.txt'))
      } catch (error) {
        return error
      }
    })()
    expect(complaint).toBeInstanceOf(Complaint)
    expect((complaint as Complaint).exitCode).toBe(2)
    expect((complaint as Complaint).next[0]).toContain('/sys/kernel/tracing/trace')
  })
})
