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
  const entry = addressCells + sizeCells
  if (cells.length % entry !== 0) return { reserved: [], region: null }
  const reserved: Range[] = []
  for (let at = 0; at + entry <= cells.length; at += entry) {
    const middle = at + addressCells
    reserved.push({ base: number(cells.slice(at, middle)), size: number(cells.slice(middle, at + entry)) })
  }
  return { reserved: reserved.slice(0, 1), region: reserved[0] ?? null }
}

// Of two cells the first is the upper half.
function number(cells: readonly number[]): number {
  return cells.reduce((value, cell) => value * 2 ** 32 + cell, 0)
}
