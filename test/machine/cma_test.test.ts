// SPDX-License-Identifier: MIT
//
// The book's own cma_test on the model: what the real module answers on real kernels (chapters/11-cma-alloc/lab.yaml).
import { describe, expect, test } from 'vitest'
import { EINVAL, EIO, ENODEV, ENOENT, ENOMEM, ENOSPC } from '../../code/lib/errno.ts'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import { MiB } from '../../code/lib/units.ts'
import { kernelWrite } from '../../code/arch/kernel_map.ts'
import {
  probeCmaTest,
  readCmaTest,
  removeCmaTest,
  writeCmaTest,
  type CmaTest,
  type CmaTestParameters,
} from '../../code/machine/cma_test.ts'
import { cma_used_get } from '../../code/mm/cma_debug.ts'
import { NOW, PAGE, start } from '../dma/dma_system.ts'

function load(kernel: KernelVersion, cmdline: string, parameters?: CmaTestParameters, arch: Arch = 'arm64') {
  const system = start({ kernel, arch, cmdline })
  const device = probeCmaTest(system.dma, parameters)
  if (typeof device === 'number') throw new Error(`probe: ${device}`)
  const area = system.cma[0]
  const where = ({ buffer }: CmaTest['slots'][number]) => {
    if (!buffer) return null
    const inside = area && buffer.dma_handle >= area.base && buffer.dma_handle < area.base + area.size
    return inside ? (buffer.dma_handle - area.base) / PAGE : 'outside'
  }
  return {
    system,
    device,
    bits: () => device.slots.map(where),
    used: () => (area ? cma_used_get(area) : 0),
    write: (times: number) => Array.from({ length: times }, () => writeCmaTest(device)),
    read: (times: number) => Array.from({ length: times }, () => readCmaTest(device)),
    counts: () => [device.allocated, device.freed, device.failed, device.spoiled, device.held / MiB(1)],
  }
}
const FIVE = [256, 512, 1024, 1792, 2816, null, null, null, null, null]
const TEN = [256, 512, 1024, 1792, 2816, 4096, 5632, 7424, 9472, 11776]

describe.each(NOW)('cma_test on %s', (kernel) => {
  test('TV-1, MC-14.2: ten writes into 16 MiB: five buffers, then -ENOMEM five times for the same size', () => {
    const { write, bits, counts, system } = load(kernel, 'cma=16M')
    const { vm_event } = system.pgdat
    const refused = vm_event.cma_alloc_fail
    expect(write(10)).toEqual([1, 1, 1, 1, 1, ...Array<number>(5).fill(-ENOMEM)])
    expect(bits()).toEqual(FIVE)
    expect(counts()).toEqual([5, 0, 5, 0, 15])
    expect(vm_event.cma_alloc_fail - refused).toBe(5)
    const said = system.printk.lines.filter((line) => line.includes('no memory for'))
    expect(said).toEqual(Array<string>(5).fill('cma_test cma_test: no memory for 6144 KiB'))
  })

  test('TV-2, MC-14.2: ten writes into 64 MiB fill every slot; the eleventh is -ENOSPC and asks for nothing', () => {
    const { write, bits, counts, system } = load(kernel, 'cma=64M')
    expect(write(10)).toEqual(Array<number>(10).fill(1))
    expect(bits()).toEqual(TEN)
    const { cma_alloc_success, cma_alloc_fail } = system.pgdat.vm_event
    expect(write(1)).toEqual([-ENOSPC])
    expect([bits(), counts()]).toEqual([TEN, [10, 0, 0, 0, 55]])
    expect(system.pgdat.vm_event).toMatchObject({ cma_alloc_success, cma_alloc_fail })
  })

  test('TV-48, MC-14.2: two reads free the lowest two slots, two writes take the same places again', () => {
    const { write, read, bits } = load(kernel, 'cma=16M')
    write(5)
    expect(read(2)).toEqual([0, 0])
    expect(bits().slice(0, 3)).toEqual([null, null, 1024])
    expect(write(2)).toEqual([1, 1])
    expect(bits()).toEqual(FIVE)
  })

  test('MC-14.2: unloading gives everything back: `used` is what it was', () => {
    const { write, used, device, bits, system } = load(kernel, 'cma=64M')
    const before = used()
    write(7)
    expect(used()).toBe(before + (28 * MiB(1)) / PAGE)
    removeCmaTest(device)
    expect([used(), device.held, device.spoiled]).toEqual([before, 0, 0])
    expect(bits()).toEqual(Array<null>(10).fill(null))
    const again = probeCmaTest(system.dma) as CmaTest
    expect(writeCmaTest(again)).toBe(1)
    expect((again.slots[0]!.buffer!.dma_handle - system.cma[0]!.base) / PAGE).toBe(256)
  })

  test('reads of nothing are -ENOENT; no bytes do nothing', () => {
    const { read, write, device, counts } = load(kernel, 'cma=16M')
    expect(read(1)).toEqual([-ENOENT])
    expect([writeCmaTest(device, 0), readCmaTest(device, 0)]).toEqual([0, 0])
    expect(counts()).toEqual([0, 0, 0, 0, 0])
    write(1)
    expect(readCmaTest(device, 0)).toBe(0)
    expect(counts()).toEqual([1, 0, 0, 0, 1])
  })

  test('when the area has no place, the buddy allocator serves up to its largest block', () => {
    const { write, bits, counts } = load(kernel, 'cma=16M', { sizes: [1, 2, 3, 4, 5, 3, 6] })
    expect(write(7)).toEqual([1, 1, 1, 1, 1, 1, -ENOMEM])
    expect(bits()).toEqual([256, 512, 1024, 1792, 2816, 'outside', null])
    expect(counts()).toEqual([6, 0, 1, 0, 18])
  })

  test('without an area the buddy allocator serves 1 to 4 MiB', () => {
    const { write } = load(kernel, 'cma=0')
    expect(write(6)).toEqual([1, 1, 1, 1, -ENOMEM, -ENOMEM])
  })

  test('notices who writes into a buffer: freed, and -EIO', () => {
    const { write, read, device, system, counts, used } = load(kernel, 'cma=16M')
    const before = used()
    write(2)
    const { cpu_addr } = device.slots[1]!.buffer!
    kernelWrite(system.kernelMap, cpu_addr + 3 * PAGE, new Uint8Array(8))
    expect(read(2)).toEqual([0, -EIO])
    expect([counts(), used()]).toEqual([[2, 2, 0, 1, 0], before])
    expect(system.printk.lines).toContain('cma_test cma_test: slot 1: somebody wrote at offset 0x3000')
  })

  test('refuses parameters out of range, and a device that reaches no memory', () => {
    const { dma, printk } = start({ kernel })
    const wrong: CmaTestParameters[] = [
      { sizes: [] },
      { sizes: [0] },
      { sizes: [1025] },
      { sizes: Array<number>(11).fill(1) },
      { dma_bits: 0 },
      { dma_bits: 65 },
    ]
    for (const parameters of wrong) expect(probeCmaTest(dma, parameters)).toBe(-EINVAL)
    expect(probeCmaTest(dma, { dma_bits: 20 })).toBe(-ENODEV)
    expect(printk.lines).toContain('cma_test cma_test: error -EIO: no DMA with 20 address bits')
  })
})

describe('cma_test on arm', () => {
  test('MC-14.2: only CMA serves: when it is full every size fails', () => {
    const cmdline = 'cma=16M coherent_pool=384K'
    const { write, bits } = load('6.12.117', cmdline, { sizes: [1, 2, 3, 4, 5, 3] }, 'arm')
    expect(write(6)).toEqual([1, 1, 1, 1, 1, -ENOMEM])
    expect(bits()).toEqual([256, 512, 1024, 1792, 2816, null])
  })
})
