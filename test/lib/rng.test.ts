// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRng } from '../../code/lib/rng.ts'
import '../support/laws_seed.ts'

const numbers = (seed: number, count: number, below: number): number[] => {
  const rng = createRng(seed)
  return Array.from({ length: count }, () => rng.next(below))
}

describe('a generator', () => {
  it('createRng() gives the numbers of mulberry32', () => {
    // Its reference: the first three outputs of seeds 0 and 1.
    expect(numbers(0, 3, 2 ** 32)).toEqual([1144304738, 1416247, 958946056])
    expect(numbers(1, 3, 2 ** 32)).toEqual([2693262067, 11749833, 2265367787])
  })

  it('next() gives the same numbers for the same seed, and others for another', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(numbers(seed, 8, 2 ** 32)).toEqual(numbers(seed, 8, 2 ** 32))
        expect(numbers(seed, 8, 2 ** 32)).not.toEqual(numbers(seed + 1, 8, 2 ** 32))
        expect(numbers(seed + 2 ** 32, 8, 2 ** 32)).toEqual(numbers(seed, 8, 2 ** 32))
      }),
    )
  })

  it('next() gives integers from 0 up to, not including, `below`', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, below) => {
        for (const value of numbers(seed, 16, below)) {
          expect(Number.isInteger(value)).toBe(true)
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThan(below)
        }
      }),
    )
  })

  it('next() reaches every number, none of them much too often', () => {
    const counts = Array<number>(10).fill(0)
    for (const value of numbers(7, 10_000, 10)) counts[value]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  it('next() goes on from `state`, so that a snapshot restores it', () => {
    const rng = createRng(5)
    rng.next(9)
    const { state } = rng
    const first = [rng.next(1000), rng.next(1000), rng.next(1000)]
    rng.state = state
    expect([rng.next(1000), rng.next(1000), rng.next(1000)]).toEqual(first)
    const other = createRng(0)
    other.state = state
    expect(other.next(1000)).toBe(first[0])
  })
})
