// SPDX-License-Identifier: MIT
//
// Chance that can be repeated: a small generator (mulberry32) from a seed. The models have no other source of it.

// #region rng
/** A generator; equal seeds give equal numbers. */
export interface Rng {
  /** An integer in `[0, below)`; `below` from 1 to 2^32. */
  next(below: number): number
  /** What it goes on from, for a snapshot: 32 bits, signed. */
  state: number
}

/** `seed` is taken modulo 2^32. */
export function createRng(seed: number): Rng {
  const rng: Rng = {
    state: seed | 0,
    next: (below) => {
      rng.state = (rng.state + 0x6d2b_79f5) | 0
      let mixed = Math.imul(rng.state ^ (rng.state >>> 15), rng.state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      mixed ^= mixed >>> 14
      return Math.floor(((mixed < 0 ? mixed + 2 ** 32 : mixed) / 2 ** 32) * below)
    },
  }
  return rng
}
// #endregion rng
