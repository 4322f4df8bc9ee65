// SPDX-License-Identifier: MIT
import { describe, expect, it, test } from 'vitest'
import { createTrace, type TraceValue } from '../../code/lib/trace.ts'
import { TRACE_EVENTS, traceEventFormat } from '../../code/lib/trace_events.ts'
import { formatTrace, formatTraceRecord } from '../../code/lib/trace_format.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'

type Fields = Record<string, TraceValue>

// What stands behind `event: `, or null.
function said(event: string, fields: Fields, kernel: KernelVersion, bits: 32 | 64 = 64): string | null {
  const record = { comm: 'init', pid: 1, cpu: 0, flags: '.....', usec: 7, event, fields }
  return formatTraceRecord(record, kernel, bits)?.split(`${event}: `)[1] ?? null
}

const finish = { name: 'reserved', pfn: 0x57700, page: '00000000fa37b334', count: 2048, align: 8, errorno: 0 }
const map = { device: 'cam', dir: 2, dma_addr: 0x48134000, size: 512, phys_addr: 0x48134000, attrs: 1 << 5 }

describe('one event by kernel', () => {
  test.each<[string, Fields, KernelVersion, string | null]>([
    ['cma_alloc_start', { name: 'r', count: 3, align: 2 }, '6.1.192', 'name=r count=3 align=2'],
    [
      'cma_alloc_finish',
      finish,
      '6.1.192',
      'name=reserved pfn=0x57700 page=00000000fa37b334 count=2048 align=8',
    ],
    [
      'cma_alloc_finish',
      finish,
      '6.12.117',
      'name=reserved pfn=0x57700 page=00000000fa37b334 count=2048 align=8 errorno=0',
    ],
    ['cma_release', finish, '6.12.117', 'name=reserved pfn=0x57700 page=00000000fa37b334 count=2048'],
    ['cma_alloc', finish, '4.12.4', 'pfn=57700 page=00000000fa37b334 count=2048 align=8'],
    ['cma_release', finish, '4.12.4', 'pfn=57700 page=00000000fa37b334 count=2048'],
    ['cma_alloc', finish, '6.1.192', null],
    ['cma_alloc_start', finish, '4.12.4', null],
    ['dma_map_page', map, '6.1.192', null],
    [
      'dma_map_page',
      map,
      '6.12.117',
      'cam dir=FROM_DEVICE dma_addr=48134000 size=512 phys_addr=48134000 attrs=SKIP_CPU_SYNC',
    ],
    [
      'dma_unmap_page',
      { ...map, attrs: 0 },
      '6.12.117',
      'cam dir=FROM_DEVICE dma_addr=48134000 size=512 attrs=',
    ],
    [
      'swiotlb_bounced',
      { dev_name: 'cam', dma_mask: 0xfff_ffff, dev_addr: 0x80199e00, size: 24, force: 0 },
      '6.1.192',
      'dev_name: cam dma_mask=fffffff dev_addr=80199e00 size=24 NORMAL',
    ],
    [
      'mm_compaction_isolate_migratepages',
      { start_pfn: 0x50060, end_pfn: 0x50070, nr_scanned: 16, nr_taken: 16 },
      '6.12.117',
      'range=(0x50060 ~ 0x50070) nr_scanned=16 nr_taken=16',
    ],
    [
      'mm_compaction_isolate_migratepages',
      { nr_scanned: 16, nr_taken: 16 },
      '3.9',
      'nr_scanned=16 nr_taken=16',
    ],
    [
      'mm_page_free',
      { page: '0000000001f28bc1', pfn: 16, order: 3 },
      '4.12.4',
      'page=0000000001f28bc1 pfn=16 order=3',
    ],
    [
      'mm_page_free',
      { page: '0000000001f28bc1', pfn: 16, order: 3 },
      '6.1.192',
      'page=0000000001f28bc1 pfn=0x10 order=3',
    ],
    [
      'mm_alloc_contig_migrate_range_info',
      { start: 0x50060, end: 0x50070, migratetype: 0, nr_migrated: 4, nr_reclaimed: 16, nr_mapped: 0 },
      '6.12.117',
      'start=0x50060 end=0x50070 migratetype=0 nr_migrated=4 nr_reclaimed=16 nr_mapped=0',
    ],
  ])('formatTraceRecord() prints %s of %o on %s', (event, fields, kernel, text) => {
    expect(said(event, fields, kernel)).toBe(text)
  })

  test.each([
    [0x50200, 'fail'],
    [0x50400, 'success'],
    [0x50600, 'success'],
  ])('formatTraceRecord() says of a range up to 0x50400 that ended at %i: %s', (fin_pfn, ret) => {
    const range = { start_pfn: 0x50100, end_pfn: 0x50400, fin_pfn }
    expect(said('test_pages_isolated', range, '6.12.117')).toMatch(new RegExp(`ret=${ret}$`))
  })

  it('formatTraceRecord() counts no more than 128 entries of a list as shown', () => {
    const list = { ...map, dma_addrs: '{}', sizes: '{}', phys_addrs: '{}' }
    expect(said('dma_map_sg', { ...list, nents: 128, ents: 3 }, '6.12.117')).toMatch(
      /nents=128\/128 ents=3\/3 dma/,
    )
    expect(said('dma_map_sg', { ...list, nents: 129, ents: 3 }, '6.12.117')).toMatch(
      /nents=128\/129 ents=3\/3 \[TRUNCATED\] dma/,
    )
  })

  test.each([
    [0xcc0, 'GFP_KERNEL'],
    [0xdc0, 'GFP_KERNEL|__GFP_ZERO'],
    [0x820, 'GFP_ATOMIC'],
    [0x144cc8, 'GFP_USER|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_MOVABLE'],
    [0x100cca, 'GFP_HIGHUSER_MOVABLE'],
    [0x1c24ca, 'GFP_TRANSHUGE'],
    [0x4000_0cc0, 'GFP_KERNEL|0x40000000'],
    [0, 'none'],
  ])('formatTraceRecord() names the gfp flags %i: %s', (gfp_flags, names) => {
    const alloc = { pfn: 1, order: 0, migratetype: 0, gfp_flags }
    expect(said('mm_page_alloc', alloc, '6.12.117')).toMatch(
      new RegExp(`gfp_flags=${names.replaceAll('|', '\\|')}$`),
    )
  })
})

describe('numbers and pages', () => {
  const none = { name: 'r', pfn: -1, count: 1, align: 0, errorno: -12 }

  it('formatTraceRecord() prints a pfn of -1 in all bits of an unsigned long, and NULL for its page', () => {
    expect(said('cma_alloc_finish', none, '6.12.117')).toBe(
      'name=r pfn=0xffffffffffffffff page=0000000000000000 count=1 align=0 errorno=-12',
    )
    expect(said('cma_alloc_finish', none, '6.12.117', 32)).toBe(
      'name=r pfn=0xffffffff page=00000000 count=1 align=0 errorno=-12',
    )
  })

  it('formatTraceRecord() prints the same word for the same page, and NULL when it failed at one', () => {
    const page = (fields: Fields) => /page=(\w+)/.exec(said('cma_alloc_finish', fields, '6.12.117')!)![1]
    const unnamed = { name: 'r', pfn: 0x57700, count: 2048, align: 8, errorno: 0 }
    expect(page(unnamed)).toMatch(/^00000000[0-9a-f]{8}$/)
    expect(page(unnamed)).toBe(page({ ...unnamed, count: 1 }))
    expect(page(unnamed)).not.toBe(page({ ...unnamed, pfn: 0x57701 }))
    expect(page({ ...unnamed, errorno: -16 })).toBe('0000000000000000')
  })

  it('formatTraceRecord() throws when a field is missing, with what it got and what it expected', () => {
    expect(() => said('cma_alloc_finish', { name: 'r', pfn: 1, count: 1, align: 0 }, '6.12.117')).toThrow(
      'cma_alloc_finish has fields name, pfn, count, align, and no errorno, which 6.12.117 prints; hand it to trace.emit()',
    )
  })
})

describe('a whole trace', () => {
  function emitted() {
    const trace = createTrace()
    trace.enabled = true
    trace.emit('cma_alloc_start', { name: 'reserved', count: 256, align: 8 })
    trace.current = { comm: 'cam', pid: 77 }
    trace.emit('dma_sync_single_for_cpu', map)
    return trace.records
  }

  it('formatTrace() leaves out, and does not count, what the kernel does not have', () => {
    const [new612, old61] = (['6.12.117', '6.1.192'] as const).map((kernel) => formatTrace(emitted(), kernel))
    expect(new612).toMatch(/^# tracer: nop\n#\n# entries-in-buffer\/entries-written: 2\/2 {3}#P:1\n#\n/)
    expect(new612!.split('\n').slice(-3)).toEqual([
      '       swapper/0-1       [000] .....     0.000001: cma_alloc_start: name=reserved count=256 align=8',
      '             cam-77      [000] .....     0.000002: dma_sync_single_for_cpu: cam dir=FROM_DEVICE dma_addr=48134000 size=512',
      '',
    ])
    expect(old61).toContain('entries-written: 1/1   #P:1')
    expect(old61).not.toContain('dma_sync')
  })

  it('formatTrace() has narrower columns and four flags before 6.1, and none without irq-info', () => {
    const record = { ...emitted()[0]!, event: 'cma_alloc', fields: finish }
    const text = formatTrace([record], '4.12.4', { cpus: 4 })
    expect(text).toContain('#P:4\n#\n#                              _-----=> irqs-off\n')
    expect(text).toContain('\n       swapper/0-1     [000] ....     0.000001: cma_alloc: pfn=57700 page=')
    expect(formatTrace([{ ...record, event: 'cma_release', flags: '' }], '6.12.117')).toContain(
      '\n#           TASK-PID     CPU#     TIMESTAMP  FUNCTION\n#              | |         |         |         |\n' +
        '       swapper/0-1       [000]      0.000001: cma_release: ',
    )
  })

  it('traceEventFormat() gives each kernel at most one format of an event', () => {
    for (const kernel of ['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117'] as const) {
      const events = TRACE_EVENTS.filter((format) => traceEventFormat(format.event, kernel) === format)
      expect(new Set(events.map(({ event }) => event)).size).toBe(events.length)
    }
    expect(TRACE_EVENTS.filter(({ event, since }) => !traceEventFormat(event, since))).toEqual([])
  })
})
