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
  let free = [...memory.free]
  let { pfn, order } = freed
  while (order < memory.maxOrder) {
    const buddy = pfn ^ (1 << order)
    const at = free.find((block) => block.pfn === buddy && block.order === order)
    if (!at) break
    free = free.filter((block) => block !== at)
    pfn = Math.min(pfn, buddy)
    order++
  }
  return [...free, { pfn, order }].sort((a, b) => a.pfn - b.pfn)
}
