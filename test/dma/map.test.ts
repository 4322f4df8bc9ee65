// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { prefetch } from '../../code/arch/cache.ts'
import { logCacheOps } from '../../code/arch/cpu.ts'
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_NONE,
  DMA_TO_DEVICE,
  type DmaDirection,
} from '../../code/arch/dma_direction.ts'
import { vmap } from '../../code/arch/kernel_map.ts'
import { DMA_BIT_MASK, DMA_MAPPING_ERROR } from '../../code/dma/dma_address.ts'
import { DMA_ATTR_SKIP_CPU_SYNC } from '../../code/dma/dma_state.ts'
import {
  dma_map_page,
  dma_map_page_attrs,
  dma_map_single,
  dma_map_single_attrs,
  dma_mapping_error,
  dma_sync_single_for_cpu,
  dma_sync_single_for_device,
  dma_sync_single_range_for_cpu,
  dma_unmap_page,
  dma_unmap_single,
  dma_unmap_single_attrs,
} from '../../code/dma/map.ts'
import { dma_set_mask } from '../../code/dma/mask.ts'
import { ENOMEM } from '../../code/lib/errno.ts'
import { formatTraceRecord } from '../../code/lib/trace_format.ts'
import { PG_dcache_clean } from '../../code/mm/mmzone.ts'
import { complaints, device, NOW, PAGE } from './dma_system.ts'
import { cpuPuts, cpuSees, devicePuts, deviceSees, KERNELS, pages, withBounce } from './streaming_system.ts'

const ERROR = DMA_MAPPING_ERROR(64)

describe('dma_map_single() and its way back, on a machine', () => {
  test.each(KERNELS)('MC-11.1: gives the device what the CPU wrote, 0x00 before [$arch $kernel]', (k) => {
    const system = withBounce(0, k)
    const dev = device()
    const { va, pa } = pages(system)
    cpuPuts(system, va, [0xaa])
    expect(deviceSees(system, dev, pa as number)).toEqual([0])
    const handle = dma_map_single(system.dma, dev, va, 256, DMA_TO_DEVICE)
    expect(deviceSees(system, dev, handle)).toEqual([0xaa])
    dma_unmap_single(system.dma, dev, handle, 256, DMA_TO_DEVICE)
  })

  test.each(KERNELS)(
    'MC-11.1: the CPU reads old bytes for ever when a line came in and the unmap is left out [$arch $kernel]',
    (k) => {
      const system = withBounce(0, k)
      const dev = device()
      const { va, pa } = pages(system)
      const handle = dma_map_single(system.dma, dev, va, 256, DMA_FROM_DEVICE)
      prefetch(system.vm.cpu.l1, pa)
      devicePuts(system, dev, handle, [0x55])
      expect([cpuSees(system, va), cpuSees(system, va)]).toEqual([[0], [0]])
      dma_unmap_single(system.dma, dev, handle, 256, DMA_FROM_DEVICE)
      expect(cpuSees(system, va)).toEqual([0x55])
    },
  )

  test.each(KERNELS)(
    'a missing dma_sync_single_for_cpu reads stale bytes; after it they are the device’s [$arch $kernel]',
    (k) => {
      const system = withBounce(0, k)
      const dev = device()
      const { va, pa } = pages(system)
      const handle = dma_map_single(system.dma, dev, va, 256, DMA_FROM_DEVICE)
      expect(cpuSees(system, va)).toEqual([0])
      devicePuts(system, dev, handle, [1])
      expect(cpuSees(system, va)).toEqual([0])
      dma_sync_single_for_cpu(system.dma, dev, handle, 256, DMA_FROM_DEVICE)
      expect(cpuSees(system, va)).toEqual([1])
      dma_sync_single_for_device(system.dma, dev, handle, 256, DMA_FROM_DEVICE)
      prefetch(system.vm.cpu.l1, pa)
      devicePuts(system, dev, handle, [2])
      expect(cpuSees(system, va)).toEqual([1])
      dma_unmap_single(system.dma, dev, handle, 256, DMA_FROM_DEVICE)
      expect(cpuSees(system, va)).toEqual([2])
    },
  )

  test.each(KERNELS.filter(({ kernel }) => kernel !== '3.5'))(
    'MC-11.4: the same code on a coherent device is right without syncs and does no cache op [$arch $kernel]',
    (k) => {
      const system = withBounce(0, k)
      const dev = device('coherent', { dma_coherent: true })
      const { va } = pages(system)
      const log = logCacheOps(system.vm.cpu)
      cpuPuts(system, va, [0xaa])
      const handle = dma_map_single(system.dma, dev, va, 256, DMA_BIDIRECTIONAL)
      expect(deviceSees(system, dev, handle)).toEqual([0xaa])
      devicePuts(system, dev, handle, [0x55])
      expect(cpuSees(system, va)).toEqual([0x55])
      dma_sync_single_for_cpu(system.dma, dev, handle, 256, DMA_BIDIRECTIONAL)
      dma_sync_single_for_device(system.dma, dev, handle, 256, DMA_BIDIRECTIONAL)
      dma_unmap_single(system.dma, dev, handle, 256, DMA_BIDIRECTIONAL)
      expect(log).toEqual([])
    },
  )

  test.each(KERNELS)('MC-11.3: BIDIRECTIONAL cleans at map, invalidates at unmap [$arch $kernel]', (k) => {
    const system = withBounce(0, k)
    const { va } = pages(system)
    const log = logCacheOps(system.vm.cpu)
    const handle = dma_map_single(system.dma, device(), va, 256, DMA_BIDIRECTIONAL)
    const atMap = log.splice(0).map(({ op }) => op)
    dma_unmap_single(system.dma, device(), handle, 256, DMA_BIDIRECTIONAL)
    expect([atMap, log.map(({ op }) => op)]).toEqual([['clean'], ['invalidate']])
  })

  test('DMA_ATTR_SKIP_CPU_SYNC leaves the caches alone, for whoever syncs by himself', () => {
    for (const k of KERNELS) {
      const system = withBounce(0, k)
      const { va } = pages(system)
      const log = logCacheOps(system.vm.cpu)
      const attrs = DMA_ATTR_SKIP_CPU_SYNC
      const handle = dma_map_single_attrs(system.dma, device(), va, 256, DMA_BIDIRECTIONAL, attrs)
      dma_unmap_single_attrs(system.dma, device(), handle, 256, DMA_BIDIRECTIONAL, attrs)
      expect(log, k.kernel).toEqual([])
    }
  })

  test('dma_sync_single_range_for_cpu() gives back a part, and the rest stays the device’s', () => {
    const system = withBounce(0)
    const dev = device()
    const { va } = pages(system)
    const handle = dma_map_single(system.dma, dev, va, 512, DMA_FROM_DEVICE)
    cpuSees(system, va, 512)
    devicePuts(system, dev, handle, Array<number>(512).fill(7))
    dma_sync_single_range_for_cpu(system.dma, dev, handle, 128, 64, DMA_FROM_DEVICE)
    expect([0, 64, 128, 191, 192].map((at) => cpuSees(system, va + at)[0])).toEqual([0, 0, 7, 7, 0])
  })
})

describe('PG_dcache_clean', () => {
  const marked = (
    kernel: '3.9' | '4.12.4' | '6.1.192' | '6.12.117',
    coherent: boolean,
    dir: DmaDirection,
  ) => {
    const system = withBounce(0, { kernel, arch: 'arm' })
    const dev = device('d', { dma_coherent: coherent })
    const { pfn } = pages(system, 2)
    const handle = dma_map_page(system.dma, dev, pfn, 0x800, 0x2800, dir)
    dma_unmap_page(system.dma, dev, handle, 0x2800, dir)
    const { map } = system.pgdat
    return [0, 1, 2, 3].filter((i) => map.flags[pfn - map.start_pfn + i]! & PG_dcache_clean)
  }

  test('MC-11.7: after unmap, offset 0x800, size 0x2800: 3.x none, 4.12 and 6.x pages 1 and 2', () => {
    expect(marked('3.9', false, DMA_FROM_DEVICE)).toEqual([])
    for (const kernel of ['4.12.4', '6.1.192', '6.12.117'] as const)
      expect(marked(kernel, false, DMA_FROM_DEVICE)).toEqual([1, 2])
  })

  test('MC-11.7: no mark TO_DEVICE, nor for a coherent device, whose table has no unmap', () => {
    expect(marked('4.12.4', false, DMA_TO_DEVICE)).toEqual([])
    expect(marked('4.12.4', true, DMA_FROM_DEVICE)).toEqual([])
  })
})

describe('dma_mapping_error()', () => {
  test.each(NOW)('MC-11.5: all ones is no address, -ENOMEM; 0 is one [%s]', (kernel) => {
    const { dma } = withBounce(0, { kernel })
    expect(ERROR).toBe(2 ** 64 - 1)
    expect(dma_mapping_error(dma, device(), ERROR)).toBe(-ENOMEM)
    expect([-ENOMEM, dma_mapping_error(dma, device(), 0)]).toEqual([-12, 0])
    const arm = withBounce(0, { kernel, arch: 'arm', config: { physAddrBits: 32 } })
    expect(dma_mapping_error(arm.dma, device(), 0xffff_ffff)).toBe(-ENOMEM)
  })

  test('MC-11.5: RAM at bus address 0 maps to a handle of 0, which is no error', () => {
    const system = withBounce(0)
    const { va, pa } = pages(system)
    const dev = device('d', { dma_range_map: [{ cpu_start: pa, dma_start: 0, size: PAGE }] })
    const handle = dma_map_single(system.dma, dev, va, 256, DMA_TO_DEVICE)
    expect([handle, dma_mapping_error(system.dma, dev, handle)]).toEqual([0, 0])
  })

  test('before 6.x it returns 1: on arm for all ones, on arm64 for the overflow buffer alone', () => {
    const arm = withBounce(0, { kernel: '4.12.4', arch: 'arm' })
    const none = DMA_MAPPING_ERROR(arm.machine.memblock.physAddrBits)
    expect([dma_mapping_error(arm.dma, null, none), dma_mapping_error(arm.dma, null, 0)]).toEqual([1, 0])
    const arm64 = withBounce(128, { kernel: '4.12.4' })
    const spare = arm64.dma.swiotlb.io_tlb_overflow_buffer
    expect([spare as number, ERROR].map((addr) => dma_mapping_error(arm64.dma, device(), addr))).toEqual([
      1, 0,
    ])
  })
})

describe('dma_map_page_attrs() refuses', () => {
  test.each(NOW)('MC-11.6: what the mask does not reach, without bounce buffer; said once [%s]', (kernel) => {
    const system = withBounce(0, { kernel })
    const dev = device('narrow', { dma_mask: DMA_BIT_MASK(29) })
    const before = system.printk.records.length
    const map = () => dma_map_page(system.dma, dev, 0x50000, 0x40, 4096, DMA_TO_DEVICE)
    expect([map(), map()]).toEqual([ERROR, ERROR])
    expect(dma_mapping_error(system.dma, dev, ERROR)).toBe(-ENOMEM)
    expect(complaints(system, before)).toEqual([
      'sample narrow: DMA addr 0x0000000050000040+4096 overflow (mask 1fffffff, bus limit 0).',
      'WARNING: at kernel/dma/direct.h dma_map_page_attrs',
    ])
  })

  test.each(NOW)('what lies behind the limit of the bus, or on no bus at all [%s]', (kernel) => {
    const system = withBounce(0, { kernel })
    const limited = device('a', { bus_dma_limit: 0x5fff_ffff, dma_mask: DMA_BIT_MASK(64) })
    expect(dma_map_page(system.dma, limited, 0x5ffff, 0, 4096, DMA_TO_DEVICE)).toBe(0x5fff_f000)
    expect(dma_map_page(system.dma, limited, 0x5ffff, 1, 4096, DMA_TO_DEVICE)).toBe(ERROR)
    const away = device('b', { dma_range_map: [{ cpu_start: 0, dma_start: 0, size: PAGE }] })
    system.dma.warned.clear()
    expect(dma_map_page(system.dma, away, 0x50000, 0, 4096, DMA_TO_DEVICE)).toBe(ERROR)
    const said = complaints(system).filter((line) => line.includes('DMA addr'))
    expect(said).toEqual([
      'sample a: DMA addr 0x000000005ffff001+4096 overflow (mask ffffffffffffffff, bus limit 5fffffff).',
      'sample b: DMA addr 0xffffffffffffffff+4096 overflow (mask ffffffff, bus limit 0).',
    ])
  })

  test.each(NOW)('a device without mask, with a warning [%s]', (kernel) => {
    const system = withBounce(128, { kernel })
    const before = system.printk.records.length
    const map = () => dma_map_page(system.dma, device('d', { dma_mask: null }), 0x50000, 0, 64, DMA_TO_DEVICE)
    expect([map(), map()]).toEqual([ERROR, ERROR])
    expect(complaints(system, before)).toEqual(['WARNING: at kernel/dma/mapping.c dma_map_page_attrs'])
  })

  test.each(NOW)('memory of the vmalloc area, so a remapped coherent buffer too [%s]', (kernel) => {
    const system = withBounce(0, { kernel })
    const va = vmap(system.kernelMap, [pages(system).pfn], 'normal')!
    const before = system.printk.records.length
    expect(dma_map_single(system.dma, device(), va, 64, DMA_TO_DEVICE)).toBe(ERROR)
    expect(complaints(system, before)).toEqual([
      'sample dev0: rejecting DMA map of vmalloc memory',
      'WARNING: at include/linux/dma-mapping.h dma_map_single_attrs',
    ])
    const old = withBounce(0, { kernel: '4.12.4' })
    const there = vmap(old.kernelMap, [pages(old).pfn], 'normal')!
    expect(() => dma_map_single(old.dma, device(), there, 64, DMA_TO_DEVICE)).toThrow(/linear address/)
  })

  test('a direction that says nothing: BUG_ON, at every step', () => {
    for (const k of KERNELS) {
      const { dma } = withBounce(0, k)
      const text = /got direction 3, expected 0 \(BIDIRECTIONAL\)/
      expect(() => dma_map_page(dma, device(), 0x50000, 0, 64, DMA_NONE)).toThrow(text)
      expect(() => dma_unmap_page(dma, device(), 0x5000_0000, 64, DMA_NONE)).toThrow(text)
      expect(() => dma_sync_single_for_cpu(dma, device(), 0x5000_0000, 64, DMA_NONE)).toThrow(text)
      expect(() => dma_sync_single_for_device(dma, device(), 0x5000_0000, 64, DMA_NONE)).toThrow(text)
    }
  })

  test('no device at all: 6.x falls over it, arm of 4.12 maps, arm64 of 4.12 refuses', () => {
    const map = (k: (typeof KERNELS)[number]) =>
      dma_map_page(withBounce(0, k).dma, null, 0x50000, 0, 64, DMA_TO_DEVICE)
    expect(() => map({ kernel: '6.1.192', arch: 'arm64' })).toThrow(/got no device/)
    expect(map({ kernel: '4.12.4', arch: 'arm' })).toBe(0x5000_0000)
    expect(map({ kernel: '4.12.4', arch: 'arm64' })).toBe(ERROR)
  })

  test('4.12 arm64 without bounce buffer: bus address 0, which dma_mapping_error() takes for a mapping', () => {
    const system = withBounce(0, { kernel: '4.12.4' })
    system.dma.swiotlb.noForce = true
    const dev = device('narrow', { dma_mask: DMA_BIT_MASK(29) })
    const before = system.printk.records.length
    const handle = dma_map_page(system.dma, dev, 0x50000, 0, 4096, DMA_TO_DEVICE)
    expect([handle, dma_mapping_error(system.dma, dev, handle)]).toEqual([0, 0])
    expect(complaints(system, before)).toEqual(['sample narrow: Cannot do DMA to address 0x0000000050000000'])
  })
})

describe('small buffers', () => {
  const bounces = (size: number, dir: DmaDirection, wish: object = {}, kernel = '6.12.117' as const) => {
    const system = withBounce(128, { kernel })
    const handle = dma_map_page(system.dma, device('d', wish), 0x50000, 0, size, dir)
    return handle !== 0x5000_0000
  }

  test('6.12 arm64: bounce where kmalloc() may have put others into the line; lines of 64 bytes', () => {
    const small = [1, 8, 32, 33, 64, 65, 96, 97, 128, 192, 193, 255, 256, 4096]
    expect(small.filter((size) => bounces(size, DMA_FROM_DEVICE))).toEqual([1, 8, 32, 65, 96])
    expect(small.filter((size) => bounces(size, DMA_BIDIRECTIONAL))).toEqual([1, 8, 32, 65, 96])
  })

  test('not TO_DEVICE, not for a coherent device, not without bounce buffer, for kmalloc() keeps apart then', () => {
    expect(bounces(8, DMA_TO_DEVICE)).toBe(false)
    expect(bounces(8, DMA_FROM_DEVICE, { dma_coherent: true })).toBe(false)
    const system = withBounce(0)
    expect(dma_map_page(system.dma, device(), 0x50000, 0, 8, DMA_FROM_DEVICE)).toBe(0x5000_0000)
  })

  test('not in 6.1, nor on arm', () => {
    const bouncing = [
      { kernel: '6.1.192', arch: 'arm64' },
      { kernel: '6.12.117', arch: 'arm' },
    ] as const
    for (const k of bouncing) {
      const { dma } = withBounce(128, k)
      expect(dma_map_page(dma, device(), 0x50000, 0, 8, DMA_FROM_DEVICE), k.kernel).toBe(0x5000_0000)
    }
  })
})

describe('dma_skip_sync', () => {
  const syncs = (wish: object, set: boolean, slots = 0) => {
    const system = withBounce(slots)
    const dev = device('d', wish)
    if (set) dma_set_mask(system.dma, dev, dev.dma_mask!)
    const handle = dma_map_page(system.dma, dev, 0x50000, 0, 4096, DMA_TO_DEVICE)
    system.trace.enabled = true
    dma_sync_single_for_cpu(system.dma, dev, handle, 4096, DMA_TO_DEVICE)
    return system.trace.records.length
  }

  test('a coherent device that set its mask is not even asked; one that did not is', () => {
    expect(syncs({ dma_coherent: true }, true)).toBe(0)
    expect(syncs({ dma_coherent: true }, false)).toBe(1)
    expect(syncs({}, true)).toBe(1)
  })

  test('the first mapping that bounces ends it', () => {
    expect(syncs({ dma_coherent: true, dma_mask: DMA_BIT_MASK(32) }, true, 128)).toBe(0)
    const system = withBounce(128)
    const dev = device('d', { dma_coherent: true })
    dma_set_mask(system.dma, dev, DMA_BIT_MASK(32))
    expect(dev.dma_skip_sync).toBe(true)
    dev.dma_mask = 0x47ff_ffff
    dma_map_page(system.dma, dev, 0x50000, 0, 4096, DMA_TO_DEVICE)
    expect(dev.dma_skip_sync).toBe(false)
  })

  test('6.1 asks always', () => {
    const { dma } = withBounce(0, { kernel: '6.1.192' })
    const dev = device('d', { dma_coherent: true })
    dma_set_mask(dma, dev, DMA_BIT_MASK(32))
    expect(dev.dma_skip_sync).toBe(false)
  })
})

describe('events of 6.12', () => {
  test('dma_map_page, dma_sync_*, dma_unmap_page: what was mapped, under which address, which way', () => {
    const system = withBounce(0)
    const dev = device('d', { dma_range_map: [{ cpu_start: 0x4000_0000, dma_start: 0, size: 2 ** 30 }] })
    system.trace.enabled = true
    const attrs = DMA_ATTR_SKIP_CPU_SYNC
    const handle = dma_map_page_attrs(system.dma, dev, 0x50000, 0x40, 512, DMA_TO_DEVICE, attrs)
    dma_sync_single_for_cpu(system.dma, dev, handle, 512, DMA_TO_DEVICE)
    dma_sync_single_for_device(system.dma, dev, handle, 512, DMA_TO_DEVICE)
    dma_unmap_page(system.dma, dev, handle, 512, DMA_TO_DEVICE)
    const lines = system.trace.records.map((record) => formatTraceRecord(record, '6.12.117'))
    expect(lines.map((line) => line?.replace(/^.*\d: /, ''))).toEqual([
      'dma_map_page: d dir=TO_DEVICE dma_addr=10000040 size=512 phys_addr=50000040 attrs=SKIP_CPU_SYNC',
      'dma_sync_single_for_cpu: d dir=TO_DEVICE dma_addr=10000040 size=512',
      'dma_sync_single_for_device: d dir=TO_DEVICE dma_addr=10000040 size=512',
      'dma_unmap_page: d dir=TO_DEVICE dma_addr=10000040 size=512 attrs=',
    ])
  })

  test('6.1 has none of them', () => {
    const system = withBounce(0, { kernel: '6.1.192' })
    system.trace.enabled = true
    dma_map_page(system.dma, device(), 0x50000, 0x40, 512, DMA_TO_DEVICE)
    expect(system.trace.records).toEqual([])
  })
})
