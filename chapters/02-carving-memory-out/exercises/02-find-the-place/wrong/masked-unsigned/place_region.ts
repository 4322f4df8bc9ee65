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
  const { size, alignment } = wanted
  for (const range of wanted.allocRanges) {
    for (const [from, to] of freePieces(lists).reverse()) {
      const low = Math.max(from, range.base)
      const high = Math.min(to, range.base + range.size)
      const candidate = ((high - size) & ~(alignment - 1)) >>> 0
      if (high - size >= low && candidate >= low) return candidate
    }
  }
  return 0
}

// [from, to) of what nobody has, lowest first.
function freePieces({ memory, reserved }: Lists): [number, number][] {
  const pieces: [number, number][] = []
  for (const { base, size, noMap } of memory) {
    if (noMap) continue
    let from = base
    for (const taken of reserved) {
      if (taken.base >= base + size) break
      if (taken.base > from) pieces.push([from, taken.base])
      from = Math.max(from, taken.base + taken.size)
    }
    if (from < base + size) pieces.push([from, base + size])
  }
  return pieces
}
