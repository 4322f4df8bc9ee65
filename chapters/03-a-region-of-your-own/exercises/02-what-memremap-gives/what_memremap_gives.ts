// SPDX-License-Identifier: MIT
//
// What a driver gets for a range, from /proc/iomem of an arm64 board.

export const MEMREMAP_WB = 1
export const MEMREMAP_WC = 4

export type Given = 'linear' | 'WB' | 'WC' | 'on ram' | 'on mixed range' | 'null'

/** `start` and `size` in bytes, whole pages; `flags` any of the two above. */
export function whatMemremapGives(iomem: string, start: number, size: number, flags: number): Given {
  // Yours. Which lines does the range meet, and what are they called?
  return 'null'
}
