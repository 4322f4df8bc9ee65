// SPDX-License-Identifier: MIT
//
// What stands behind `cma=` on the command line.

/** Bytes; 0 is "not said". */
export interface CmaOption {
  readonly size: number
  readonly base: number
  readonly limit: number
}

/** `text` is null for a bare `cma`; null is an error. */
export function readCma(text: string | null): CmaOption | null {
  // Yours. A function that reads one number and says where it ends is half of it.
  return null
}
