// SPDX-License-Identifier: MIT
//
// The page allocator: against its twin in C, at 64 GiB against 1 GiB, and how long and how large a start at 64 GiB is.
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { createMemblock, memblock_add, memblock_reserve } from '../../code/mm/memblock.ts'
import { createPgdat, memblock_free_all } from '../../code/mm/mm_init.ts'
import type { Pgdat } from '../../code/mm/mmzone.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { type BenchRows, cpuMilliseconds, cpuNanoseconds, inTurn } from './measure.ts'
import { againstTwin, type Turn, twinSequence, withTwin } from './twin.ts'

const OPERATIONS = 2_000_000
const SLOTS = 4096

// As twins/buddy.c boots: RAM from 0, 3 GiB of it DMA; 64 MiB of CMA, then MOVABLE and UNMOVABLE in turn.
function machine(mib: number): Pgdat {
  const memblock = createMemblock()
  memblock_add(memblock, 0, mib * 2 ** 20)
  const pgdat = createPgdat({
    ...{ kernel: '6.12.117', arch: 'arm64', memblock, maxOrder: 10, pageblock_order: 9 },
    zones: [
      { name: 'DMA', end: 3 * 2 ** 30 },
      { name: 'DMA32', end: 3 * 2 ** 30 },
      { name: 'Normal', end: mib * 2 ** 20 },
    ],
    ...{ log: new Printk(), trace: createTrace() },
  })
  const { CMA, MOVABLE, UNMOVABLE } = pgdat.migrate
  const { pageblock_flags } = pgdat
  for (let i = 0; i < pageblock_flags.length; i++)
    pageblock_flags[i] = i < 32 ? CMA : i % 8 < 4 ? MOVABLE : UNMOVABLE
  memblock_free_all(pgdat, memblock)
  return pgdat
}

// The requests: a slot, an order, whether movable. A slot that holds pages gives them back.
function scriptOf(operations: number): Uint16Array {
  const next = twinSequence()
  return Uint16Array.from({ length: operations }, () => {
    const slot = next(SLOTS)
    const order = next(4) > 0 ? 0 : next(4)
    return slot | (order << 12) | (next(2) << 14)
  })
}

// Takes and gives back at random; the sum is over the pfns that were given.
function requests(pgdat: Pgdat, script: Uint16Array): Turn {
  const held = new Int32Array(SLOTS).fill(-1)
  const orders = new Uint8Array(SLOTS)
  let sum = 0
  const began = cpuNanoseconds()
  for (let i = 0; i < script.length; i++) {
    const slot = script[i]! & (SLOTS - 1)
    if (held[slot]! >= 0) {
      __free_pages(pgdat, held[slot]!, orders[slot]!)
      held[slot] = -1
    } else {
      const order = (script[i]! >> 12) & 3
      const pfn = __alloc_pages(pgdat, script[i]! >> 14 ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL, order)!
      held[slot] = pfn
      orders[slot] = order
      sum = ((sum ^ pfn) + ((sum << 1) & 0xffffff)) & 0xffffff
    }
  }
  const ns = cpuNanoseconds() - began
  for (let slot = 0; slot < SLOTS; slot++)
    if (held[slot]! >= 0) __free_pages(pgdat, held[slot]!, orders[slot]!)
  return { ns, sum }
}

const START_MIB = 64 * 1024

function start(): Pgdat {
  const memblock = createMemblock()
  memblock_add(memblock, 0x4000_0000, START_MIB * 2 ** 20)
  memblock_reserve(memblock, 0x4020_0000, 0x2b3_0000)
  const end = 0x4000_0000 + START_MIB * 2 ** 20
  const zones = [
    { name: 'DMA', end: 2 ** 32 },
    { name: 'DMA32', end: 2 ** 32 },
    { name: 'Normal', end },
  ] as const
  const parts = {
    kernel: '6.12.117',
    arch: 'arm64',
    memblock,
    zones,
    maxOrder: 10,
    pageblock_order: 9,
  } as const
  const pgdat = createPgdat({ ...parts, log: new Printk(), trace: createTrace() })
  memblock_free_all(pgdat, memblock)
  return pgdat
}

function bytesPerPage({ map, pageblock_flags }: Pgdat): number {
  const columns = [map.flags, map.refcount, map.mapcount, map.next, map.prev, map.mapping, map.index]
  const bytes = columns.reduce((sum, column) => sum + column.byteLength, pageblock_flags.byteLength)
  return bytes / (map.end_pfn - map.start_pfn)
}

export function buddyBench(): BenchRows {
  const script = scriptOf(OPERATIONS)
  const twin = withTwin('buddy', (run) => ({
    what: 'a page or a few allocated or freed, against a twin in C at -O2',
    limit: 2,
    limitedBy:
      'instructions rather than memory, as far as we know: with 64 slots instead of 4,096, all in the first cache, the ' +
      'twin gets faster and the model does not; with V8’s limits of inlining raised by flags it gains a tenth',
    // A fresh machine each round, as the twin has: lists are in the same order then, and the sums equal.
    ...againstTwin(
      9,
      OPERATIONS,
      () => requests(machine(1024), script),
      () => run(1024, OPERATIONS),
    ),
  }))
  const [big, small] = [machine(START_MIB), machine(1024)]
  const some = script.subarray(0, OPERATIONS / 4)
  const each = (pgdat: Pgdat) => requests(pgdat, some).ns / some.length
  const scale = inTurn(
    9,
    () => each(big),
    () => each(small),
  )
  const starts = Array.from({ length: 5 }, () => cpuMilliseconds(start))
  return {
    buddy: twin,
    'buddy-64g': { what: 'the same at 64 GiB against at 1 GiB', unit: 'ns', limit: 1.3, ...scale },
    'start-64g': {
      what: 'zones, struct pages and free lists of 64 GiB against half a second of CPU time',
      limit: 1,
      ...{ ours: starts, against: [500] },
    },
    'page-bytes': {
      what: 'struct page, pageblocks included, against 24 bytes',
      unit: 'B',
      limit: 1,
      ...{ ours: [bytesPerPage(small)], against: [24] },
    },
  }
}
