// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { logCacheOps } from '../../code/arch/cpu.ts'
import { is_vmalloc_addr, kernelRead, translate, __va } from '../../code/arch/kernel_map.ts'
import { L_PTE_MT_BUFFERABLE, L_PTE_MT_MASK, L_PTE_XN } from '../../code/arch/pgtable_arm.ts'
import { memoryTypeOf, PAGE_KERNEL, PAGE_SHARED_EXEC } from '../../code/arch/pgtable_prot.ts'
import { chooseArmAllocator } from '../../code/dma/arm_dma_alloc.ts'
import { choose3x } from '../../code/dma/arm_dma_alloc_3x.ts'
import { __get_dma_pgprot } from '../../code/dma/dma_pgprot.ts'
import {
  dma_alloc_attrs,
  dma_alloc_coherent,
  dma_alloc_wc,
  dma_free_coherent,
} from '../../code/dma/mapping.ts'
import { DMA_ATTR_NO_KERNEL_MAPPING, DMA_ATTR_WRITE_COMBINE } from '../../code/dma/dma_state.ts'
import { gen_pool_has_addr } from '../../code/lib/genalloc.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { GiB, KiB, MiB } from '../../code/lib/units.ts'
import { GFP_ATOMIC, GFP_KERNEL, GFP_NOWAIT } from '../../code/mm/gfp.ts'
import type { System } from '../../code/machine/system.ts'
import {
  complaints,
  device,
  freePages,
  NOW,
  PAGE,
  pfnOf,
  physOf,
  soil,
  start,
  usedOf,
  type Wish,
} from './dma_system.ts'

const arm = (kernel: KernelVersion, wish: Wish = {}) =>
  start({ kernel, arch: 'arm', cmdline: 'cma=16M', ...wish })
const inArea = ({ cma }: System, pa: number) => cma.some(({ base, size }) => pa >= base && pa < base + size)
const inPool = ({ dma }: System, addr: number) => gen_pool_has_addr(dma.atomic.kernel!, addr, 1)

// The default area is high memory otherwise.
const LOW = { cmdline: 'cma=16M@0x60000000' }

// Who gave the buffer, by where it is.
function giver(system: System, size: number, gfp: number, coherent: boolean): string | null {
  const dev = device('d', { dma_coherent: coherent })
  const before = freePages(system)
  const buffer = dma_alloc_coherent(system.dma, dev, size, gfp)
  if (!buffer) return null
  if (inPool(system, buffer.cpu_addr)) return 'pool'
  if (inArea(system, physOf(system, dev, buffer))) return 'cma'
  expect(before - freePages(system)).toBe(Math.ceil(size / PAGE))
  return is_vmalloc_addr(system.kernelMap, buffer.cpu_addr) ? 'remap' : 'simple'
}

const eight = [
  [true, GFP_KERNEL, true],
  [true, GFP_KERNEL, false],
  [true, GFP_ATOMIC, true],
  [true, GFP_ATOMIC, false],
  [false, GFP_KERNEL, true],
  [false, GFP_KERNEL, false],
  [false, GFP_ATOMIC, true],
  [false, GFP_ATOMIC, false],
] as const
const cmdline = (area: boolean) => (area ? 'cma=16M' : 'cma=0')

describe('__dma_alloc() of arm', () => {
  test('TV-44, MC-6.13: 4.12.4, by area, waiting and coherence', () => {
    const got = eight.map(([area, gfp, coherent]) =>
      giver(arm('4.12.4', { cmdline: cmdline(area) }), PAGE, gfp, coherent),
    )
    expect(got).toEqual(['cma', 'cma', 'simple', 'pool', 'simple', 'remap', 'simple', 'pool'])
    const chosen = eight.map(([area, gfp, coherent]) =>
      chooseArmAllocator(area, gfp === GFP_KERNEL, coherent),
    )
    expect(chosen).toEqual(got)
  })

  test('TV-44, MC-6.13: 3.9 goes by device and configuration; without area there is no memory', () => {
    const got = eight.map(([area, gfp, coherent]) => giver3x('3.9', area, gfp, coherent))
    expect(got).toEqual(['simple', 'cma', 'simple', 'pool', 'simple', null, 'simple', null])
    expect(giver(arm('3.9', { dma: { CMA: false } }), PAGE, GFP_KERNEL, false)).toBe('remap')
  })

  test('TV-44, MC-6.13: 3.5 asks the machine whether it is coherent, and for __GFP_HIGH', () => {
    expect(giver3x('3.5', true, GFP_KERNEL, true)).toBe('cma')
    expect(giver3x('3.5', true, GFP_ATOMIC, false)).toBe('pool')
    expect(giver3x('3.5', true, GFP_NOWAIT, false)).toBe('cma')
    expect(giver3x('3.9', true, GFP_NOWAIT, false)).toBe('pool')
    const { dma } = arm('3.5', { dma: { coherentMachine: true } })
    expect([GFP_KERNEL, GFP_ATOMIC].map((gfp) => choose3x(dma, gfp, false))).toEqual(['simple', 'simple'])
  })

  // Without area 3.x has no pool either: its atomic pool is of CMA.
  function giver3x(kernel: '3.5' | '3.9', area: boolean, gfp: number, coherent: boolean): string | null {
    const system = arm(kernel, { cmdline: cmdline(area) })
    if (!area) expect(system.dma.atomic.kernel).toBeNull()
    const dev = device('d', { dma_coherent: coherent })
    const buffer = dma_alloc_coherent(system.dma, dev, PAGE, gfp)
    if (!buffer) return null
    if (system.dma.atomic.kernel && inPool(system, buffer.cpu_addr)) return 'pool'
    return inArea(system, physOf(system, dev, buffer)) ? 'cma' : 'simple'
  }

  test.each(['3.9', '4.12.4', ...NOW] as const)(
    'MC-6.13, MC-6.3: what the allocator says is final: a full area is no memory [%s]',
    (kernel) => {
      const system = arm(kernel)
      const dev = device()
      expect(dma_alloc_coherent(system.dma, dev, MiB(8), GFP_KERNEL)).not.toBeNull()
      expect(dma_alloc_coherent(system.dma, dev, MiB(8), GFP_KERNEL)).toBeNull()
      expect(freePages(system)).toBeGreaterThan(MiB(512) / PAGE)
    },
  )

  test.each(['4.12.4', ...NOW] as const)('MC-2.11, MC-6.3: a single page is CMA’s too [%s]', (kernel) => {
    const system = arm(kernel)
    const used = usedOf(system)
    dma_alloc_coherent(system.dma, device(), PAGE, GFP_KERNEL)
    expect(usedOf(system) - used).toBe(1)
  })

  test.each(['4.12.4', ...NOW] as const)(
    'MC-6.5, MC-6.13: 375 pages of the buddy: 137 of 512 go back at once [%s]',
    (kernel) => {
      const system = arm(kernel, { cmdline: 'cma=0' })
      const before = freePages(system)
      const dev = device()
      const buffer = dma_alloc_coherent(system.dma, dev, 1_536_000, GFP_KERNEL)!
      expect(before - freePages(system)).toBe(375)
      dma_free_coherent(system.dma, dev, 1_536_000, buffer.cpu_addr, buffer.dma_handle)
      expect(freePages(system)).toBe(before)
    },
  )

  test.each(['4.12.4', ...NOW] as const)(
    'MC-6.8: low memory of CMA keeps its linear address, uncached until it is freed [%s]',
    (kernel) => {
      const system = arm(kernel, LOW)
      const { dma, kernelMap } = system
      const dev = device()
      const buffer = dma_alloc_coherent(dma, dev, 2 * PAGE, GFP_KERNEL)!
      const pa = physOf(system, dev, buffer)
      expect(buffer.cpu_addr).toBe(__va(kernelMap, pa))
      expect(translate(kernelMap, buffer.cpu_addr + PAGE)).toEqual({ pa: pa + PAGE, type: 'normal-nc' })
      dma_free_coherent(dma, dev, 2 * PAGE, buffer.cpu_addr, buffer.dma_handle)
      expect(translate(kernelMap, buffer.cpu_addr).type).toBe('normal')
    },
  )

  test('MC-6.8: high memory of CMA is mapped in the vmalloc area', () => {
    const system = arm('4.12.4')
    const dev = device()
    const buffer = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    expect(inArea(system, physOf(system, dev, buffer))).toBe(true)
    expect(is_vmalloc_addr(system.kernelMap, buffer.cpu_addr)).toBe(true)
    const areas = system.kernelMap.areas.length
    dma_free_coherent(system.dma, dev, PAGE, buffer.cpu_addr, buffer.dma_handle)
    expect(system.kernelMap.areas.length).toBe(areas - 1)
  })
})

describe('__get_dma_pgprot() of arm', () => {
  test('MC-6.15: write-combining is BUFFERABLE, else BUFFERABLE and XN; PAGE_KERNEL has XN anyway', () => {
    const { dma } = arm('4.12.4')
    const both = (prot: bigint) =>
      [DMA_ATTR_WRITE_COMBINE, 0].map((attrs) => __get_dma_pgprot(dma, attrs, prot))
    const executable = PAGE_SHARED_EXEC('arm')
    const [combined, coherent] = both(executable)
    expect(executable & L_PTE_XN).toBe(0n)
    expect([combined! & L_PTE_MT_MASK, coherent! & L_PTE_MT_MASK]).toEqual([
      L_PTE_MT_BUFFERABLE,
      L_PTE_MT_BUFFERABLE,
    ])
    expect([combined! & L_PTE_XN, coherent! & L_PTE_XN]).toEqual([0n, L_PTE_XN])
    const [a, b] = both(PAGE_KERNEL('arm'))
    expect(a).toBe(b)
    expect(memoryTypeOf('arm', a!)).toBe('normal-nc')
  })

  test.each(['3.9', '4.12.4'] as const)(
    'MC-6.15: a coherent device is cached, whatever it asks for [%s]',
    (version) => {
      const system = arm(version)
      const dev = device('d', { dma_coherent: true })
      for (const alloc of [dma_alloc_coherent, dma_alloc_wc]) {
        const { cpu_addr } = alloc(system.dma, dev, PAGE, GFP_KERNEL)!
        expect(translate(system.kernelMap, cpu_addr).type).toBe('normal')
      }
    },
  )
})

describe('get_coherent_dma_mask()', () => {
  const refused = (system: System, wish: object) => {
    const lines = system.printk.records.length
    expect(dma_alloc_coherent(system.dma, device('d', wish), PAGE, GFP_KERNEL)).toBeNull()
    return complaints(system, lines)
  }

  test('MC-6.16: 4.12.4 wants a mask that reaches RAM or the DMA zone, and says what is wrong', () => {
    const system = arm('4.12.4', { cmdline: 'cma=0' })
    expect(refused(system, { coherent_dma_mask: 0 })).toEqual(['sample d: coherent DMA mask is unset'])
    expect(refused(system, { coherent_dma_mask: 2 ** 30 - 1 })).toEqual([
      'sample d: Coherent DMA mask 0x3fffffff (pfn 0x0-0x40000) covers a smaller range of system memory than the ' +
        'DMA zone pfn 0x0-0x80001',
    ])
  })

  test('MC-6.16: a mask wider than dma_addr_t, where RAM is beyond it', () => {
    const system = arm('4.12.4', { cmdline: 'cma=0' })
    const moved = { dma_range_map: [{ cpu_start: 0, dma_start: 0xe000_0000, size: GiB(4) }] }
    expect(refused(system, { coherent_dma_mask: 2 ** 64, ...moved })).toEqual([
      'sample d: Coherent DMA mask 0xffffffffffffffff is larger than dma_addr_t allows',
      'sample d: Driver did not use or check the return value from dma_set_coherent_mask()?',
    ])
  })

  test('MC-6.16: a mask below 32 bits that will do asks for GFP_DMA', () => {
    const system = arm('4.12.4', { cmdline: 'cma=0', ram: [0, GiB(1)], hardware: { dma_zone_size: MiB(64) } })
    system.trace.enabled = true
    const asked = [2 ** 28 - 1, 0xffff_ffff].map((coherent_dma_mask) => {
      system.trace.records.length = 0
      const dev = device('d', { coherent_dma_mask })
      const buffer = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
      const [event] = system.trace.records.filter(({ event: name }) => name === 'mm_page_alloc')
      return [Number(event!.fields['gfp_flags']) & 1, physOf(system, dev, buffer) < MiB(64)]
    })
    expect(asked).toEqual([
      [1, true],
      [0, false],
    ])
  })

  test('3.x wants every bit of the DMA zone', () => {
    const system = arm('3.9')
    expect(refused(system, { coherent_dma_mask: 0 })).toEqual(['sample d: coherent DMA mask is unset'])
    expect(refused(system, { coherent_dma_mask: 2 ** 31 - 1 })).toEqual([
      'sample d: coherent DMA mask 0x7fffffff is smaller than system GFP_DMA mask 0xffffffff',
    ])
  })

  test.each(NOW)('MC-6.11: arch_dma_alloc() of 6.x checks no mask: a warning, and memory [%s]', (kernel) => {
    const system = arm(kernel)
    const dev = device('misc', { coherent_dma_mask: 0, dma_mask: null })
    for (let i = 0; i < 2; i++) expect(dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)).not.toBeNull()
    expect(complaints(system)).toEqual(['WARNING: at kernel/dma/mapping.c dma_alloc_attrs'])
    const debug = arm(kernel, { dma: { DMA_API_DEBUG: true } })
    expect(dma_alloc_coherent(debug.dma, dev, PAGE, GFP_KERNEL)).toBeNull()
    expect(complaints(debug).at(-1)).toBe(
      'sample misc: coherent allocation too big (requested 0x1000 mask 0x0)',
    )
  })
})

describe('__arm_dma_free()', () => {
  test.each(['4.12.4', ...NOW] as const)(
    'MC-6.16: an unknown address is warned about and nothing is freed [%s]',
    (kernel) => {
      const system = arm(kernel)
      const dev = device()
      const buffer = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
      const before = [freePages(system), usedOf(system)]
      dma_free_coherent(system.dma, dev, PAGE, buffer.cpu_addr + PAGE, buffer.dma_handle)
      expect(complaints(system)).toEqual([`Freeing invalid buffer ${(buffer.cpu_addr + PAGE).toString(16)}`])
      expect([freePages(system), usedOf(system)]).toEqual(before)
    },
  )

  test.each(['4.12.4', ...NOW] as const)(
    'MC-6.16: with a wrong handle the pages of the handle are freed [%s]',
    (kernel) => {
      const system = arm(kernel, { cmdline: 'cma=0' })
      const dev = device()
      const [a, b] = [1, 2].map(() => dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!)
      dma_free_coherent(system.dma, dev, PAGE, a!.cpu_addr, b!.dma_handle)
      const { map } = system.pgdat
      const refs = [a, b].map((buffer) => map.refcount[pfnOf(system, dev, buffer!) - map.start_pfn])
      expect(refs).toEqual([1, 0])
    },
  )

  test.each(['3.5', '3.9'] as const)(
    'MC-6.10: 3.x warns for CMA alone when interrupts are off [%s]',
    (kernel) => {
      const system = arm(kernel)
      const { dma } = system
      const [cma, pool] = [GFP_KERNEL, GFP_ATOMIC].map((gfp) => dma_alloc_coherent(dma, device(), PAGE, gfp)!)
      dma.irqsDisabled = true
      dma_free_coherent(dma, device(), PAGE, pool!.cpu_addr, pool!.dma_handle)
      expect(complaints(system)).toEqual([])
      dma_free_coherent(dma, device(), PAGE, cma!.cpu_addr, cma!.dma_handle)
      expect(complaints(system)).toEqual(['WARNING: at arch/arm/mm/dma-mapping.c arm_dma_free'])
    },
  )
})

describe('__dma_clear_buffer()', () => {
  test('MC-6.17, MC-6.9: not coherent is zeros, then L1 and outer flushed; coherent is zeros alone', () => {
    const ops = (coherent: boolean) => {
      const system = arm('4.12.4', { ...LOW, hardware: { outerCache: true, lineSize: 32 } })
      const dev = device('d', { dma_coherent: coherent })
      soil(system, system.cma[0]!.base, MiB(16))
      const log = logCacheOps(system.vm.cpu)
      const buffer = dma_alloc_coherent(system.dma, dev, 2 * PAGE, GFP_KERNEL)!
      const pa = physOf(system, dev, buffer)
      const zero = kernelRead(system.kernelMap, buffer.cpu_addr, 2 * PAGE).every((byte) => byte === 0)
      return { zero, ops: log.map(({ level, op, pa: at, lines }) => [level, op, at - pa, lines]) }
    }
    const flushed = [
      ['L1', 'flush', 0, 256],
      ['outer', 'flush', 0, 256],
    ]
    expect(ops(false)).toEqual({ zero: true, ops: flushed })
    expect(ops(true)).toEqual({ zero: true, ops: [] })
  })

  test('MC-6.17: DMA_ATTR_NO_KERNEL_MAPPING gives the page, and its attributes stay', () => {
    const system = arm('4.12.4', LOW)
    const { dma, kernelMap } = system
    const dev = device()
    const buffer = dma_alloc_attrs(dma, dev, PAGE, GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING)!
    expect(buffer.cpu_addr).toBe(pfnOf(system, dev, buffer))
    expect(translate(kernelMap, __va(kernelMap, physOf(system, dev, buffer))).type).toBe('normal')
  })
})

describe('atomic_pool_init()', () => {
  const lines = ({ printk }: System) => printk.lines.filter((line) => line.startsWith('DMA: '))

  test.each(['3.5', '3.9', '4.12.4', ...NOW] as const)('arm: 256 KiB of the default area [%s]', (kernel) => {
    const system = arm(kernel)
    expect(lines(system)).toEqual(['DMA: preallocated 256 KiB pool for atomic coherent allocations'])
    expect(usedOf(system)).toBe(64)
    const larger = arm(kernel, { cmdline: 'cma=16M coherent_pool=1M' })
    expect(lines(larger)).toEqual(['DMA: preallocated 1024 KiB pool for atomic coherent allocations'])
  })

  test('arm64 4.12.4: one pool as well', () => {
    expect(lines(start({ kernel: '4.12.4' }))).toEqual([
      'DMA: preallocated 256 KiB pool for atomic allocations',
    ])
  })

  test('3.x without an area has none: that is an error, and each use of it another', () => {
    const system = arm('3.9', { cmdline: 'cma=0' })
    expect(lines(system)).toEqual(['DMA: failed to allocate 256 KiB pool for atomic coherent allocation'])
    expect(dma_alloc_coherent(system.dma, device(), PAGE, GFP_ATOMIC)).toBeNull()
    expect(complaints(system).at(-1)).toBe('coherent pool not initialised!')
  })

  test('3.9 says once that the pool is too small; later kernels say nothing', () => {
    const said = (['3.9', '4.12.4'] as const).map((kernel) => {
      const system = arm(kernel)
      for (let i = 0; i < 3; i++) dma_alloc_coherent(system.dma, device(), KiB(256), GFP_ATOMIC)
      return complaints(system)
    })
    expect(said).toEqual([
      [
        'ERROR: 256 KiB atomic DMA coherent pool is too small!',
        'Please increase it with coherent_pool= kernel parameter!',
      ],
      [],
    ])
  })

  test('3.5 does not align buffers of the pool, 3.9 does', () => {
    const places = (['3.5', '3.9'] as const).map((kernel) => {
      const system = arm(kernel)
      const start0 = system.dma.atomic.kernel!.chunks[0]!.start_addr
      const got = [1, 3, 2].map((n) => dma_alloc_coherent(system.dma, device(), n * PAGE, GFP_ATOMIC)!)
      return got.map(({ cpu_addr }) => (cpu_addr - start0) / PAGE)
    })
    expect(places).toEqual([
      [0, 1, 4],
      [0, 4, 2],
    ])
  })

  test('a buffer of arm’s pool comes back with what it held; arm64 clears it', () => {
    const second = (arch: 'arm' | 'arm64') => {
      const system = start({ kernel: '4.12.4', arch, cmdline: 'cma=16M' })
      const { dma, kernelMap } = system
      const dev = device()
      const first = dma_alloc_coherent(dma, dev, PAGE, GFP_ATOMIC)!
      soil(system, physOf(system, dev, first), PAGE)
      dma_free_coherent(dma, dev, PAGE, first.cpu_addr, first.dma_handle)
      const again = dma_alloc_coherent(dma, dev, PAGE, GFP_ATOMIC)!
      return kernelRead(kernelMap, again.cpu_addr, 1)[0]
    }
    expect([second('arm'), second('arm64')]).toEqual([0xd1, 0])
  })
})
