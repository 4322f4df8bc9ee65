// SPDX-License-Identifier: MIT
//
// The loop of cma_alloc(): place after place.

/** The area, for one buffer of `count` pages whose places are multiples of `mask + 1`. */
export interface Area {
  readonly count: number
  readonly mask: number
  /** The lowest place from `start` on where no bit is set; -1 for none. */
  find(start: number): number
  /** Sets the bits of the buffer at `bit`, or clears them. */
  set(bit: number): void
  clear(bit: number): void
  /** alloc_contig_range(): 0, or a negative errno. */
  take(bit: number): number
}

export interface Outcome {
  /** Where the buffer lies; -1 for nowhere. */
  readonly bit: number
  /** What the log will say: 0, or a negative errno. */
  readonly ret: number
}

const EBUSY = 16
const ENOMEM = 12

export function search(area: Area): Outcome {
  let ret = -ENOMEM
  for (let start = 0; ; ) {
    const bit = area.find(start)
    if (bit < 0) return { bit: -1, ret }
    area.set(bit)
    ret = area.take(bit)
    if (ret === 0) return { bit, ret }
    if (ret !== -EBUSY) return { bit: -1, ret }
    start = bit + area.mask + 1
  }
}
