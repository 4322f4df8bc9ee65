// SPDX-License-Identifier: MIT
//
// /sys/kernel/debug/cma: a folder for each area, and in it what can be read:
//
//     base_pfn  count  order_per_bit      of the area
//     used  maxchunk                      pages taken; the most that are free in a row
//     bitmap                              words of 32 bits, lowest first
//
// The write-only files `alloc` and `free` are functions: code/mm/cma_debug.ts. Folders are called cma-<index> in 4.6,
// cma-<name> in 4.12, <name> in 6.x; 3.x has none.

// #region proc-cma-head
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { cmaBitmapText, cma_maxchunk_get, cma_used_get } from '../mm/cma_debug.ts'
import type { Cma } from '../mm/cma_declare.ts'

/**
 * The folder of area number `index`; null on a kernel without these files.
 * @kernel mm/cma_debug.c cma_debugfs_add_one() v6.12
 */
export function cmaFolder(kernel: KernelVersion, area: Cma, index: number): string | null {
  if (!kernelAtLeast(kernel, '4.6')) return null
  if (kernelAtLeast(kernel, '6.1.192')) return area.name
  return kernelAtLeast(kernel, '4.12.4') ? `cma-${area.name}` : `cma-${index}`
}
// #endregion proc-cma-head

// #region proc-cma-values
/** What the files that hold one number say, by name. An area that was never activated has no bitmap: used is 0. */
export function cmaValues(
  area: Cma,
): Record<'base_pfn' | 'count' | 'order_per_bit' | 'used' | 'maxchunk', number> {
  const { base_pfn, count, order_per_bit } = area
  return { base_pfn, count, order_per_bit, used: cma_used_get(area), maxchunk: cma_maxchunk_get(area) }
}
// #endregion proc-cma-values

// #region proc-cma
/** All files of all areas, each as `path: contents`. */
export function procCma(kernel: KernelVersion, areas: readonly Cma[]): string {
  return areas
    .flatMap((area, index) => {
      const folder = cmaFolder(kernel, area, index)
      if (folder === null) return []
      const files = Object.entries({ ...cmaValues(area), bitmap: cmaBitmapText(area) })
      return files.map(([file, value]) => `/sys/kernel/debug/cma/${folder}/${file}: ${value}\n`)
    })
    .join('')
}
// #endregion proc-cma
