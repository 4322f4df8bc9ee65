// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EINVAL, ENODEV } from '../../code/lib/errno.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { dma_to_phys, phys_to_dma } from '../../code/dma/dma_address.ts'
import { of_dma_configure, of_dma_get_max_cpu_address, of_dma_get_range } from '../../code/of/device.ts'
import { createDevice } from '../../code/of/reserved_mem.ts'
import { findNode } from '../../code/of/tree.ts'
import { board, RAM_1G } from '../machine/board.ts'

const NOW = '6.12.117'

function configured(kernel: KernelVersion, ranges: string, inside = '', bus = '') {
  const soc = `soc { #address-cells = <1>; #size-cells = <1>; ranges; ${ranges} ${bus} dev { ${inside} }; };`
  const dev = createDevice('sample dev', findNode(board(RAM_1G, '', soc), '/soc/dev'))
  return { ret: of_dma_configure(kernel, dev), dev }
}

describe('of_dma_configure()', () => {
  test('without dma-ranges leaves 32 bits, no limit, and one number on both sides of the bus (S0-9)', () => {
    const { ret, dev } = configured(NOW, '')
    expect([ret, dev.coherent_dma_mask, dev.dma_mask, dev.bus_dma_limit, dev.dma_range_map]).toEqual([
      ...[0, 0xffff_ffff, 0xffff_ffff, 0, null],
    ])
    expect(phys_to_dma(NOW, dev, 0x5000_0000)).toBe(0x5000_0000)
  })

  test('a range moves addresses and cuts masks: 1 GiB of RAM at bus address 0', () => {
    const { dev } = configured(NOW, 'dma-ranges = <0x0 0x0 0x40000000 0x40000000>;')
    expect([dev.coherent_dma_mask, dev.dma_mask, dev.bus_dma_limit]).toEqual([
      ...[0x3fff_ffff, 0x3fff_ffff, 0x3fff_ffff],
    ])
    expect(phys_to_dma(NOW, dev, 0x5000_0000)).toBe(0x1000_0000)
    expect(dma_to_phys(NOW, dev, 0x1000_0000)).toBe(0x5000_0000)
    expect(phys_to_dma(NOW, dev, 0x8000_0000)).toBe(2 ** 64)
    expect(dma_to_phys(NOW, dev, 0x4000_0000)).toBe(2 ** 64)
  })

  test('6.x keeps every range, 4.x shifts by the first one, bounds or not', () => {
    const two = 'dma-ranges = <0x0 0x0 0x40000000 0x10000000  0x80000000 0x0 0x60000000 0x10000000>;'
    const now = configured(NOW, two).dev
    expect(phys_to_dma(NOW, now, 0x6000_0000)).toBe(0x8000_0000)
    expect(now.bus_dma_limit).toBe(0x8fff_ffff)
    const then = configured('4.12.4', two).dev
    expect(phys_to_dma('4.12.4', then, 0x6000_0000)).toBe(0x2000_0000)
    expect(then.bus_dma_limit).toBe(0)
    expect(then.coherent_dma_mask).toBe(0x0fff_ffff)
  })

  test('coherence is the node’s or that of a bus above; only 6.x knows dma-noncoherent', () => {
    expect(configured(NOW, '', 'dma-coherent;').dev.dma_coherent).toBe(true)
    expect(configured(NOW, '', '', 'dma-coherent;').dev.dma_coherent).toBe(true)
    expect(configured(NOW, '', 'dma-noncoherent;', 'dma-coherent;').dev.dma_coherent).toBe(false)
    expect(configured('4.12.4', '', 'dma-noncoherent;', 'dma-coherent;').dev.dma_coherent).toBe(true)
    expect(configured(NOW, '').dev.dma_coherent).toBe(false)
  })

  test('ranges that are empty, or too short to be one', () => {
    const empty = 'dma-ranges = <0x0 0x0 0x40000000 0x0>;'
    expect(configured('4.12.4', empty).ret).toBe(-EINVAL)
    const reach = (kernel: KernelVersion) => {
      const { ret, dev } = configured(kernel, empty)
      const outside = phys_to_dma(kernel, dev, 0x4000_0000) === 2 ** 64
      return [ret, dev.coherent_dma_mask, dev.dma_mask, dev.bus_dma_limit, outside]
    }
    expect(reach('6.1.192')).toEqual([0, 0, 0, 0, true])
    expect(reach(NOW)).toEqual([0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, true])
    const node = (ranges: string) => {
      const soc = `soc { #address-cells = <1>; #size-cells = <1>; ${ranges} dev { }; };`
      return findNode(board(RAM_1G, '', soc), '/soc/dev')!
    }
    expect(of_dma_get_range(NOW, node('dma-ranges = <0x0>;'))).toBe(-EINVAL)
    expect(of_dma_get_range(NOW, node('dma-ranges;'))).toBe(-ENODEV)
  })

  test('an odd size is a mask until 6.1, and 6.12 takes it for what it says', () => {
    const reach = (kernel: KernelVersion) => {
      const { dev } = configured(kernel, 'dma-ranges = <0x0 0x0 0x40000000 0x3fffffff>;')
      return [dev.coherent_dma_mask, dev.bus_dma_limit]
    }
    expect(reach('4.12.4')).toEqual([0x3fff_ffff, 0])
    expect(reach('6.1.192')).toEqual([0x3fff_ffff, 0x3fff_ffff])
    expect(reach(NOW)).toEqual([0x3fff_ffff, 0x3fff_fffe])
  })

  test('the first bus may say nothing in 6.x, and no bus after that; in 4.x none may', () => {
    const ranges = 'dma-ranges = <0x0 0x0 0x40000000 0x10000000>;'
    const cells = '#address-cells = <1>; #size-cells = <1>;'
    const found = (kernel: KernelVersion, ...said: readonly string[]) => {
      const inside = said.reduce((child, line, i) => `bus${i} { ${cells} ${line} ${child} };`, 'dev { };')
      const path = said.map((_, i) => `/bus${said.length - 1 - i}`).join('')
      const range = of_dma_get_range(kernel, findNode(board(RAM_1G, '', inside), `${path}/dev`)!)
      return typeof range === 'number' ? range : range.length
    }
    for (const kernel of ['6.1.192', NOW] as const) {
      expect(found(kernel, '', ranges)).toBe(1)
      expect(found(kernel, '', '', ranges)).toBe(-ENODEV)
      expect(found(kernel, 'dma-ranges;', '', ranges)).toBe(-ENODEV)
      expect(found(kernel, '', 'dma-ranges;', ranges)).toBe(1)
    }
    expect(found('4.12.4', '', ranges)).toBe(-ENODEV)
    expect(found('4.12.4', 'dma-ranges;', ranges)).toBe(1)
  })

  test('a device without node is left alone', () => {
    const dev = createDevice('misc', null, 0)
    expect([of_dma_configure(NOW, dev), dev.dma_mask, dev.coherent_dma_mask]).toEqual([0, null, 0])
  })
})

describe('of_dma_get_max_cpu_address()', () => {
  const reached = (nodes: string) => of_dma_get_max_cpu_address(board(RAM_1G, '', nodes).root)
  const bus = (name: string, ranges: string, more = '') =>
    `${name} { #address-cells = <1>; #size-cells = <1>; ranges; ${more} dma-ranges = ${ranges}; };`

  test('is the end of the narrowest bus, wherever in the tree; null when no bus has ranges', () => {
    expect(reached('soc { };')).toBe(null)
    const wide = bus('wide', '<0x0 0x0 0x40000000 0x40000000>')
    const narrow = bus('narrow', '<0x0 0x0 0x40000000 0x10000000>')
    expect(reached(wide)).toBe(0x7fff_ffff)
    expect(reached(wide + narrow)).toBe(0x4fff_ffff)
    expect(reached(`outer { ${narrow} };${wide}`)).toBe(0x4fff_ffff)
  })

  test('is the last end of a bus with several ranges; a disabled bus counts for nothing', () => {
    const two = '<0x0 0x0 0x40000000 0x10000000>, <0x80000000 0x0 0x60000000 0x10000000>'
    expect(reached(bus('soc', two))).toBe(0x6fff_ffff)
    expect(reached(bus('soc', two, 'status = "disabled";'))).toBe(null)
  })
})
