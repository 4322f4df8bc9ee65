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
  const total = memory.reduce((sum, { size }) => sum + size, 0)
  const end = limit === 0 || limit > total ? Infinity : memory[0]!.base + limit
  return memory.flatMap((range) => {
    if (range.noMap) return [range]
    const size = Math.min(range.size, end - range.base)
    return size > 0 ? [{ ...range, size }] : []
  })
}
