// SPDX-License-Identifier: MIT
//
// A field's value as a trace event prints it, and back: numbers of 64 bits, flags by name, pointers.
//
//     x   -1                64 bits: ffffffffffffffff      32 bits: ffffffff
//     gfp 0xcc0             GFP_KERNEL
//     p   a page's pfn      0000000001f28bc1               null: all zeros
//
// The kernel hashes a pointer before it prints it, and a model has no struct page at an address: it prints a hash of the
// pfn in its place. Equal pages look equal, and that is all such a word is good for.

// #region trace-values-head
import { bitNames, gfpNames, unsigned, type NamedBits } from './gfp_names.ts'
import type { KernelVersion } from './kernel_version.ts'
import type { TraceValue } from './trace.ts'
import type { TraceConversion } from './trace_events.ts'

const ATTRS: NamedBits = [
  [1 << 1, 'WEAK_ORDERING'],
  [1 << 2, 'WRITE_COMBINE'],
  [1 << 4, 'NO_KERNEL_MAPPING'],
  [1 << 5, 'SKIP_CPU_SYNC'],
  [1 << 6, 'FORCE_CONTIGUOUS'],
  [1 << 7, 'ALLOC_SINGLE_PAGES'],
  [1 << 8, 'NO_WARN'],
  [1 << 9, 'PRIVILEGED'],
]
const DIRECTIONS = ['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE']
const FORCE = ['NORMAL', 'FORCE']
// #endregion trace-values-head

// #region trace-values-pointer
/** What stands for a pointer to `value`: NULL is zeros, anything else 32 bits that are the same every time. */
export function tracePointer(value: TraceValue, bits: 32 | 64): string {
  const wide = BigInt.asUintN(64, BigInt(value))
  const zero = wide === 0n
  let hash = Number(wide & 0xffff_ffffn) ^ Math.imul(Number(wide >> 32n), 0x9e37_79b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  const word = zero ? '' : unsigned(hash ^ (hash >>> 16)).toString(16)
  return word.padStart(bits / 4, '0')
}
// #endregion trace-values-pointer

// #region trace-values-text
/** How values of `kernel` are printed. */
export interface TraceStyle {
  readonly kernel: KernelVersion
  /** Bits in an `unsigned long`. */
  readonly bits: 32 | 64
}

/** `value` as `conversion` prints it. Words print as they are, so flags may be given by name too. */
export function printTraceValue(value: TraceValue, conversion: TraceConversion, style: TraceStyle): string {
  if (typeof value === 'string') return value
  switch (conversion) {
    case 'x':
    case 'u':
      return BigInt.asUintN(value < 0 ? style.bits : 64, BigInt(value)).toString(conversion === 'x' ? 16 : 10)
    case 'p':
      return tracePointer(value, style.bits)
    case 'dir':
    case 'force':
      return (conversion === 'dir' ? DIRECTIONS : FORCE)[Number(value)] ?? `0x${value.toString(16)}`
    case 'attrs':
      return bitNames(Number(value), ATTRS)
    case 'gfp':
      return gfpNames(Number(value), style.kernel)
    default:
      return value.toString()
  }
}

/** What text a conversion may have printed. */
export const TRACE_PATTERN: Readonly<Record<TraceConversion, string>> = {
  d: '-?\\d+',
  u: '\\d+',
  x: '[0-9a-f]+',
  s: '.*?',
  p: '\\S+',
  array: '\\{[^}]*\\}',
  dir: '\\w+',
  attrs: '\\S*',
  gfp: '\\S*',
  force: '\\S*',
  derived: '.*?',
}

/** The value of a printed word: a number where it was one, a bigint where a number is too small, else the word. */
export function readTraceValue(word: string, conversion: TraceConversion): TraceValue {
  if (conversion !== 'd' && conversion !== 'u' && conversion !== 'x') return word
  const value = BigInt(conversion === 'x' ? `0x${word}` : word)
  return value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)
    ? value
    : Number(value)
}
// #endregion trace-values-text
