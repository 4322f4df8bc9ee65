// SPDX-License-Identifier: MIT
//
// Laws of the page allocator, over random sequences, for each kernel and architecture:
//
//     pages are conserved, and each is in one place      free blocks are aligned, and merged with their buddies
//     NR_FREE_PAGES is the sum of the lists              a request gets what a naive allocator would give it
//
// A run is a seed and a number of operations; fast-check makes the number small when one fails, and prints both.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  KERNEL_VERSIONS,
  kernelAtLeast,
  type Arch,
  type KernelVersion,
} from '../../code/lib/kernel_version.ts'
import { createRng, type Rng } from '../../code/lib/rng.ts'
import {
  GFP_ATOMIC,
  GFP_DMA,
  GFP_DMA32,
  GFP_HIGHUSER_MOVABLE,
  GFP_KERNEL,
  __GFP_NOWARN,
  __GFP_RECLAIMABLE,
} from '../../code/mm/gfp.ts'
import { freeListType } from '../../code/mm/free_list.ts'
import {
  NR_FREE_CMA_PAGES,
  NR_FREE_PAGES,
  PG_buddy,
  PG_lru,
  PG_reserved,
  type Pgdat,
  type ZoneName,
} from '../../code/mm/mmzone.ts'
import { get_pageblock_migratetype, page_zone, set_pageblock_migratetype } from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { move_freepages_block } from '../../code/mm/page_alloc_fallback.ts'
import { __free_pages_ok } from '../../code/mm/page_alloc_free.ts'
import { ALLOC_CMA, rmqueue } from '../../code/mm/page_alloc_rmqueue.ts'
import { init_per_zone_wmark_min } from '../../code/mm/watermark.ts'
import { freeBlocks, listedBlocks, pictured } from '../support/memory_picture.ts'
import { NaiveBuddy } from '../support/naive_buddy.ts'
import { LAWS_SEED, LAWS_TIMES } from '../support/laws_seed.ts'

const RUNS = 4 * LAWS_TIMES

interface Machine {
  readonly kernel: KernelVersion
  readonly arch: Arch
}
const MACHINES: Machine[] = KERNEL_VERSIONS.flatMap((kernel) => [
  { kernel, arch: 'arm' as const },
  ...(kernelAtLeast(kernel, '4.6') ? [{ kernel, arch: 'arm64' as const }] : []),
])

/** Runs `law` with seeds and lengths up to `most`; on failure fast-check prints the counterexample and its own seed. */
function forAll(most: number, law: (seed: number, operations: number) => void): void {
  const input = fc.tuple(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: most, max: most }))
  fc.assert(
    fc.property(input, ([seed, operations]) => law(seed, operations)),
    { seed: LAWS_SEED, numRuns: RUNS },
  )
}

// arm: blocks as big as the largest order, high memory. arm64: three zones, pageblocks of half the largest block.
function machine({ kernel, arch }: Machine): Pgdat {
  const zones: [ZoneName, number][] =
    arch === 'arm'
      ? [
          ['DMA', 8],
          ['Normal', 8],
          ['HighMem', 8],
        ]
      : kernelAtLeast(kernel, '6.1.192')
        ? [
            ['DMA', 8],
            ['DMA32', 4],
            ['Normal', 12],
          ]
        : [
            ['DMA', 12],
            ['Normal', 12],
          ]
  const types = Array.from({ length: 24 }, (_, i) => (i % 8 < 2 ? 'C' : 'M'))
  const picture = types.map((type) => `${type} ${'.'.repeat(16)}`).join(' ')
  const pgdat = pictured(picture, { kernel, arch, zones, maxOrder: arch === 'arm' ? 4 : 5, start: 64 })
  // A few reserved pages: they are never given.
  for (const pfn of [64 + 40, 64 + 200]) take(pgdat, pfn)
  init_per_zone_wmark_min(pgdat)
  for (const zone of pgdat.zones) zone.watermark = { min: 4, low: 6, high: 8, promo: 10 }
  return pgdat
}

function take(pgdat: Pgdat, pfn: number): void {
  const zone = page_zone(pgdat, pfn)
  const kept: [number, number][] = []
  for (;;) {
    const at = rmqueue(pgdat, zone, 0, get_pageblock_migratetype(pgdat, pfn), 0)
    if (at + pgdat.map.start_pfn === pfn) break
    kept.push([at, 0])
  }
  for (const [at] of kept) __free_pages_ok(pgdat, at + pgdat.map.start_pfn, 0)
  pgdat.map.flags[pfn - pgdat.map.start_pfn] = PG_reserved
  pgdat.map.refcount[pfn - pgdat.map.start_pfn] = 1
  zone.managed_pages--
}

/** What a test holds: first page → order. */
type Held = Map<number, number>

/** Throws when a law is broken. */
function checkLaws(pgdat: Pgdat, held: Held): void {
  const { map, maxOrder, pageblock_order } = pgdat
  const owner = new Uint8Array(map.end_pfn - map.start_pfn)
  const own = (pfn: number, order: number, mark: number) => {
    for (let at = pfn - map.start_pfn; at < pfn - map.start_pfn + 2 ** order; at++) {
      expect(owner[at], `page ${at} in two places`).toBe(0)
      owner[at] = mark
    }
  }
  for (const [pfn, order] of held) own(pfn, order, 1)
  for (const zone of pgdat.zones) {
    const free = new Map<number, { order: number; type: number }>()
    let [pages, cma, links] = [0, 0, 0]
    for (const { pfn, order, type } of listedBlocks(pgdat, zone)) {
      own(pfn, order, 2)
      free.set(pfn, { order, type })
      links++
      expect(pfn % 2 ** order, `block ${pfn} of order ${order} not aligned`).toBe(0)
      expect(pfn >= zone.zone_start_pfn && pfn + 2 ** order <= zone.zone_end_pfn).toBe(true)
      expect(map.flags[pfn - map.start_pfn]! & PG_buddy).not.toBe(0)
      expect([map.index[pfn - map.start_pfn], freeListType(map, pfn - map.start_pfn)]).toEqual([order, type])
      const counts = !pgdat.rules.countsCma || type !== pgdat.migrate.ISOLATE
      if (counts) pages += 2 ** order
      if (type === pgdat.migrate.CMA && pgdat.rules.countsCma) cma += 2 ** order
      const block = get_pageblock_migratetype(pgdat, pfn)
      if (order < pageblock_order && type === pgdat.migrate.CMA) expect(block).toBe(type)
    }
    expect(zone.nr_free.reduce((sum, count) => sum + count, 0)).toBe(links)
    expect([zone.vm_stat[NR_FREE_PAGES], zone.vm_stat[NR_FREE_CMA_PAGES]]).toEqual([pages, cma])
    for (const [pfn, { order }] of free) {
      const buddy = free.get(((pfn - map.start_pfn) ^ (1 << order)) + map.start_pfn)
      if (order >= pageblock_order || order >= maxOrder) continue
      expect(buddy?.order === order, `buddies ${pfn} of order ${order} not merged`).toBe(false)
    }
  }
  for (let at = 0; at < owner.length; at++) {
    if (owner[at] === 0) expect(map.flags[at], `page ${at} is nowhere`).toBe(PG_reserved)
  }
}

const REQUESTS = [
  GFP_KERNEL,
  GFP_KERNEL | __GFP_RECLAIMABLE,
  GFP_HIGHUSER_MOVABLE,
  GFP_HIGHUSER_MOVABLE,
  GFP_ATOMIC,
  GFP_KERNEL | GFP_DMA,
  GFP_KERNEL | GFP_DMA32,
].map((gfp) => gfp | __GFP_NOWARN)

// Mostly small orders, as in life.
const someOrder = (rng: Rng, maxOrder: number) => (rng.next(4) > 0 ? rng.next(2) : rng.next(maxOrder + 1))

function takeOne(held: Held, order: number[], rng: Rng): [number, number] {
  const i = rng.next(order.length)
  const pfn = order[i]!
  order[i] = order[order.length - 1]!
  order.pop()
  const size = held.get(pfn)!
  held.delete(pfn)
  return [pfn, size]
}

describe.each(MACHINES)('laws of $kernel on $arch', ({ kernel, arch }) => {
  it(`__alloc_pages(), __free_pages() conserve pages, keep blocks aligned, merged and counted (seed ${LAWS_SEED})`, () => {
    forAll(16_000, (seed, operations) => {
      const rng = createRng(seed)
      const pgdat = machine({ kernel, arch })
      const held: Held = new Map()
      const list: number[] = []
      const isolated: [number, number][] = []
      const { map, migrate } = pgdat
      for (let i = 0; i < operations; i++) {
        const what = rng.next(100)
        if (what < 52) {
          const gfp = REQUESTS[rng.next(REQUESTS.length)]!
          const order = someOrder(rng, pgdat.maxOrder)
          const pfn = __alloc_pages(pgdat, gfp, order)
          if (pfn === null) continue
          const isCma = get_pageblock_migratetype(pgdat, pfn) === migrate.CMA
          if (isCma && (gfp & GFP_HIGHUSER_MOVABLE) !== GFP_HIGHUSER_MOVABLE) {
            throw new Error(`${gfp.toString(16)} got CMA page ${pfn}`)
          }
          if (order === 0 && (gfp & GFP_HIGHUSER_MOVABLE) === GFP_HIGHUSER_MOVABLE) {
            map.flags[pfn - map.start_pfn] = PG_lru
          }
          held.set(pfn, order)
          list.push(pfn)
        } else if (what < 99 && list.length > 0) {
          const [pfn, order] = takeOne(held, list, rng)
          map.flags[pfn - map.start_pfn] = 0
          __free_pages(pgdat, pfn, order)
        } else if (isolated.length === 0) {
          // A pageblock, or a unit of the largest block before 6.x, is isolated for a while.
          const unit = 1 << Math.max(pgdat.maxOrder, pgdat.pageblock_order)
          const first = 64 + rng.next(384 / unit) * unit
          for (let pfn = first; pfn < first + unit; pfn += 16) {
            isolated.push([pfn, get_pageblock_migratetype(pgdat, pfn)])
            set_pageblock_migratetype(pgdat, pfn, migrate.ISOLATE)
            move_freepages_block(pgdat, page_zone(pgdat, pfn), pfn, migrate.ISOLATE)
          }
        } else {
          for (const [pfn, type] of isolated.splice(0)) {
            set_pageblock_migratetype(pgdat, pfn, type)
            move_freepages_block(pgdat, page_zone(pgdat, pfn), pfn, type)
          }
        }
        if (i % 2000 === 0) checkLaws(pgdat, held)
      }
      checkLaws(pgdat, held)
      for (const [pfn, type] of isolated) {
        set_pageblock_migratetype(pgdat, pfn, type)
        move_freepages_block(pgdat, page_zone(pgdat, pfn), pfn, type)
      }
      for (const [pfn, order] of held) {
        map.flags[pfn - map.start_pfn] = 0
        __free_pages(pgdat, pfn, order)
      }
      checkLaws(pgdat, new Map())
      const free = pgdat.zones.reduce((sum, zone) => sum + zone.vm_stat[NR_FREE_PAGES]!, 0)
      expect(free).toBe(384 - 2)
    })
  })

  it(`rmqueue(), __free_pages_ok() give what a naive allocator gives, page for page (seed ${LAWS_SEED})`, () => {
    forAll(10_000, (seed, operations) => {
      const rng = createRng(seed)
      const [blockOrder, maxOrder] = arch === 'arm' ? [4, 4] : [4, 5]
      const pgdat = pictured('M ................ '.repeat(12), { kernel, arch, maxOrder })
      const naive = new NaiveBuddy(kernel, 192, blockOrder, maxOrder)
      const zone = page_zone(pgdat, 0)
      paintCma(pgdat, naive)
      for (let pfn = 0; pfn < 192; pfn++) naive.free(pfn, 0)
      const { RECLAIMABLE, MOVABLE, UNMOVABLE } = pgdat.migrate
      const held: Held = new Map()
      const list: number[] = []
      for (let i = 0; i < operations; i++) {
        if (rng.next(100) < 52) {
          const letter = 'UMMR'[rng.next(4)]!
          const type = letter === 'U' ? UNMOVABLE : letter === 'M' ? MOVABLE : RECLAIMABLE
          const order = someOrder(rng, maxOrder)
          const at = rmqueue(pgdat, zone, order, type, letter === 'M' ? ALLOC_CMA : 0)
          const expected = naive.alloc(order, letter, letter === 'M')
          if ((at < 0 ? null : at) !== expected) {
            throw new Error(
              `operation ${i}: ${letter}${order} got ${at}, the naive allocator gives ${expected}`,
            )
          }
          if (at < 0) continue
          if (order === 0 && letter === 'M') {
            pgdat.map.flags[at] = PG_lru
            naive.movable.add(at)
          }
          held.set(at, order)
          list.push(at)
        } else if (list.length > 0) {
          const [pfn, order] = takeOne(held, list, rng)
          pgdat.map.flags[pfn] = 0
          naive.movable.delete(pfn)
          __free_pages_ok(pgdat, pfn, order)
          naive.free(pfn, order)
        }
      }
      expect(freeBlocks(pgdat).sort()).toEqual(
        naive.blocks.map(({ pfn, order, type }) => `${type}${order}@${pfn}`).sort(),
      )
    })
  })
})

// The last four pageblocks are CMA, in both: before there is anything on the lists.
function paintCma(pgdat: Pgdat, naive: NaiveBuddy): void {
  const zone = page_zone(pgdat, 0)
  for (let at = rmqueue(pgdat, zone, 0, pgdat.migrate.MOVABLE, 0); at >= 0;) {
    at = rmqueue(pgdat, zone, 0, pgdat.migrate.MOVABLE, 0)
  }
  for (let block = 8; block < 12; block++) {
    set_pageblock_migratetype(pgdat, block << 4, pgdat.migrate.CMA)
    naive.types[block] = 'C'
  }
  for (let pfn = 0; pfn < 192; pfn++) __free_pages_ok(pgdat, pfn, 0)
}
