// SPDX-License-Identifier: MIT
//
// Memory types: what a page table entry lets the CPU do with a piece of memory besides reading and writing it.
//
//     normal          cacheable, write-back          RAM, as the kernel and programs have it
//     normal-wt       cacheable, write-through
//     normal-nc       not cacheable, may be merged   what dma_alloc_coherent() maps for a device that does not snoop
//     device-nGnRE    a device's registers           ioremap(): not merged, order kept, writes acknowledged early
//     device-nGnRnE   the same, never early          "strongly ordered" on arm; pgprot_noncached()
//
// Two mappings of one page with different types are an alias: the cache may hold what the other mapping does not see.
// Leaves out: shareability (one cluster), gathering and ordering (the models have no write buffer).

// #region memory-type
/** What the CPU may do with memory of this type. */
export type MemoryType = 'normal' | 'normal-wt' | 'normal-nc' | 'device-nGnRE' | 'device-nGnRnE'

/** Whether accesses of this type look into the caches. */
export function isCacheable(type: MemoryType): boolean {
  return type === 'normal' || type === 'normal-wt'
}
// #endregion memory-type

// #region memory-type-alias
/**
 * Whether two mappings of one page disagree so that one may not see what is written through the other: one looks into
 * the caches and the other does not. Linux does not check this on ARM; the models do.
 */
export function isAliasMismatch(a: MemoryType, b: MemoryType): boolean {
  return isCacheable(a) !== isCacheable(b)
}
// #endregion memory-type-alias
