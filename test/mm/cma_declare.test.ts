// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EBUSY, EINVAL, ENOMEM, ENOSPC } from '../../code/lib/errno.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import {
  cma_declare_contiguous_nid,
  cma_init_reserved_mem,
  type CmaAreas,
} from '../../code/mm/cma_declare.ts'
import {
  createMemblock,
  memblock_add,
  memblock_end_of_DRAM,
  memblock_is_region_reserved,
  memblock_reserve,
} from '../../code/mm/memblock.ts'

function areas(
  kernel: KernelVersion,
  base: number,
  size: number,
  minAlignment = MiB(2),
  maxAreas = 20,
): CmaAreas {
  const memblock = createMemblock()
  memblock_add(memblock, base, size)
  const highmemStart = memblock_end_of_DRAM(memblock)
  return { kernel, memblock, log: new Printk(), minAlignment, maxAreas, highmemStart, areas: [] }
}

function declare(cma: CmaAreas, wish: { base?: number; size: number; limit?: number; fixed?: boolean }) {
  const { base = 0, size, limit = 0, fixed = false } = wish
  const area = cma_declare_contiguous_nid(cma, base, size, limit, 0, 0, fixed, 'reserved', -1)
  return typeof area === 'number' ? area : area.base
}

const virt = (kernel: KernelVersion = '6.12.117', alignment = MiB(2)) =>
  areas(kernel, GiB(1), GiB(1), alignment)

describe('cma_declare_contiguous_nid()', () => {
  test('TV-9, MC-4.1: a fixed size that is not aligned exceeds its own limit', () => {
    const cma = virt()
    const wish = { base: 0x6000_0000, size: MiB(5), limit: 0x6050_0000, fixed: true }
    expect(declare(cma, wish)).toBe(-EINVAL)
    expect(cma.log.lines).toEqual([
      'cma: Size (0x0000000000600000) of region at 0x0000000060000000 exceeds limit (0x0000000060400000)',
      'cma: Failed to reserve 6 MiB on node -1',
    ])
  })

  test.each(['6.1.192', '6.12.117'] as const)(
    'TV-10, MC-4.4: 6 GiB, limit 4 GiB: below 4 GiB [%s]',
    (kernel) => {
      expect(declare(areas(kernel, GiB(1), GiB(6)), { size: MiB(64), limit: GiB(4) })).toBe(0xfc00_0000)
    },
  )

  test.each(['6.1.192', '6.12.117'] as const)(
    'MC-4.4: without a limit the lowest fit from 4 GiB up [%s]',
    (kernel) => {
      expect(declare(areas(kernel, GiB(1), GiB(6)), { size: MiB(64) })).toBe(GiB(4))
    },
  )

  test.each([
    ['6.1.192', GiB(4), 0x6c00_0000],
    ['6.1.192', 0, 0x6c00_0000],
    ['6.12.117', GiB(4), 0xfc00_0000],
    ['6.12.117', 0, GiB(4)],
  ] as const)(
    'high memory and RAM beyond 4 GiB: 6.1 loses the place in high memory [%s, limit %i]',
    (kernel, limit, at) => {
      const cma = areas(kernel, GiB(1), GiB(6))
      cma.highmemStart = 0x7000_0000
      expect(declare(cma, { size: MiB(64), limit })).toBe(at)
      const high = (limit || GiB(7)) - MiB(64)
      expect(memblock_is_region_reserved(cma.memblock, high, MiB(64))).toBe(
        kernel === '6.1.192' || at === high,
      )
    },
  )

  test('MC-4.4: 4.12 never looks from 4 GiB up', () => {
    expect(declare(areas('4.12.4', GiB(1), GiB(6), MiB(4)), { size: MiB(64) })).toBe(GiB(7) - MiB(64))
  })

  test('TV-11: anywhere in a range', () => {
    const cma = areas('6.12.117', GiB(1), GiB(6))
    expect(declare(cma, { base: 0x5000_0000, size: MiB(64), limit: 0x7000_0000 })).toBe(0x6c00_0000)
  })

  test('TV-12: 16 KiB pages put it on a multiple of 32 MiB', () => {
    const cma = virt('6.12.117', MiB(32))
    memblock_reserve(cma.memblock, 0x7f00_0000, MiB(1))
    expect(declare(cma, { size: MiB(64) })).toBe(0x7a00_0000)
  })

  test('MC-4.5: the log cuts sizes to whole mebibytes', () => {
    const cma = virt('6.1.192')
    const wish = { base: 0x5010_0000, size: 0x18_0000, limit: 0x5028_0000, fixed: true }
    expect(declare(cma, wish)).toBe(-EINVAL)
    expect(cma.log.lines.at(-1)).toBe('cma: Failed to reserve 1 MiB')
  })

  test('TV-43, MC-4.2: 4 MiB blocks', () => {
    const blocks = () => virt('6.1.192', MiB(4))
    const small = blocks()
    declare(small, { size: MiB(5) })
    expect(small.log.lines).toEqual(['cma: Reserved 8 MiB at 0x000000007f800000'])
    const off = blocks()
    expect(declare(off, { base: 0x5010_0000, size: MiB(64), limit: 0x5410_0000, fixed: true })).toBe(-EINVAL)
    expect(off.log.lines).toEqual([
      'cma: Region at 0x0000000050100000 must be aligned to 0x0000000000400000 bytes',
      'cma: Failed to reserve 64 MiB',
    ])
    const taken = blocks()
    memblock_reserve(taken.memblock, 0x4021_0000, MiB(32))
    expect(declare(taken, { base: 0x4000_0000, size: MiB(64), limit: 0x4400_0000, fixed: true })).toBe(-EBUSY)
    expect(taken.log.lines).toEqual(['cma: Failed to reserve 64 MiB'])
  })

  test('MC-4.1: 4.12 rounds a fixed base up', () => {
    expect(
      declare(virt('4.12.4', MiB(4)), { base: 0x5010_0000, size: MiB(64), limit: 0x5410_0000, fixed: true }),
    ).toBe(0x5040_0000)
  })

  test('no room is -ENOMEM; 4.12 finds out only by trying', () => {
    const full = virt('6.1.192')
    memblock_reserve(full.memblock, 0x4000_0000, GiB(1))
    expect(declare(full, { size: MiB(64) })).toBe(-ENOMEM)
    expect(full.log.lines).toEqual(['cma: Failed to reserve 64 MiB'])
    expect(declare(virt('4.12.4', MiB(4)), { size: GiB(4) })).toBe(-ENOMEM)
    expect(declare(virt('6.1.192'), { size: GiB(4) })).toBe(-EINVAL)
  })

  test('high memory is tried first, and low memory when it is full', () => {
    const cma = virt('6.1.192')
    cma.highmemStart = 0x7000_0000
    expect(declare(cma, { size: MiB(64) })).toBe(0x7c00_0000)
    memblock_reserve(cma.memblock, 0x7000_0000, 0x1000_0000)
    expect(declare(cma, { size: MiB(64) })).toBe(0x6c00_0000)
    expect(declare(cma, { base: 0x6f00_0000, size: MiB(32), limit: 0x7100_0000, fixed: true })).toBe(-EINVAL)
    expect(cma.log.lines).toContain(
      'cma: Region at 0x000000006f000000 defined on low/high memory boundary (0x0000000070000000)',
    )
  })

  test('a full table is -ENOSPC, size 0 and an odd alignment -EINVAL without a line', () => {
    const cma = areas('6.12.117', GiB(1), GiB(1), MiB(2), 1)
    expect(declare(cma, { size: 0 })).toBe(-EINVAL)
    expect(cma_declare_contiguous_nid(cma, 0, MiB(2), 0, 3, 0, false, 'x', -1)).toBe(-EINVAL)
    expect(cma.log.lines).toEqual([])
    declare(cma, { size: MiB(2) })
    expect(declare(cma, { size: MiB(2) })).toBe(-ENOSPC)
    expect(cma.log.lines.at(-1)).toBe('cma: Not enough slots for CMA reserved regions!')
  })
})

describe('cma_init_reserved_mem()', () => {
  test('wants a range that is reserved at least in part, and aligned', () => {
    const cma = virt()
    const init = (base: number, size: number) => cma_init_reserved_mem(cma, base, size, 0, 'pool')
    expect(init(0x5000_0000, MiB(4))).toBe(-EINVAL)
    memblock_reserve(cma.memblock, 0x5000_0000, 4096)
    expect(init(0x5000_0000, 0)).toBe(-EINVAL)
    expect(init(0x5000_0000, MiB(3))).toBe(-EINVAL)
    expect(init(0x5000_0000, MiB(4))).toMatchObject({
      ...{ name: 'pool', base: 0x5000_0000, size: MiB(4), order_per_bit: 0 },
      ...{ base_pfn: 0x5_0000, count: 1024, bitmap: null },
    })
    expect(memblock_is_region_reserved(cma.memblock, 0x5020_0000, MiB(2))).toBe(false)
  })

  test('MC-5.5: 0x70000000 + 256 MiB is aligned for 2, 4 and 32 MiB, not for 512 MiB', () => {
    const fits = [2, 4, 32, 512].map((mib) => {
      const cma = virt('6.12.117', MiB(mib))
      memblock_reserve(cma.memblock, 0x7000_0000, 0x1000_0000)
      return typeof cma_init_reserved_mem(cma, 0x7000_0000, 0x1000_0000, 0, 'x') !== 'number'
    })
    expect(fits).toEqual([true, true, true, false])
  })
})
