// SPDX-License-Identifier: MIT
//
// Where a C compiler puts the fields of a structure: each at the next multiple of its own size, and the whole rounded up
// to a multiple of its largest field. What a driver and a program exchange must have one layout in both, also when the
// program has 32-bit longs and pointers and the kernel 64-bit ones:
//
//                  ILP32 (arm)      LP64 (arm64)
//     char *name       0  4             0  8        pointers and longs grow, and push
//     long  len        4  4             8  8        everything behind them
//     __u64 size       0  8             0  8        fixed widths do not
//
// Leaves out: bit fields, nested structures, arrays, packed; i386, whose __u64 are aligned to 4; big-endian machines.

// #region c-layout-types
/** How wide `int`, `long` and pointers are: arm and arm64. */
export type DataModel = 'ILP32' | 'LP64'

const WIDTHS = {
  char: 1,
  __u8: 1,
  __u16: 2,
  int: 4,
  'unsigned int': 4,
  __s32: 4,
  __u32: 4,
  __u64: 8,
} as const

/** Types of fields; `pointer` stands for all of them. */
export type CType = keyof typeof WIDTHS | 'long' | 'unsigned long' | 'pointer'

/** Fields in the order of the declaration: name and type. */
export type CFields = Readonly<Record<string, CType>>
// #endregion c-layout-types

// #region c-layout-type
/** A structure as one compiler lays it out; units are bytes. */
export interface CLayout<Fields extends CFields = CFields> {
  readonly fields: Fields
  readonly offsets: Readonly<Record<keyof Fields, number>>
  readonly widths: Readonly<Record<keyof Fields, number>>
  /** With the padding at its end. */
  readonly size: number
}

const SIGNED: readonly CType[] = ['char', 'int', '__s32', 'long']
// #endregion c-layout-type

// #region c-layout-of
/** Bytes of a type. */
function widthOf(type: CType, model: DataModel): number {
  if (type === 'long' || type === 'unsigned long' || type === 'pointer') return model === 'LP64' ? 8 : 4
  return WIDTHS[type]
}

/** Lays a structure out. Throws for one without fields. */
export function layoutOf<Fields extends CFields>(fields: Fields, model: DataModel): CLayout<Fields> {
  const entries = Object.entries(fields) as [keyof Fields, CType][]
  if (entries.length === 0) throw new Error('layoutOf: got no fields, expected at least one')
  const offsets = {} as Record<keyof Fields, number>
  const widths = {} as Record<keyof Fields, number>
  let end = 0
  let largest = 1
  for (const [name, type] of entries) {
    const width = widthOf(type, model)
    offsets[name] = Math.ceil(end / width) * width
    widths[name] = width
    end = offsets[name] + width
    largest = Math.max(largest, width)
  }
  return { fields, offsets, widths, size: Math.ceil(end / largest) * largest }
}
// #endregion c-layout-of

// #region c-layout-encode
/** A value for a field; a number is cut to the field's width, as a C assignment does. */
export type CValue = number | bigint

/** The bytes of a structure with these values; what is not given, and padding, is 0. */
export function encodeStruct<Fields extends CFields>(
  layout: CLayout<Fields>,
  values: Partial<Record<keyof Fields, CValue>>,
): Uint8Array {
  const bytes = new Uint8Array(layout.size)
  for (const [name, value] of Object.entries(values) as [keyof Fields, CValue][]) {
    let rest = BigInt.asUintN(8 * layout.widths[name], BigInt(value))
    for (let at = 0; at < layout.widths[name]; at++, rest >>= 8n) {
      bytes[layout.offsets[name] + at] = Number(rest & 0xffn)
    }
  }
  return bytes
}
// #endregion c-layout-encode

// #region c-layout-decode
/** The fields of a structure, from its bytes; exact to 2^53, rounded above. Throws when there are too few. */
export function decodeStruct<Fields extends CFields>(
  layout: CLayout<Fields>,
  bytes: Uint8Array,
): Record<keyof Fields, number> {
  if (bytes.length < layout.size)
    throw new Error(`decodeStruct: got ${bytes.length} bytes, expected ${layout.size}`)
  const values = {} as Record<keyof Fields, number>
  for (const name of Object.keys(layout.fields) as (keyof Fields)[]) {
    const width = layout.widths[name]
    let value = 0n
    for (let at = width - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[layout.offsets[name] + at]!)
    const signed = SIGNED.includes(layout.fields[name]!)
    values[name] = Number(signed ? BigInt.asIntN(8 * width, value) : value)
  }
  return values
}
// #endregion c-layout-decode
