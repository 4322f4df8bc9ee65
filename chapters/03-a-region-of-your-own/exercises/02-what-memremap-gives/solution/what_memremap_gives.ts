// SPDX-License-Identifier: MIT
//
// What a driver gets for a range, from /proc/iomem of an arm64 board.

export const MEMREMAP_WB = 1
export const MEMREMAP_WC = 4

export type Given = 'linear' | 'WB' | 'WC' | 'on ram' | 'on mixed range' | 'null'

/** `start` and `size` in bytes, whole pages; `flags` any of the two above. */
export function whatMemremapGives(iomem: string, start: number, size: number, flags: number): Given {
  if (!flags) return 'null'
  const met = topLevel(iomem).filter(({ first, last }) => first <= start + size - 1 && last >= start)
  const ram = met.filter(({ name }) => name === 'System RAM').length
  if (ram > 0 && ram < met.length) return 'on mixed range'
  if (flags & MEMREMAP_WB) return ram > 0 ? 'linear' : 'WB'
  return ram > 0 ? 'on ram' : 'WC'
}

// The lines at the left margin.
function topLevel(iomem: string): { first: number; last: number; name: string }[] {
  return iomem.split('\n').flatMap((line) => {
    const [, first, last, name] = /^([0-9a-f]+)-([0-9a-f]+) : (.*)$/.exec(line) ?? []
    return first && last && name ? [{ first: parseInt(first, 16), last: parseInt(last, 16), name }] : []
  })
}
