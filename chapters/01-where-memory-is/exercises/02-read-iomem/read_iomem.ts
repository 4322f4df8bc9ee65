// SPDX-License-Identifier: MIT
//
// Where RAM is, by a listing of /proc/iomem.

/** `[base, base + size)`. Unit: bytes. */
export interface Bank {
  readonly base: number
  readonly size: number
}

/** The banks of RAM, lowest first; null when the listing tells no addresses. */
export function banksOf(iomem: string): Bank[] | null {
  // Yours. A line is: blanks, first byte, a hyphen, last byte, ` : `, a name.
  return []
}
