// SPDX-License-Identifier: MIT
//
// Answers take their time, and a reader goes on: whose turn has ended is not shown any more.

/** Asked when an answer comes: is it still this one's turn? */
export type Still = () => boolean

export interface Turns {
  /** For an answer to what is asked in the turn that runs. */
  since(): Still
  /** Ends it, and begins another. */
  next(): Still
}

export function createTurns(): Turns {
  let count = 0
  const since = (): Still => {
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
