// SPDX-License-Identifier: MIT
//
// The value of a property in source → bytes, with markers where references and labels stand:
//
//     "text"   <1 &label (2 + 3)>   /bits/ 16 <4 5>   [de ad]   &label   &{/path}

// #region dts-value-imports
import { ByteBuffer } from './byte_buffer.ts'
import { BadStatement, type DtsCursor } from './dts_cursor.ts'
import { readInteger } from './dts_expression.ts'
import type { Token } from './dts_lexer.ts'
import type { Marker, SourceValue } from './dts_source_tree.ts'
// #endregion dts-value-imports

// #region dts-value
/**
 * Reads what stands between `=` and `;`: strings, cells, bytes and references, with commas between and labels anywhere.
 * References stay markers; a cell that is to become a phandle holds 0xffffffff until then.
 * @kernel scripts/dtc/dtc-parser.y propdata v6.1
 */
export function readValue(cursor: DtsCursor): SourceValue {
  const out = new ByteBuffer()
  const markers: Marker[] = []
  for (;;) {
    labelMarkers(cursor, out, markers)
    readPart(cursor, out, markers)
    labelMarkers(cursor, out, markers)
    if (!cursor.isSign(',')) return { bytes: out.bytes(), markers }
    cursor.advance()
  }
}
// #endregion dts-value

// #region dts-value-part
function labelMarkers(cursor: DtsCursor, out: ByteBuffer, markers: Marker[]): void {
  for (const [name, place] of cursor.readLabels())
    markers.push({ kind: 'label', offset: out.length, name, place })
}

function readPart(cursor: DtsCursor, out: ByteBuffer, markers: Marker[]): void {
  const { kind, text, place, bytes } = cursor.token
  if (kind === 'string') {
    out.append(bytes!)
    cursor.advance()
  } else if (kind === 'reference') {
    markers.push({ kind: 'path', offset: out.length, name: text, place })
    cursor.advance()
  } else if (cursor.isKeyword('/bits/') || cursor.isSign('<')) {
    readArray(cursor, out, markers)
  } else if (cursor.isSign('[')) {
    readBytes(cursor, out, markers)
  } else if (cursor.isKeyword('/incbin/')) {
    cursor.report(
      'dts-incbin',
      place,
      '/incbin/ is not supported yet; expected the bytes in the source: [ … ]',
    )
    throw new BadStatement()
  } else {
    cursor.unexpected('"text", <cells>, [bytes] or &reference')
  }
}

function readBits(cursor: DtsCursor): number {
  if (!cursor.isKeyword('/bits/')) return 32
  cursor.advance()
  if (cursor.token.kind !== 'number') cursor.unexpected('8, 16, 32 or 64 after /bits/')
  const { value, text, place } = cursor.advance()
  if ([8n, 16n, 32n, 64n].includes(value)) return Number(value)
  cursor.report('dts-bits', place, `/bits/ ${text}; expected 8, 16, 32 or 64`)
  return 32
}
// #endregion dts-value-part

// #region dts-value-array
function readArray(cursor: DtsCursor, out: ByteBuffer, markers: Marker[]): void {
  const bits = readBits(cursor)
  cursor.takeSign('<', '/bits/')
  while (!cursor.isSign('>')) {
    labelMarkers(cursor, out, markers)
    if (cursor.isSign('>')) break
    const { kind, text, place } = cursor.token
    if (kind === 'reference') {
      cursor.advance()
      if (bits === 32) markers.push({ kind: 'phandle', offset: out.length, name: text, place })
      else
        cursor.report(
          'dts-bits',
          place,
          `&${text} among elements of ${bits} bits; expected it among 32-bit cells`,
        )
      out.integer(-1n, bits)
    } else if (kind === 'number' || kind === 'character' || cursor.isSign('(')) {
      readElement(cursor, out, bits)
    } else {
      cursor.unexpected('a number, a reference or >', arrayNote(cursor.token))
    }
  }
  cursor.advance()
}
// #endregion dts-value-array

// #region dts-value-element
// The bits above the element's are all zero, or all one for a negative number; else the value would lose some.
function readElement(cursor: DtsCursor, out: ByteBuffer, bits: number): void {
  const { place } = cursor.token
  const value = readInteger(cursor)
  const high = value >> BigInt(bits)
  if (bits < 64 && high !== 0n && (value | ((1n << BigInt(bits)) - 1n)) !== (1n << 64n) - 1n) {
    cursor.report(
      'dts-value-range',
      place,
      `0x${value.toString(16)} is out of range; expected at most 0x${((1n << BigInt(bits)) - 1n).toString(16)} (${bits} bits)`,
      bits === 32 ? 'A 64-bit number takes two cells, the high one first.' : undefined,
    )
  }
  out.integer(value, bits)
}
// #endregion dts-value-element

// #region dts-value-bytes
function readBytes(cursor: DtsCursor, out: ByteBuffer, markers: Marker[]): void {
  cursor.advance()
  while (!cursor.isSign(']')) {
    labelMarkers(cursor, out, markers)
    if (cursor.isSign(']')) break
    if (cursor.token.kind !== 'byte')
      cursor.unexpected('two hex digits or ]', 'Bytes are hex without 0x: [de ad be ef].')
    out.integer(cursor.advance().value, 8)
  }
  cursor.advance()
}

function arrayNote({ kind, text }: Token): string | undefined {
  if (kind === 'sign' && '-~!+*/%|&^'.includes(text))
    return 'An expression in cells stands in parentheses: <(-1)>.'
  if (kind === 'word')
    return 'A name from a header needs the C preprocessor first; a reference starts with &.'
  return undefined
}
// #endregion dts-value-bytes
