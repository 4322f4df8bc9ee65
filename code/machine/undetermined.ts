// SPDX-License-Identifier: MIT
//
// What two runs of the same calls on the same kernel need not agree upon, so that a model cannot be asked for it either:
// each with its reason. replay_compare.ts counts how often it met each; nothing is passed over in silence.

// #region undetermined-type
/** Something that is not compared. */
export interface Undetermined {
  readonly what: string
  readonly reason: string
}
// #endregion undetermined-type

// #region undetermined-list
/** By a word of its own. */
export const UNDETERMINED = {
  'buddy-address': {
    what: 'which page the buddy allocator gives; compared is that it gives one, outside every area and pool',
    reason: 'its free lists hold what hundreds of allocations since boot have left, on every CPU',
  },
  'free-cma': {
    what: 'NR_FREE_CMA_PAGES, except right behind an allocation from CMA',
    reason: 'pages that were freed wait in lists of a CPU, 6.x, until an allocation from CMA drains them',
  },
  'moved-pages': {
    what: 'how many pages an allocation moved, where no program of the lab lies in the range',
    reason: 'other tasks get pages of CMA from the lists of their CPU; how many lie in a range is chance',
  },
  // #region undetermined-more
  'private-copies': {
    what: 'pages that a write to a private mapping copies; the calls write to shared ones only',
    reason: 'they are anonymous memory, and may come from CMA by way of a CPU’s list',
  },
  'limited-line': {
    what: 'the line `alloc failed, req-size: …`',
    reason: 'pr_err_ratelimited(): ten in five seconds, of guest time',
  },
  'pool-growth': {
    what: 'when an atomic pool grows',
    reason:
      'a worker does it, whenever it comes to run; the calls wait for it once and then keep below the mark',
  },
  'uncleared-contents': {
    what: 'contents of a buffer with DMA_ATTR_NO_KERNEL_MAPPING',
    reason: 'nobody clears it; whether the page allocator does is a matter of init_on_alloc',
  },
  'stale-contents': {
    what: 'contents of a pool that a coherent device maps',
    reason: 'two memory types for the same bytes; QEMU has no caches, so nothing is ever stale there',
  },
  // #endregion undetermined-more
} as const satisfies Readonly<Record<string, Undetermined>>

export type UndeterminedName = keyof typeof UNDETERMINED
// #endregion undetermined-list
