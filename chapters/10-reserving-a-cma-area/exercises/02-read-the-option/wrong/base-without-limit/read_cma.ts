// SPDX-License-Identifier: MIT
//
// What stands behind `cma=` on the command line.

/** Bytes; 0 is "not said". */
export interface CmaOption {
  readonly size: number
  readonly base: number
  readonly limit: number
}

/** `text` is null for a bare `cma`; null is an error. */
export function readCma(text: string | null): CmaOption | null {
  if (text === null) return null
  const size = readNumber(text)
  if (!size.rest.startsWith('@')) return { size: size.value, base: 0, limit: 0 }
  const base = readNumber(size.rest.slice(1))
  if (!base.rest.startsWith('-')) return { size: size.value, base: base.value, limit: 0 }
  return { size: size.value, base: base.value, limit: readNumber(base.rest.slice(1)).value }
}

function readNumber(text: string): { value: number; rest: string } {
  const digits = /^(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/i.exec(text)?.[0] ?? ''
  const octal = /^0[0-7]+$/.test(digits)
  const number = Number(octal ? '0o' + digits.slice(1) : digits || '0')
  const suffix = text.charAt(digits.length)
  const power = suffix ? 'KMG'.indexOf(suffix.toUpperCase()) + 1 : 0
  return { value: number * 1024 ** power, rest: text.slice(digits.length + (power > 0 ? 1 : 0)) }
}
