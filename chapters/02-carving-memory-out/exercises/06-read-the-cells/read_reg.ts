// SPDX-License-Identifier: MIT
//
// What a kernel reads in the reg of a reserved-memory node.

/** `[base, base + size)`. Unit: bytes. */
export interface Range {
  readonly base: number
  readonly size: number
}

/** What becomes of the node. */
export interface Outcome {
  /** All that is kept free. */
  readonly reserved: readonly Range[]
  /** What enters the table of regions, or null. */
  readonly region: Range | null
}

/** `addressCells` and `sizeCells` are those of the root node, 1 or 2. */
export function readReg(cells: readonly number[], addressCells: number, sizeCells: number): Outcome {
  // Yours. How long is an entry, and what do its cells say?
  return { reserved: [], region: null }
}
