// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sort } from '../../code/lib/sort.ts'
import '../support/laws_seed.ts'

type Item = readonly [key: number, name: string]
const byKey = (a: Item, b: Item) => a[0] - b[0]
const sorted = (keys: readonly number[]) => {
  const items = keys.map((key, i): Item => [key, String.fromCharCode(97 + i)])
  sort(items, byKey)
  return items.map(([, name]) => name).join('')
}

test('sort() orders any keys and loses none', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (keys) => {
      const ours = [...keys]
      sort(ours, (a, b) => a - b)
      expect(ours).toEqual([...keys].sort((a, b) => a - b))
    }),
  )
})

test('sort() makes b c … a of equals, and leaves an array of one or none alone', () => {
  expect(sorted([])).toBe('')
  expect(sorted([0])).toBe('a')
  expect(sorted([0, 0])).toBe('ba')
  expect(sorted([0, 0, 0, 0])).toBe('bcda')
})

test('MC-5.2: sort() leaves equals where both generations of the C loops leave them', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 40 }), (keys) => {
      expect(sorted(keys)).toBe(byteLoops(keys, true))
      expect(sorted(keys)).toBe(byteLoops(keys, false))
    }),
  )
})

// A second way to say it, with byte offsets into elements of 8, as the C code counts: slower to read, so a reference.
function byteLoops(keys: readonly number[], bottomUp: boolean): string {
  const size = 8
  const a = keys.map((key, i): Item => [key, String.fromCharCode(97 + i)])
  const at = (offset: number) => a[offset / size]!
  const swap = (x: number, y: number) => ([a[x / size], a[y / size]] = [at(y), at(x)])
  const up = (i: number) => {
    const less = i - size
    return (less - ((less / size) % 2) * size) / 2
  }
  let n = a.length * size
  let start = Math.floor(a.length / 2) * size
  if (!start) return a.map((item) => item[1]).join('')
  for (;;) {
    if (start) start -= size
    else if ((n -= size)) swap(0, n)
    else break
    let b = start
    if (bottomUp) {
      while (2 * b + 2 * size < n)
        b = byKey(at(2 * b + size), at(2 * b + 2 * size)) >= 0 ? 2 * b + size : 2 * b + 2 * size
      if (2 * b + 2 * size === n) b = 2 * b + size
      while (b !== start && byKey(at(start), at(b)) >= 0) b = up(b)
      const c = b
      while (b !== start) {
        b = up(b)
        swap(b, c)
      }
    } else {
      for (let c = 2 * b + size; c < n; b = c, c = 2 * b + size) {
        if (c < n - size && byKey(at(c), at(c + size)) < 0) c += size
        if (byKey(at(b), at(c)) >= 0) break
        swap(b, c)
      }
    }
  }
  return a.map((item) => item[1]).join('')
}
