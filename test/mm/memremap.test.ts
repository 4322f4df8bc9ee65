// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { MEMREMAP_WB, MEMREMAP_WC, MEMREMAP_WT, memunmap } from '../../code/mm/memremap.ts'
import { bare, board, RAM_1G } from '../machine/board.ts'

const machine = (kernel: '4.12.4' | '6.1.192' | '6.12.117' = '6.12.117') =>
  bare({
    kernel,
    tree: board(
      RAM_1G,
      `nomap@50000000 { compatible = "shared-dma-pool"; reg = <0 0x50000000 0 0x1000000>; no-map; };
       mapped@52000000 { compatible = "shared-dma-pool"; reg = <0 0x52000000 0 0x1000000>; };
       cma@56000000 { compatible = "shared-dma-pool"; reg = <0 0x56000000 0 0x2000000>; reusable; };
       plain@5e000000 { reg = <0 0x5e000000 0 0x100000>; no-map; };`,
    ),
  })

const SIZE = 0x10_0000

describe('memremap()', () => {
  test.each(['4.12.4', '6.1.192', '6.12.117'] as const)(
    'TV-18, MC-12.1 to 12.4: {no-map, mapped, CMA, plain no-map} × {WB, WC} [%s]',
    (kernel) => {
      const m = machine(kernel)
      const kinds = [0x5000_0000, 0x5200_0000, 0x5600_0000, 0x5e00_0000].map((base) =>
        [MEMREMAP_WB, MEMREMAP_WC].map((flags) => m.memremap(base, SIZE, flags)?.kind ?? null),
      )
      expect(kinds).toEqual([
        ['new', 'new'],
        ['linear', null],
        ['linear', null],
        ['new', 'new'],
      ])
    },
  )

  test('MC-12.5: part RAM, part not is refused whatever the flags, with one warning', () => {
    const m = machine()
    expect(m.memremap(0x4ff0_0000, 2 * SIZE, MEMREMAP_WB)).toBeNull()
    expect(m.memremap(0x4ff0_0000, 2 * SIZE, MEMREMAP_WC)).toBeNull()
    const warnings = m.log.filter((line) => line.startsWith('memremap'))
    expect(warnings).toEqual(['memremap attempted on mixed range 0x000000004ff00000 size: 0x200000'])
  })

  test('MC-12.5: what no resource covers is not counted: RAM and a gap pass for RAM, and of arm a no-map half too', () => {
    const end = 0x8000_0000
    expect(machine().memremap(end - SIZE, 2 * SIZE, MEMREMAP_WB)?.kind).toBe('linear')
    const tree = board(RAM_1G, 'p@50000000 { reg = <0 0x50000000 0 0x1000000>; no-map; };')
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      const m = bare({ kernel, arch: 'arm', tree })
      expect(m.memremap(0x5000_0000 - SIZE, 2 * SIZE, MEMREMAP_WB)?.kind).toBe('linear')
      expect(m.memremap(0x5000_0000 - SIZE, 2 * SIZE, MEMREMAP_WC)).toBeNull()
      expect(m.log.at(-1)).toContain('memremap attempted on ram')
    }
  })

  test('MC-12.8: seed 003’s driver by {resource, flags}', () => {
    const m = machine()
    expect(m.memremap(0x5200_0000, SIZE, MEMREMAP_WB | MEMREMAP_WC)).toMatchObject({ kind: 'linear' })
    expect(m.memremap(0x5000_0000, SIZE, MEMREMAP_WT | MEMREMAP_WC)).toMatchObject({
      kind: 'new',
      attribute: 'WT',
    })
    expect(m.memremap(0x5000_0000, SIZE, MEMREMAP_WC)).toMatchObject({ attribute: 'WC' })
    expect(m.memremap(0x9_0000_0000, SIZE, MEMREMAP_WB)).toMatchObject({ kind: 'new', attribute: 'WB' })
    expect(m.memremap(0x5000_0000, SIZE, 0)).toBeNull()
    expect(m.log.filter((line) => line.startsWith('memremap'))).toEqual([])
    expect(m.memremap(0x5200_0000, SIZE, MEMREMAP_WC)).toBeNull()
    expect(m.log.at(-1)).toBe('memremap attempted on ram 0x0000000052000000 size: 0x100000')
  })

  test('MC-12.8: memunmap() leaves a linear address alone', () => {
    const m = machine()
    expect(memunmap(m.memremap(0x5200_0000, SIZE, MEMREMAP_WB)!)).toBe(false)
    expect(memunmap(m.memremap(0x5000_0000, SIZE, MEMREMAP_WB)!)).toBe(true)
  })

  test('a no-map range that begins inside a page of RAM gets no new mapping, and of arm64 a linear WB one', () => {
    const kinds = (arch: 'arm' | 'arm64', kernel: '4.12.4' | '6.1.192' | '6.12.117') => {
      const reserved = 'p@50000800 { reg = <0 0x50000800 0 0x100000>; no-map; };'
      const m = bare({ kernel, arch, tree: board(RAM_1G, reserved) })
      const got = [MEMREMAP_WC, MEMREMAP_WT, MEMREMAP_WB].map(
        (flags) => m.memremap(0x5000_0800, SIZE, flags)?.kind ?? null,
      )
      expect(m.log.filter((line) => line.startsWith('memremap'))).toEqual([])
      return got
    }
    for (const kernel of ['4.12.4', '6.1.192', '6.12.117'] as const) {
      expect(kinds('arm64', kernel)).toEqual([null, null, 'linear'])
      expect(kinds('arm', kernel)).toEqual([null, null, 'new'])
    }
  })

  test('what is beyond the physical addresses of the kernel is not mapped: 48 bits until 6.1, 52 in 6.12', () => {
    const mapped = (kernel: '4.12.4' | '6.1.192' | '6.12.117', end: number) =>
      machine(kernel).memremap(end - SIZE, SIZE, MEMREMAP_WC) !== null
    for (const kernel of ['4.12.4', '6.1.192'] as const) {
      expect([mapped(kernel, 2 ** 48), mapped(kernel, 2 ** 48 + SIZE)]).toEqual([true, false])
    }
    expect([mapped('6.12.117', 2 ** 52), mapped('6.12.117', 2 ** 52 + SIZE)]).toEqual([true, false])
    const arm = bare({ kernel: '6.12.117', arch: 'arm', tree: board(RAM_1G) })
    expect(arm.memremap(0xf000_0000, 0x2000_0000, MEMREMAP_WC)).toBeNull()
  })

  test('high memory of arm has no linear address', () => {
    const m = bare({ kernel: '6.1.192', arch: 'arm', tree: board(RAM_1G) })
    expect(m.memremap(0x4000_0000, SIZE, MEMREMAP_WB)?.kind).toBe('linear')
    expect(m.memremap(0x7800_0000, SIZE, MEMREMAP_WB)?.kind).toBe('new')
  })
})
