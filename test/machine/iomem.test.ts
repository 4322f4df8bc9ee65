// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { bare, board, RAM_1G } from './board.ts'

const NOW = ['6.1.192', '6.12.117'] as const

describe('/proc/iomem', () => {
  const ram = [0x8000_0000, 0x6000_0000] as const
  const iomem = (kernel: KernelVersion, arch: 'arm' | 'arm64', props: string) => {
    const reserved = `pool@c0000000 { compatible = "shared-dma-pool"; reg = <0 0xc0000000 0 0x20000000>; ${props} };`
    const tree = board(ram, reserved)
    // The array of 6.12 is not part of the contract: it would be one more reserved line.
    const text = bare({ kernel, arch, tree }).procIomem()
    return text.split('\n').filter((line) => line && !/^ {2}bffff|^ {2}dffff/.test(line))
  }
  const BELOW = '80000000-bfffffff : System RAM'
  const ALL = '80000000-dfffffff : System RAM'

  test('MC-12.7, S0-13: no-map, 512 MiB at 0xc0000000', () => {
    for (const kernel of ['4.6', '4.12.4'] as const)
      expect(iomem(kernel, 'arm64', 'no-map;')).toEqual([BELOW])
    for (const kernel of NOW) {
      expect(iomem(kernel, 'arm64', 'no-map;')).toEqual([BELOW, 'c0000000-dfffffff : reserved'])
      expect(iomem(kernel, 'arm', 'no-map;')).toEqual([BELOW])
    }
  })

  test('MC-12.7: reusable CMA, 512 MiB at 0xc0000000', () => {
    for (const kernel of ['4.6', '4.12.4'] as const)
      expect(iomem(kernel, 'arm64', 'reusable;')).toEqual([ALL])
    for (const kernel of NOW) {
      expect(iomem(kernel, 'arm64', 'reusable;')).toEqual([ALL, '  c0000000-dfffffff : reserved'])
      expect(iomem(kernel, 'arm', 'reusable;')).toEqual([ALL])
    }
  })

  test('TV-39: without privilege all addresses are zero', () => {
    const machine = bare({
      kernel: '6.1.192',
      tree: board(ram, 'a@c0000000 { reg = <0 0xc0000000 0 0x1000>; };'),
    })
    expect(machine.procIomem({ privileged: false })).toBe(
      '00000000-00000000 : System RAM\n  00000000-00000000 : reserved\n',
    )
  })

  test('the image is two children; what is reserved of it besides shows between them on arm64 6.x only', () => {
    const image = {
      _text: 0x4020_0000,
      _stext: 0x4021_0000,
      __init_begin: 0x4100_0000,
      _sdata: 0x4180_0000,
      _end: 0x4200_0000,
    }
    const text = (kernel: KernelVersion, arch: 'arm' | 'arm64' = 'arm64') =>
      bare({ kernel, arch, tree: board(RAM_1G), image }).procIomem()
    expect(text('6.1.192')).toBe(
      '40000000-7fffffff : System RAM\n  40210000-40ffffff : Kernel code\n' +
        '  41000000-417fffff : reserved\n  41800000-41ffffff : Kernel data\n',
    )
    expect(text('6.12.117')).toContain('  40200000-40ffffff : Kernel code\n  41000000-417fffff : reserved\n')
    const plain =
      '40000000-7fffffff : System RAM\n  40200000-40ffffff : Kernel code\n  41800000-41ffffff : Kernel data\n'
    expect(text('4.12.4')).toBe(plain)
    expect(text('6.1.192', 'arm')).toBe(plain)
  })

  test('ranges are rounded to pages: RAM in, no-map and reserved out', () => {
    const tree = board(
      RAM_1G,
      'a { reg = <0 0x50000100 0 0x100>; no-map; }; b { reg = <0 0x60000100 0 0x100>; };',
    )
    expect(bare({ kernel: '6.1.192', tree }).procIomem()).toBe(
      '40000000-4fffffff : System RAM\n50000000-50000fff : reserved\n50001000-7fffffff : System RAM\n  60000000-60000fff : reserved\n',
    )
  })

  test('5.3: a pool that 6.12 gives back after iomem is built is a gap on arm, and RAM on 6.1', () => {
    const reserved =
      'p { compatible = "shared-dma-pool"; reg = <0 0x5b000000 0 0x400000>; no-map; reusable; };'
    const text = (kernel: KernelVersion) =>
      bare({ kernel, arch: 'arm', tree: board(RAM_1G, reserved) }).procIomem()
    expect(text('6.1.192')).toBe('40000000-7fffffff : System RAM\n')
    expect(text('6.12.117')).toBe('40000000-5affffff : System RAM\n5b400000-7fffffff : System RAM\n')
  })
})
