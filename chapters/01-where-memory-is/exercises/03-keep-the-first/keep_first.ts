// SPDX-License-Identifier: MIT
//
// `mem=` on arm64: what is left of the list of RAM.

/** `[base, base + size)`. Unit: bytes. */
export interface Range {
  readonly base: number
  readonly size: number
  /** Not to be mapped. */
  readonly noMap: boolean
}

/** The ranges that stay when the kernel may use `limit` bytes of `memory`. */
export function keepFirst(memory: readonly Range[], limit: number): Range[] {
  // Yours. Walk the ranges and count down.
  return []
}
