// SPDX-License-Identifier: MIT
//
// Addresses of the kernel: round trips, areas with their guard pages, and two addresses of one page that disagree.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evict } from '../../code/arch/cache.ts'
import { createCpu } from '../../code/arch/cpu.ts'
import { formatVa, kernelLayout } from '../../code/arch/kernel_layout.ts'
import type { KernelMap } from '../../code/arch/kernel_map.ts'
import {
  __pa,
  __va,
  createKernelMap,
  is_vmalloc_addr,
  kernelRead,
  kernelWrite,
  restoreKernelMap,
  setLinearType,
  snapshotKernelMap,
  translate,
  vmalloc_to_page,
  vmap,
  vunmap,
} from '../../code/arch/kernel_map.ts'
import { createRam } from '../../code/arch/ram.ts'
import type { Arch } from '../../code/lib/kernel_version.ts'
import { MiB } from '../../code/lib/units.ts'
import '../support/laws_seed.ts'

const RAM = 0x4000_0000
const RAM_END = 0x6000_0000

function machine(arch: Arch, pageSize = 4096): KernelMap {
  const cpu = createCpu({ ram: createRam(), arch })
  return createKernelMap({ arch, cpu, pageSize, phys_offset: RAM, linear: (pa) => pa >= RAM && pa < RAM_END })
}
const MACHINES: [Arch, number][] = [
  ['arm64', 4096],
  ['arm64', 16384],
  ['arm', 4096],
]

describe('kernelLayout()', () => {
  const printed = (options: Parameters<typeof kernelLayout>[0]) => {
    const { pageOffset, linearEnd, vmallocStart, vmallocEnd } = kernelLayout(options)
    return [pageOffset, linearEnd, vmallocStart, vmallocEnd].map((va) => formatVa(options.arch, va))
  }

  test.each([
    ['6.12.117', 4096, ['ffff000000000000', 'ffff800000000000', 'ffff800080000000', 'fffffdffbf800000']],
    ['6.1.192', 4096, ['ffff000000000000', 'ffff800000000000', 'ffff800008000000', 'fffffbfff0000000']],
    ['6.12.117', 16384, ['ffff800000000000', 'ffffc00000000000', 'ffffc00080000000', 'ffffffbfbf800000']],
  ] as const)(
    'of arm64 in 6.x: linear below, everything else above [%s, %d]',
    (kernel, pageSize, expected) => {
      expect(printed({ arch: 'arm64', kernel, pageSize })).toEqual(expected)
    },
  )

  test('of arm64 in 4.12: everything else below, linear above', () => {
    const [pageOffset, , vmallocStart, vmallocEnd] = printed({
      arch: 'arm64',
      kernel: '4.12.4',
      pageSize: 4096,
    })
    expect([pageOffset, vmallocStart, vmallocEnd]).toEqual([
      'ffff800000000000',
      'ffff000008000000',
      'ffff7dffbfff0000',
    ])
  })

  test('of arm: 8 MiB of nothing behind lowmem, 240 MiB of vmalloc by default', () => {
    expect(printed({ arch: 'arm', pageSize: 4096 })).toEqual(['c0000000', 'f0000000', 'f0800000', 'ff800000'])
    expect(printed({ arch: 'arm', kernel: '3.9', pageSize: 4096 })).toEqual([
      'c0000000',
      'ef800000',
      'f0000000',
      'ff000000',
    ])
    expect(printed({ arch: 'arm', pageSize: 4096, high_memory: 0xcf00_0000 })[2]).toBe('cf800000')
  })
})

describe('__va() and __pa()', () => {
  test.each(MACHINES)(
    'MC-6.8: are a round trip; a linear address is no vmalloc address [%s, %d]',
    (arch, pageSize) => {
      const map = machine(arch, pageSize)
      fc.assert(
        fc.property(fc.integer({ min: RAM, max: RAM_END - 1 }), (pa) => {
          const va = __va(map, pa)
          expect(__pa(map, va)).toBe(pa)
          expect(is_vmalloc_addr(map, va)).toBe(false)
          expect(translate(map, va)).toEqual({ pa, type: 'normal' })
        }),
      )
    },
  )

  test('start at PAGE_OFFSET', () => {
    expect(formatVa('arm64', __va(machine('arm64'), RAM + 0x1000))).toBe('ffff000000001000')
    expect(formatVa('arm', __va(machine('arm'), RAM + 0x1000))).toBe('c0001000')
  })

  test('__pa() refuses a vmalloc address', () => {
    const map = machine('arm64')
    const va = vmap(map, [RAM / 4096], 'normal-nc')!
    expect(() => __pa(map, va)).toThrow(
      /__pa: got 0xffff800080000000, expected a linear address in 0xffff0000/,
    )
  })
})

describe('vmap() and vunmap()', () => {
  test.each(MACHINES)(
    'MC-6.8: agree with a Map of pages over any sequence; guard pages stay unmapped [%s, %d]',
    (arch, pageSize) => {
      const pfn = fc.integer({ min: RAM / pageSize, max: RAM_END / pageSize - 1 })
      const steps = fc.array(
        fc.oneof(
          fc.record({ pfns: fc.array(pfn, { minLength: 1, maxLength: 8 }) }),
          fc.record({ remove: fc.nat(100) }),
        ),
        { maxLength: 60 },
      )
      fc.assert(
        fc.property(steps, (all) => {
          const map = machine(arch, pageSize)
          const naive = new Map<number, readonly number[]>()
          for (const s of all) {
            if ('pfns' in s) naive.set(vmap(map, s.pfns, 'normal-nc')!, s.pfns)
            else if (naive.size > 0) {
              const va = [...naive.keys()][s.remove % naive.size]!
              vunmap(map, va)
              naive.delete(va)
            }
          }
          const owner = new Map(
            [...naive].flatMap(([va, pfns]) => pfns.map((p, i) => [va + i * pageSize, p] as const)),
          )
          expect(owner.size).toBe([...naive.values()].reduce((sum, pfns) => sum + pfns.length, 0))
          for (const [va, pfns] of naive) {
            expect(is_vmalloc_addr(map, va)).toBe(true)
            expect(vmalloc_to_page(map, va + pfns.length * pageSize)).toBeNull()
            expect(() => translate(map, va + pfns.length * pageSize)).toThrow(/guard page/)
          }
          for (const [va, p] of owner) {
            expect(vmalloc_to_page(map, va + 5)).toBe(p)
            expect(translate(map, va + 5)).toEqual({ pa: p * pageSize + 5, type: 'normal-nc' })
          }
          const copy = machine(arch, pageSize)
          restoreKernelMap(copy, structuredClone(snapshotKernelMap(map)))
          expect(snapshotKernelMap(copy)).toEqual(snapshotKernelMap(map))
          for (const va of naive.keys()) vunmap(map, va)
          expect(map.areas).toEqual([])
        }),
      )
    },
  )

  test('vmap() is null when the 240 MiB of arm are full, and finds a hole again', () => {
    const map = machine('arm')
    const pfns = Array.from({ length: MiB(32) / 4096 }, (_, i) => RAM / 4096 + i)
    const areas = Array.from({ length: 8 }, () => vmap(map, pfns, 'normal-nc'))
    expect(areas.map((va) => va !== null)).toEqual([true, true, true, true, true, true, true, false])
    vunmap(map, areas[2]!)
    expect(vmap(map, pfns, 'normal-nc')).toBe(areas[2])
  })

  test('vmap() refuses no pages; vunmap() refuses what is not mapped, and an address inside', () => {
    const map = machine('arm64')
    expect(() => vmap(map, [], 'normal')).toThrow('vmap: got 0 pages, expected at least 1')
    const va = vmap(map, [RAM / 4096, RAM / 4096 + 1], 'normal')!
    expect(() => vunmap(map, va + 4096)).toThrow(
      /vunmap: got 0xffff800080001000, expected the start of one of 1 areas/,
    )
    vunmap(map, va)
    expect(() => vunmap(map, va)).toThrow(/was it unmapped before/)
  })
})

describe('setLinearType()', () => {
  test('MC-6.8: changes pages of the linear map in place, and back', () => {
    const map = machine('arm')
    const pfn = RAM / 4096
    setLinearType(map, pfn, 2, 'normal-nc')
    const types = () => [0, 1, 2].map((i) => translate(map, __va(map, RAM + i * 4096)).type)
    expect(types()).toEqual(['normal-nc', 'normal-nc', 'normal'])
    const before = snapshotKernelMap(map)
    setLinearType(map, pfn + 1, 1, 'normal')
    expect(types()).toEqual(['normal-nc', 'normal', 'normal'])
    expect(snapshotKernelMap(map).linearTypes).toEqual([[pfn, 'normal-nc']])
    setLinearType(map, pfn + 2, 1, 'normal-nc')
    restoreKernelMap(map, before)
    expect(types()).toEqual(['normal-nc', 'normal-nc', 'normal'])
  })
})

describe('kernelRead() and kernelWrite()', () => {
  test.each(MACHINES)('find scattered pages side by side [%s, %d]', (arch, pageSize) => {
    const map = machine(arch, pageSize)
    const pfns = [5, 2, 9].map((n) => RAM / pageSize + n)
    const va = vmap(map, pfns, 'normal')!
    const bytes = Uint8Array.from({ length: 2 * pageSize }, (_, i) => i * 7)
    kernelWrite(map, va + pageSize / 2, bytes)
    expect(kernelRead(map, va + pageSize / 2, bytes.length)).toEqual(bytes)
    expect(kernelRead(map, __va(map, pfns[1]! * pageSize), 4)).toEqual(
      bytes.slice(pageSize / 2, pageSize / 2 + 4),
    )
  })

  test('through two addresses of different types show different bytes, until the line leaves and wins', () => {
    const map = machine('arm64')
    const va = vmap(map, [RAM / 4096], 'normal-nc')!
    kernelWrite(map, __va(map, RAM), Uint8Array.of(1))
    kernelWrite(map, va, Uint8Array.of(2))
    expect([kernelRead(map, __va(map, RAM), 1)[0], kernelRead(map, va, 1)[0]]).toEqual([1, 2])
    evict(map.cpu.l1, RAM)
    expect(kernelRead(map, va, 1)[0]).toBe(1)
  })

  test('throw where nothing is mapped: no-map memory, user addresses', () => {
    const map = machine('arm64')
    expect(() => kernelRead(map, __va(map, RAM_END), 1)).toThrow(
      /translate: got 0xffff000020000000.*marked no-map/,
    )
    expect(() => kernelWrite(map, 0x1000, Uint8Array.of(1))).toThrow(
      /expected a mapped address of the kernel/,
    )
  })
})
