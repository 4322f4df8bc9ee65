// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import * as gfp from '../../code/mm/gfp.ts'
import { gfpNames } from '../../code/lib/gfp_names.ts'
import { formatGfp } from '../../code/mm/gfp_print.ts'

const REST = '__GFP_NOFAIL|__GFP_NORETRY|__GFP_COMP|__GFP_ZERO|__GFP_RECLAIMABLE'

describe('gfp flags in print', () => {
  it('formatGfp() writes the mode of a migration target as 6.1 and 6.12 were seen to (MC-2.6)', () => {
    const target = gfp.GFP_USER | gfp.__GFP_MOVABLE | gfp.__GFP_RETRY_MAYFAIL | gfp.__GFP_COMP
    const seen = '0x144cc8(GFP_USER|__GFP_RETRY_MAYFAIL|__GFP_COMP|__GFP_MOVABLE)'
    expect([formatGfp(target, '6.1.192'), formatGfp(target, '6.12.117')]).toEqual([seen, seen])
  })

  it('formatGfp() has the bits of each kernel, and names since 4.6', () => {
    const rows = (flags: number) => KERNEL_VERSIONS.map((kernel) => formatGfp(flags, kernel))
    const movable = 'GFP_HIGHUSER_MOVABLE'
    expect(rows(gfp.GFP_HIGHUSER_MOVABLE)).toEqual([
      ...['0x200da', '0x200da', `0x24200ca(${movable})`, `0x14200ca(${movable})`],
      ...[`0x100cca(${movable})`, `0x100cca(${movable})`],
    ])
    expect(rows(gfp.GFP_ATOMIC)).toEqual([
      ...['0x20', '0x20', '0x2080020(GFP_ATOMIC)', '0x1080020(GFP_ATOMIC)'],
      ...['0xa20(GFP_ATOMIC)', '0x820(GFP_ATOMIC)'],
    ])
    // Whoever may sleep is not atomic.
    expect(formatGfp(gfp.GFP_KERNEL | gfp.__GFP_HIGH, '6.1.192')).toBe('0xce0(GFP_KERNEL|__GFP_HIGH)')
    const all = gfp.__GFP_RETRY_MAYFAIL | gfp.__GFP_NOWARN | gfp.__GFP_NOFAIL | gfp.__GFP_NORETRY
    expect(rows(gfp.GFP_KERNEL | gfp.__GFP_RECLAIMABLE | gfp.__GFP_ZERO | gfp.__GFP_COMP | all)).toEqual([
      ...['0x8ded0', '0x8ded0'],
      `0x240ded0(GFP_KERNEL|__GFP_NOWARN|__GFP_REPEAT|${REST})`,
      `0x140ded0(GFP_KERNEL|__GFP_NOWARN|__GFP_REPEAT|${REST})`,
      `0x5edd0(GFP_KERNEL|__GFP_NOWARN|__GFP_RETRY_MAYFAIL|${REST})`,
      `0x5edd0(GFP_KERNEL|__GFP_NOWARN|__GFP_RETRY_MAYFAIL|${REST})`,
    ])
  })

  it('gfpNames() of 6.12 knows GFP_NOWAIT by __GFP_NOWARN as well', () => {
    const both = (flags: number) => [gfpNames(flags, '6.1.192'), gfpNames(flags)]
    expect(both(gfp.__GFP_KSWAPD_RECLAIM)).toEqual(['GFP_NOWAIT', '__GFP_KSWAPD_RECLAIM'])
    expect(both(gfp.__GFP_KSWAPD_RECLAIM | gfp.__GFP_NOWARN)).toEqual([
      'GFP_NOWAIT|__GFP_NOWARN',
      'GFP_NOWAIT',
    ])
  })

  it('gfpNames() takes the longest combination that fits', () => {
    expect(gfpNames(gfp.GFP_HIGHUSER_MOVABLE | gfp.__GFP_ZERO)).toBe('GFP_HIGHUSER_MOVABLE|__GFP_ZERO')
    expect(gfpNames(gfp.GFP_KERNEL | gfp.__GFP_NOWARN)).toBe('GFP_KERNEL|__GFP_NOWARN')
    expect(gfpNames(gfp.GFP_ATOMIC)).toBe('GFP_ATOMIC')
    expect(gfpNames(gfp.__GFP_RECLAIM, '6.1.192')).toBe('GFP_NOIO')
    expect(gfpNames(gfp.__GFP_RECLAIM)).toBe('GFP_NOIO')
  })

  it('gfpNames() says none for no flag, and the number for what has no name', () => {
    expect(gfpNames(0)).toBe('none')
    expect(gfpNames(gfp.GFP_DMA | 0x2000000)).toBe('GFP_DMA|0x2000000')
  })
})
