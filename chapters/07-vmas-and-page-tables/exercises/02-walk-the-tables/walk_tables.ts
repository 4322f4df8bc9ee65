// SPDX-License-Identifier: MIT
//
// From a root and a pointer to a physical address, by reading RAM: arm64, pages of 4 KiB.

/** Reads the eight bytes at a physical address that is a multiple of eight. */
export type Read64 = (pa: number) => bigint

/** Where `va` leads, or null when nothing is mapped there. `vaBits` is 48 or 39. */
export function walkTables(read: Read64, root: number, va: number, vaBits: number): number | null {
  // Yours. Which bits of the pointer choose an entry of the first table?
  return null
}
