// SPDX-License-Identifier: MIT
//
// Where a pool puts a buffer.

/** The first page of the block for `bytes` bytes, or -1. `taken[i]` says whether page i is in use. */
export function whereItGoes(taken: readonly boolean[], bytes: number): number {
  let length = 1
  while (length * 4096 < bytes) length *= 2
  for (let page = 0; page < taken.length; page += length) {
    if (!taken.slice(page, page + length).includes(true)) return page
  }
  return -1
}
