// SPDX-License-Identifier: MIT
//
// Where a buffer of an area lies. A bit is a page.

export interface Wish {
  /** Pages. */
  readonly count: number
  /** The first page frame is a multiple of two to the power of this. */
  readonly align: number
}

/** `taken[bit]`: a device has that page. `base_pfn`: the page frame of bit 0. Returns a bit, or -1 for no place. */
export function findBit(taken: readonly boolean[], base_pfn: number, wish: Wish): number {
  const unit = 2 ** wish.align
  for (let bit = 0; bit + wish.count <= taken.length; bit += unit) {
    if (!taken.slice(bit, bit + wish.count).includes(true)) return bit
  }
  return -1
}
