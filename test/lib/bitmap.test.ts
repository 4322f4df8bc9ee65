// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type Bitmap,
  bitmap_clear,
  bitmap_find_free_region,
  bitmap_find_next_zero_area_off,
  bitmap_release_region,
  bitmap_set,
  bitmap_weight,
  bitmap_zalloc,
  find_next_bit,
  find_next_zero_bit,
  test_bit,
} from '../../code/lib/bitmap.ts'
import { get_order } from '../../code/lib/units.ts'
import '../support/laws_seed.ts'

const bitsOf = (map: Bitmap): boolean[] => Array.from({ length: map.nbits }, (_, nr) => test_bit(nr, map))

function bitmapOf(bits: readonly boolean[]): Bitmap {
  const map = bitmap_zalloc(bits.length)
  bits.forEach((bit, nr) => bit && bitmap_set(map, nr, 1))
  return map
}

// Runs of bits make words that are full, empty and mixed; bit by bit they would nearly all be mixed.
const someBits = fc
  .array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 70 })), { maxLength: 8 })
  .map((runs) => runs.flatMap(([bit, length]) => Array<boolean>(length).fill(bit)))

const rangeIn = (nbits: number): fc.Arbitrary<{ start: number; length: number }> =>
  fc.tuple(fc.nat(nbits), fc.nat(nbits)).map(([a, b]) => ({ start: Math.min(a, b), length: Math.abs(a - b) }))

const bitsAndRange = someBits.chain((bits) => fc.tuple(fc.constant(bits), rangeIn(bits.length)))

function firstBit(bits: readonly boolean[], wanted: boolean, size: number, start: number): number {
  for (let nr = start; nr < size; nr++) if (bits[nr] === wanted) return nr
  return size
}

describe('a bitmap against an array of booleans', () => {
  it('bitmap_set() and bitmap_clear() change the bits of the range and no other', () => {
    fc.assert(
      fc.property(bitsAndRange, fc.boolean(), ([bits, { start, length }], value) => {
        const map = bitmapOf(bits)
        const change = value ? bitmap_set : bitmap_clear
        change(map, start, length)
        expect(bitsOf(map)).toEqual(bits.map((bit, nr) => (nr >= start && nr < start + length ? value : bit)))
      }),
    )
  })

  it('bitmap_weight() counts the set bits below nbits', () => {
    fc.assert(
      fc.property(bitsAndRange, ([bits, { start }]) => {
        expect(bitmap_weight(bitmapOf(bits), start)).toBe(bits.slice(0, start).filter(Boolean).length)
      }),
    )
  })

  it('find_next_bit() and find_next_zero_bit() find the first one from `start`, or give `size`', () => {
    fc.assert(
      fc.property(bitsAndRange, ([bits, { start, length }]) => {
        const map = bitmapOf(bits)
        for (const size of [start + length, bits.length]) {
          expect(find_next_bit(map, size, start)).toBe(firstBit(bits, true, size, start))
          expect(find_next_zero_bit(map, size, start)).toBe(firstBit(bits, false, size, start))
        }
        expect(find_next_bit(map, start, start + length)).toBe(start)
      }),
    )
  })

  it('bitmap_find_next_zero_area_off() finds the lowest area that is free and aligned, or gives more than `size`', () => {
    fc.assert(
      fc.property(
        bitsAndRange,
        fc.integer({ min: 1, max: 80 }),
        fc.nat(6),
        fc.nat(255),
        ([bits, { start }], nr, order, from) => {
          const mask = 2 ** order - 1
          const offset = from & mask
          const found = bitmap_find_next_zero_area_off(bitmapOf(bits), bits.length, start, nr, mask, offset)
          const places = bits
            .map((_, at) => at)
            .filter((at) => at >= start && (at + offset) % (mask + 1) === 0)
          const free = places.find((at) => at + nr <= bits.length && !bits.slice(at, at + nr).includes(true))
          if (free === undefined) expect(found).toBeGreaterThan(bits.length)
          else expect(found).toBe(free)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('bitmap_find_free_region() takes the lowest free region at a multiple of its size, or changes nothing', () => {
    fc.assert(
      fc.property(someBits, fc.nat(6), (bits, order) => {
        const map = bitmapOf(bits)
        const nr = 2 ** order
        const places = bits.map((_, at) => at).filter((at) => at % nr === 0 && at + nr <= bits.length)
        const free = places.find((at) => !bits.slice(at, at + nr).includes(true)) ?? -1
        expect(bitmap_find_free_region(map, bits.length, order)).toBe(free)
        const after = bits.map((bit, at) => bit || (free >= 0 && at >= free && at < free + nr))
        expect(bitsOf(map)).toEqual(after)
        if (free < 0) return
        bitmap_release_region(map, free, order)
        expect(bitsOf(map)).toEqual(bits)
      }),
      { numRuns: 1000 },
    )
  })
})

// cma_alloc()'s search, every range taken at once: the mask and the offset of an area whose bit 0 is `base_pfn`.
function take(map: Bitmap, count: number, align: number, base_pfn = 0): number | null {
  const mask = 2 ** align - 1
  const offset = base_pfn & mask
  const found = bitmap_find_next_zero_area_off(map, map.nbits, 0, count, mask, offset)
  if (found >= map.nbits) return null
  bitmap_set(map, found, count)
  return found
}

const MiB_PAGES = 256
const capped = (count: number): number => Math.min(get_order(count * 4096), 8)

function freeRanges(map: Bitmap): string {
  const ranges: string[] = []
  for (let start = find_next_zero_bit(map, map.nbits, 0); start < map.nbits;) {
    const end = find_next_bit(map, map.nbits, start)
    ranges.push(`${end - start}@${start}`)
    start = find_next_zero_bit(map, map.nbits, end)
  }
  return ranges.join('+')
}

describe('where CMA’s search finds room', () => {
  test.each([
    ['in 16 MiB', 4096, [256, 512, 1024, 1792, 2816, null, null, null, null, null], '160@96'],
    ['in 64 MiB', 16384, [256, 512, 1024, 1792, 2816, 4096, 5632, 7424, 9472, 11776], '160@96+2048@14336'],
  ])(
    'TV-1, TV-2: bitmap_find_next_zero_area_off() places requests of 1 … 10 MiB behind 96 pages %s',
    (_, bits, places, left) => {
      const map = bitmap_zalloc(bits)
      bitmap_set(map, 0, 96)
      const sizes = Array.from({ length: 10 }, (_, index) => (index + 1) * MiB_PAGES)
      expect(sizes.map((count) => take(map, count, capped(count)))).toEqual(places)
      expect(freeRanges(map)).toBe(left)
    },
  )

  it('TV-3: bitmap_find_next_zero_area_off() places requests of 375, 1, 3, 1, 1280 and 4096 pages', () => {
    const map = bitmap_zalloc(8192)
    const counts = [375, 1, 3, 1, 1280, 4096]
    expect(counts.map(capped)).toEqual([8, 0, 2, 0, 8, 8])
    const places = counts.map((count) => take(map, count, capped(count)))
    // Bit 375 goes to the page that needs no alignment; 376 is the next multiple of 4.
    expect(places).toEqual([0, 375, 376, 379, 512, 1792])
    expect(places.map((bit) => 0x5600_0000 + bit! * 4096)).toEqual([
      0x5600_0000, 0x5617_7000, 0x5617_8000, 0x5617_b000, 0x5620_0000, 0x5670_0000,
    ])
  })

  it('MC-2.1: bitmap_find_next_zero_area_off() starts from bit 0 every time: what was freed below is found first', () => {
    const map = bitmap_zalloc(1024)
    expect([take(map, 16, 4), take(map, 16, 4), take(map, 16, 4)]).toEqual([0, 16, 32])
    bitmap_clear(map, 0, 16)
    expect([take(map, 16, 4), take(map, 16, 4)]).toEqual([0, 48])
  })

  test.each([
    [0x7c200, 8, [0, 0x100]],
    [0x7c200, 10, [0x200, 0x600]],
    [0x7c280, 8, [0x80, 0x180]],
  ])(
    'MC-2.2, TV-6: in an area from pfn %i, bitmap_find_next_zero_area_off() aligned to 2^%i allows bits %j',
    (base_pfn, align, places) => {
      const map = bitmap_zalloc(4096)
      expect([take(map, 1, align, base_pfn), take(map, 1, align, base_pfn)]).toEqual(places)
      expect(places.map((bit) => (base_pfn + bit) % 2 ** align)).toEqual([0, 0])
    },
  )
})

describe('where the pool of a device finds room', () => {
  const places = (map: Bitmap, counts: number[]): (number | null)[] =>
    counts.map((count) => {
      const pos = bitmap_find_free_region(map, map.nbits, get_order(count * 4096))
      return pos < 0 ? null : pos
    })

  test.each([
    ['single pages', 3, [1, 1, 1, 1], [0, 1, 2, null]],
    ['two pages twice', 3, [2, 2], [0, null]],
    ['3, 1 and 2 pages', 6, [3, 1, 2], [0, 4, null]],
    ['375, 1, 3 and 1 pages', 3, [375, 1, 3, 1], [null, 0, null, 1]],
    ['375, 1, 3, 1, 1280 and 4096 pages', 4096, [375, 1, 3, 1, 1280, 4096], [0, 512, 516, 513, 2048, null]],
  ])(
    'MC-7.2, TV-7, TV-8: bitmap_find_free_region() places %s in a pool of %i pages',
    (_, pages, counts, expected) => {
      expect(places(bitmap_zalloc(pages), counts)).toEqual(expected)
    },
  )

  it('MC-7.1: bitmap_find_free_region() gives only multiples of 2^order, whatever was taken before', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 30 }), (orders) => {
        const map = bitmap_zalloc(100)
        let taken = 0
        for (const order of orders) {
          const pos = bitmap_find_free_region(map, map.nbits, order)
          if (pos < 0) continue
          taken += 2 ** order
          expect(pos % 2 ** order).toBe(0)
        }
        expect(bitmap_weight(map, map.nbits)).toBe(taken)
      }),
    )
  })

  it('bitmap_release_region() clears 2^order bits, whoever took them', () => {
    const map = bitmap_zalloc(8)
    expect(places(map, [4, 1])).toEqual([0, 4])
    bitmap_release_region(map, 0, 3)
    expect(bitmap_weight(map, 8)).toBe(0)
  })
})
