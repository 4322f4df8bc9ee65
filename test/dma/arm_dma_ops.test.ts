// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { logCacheOps } from '../../code/arch/cpu.ts'
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '../../code/arch/dma_direction.ts'
import { arm_coherent_dma_ops, arm_dma_ops, arm_get_dma_map_ops } from '../../code/dma/arm_dma_ops.ts'
import type { DmaMapOps } from '../../code/dma/dma_map_ops.ts'
import { DMA_ATTR_SKIP_CPU_SYNC } from '../../code/dma/dma_state.ts'
import { get_dma_ops } from '../../code/dma/mapping.ts'
import { sg_set_page, type Scatterlist } from '../../code/dma/scatterlist.ts'
import { PG_dcache_clean } from '../../code/mm/mmzone.ts'
import { createDevice } from '../../code/of/reserved_mem.ts'
import { findNode } from '../../code/of/tree.ts'
import { device, NOW, PAGE, start } from './dma_system.ts'

const system = () =>
  start({ kernel: '4.12.4', arch: 'arm', cmdline: 'cma=0', hardware: { outerCache: true } })
const FIRST = 0x5_0000

function list(...pieces: [page: number, length: number, offset: number][]): Scatterlist[] {
  return pieces.map(([page, length, offset]) => {
    const sg = { page: 0, offset: 0, length: 0, dma_address: 0, dma_length: 0 }
    sg_set_page(sg, page, length, offset)
    return sg
  })
}

describe('the tables of arm', () => {
  test('MC-6.14: what stands in which; get_sgtable is left out', () => {
    const buffers = ['alloc', 'free', 'mmap', 'map_page', 'map_sg']
    const rest = ['unmap_page', 'unmap_sg', 'sync_single_for_cpu', 'sync_single_for_device']
    const lists = ['sync_sg_for_cpu', 'sync_sg_for_device']
    expect(Object.keys(arm_dma_ops).sort()).toEqual([...buffers, ...rest, ...lists].sort())
    expect(Object.keys(arm_coherent_dma_ops).sort()).toEqual([...buffers].sort())
  })

  test('MC-6.14: `dma-coherent` chooses; 3.5 has one table, 6.x none', () => {
    const machine = start({ kernel: '4.12.4', arch: 'arm', nodes: 'c { dma-coherent; };' })
    const dev = createDevice('sample c', findNode(machine.machine.tree, '/c'))
    expect(arm_get_dma_map_ops(machine.dma, dev)).toBe(arm_coherent_dma_ops)
    expect(arm_get_dma_map_ops(machine.dma, device())).toBe(arm_dma_ops)
    expect(arm_get_dma_map_ops(machine.dma, null)).toBe(arm_dma_ops)
    expect(get_dma_ops(start({ kernel: '3.5', arch: 'arm' }).dma, dev)).toBe(arm_dma_ops)
    for (const kernel of NOW) expect(get_dma_ops(start({ kernel, arch: 'arm' }).dma, dev)).toBeNull()
  })
})

describe('map_page', () => {
  test('MC-6.14: the address of the bus plus the offset, in both; caches in arm_dma_ops alone', () => {
    const { dma, vm } = system()
    const dev = device('d', { dma_range_map: [{ cpu_start: 0x4000_0000, dma_start: 0, size: 2 ** 30 }] })
    const log = logCacheOps(vm.cpu)
    const map = (ops: DmaMapOps, attrs: number) =>
      ops.map_page!(dma, dev, FIRST, 0x40, 64, DMA_TO_DEVICE, attrs)
    expect([map(arm_coherent_dma_ops, 0), map(arm_dma_ops, DMA_ATTR_SKIP_CPU_SYNC)]).toEqual([
      0x1000_0040, 0x1000_0040,
    ])
    expect(log).toEqual([])
    expect(map(arm_dma_ops, 0)).toBe(0x1000_0040)
    expect(log.map(({ level, op, pa, lines }) => [level, op, pa, lines])).toEqual([
      ['L1', 'clean', 0x5000_0040, 1],
      ['outer', 'clean', 0x5000_0040, 1],
    ])
  })

  test('3.5 on a coherent machine leaves the caches alone', () => {
    const { dma, vm } = start({ kernel: '3.5', arch: 'arm', dma: { coherentMachine: true } })
    const log = logCacheOps(vm.cpu)
    const handle = arm_dma_ops.map_page(dma, null, FIRST, 0, PAGE, DMA_BIDIRECTIONAL, 0)
    arm_dma_ops.unmap_page(dma, null, handle, PAGE, DMA_BIDIRECTIONAL, 0)
    expect(log).toEqual([])
  })
})

describe('map_sg', () => {
  const three = () => list([FIRST, PAGE, 0], [FIRST + 8, 512, 64], [FIRST + 3, 2 * PAGE, 0])

  test.each([
    ['arm', false, 3, 3],
    ['coherent', true, 0, 0],
  ] as const)(
    'MC-6.14: three entries, cache operations at map and unmap: %s',
    (_name, coherent, atMap, atUnmap) => {
      const { dma, vm } = system()
      const dev = device('d', { dma_coherent: coherent })
      const ops = get_dma_ops(dma, dev)!
      const sg = three()
      const log = logCacheOps(vm.cpu)
      const inL1 = () => log.splice(0).filter(({ level }) => level === 'L1').length
      expect(ops.map_sg!(dma, dev, sg, 3, DMA_TO_DEVICE, 0)).toBe(3)
      expect(sg.map((s) => [s.dma_address, s.dma_length])).toEqual([
        [0x5000_0000, PAGE],
        [0x5000_8040, 512],
        [0x5000_3000, 2 * PAGE],
      ])
      expect(inL1()).toBe(atMap)
      // Unmapped as if the device had written: reading needs nothing at unmap.
      ops.unmap_sg?.(dma, dev, sg, 3, DMA_FROM_DEVICE, 0)
      expect(inL1()).toBe(atUnmap)
    },
  )

  test('MC-6.14: an entry that fails undoes those before it: 0', () => {
    const { dma, vm } = system()
    // The last byte that 32 bits reach has the address that means an error.
    const sg = list([FIRST, PAGE, 0], [FIRST + 1, PAGE, 0], [0xf_ffff, 1, 0xfff], [FIRST + 2, PAGE, 0])
    const log = logCacheOps(vm.cpu)
    expect(arm_dma_ops.map_sg(dma, device(), sg, 4, DMA_BIDIRECTIONAL, 0)).toBe(0)
    const invalidated = log
      .filter(({ level, op }) => level === 'L1' && op === 'invalidate')
      .map(({ pa }) => pa)
    expect(invalidated).toEqual([0x5000_0000, 0x5000_1000])
    expect(sg[3]!.dma_address).toBe(0)
  })

  test('sync_sg goes through the entries as sync_single does', () => {
    const { dma, vm } = system()
    const sg = list([FIRST, PAGE, 0], [FIRST + 1, PAGE, 0])
    arm_dma_ops.map_sg(dma, device(), sg, 2, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC)
    const log = logCacheOps(vm.cpu)
    arm_dma_ops.sync_sg_for_cpu(dma, device(), sg, 2, DMA_FROM_DEVICE)
    arm_dma_ops.sync_sg_for_device(dma, device(), sg, 2, DMA_TO_DEVICE)
    expect(log.map(({ level, op, pa }) => [level, op, pa])).toEqual([
      ...[FIRST, FIRST + 1].flatMap((pfn) =>
        ['outer', 'L1'].map((level) => [level, 'invalidate', pfn * PAGE]),
      ),
      ...[FIRST, FIRST + 1].flatMap((pfn) => ['L1', 'outer'].map((level) => [level, 'clean', pfn * PAGE])),
    ])
  })
})

describe('unmap_page', () => {
  test('marks whole pages PG_dcache_clean, also when they are synced for the CPU', () => {
    const { dma, pgdat } = system()
    const marked = () =>
      [0, 1, 2, 3].filter((i) => (pgdat.map.flags[FIRST + i - pgdat.map.start_pfn]! & PG_dcache_clean) !== 0)
    const handle = arm_dma_ops.map_page(dma, null, FIRST, 0x800, 0x2800, DMA_FROM_DEVICE, 0)
    arm_dma_ops.unmap_page(dma, null, handle, 0x2800, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC)
    expect(marked()).toEqual([])
    arm_dma_ops.unmap_page(dma, null, handle, 0x2800, DMA_FROM_DEVICE, 0)
    expect(marked()).toEqual([1, 2])
    arm_dma_ops.sync_single_for_cpu(dma, null, 0x5000_3000, PAGE, DMA_TO_DEVICE)
    expect(marked()).toEqual([1, 2])
  })
})
