// SPDX-License-Identifier: MIT
//
// How large a CMA area has to be for buffers of one size, when some of its pages cannot be moved.

/** A page. Unit: bytes. */
export const PAGE = 4096
/** An area is a whole number of these. Unit: pages. */
export const PAGEBLOCK = 512
/** What the kernel's own pools have of the area, from its first page on. Unit: pages. */
export const POOLS = 96
/** No buffer is aligned to more than this. Unit: pages. */
export const MOST_ALIGNED = 256

/** The least area for `buffers` buffers of `bytes` each, wherever `held` pages of it are held. Unit: MiB. */
export function areaWithSpare(bytes: number, buffers: number, held: number): number {
  const count = Math.ceil(bytes / PAGE)
  const align = Math.min(2 ** Math.ceil(Math.log2(count)), MOST_ALIGNED)
  const first = Math.ceil(POOLS / align) * align
  // From the start of one buffer to the start of the next.
  const stride = Math.ceil(count / align) * align
  // Each page that is held takes one place.
  const end = first + (buffers + held - 1) * stride + count
  return (Math.ceil(end / PAGEBLOCK) * PAGEBLOCK * PAGE) / 2 ** 20
}
