// SPDX-License-Identifier: MIT
//
// The module that was posted with the CMA patches in 2012, as a driver of the model: a write gets a buffer for the lowest
// empty slot, a read gives the lowest one back.
import { describe, expect, test } from 'vitest'
import { dma_alloc_coherent, dma_free_coherent } from '../../code/dma/mapping.ts'
import type { DmaBuffer } from '../../code/dma/dma_state.ts'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import { MiB } from '../../code/lib/units.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import type { System } from '../../code/machine/system.ts'
import { complaints, device, NOW, PAGE, start } from './dma_system.ts'

function cmaTest(system: System) {
  const dev = device('cma_test')
  const slots: (DmaBuffer | null)[] = Array<null>(10).fill(null)
  const { base } = system.cma[0]!
  return {
    slots,
    write: () => {
      const i = slots.indexOf(null)
      if (i >= 0) slots[i] = dma_alloc_coherent(system.dma, dev, MiB(i + 1), GFP_KERNEL)
    },
    read: () => {
      const i = slots.findIndex((slot) => slot !== null)
      if (i < 0) return
      dma_free_coherent(system.dma, dev, MiB(i + 1), slots[i]!.cpu_addr, slots[i]!.dma_handle)
      slots[i] = null
    },
    bits: () => slots.map((slot) => slot && (slot.dma_handle - base) / PAGE),
  }
}

const times = (n: number, what: () => void) => {
  for (let i = 0; i < n; i++) what()
}
// Ten requests of 1 to 10 MiB, kept.
function ten(kernel: KernelVersion, arch: Arch, cmdline: string) {
  const system = start({ kernel, arch, cmdline })
  const { base, size } = system.cma[0]!
  const bits = Array.from({ length: 10 }, (_, i) => {
    const buffer = dma_alloc_coherent(system.dma, device(), MiB(i + 1), GFP_KERNEL)
    const inside = buffer && buffer.dma_handle >= base && buffer.dma_handle < base + size
    return inside ? (buffer.dma_handle - base) / PAGE : null
  })
  return { system, bits }
}

describe('cma_test', () => {
  test('TV-48, MC-14.1: ten writes, two reads, two writes', () => {
    // 384 KiB of atomic pool: 96 pages are taken when the module comes.
    const system = start({ kernel: '6.12.117', arch: 'arm', cmdline: 'cma=16M coherent_pool=384K' })
    const { write, read, bits } = cmaTest(system)
    const { vm_event } = system.pgdat
    const [ok, failed] = [vm_event.cma_alloc_success, vm_event.cma_alloc_fail]
    times(10, write)
    expect(bits()).toEqual([256, 512, 1024, 1792, 2816, null, null, null, null, null])
    expect([vm_event.cma_alloc_success - ok, vm_event.cma_alloc_fail - failed]).toEqual([5, 5])
    const lines = complaints(system).filter((line) => line.includes('alloc failed'))
    expect(lines).toEqual(
      Array<string>(5).fill('cma: __cma_alloc: reserved: alloc failed, req-size: 1536 pages, ret: -12'),
    )
    times(2, read)
    expect(bits().slice(0, 3)).toEqual([null, null, 1024])
    times(2, write)
    expect(bits().slice(0, 2)).toEqual([256, 512])
  })

  test('MC-14.1: with 64 MiB all ten; the eleventh write does nothing', () => {
    const system = start({ kernel: '6.12.117', arch: 'arm', cmdline: 'cma=64M coherent_pool=384K' })
    const { write, bits } = cmaTest(system)
    times(10, write)
    const before = bits()
    expect(before).toEqual([256, 512, 1024, 1792, 2816, 4096, 5632, 7424, 9472, 11776])
    write()
    expect(bits()).toEqual(before)
  })
})

describe('dma_alloc_coherent() ten times', () => {
  test.each(NOW)(
    'MC-2.12: 16 MiB, 96 pages taken by the atomic pools, the rest from elsewhere or nowhere [%s]',
    (kernel) => {
      const { system, bits } = ten(kernel, 'arm64', 'cma=16M')
      expect(bits).toEqual([256, 512, 1024, 1792, 2816, null, null, null, null, null])
      const dump = 'cma: number of available pages: 160@96=> 160 free of 4096 total pages'
      expect(system.printk.lines.includes(dump)).toBe(kernel === '6.12.117')
    },
  )

  test.each(NOW)('MC-2.12: 64 MiB holds all of them [%s]', (kernel) => {
    expect(ten(kernel, 'arm64', 'cma=64M').bits).toEqual([
      256, 512, 1024, 1792, 2816, 4096, 5632, 7424, 9472, 11776,
    ])
  })

  test('MC-2.12: arm with its pool of 64 pages: 32 MiB hold seven', () => {
    const { bits } = ten('6.12.117', 'arm', 'cma=32M')
    expect(bits.slice(4)).toEqual([2816, 4096, 5632, null, null, null])
  })
})
