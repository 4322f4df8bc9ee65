// SPDX-License-Identifier: MIT
//
// Where the kernel puts a region of /reserved-memory that has a size and no address.

/** `[base, base + size)`. Unit: bytes. */
export interface Range {
  readonly base: number
  readonly size: number
}

/** The two lists of memblock, each sorted. */
export interface Lists {
  readonly memory: readonly (Range & { readonly noMap: boolean })[]
  readonly reserved: readonly Range[]
}

/** What the node says. `alignment` is a power of two, at least one page. */
export interface Wanted {
  readonly size: number
  readonly alignment: number
  readonly allocRanges: readonly Range[]
}

/** The address of the region, or 0 when there is no room for it. */
export function placeRegion(lists: Lists, wanted: Wanted): number {
  // Yours. For each of the ranges: which free pieces lie in it, and what is the highest place in the highest of them?
  return 0
}
