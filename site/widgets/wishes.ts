// SPDX-License-Identifier: MIT
//
// What a reader wants of a widget comes by turns, and answers take their time: one that comes after the next wish is dropped.

/** Asked when an answer comes: is it still wanted? */
export type StillWanted = () => boolean

export interface Wishes {
  /** For an answer to what is wanted now. */
  since(): StillWanted
  /** Something else is wanted from now on. */
  next(): StillWanted
}

export function createWishes(): Wishes {
  let count = 0
  const since = (): StillWanted => {
    const then = count
    return () => then === count
  }
  return {
    since,
    next: () => {
      count += 1
      return since()
    },
  }
}
