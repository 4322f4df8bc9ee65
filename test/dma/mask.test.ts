// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { DMA_BIT_MASK } from '../../code/dma/dma_address.ts'
import {
  dma_coerce_mask_and_coherent,
  dma_get_required_mask,
  dma_set_coherent_mask,
  dma_set_mask,
  dma_set_mask_and_coherent,
  dma_supported,
} from '../../code/dma/mask.ts'
import { EIO } from '../../code/lib/errno.ts'
import { GiB } from '../../code/lib/units.ts'
import { device, NOW, start } from './dma_system.ts'

describe('dma_set_coherent_mask()', () => {
  test.each(NOW)('TV-24: 20 bits with RAM at 0x40000000 is -EIO, and the mask stays [%s]', (kernel) => {
    const { dma } = start({ kernel })
    const dev = device()
    expect(dma_set_coherent_mask(dma, dev, DMA_BIT_MASK(20))).toBe(-EIO)
    expect(dev.coherent_dma_mask).toBe(0xffff_ffff)
  })

  test.each(NOW)(
    'fewer than 32 bits must reach the end of RAM, or of ZONE_DMA if that is lower [%s]',
    (kernel) => {
      const small = start({ kernel }).dma
      expect([30, 31].map((bits) => dma_set_coherent_mask(small, device(), DMA_BIT_MASK(bits)))).toEqual([
        -EIO,
        0,
      ])
      const pi = start({ kernel, ram: [0, GiB(4)], hardware: { dmaRangesLast: 0x3fff_ffff } }).dma
      expect([29, 30].map((bits) => dma_set_coherent_mask(pi, device(), DMA_BIT_MASK(bits)))).toEqual([
        -EIO,
        0,
      ])
      const big = start({ kernel, ram: [GiB(1), GiB(6)] }).dma
      expect([31, 32].map((bits) => dma_set_coherent_mask(big, device(), DMA_BIT_MASK(bits)))).toEqual([
        -EIO,
        0,
      ])
    },
  )

  test('6.x cuts a mask to the width of dma_addr_t', () => {
    const { dma } = start({ arch: 'arm' })
    const dev = device()
    expect(dma_set_coherent_mask(dma, dev, DMA_BIT_MASK(64))).toBe(0)
    expect(dev.coherent_dma_mask).toBe(0xffff_ffff)
  })
})

describe('dma_set_mask()', () => {
  test('a device without such a mask has none to set: -EIO; dma_coerce_mask_and_coherent() gives it one', () => {
    const { dma } = start()
    const misc = device('misc', { coherent_dma_mask: 0, dma_mask: null })
    expect(dma_set_mask(dma, misc, DMA_BIT_MASK(32))).toBe(-EIO)
    expect(dma_set_mask_and_coherent(dma, misc, DMA_BIT_MASK(32))).toBe(-EIO)
    expect(misc.coherent_dma_mask).toBe(0)
    expect(dma_coerce_mask_and_coherent(dma, misc, DMA_BIT_MASK(32))).toBe(0)
    expect([misc.dma_mask, misc.coherent_dma_mask]).toEqual([0xffff_ffff, 0xffff_ffff])
  })
})

describe('dma_supported()', () => {
  test('by kernel and architecture', () => {
    const bits = (dma: ReturnType<typeof start>['dma']) =>
      [20, 29, 30, 31, 32, 64].filter((n) => dma_supported(dma, device(), DMA_BIT_MASK(n)))
    expect(bits(start({ kernel: '4.12.4' }).dma)).toEqual([20, 29, 30, 31, 32, 64])
    expect(bits(start({ kernel: '3.9', arch: 'arm' }).dma)).toEqual([32, 64])
    expect(bits(start({ kernel: '4.12.4', arch: 'arm' }).dma)).toEqual([32, 64])
    const zone = {
      kernel: '4.12.4',
      arch: 'arm',
      ram: [0, GiB(1)],
      hardware: { dma_zone_size: 2 ** 29 },
    } as const
    expect(bits(start(zone).dma)).toEqual([29, 30, 31, 32, 64])
  })
})

describe('dma_get_required_mask()', () => {
  test('covers the last page of RAM on the bus of the device', () => {
    const { dma } = start()
    expect(dma_get_required_mask(dma, device())).toBe(DMA_BIT_MASK(31))
    const moved = device('d', { dma_range_map: [{ cpu_start: 0x4000_0000, dma_start: 0, size: GiB(1) }] })
    expect(dma_get_required_mask(dma, moved)).toBe(DMA_BIT_MASK(30))
  })
})
