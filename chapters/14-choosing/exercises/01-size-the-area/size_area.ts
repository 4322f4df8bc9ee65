// SPDX-License-Identifier: MIT
//
// How large a CMA area has to be for the buffers of a driver.

/** A page. Unit: bytes. */
export const PAGE = 4096
/** An area is a whole number of these. Unit: pages. */
export const PAGEBLOCK = 512
/** What the kernel's own pools have of the area, from its first page on. Unit: pages. */
export const POOLS = 96
/** No buffer is aligned to more than 2 to this power, in pages. */
export const CONFIG_CMA_ALIGNMENT = 8

/** The least area for `buffers`, bytes each, in the order in which they are taken. Unit: MiB. */
export function areaFor(buffers: readonly number[]): number {
  // Yours. Where does each buffer begin, and where does the last of them end?
  return 0
}
