// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { RESERVED_MEMORY_KERNELS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { MiB } from '../../code/lib/units.ts'
import { bootMachine } from '../../code/machine/boot.ts'
import { memblock_is_region_reserved } from '../../code/mm/memblock.ts'
import { bare, board, RAM_1G, shippedTree } from './board.ts'

const NOW = ['6.1.192', '6.12.117'] as const
const CMA_128 = { cmaSize: { choose: 'MBYTES', mbytes: 128, percentage: 0 } } as const

describe('MC-5.9: the boot lines of seed 003', () => {
  const NODE = {
    '4.6': 'Reserved memory: ',
    '4.12.4': 'OF: reserved mem: ',
    '6.1.192': 'OF: reserved mem: ',
    '6.12.117': 'OF: reserved mem: ',
  }
  type Kernel = keyof typeof NODE
  const boot = (kernel: Kernel, name: string) =>
    bare({ kernel, tree: shippedTree(name), config: CMA_128, cmdline: '' }).log
  const node = (kernel: Kernel) =>
    `${NODE[kernel]}initialized node buffer@70000000, compatible id shared-dma-pool`
  const range = (kernel: Kernel, how: string) =>
    kernel === '6.12.117'
      ? [`OF: reserved mem: 0x0000000070000000..0x000000007fffffff (262144 KiB) ${how} buffer@70000000`]
      : []
  const cma = (kernel: Kernel) =>
    `cma: Reserved 128 MiB at 0x0000000068000000${kernel === '6.12.117' ? ' on node -1' : ''}`
  // 6.12 takes 48 bytes for its array at the very top of RAM, so its area comes to lie one pageblock lower.
  const area = (kernel: Kernel) =>
    cma(kernel).replace('68000000', kernel === '6.12.117' ? '67e00000' : '68000000')

  test.each(RESERVED_MEMORY_KERNELS)('A, only no-map [%s]', (kernel) => {
    expect(boot(kernel, 'zynqmp-no-map')).toEqual([...range(kernel, 'nomap non-reusable'), area(kernel)])
  })

  test.each(RESERVED_MEMORY_KERNELS)('B, a shared-dma-pool [%s]', (kernel) => {
    const created = 'Reserved memory: created DMA memory pool at 0x0000000070000000, size 256 MiB'
    const lines = [created, node(kernel), ...range(kernel, 'nomap non-reusable'), area(kernel)]
    expect(boot(kernel, 'zynqmp-pool')).toEqual(lines)
  })

  test.each(RESERVED_MEMORY_KERNELS)('C, reusable and linux,cma-default [%s]', (kernel) => {
    const created = 'Reserved memory: created CMA memory pool at 0x0000000070000000, size 256 MiB'
    expect(boot(kernel, 'zynqmp-cma')).toEqual([created, node(kernel), ...range(kernel, 'map reusable')])
  })

  test('the Zynq board, 6.12: CMA comes first, the region after it', () => {
    const reserved =
      'buffer@38000000 { compatible = "shared-dma-pool"; no-map; reg = <0 0x38000000 0 0x8000000>; };'
    const config = { cmaAlignment: MiB(4) }
    const machine = bare({
      kernel: '6.12.117',
      arch: 'arm',
      tree: board([0, 0x4000_0000], reserved),
      config,
      cmdline: '',
    })
    expect(machine.log).toEqual([
      'cma: Reserved 16 MiB at 0x37000000 on node -1',
      'Reserved memory: created DMA memory pool at 0x38000000, size 128 MiB',
      'OF: reserved mem: initialized node buffer@38000000, compatible id shared-dma-pool',
      'OF: reserved mem: 0x38000000..0x3fffffff (131072 KiB) nomap non-reusable buffer@38000000',
    ])
    expect(machine.procIomem()).toBe('00000000-37ffffff : System RAM\n')
  })
})

describe('bootMachine()', () => {
  test('5.3: a default area of the tree and of the configuration: both on arm 6.12, one elsewhere', () => {
    const reserved =
      'c { compatible = "shared-dma-pool"; reusable; linux,cma-default; reg = <0 0x60000000 0 0x4000000>; };'
    const areas = (kernel: KernelVersion, arch: 'arm' | 'arm64') => {
      const { cma, contiguous } = bare({ kernel, arch, tree: board(RAM_1G, reserved), cmdline: '' })
      expect(contiguous.dma_contiguous_default_area?.name).toBe('c')
      return cma.areas.map((area) => area.name)
    }
    expect(areas('6.12.117', 'arm')).toEqual(['reserved', 'c'])
    expect(areas('6.1.192', 'arm')).toEqual(['c'])
    for (const kernel of NOW) expect(areas(kernel, 'arm64')).toEqual(['c'])
  })

  test('MC-4.4: the default area of arm goes to high memory', () => {
    const { cma } = bare({ kernel: '6.1.192', arch: 'arm', tree: board(RAM_1G), cmdline: '' })
    expect(cma.highmemStart).toBe(0x7000_0000)
    expect(cma.areas[0]?.base).toBe(0x7f00_0000)
  })

  test('arm without high memory loses the RAM above', () => {
    const machine = bare({ kernel: '6.1.192', arch: 'arm', tree: board(RAM_1G), config: { highmem: false } })
    expect(machine.procIomem()).toBe('40000000-6fffffff : System RAM\n')
  })

  test('kernel, initrd and DTB are reserved, the initrd in whole pages', () => {
    const chosen = 'chosen { linux,initrd-start = <0x48000000>; linux,initrd-end = <0 0x480f1234>; };'
    const dtbAt = { base: 0x4820_0000, size: 0x10_0000 }
    const tree = board(RAM_1G, '', chosen)
    const { memblock } = bootMachine({ tree, kernel: '6.12.117', arch: 'arm64', dtbAt, cmdline: 'cma=0' })
    expect(memblock.reserved.regions).toEqual([
      { base: 0x4020_0000, size: 0x2b3_0000, flags: 0 },
      { base: 0x4800_0000, size: 0xf_2000, flags: 0 },
      { base: 0x4820_0000, size: 0x10_0000, flags: 0 },
    ])
  })

  test('the command line is that of /chosen unless another is given', () => {
    const tree = () => board(RAM_1G, '', 'chosen { bootargs = "cma=32M quiet"; };')
    expect(bootMachine({ tree: tree(), kernel: '6.1.192', arch: 'arm64' }).cma.areas[0]?.size).toBe(MiB(32))
    expect(
      bootMachine({ tree: tree(), kernel: '6.1.192', arch: 'arm64', cmdline: 'cma=16M' }).cma.areas[0]?.size,
    ).toBe(MiB(16))
  })

  test('mem= cuts RAM, and CMA goes below the cut', () => {
    const machine = bare({ kernel: '6.1.192', tree: board(RAM_1G), cmdline: 'mem=512M' })
    expect(machine.log[0]).toBe('Memory limited to 512MB')
    expect(machine.procIomem()).toMatch(
      /^40000000-5fffffff : System RAM\n {2}5c000000-5fffffff : reserved\n$/,
    )
  })

  test.each(NOW)('CMA goes below what the narrowest bus reaches, which dma-ranges say [%s]', (kernel) => {
    const bus =
      'bus { #address-cells = <2>; #size-cells = <2>; dma-ranges = <0 0x40000000 0 0x40000000 0 REACH>; };'
    const base = (reach: string) =>
      bare({ kernel, tree: board(RAM_1G, '', bus.replace('REACH', reach)), cmdline: 'cma=64M' }).cma.areas[0]
        ?.base
    expect(base('0x40000000')).toBe(0x7c00_0000)
    // 6.1 knows no other bounds than powers of two.
    expect(base('0x20000000')).toBe(kernel === '6.1.192' ? 0x7c00_0000 : 0x5c00_0000)
  })

  test('own events are replayed at their time, so they move what comes after', () => {
    const own = {
      paging: [{ op: 'reserve', base: 0x7fe0_0000, size: MiB(2) }],
      late: [{ op: 'free', base: 0x7ff0_0000, size: MiB(1) }],
    } as const
    const machine = bare({ kernel: '6.1.192', tree: board(RAM_1G), own, cmdline: '' })
    expect(machine.cma.areas[0]?.base).toBe(0x7be0_0000)
    expect(memblock_is_region_reserved(machine.memblock, 0x7ff0_0000, MiB(1))).toBe(false)
  })

  test('memblock=debug prints the lists when CMA is reserved', () => {
    const { log } = bare({ kernel: '6.1.192', tree: board(RAM_1G), cmdline: 'memblock=debug' })
    expect(log.slice(0, 2)).toEqual(['cma: Reserved 64 MiB at 0x000000007c000000', 'MEMBLOCK configuration:'])
  })

  test('RAM below a page is told of: by 6.x always, by 4.x if it begins inside one', () => {
    const tree = () =>
      board(
        RAM_1G,
        '',
        `memory@90000000 { device_type = "memory";
           reg = <0 0x90000800 0 0x200>, <0 0x90010000 0 0x800>, <0 0x90020800 0 0x1000>, <0 0x90030000 0 0>; };`,
      )
    const log = (kernel: KernelVersion) =>
      bare({ kernel, tree: tree() }).log.filter((l) => l.includes('Ignoring'))
    expect(log('4.6')).toEqual(['Ignoring memory block 0x90000800 - 0x90000a00'])
    expect(log('4.12.4')).toEqual(['OF: fdt: Ignoring memory block 0x90000800 - 0x90000a00'])
    for (const kernel of NOW) {
      expect(log(kernel)).toEqual([
        'OF: fdt: Ignoring memory block 0x90000800 - 0x90000a00',
        'OF: fdt: Ignoring memory block 0x90010000 - 0x90010800',
      ])
    }
  })

  test('RAM that phys_addr_t cannot address is told of; arm64 drops without a word what it cannot map', () => {
    const rest = 'memory@1 { device_type = "memory"; reg = <0 0xc0000000 0 0x80000000>, <1 0 0 0x1000>; };'
    const arm = bare({ kernel: '6.1.192', arch: 'arm', tree: board(RAM_1G, '', rest) })
    expect(arm.log).toEqual([
      'OF: fdt: Ignoring memory range 0x100000000 - 0x140000000',
      'OF: fdt: Ignoring memory block 0x100000000 - 0x100001000',
    ])
    const swapped = 'memory@1 { device_type = "memory"; reg = <0xc0000000 0 0x40000000 0>; };'
    const arm64 = bare({ kernel: '6.1.192', tree: board(RAM_1G, '', swapped) })
    expect(arm64.memblock.memory.regions).toHaveLength(1)
    expect(arm64.log).toEqual([])
  })

  test('4.x takes RAM from every node with the device_type, deep or disabled', () => {
    const rest = `memory@90000000 { device_type = "memory"; reg = <0 0x90000000 0 0x1000>; status = "disabled"; };
      soc { memory@a0000000 { device_type = "memory"; reg = <0 0xa0000000 0 0x1000>; }; };`
    const count = (kernel: KernelVersion) =>
      bare({ kernel, tree: board(RAM_1G, '', rest) }).memblock.memory.regions.length
    expect(RESERVED_MEMORY_KERNELS.map(count)).toEqual([3, 3, 1, 1])
  })

  test('RAM that is disabled, has no device_type or is less than a page does not count', () => {
    const tree = board(
      RAM_1G,
      '',
      `memory@90000000 { device_type = "memory"; reg = <0 0x90000000 0 0x1000>; status = "disabled"; };
       memory@a0000000 { reg = <0 0xa0000000 0 0x1000>; };
       memory@b0000000 { device_type = "memory"; reg = <0 0xb0000800 0 0x1000>, <0 0xc0000800 0 0x2000>; };`,
    )
    const { memblock } = bare({ kernel: '6.1.192', tree })
    expect(memblock.memory.regions.slice(1)).toEqual([{ base: 0xc000_1000, size: 0x1000, flags: 0 }])
  })
})
