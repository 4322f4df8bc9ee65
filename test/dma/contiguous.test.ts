// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { memparse, type CmaSize } from '../../code/dma/contiguous.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { MiB } from '../../code/lib/units.ts'
import { bare, board, RAM_1G } from '../machine/board.ts'

const cmaLines = (log: string[]) => log.filter((line) => line.startsWith('cma:'))
const boot = (cmdline: string, kernel: KernelVersion = '6.12.117') =>
  cmaLines(bare({ kernel, tree: board(RAM_1G), cmdline }).log)

describe('memparse()', () => {
  test.each([
    ['64M', 64 * 2 ** 20, ''],
    ['0x10000000@x', 0x1000_0000, '@x'],
    ['010k', 8 * 1024, ''],
    ['2g-', 2 * 2 ** 30, '-'],
    ['abc', 0, 'abc'],
    ['', 0, ''],
  ])('memparse(%j) is %i', (text, value, rest) => {
    expect(memparse(text)).toEqual({ value, rest })
  })
})

describe('cma= on the command line', () => {
  test('a size is placed top down; a size with a base exactly there; with a range within it', () => {
    expect(boot('cma=128M')).toEqual(['cma: Reserved 128 MiB at 0x0000000078000000 on node -1'])
    expect(boot('cma=64M@0x50000000')).toEqual(['cma: Reserved 64 MiB at 0x0000000050000000 on node -1'])
    expect(boot('cma=64M@0x50000000-0x70000000')).toEqual([
      'cma: Reserved 64 MiB at 0x000000006c000000 on node -1',
    ])
  })

  test('MC-4.3: size 0, nothing and nonsense all mean no area, without a word', () => {
    for (const cmdline of ['cma=0', 'cma=', 'cma=abc']) expect(boot(cmdline)).toEqual([])
  })

  test('TV-43: a bare cma is an error, and the configured area is made all the same', () => {
    expect(boot('quiet cma nokaslr')).toEqual([
      'cma: Config string not provided',
      'cma: Reserved 64 MiB at 0x000000007c000000 on node -1',
    ])
  })

  test('other words that begin with cma are not it', () => {
    expect(boot('cma_pernuma=16M cmac=0')).toEqual(['cma: Reserved 64 MiB at 0x000000007c000000 on node -1'])
  })

  test('-- ends the kernel’s own words', () => {
    expect(boot('-- cma=0')).toHaveLength(1)
  })
})

describe('dma_contiguous_reserve()', () => {
  test.each([
    ['MBYTES', 16],
    ['PERCENTAGE', 52],
    ['MIN', 16],
    ['MAX', 52],
  ] as const)('TV-50, MC-4.10: 512 MiB, 16 MiB or 10 %%, by %s: %i MiB', (choose, mib) => {
    const cmaSize: CmaSize = { choose, mbytes: 16, percentage: 10 }
    const config = { cmaSize, cmaAlignment: MiB(4) }
    const { cma } = bare({ kernel: '6.1.192', tree: board([0x4000_0000, MiB(512)]), config, cmdline: '' })
    expect(cma.areas.map((area) => area.size)).toEqual([MiB(mib)])
  })

  test('TV-40, MC-4.6: seed 003 on 4.6: 128 MiB right below the region that was removed', () => {
    const tree = board([0, 0x8000_0000], 'buffer@70000000 { no-map; reg = <0 0x70000000 0 0x10000000>; };')
    const config = { cmaSize: { choose: 'MBYTES', mbytes: 128, percentage: 0 } } as const
    const machine = bare({ kernel: '4.6', tree, config, cmdline: '' })
    expect(machine.log).toEqual(['cma: Reserved 128 MiB at 0x0000000068000000'])
    expect(machine.procIomem()).toBe('00000000-6fffffff : System RAM\n')
  })

  test('TV-49: zcu102 with 2 GiB, when the kernel has taken 36 MiB below the region', () => {
    const tree = board([0, 0x8000_0000], 'buffer@70000000 { no-map; reg = <0 0x70000000 0 0x10000000>; };')
    // The region ends where RAM does, so page tables, the tree and 32 MiB of struct pages lie right below it.
    const own = { unflatten: [{ op: 'reserve', base: 0x6dc0_0000, size: MiB(36) }] } as const
    for (const kernel of ['6.1.192', '6.12.117'] as const) {
      const { cma } = bare({ kernel, tree, own, cmdline: '' })
      expect(cma.areas[0]?.base).toBe(0x69c0_0000)
    }
  })
})
