// SPDX-License-Identifier: MIT
//
// What holds for every kernel, whatever happens: areas and their neighbours under random load.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bitmap_set, bitmap_zalloc, test_bit, type Bitmap } from '../../code/lib/bitmap.ts'
import { EBUSY, ENOMEM } from '../../code/lib/errno.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import { createCma, type Cma, type CmaAreas } from '../../code/mm/cma_declare.ts'
import { alloc_contig_range, type ContigRange } from '../../code/mm/contig_range.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { createMemblock } from '../../code/mm/memblock.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { get_pageblock_migratetype } from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import type { MmStruct, Vm } from '../../code/mm/vm.ts'
import { listedBlocks } from '../support/memory_picture.ts'
import {
  PAGE,
  pfnAt,
  processWith,
  readStamp,
  smallMachine,
  writeStamp,
  type SmallMachine,
} from '../support/mm_machine.ts'
import { LAWS_TIMES } from '../support/laws_seed.ts'

const PAGES = 4096
const AREA = 3072

type Step =
  | { do: 'cma_alloc'; count: number; align: number }
  | { do: 'cma_release'; which: number; part: number }
  | { do: 'alloc'; movable: boolean; order: number }
  | { do: 'free'; which: number }
  | { do: 'touch'; page: number }
  | { do: 'pin'; page: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('cma_alloc' as const),
      count: fc.integer({ min: 1, max: 1500 }),
      align: fc.integer({ min: 0, max: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('cma_release' as const),
      which: fc.nat(9),
      part: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('alloc' as const), movable: fc.boolean(), order: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('free' as const), which: fc.nat(19) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('touch' as const), page: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pin' as const), page: fc.nat(255) }) },
)

// A machine that is nearly full outside its area, so that programs get pages of the area.
interface Load extends SmallMachine {
  readonly mm: MmStruct
  readonly va: number
  /** What the test holds. */
  readonly ranges: { pfn: number; count: number }[]
  readonly blocks: { pfn: number; order: number }[]
  readonly pins: number[]
  readonly touched: Set<number>
}

function loaded(kernel: KernelVersion): Load {
  const machine = smallMachine({ kernel, pages: PAGES, cmaPages: AREA })
  const { mm, va } = processWith(machine.vm, 256)
  while (machine.zone.vm_stat[NR_FREE_PAGES]! > AREA + 300) __alloc_pages(machine.vm.pgdat, GFP_KERNEL, 0)
  return { ...machine, mm, va, ranges: [], blocks: [], pins: [], touched: new Set() }
}

// What a failure must leave alone.
function stateOf({ vm: { pgdat }, zone, cma }: SmallMachine) {
  // Blocks outside the area may change their type for a target of migration, and stay so.
  const area = (cma.base_pfn - pgdat.map.start_pfn) >> pgdat.pageblock_order
  return {
    types: [...pgdat.pageblock_flags.slice(area)].join(''),
    // Not those of CMA alone: a page that has moved in vain may have left the area.
    free: zone.vm_stat[NR_FREE_PAGES],
    words: [...cma.bitmap!.words].join(),
  }
}

// The first place at or behind `start`, bit by bit.
function naiveFit(
  vm: Vm,
  cma: Cma,
  bitmap: Bitmap,
  start: number,
  count: number,
  align: number,
): number | null {
  const per = 2 ** cma.order_per_bit
  const bits = Math.ceil(count / per)
  for (let bit = start; bit + bits <= cma.count / per; bit++) {
    let fits = isAligned(vm, cma, bit * per, align)
    for (let i = bit; i < bit + bits && fits; i++) fits = !test_bit(i, bitmap)
    if (fits) return bit
  }
  return null
}

// Whether a range may begin so many pages behind the start of the area.
function isAligned({ pgdat: { kernel } }: Vm, cma: Cma, page: number, align: number): boolean {
  const unit = 2 ** align
  if (!kernelAtLeast(kernel, '4.6')) return page % unit === 0
  if (align <= cma.order_per_bit) return true
  if (kernelAtLeast(kernel, '6.1.192')) return (cma.base_pfn + page) % unit === 0
  // 4.x measures from the wrong side.
  return (page + (Math.ceil(cma.base_pfn / unit) * unit - cma.base_pfn)) % unit === 0
}

function copyOf({ nbits, words }: Bitmap): Bitmap {
  return { nbits, words: words.slice() }
}

// Which places must be tried, given what each attempt came to.
function expectedTries(
  vm: Vm,
  cma: Cma,
  before: Bitmap,
  count: number,
  align: number,
  rets: number[],
): number[] {
  const tries: number[] = []
  const mask = Math.max(2 ** align / 2 ** cma.order_per_bit, 1) - 1
  for (let start = 0; ;) {
    const bit = naiveFit(vm, cma, before, start, count, align)
    if (bit === null) return tries
    tries.push(bit)
    if (rets[tries.length - 1] !== -EBUSY) return tries
    start = bit + mask + 1
  }
}

function run(load: Load, todo: Step): void {
  const { vm, cma, mm, va, ranges, blocks, pins, touched } = load
  const { map } = vm.pgdat
  switch (todo.do) {
    case 'cma_alloc': {
      const before = { state: stateOf(load), bitmap: copyOf(cma.bitmap!) }
      const tried: number[] = []
      const rets: number[] = []
      const range: ContigRange = (machine, start, ...rest) => {
        tried.push(start - cma.base_pfn)
        rets.push(alloc_contig_range(machine, start, ...rest))
        return rets.at(-1)!
      }
      const pfn = cma_alloc(vm, cma, todo.count, todo.align, true, range)
      expect(tried).toEqual(expectedTries(vm, cma, before.bitmap, todo.count, todo.align, rets))
      if (pfn === null) expect(stateOf(load)).toEqual(before.state)
      else ranges.push({ pfn, count: todo.count })
      break
    }
    case 'cma_release': {
      const held = ranges[todo.which % Math.max(ranges.length, 1)]
      if (!held) break
      const count = Math.ceil(held.count / todo.part)
      expect(cma_release(vm, cma, held.pfn, count)).toBe(true)
      held.pfn += count
      held.count -= count
      if (held.count === 0) ranges.splice(ranges.indexOf(held), 1)
      break
    }
    case 'alloc': {
      const pfn = __alloc_pages(vm.pgdat, todo.movable ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL, todo.order)
      if (pfn !== null) blocks.push({ pfn, order: todo.order })
      break
    }
    case 'free': {
      const [block] = blocks.splice(todo.which % Math.max(blocks.length, 1), 1)
      if (block) __free_pages(vm.pgdat, block.pfn, block.order)
      break
    }
    case 'touch':
      writeStamp(vm, mm, va + todo.page * PAGE, todo.page + 1)
      touched.add(todo.page)
      break
    case 'pin': {
      const pfn = pfnAt(vm, mm, va + todo.page * PAGE)
      if (pfn === null) break
      map.refcount[pfn - map.start_pfn]!++
      pins.push(pfn)
      if (pins.length > 2) map.refcount[pins.shift()! - map.start_pfn]!--
    }
  }
}

// Every page is in one free block or has a user; counters, lists, types and bitmap tell the same.
function check(load: Load): void {
  const { vm, zone, cma, ranges, mm, va, touched } = load
  const { map, migrate, maxOrder, pageblock_order, kernel } = vm.pgdat
  const free = new Uint8Array(PAGES)
  let [pages, cmaPages] = [0, 0]
  for (const { pfn, order, type } of listedBlocks(vm.pgdat, zone)) {
    const at = pfn - map.start_pfn
    if (at % 2 ** order !== 0) throw new Error(`block of order ${order} at pfn ${pfn}`)
    for (let page = at; page < at + 2 ** order; page++) {
      if (free[page]!++ || map.refcount[page] !== 0)
        throw new Error(`pfn ${page + map.start_pfn} is twice somewhere`)
    }
    if (type === migrate.ISOLATE) throw new Error(`pfn ${pfn} is still isolated`)
    pages += 2 ** order
    if (type === migrate.CMA) cmaPages += 2 ** order
    const buddy = at ^ (1 << order)
    const merged = order === maxOrder || map.flags[buddy] !== map.flags[at] || map.index[buddy] !== order
    // Above a pageblock, types may keep buddies apart.
    if (!merged && order < pageblock_order)
      throw new Error(`pfn ${pfn} and its buddy of order ${order} are both free`)
  }
  expect([...zone.vm_stat]).toEqual([pages, kernel === '3.5' ? 0 : cmaPages])
  expect(zone.vm_stat[NR_FREE_CMA_PAGES]! <= zone.vm_stat[NR_FREE_PAGES]!).toBe(true)
  const used = map.refcount.reduce((sum, refs, at) => sum + (refs > 0 || isTail(load, at) ? 1 : 0), 0)
  expect(used + pages).toBe(PAGES)
  for (let pfn = cma.base_pfn; pfn < cma.base_pfn + AREA; pfn += 512) {
    expect(get_pageblock_migratetype(vm.pgdat, pfn)).toBe(migrate.CMA)
  }
  const bits = bitmap_zalloc(AREA)
  for (const { pfn, count } of ranges) bitmap_set(bits, pfn - cma.base_pfn, count)
  expect(cma.bitmap!.words).toEqual(bits.words)
  for (const page of touched) expect(readStamp(vm, mm, va + page * PAGE)).toBe(page + 1)
}

// Whether the page lies in a block of the test, whose first page alone has a reference.
function isTail({ blocks, vm: { pgdat } }: Load, at: number): boolean {
  const pfn = at + pgdat.map.start_pfn
  return blocks.some((block) => pfn > block.pfn && pfn < block.pfn + 2 ** block.order)
}

describe.each(KERNEL_VERSIONS)('a CMA area under load, %s', (kernel) => {
  it(
    'conserves pages; a failed cma_alloc() loses nothing; the search is first fit',
    { timeout: 60_000 },
    () => {
      const seen = { got: 0, failed: 0, inArea: 0 }
      fc.assert(
        fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
          const load = loaded(kernel)
          for (const todo of steps) {
            const had = load.ranges.length
            run(load, todo)
            if (todo.do === 'cma_alloc') seen[load.ranges.length > had ? 'got' : 'failed']++
            check(load)
          }
          for (const page of load.touched) {
            if (pfnAt(load.vm, load.mm, load.va + page * PAGE)! >= load.cma.base_pfn) seen.inArea++
          }
        }),
        { numRuns: 12 * LAWS_TIMES },
      )
      // The load was one: both outcomes came, and programs had pages of the area.
      expect(Math.min(seen.got, seen.failed, seen.inArea)).toBeGreaterThan(0)
    },
  )

  it('searches as a naive search does, whatever the base, the bits and the alignment', () => {
    const { vm } = smallMachine({ kernel, pages: 4096, cmaPages: 1024 })
    const order = kernelAtLeast(kernel, '4.6') ? fc.nat(3) : fc.constant(0)
    const wish = { base: fc.nat(600), order, count: fc.integer({ min: 1, max: 90 }), align: fc.nat(9) }
    const holes = fc.array(fc.tuple(fc.nat(63), fc.integer({ min: 1, max: 4 })), { maxLength: 12 })
    const rets = fc.array(fc.constantFrom(-EBUSY, -EBUSY, 0, -ENOMEM), { maxLength: 6 })
    fc.assert(
      fc.property(fc.record({ ...wish, holes, rets }), ({ base, order, count, align, holes, rets }) => {
        const areas: CmaAreas = {
          ...{ kernel, memblock: createMemblock(), log: new Printk(), minAlignment: 4096, maxAreas: 1 },
          ...{ highmemStart: 0, areas: [] },
        }
        const cma = createCma(areas, base * 2 ** order * PAGE, 512 * PAGE, order, 'x')
        cma.bitmap = bitmap_zalloc(512 >> order)
        for (const [at, length] of holes) {
          bitmap_set(cma.bitmap, (at * 8) >> order, Math.min(length, (512 - at * 8) >> order))
        }
        const before = copyOf(cma.bitmap)
        const tried: number[] = []
        const pfn = cma_alloc(vm, cma, count, align, true, (_vm, start) => {
          tried.push((start - cma.base_pfn) >> order)
          return rets[tried.length - 1] ?? -EBUSY
        })
        expect(tried).toEqual(
          expectedTries(
            vm,
            cma,
            before,
            count,
            align,
            tried.map((_, i) => rets[i] ?? -EBUSY),
          ),
        )
        if (pfn === null) expect(cma.bitmap.words).toEqual(before.words)
      }),
      { numRuns: 300 * LAWS_TIMES },
    )
  })
})
