// SPDX-License-Identifier: MIT
import { describe, expect, it, test } from 'vitest'
import {
  createDmaContiguous,
  dma_alloc_from_contiguous,
  dma_contiguous_reserve,
  early_cma,
} from '../../code/dma/contiguous.ts'
import { activateContiguous, dev_get_cma_area, dma_declare_contiguous } from '../../code/dma/contiguous_3x.ts'
import { createCpu } from '../../code/arch/cpu.ts'
import { GEOMETRIES } from '../../code/arch/pgtable.ts'
import { createRam } from '../../code/arch/ram.ts'
import { EBUSY, EINVAL, ENOMEM, ENOSPC } from '../../code/lib/errno.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace } from '../../code/lib/trace.ts'
import { MiB } from '../../code/lib/units.ts'
import type { CmaAreas } from '../../code/mm/cma_declare.ts'
import { createMemblock, memblock_add, memblock_reserve } from '../../code/mm/memblock.ts'
import { createPgdat, memblock_free_all } from '../../code/mm/mm_init.ts'
import { createVm } from '../../code/mm/vm.ts'
import { createDevice } from '../../code/of/reserved_mem.ts'

type Kernel = '3.5' | '3.9'
const THEN = ['3.5', '3.9'] as const

// 1 GiB of RAM from 0 on; 8 areas at most.
function board(kernel: Kernel, bits: 32 | 64 = 32, base = 0, size = MiB(1024)) {
  const memblock = createMemblock(bits)
  memblock_add(memblock, base, size)
  const minAlignment = MiB(kernel === '3.5' ? 8 : 4)
  const log = new Printk()
  const cma: CmaAreas = {
    kernel,
    memblock,
    log,
    minAlignment,
    maxAreas: 8,
    highmemStart: base + size,
    areas: [],
  }
  return createDmaContiguous(cma, { choose: 'MBYTES', mbytes: 16, percentage: 0 })
}

describe.each(THEN)('dma_declare_contiguous() of %s', (kernel) => {
  const declare = (contiguous = board(kernel), size = MiB(16), base = 0, limit = 0) => {
    const ret = dma_declare_contiguous(contiguous, null, size, base, limit)
    const area = contiguous.cma.areas.at(-1)
    return ret === 0 ? { base: area!.base, size: area!.size } : ret
  }
  const either = <T>(in35: T, in39: T) => (kernel === '3.5' ? in35 : in39)

  test('MC-4.11: size and base go up to 8 MiB in 3.5, to 4 MiB in 3.9', () => {
    expect(declare(board(kernel), MiB(9))).toMatchObject({ size: MiB(either(16, 12)) })
    expect(declare(board(kernel), MiB(16), 0x3010_0000)).toMatchObject({
      base: either(0x3080_0000, 0x3040_0000),
    })
  })

  test('MC-4.11: as high as possible below the limit, and what the log says', () => {
    const contiguous = board(kernel)
    expect(declare(contiguous, MiB(16), 0, 0x2fa0_0000)).toEqual({ base: 0x2e80_0000, size: MiB(16) })
    expect(contiguous.cma.log.lines).toEqual(['cma: CMA: reserved 16 MiB at 2e800000'])
  })

  test('MC-4.11: the ninth area, no size, a range that is taken, no room', () => {
    const contiguous = board(kernel)
    expect(declare(contiguous, 0)).toBe(-EINVAL)
    expect(contiguous.cma.log.lines).toEqual([])
    memblock_reserve(contiguous.cma.memblock, 0x2100_0000, 4096)
    expect(declare(contiguous, MiB(20), 0x2000_0000)).toBe(-EBUSY)
    expect(declare(contiguous, MiB(2000))).toBe(-ENOMEM)
    expect(contiguous.cma.log.lines).toEqual([
      `cma: CMA: failed to reserve ${either(24, 20)} MiB`,
      'cma: CMA: failed to reserve 2000 MiB',
    ])
    for (let i = 0; i < 8; i++) expect(declare(contiguous)).not.toBeTypeOf('number')
    expect(declare(contiguous)).toBe(-ENOSPC)
    expect(contiguous.cma.log.lines.at(-1)).toBe('cma: Not enough slots for CMA reserved regions!')
  })

  it('an area that ends at 4 GiB is given back by 3.5', () => {
    const contiguous = board(kernel, 64, 2 ** 32 - MiB(64), MiB(64))
    const high = declare(contiguous)
    const { reserved } = contiguous.cma.memblock
    expect(reserved.regions.length).toBe(either(0, 1))
    expect(high).toEqual(either<object | number>(-EINVAL, { base: 2 ** 32 - MiB(16), size: MiB(16) }))
  })
})

describe.each(THEN)('the areas of %s', (kernel) => {
  // Boots with one area for all and one for a device.
  function booted() {
    const contiguous = board(kernel, 32, 0x4000_0000, MiB(64))
    const dev = createDevice('codec', null)
    dma_contiguous_reserve(contiguous, 0)
    dma_declare_contiguous(contiguous, dev, MiB(8), 0, 0)
    const { memblock, log } = contiguous.cma
    const trace = createTrace()
    const zones = [{ name: 'Normal', end: 0x4400_0000 }] as const
    const pgdat = createPgdat({
      kernel,
      arch: 'arm',
      memblock,
      zones,
      maxOrder: 10,
      pageblock_order: 10,
      log,
      trace,
    })
    memblock_free_all(pgdat, memblock)
    const cpu = createCpu({ ram: createRam(), arch: 'arm' })
    const vm = createVm({ pgdat, cpu, log, trace, geometry: GEOMETRIES.arm })
    return { vm, contiguous, dev, other: createDevice('uart', null) }
  }

  it('MC-4.8: belong to nobody before they are activated', () => {
    const { vm, contiguous, dev, other } = booted()
    expect(contiguous.cma.areas.map(({ size }) => size)).toEqual([MiB(16), MiB(8)])
    expect([dev_get_cma_area(contiguous, dev), dev_get_cma_area(contiguous, null)]).toEqual([null, null])
    expect(dma_alloc_from_contiguous(vm, contiguous, dev, 1, 0, false)).toBeNull()
    expect(activateContiguous(vm, contiguous)).toBe(0)
    const [all, own] = contiguous.cma.areas
    expect(dev_get_cma_area(contiguous, dev)).toBe(own)
    expect(dev_get_cma_area(contiguous, other)).toBe(all)
    expect(dev_get_cma_area(contiguous, null)).toBe(all)
    expect(dma_alloc_from_contiguous(vm, contiguous, dev, 1, 0, false)).toBe(own!.base_pfn)
  })

  it('reads the size alone from cma=', () => {
    const contiguous = board(kernel)
    expect(early_cma(contiguous, '8M@0x20000000')).toBe(0)
    dma_contiguous_reserve(contiguous, 0x3000_0000)
    expect(contiguous.cma.areas.map(({ base, size }) => [base, size])).toEqual([[0x2f80_0000, MiB(8)]])
  })
})
