// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { DMA_BIDIRECTIONAL } from '../../code/arch/dma_direction.ts'
import {
  dma_alloc_attrs,
  dma_alloc_coherent,
  dma_alloc_wc,
  dma_free_coherent,
  dma_free_wc,
} from '../../code/dma/mapping.ts'
import { DMA_ATTR_NO_WARN, DMA_ATTR_WRITE_COMBINE } from '../../code/dma/dma_state.ts'
import { KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import { GFP_ATOMIC, GFP_KERNEL, __GFP_COMP, __GFP_NOWARN } from '../../code/mm/gfp.ts'
import { complaints, device, freePages, NOW, PAGE, poolBits, start, usedOf, withPool } from './dma_system.ts'

const arm = { arch: 'arm', cmdline: 'cma=16M' } as const

describe('dma_alloc_attrs()', () => {
  test.each(KERNEL_VERSIONS)('0 bytes are no memory, for whoever asks [%s]', (kernel) => {
    for (const arch of ['arm', 'arm64'] as const) {
      if (arch === 'arm64' && kernel.startsWith('3')) continue
      const system = start({ kernel, arch, ram: [GiB(1), MiB(512)], cmdline: 'cma=16M' })
      const before = [freePages(system), usedOf(system)]
      for (const dma_coherent of [false, true]) {
        for (const gfp of [GFP_KERNEL, GFP_ATOMIC]) {
          expect(dma_alloc_coherent(system.dma, device('d', { dma_coherent }), 0, gfp)).toBeNull()
        }
      }
      expect([freePages(system), usedOf(system)]).toEqual(before)
    }
  })

  test.each(NOW)('MC-6.12: without device 6.x oopses: the model throws [%s]', (kernel) => {
    const { dma } = start({ kernel })
    expect(() => dma_alloc_coherent(dma, null, PAGE, GFP_KERNEL)).toThrow(
      'dma_alloc_attrs: got no device, expected one; Linux 6.x dereferences it at once (oops)',
    )
    expect(() => dma_free_coherent(dma, null, PAGE, 0x1000, 0)).toThrow('dma_free_attrs: got no device')
  })

  test.each(['3.5', '3.9', '4.12.4'] as const)('MC-6.12: arm of old does without a device [%s]', (kernel) => {
    const system = start({ kernel, ...arm })
    const buffer = dma_alloc_coherent(system.dma, null, PAGE, GFP_KERNEL)!
    const { base, size } = system.cma[0]!
    expect(buffer.dma_handle >= base && buffer.dma_handle < base + size).toBe(true)
    const free = freePages(system)
    dma_free_coherent(system.dma, null, PAGE, buffer.cpu_addr, buffer.dma_handle)
    expect(freePages(system) - free).toBe(1)
  })

  test('arm64 4.x has no memory for nobody', () => {
    const { dma } = start({ kernel: '4.12.4' })
    expect(dma_alloc_coherent(dma, null, PAGE, GFP_KERNEL)).toBeNull()
  })

  test('6.12 refuses compound pages with one warning, 6.1 takes the flag', () => {
    const got = NOW.map((kernel) => {
      const system = start({ kernel })
      const buffers = [1, 2].map(() =>
        dma_alloc_attrs(system.dma, device(), PAGE, GFP_KERNEL | __GFP_COMP, 0),
      )
      return [buffers.map((buffer) => buffer !== null), complaints(system).length]
    })
    expect(got).toEqual([
      [[true, true], 0],
      [[false, false], 1],
    ])
  })

  test.each(NOW)('no line in the log for who wants none: __GFP_NOWARN, DMA_ATTR_NO_WARN [%s]', (kernel) => {
    const lines = (gfp: number, attrs: number) => {
      const system = start({ kernel, cmdline: 'cma=4M' })
      expect(dma_alloc_attrs(system.dma, device(), MiB(8), gfp, attrs)).toBeNull()
      return complaints(system)
    }
    expect(lines(GFP_KERNEL, DMA_ATTR_NO_WARN)).toEqual([])
    expect(lines(GFP_KERNEL | __GFP_NOWARN, 0)).toEqual([])
    expect(lines(GFP_KERNEL, 0).length).toBeGreaterThan(0)
  })
})

describe('dma_free_attrs()', () => {
  const warned = (kernel: KernelVersion, pooled: boolean, arch: 'arm' | 'arm64' = 'arm64') => {
    const { system, dev } = withPool(4, { kernel, arch, cmdline: 'cma=16M' })
    const { dma } = system
    const target = pooled ? dev : device()
    const free = freePages(system)
    const buffer = dma_alloc_coherent(dma, target, PAGE, GFP_KERNEL)!
    dma.irqsDisabled = true
    const lines = system.printk.records.length
    dma_free_coherent(dma, target, PAGE, buffer.cpu_addr, buffer.dma_handle)
    expect([poolBits(dev), freePages(system)]).toEqual([[], free])
    return complaints(system, lines)
  }

  test.each(NOW)(
    'MC-6.10, S0-11: with interrupts off it warns and frees; a pool’s buffer is no matter [%s]',
    (kernel) => {
      expect(warned(kernel, false)).toEqual(['WARNING: at kernel/dma/mapping.c dma_free_attrs'])
      expect(warned(kernel, true)).toEqual([])
    },
  )

  test('MC-6.10, S0-11: 4.12.4 warns before it looks at the pool', () => {
    for (const arch of ['arm', 'arm64'] as const) {
      const line = ['WARNING: at include/linux/dma-mapping.h dma_free_attrs']
      expect([warned('4.12.4', false, arch), warned('4.12.4', true, arch)]).toEqual([line, line])
    }
  })

  test.each(NOW)(
    '6.x: no address is nothing to free, and a warning each time interrupts are off [%s]',
    (kernel) => {
      const system = start({ kernel })
      system.dma.irqsDisabled = true
      for (let i = 0; i < 2; i++) dma_free_coherent(system.dma, device(), PAGE, null, 0)
      expect(complaints(system).length).toBe(2)
    },
  )

  test.each(KERNEL_VERSIONS)('gives back all that was taken, write-combined or not [%s]', (kernel) => {
    for (const arch of kernel === '3.5' || kernel === '3.9'
      ? (['arm'] as const)
      : (['arm', 'arm64'] as const)) {
      const system = start({ kernel, arch, cmdline: 'cma=16M' })
      const { dma } = system
      const before = [freePages(system), system.kernelMap.areas.length, system.kernelMap.linearTypes.size]
      for (const size of [1, PAGE, 3 * PAGE, MiB(1) + 5]) {
        const plain = dma_alloc_coherent(dma, device(), size, GFP_KERNEL)!
        const wc = dma_alloc_wc(dma, device(), size, GFP_KERNEL)!
        dma_free_coherent(dma, device(), size, plain.cpu_addr, plain.dma_handle)
        dma_free_wc(dma, device(), size, wc.cpu_addr, wc.dma_handle)
      }
      expect([freePages(system), system.kernelMap.areas.length, system.kernelMap.linearTypes.size]).toEqual(
        before,
      )
      expect(complaints(system)).toEqual([])
    }
  })
})

describe('trace', () => {
  test('6.12 has events for buffers, failures among them; 6.1 has none', () => {
    const events = NOW.map((kernel) => {
      const { system, dev } = withPool(4, { kernel })
      const { dma, trace } = system
      trace.enabled = true
      const buffer = dma_alloc_wc(dma, dev, PAGE, GFP_KERNEL)!
      dma_alloc_coherent(dma, dev, MiB(1), GFP_KERNEL)
      dma_free_wc(dma, dev, PAGE, buffer.cpu_addr, buffer.dma_handle)
      const other = dma_alloc_coherent(dma, device('dev0'), PAGE, GFP_KERNEL)!
      dma_free_coherent(dma, device('dev0'), PAGE, other.cpu_addr, other.dma_handle)
      return trace.records.filter(({ event }) => event.startsWith('dma_'))
    })
    expect(events[0]).toEqual([])
    expect(events[1]!.map(({ event, fields }) => [event, fields['device'], fields['size']])).toEqual([
      ['dma_alloc', 'client', PAGE],
      ['dma_alloc', 'client', MiB(1)],
      ['dma_alloc', 'dev0', PAGE],
      ['dma_free', 'dev0', PAGE],
    ])
    expect(events[1]![0]!.fields).toMatchObject({
      ...{ dir: DMA_BIDIRECTIONAL, dma_addr: 0x5000_0000, attrs: DMA_ATTR_WRITE_COMBINE, flags: GFP_KERNEL },
    })
    expect(events[1]![1]!.fields).toMatchObject({ virt_addr: 0, dma_addr: 0 })
  })
})
