// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  gen_pool_add_virt,
  gen_pool_alloc,
  gen_pool_avail,
  gen_pool_create,
  gen_pool_free,
  gen_pool_has_addr,
  gen_pool_size,
  gen_pool_virt_to_phys,
} from '../../code/lib/genalloc.ts'
import { KiB } from '../../code/lib/units.ts'
import '../support/laws_seed.ts'

const VIRT = 0xf000_0000
const PHYS = 0x4000_0000

function pool(size = KiB(128), orderAligned = true) {
  const made = gen_pool_create(4096, orderAligned)
  gen_pool_add_virt(made, VIRT, PHYS, size)
  return made
}

describe('gen_pool_alloc()', () => {
  test('takes the lowest place at a multiple of the size, rounded up to a power of two', () => {
    const p = pool()
    const pages = [1, 3, 1, 2, 4].map((n) => (gen_pool_alloc(p, n * 4096) - VIRT) / 4096)
    expect(pages).toEqual([0, 4, 1, 2, 8])
    expect(gen_pool_avail(p)).toBe(KiB(128) - 11 * 4096)
  })

  test('without alignment fills the pool page by page', () => {
    const p = pool(KiB(32), false)
    expect([1, 3, 2].map((n) => (gen_pool_alloc(p, n * 4096) - VIRT) / 4096)).toEqual([0, 1, 4])
  })

  test('counts a part of a page as a page, and gives nothing for size 0 or when full', () => {
    const p = pool(8192)
    expect(gen_pool_alloc(p, 1)).toBe(VIRT)
    expect(gen_pool_alloc(p, 0)).toBe(0)
    expect(gen_pool_alloc(p, 8192)).toBe(0)
    expect(gen_pool_alloc(p, 4096)).toBe(VIRT + 4096)
    expect(gen_pool_alloc(p, 4096)).toBe(0)
  })

  test('asks the newest chunk first', () => {
    const p = pool(4096)
    gen_pool_add_virt(p, 0xf100_0000, 0x5000_0000, 4096)
    const taken = [gen_pool_alloc(p, 4096), gen_pool_alloc(p, 4096)]
    expect(taken).toEqual([0xf100_0000, VIRT])
    expect(taken.map((addr) => gen_pool_virt_to_phys(p, addr + 5))).toEqual([0x5000_0005, PHYS + 5])
    expect(gen_pool_size(p)).toBe(8192)
  })
})

describe('gen_pool_free()', () => {
  test('throws for what was not taken, as Linux has a BUG() there', () => {
    const p = pool(KiB(32))
    const addr = gen_pool_alloc(p, 4096)
    expect(() => gen_pool_free(p, addr, 8192)).toThrow('bit 1 of 0xf0000000+0x2000 is free already')
    expect(() => gen_pool_free(p, 0x1000, 4096)).toThrow('0x1000+0x1000 is in no chunk')
    gen_pool_free(p, addr, 4096)
    expect(() => gen_pool_free(p, addr, 4096)).toThrow('free already')
  })

  test('a law: buffers never overlap, lie aligned in the pool, and freeing all gives all back', () => {
    const sizes = fc.array(fc.record({ pages: fc.integer({ min: 1, max: 9 }), free: fc.nat(20) }), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(sizes, (steps) => {
        const p = pool()
        const live = new Map<number, number>()
        for (const { pages, free } of steps) {
          const addr = gen_pool_alloc(p, pages * 4096)
          if (addr) {
            const end = addr + pages * 4096
            for (const [other, n] of live) expect(other >= end || other + n * 4096 <= addr).toBe(true)
            expect(((addr - VIRT) / 4096) % 2 ** Math.ceil(Math.log2(pages))).toBe(0)
            expect(gen_pool_has_addr(p, addr, pages * 4096)).toBe(true)
            live.set(addr, pages)
          }
          const victim = [...live.keys()][free]
          if (victim === undefined) continue
          gen_pool_free(p, victim, live.get(victim)! * 4096)
          live.delete(victim)
        }
        for (const [addr, n] of live) gen_pool_free(p, addr, n * 4096)
        expect(gen_pool_avail(p)).toBe(KiB(128))
        expect(gen_pool_alloc(p, KiB(128))).toBe(VIRT)
      }),
    )
  })
})
