// SPDX-License-Identifier: MIT
//
// A request for a CMA area, before a place is looked for.

/** Bytes. A base of 0 is anywhere, a limit of 0 is none. */
export interface Asked {
  readonly size: number
  readonly base: number
  readonly limit: number
}

/** The size of the area, or why there is none. `alignment` is a power of two. */
export function roundArea(asked: Asked, alignment: number): number | 'misaligned' | 'exceeds' {
  const { size, base, limit } = asked
  const up = (value: number) => Math.ceil(value / alignment) * alignment
  const fixed = base !== 0 && base + size === limit
  if (fixed && base % alignment !== 0) return 'misaligned'
  if (limit !== 0 && base + size > limit) return 'exceeds'
  return up(size)
}
