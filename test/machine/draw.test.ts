// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { bitmap_set, bitmap_zalloc } from '../../code/lib/bitmap.ts'
import { drawBitmap, drawMemory, drawPages } from '../../code/machine/draw.ts'
import { pictured } from '../support/memory_picture.ts'

const drawn = (picture: string) => drawMemory(pictured(picture)).slice(1)

describe('drawMemory()', () => {
  it('gives a letter to each pageblock: its type above, what is in it below', () => {
    expect(drawn('U ######## M ....#### M ........ C ******** I ........')[0]).toBe('0x00000000 type UMMCI')
    const [, inside] = drawn('U ######## M ....#### M ........ C ######## I ........')
    expect(inside).toBe('           in   Kk.C.')
  })

  it('says what its letters mean, and only of those that occur', () => {
    const text = drawn('U ######## C ########').join('\n')
    expect(text).toMatch(/U unmovable +C CMA/)
    expect(text).toMatch(/c taken from CMA +k kernel/)
    expect(text).not.toMatch(/isolated|pinned|dirty|free/)
  })

  it('shows a pin before anything else', () => {
    const pgdat = pictured('M ******** M ........')
    pgdat.map.mapping.fill(1, 0, 8)
    const [, , inside] = drawMemory(pgdat, { pinned: (pfn) => pfn === 3 })
    expect(inside).toBe('           in   P.')
  })

  it('keeps to the width, with a power of two of blocks a line', () => {
    const picture = Array.from({ length: 90 }, (_, i) => (i % 2 ? 'M ....####' : 'U ########')).join(' ')
    for (const width of [48, 60, 80, 120]) {
      const lines = drawMemory(pictured(picture), { width })
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
    }
    expect(drawMemory(pictured(picture), { width: 48 })[3]).toMatch(/ in {3}(Kk){16}$/)
  })

  it('says once what is alike', () => {
    const pgdat = pictured(Array.from({ length: 96 }, () => 'M ........').join(' '))
    const lines = drawMemory(pgdat, { width: 48 })
    expect(lines.filter((line) => line.includes(' type '))).toHaveLength(1)
    expect(lines.join('\n')).toContain('and 2 more like it, to 0x00200000')
  })
})

describe('drawPages()', () => {
  it('draws pages closer up', () => {
    const pgdat = pictured('U ##..#### M ........')
    expect(drawPages(pgdat, 0, 16)).toEqual(['0x000000 KK..KKKK........'])
    expect(drawPages(pgdat, 0, 16, { pages: 4 })).toEqual(['0x000000 kK..'])
    expect(drawPages(pgdat, 2, 6)).toEqual(['0x000002 ..KK'])
  })

  it('refuses pages that there are not', () => {
    expect(() => drawPages(pictured('U ########'), 0, 99)).toThrow(/pfns 0x0\.\.0x63 are not inside 0x0\.\./)
  })
})

describe('drawBitmap()', () => {
  it('draws what is taken, in part or whole', () => {
    const bitmap = bitmap_zalloc(512)
    bitmap_set(bitmap, 0, 16)
    bitmap_set(bitmap, 40, 1)
    const area = { name: 'reserved', base_pfn: 0x5f000, count: 512, order_per_bit: 0, bitmap }
    expect(drawBitmap(area, { width: 80 })).toEqual([
      'reserved: 17 of 512 pages taken  bit 0 is pfn 0x5f000  a letter is 2 pages',
      `bit     0 ########${'.'.repeat(12)}+${'.'.repeat(43)}`,
      `bit   128 ${'.'.repeat(64)}`,
      `bit   256 ${'.'.repeat(64)}`,
      `bit   384 ${'.'.repeat(64)}`,
    ])
    expect(drawBitmap({ ...area, bitmap: null })).toEqual([
      'reserved: 512 pages at pfn 0x5f000, not activated',
    ])
  })
})
