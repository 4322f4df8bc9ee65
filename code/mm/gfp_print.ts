// SPDX-License-Identifier: MIT
//
// gfp flags as a kernel's log has them: the number by that kernel's bits, and since 4.6 the names.
//
//     GFP_USER, moved to     3.5    0x204d8
//                            4.12   0x1424448(GFP_USER|__GFP_REPEAT|__GFP_COMP|__GFP_MOVABLE)
//                            6.12   0x144cc8(GFP_USER|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_MOVABLE)

// #region gfp-print-imports
import { gfpNames } from '../lib/gfp_names.ts'
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import * as gfp from './gfp.ts'
// #endregion gfp-print-imports

// #region gfp-print-format
/** The number, and the names since 4.6, as in `mode:0x144cc8(GFP_USER|…)`. */
export function formatGfp(flags: number, kernel: KernelVersion): string {
  const number = `0x${gfpNumber(flags, kernel).toString(16)}`
  return kernelAtLeast(kernel, '4.6') ? `${number}(${gfpNames(flags, kernel)})` : number
}
// #endregion gfp-print-format

// #region gfp-print-number
// Flags that had another bit until 4.12: the bit of 3.x, of 4.6, of 4.12. 3.x has one flag for both kinds of reclaim.
const BEFORE_6: readonly (readonly [flag: number, v3: number, v46: number, v412: number])[] = [
  [gfp.__GFP_RECLAIMABLE, 0x80000, 0x10, 0x10],
  [gfp.__GFP_ZERO, 0x8000, 0x8000, 0x8000],
  [gfp.__GFP_DIRECT_RECLAIM, 0x10, 0x400000, 0x400000],
  [gfp.__GFP_KSWAPD_RECLAIM, 0, 0x2000000, 0x1000000],
  [gfp.__GFP_NOWARN, 0x200, 0x200, 0x200],
  [gfp.__GFP_RETRY_MAYFAIL, 0x400, 0x400, 0x400],
  [gfp.__GFP_NOFAIL, 0x800, 0x800, 0x800],
  [gfp.__GFP_NORETRY, 0x1000, 0x1000, 0x1000],
  [gfp.__GFP_COMP, 0x4000, 0x4000, 0x4000],
  [gfp.__GFP_HARDWALL, 0x20000, 0x20000, 0x20000],
]

// GFP_ATOMIC has a bit of its own in 4.x and 6.1. @kernel include/linux/gfp_types.h ___GFP_ATOMIC v6.1
function gfpNumber(flags: number, kernel: KernelVersion): number {
  const atomic = (flags & gfp.GFP_ATOMIC) === gfp.GFP_ATOMIC && (flags & gfp.__GFP_DIRECT_RECLAIM) === 0
  if (kernelAtLeast(kernel, '6.12.117')) return flags
  if (kernelAtLeast(kernel, '6.1.192')) return flags | (atomic ? 0x200 : 0)
  const v4 = kernelAtLeast(kernel, '4.6')
  const column = kernelAtLeast(kernel, '4.12.4') ? 3 : v4 ? 2 : 1
  let number = v4 && atomic ? 0x80000 : 0
  let rest = flags
  for (const row of BEFORE_6) {
    if (flags & row[0]) number |= row[column]
    rest &= ~row[0]
  }
  return number | rest
}
// #endregion gfp-print-number
