// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EBUSY, EINVAL, ENODEV } from '../../code/lib/errno.ts'
import { RESERVED_MEMORY_KERNELS, kernelAtLeast, type KernelVersion } from '../../code/lib/kernel_version.ts'
import type { Machine } from '../../code/machine/boot.ts'
import { createDevice, type Device } from '../../code/of/reserved_mem.ts'
import {
  of_reserved_mem_device_init,
  of_reserved_mem_device_init_by_idx,
  of_reserved_mem_device_init_by_name,
  of_reserved_mem_device_release,
  of_reserved_mem_lookup,
} from '../../code/of/reserved_mem_device.ts'
import { findNode } from '../../code/of/tree.ts'
import { bare, board, RAM_1G, shippedTree } from '../machine/board.ts'

const NOW = ['6.1.192', '6.12.117'] as const
const boot = (kernel: KernelVersion) => bare({ kernel, tree: shippedTree('gallery') })
const client = (machine: Machine, name: string): Device =>
  createDevice(`sample ${name}`, findNode(machine.tree, `/${name}`))

describe('of_reserved_mem_device_init()', () => {
  test.each(NOW)('TV-17: pool twice, mapped pool, no driver, CMA twice, disabled, none [%s]', (kernel) => {
    const machine = boot(kernel)
    const results = ['nomap', 'mapped', 'plain', 'cma', 'off', 'none'].map((what) => {
      const dev = client(machine, `client-${what}`)
      return [0, 1].map(() => of_reserved_mem_device_init(machine.reserved_mem, dev))
    })
    expect(results).toEqual([
      [0, -EBUSY],
      [-EINVAL, -EINVAL],
      [-EINVAL, -EINVAL],
      [0, 0],
      [0, 0],
      [-ENODEV, -ENODEV],
    ])
    const assigned = machine.log.filter((line) => line.includes('assigned'))
    expect(assigned).toEqual([
      'sample client-nomap: assigned reserved memory node buffer@50000000',
      'sample client-cma: assigned reserved memory node cma@56000000',
      'sample client-cma: assigned reserved memory node cma@56000000',
    ])
    expect(machine.log).toContain('memremap attempted on ram 0x0000000052000000 size: 0x1000000')
  })

  test.each(RESERVED_MEMORY_KERNELS)('MC-5.7: a second attach is -EBUSY in 6.x, 0 in 4.x [%s]', (kernel) => {
    const machine = boot(kernel)
    const dev = client(machine, 'client-nomap')
    expect(of_reserved_mem_device_init(machine.reserved_mem, dev)).toBe(0)
    const pool = dev.dma_mem
    const again = of_reserved_mem_device_init(machine.reserved_mem, dev)
    expect(again).toBe(kernelAtLeast(kernel, '6.1.192') ? -EBUSY : 0)
    expect(dev.dma_mem).toBe(pool)
  })

  test('4.x: a mapped pool is -ENODEV with a line, a disabled region -EINVAL', () => {
    const machine = boot('4.12.4')
    expect(of_reserved_mem_device_init(machine.reserved_mem, client(machine, 'client-mapped'))).toBe(-ENODEV)
    expect(machine.log.at(-1)).toBe(
      'Reserved memory: failed to init DMA memory pool at 0x0000000052000000, size 16 MiB',
    )
    expect(of_reserved_mem_device_init(machine.reserved_mem, client(machine, 'client-off'))).toBe(-EINVAL)
  })

  test('MC-5.10: a failed attach leaves nothing, and release has nothing to undo', () => {
    const machine = boot('6.12.117')
    const dev = client(machine, 'client-mapped')
    of_reserved_mem_device_init(machine.reserved_mem, dev)
    expect([dev.dma_mem, dev.cma_area, machine.reserved_mem.assigned.length]).toEqual([null, null, 0])
    of_reserved_mem_device_release(machine.reserved_mem, dev)
    expect(dev.dma_mem).toBeNull()
  })

  test('MC-5.10: after release the pool is still the region’s, for the next device', () => {
    const machine = boot('6.12.117')
    const [first, second] = [client(machine, 'client-nomap'), client(machine, 'client-nomap')]
    of_reserved_mem_device_init(machine.reserved_mem, first)
    const pool = first.dma_mem
    of_reserved_mem_device_release(machine.reserved_mem, first)
    expect(first.dma_mem).toBeNull()
    of_reserved_mem_device_init(machine.reserved_mem, second)
    expect(second.dma_mem).toBe(pool)
  })

  test('S3-9: two devices may share one pool', () => {
    const machine = boot('6.1.192')
    const devices = [client(machine, 'client-nomap'), client(machine, 'client-nomap')]
    for (const dev of devices) expect(of_reserved_mem_device_init(machine.reserved_mem, dev)).toBe(0)
    expect(devices[0]!.dma_mem).toBe(devices[1]!.dma_mem)
  })

  test('S0-8: a pool beyond the device’s mask is given with a warning; 4.x gives it without', () => {
    const warned = (kernel: KernelVersion) => {
      const machine = boot(kernel)
      const dev = createDevice('sample low', findNode(machine.tree, '/client-nomap'), 0x4fff_ffff)
      expect(of_reserved_mem_device_init(machine.reserved_mem, dev)).toBe(0)
      return machine.log.includes("sample low: reserved memory is beyond device's set DMA address range")
    }
    expect([warned('4.12.4'), warned('6.1.192'), warned('6.12.117')]).toEqual([false, true, true])
  })

  test.each(RESERVED_MEMORY_KERNELS)(
    'a pool that cannot be mapped is refused: unaligned, or swapped cells [%s]',
    (kernel) => {
      const attach = (reg: string) => {
        const pool = `p: p { compatible = "shared-dma-pool"; no-map; reg = <${reg}>; };`
        const machine = bare({ kernel, tree: board(RAM_1G, pool, 'client { memory-region = <&p>; };') })
        const dev = client(machine, 'client')
        return [of_reserved_mem_device_init(machine.reserved_mem, dev), dev.dma_mem]
      }
      const error = kernelAtLeast(kernel, '6.1.192') ? -EINVAL : -ENODEV
      expect(attach('0 0x50000800 0 0x100000')).toEqual([error, null])
      expect(attach('0xc0000000 0 0x20000000 0')).toEqual([error, null])
      expect(attach('0 0x50000000 0 0x100000')[0]).toBe(0)
    },
  )

  test('a device that said nothing of its reach is warned for, as Linux has it', () => {
    const machine = boot('6.12.117')
    const dev = createDevice('sample mute', findNode(machine.tree, '/client-nomap'), 0)
    of_reserved_mem_device_init(machine.reserved_mem, dev)
    expect(machine.log.join()).toContain(
      "sample mute: reserved memory is beyond device's set DMA address range",
    )
  })

  test('misuse and missing entries: -EINVAL, -ENODEV', () => {
    const machine = boot('6.1.192')
    const dev = client(machine, 'client-nomap')
    expect(of_reserved_mem_device_init_by_idx(machine.reserved_mem, null, dev.of_node, 0)).toBe(-EINVAL)
    expect(of_reserved_mem_device_init(machine.reserved_mem, createDevice('x', null))).toBe(-EINVAL)
    expect(of_reserved_mem_device_init_by_idx(machine.reserved_mem, dev, dev.of_node, 1)).toBe(-ENODEV)
    expect(of_reserved_mem_device_init_by_name(machine.reserved_mem, dev, dev.of_node!, 'nope')).toBe(-ENODEV)
  })

  test('of_reserved_mem_lookup() finds a region without attaching it', () => {
    const machine = boot('6.12.117')
    const node = findNode(machine.tree, '/reserved-memory/two@5e000000')!
    expect(of_reserved_mem_lookup(machine.reserved_mem, node)).toMatchObject({
      base: 0x5e00_0000,
      size: 0x10_0000,
    })
  })
})
