// SPDX-License-Identifier: MIT
//
// The integer expressions of device-tree source: C's operators over unsigned 64-bit numbers that wrap, as dtc 1.6.1
// computes them. So `-1` is 2^64 - 1, `>>` brings in zeroes and every comparison is without sign. Both arms of `?:` are
// computed, and a shift by 64 or more gives 0.

// #region dts-expression-imports
import type { DtsCursor } from './dts_cursor.ts'
// #endregion dts-expression-imports

// #region dts-operators
const u64 = (value: bigint) => BigInt.asUintN(64, value)
const truth = (value: boolean) => (value ? 1n : 0n)

// Operators by how tightly they bind, 1 the loosest. Division is not here: its divisor may be 0.
const OPERATORS: Readonly<
  Record<string, readonly [strength: number, apply: (a: bigint, b: bigint) => bigint]>
> = {
  '||': [1, (a, b) => truth(a !== 0n || b !== 0n)],
  '&&': [2, (a, b) => truth(a !== 0n && b !== 0n)],
  '|': [3, (a, b) => a | b],
  '^': [4, (a, b) => a ^ b],
  '&': [5, (a, b) => a & b],
  '==': [6, (a, b) => truth(a === b)],
  '!=': [6, (a, b) => truth(a !== b)],
  '<': [7, (a, b) => truth(a < b)],
  '>': [7, (a, b) => truth(a > b)],
  '<=': [7, (a, b) => truth(a <= b)],
  '>=': [7, (a, b) => truth(a >= b)],
  '<<': [8, (a, b) => (b < 64n ? a << b : 0n)],
  '>>': [8, (a, b) => (b < 64n ? a >> b : 0n)],
  '+': [9, (a, b) => a + b],
  '-': [9, (a, b) => a - b],
  '*': [10, (a, b) => a * b],
  '/': [10, (a, b) => a / b],
  '%': [10, (a, b) => a % b],
}
// #endregion dts-operators

// #region dts-expression
// Parentheses, unary operators and arms of `?:` inside each other.
const MAX_NESTING = 256

/**
 * Reads a number, a character or an expression in parentheses: what may stand in cells. Gives 0 to 2^64 - 1.
 *
 * Reports `dts-division-by-zero`, and takes 0 for the quotient; leaves by `unexpected` for anything else.
 * @kernel scripts/dtc/dtc-parser.y integer_prim v6.1
 */
export function readInteger(cursor: DtsCursor, nesting = 0): bigint {
  const { token } = cursor
  if (token.kind === 'number' || token.kind === 'character') return cursor.advance().value
  if (token.text !== '(' || token.kind !== 'sign') {
    return cursor.unexpected('a number', 'An expression in cells stands in parentheses: <(1 << 4)>.')
  }
  if (nesting > MAX_NESTING) return cursor.unexpected(`at most ${MAX_NESTING} levels of an expression`)
  cursor.advance()
  const value = readTernary(cursor, nesting + 1)
  if (!cursor.isSign(')')) return cursor.unexpected('an operator or )')
  cursor.advance()
  return value
}

function readTernary(cursor: DtsCursor, nesting: number): bigint {
  if (nesting > MAX_NESTING) return cursor.unexpected(`at most ${MAX_NESTING} levels of an expression`)
  const condition = readBinary(cursor, 1, nesting)
  if (!cursor.isSign('?')) return condition
  cursor.advance()
  const yes = readTernary(cursor, nesting + 1)
  if (!cursor.isSign(':')) return cursor.unexpected(':')
  cursor.advance()
  const no = readTernary(cursor, nesting + 1)
  return condition !== 0n ? yes : no
}
// #endregion dts-expression

// #region dts-expression-binary
// Reads operators that bind at least as tightly as `weakest`, from left to right.
function readBinary(cursor: DtsCursor, weakest: number, nesting: number): bigint {
  let left = readUnary(cursor, nesting)
  for (;;) {
    const { token } = cursor
    const operator = token.kind === 'sign' ? OPERATORS[token.text] : undefined
    if (!operator || operator[0] < weakest) return left
    cursor.advance()
    const right = readBinary(cursor, operator[0] + 1, nesting)
    if (right === 0n && (token.text === '/' || token.text === '%')) {
      cursor.report('dts-division-by-zero', token.place, `${left} ${token.text} 0; expected another divisor`)
      left = 0n
    } else {
      left = u64(operator[1](left, right))
    }
  }
}
// #endregion dts-expression-binary

// #region dts-expression-unary
function readUnary(cursor: DtsCursor, nesting: number): bigint {
  const { kind, text } = cursor.token
  if (kind !== 'sign' || (text !== '-' && text !== '~' && text !== '!')) return readInteger(cursor, nesting)
  if (nesting > MAX_NESTING) return cursor.unexpected(`at most ${MAX_NESTING} levels of an expression`)
  cursor.advance()
  const value = readUnary(cursor, nesting + 1)
  return text === '-' ? u64(-value) : text === '~' ? u64(~value) : truth(value === 0n)
}
// #endregion dts-expression-unary
