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

/** A range of pages, `end` excluded. */
interface Taken {
  readonly start: number
  readonly end: number
}

/** The least area for `buffers`, bytes each, in the order in which they are taken. Unit: MiB. */
export function areaFor(buffers: readonly number[]): number {
  const taken: Taken[] = [{ start: 0, end: POOLS }]
  for (const bytes of buffers) {
    const count = Math.ceil(bytes / PAGE)
    const align = 2 ** Math.min(Math.ceil(Math.log2(count)), CONFIG_CMA_ALIGNMENT)
    const start = firstFit(taken, count, align)
    taken.push({ start, end: start + count })
  }
  const end = Math.max(...taken.map((each) => each.end))
  return (Math.ceil(end / PAGEBLOCK) * PAGEBLOCK * PAGE) / 2 ** 20
}

/** The lowest multiple of `align` from which on `count` pages are free. */
function firstFit(taken: readonly Taken[], count: number, align: number): number {
  for (let start = Math.ceil(Math.max(0, ...taken.map((each) => each.end)) / align) * align; ; start += align) {
    if (taken.every((each) => start + count <= each.start || start >= each.end)) return start
  }
}
