// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { logCacheOps } from '../../code/arch/cpu.ts'
import { DMA_FROM_DEVICE, DMA_NONE, DMA_TO_DEVICE } from '../../code/arch/dma_direction.ts'
import { DMA_BIT_MASK } from '../../code/dma/dma_address.ts'
import {
  dma_map_sg,
  dma_map_sgtable,
  dma_sync_sg_for_cpu,
  dma_sync_sg_for_device,
  dma_unmap_sg,
  dma_unmap_sgtable,
} from '../../code/dma/map_sg.ts'
import { mem_used } from '../../code/dma/swiotlb_pool.ts'
import { EIO } from '../../code/lib/errno.ts'
import { formatTraceRecord } from '../../code/lib/trace_format.ts'
import { complaints, device, NOW } from './dma_system.ts'
import {
  BOUNCING,
  cpuPuts,
  cpuSees,
  devicePuts,
  deviceSees,
  KERNELS,
  list,
  pages,
  POOL,
  withBounce,
} from './streaming_system.ts'

const narrow = (wish: object = {}) => device('narrow', { dma_mask: 0x47ff_ffff, ...wish })
const three = () => list([0x5_0000, 512, 0x40], [0x5_0100, 4096, 0], [0x5_0200, 1024, 0x200])

describe('dma_map_sg()', () => {
  test.each(KERNELS)('each piece gets its address and length, whole and in order [$arch $kernel]', (k) => {
    const { dma } = withBounce(0, k)
    const sg = three()
    expect(dma_map_sg(dma, device(), sg, 3, DMA_TO_DEVICE)).toBe(3)
    expect(sg.map(({ dma_address, dma_length }) => [dma_address, dma_length])).toEqual([
      [0x5000_0040, 512],
      [0x5010_0000, 4096],
      [0x5020_0200, 1024],
    ])
    dma_unmap_sg(dma, device(), sg, 3, DMA_TO_DEVICE)
  })

  test.each([
    ['4.12.4', false, 3, 3],
    ['4.12.4', true, 0, 0],
  ] as const)(
    'MC-6.14: on arm %s, coherent %s: %d cache ops at map, %d at unmap, through the whole API',
    (kernel, dma_coherent, atMap, atUnmap) => {
      const { dma, vm } = withBounce(0, { kernel, arch: 'arm' })
      const dev = device('d', { dma_coherent })
      const sg = list([0x5_0000, 64, 0], [0x5_0100, 64, 0], [0x5_0200, 64, 0])
      const log = logCacheOps(vm.cpu)
      dma_map_sg(dma, dev, sg, 3, DMA_FROM_DEVICE)
      expect(log.splice(0).length).toBe(atMap)
      dma_unmap_sg(dma, dev, sg, 3, DMA_FROM_DEVICE)
      expect(log.length).toBe(atUnmap)
    },
  )

  test.each(BOUNCING)(
    'pieces that the device does not reach bounce, the others do not [$arch $kernel]',
    (k) => {
      const system = withBounce(128, k)
      const a = pages(system)
      const sg = list([a.pfn, 512, 0], [0x4_6000, 512, 0])
      cpuPuts(system, a.va, [1])
      expect(dma_map_sg(system.dma, narrow(), sg, 2, DMA_TO_DEVICE)).toBe(2)
      expect(sg.map(({ dma_address }) => dma_address)).toEqual([POOL, 0x4600_0000])
      expect(deviceSees(system, narrow(), sg[0]!.dma_address)).toEqual([1])
      dma_unmap_sg(system.dma, narrow(), sg, 2, DMA_TO_DEVICE)
      expect(mem_used(system.dma.swiotlb)).toBe(0)
    },
  )

  test.each(KERNELS)('dma_sync_sg_for_cpu() and back: the pieces change hands [$arch $kernel]', (k) => {
    const system = withBounce(0, k)
    const own = [pages(system), pages(system)]
    const sg = list(...own.map(({ pfn }) => [pfn, 512, 0] as const))
    dma_map_sg(system.dma, device(), sg, 2, DMA_FROM_DEVICE)
    for (const { va } of own) cpuSees(system, va)
    for (const { dma_address } of sg) devicePuts(system, device(), dma_address, [7])
    expect(own.map(({ va }) => cpuSees(system, va)[0])).toEqual([0, 0])
    dma_sync_sg_for_cpu(system.dma, device(), sg, 2, DMA_FROM_DEVICE)
    expect(own.map(({ va }) => cpuSees(system, va)[0])).toEqual([7, 7])
    dma_sync_sg_for_device(system.dma, device(), sg, 2, DMA_FROM_DEVICE)
    for (const { dma_address } of sg) devicePuts(system, device(), dma_address, [8])
    dma_unmap_sg(system.dma, device(), sg, 2, DMA_FROM_DEVICE)
    expect(own.map(({ va }) => cpuSees(system, va)[0])).toEqual([8, 8])
  })
})

describe('a list of which a piece cannot be mapped', () => {
  test.each(NOW)('dma_map_sg() says 0, dma_map_sgtable() -EIO, and its warning is its own [%s]', (kernel) => {
    const system = withBounce(0, { kernel })
    const dev = device('narrow', { dma_mask: DMA_BIT_MASK(29) })
    const before = system.printk.records.length
    expect(dma_map_sg(system.dma, dev, three(), 3, DMA_TO_DEVICE)).toBe(0)
    const sgt = { sgl: three(), orig_nents: 3, nents: 9 }
    expect([dma_map_sgtable(system.dma, dev, sgt, DMA_TO_DEVICE, 0), sgt.nents]).toEqual([-EIO, 9])
    expect(complaints(system, before)).toEqual([
      'sample narrow: DMA addr 0x0000000050000040+512 overflow (mask 1fffffff, bus limit 0).',
      'WARNING: at kernel/dma/direct.h dma_direct_map_sg',
    ])
  })

  test.each(BOUNCING)('what was mapped before it is given back, without a copy [$arch $kernel]', (k) => {
    const system = withBounce(128, k)
    const { pfn, va } = pages(system)
    const sg = list([pfn, 4096, 0], [0x5_0100, 256 * 1024, 0], [0x5_0300, 512, 0])
    cpuPuts(system, va, [3])
    expect(dma_map_sg(system.dma, narrow(), sg, 3, DMA_FROM_DEVICE)).toBe(0)
    expect([mem_used(system.dma.swiotlb), cpuSees(system, va)[0]]).toEqual([0, k.kernel === '4.6' ? 0 : 3])
  })

  test.each(NOW)('a device without mask: 0, and a warning [%s]', (kernel) => {
    const system = withBounce(0, { kernel })
    const before = system.printk.records.length
    expect(dma_map_sg(system.dma, device('d', { dma_mask: null }), three(), 3, DMA_TO_DEVICE)).toBe(0)
    expect(complaints(system, before)).toEqual(['WARNING: at kernel/dma/mapping.c __dma_map_sg_attrs'])
  })

  test('a direction that says nothing: BUG_ON; dma_map_sgtable() before 6.x: there is none', () => {
    const { dma } = withBounce(0)
    for (const call of [dma_map_sg, dma_unmap_sg, dma_sync_sg_for_cpu, dma_sync_sg_for_device])
      expect(() => call(dma, device(), three(), 3, DMA_NONE), call.name).toThrow(/got direction 3/)
    const old = withBounce(0, { kernel: '4.12.4' })
    const sgt = { sgl: three(), orig_nents: 3, nents: 0 }
    expect(() => dma_map_sgtable(old.dma, device(), sgt, DMA_TO_DEVICE, 0)).toThrow(/expected 6.x/)
  })
})

describe('events of lists, 6.12', () => {
  const lines = (act: (system: ReturnType<typeof withBounce>) => void) => {
    const system = withBounce(0)
    system.trace.enabled = true
    act(system)
    return system.trace.records.map((record) =>
      formatTraceRecord(record, '6.12.117')?.replace(/^.*\.\d+: /, ''),
    )
  }

  test('what each call tells', () => {
    const sgt = { sgl: list([0x5_0000, 512, 0x40], [0x5_0100, 4096, 0]), orig_nents: 2, nents: 0 }
    const told = lines(({ dma }) => {
      dma_map_sgtable(dma, device('d'), sgt, DMA_TO_DEVICE, 0)
      dma_sync_sg_for_cpu(dma, device('d'), sgt.sgl, 2, DMA_TO_DEVICE)
      dma_unmap_sgtable(dma, device('d'), sgt, DMA_TO_DEVICE, 0)
    })
    expect(told).toEqual([
      'dma_map_sg: d dir=TO_DEVICE nents=2/2 ents=2/2 dma_addrs={0x50000040,0x50100000} sizes={0x200,0x1000} ' +
        'phys_addrs={0x50000040,0x50100000} attrs=',
      'dma_sync_sg_for_cpu: d dir=TO_DEVICE dma_addrs={0x50000040,0x50100000} sizes={0x200,0x1000}',
      'dma_unmap_sg: d dir=TO_DEVICE phys_addrs={0x50000040,0x50100000} attrs=',
    ])
  })

  test('of a long list the first 128 entries', () => {
    const sg = list(...Array.from({ length: 130 }, (_, i) => [0x5_0000 + i, 512, 0] as const))
    const [told] = lines(({ dma }) => void dma_map_sg(dma, device('d'), sg, 130, DMA_TO_DEVICE))
    expect(told).toContain('nents=128/130 ents=128/130 [TRUNCATED] dma_addrs={0x50000000,')
    expect(told).toContain('0x5007f000} sizes=')
  })
})
