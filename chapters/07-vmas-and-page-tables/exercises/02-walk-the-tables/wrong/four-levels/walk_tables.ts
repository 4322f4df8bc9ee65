// SPDX-License-Identifier: MIT
//
// From a root and a pointer to a physical address, by reading RAM: arm64, pages of 4 KiB.

/** Reads the eight bytes at a physical address that is a multiple of eight. */
export type Read64 = (pa: number) => bigint

/** Where `va` leads, or null when nothing is mapped there. `vaBits` is 48 or 39. */
export function walkTables(read: Read64, root: number, va: number, vaBits: number): number | null {
  let at = root
  for (let shift = 39; shift >= 12; shift -= 9) {
    const index = Math.floor(va / 2 ** shift) % 512
    const entry = read(at + index * 8)
    if ((entry & 1n) === 0n) return null
    at = Number(entry & 0xffff_ffff_f000n)
  }
  return at + (va % 4096)
}
