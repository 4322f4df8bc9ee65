// SPDX-License-Identifier: MIT
//
// The search of cma_alloc(), with a range step that says what the test wants; with real pages in contig_range.test.ts.
import { describe, expect, it, test } from 'vitest'
import { bitmap_set, bitmap_weight, bitmap_zalloc, test_bit } from '../../code/lib/bitmap.ts'
import { EBUSY, EINTR, EINVAL, ENOMEM } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createMemblock } from '../../code/mm/memblock.ts'
import { cma_alloc, cma_release, freeParts } from '../../code/mm/cma.ts'
import { createCma, type ActiveCma, type Cma, type CmaAreas } from '../../code/mm/cma_declare.ts'
import type { ContigRange } from '../../code/mm/contig_range.ts'
import { smallMachine } from '../support/mm_machine.ts'

const areaMachine = (kernel: KernelVersion) => smallMachine({ kernel, pages: 8192, cmaPages: 2048 })
const MODERN = ['6.1.192', '6.12.117'] as const
const SINCE_4 = KERNEL_VERSIONS.filter((kernel) => kernelAtLeast(kernel, '4.6'))

interface Where {
  readonly base_pfn?: number
  readonly order_per_bit?: number
  /** Bits that are taken, from bit 0 on. */
  readonly taken?: number
}

// An area of `count` pages that need not be there.
function areaOf(count: number, { base_pfn = 0x8_0000, order_per_bit = 0, taken = 0 }: Where = {}): ActiveCma {
  const areas: CmaAreas = {
    ...{ kernel: '6.12.117', memblock: createMemblock(), log: new Printk(), minAlignment: 4096, maxAreas: 1 },
    ...{ highmemStart: 0, areas: [] },
  }
  const cma = createCma(areas, base_pfn * 4096, count * 4096, order_per_bit, 'reserved')
  const bitmap = bitmap_zalloc(count >> order_per_bit)
  bitmap_set(bitmap, 0, taken)
  return Object.assign(cma, { bitmap })
}

const vmOf = (kernel: KernelVersion) => smallMachine({ kernel, pages: 4096, cmaPages: 1024 }).vm

// Attempts to take a range, each ended by the next of `rets`, the rest by `then`.
function ranges(then: number, rets: number[] = []): { tried: number[]; contigRange: ContigRange } {
  const tried: number[] = []
  const contigRange: ContigRange = (_vm, start) => {
    tried.push(start)
    return rets.shift() ?? then
  }
  return { tried, contigRange }
}

const MiB = (n: number) => n * 256
const ORDER = (pages: number) => Math.min(Math.ceil(Math.log2(pages)), 8)

// Where requests land, as bits, one after the other; null for a failure.
function bitsOf(kernel: KernelVersion, cma: ActiveCma, pages: number[]): (number | null)[] {
  const vm = vmOf(kernel)
  return pages.map((count) => {
    const pfn = cma_alloc(vm, cma, count, ORDER(count), false, ranges(0).contigRange)
    return pfn === null ? null : (pfn - cma.base_pfn) >> cma.order_per_bit
  })
}
const ten = Array.from({ length: 10 }, (_, i) => MiB(i + 1))
const none = (count: number) => Array.from({ length: count }, () => null)

describe.each(KERNEL_VERSIONS)('cma_alloc() of %s', (kernel) => {
  test('TV-1, MC-2.12: sizes of 1 to 10 MiB, 96 of 4096 bits taken', () => {
    const cma = areaOf(4096, { taken: 96 })
    expect(bitsOf(kernel, cma, ten)).toEqual([256, 512, 1024, 1792, 2816, ...none(5)])
    expect(freeParts(cma)).toBe('number of available pages: 160@96=> 160 free of 4096 total pages')
  })

  test('TV-2: the same in 16384 bits', () => {
    const bits = [256, 512, 1024, 1792, 2816, 4096, 5632, 7424, 9472, 11776]
    expect(bitsOf(kernel, areaOf(16384, { taken: 96 }), ten)).toEqual(bits)
  })

  test('MC-2.12: with and without the atomic pool of 64 pages; 32 MiB; 64 MiB', () => {
    const parts = (cma: ActiveCma) => /: (.*)=>/.exec(freeParts(cma))![1]
    const placed = (count: number, taken: number) => {
      const cma = areaOf(count, { taken })
      return { bits: bitsOf(kernel, cma, ten), parts: parts(cma) }
    }
    const small = [256, 512, 1024, 1792, 2816]
    expect(placed(4096, 64)).toEqual({ bits: [...small, ...none(5)], parts: '192@64' })
    expect(placed(4096, 0)).toEqual({ bits: [0, 256, 768, 1536, 2560, ...none(5)], parts: '256@3840' })
    expect(placed(8192, 64)).toEqual({ bits: [...small, 4096, 5632, ...none(3)], parts: '192@64+768@7424' })
    const large = placed(16384, 64)
    expect([large.bits.at(-1), large.parts]).toEqual([11776, '192@64+2048@14336'])
  })

  test('TV-3: counts are not rounded up, only places are aligned', () => {
    const bits = bitsOf(kernel, areaOf(8192), [375, 1, 3, 1, 1280, 4096])
    expect(bits).toEqual([0, 375, 376, 379, 512, 1792])
  })

  test('MC-2.1: the search begins at bit 0 every time', () => {
    const vm = vmOf(kernel)
    const cma = areaOf(1024)
    const take = () => cma_alloc(vm, cma, 10, 0, true, ranges(0).contigRange)! - cma.base_pfn
    expect([take(), take(), take()]).toEqual([0, 10, 20])
    cma.bitmap.words[0]! &= ~0x3ff
    expect([take(), take()]).toEqual([0, 30])
  })

  test('MC-2.3: a busy range is followed by the one mask + 1 bits on', () => {
    const vm = vmOf(kernel)
    const aligned = ranges(0, [-EBUSY, -EBUSY])
    const cma = areaOf(8192, { base_pfn: 0x4_fe00 })
    expect(cma_alloc(vm, cma, 3072, 8, false, aligned.contigRange)).toBe(0x5_0000)
    expect(aligned.tried).toEqual([0x4_fe00, 0x4_ff00, 0x5_0000])
    const unaligned = ranges(0, [-EBUSY, -EBUSY])
    cma_alloc(vm, areaOf(64, { base_pfn: 0x1000 }), 7, 0, false, unaligned.contigRange)
    expect(unaligned.tried).toEqual([0x1000, 0x1001, 0x1002])
  })

  test.each([-EINTR, -ENOMEM, -EINVAL])('MC-2.4: %i ends the search, and no bit stays set', (ret) => {
    const cma = areaOf(4096, { taken: 32 })
    const { tried, contigRange } = ranges(ret)
    expect(cma_alloc(vmOf(kernel), cma, 256, 8, true, contigRange)).toBeNull()
    expect(tried).toEqual([cma.base_pfn + 256])
    expect(bitmap_weight(cma.bitmap, 4096)).toBe(32)
  })

  test('counts and orders that are none are no requests', () => {
    const cma = areaOf(1024)
    for (const [count, align] of [
      [-1, 0],
      [1.5, 0],
      [NaN, 0],
      [1, -1],
      [1, 4096],
    ] as const) {
      expect(() => cma_alloc(vmOf(kernel), cma, count, align, true)).toThrow(
        `cma_alloc: ${count} pages aligned to 2^${align} pages, expected integers from 0`,
      )
    }
    expect(bitmap_weight(cma.bitmap, 1024)).toBe(0)
  })

  test('MC-2.5: bits are set while the range is emptied, in 3.x only after it', () => {
    const cma = areaOf(1024)
    const seen: boolean[] = []
    cma_alloc(vmOf(kernel), cma, 16, 0, false, () => {
      seen.push(test_bit(0, cma.bitmap), test_bit(15, cma.bitmap), test_bit(16, cma.bitmap))
      return 0
    })
    const before = kernelAtLeast(kernel, '4.6')
    expect(seen).toEqual([before, before, false])
    expect(bitmap_weight(cma.bitmap, 1024)).toBe(16)
  })

  test('TV-4, MC-2.6: every candidate is busy: 18 of them', () => {
    const cma = areaOf(32768, { base_pfn: 0x5_7600, taken: 96 })
    const { tried, contigRange } = ranges(-EBUSY)
    expect(cma_alloc(vmOf(kernel), cma, 28160, 8, true, contigRange)).toBeNull()
    expect(tried).toEqual(Array.from({ length: 18 }, (_, k) => 0x5_7600 + 256 + 256 * k))
    expect(bitmap_weight(cma.bitmap, 32768)).toBe(96)
  })

  test('TV-5, MC-2.4: -ENOMEM at the first candidate is the end', () => {
    const { tried, contigRange } = ranges(-ENOMEM)
    expect(cma_alloc(vmOf(kernel), areaOf(32768), 256, 8, true, contigRange)).toBeNull()
    expect(tried).toHaveLength(1)
  })
})

describe('cma_alloc() aligns by pfn', () => {
  const firstTwo = (kernel: KernelVersion, base_pfn: number, align: number) => {
    const cma = areaOf(16384, { base_pfn })
    const { tried, contigRange } = ranges(0, [-EBUSY])
    cma_alloc(vmOf(kernel), cma, 1, align, true, contigRange)
    return tried.map((pfn) => pfn - base_pfn)
  }

  test.each(SINCE_4)('TV-6, MC-2.2: mask and offset of a base that is not aligned [%s]', (kernel) => {
    expect(firstTwo(kernel, 0x7_c200, 8)).toEqual([0, 0x100])
    expect(firstTwo(kernel, 0x7_c200, 10)).toEqual([0x200, 0x600])
    expect(firstTwo(kernel, 0x7_c280, 8)).toEqual([0x80, 0x180])
  })

  it('wrong in 4.x where the base is a quarter off, right in 6.x', () => {
    expect(firstTwo('4.12.4', 0x7_c400, 12)).toEqual([0x400, 0x1400])
    expect(firstTwo('6.1.192', 0x7_c400, 12)).toEqual([0xc00, 0x1c00])
  })

  it('by bit alone in 3.x', () => {
    expect(firstTwo('3.5', 0x7_c280, 8)).toEqual([0, 0x100])
  })

  test.each(SINCE_4)('MC-2.13: a bit may stand for many pages [%s]', (kernel) => {
    const cma = areaOf(4096, { order_per_bit: 9, taken: 2 })
    expect(cma_alloc(vmOf(kernel), cma, 513, 0, false, ranges(0).contigRange)).toBe(cma.base_pfn + 1024)
    expect(freeParts(cma)).toBe('number of available pages: 2048@4=> 2048 free of 4096 total pages')
  })
})

describe('what cma_alloc() says when it fails', () => {
  // The log of one failure.
  function failure(
    kernel: KernelVersion,
    taken: number,
    count: number,
    ret: number,
    no_warn = false,
  ): string[] {
    const vm = vmOf(kernel)
    const lines = vm.log.lines.length
    const cma = areaOf(taken === 96 ? 32768 : 4096, { base_pfn: 0x5_7600, taken })
    cma_alloc(vm, cma, count, 8, no_warn, ranges(ret).contigRange)
    return vm.log.lines.slice(lines)
  }

  it('MC-2.6: ret is -12 when there was no candidate, -16 when the last one was busy', () => {
    const failed = (what: string) => `cma: cma_alloc: reserved: alloc failed, req-size: ${what}`
    expect(failure('6.1.192', 4096, 256, 0)).toEqual([failed('256 pages, ret: -12')])
    expect(failure('6.1.192', 96, 28160, -EBUSY)).toEqual([failed('28160 pages, ret: -16')])
    expect(failure('6.1.192', 96, 25600, -ENOMEM)).toEqual([failed('25600 pages, ret: -12')])
  })

  it('6.12 names another function and shows what is free', () => {
    expect(failure('6.12.117', 96, 28160, -EBUSY)).toEqual([
      'cma: __cma_alloc: reserved: alloc failed, req-size: 28160 pages, ret: -16',
      'cma: number of available pages: 32672@96=> 32672 free of 32768 total pages',
    ])
    expect(failure('6.12.117', 4096, 256, 0)[1]).toBe(
      'cma: number of available pages: => 0 free of 4096 total pages',
    )
  })

  it('6.x keeps silent for no_warn, 4.12 for nobody, the others always', () => {
    expect(failure('6.12.117', 4096, 256, 0, true)).toEqual([])
    expect(failure('4.12.4', 4096, 256, 0, true)).toEqual([
      'cma: cma_alloc: alloc failed, req-size: 256 pages, ret: -12',
    ])
    for (const kernel of ['3.5', '3.9', '4.6'] as const) expect(failure(kernel, 4096, 256, 0)).toEqual([])
  })
})

describe('events and counters of cma_alloc()', () => {
  function told(kernel: KernelVersion, cma: ActiveCma, count: number, range = ranges(0)) {
    const vm = vmOf(kernel)
    vm.trace.enabled = true
    const pfn = cma_alloc(vm, cma, count, 8, false, range.contigRange)
    const { cma_alloc_success, cma_alloc_fail } = vm.pgdat.vm_event
    return {
      pfn,
      events: vm.trace.records.map(({ event, fields }) => [event, fields]),
      counters: [cma_alloc_success, cma_alloc_fail, cma.nr_pages_succeeded, cma.nr_pages_failed],
      lines: vm.log.lines.filter((line) => line.startsWith('cma: ') && line.includes('alloc')),
    }
  }
  const name = 'reserved'

  it('a success, after a busy range', () => {
    const page = { pfn: 0x8_0100, page: 0x8_0100, count: 256, align: 8 }
    const start = ['cma_alloc_start', { name, count: 256, align: 8 }]
    const retry = ['cma_alloc_busy_retry', { name, pfn: 0x8_0000, page: 0x8_0000, count: 256, align: 8 }]
    const once = (kernel: KernelVersion) => told(kernel, areaOf(4096), 256, ranges(0, [-EBUSY]))
    expect(once('6.1.192')).toMatchObject({
      events: [start, retry, ['cma_alloc_finish', { name, ...page }]],
      counters: [1, 0, 256, 0],
    })
    expect(once('6.12.117').events).toEqual([
      start,
      retry,
      ['cma_alloc_finish', { name, ...page, errorno: 0 }],
    ])
    expect(once('4.12.4')).toMatchObject({ events: [['cma_alloc', page]], counters: [0, 0, 0, 0] })
    expect(once('3.9').events).toEqual([])
  })

  test.each(MODERN)('MC-2.6: a full area: the event has pfn -1, 6.12 the errno as well [%s]', (kernel) => {
    const { events, counters } = told(kernel, areaOf(4096, { taken: 4096 }), 256)
    const errorno = kernel === '6.12.117' ? { errorno: -ENOMEM } : {}
    expect(events[1]).toEqual([
      'cma_alloc_finish',
      { name, pfn: -1, page: 0, count: 256, align: 8, ...errorno },
    ])
    expect(counters).toEqual([0, 1, 0, 256])
  })

  it('TV-42, MC-2.7: more than the area has: no finish, no line; 6.1 counts a failure', () => {
    const start = ['cma_alloc_start', { name, count: 5000, align: 8 }]
    const much = (kernel: KernelVersion) => told(kernel, areaOf(4096), 5000)
    const nothing = { pfn: null, lines: [] as string[] }
    expect(much('6.1.192')).toEqual({ ...nothing, events: [start], counters: [0, 1, 0, 5000] })
    expect(much('6.12.117')).toEqual({ ...nothing, events: [start], counters: [0, 0, 0, 0] })
    expect(much('4.12.4')).toEqual({ ...nothing, events: [], counters: [0, 0, 0, 0] })
    // 4.6 does not compare: it searches, and says so.
    expect(much('4.6').events).toEqual([['cma_alloc', { pfn: -1, page: 0, count: 5000, align: 8 }]])
  })

  it('TV-42, MC-2.8: no pages at all: 6.1 counts and has no event, 6.12 the other way round', () => {
    expect(told('6.1.192', areaOf(4096), 0)).toMatchObject({ pfn: null, events: [], counters: [0, 1, 0, 0] })
    expect(told('6.12.117', areaOf(4096), 0)).toMatchObject({
      ...{ pfn: null, counters: [0, 0, 0, 0] },
      events: [['cma_alloc_start', { name, count: 0, align: 8 }]],
    })
  })

  it('no area', () => {
    const vm = vmOf('6.1.192')
    expect(cma_alloc(vm, null, 1, 0, false)).toBeNull()
    expect(vm.pgdat.vm_event.cma_alloc_fail).toBe(1)
    expect(cma_alloc(vmOf('4.6'), null, 1, 0, false)).toBeNull()
  })

  it('MC-4.8: before activation there is no memory to be had; 4.x does not survive the question', () => {
    const early = (kernel: KernelVersion) => {
      const vm = vmOf(kernel)
      const cma: Cma = areaOf(4096)
      cma.bitmap = null
      const pfn = cma_alloc(vm, cma, 1, 0, false)
      return [pfn, vm.pgdat.vm_event.cma_alloc_fail, cma.nr_pages_failed]
    }
    expect(early('6.1.192')).toEqual([null, 1, 1])
    expect(early('6.12.117')).toEqual([null, 0, 0])
    expect(early('3.5')).toEqual([null, 0, 0])
    expect(() => early('4.12.4')).toThrow(/reserved has no bitmap, expected one of 4096 bits/)
  })
})

describe('cma_release()', () => {
  test.each(KERNEL_VERSIONS)('MC-2.9: clears the bits of these pages and no others [%s]', (kernel) => {
    const { vm, cma } = areaMachine(kernel)
    const pfn = cma_alloc(vm, cma, 100, 0, false)!
    expect(cma_release(vm, cma, pfn + 10, 20)).toBe(true)
    const bits = (from: number, to: number) =>
      bitmap_weight(cma.bitmap!, to) - bitmap_weight(cma.bitmap!, from)
    expect([bits(0, 10), bits(10, 30), bits(30, 100), bits(100, 2048)]).toEqual([10, 0, 70, 0])
  })

  test.each(SINCE_4)('MC-2.9: as many bits as the pages need [%s]', (kernel) => {
    const { vm, cma: real } = areaMachine(kernel)
    const cma = Object.assign({ ...real }, { order_per_bit: 4, bitmap: bitmap_zalloc(2048 >> 4) })
    const pfn = cma_alloc(vm, cma, 33, 0, false)!
    expect(bitmap_weight(cma.bitmap, 128)).toBe(3)
    expect(cma_release(vm, cma, pfn, 33)).toBe(true)
    expect(bitmap_weight(cma.bitmap, 128)).toBe(0)
  })

  test.each(KERNEL_VERSIONS)('MC-2.9: of another area does nothing [%s]', (kernel) => {
    const { vm, cma } = areaMachine(kernel)
    const other = areaOf(1024, { taken: 512 })
    const pfn = cma_alloc(vm, cma, 8, 0, false)!
    expect(cma_release(vm, other, pfn, 8)).toBe(false)
    expect(cma_release(vm, null, pfn, 8)).toBe(false)
    expect(cma_release(vm, cma, null, 8)).toBe(false)
    expect(cma_release(vm, cma, cma.base_pfn + cma.count, 8)).toBe(false)
    expect([bitmap_weight(cma.bitmap!, 2048), bitmap_weight(other.bitmap, 1024)]).toEqual([8, 512])
  })

  it('throws for a range that ends behind the area', () => {
    const { vm, cma } = areaMachine('6.12.117')
    const last = cma.base_pfn + cma.count - 1
    expect(() => cma_release(vm, cma, last, 2)).toThrow(
      /2 pages from pfn 0x41fff end at 0x42001, expected at most 0x42000/,
    )
  })

  it('says so in an event', () => {
    const { vm, cma } = areaMachine('6.12.117')
    const pfn = cma_alloc(vm, cma, 8, 0, false)!
    vm.trace.enabled = true
    cma_release(vm, cma, pfn, 8)
    const events = vm.trace.records.filter(({ event }) => event === 'cma_release')
    expect(events.map(({ fields }) => fields)).toEqual([{ name: 'reserved', pfn, page: pfn, count: 8 }])
  })
})
