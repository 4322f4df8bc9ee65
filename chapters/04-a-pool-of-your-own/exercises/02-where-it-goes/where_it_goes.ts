// SPDX-License-Identifier: MIT
//
// Where a pool puts a buffer.

/** The first page of the block for `bytes` bytes, or -1. `taken[i]` says whether page i is in use. */
export function whereItGoes(taken: readonly boolean[], bytes: number): number {
  // Yours. How long is the block, and at which pages may it begin?
  return -1
}
