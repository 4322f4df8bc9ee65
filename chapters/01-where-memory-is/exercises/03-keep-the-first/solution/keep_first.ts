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
  const kept: Range[] = []
  let left = limit === 0 ? Infinity : limit
  for (const range of memory) {
    const size = Math.min(range.size, left)
    left -= size
    if (range.noMap) kept.push(range)
    else if (size > 0) kept.push({ ...range, size })
  }
  return kept
}
