// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { kernelRead, kernelWrite, translate } from '../../code/arch/kernel_map.ts'
import { dma_alloc_coherent, dma_free_coherent } from '../../code/dma/mapping.ts'
import { atomic_pool_work_fn } from '../../code/dma/pool.ts'
import { ENOMEM } from '../../code/lib/errno.ts'
import { gen_pool_avail, gen_pool_size } from '../../code/lib/genalloc.ts'
import { GiB, KiB, MiB } from '../../code/lib/units.ts'
import { GFP_ATOMIC, GFP_NOWAIT, __GFP_NOWARN } from '../../code/mm/gfp.ts'
import { dma_atomic_pool_init } from '../../code/dma/pool.ts'
import type { System } from '../../code/machine/system.ts'
import { complaints, device, freePages, NOW, PAGE, physOf, start, usedOf } from './dma_system.ts'

const poolLines = ({ printk }: System) => printk.lines.filter((line) => line.startsWith('DMA: '))
const atomic = ({ dma }: System, size: number, gfp = GFP_ATOMIC, dev = device()) =>
  dma_alloc_coherent(dma, dev, size, gfp)

describe('dma_atomic_pool_init()', () => {
  test.each(NOW)(
    'TV-37: 128 KiB for each GiB, rounded up to a power of two; from 128 KiB to 4 MiB [%s]',
    (kernel) => {
      const size = (bytes: number) => start({ kernel, ram: [0, bytes] }).dma.atomic.pool_size.kernel
      expect([MiB(512), GiB(1), GiB(4), GiB(64)].map(size)).toEqual([KiB(128), KiB(128), KiB(512), MiB(4)])
      expect(size(GiB(1.5))).toBe(KiB(256))
    },
  )

  test.each(NOW)('three pools with a line each: any zone, DMA, DMA32 [%s]', (kernel) => {
    const system = start({ kernel })
    expect(poolLines(system)).toEqual([
      'DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations',
      'DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations',
      'DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations',
    ])
    expect(system.dma.atomic.pool_size).toEqual({ kernel: KiB(128), dma: KiB(128), dma32: KiB(128) })
  })

  test.each(NOW)(
    'they lie in the default area when there is one: 96 pages and three allocations [%s]',
    (kernel) => {
      const system = start({ kernel, cmdline: 'cma=16M' })
      expect([usedOf(system), system.pgdat.vm_event.cma_alloc_success]).toEqual([96, 3])
    },
  )

  test('an area above 4 GiB is not for the pools of the lower zones', () => {
    const props = 'compatible = "shared-dma-pool"; reusable; linux,cma-default;'
    const reserved = `c: c@180000000 { ${props} reg = <1 0x80000000 0 0x4000000>; };`
    const system = start({ ram: [GiB(1), GiB(8)], reserved, cmdline: '' })
    expect(system.dma.contiguous.dma_contiguous_default_area!.base).toBe(0x1_8000_0000)
    expect(usedOf(system)).toBe(256)
  })

  test('coherent_pool= sets the size', () => {
    const system = start({ cmdline: 'cma=0 coherent_pool=1M' })
    expect(poolLines(system)[0]).toBe('DMA: preallocated 1024 KiB GFP_KERNEL pool for atomic allocations')
  })

  test('a pool that cannot be had is said so, and -ENOMEM returned', () => {
    const system = start()
    const { dma, printk } = system
    dma.atomic.kernel = null
    Object.assign(system.kernelMap.layout, { vmallocEnd: system.kernelMap.layout.vmallocStart })
    const lines = printk.records.length
    const before = freePages(system)
    expect(dma_atomic_pool_init(dma)).toBe(-ENOMEM)
    expect(complaints(system, lines)).toEqual([
      'DMA: failed to allocate 128 KiB GFP_KERNEL pool for atomic allocation',
      'DMA: failed to allocate 128 KiB GFP_KERNEL|GFP_DMA pool for atomic allocation',
      'DMA: failed to allocate 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocation',
    ])
    expect(freePages(system)).toBe(before)
  })
})

describe('dma_alloc_from_pool()', () => {
  test.each(NOW)(
    'the pool that the mask calls for; when it is used up, a warning and nothing [%s]',
    (kernel) => {
      const system = start({ kernel })
      const got = Array.from({ length: 3 }, () => atomic(system, KiB(128)))
      expect(got.map((buffer) => buffer !== null)).toEqual([true, false, false])
      expect(complaints(system)).toEqual(['DMA pool exhausted for dev0', 'DMA pool exhausted for dev0'])
      expect(atomic(system, PAGE, GFP_ATOMIC | __GFP_NOWARN)).toBeNull()
      expect(complaints(system).length).toBe(2)
    },
  )

  test.each(NOW)('a device of 64 bits starts with the pool of any zone and goes down [%s]', (kernel) => {
    const system = start({ kernel })
    const { atomic: pools } = system.dma
    const wide = device('wide', { coherent_dma_mask: 2 ** 64 })
    const used = Array.from({ length: 4 }, () => {
      const buffer = atomic(system, KiB(128), GFP_ATOMIC, wide)
      const full = [pools.kernel!, pools.dma32!, pools.dma!].map((pool) => gen_pool_avail(pool) === 0)
      return [buffer !== null, ...full]
    })
    expect(used).toEqual([
      [true, true, false, false],
      [true, true, true, false],
      [true, true, true, true],
      [false, true, true, true],
    ])
  })

  test('GFP_NOWAIT cannot wait either', () => {
    const system = start()
    const free = gen_pool_avail(system.dma.atomic.dma!)
    atomic(system, PAGE, GFP_NOWAIT)
    expect(free - gen_pool_avail(system.dma.atomic.dma!)).toBe(PAGE)
  })

  test('without pools: no suitable one', () => {
    const system = start()
    Object.assign(system.dma.atomic, { kernel: null, dma: null, dma32: null })
    expect(atomic(system, PAGE)).toBeNull()
    expect(complaints(system)).toEqual(['Failed to get suitable pool for dev0'])
  })

  test('a place above the mask goes back to its pool', () => {
    const system = start({ ram: [GiB(1), GiB(8)] })
    const { dma } = system
    const before = [dma.atomic.kernel!, dma.atomic.dma!].map(gen_pool_avail)
    expect(atomic(system, PAGE, GFP_ATOMIC, device('low', { bus_dma_limit: 0x1000 }))).toBeNull()
    expect([dma.atomic.kernel!, dma.atomic.dma!].map(gen_pool_avail)).toEqual(before)
  })

  test('a buffer is cleared each time, and freed by its address', () => {
    const system = start()
    const { dma, kernelMap } = system
    const dev = device()
    const first = atomic(system, PAGE)!
    expect(translate(kernelMap, first.cpu_addr)).toEqual({
      pa: physOf(system, dev, first),
      type: 'normal-nc',
    })
    kernelWrite(kernelMap, first.cpu_addr, new Uint8Array(PAGE).fill(7))
    dma_free_coherent(dma, dev, PAGE, first.cpu_addr, first.dma_handle)
    const again = atomic(system, PAGE)!
    expect(again).toEqual(first)
    expect(kernelRead(kernelMap, again.cpu_addr, PAGE).every((byte) => byte === 0)).toBe(true)
  })
})

describe('atomic_pool_work_fn()', () => {
  test.each(NOW)('doubles the pools that have less free than they began with [%s]', (kernel) => {
    const system = start({ kernel })
    const { dma } = system
    expect(dma.atomic.workPending).toBe(false)
    atomic(system, PAGE)
    expect(dma.atomic.workPending).toBe(true)
    atomic_pool_work_fn(dma)
    expect(dma.atomic.workPending).toBe(false)
    expect(dma.atomic.pool_size).toEqual({ kernel: KiB(128), dma: KiB(256), dma32: KiB(128) })
    expect(gen_pool_size(dma.atomic.dma!)).toBe(KiB(256))
    atomic_pool_work_fn(dma)
    expect(dma.atomic.pool_size.dma).toBe(KiB(256))
    // It has enough left: nobody calls the worker.
    atomic(system, PAGE)
    expect(dma.atomic.workPending).toBe(false)
  })
})
