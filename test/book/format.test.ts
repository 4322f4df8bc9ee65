// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { formatLog, formatValue } from '../../site/cells/format.ts'

class Area {
  base = 0x70000000
  get size(): number {
    throw new Error('never called')
  }
}

const circle: { self?: unknown; list: unknown[] } = { list: [] }
circle.self = circle
circle.list.push(circle)

describe('formatLog()', () => {
  it('formatLog() leaves strings at the top raw and joins by a blank', () => {
    expect(formatLog(['base %d', 1, "it's", [`it's`]])).toBe(`base %d 1 it's ["it's"]`)
    expect(formatLog([])).toBe('')
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [-0, '-0'],
    [NaN, 'NaN'],
    [12n, '12n'],
    [Symbol('s'), 'Symbol(s)'],
    [[1, 'a', [true]], `[1, 'a', [true]]`],
    [[], '[]'],
    // eslint-disable-next-line no-sparse-arrays -- a hole is what is tested
    [[1, , 2], '[1, (hole), 2]'],
    [{ a: 1, 'b-c': { d: null } }, `{ a: 1, 'b-c': { d: null } }`],
    [{}, '{}'],
    [Object.create(null), '{}'],
    [new Area(), 'Area { base: 1879048192 }'],
    [Object.defineProperty({}, 'x', { get: () => 1, enumerable: true }), '{ x: [getter] }'],
    [new Uint8Array([1, 2]), 'Uint8Array(2) [1, 2]'],
    [new BigUint64Array(1), 'BigUint64Array(1) [0n]'],
    [new Map([['a', { b: 1 }]]), `Map(1) { 'a' => { b: 1 } }`],
    [new Set([1, 'x']), `Set(2) { 1, 'x' }`],
    [new RangeError('too far'), '[RangeError: too far]'],
    [new Error(''), '[Error]'],
    [() => 1, '[function (anonymous)]'],
    [Area, '[class Area]'],
    [/a+/g, '/a+/g'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new ArrayBuffer(8), 'ArrayBuffer(8)'],
    [[1][Symbol.iterator](), 'Array Iterator {}'],
    [(function* () {})(), 'Generator {}'],
    [circle, '{ list: [[circular]], self: [circular] }'],
    ['a\n\t\\\u0001', `'a\\n\\t\\\\\\x01'`],
    [`'"`, `'\\'"'`],
    [{ a: { b: { c: { d: { e: { f: 1 } } } } } }, '{ a: { b: { c: { d: { e: {…} } } } } }'],
  ])('formatValue() writes %s', (value, text) => {
    expect(formatValue(value)).toBe(text)
  })

  it('formatValue() breaks what is wider than a line, an entry a line', () => {
    const wide = {
      name: 'x'.repeat(60),
      inner: { list: Array.from({ length: 40 }, (_, index) => index * 1000) },
    }
    const lines = formatValue(wide).split('\n')
    expect(lines.slice(0, 6)).toEqual([
      '{',
      `  name: '${'x'.repeat(60)}',`,
      '  inner: {',
      '    list: [',
      '      0,',
      '      1000,',
    ])
    expect(lines.slice(-3)).toEqual(['    ],', '  },', '}'])
  })

  it('formatValue() shows a hundred entries and counts the rest', () => {
    const text = formatValue(new Uint8Array(4096))
    expect(text.startsWith('Uint8Array(4096) [\n  0,\n')).toBe(true)
    expect(text.endsWith('  … 3996 more,\n]')).toBe(true)
  })
})
