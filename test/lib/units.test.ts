// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import {
  formatPa,
  IS_ALIGNED,
  lastPa,
  minNotZero,
  round_down,
  round_up,
  truncatedMiB,
  wrapPa,
} from '../../code/lib/units.ts'

const MASK64 = (1n << 64n) - 1n

describe('rounding', () => {
  const values = [0, 1, 0xfff, 0x1000, 0x7fc0_0001, 0x1_0000_0000, 0x8_7654_3210, 2 ** 53 - 1]

  test.each([1, 2, 0x1000, 0x20_0000, 2 ** 40, 0, 3, 0x30_0000, 0x1800, 2 ** 40 + 2 ** 12, 2 ** 50 + 1])(
    'round_down(), round_up() and IS_ALIGNED() mask as Linux does, align %i',
    (align) => {
      const mask = BigInt(align) - 1n
      for (const value of values) {
        const v = BigInt(value)
        expect(round_down(value, align)).toBe(Number(v & ~mask & MASK64))
        expect(round_up(value, align)).toBe(Number((((v - 1n) | mask) + 1n) & MASK64))
        expect(IS_ALIGNED(value, align)).toBe((v & mask) === 0n)
      }
    },
  )

  test('round_up() and round_down() leave an aligned address above 2^53 alone', () => {
    expect(round_up(0xc000_0000 * 2 ** 32, 0x1000)).toBe(0xc000_0000 * 2 ** 32)
    expect(round_down(0xc000_0000 * 2 ** 32, 0x1000)).toBe(0xc000_0000 * 2 ** 32)
  })
})

describe('addresses', () => {
  test('formatPa() prints 64 bits exactly and wraps what phys_addr_t wraps', () => {
    expect(formatPa(0xc000_0000 * 2 ** 32, 64)).toBe('0xc000000000000000')
    expect(formatPa(2 ** 63 + 2048, 64)).toBe('0x8000000000000800')
    expect(formatPa(0x1_0fff_ffff, 32)).toBe('0x0fffffff')
    expect(formatPa(lastPa(0xc000_0000 * 2 ** 32, 0x2000_0000 * 2 ** 32), 64)).toBe('0xdfffffffffffffff')
  })

  test('wrapPa() and truncatedMiB()', () => {
    expect(wrapPa(0x6000_0000 + 0xffff_ffff, 32)).toBe(0x5fff_ffff)
    expect(wrapPa(0x6000_0000 + 0xffff_ffff, 64)).toBe(0x1_5fff_ffff)
    expect(truncatedMiB(0x2000_0000 * 2 ** 32)).toBe(2_199_023_255_552)
  })

  test('minNotZero() takes 0 for no limit', () => {
    expect([minNotZero(0, 5), minNotZero(5, 0), minNotZero(4, 5), minNotZero(0, 0)]).toEqual([5, 5, 4, 0])
  })
})
