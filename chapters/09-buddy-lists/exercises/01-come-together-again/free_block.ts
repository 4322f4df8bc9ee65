// SPDX-License-Identifier: MIT
//
// What becomes of a block when it is freed.

/** Free pages: 2^order of them, from `pfn` on. */
export interface Block {
  readonly pfn: number
  readonly order: number
}

export interface Memory {
  /** The free blocks, lowest first. */
  readonly free: readonly Block[]
  /** The order of the largest block. */
  readonly maxOrder: number
  /** The order of a pageblock. */
  readonly pageblockOrder: number
  /** The type of each pageblock from page 0 on: U, M, R or C. */
  readonly types: string
}

/** The free blocks, lowest first, once `freed` is free too. */
export function freeBlock(memory: Memory, freed: Block): Block[] {
  // Yours. Is there a buddy, and is it free?
  return [...memory.free, freed].sort((a, b) => a.pfn - b.pfn)
}
