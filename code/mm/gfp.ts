// SPDX-License-Identifier: MIT
//
// gfp flags: what a caller of the page allocator allows, in one number, and the migratetype that follows from it.
//
//     GFP_KERNEL              may sleep, reclaim, do I/O        unmovable
//     GFP_ATOMIC              may not sleep                     unmovable
//     GFP_HIGHUSER_MOVABLE    for a program: may be moved       movable: the only one that may lie in CMA
//
// The bits are those of 6.12. 6.1 has one more, for GFP_ATOMIC, and older kernels number them otherwise: gfp_print.ts says
// how, for it shows in the log. GFP_NOWAIT is as until 6.1; in 6.12 it has __GFP_NOWARN as well.

// #region gfp-flags
export const __GFP_DMA = 0x01
export const __GFP_HIGHMEM = 0x02
export const __GFP_DMA32 = 0x04
export const __GFP_MOVABLE = 0x08
export const __GFP_RECLAIMABLE = 0x10
export const __GFP_HIGH = 0x20
export const __GFP_IO = 0x40
export const __GFP_FS = 0x80
export const __GFP_ZERO = 0x100
export const __GFP_DIRECT_RECLAIM = 0x400
export const __GFP_KSWAPD_RECLAIM = 0x800
export const __GFP_NOWARN = 0x2000
export const __GFP_RETRY_MAYFAIL = 0x4000
export const __GFP_NOFAIL = 0x8000
export const __GFP_NORETRY = 0x10000
export const __GFP_COMP = 0x40000
export const __GFP_HARDWALL = 0x100000
// #endregion gfp-flags

// #region gfp-combinations
export const __GFP_RECLAIM = __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM
export const GFP_ATOMIC = __GFP_HIGH | __GFP_KSWAPD_RECLAIM
export const GFP_KERNEL = __GFP_RECLAIM | __GFP_IO | __GFP_FS
export const GFP_NOWAIT = __GFP_KSWAPD_RECLAIM
export const GFP_USER = GFP_KERNEL | __GFP_HARDWALL
export const GFP_DMA = __GFP_DMA
export const GFP_DMA32 = __GFP_DMA32
export const GFP_HIGHUSER = GFP_USER | __GFP_HIGHMEM
export const GFP_HIGHUSER_MOVABLE = GFP_HIGHUSER | __GFP_MOVABLE
// #endregion gfp-combinations

// #region gfp-blocking
/** Whether the caller may sleep. @kernel include/linux/gfp.h gfpflags_allow_blocking() v6.12 */
export function gfpflags_allow_blocking(gfp_flags: number): boolean {
  return (gfp_flags & __GFP_DIRECT_RECLAIM) !== 0
}
// #endregion gfp-blocking
