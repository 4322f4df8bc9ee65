// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { kernelRead, kernelWrite, translate } from '../../code/arch/kernel_map.ts'
import { dma_declare_coherent_memory, dma_release_coherent_memory } from '../../code/dma/coherent_alloc.ts'
import { DMA_MEMORY_EXCLUSIVE, DMA_MEMORY_IO, DMA_MEMORY_MAP } from '../../code/dma/coherent.ts'
import { DMA_BIT_MASK } from '../../code/dma/dma_address.ts'
import { dma_alloc_coherent, dma_free_coherent } from '../../code/dma/mapping.ts'
import { dma_set_mask_and_coherent } from '../../code/dma/mask.ts'
import { EBUSY, EINVAL } from '../../code/lib/errno.ts'
import { RESERVED_MEMORY_KERNELS } from '../../code/lib/kernel_version.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import type { System } from '../../code/machine/system.ts'
import { GFP_ATOMIC, GFP_KERNEL } from '../../code/mm/gfp.ts'
import type { Device } from '../../code/of/reserved_mem.ts'
import {
  of_reserved_mem_device_init,
  of_reserved_mem_device_release,
} from '../../code/of/reserved_mem_device.ts'
import { device, freePages, NOW, PAGE, poolBits, poolClient, start, withPool } from './dma_system.ts'

// Pages of the pool that requests of so many pages get; null: no memory.
function placed({ dma }: System, dev: Device, requests: number[], base = 0x5000_0000): (number | null)[] {
  return requests.map((pages) => {
    const buffer = dma_alloc_coherent(dma, dev, pages * PAGE, GFP_KERNEL)
    return buffer && (buffer.dma_handle - base) / PAGE
  })
}

describe('dma_alloc_from_dev_coherent()', () => {
  test.each(RESERVED_MEMORY_KERNELS)('TV-7, MC-7.1: a pool of 4096 pages [%s]', (kernel) => {
    const { system, dev } = withPool(4096, { kernel })
    expect(placed(system, dev, [375, 1, 3, 1, 1280, 4096])).toEqual([0, 512, 516, 513, 2048, null])
  })

  test('TV-8: a pool of 3 pages', () => {
    const { system, dev } = withPool(3)
    expect(placed(system, dev, [375, 1, 3, 1])).toEqual([null, 0, null, 1])
  })

  test('MC-7.2: what is left of a pool that is no power of two', () => {
    const three = withPool(3)
    expect(placed(three.system, three.dev, [1, 1, 1, 1])).toEqual([0, 1, 2, null])
    const pairs = withPool(3)
    expect(placed(pairs.system, pairs.dev, [2, 2, 1])).toEqual([0, null, 2])
    const six = withPool(6)
    expect(placed(six.system, six.dev, [3, 1, 2])).toEqual([0, 4, null])
    expect(poolBits(six.dev)).toEqual([0, 1, 2, 3, 4])
  })

  test('TV-52: 384 MiB of 512 MiB take all of it', () => {
    const { system, dev } = withPool(131072, { ram: [0x4000_0000, GiB(1)] })
    const all = dma_alloc_coherent(system.dma, dev, MiB(384), GFP_KERNEL)!
    expect(all.dma_handle).toBe(0x5000_0000)
    expect(dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)).toBeNull()
  })

  test.each(NOW)('MC-6.1, MC-7.3: a full pool is the end of it, and nothing else is asked [%s]', (kernel) => {
    const { system, dev } = withPool(4, { kernel, cmdline: 'cma=16M' })
    const before = [freePages(system), system.pgdat.vm_event.cma_alloc_success]
    expect(placed(system, dev, [4, 1, 8])).toEqual([0, null, null])
    expect([freePages(system), system.pgdat.vm_event.cma_alloc_success]).toEqual(before)
    expect(system.printk.records.filter((line) => line.text.includes('alloc failed'))).toEqual([])
  })

  test('MC-7.3: callers that cannot wait are served as well', () => {
    const { system, dev } = withPool(4)
    expect(dma_alloc_coherent(system.dma, dev, PAGE, GFP_ATOMIC)!.dma_handle).toBe(0x5000_0000)
  })

  test('MC-7.4: the handle counts from where the bus of the device has the pool', () => {
    const { system, dev } = withPool(8)
    dev.dma_range_map = [{ cpu_start: 0x4000_0000, dma_start: 0x1000_0000, size: GiB(1) }]
    dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)
    const second = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    expect(second.dma_handle).toBe(0x2000_0000 + PAGE)
    expect(translate(system.kernelMap, second.cpu_addr).pa).toBe(0x5000_0000 + PAGE)
  })

  test('MC-7.4: 4.x does not ask the bus', () => {
    const { system, dev } = withPool(8, { kernel: '4.12.4' })
    dev.dma_range_map = [{ cpu_start: 0x4000_0000, dma_start: 0x1000_0000, size: GiB(1) }]
    expect(dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!.dma_handle).toBe(0x5000_0000)
  })

  test('MC-7.5: two devices share the bits of their pool', () => {
    const { system, dev } = withPool(4)
    const other = poolClient(system)
    expect(placed(system, dev, [1])).toEqual([0])
    expect(placed(system, other, [1, 2, 1])).toEqual([1, 2, null])
    expect(poolBits(other)).toEqual([0, 1, 2, 3])
  })

  test('MC-7.6: zeros for the bytes that were asked for, not for the rest of the page', () => {
    const { system, dev } = withPool(4)
    const first = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    kernelWrite(system.kernelMap, first.cpu_addr, new Uint8Array(PAGE).fill(0xee))
    dma_free_coherent(system.dma, dev, PAGE, first.cpu_addr, first.dma_handle)
    const again = dma_alloc_coherent(system.dma, dev, 1000, GFP_KERNEL)!
    const bytes = kernelRead(system.kernelMap, again.cpu_addr, PAGE)
    expect(bytes.subarray(0, 1000).every((byte) => byte === 0)).toBe(true)
    expect(bytes.subarray(1000).every((byte) => byte === 0xee)).toBe(true)
  })

  test('the address is of the vmalloc area and uncached, for a coherent device too', () => {
    const { system, dev } = withPool(4)
    dev.dma_coherent = true
    const { cpu_addr } = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    expect(translate(system.kernelMap, cpu_addr)).toEqual({ pa: 0x5000_0000, type: 'normal-nc' })
    expect(cpu_addr).toBeGreaterThanOrEqual(system.kernelMap.layout.vmallocStart)
  })

  test('4.12.4 counts the bytes of a pool as int: of one of 2 GiB nothing can be had, 6.x has it all', () => {
    const of = (kernel: '4.12.4' | '6.1.192') => {
      const { system, dev } = withPool(GiB(2) / PAGE, { kernel, ram: [0x4000_0000, GiB(3)] })
      return dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)?.dma_handle ?? null
    }
    expect([of('4.12.4'), of('6.1.192')]).toEqual([null, 0x5000_0000])
  })
})

describe('dma_release_from_dev_coherent()', () => {
  test('MC-7.7: another size frees other bits, a buffer in use among them', () => {
    const { system, dev } = withPool(16)
    const four = dma_alloc_coherent(system.dma, dev, 4 * PAGE, GFP_KERNEL)!
    const one = dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!
    expect(poolBits(dev)).toEqual([0, 1, 2, 3, 4])
    dma_free_coherent(system.dma, dev, 5 * PAGE, four.cpu_addr, four.dma_handle)
    expect(poolBits(dev)).toEqual([])
    expect((one.dma_handle - 0x5000_0000) / PAGE).toBe(4)
    expect(placed(system, dev, [8])).toEqual([0])
  })

  test('frees by the address: the handle is not looked at', () => {
    const { system, dev } = withPool(4)
    const [, second] = [1, 2].map(() => dma_alloc_coherent(system.dma, dev, PAGE, GFP_KERNEL)!)
    dma_free_coherent(system.dma, dev, PAGE, second!.cpu_addr, 0xdead_0000)
    expect(poolBits(dev)).toEqual([0])
  })
})

describe('a driver of a 512 MiB pool', () => {
  const seed000 = (): { system: System; dev: Device } =>
    withPool(131072, { ram: [0x8000_0000, GiB(1.5)], kernel: '6.12.117' }, 0xc000_0000)

  test('MC-7.8: all of it once; 384 MiB and 256 MiB + 1 are all of it too; 256 MiB twice', () => {
    const { system, dev } = seed000()
    const { dma } = system
    const get = (size: number) => dma_alloc_coherent(dma, dev, size, GFP_KERNEL)
    for (const size of [MiB(512), MiB(384), MiB(256) + 1]) {
      const all = get(size)!
      expect([all.dma_handle, get(PAGE), get(1)]).toEqual([0xc000_0000, null, null])
      dma_free_coherent(dma, dev, size, all.cpu_addr, all.dma_handle)
    }
    expect([get(MiB(256))!.dma_handle, get(MiB(256))!.dma_handle]).toEqual([0xc000_0000, 0xd000_0000])
  })

  test('MC-7.8: alloc after release is not from the pool, free after release is a model error', () => {
    const { system, dev } = seed000()
    const { dma, machine } = system
    const buffer = dma_alloc_coherent(dma, dev, MiB(1), GFP_KERNEL)!
    of_reserved_mem_device_release(machine.reserved_mem, dev)
    const elsewhere = dma_alloc_coherent(dma, dev, MiB(1), GFP_KERNEL)!
    expect(elsewhere.dma_handle).not.toBe(buffer.dma_handle + MiB(1))
    expect(elsewhere.dma_handle < 0xc000_0000 || elsewhere.dma_handle >= 0xe000_0000).toBe(true)
    expect(() => dma_free_coherent(dma, dev, MiB(1), buffer.cpu_addr, buffer.dma_handle)).toThrow(
      'handle 0xc0000000 is pfn 0xc0000, no page of the page allocator; free a buffer before',
    )
    of_reserved_mem_device_init(machine.reserved_mem, dev)
    expect(poolBits(dev).length).toBe(256)
  })

  test('S0-8, S0-12: masks, attach, alloc, free, release leave no line and nothing taken', () => {
    const { system, dev } = seed000()
    const { dma, machine, printk } = system
    of_reserved_mem_device_release(machine.reserved_mem, dev)
    const lines = printk.records.length
    const free = freePages(system)
    expect(dma_set_mask_and_coherent(dma, dev, DMA_BIT_MASK(32))).toBe(0)
    expect(of_reserved_mem_device_init(machine.reserved_mem, dev)).toBe(0)
    const buffer = dma_alloc_coherent(dma, dev, MiB(512), GFP_KERNEL)!
    dma_free_coherent(dma, dev, MiB(512), buffer.cpu_addr, buffer.dma_handle)
    expect(poolBits(dev)).toEqual([])
    of_reserved_mem_device_release(machine.reserved_mem, dev)
    expect([dev.dma_mem, freePages(system)]).toEqual([null, free])
    expect(printk.lines.slice(lines)).toEqual(['sample client: assigned reserved memory node pool@c0000000'])
  })
})

describe('dma_declare_coherent_memory()', () => {
  const noMap = { reserved: 'r: r@50000000 { no-map; reg = <0 0x50000000 0 0x10000>; };' }

  test.each(NOW)('6.x: 0, -EBUSY for a second pool, -EINVAL for RAM or nothing [%s]', (kernel) => {
    const { dma } = start({ kernel, ...noMap })
    const dev = device()
    expect(dma_declare_coherent_memory(dma, dev, 0x6000_0000, 0x6000_0000, 0x1_0000)).toBe(-EINVAL)
    expect(dma_declare_coherent_memory(dma, dev, 0x5000_0000, 0x5000_0000, 0)).toBe(-EINVAL)
    expect(dev.dma_mem).toBeNull()
    expect(dma_declare_coherent_memory(dma, dev, 0x5000_0000, 0x1000, 0x1_0000)).toBe(0)
    expect(dma_declare_coherent_memory(dma, dev, 0x5000_0000, 0x1000, 0x1_0000)).toBe(-EBUSY)
    expect(dma_alloc_coherent(dma, dev, PAGE, GFP_KERNEL)!.dma_handle).toBe(0x1000)
    dma_release_coherent_memory(dma, dev)
    expect(dev.dma_mem).toBeNull()
  })

  test('4.x: the kind of mapping, or 0 for any failure', () => {
    const { dma } = start({ kernel: '4.12.4', ...noMap })
    const dev = device()
    const declare = (flags: number) => dma_declare_coherent_memory(dma, dev, 0x5000_0000, 0, 0x1_0000, flags)
    expect(declare(DMA_MEMORY_EXCLUSIVE)).toBe(0)
    expect(declare(DMA_MEMORY_MAP)).toBe(DMA_MEMORY_MAP)
    expect(declare(DMA_MEMORY_MAP)).toBe(0)
    dma_release_coherent_memory(dma, dev)
    expect(declare(DMA_MEMORY_IO)).toBe(DMA_MEMORY_IO)
  })

  test('4.x: a pool that is not exclusive lets others help when it is full', () => {
    const from = (flags: number) => {
      const { dma } = start({ kernel: '4.12.4', ...noMap })
      const dev = device()
      dma_declare_coherent_memory(dma, dev, 0x5000_0000, 0x5000_0000, 0x1_0000, flags)
      return [1, 2].map(() => dma_alloc_coherent(dma, dev, 0x1_0000, GFP_KERNEL)?.dma_handle ?? null)
    }
    const [first, second] = from(DMA_MEMORY_MAP)
    expect(first).toBe(0x5000_0000)
    expect(second).toBeGreaterThan(0x5001_0000)
    expect(from(DMA_MEMORY_MAP | DMA_MEMORY_EXCLUSIVE)).toEqual([0x5000_0000, null])
  })
})
