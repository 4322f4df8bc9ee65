// SPDX-License-Identifier: MIT
//
// gfp flags by name, as printk's %pGg and trace events write them: the longest known combination first, then the flags that
// it does not cover.
//
//     0xcc0       GFP_KERNEL
//     0x144cc8    GFP_USER|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_MOVABLE

// #region gfp-names-imports
import { kernelAtLeast, type KernelVersion } from './kernel_version.ts'
// #endregion gfp-names-imports

// #region gfp-names-combinations
export type NamedBits = readonly (readonly [mask: number, name: string])[]

// In the order in which the kernel tries them: combinations of many bits first. The bits are those of 6.12 without KASAN,
// the combinations of the models' gfp flags.
const GFP: NamedBits = [
  [0x1c24ca, 'GFP_TRANSHUGE'],
  [0x1c20ca, 'GFP_TRANSHUGE_LIGHT'],
  [0x100cca, 'GFP_HIGHUSER_MOVABLE'],
  [0x100cc2, 'GFP_HIGHUSER'],
  [0x100cc0, 'GFP_USER'],
  [0x400cc0, 'GFP_KERNEL_ACCOUNT'],
  [0xcc0, 'GFP_KERNEL'],
  [0xc40, 'GFP_NOFS'],
  [0x820, 'GFP_ATOMIC'],
  [0xc00, 'GFP_NOIO'],
  [0x2800, 'GFP_NOWAIT'],
  [0x1, 'GFP_DMA'],
  [0x2, '__GFP_HIGHMEM'],
  [0x4, 'GFP_DMA32'],
]
// #endregion gfp-names-combinations

// #region gfp-names-bits
const GFP_BITS: NamedBits = [
  [0x20, '__GFP_HIGH'],
  [0x40, '__GFP_IO'],
  [0x80, '__GFP_FS'],
  [0x2000, '__GFP_NOWARN'],
  [0x4000, '__GFP_RETRY_MAYFAIL'],
  [0x8000, '__GFP_NOFAIL'],
  [0x10000, '__GFP_NORETRY'],
  [0x40000, '__GFP_COMP'],
  [0x100, '__GFP_ZERO'],
  [0x80000, '__GFP_NOMEMALLOC'],
  [0x20000, '__GFP_MEMALLOC'],
  [0x100000, '__GFP_HARDWALL'],
  [0x200000, '__GFP_THISNODE'],
  [0x10, '__GFP_RECLAIMABLE'],
  [0x8, '__GFP_MOVABLE'],
  [0x400000, '__GFP_ACCOUNT'],
  [0x1000, '__GFP_WRITE'],
  [0xc00, '__GFP_RECLAIM'],
  [0x400, '__GFP_DIRECT_RECLAIM'],
  [0x800, '__GFP_KSWAPD_RECLAIM'],
]
// #endregion gfp-names-bits

// #region gfp-names-of
/** A word of 32 bits as a number from 0. */
export const unsigned = (word: number): number => (word < 0 ? word + 2 ** 32 : word)

/** Bits by name, joined with `|`; what is left over in hexadecimal; nothing for 0. */
export function bitNames(value: number, names: NamedBits): string {
  const found: string[] = []
  let rest = value
  for (const [mask, name] of names) {
    if (rest === 0) break
    if ((rest & mask) !== mask) continue
    found.push(name)
    rest &= ~mask
  }
  if (rest !== 0) found.push(`0x${unsigned(rest).toString(16)}`)
  return found.join('|')
}

const NAMES: NamedBits = [...GFP, ...GFP_BITS]
// Until __GFP_NOWARN became part of GFP_NOWAIT (6.5) it was one bit.
const NAMES_6_1 = NAMES.map(([mask, name]) => [name === 'GFP_NOWAIT' ? 0x800 : mask, name] as const)
const NAMES_4 = NAMES_6_1.map(([mask, name]) => [mask, name.replace('RETRY_MAYFAIL', 'REPEAT')] as const)

/**
 * The names of the flags, joined with `|`; `none` for 0. What 4.x calls __GFP_REPEAT is __GFP_RETRY_MAYFAIL in 6.x, and
 * what is GFP_NOWAIT in 6.1 is __GFP_KSWAPD_RECLAIM alone in 6.12, whose GFP_NOWAIT does not warn either.
 * `flags` has the bits of 6.12, whatever the kernel.
 * @kernel include/trace/events/mmflags.h show_gfp_flags() v6.12
 */
export function gfpNames(flags: number, kernel: KernelVersion = '6.12.117'): string {
  if (kernelAtLeast(kernel, '6.12.117')) return bitNames(flags, NAMES) || 'none'
  return bitNames(flags, kernelAtLeast(kernel, '6.1.192') ? NAMES_6_1 : NAMES_4) || 'none'
}
// #endregion gfp-names-of
