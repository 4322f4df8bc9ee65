// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  type DmaDirection,
} from '../../code/arch/dma_direction.ts'
import { DMA_BIT_MASK, DMA_MAPPING_ERROR } from '../../code/dma/dma_address.ts'
import { DMA_ATTR_NO_WARN } from '../../code/dma/dma_state.ts'
import {
  dma_map_page,
  dma_map_page_attrs,
  dma_map_single,
  dma_mapping_error,
  dma_sync_single_for_cpu,
  dma_sync_single_for_device,
  dma_unmap_page,
  dma_unmap_single,
} from '../../code/dma/map.ts'
import {
  is_swiotlb_active,
  swiotlb_max_mapping_size,
  swiotlb_sync_single_for_cpu,
} from '../../code/dma/swiotlb.ts'
import { mem_used, swiotlb_find_pool } from '../../code/dma/swiotlb_pool.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { dma_set_mask } from '../../code/dma/mask.ts'
import { EIO } from '../../code/lib/errno.ts'
import { __va } from '../../code/arch/kernel_map.ts'
import { complaints, device, NOW, PAGE, start } from './dma_system.ts'
import {
  BOUNCING,
  cpuPuts,
  cpuSees,
  devicePuts,
  deviceSees,
  pages,
  POOL,
  slotFaults,
  slotsDrawn,
  withBounce,
} from './streaming_system.ts'

const ERROR = DMA_MAPPING_ERROR(64)
// Reaches the bounce buffer of these machines, and no page that they give out.
const narrow = (wish: object = {}) => device('narrow', { dma_mask: 0x47ff_ffff, ...wish })
const HIGH = 0x6_0000

describe('a mapping that bounces', () => {
  test.each(BOUNCING)(
    'MC-11.6: TO_DEVICE, the copy is made at map; the data stay where they are [$arch $kernel]',
    (k) => {
      const system = withBounce(128, k)
      const { va, pa } = pages(system)
      cpuPuts(system, va, [1, 2, 3])
      const handle = dma_map_single(system.dma, narrow(), va, 3, DMA_TO_DEVICE)
      expect([handle, pa < POOL || pa > 0x47ff_ffff]).toEqual([POOL, true])
      expect(deviceSees(system, narrow(), handle, 3)).toEqual([1, 2, 3])
      devicePuts(system, narrow(), handle, [9, 9, 9])
      dma_unmap_single(system.dma, narrow(), handle, 3, DMA_TO_DEVICE)
      expect(cpuSees(system, va, 3)).toEqual([1, 2, 3])
    },
  )

  test.each(BOUNCING)(
    'MC-11.6: FROM_DEVICE, the copy comes back at sync and at unmap [$arch $kernel]',
    (k) => {
      const system = withBounce(128, k)
      const { va } = pages(system)
      const handle = dma_map_single(system.dma, narrow(), va, 256, DMA_FROM_DEVICE)
      devicePuts(system, narrow(), handle, [5])
      expect(cpuSees(system, va)).toEqual([0])
      dma_sync_single_for_cpu(system.dma, narrow(), handle, 256, DMA_FROM_DEVICE)
      expect(cpuSees(system, va)).toEqual([5])
      dma_sync_single_for_device(system.dma, narrow(), handle, 256, DMA_FROM_DEVICE)
      devicePuts(system, narrow(), handle, [6])
      dma_unmap_single(system.dma, narrow(), handle, 256, DMA_FROM_DEVICE)
      expect(cpuSees(system, va)).toEqual([6])
    },
  )

  test.each(BOUNCING)('MC-11.6: BIDIRECTIONAL, both ways at every step [$arch $kernel]', (k) => {
    const system = withBounce(128, k)
    const { va } = pages(system)
    const dir = DMA_BIDIRECTIONAL
    cpuPuts(system, va, [1])
    const handle = dma_map_single(system.dma, narrow(), va, 256, dir)
    expect(deviceSees(system, narrow(), handle)).toEqual([1])
    devicePuts(system, narrow(), handle, [2])
    dma_sync_single_for_cpu(system.dma, narrow(), handle, 256, dir)
    expect(cpuSees(system, va)).toEqual([2])
    cpuPuts(system, va, [3])
    dma_sync_single_for_device(system.dma, narrow(), handle, 256, dir)
    expect(deviceSees(system, narrow(), handle)).toEqual([3])
  })

  test.each(BOUNCING)(
    'bounces for a coherent device too, which sees its copy at once [$arch $kernel]',
    (k) => {
      const system = withBounce(128, k)
      const dev = narrow({ dma_coherent: true })
      const { va } = pages(system)
      cpuPuts(system, va, [1])
      const handle = dma_map_single(system.dma, dev, va, 256, DMA_BIDIRECTIONAL)
      expect(deviceSees(system, dev, handle)).toEqual([1])
      devicePuts(system, dev, handle, [2])
      expect(cpuSees(system, va)).toEqual([1])
      dma_sync_single_for_cpu(system.dma, dev, handle, 256, DMA_BIDIRECTIONAL)
      expect(cpuSees(system, va)).toEqual([2])
    },
  )

  test('bytes that a device did not write come back as they were in 6.x, as the slot had them in 4.x', () => {
    const left = (kernel: KernelVersion) => {
      const system = withBounce(128, { kernel })
      const { va } = pages(system)
      cpuPuts(system, va, [1, 2, 3, 4])
      const handle = dma_map_single(system.dma, narrow(), va, 256, DMA_FROM_DEVICE)
      devicePuts(system, narrow(), handle, [9])
      dma_unmap_single(system.dma, narrow(), handle, 256, DMA_FROM_DEVICE)
      return cpuSees(system, va, 4)
    }
    expect((['4.12.4', ...NOW] as const).map(left)).toEqual([
      [9, 0, 0, 0],
      [9, 2, 3, 4],
      [9, 2, 3, 4],
    ])
  })

  test.each(BOUNCING)('a part of it changes hands, across slots, and nothing else [$arch $kernel]', (k) => {
    const system = withBounce(128, k)
    const { pfn, va } = pages(system, 2)
    const handle = dma_map_page(system.dma, narrow(), pfn, 0x100, 8192, DMA_FROM_DEVICE)
    devicePuts(system, narrow(), handle, Array<number>(8192).fill(7))
    dma_sync_single_for_cpu(system.dma, narrow(), handle + 2000, 3000, DMA_FROM_DEVICE)
    const at = [1999, 2000, 4999, 5000].map((offset) => cpuSees(system, va + 0x100 + offset)[0])
    expect(at).toEqual([0, 7, 7, 0])
  })

  test('swiotlb=force: every device bounces, whatever it reaches; the event says so', () => {
    for (const k of BOUNCING) {
      const system = withBounce(128, k)
      system.dma.swiotlb.force_bounce = true
      system.trace.enabled = true
      expect(dma_map_page(system.dma, device('wide'), HIGH, 0, 4096, DMA_TO_DEVICE)).toBe(POOL)
      expect(system.trace.records[0]).toMatchObject({
        event: 'swiotlb_bounced',
        fields: {
          dev_name: 'wide',
          dma_mask: 0xffff_ffff,
          dev_addr: 0x6000_0000,
          size: 4096,
          force: k.kernel === '4.6' ? 'swiotlb_force' : 'FORCE',
        },
      })
    }
  })
})

describe('a mapping that cannot bounce', () => {
  test.each([
    ['6.1.192', 'swiotlb buffer is full (sz: 4096 bytes), total 128 (slots), used 128 (slots)'],
    ['6.12.117', 'swiotlb buffer is full (sz: 4096 bytes), total 128 (slots), used 128 (slots)'],
  ] as const)(
    'there is no room: an error and a line in the log, unless nobody wants it [%s]',
    (kernel, line) => {
      const system = withBounce(128, { kernel })
      const map = (size: number, attrs = 0) =>
        dma_map_page_attrs(system.dma, narrow(), HIGH, 0, size, DMA_TO_DEVICE, attrs)
      expect(map(256 * 1024)).toBe(POOL)
      const before = system.printk.records.length
      expect([map(4096, DMA_ATTR_NO_WARN), map(4096)]).toEqual([ERROR, ERROR])
      expect(complaints(system, before)).toEqual([`sample narrow: ${line}`])
      expect(slotFaults(system)).toEqual([])
    },
  )

  test('the size that 6.12 names has the offset in the slot in it, that of 6.1 has not', () => {
    const said = (kernel: KernelVersion) => {
      const system = withBounce(128, { kernel })
      dma_map_page(system.dma, narrow({ min_align_mask: 4095 }), HIGH, 0x123, 256 * 1024, DMA_TO_DEVICE)
      return /sz: (\d+)/.exec(complaints(system).at(-1)!)![1]
    }
    expect(NOW.map(said)).toEqual(['262144', '262435'])
  })

  test('256 KiB is the most in one piece, less where the device wants bits kept', () => {
    for (const k of BOUNCING) {
      const system = withBounce(512, k)
      const map = (size: number) => dma_map_page(system.dma, narrow(), HIGH, 0, size, DMA_TO_DEVICE)
      expect(map(swiotlb_max_mapping_size(narrow()))).toBe(POOL)
      if (k.kernel.startsWith('4')) expect(() => map(256 * 1024 + 1)).toThrow(/could be DMA read/)
      else expect(dma_mapping_error(system.dma, narrow(), map(256 * 1024 + 1))).toBe(-12)
    }
    expect([0, 4095].map((min_align_mask) => swiotlb_max_mapping_size(narrow({ min_align_mask })))).toEqual([
      262144, 258048,
    ])
  })

  test.each(NOW)(
    '28 bits on a board with RAM at 0x40000000: the bounce buffer is out of reach too [%s]',
    (kernel) => {
      const system = withBounce(128, { kernel })
      const edu = device('edu', { dma_mask: DMA_BIT_MASK(28) })
      const before = system.printk.records.length
      const map = () => dma_map_page(system.dma, edu, HIGH, 0, 4096, DMA_TO_DEVICE)
      expect([map(), map()]).toEqual([ERROR, ERROR])
      expect(complaints(system, before)).toEqual([
        'sample edu: swiotlb addr 0x0000000044000000+4096 overflow (mask fffffff, bus limit 0).',
        'WARNING: at kernel/dma/swiotlb.c swiotlb_map',
      ])
      expect(mem_used(system.dma.swiotlb)).toBe(0)
    },
  )

  test('4.12: the mapping points to the overflow buffer; a large one is a panic, in lists never', () => {
    const system = withBounce(128, { kernel: '4.12.4' })
    const map = (size: number, dir: DmaDirection = DMA_TO_DEVICE) =>
      dma_map_page(system.dma, narrow(), HIGH, 0, size, dir)
    map(256 * 1024)
    const before = system.printk.records.length
    const handle = map(4096)
    expect([handle, dma_mapping_error(system.dma, narrow(), handle)]).toEqual([POOL + 256 * 1024, 1])
    expect(complaints(system, before)).toEqual([
      'sample narrow: swiotlb buffer is full (sz: 4096 bytes)',
      'sample narrow: DMA: Out of SW-IOMMU space for 4096 bytes',
    ])
    expect(() => map(32769)).toThrow('panic: DMA: Random memory could be DMA read')
    expect(() => map(32769, DMA_FROM_DEVICE)).toThrow('could be DMA written')
    expect(() => map(32769, DMA_BIDIRECTIONAL)).toThrow('could be DMA accessed')
  })

  test('4.12: a bounce buffer out of reach: the overflow buffer, silently', () => {
    const system = withBounce(128, { kernel: '4.12.4' })
    const edu = device('edu', { dma_mask: DMA_BIT_MASK(28) })
    const before = system.printk.records.length
    const handle = dma_map_page(system.dma, edu, HIGH, 0, 4096, DMA_TO_DEVICE)
    expect([dma_mapping_error(system.dma, edu, handle), mem_used(system.dma.swiotlb)]).toEqual([1, 0])
    expect(complaints(system, before)).toEqual([])
  })
})

describe('slots', () => {
  const map = (system: ReturnType<typeof withBounce>, size: number, wish: object = {}, offset = 0) =>
    dma_map_page(system.dma, narrow(wish), HIGH, offset, size, DMA_TO_DEVICE)

  test('as many as the bytes need; a page or more begins at a page', () => {
    for (const k of BOUNCING) {
      const system = withBounce(128, k)
      const handles = [map(system, 2049), map(system, 1), map(system, 4097), map(system, 2048)]
      expect(handles.map((handle) => (handle - POOL) / 2048)).toEqual([0, 2, 4, 7])
      expect(slotsDrawn(system).slice(0, 10)).toBe('###.####..')
      expect(slotFaults(system)).toEqual([])
    }
  })

  test('a mapping does not cross 128 slots, and what is given back joins its neighbours', () => {
    for (const k of BOUNCING) {
      const system = withBounce(256, k)
      const [a, b] = [map(system, 100 * 2048), map(system, 100 * 2048)]
      expect([a, b].map((handle) => (handle - POOL) / 2048)).toEqual([0, 128])
      const c = map(system, 28 * 2048)
      expect((c - POOL) / 2048).toBe(228)
      for (const [handle, slots] of [
        [a, 100],
        [c, 28],
        [b, 100],
      ] as const)
        // prettier-ignore
        dma_unmap_page(system.dma, narrow(), handle, slots * 2048, DMA_TO_DEVICE)
      expect([slotFaults(system), mem_used(system.dma.swiotlb)]).toEqual([[], 0])
      expect(system.dma.swiotlb.defpool!.list[0]).toBe(128)
    }
  })

  test('min_align_mask: the low bits of the address are the same in the copy, below and above a slot', () => {
    for (const kernel of NOW) {
      const system = withBounce(256, { kernel })
      const handle = map(system, 5000, { min_align_mask: 4095 }, 0x923)
      expect(handle % 4096).toBe(0x923)
      const second = map(system, 64, { min_align_mask: 4095 }, 0x7ff)
      expect(second % 4096).toBe(0x7ff)
      expect(slotFaults(system)).toEqual([])
      dma_unmap_page(system.dma, narrow({ min_align_mask: 4095 }), second, 64, DMA_TO_DEVICE)
      dma_unmap_page(system.dma, narrow({ min_align_mask: 4095 }), handle, 5000, DMA_TO_DEVICE)
      expect([slotFaults(system), mem_used(system.dma.swiotlb)]).toEqual([[], 0])
    }
  })

  test('areas: the first that has room, each with its own next place', () => {
    for (const kernel of NOW) {
      const system = withBounce(512, { kernel }, 4)
      const at = (slots: number) => (map(system, slots * 2048) - POOL) / 2048
      expect([at(100), at(100), at(28), at(128), at(128)]).toEqual([0, 128, 100, 256, 384])
      expect(system.dma.swiotlb.defpool!.areas.map(({ used }) => used)).toEqual([128, 100, 128, 128])
    }
  })

  test('the next search begins behind the last find', () => {
    for (const k of BOUNCING) {
      const system = withBounce(128, k)
      const first = map(system, 2048)
      dma_unmap_page(system.dma, narrow(), first, 2048, DMA_TO_DEVICE)
      expect(map(system, 2048)).toBe(first + 2048)
    }
  })

  test('0 bytes are no mapping: BUG_ON', () => {
    expect(() => map(withBounce(128), 0)).toThrow(/got 0 bytes, expected at least 1/)
  })
})

describe('misuse', () => {
  test('an address that nobody mapped is not copied; one behind a mapping is cut, with a warning', () => {
    for (const kernel of NOW) {
      const system = withBounce(128, { kernel })
      const { pfn, va } = pages(system)
      const handle = dma_map_page(system.dma, narrow(), pfn, 0, 100, DMA_FROM_DEVICE)
      devicePuts(system, narrow(), handle, Array<number>(200).fill(7))
      const before = system.printk.records.length
      swiotlb_sync_single_for_cpu(system.dma, narrow(), POOL + 4096, 100, DMA_FROM_DEVICE)
      expect(complaints(system, before)).toEqual([])
      dma_sync_single_for_cpu(system.dma, narrow(), handle, 150, DMA_FROM_DEVICE)
      expect([99, 100].map((at) => cpuSees(system, va + at)[0])).toEqual([7, 0])
      expect(complaints(system, before)[0]).toBe(
        'sample narrow: Buffer overflow detected. Allocation size: 100. Mapping size: 150.',
      )
    }
  })

  test('6.1 refuses an address before the data; 6.12 counts back from it', () => {
    const system = withBounce(128, { kernel: '6.1.192' })
    const dev = narrow({ min_align_mask: 4095 })
    const handle = dma_map_page(system.dma, dev, HIGH, 0x100, 4096, DMA_FROM_DEVICE)
    dma_sync_single_for_cpu(system.dma, dev, handle + 2048 - 0x40, 64, DMA_FROM_DEVICE)
    expect(complaints(system).filter((line) => line.includes('detected'))).toEqual([
      'sample narrow: Access before mapping start detected. orig offset 256, requested offset 192.',
    ])
    const later = withBounce(128)
    const { pfn, va } = pages(later, 1)
    const there = dma_map_page(later.dma, dev, pfn, 0x100, 4096, DMA_FROM_DEVICE)
    devicePuts(later, dev, there + 2048 - 0x40, [7])
    dma_sync_single_for_cpu(later.dma, dev, there + 2048 - 0x40, 64, DMA_FROM_DEVICE)
    expect(cpuSees(later, va + 0x100 + 2048 - 0x40)).toEqual([7])
  })

  test('4.x frees as many slots as the caller says', () => {
    const system = withBounce(128, { kernel: '4.12.4' })
    const handle = dma_map_page(system.dma, narrow(), HIGH, 0, 8192, DMA_TO_DEVICE)
    dma_unmap_page(system.dma, narrow(), handle, 4096, DMA_TO_DEVICE)
    expect(mem_used(system.dma.swiotlb)).toBe(2)
    const now = withBounce(128)
    const there = dma_map_page(now.dma, narrow(), HIGH, 0, 8192, DMA_TO_DEVICE)
    dma_unmap_page(now.dma, narrow(), there, 4096, DMA_TO_DEVICE)
    expect(mem_used(now.dma.swiotlb)).toBe(0)
  })

  test('no bounce buffer at all: active is false, and no address lies in one', () => {
    const { dma } = withBounce(0)
    expect([is_swiotlb_active(dma), swiotlb_find_pool(dma.swiotlb, POOL)]).toEqual([false, null])
    expect(
      [POOL - 1, POOL, POOL + PAGE].map((pa) => swiotlb_find_pool(withBounce(2).dma.swiotlb, pa) !== null),
    ).toEqual([false, true, false])
  })
})

describe('a device of 28 bits, as QEMU’s edu, from boot on', () => {
  test.each(NOW)('RAM at 0, a bus of 256 MiB: its mask is taken and its data bounce [%s]', (kernel) => {
    const system = start({ kernel, ram: [0, 0x4000_0000], hardware: { dmaRangesLast: 0x0fff_ffff } })
    const edu = device('edu')
    expect(dma_set_mask(system.dma, edu, DMA_BIT_MASK(28))).toBe(0)
    const va = __va(system.kernelMap, 0x3000_0000)
    cpuPuts(system, va, [1, 2, 3])
    const handle = dma_map_single(system.dma, edu, va, 4096, DMA_BIDIRECTIONAL)
    expect(dma_mapping_error(system.dma, edu, handle)).toBe(0)
    expect(handle + 4095).toBeLessThan(2 ** 28)
    expect(deviceSees(system, edu, handle, 3)).toEqual([1, 2, 3])
    devicePuts(system, edu, handle, [4, 5, 6])
    dma_unmap_single(system.dma, edu, handle, 4096, DMA_BIDIRECTIONAL)
    expect([cpuSees(system, va, 3), mem_used(system.dma.swiotlb)]).toEqual([[4, 5, 6], 0])
  })

  test.each(NOW)('QEMU virt, RAM at 0x40000000: no mask of 28 bits, -EIO, and no mapping [%s]', (kernel) => {
    const system = start({ kernel, ram: [0x4000_0000, 0x2_0000_0000] })
    const edu = device('edu')
    expect(dma_set_mask(system.dma, edu, DMA_BIT_MASK(28))).toBe(-EIO)
    expect(edu.dma_mask).toBe(0xffff_ffff)
    // A driver that does not look gets addresses that its device cannot drive: the kernel believes the old mask.
    expect(dma_map_page(system.dma, edu, 0x5_0000, 0, 4096, DMA_TO_DEVICE)).toBe(0x5000_0000)
    edu.dma_mask = DMA_BIT_MASK(28)
    expect(dma_map_page(system.dma, edu, 0x5_0000, 0, 4096, DMA_TO_DEVICE)).toBe(ERROR)
  })

  test('4.12 arm64: -EIO unless the whole bounce buffer is reached', () => {
    const { dma } = withBounce(128, { kernel: '4.12.4' })
    expect(dma_set_mask(dma, device(), DMA_BIT_MASK(28))).toBe(-EIO)
    expect(dma_set_mask(dma, device(), POOL + 256 * 1024 - 1)).toBe(0)
    expect(dma_set_mask(withBounce(0, { kernel: '4.12.4' }).dma, device(), DMA_BIT_MASK(28))).toBe(0)
  })
})
