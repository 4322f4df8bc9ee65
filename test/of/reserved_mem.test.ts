// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { RESERVED_MEMORY_KERNELS, kernelAtLeast, type KernelVersion } from '../../code/lib/kernel_version.ts'
import { KiB, MiB } from '../../code/lib/units.ts'
import { MEMBLOCK_NOMAP, memblock_is_region_reserved } from '../../code/mm/memblock.ts'
import { bare, board, parse, RAM_1G, shippedTree } from '../machine/board.ts'

const NOW = ['6.1.192', '6.12.117'] as const

function boot(kernel: KernelVersion, reserved: string, more: Partial<Parameters<typeof bare>[0]> = {}) {
  return bare({ kernel, tree: board(RAM_1G, reserved), ...more })
}

const pool = (name: string, base: number, size: number, props: string) =>
  `${name} { compatible = "shared-dma-pool"; reg = <0 0x${base.toString(16)} 0 0x${size.toString(16)}>; ${props} };`

describe('the root of /reserved-memory', () => {
  const REFUSED = {
    '4.6': '',
    '4.12.4': 'OF: fdt: ',
    '6.1.192': 'OF: fdt: ',
    '6.12.117': 'OF: reserved mem: ',
  }

  test.each(RESERVED_MEMORY_KERNELS)(
    'MC-5.1, TV-13, S0-1: without cells the node is ignored [%s]',
    (kernel) => {
      const { log, reserved_mem, procIomem } = bare({ kernel, tree: shippedTree('as-found') })
      const line = `${REFUSED[kernel]}Reserved memory: unsupported node format, ignoring`
      expect(log).toEqual(kernel === '6.12.117' ? [line, line] : [line])
      expect(reserved_mem.regions).toEqual([])
      expect(procIomem()).toMatch(/^40000000-ffffffff : System RAM\n( .*\n)?$/)
    },
  )

  test.each([
    [
      'other cells than the root',
      '#address-cells = <1>; #size-cells = <1>; ranges; a@50000000 { reg = <0x50000000 0x1000>; };',
    ],
    ['no ranges', '#address-cells = <2>; #size-cells = <2>; a@50000000 { reg = <0 0x50000000 0 0x1000>; };'],
  ])('MC-5.1: %s', (_, body) => {
    const tree = board(RAM_1G, '', `reserved-memory { ${body} };`)
    const { log, memblock } = bare({ kernel: '6.1.192', tree })
    expect(log).toEqual(['OF: fdt: Reserved memory: unsupported node format, ignoring'])
    expect(memblock.reserved.regions).toEqual([])
  })

  test('6.12 says when there is no such node; 6.12 allocates its array even for a refused one', () => {
    expect(bare({ kernel: '6.12.117', tree: board(RAM_1G) }).log).toEqual([
      'OF: reserved mem: Reserved memory: No reserved-memory node in the DT',
    ])
    expect(bare({ kernel: '6.1.192', tree: board(RAM_1G) }).log).toEqual([])
    const { memblock } = bare({ kernel: '6.12.117', tree: shippedTree('as-found') })
    expect(memblock.reserved.regions).toEqual([{ base: 0x1_0000_0000 - 64 * 48, size: 64 * 48, flags: 0 }])
  })
})

describe('static regions', () => {
  test('a reg of the wrong length: once until 6.1, twice in 6.12; the region is left out', () => {
    const lines = NOW.map((kernel) => boot(kernel, 'a@50000000 { reg = <0 0x50000000 0x1000>; };').log)
    expect(lines[0]).toEqual([
      "OF: fdt: Reserved memory: invalid reg property in 'a@50000000', skipping node.",
    ])
    const second = "OF: reserved mem: Reserved memory: invalid reg property in 'a@50000000', skipping node."
    expect(lines[1]).toEqual([second, second])
  })

  test('all entries of a reg are reserved, one is a region, and 6.12 counts the others', () => {
    const two = 'two@50000000 { reg = <0 0x50000000 0 0x1000>, <0 0x51000000 0 0x1000>; no-map; };'
    for (const kernel of NOW) {
      const { memblock, reserved_mem, log } = boot(kernel, two)
      expect(memblock.memory.regions.filter((r) => r.flags === MEMBLOCK_NOMAP)).toHaveLength(2)
      expect(reserved_mem.regions).toHaveLength(1)
      const warning =
        "OF: reserved mem: fdt_scan_reserved_mem_reg_nodes() ignores 1 regions in node 'two@50000000'"
      expect(log.includes(warning)).toBe(kernel === '6.12.117')
    }
  })

  test('size 0 fails; 6.1 keeps such a region, 6.12 does not', () => {
    const [old, now] = NOW.map((kernel) => boot(kernel, 'a@50000000 { reg = <0 0x50000000 0 0>; };'))
    expect(old!.log).toEqual([
      "OF: fdt: Reserved memory: failed to reserve memory for node 'a@50000000': base 0x0000000050000000, size 0 MiB",
    ])
    expect(old!.reserved_mem.regions).toHaveLength(1)
    expect(now!.log).toHaveLength(1)
    expect(now!.reserved_mem.regions).toEqual([])
  })

  test.each(RESERVED_MEMORY_KERNELS)('no-map: removed by 4.x, flagged by 6.x [%s]', (kernel) => {
    const { memblock } = boot(kernel, 'a@50000000 { reg = <0 0x50000000 0 0x1000000>; no-map; };')
    const flags = memblock.memory.regions.map((r) => r.flags)
    expect(flags).toEqual(kernelAtLeast(kernel, '6.1.192') ? [0, MEMBLOCK_NOMAP, 0] : [0, 0])
    expect(memblock_is_region_reserved(memblock, 0x5000_0000, 0x100_0000)).toBe(false)
  })

  test('status: okay and ok count, anything else leaves the node out', () => {
    const node = (i: number, status: string) =>
      `n${i} { reg = <0 0x5${i}000000 0 0x1000>; status = "${status}"; };`
    const { reserved_mem } = boot(
      '6.1.192',
      node(0, 'okay') + node(1, 'ok') + node(2, 'disabled') + node(3, 'reserved'),
    )
    expect(reserved_mem.regions.map((r) => r.name)).toEqual(['n0', 'n1'])
  })

  test('addresses are read with the root’s cells and cut to phys_addr_t', () => {
    const reserved = 'a@50000000 { reg = <0x1 0x50000000 0 0x1000>; no-map; };'
    const { reserved_mem } = bare({ kernel: '6.1.192', arch: 'arm', tree: board(RAM_1G, reserved) })
    expect(reserved_mem.regions[0]?.base).toBe(0x5000_0000)
  })

  test('a table that is full: 17 regions in 4.12, 65 in 6.1; the memory stays reserved', () => {
    const many = (count: number) =>
      Array.from(
        { length: count },
        (_, i) => `r${i} { reg = <0 0x${(0x5000_0000 + i * 0x10000).toString(16)} 0 0x1000>; };`,
      ).join('\n')
    const old = boot('4.12.4', many(17))
    expect(old.log).toEqual(['OF: reserved mem: not enough space all defined regions.'])
    expect(old.reserved_mem.regions).toHaveLength(16)
    expect(memblock_is_region_reserved(old.memblock, 0x5010_0000, 0x1000)).toBe(true)
    expect(boot('4.6', many(17)).log).toEqual(['Reserved memory: not enough space all defined regions.'])
    expect(boot('6.1.192', many(65)).log).toEqual([
      'OF: reserved mem: not enough space for all defined regions.',
    ])
    expect(boot('6.12.117', many(65)).reserved_mem.regions).toHaveLength(65)
  })
})

describe('overlaps', () => {
  const twoPlain =
    'a@50000000 { reg = <0 0x50000000 0 0x200000>; }; b@50100000 { reg = <0 0x50100000 0 0x200000>; };'

  test.each(RESERVED_MEMORY_KERNELS)('MC-5.3: two plain regions merge and are told of [%s]', (kernel) => {
    const { log, memblock } = boot(kernel, twoPlain)
    const prefix = kernel === '4.6' ? 'Reserved memory: ' : 'OF: reserved mem: '
    const at = log.indexOf(`${prefix}OVERLAP DETECTED!`)
    expect(log[at + 1]).toBe(
      'a@50000000 (0x0000000050000000--0x0000000050200000) overlaps with b@50100000 (0x0000000050100000--0x0000000050300000)',
    )
    expect(memblock.reserved.regions.find((r) => r.base === 0x5000_0000)?.size).toBe(MiB(3))
  })

  test.each(RESERVED_MEMORY_KERNELS)(
    'MC-5.3: no-map over a reserved range: refused by 6.x, done by 4.x [%s]',
    (kernel) => {
      const { log, memblock, reserved_mem } = boot(
        kernel,
        'a@50000000 { reg = <0 0x50000000 0 0x200000>; }; b@50100000 { reg = <0 0x50100000 0 0x200000>; no-map; };',
      )
      const refused = log.some((line) =>
        line.endsWith("failed to reserve memory for node 'b@50100000': base 0x0000000050100000, size 2 MiB"),
      )
      expect(refused).toBe(kernelAtLeast(kernel, '6.1.192'))
      expect(memblock.memory.regions).toHaveLength(refused ? 1 : 2)
      expect(reserved_mem.regions).toHaveLength(2)
    },
  )

  test('MC-5.3: a plain region over no-map, and no-map over no-map, are granted', () => {
    const over = (props: string) =>
      boot(
        '6.1.192',
        `a@50000000 { reg = <0 0x50000000 0 0x200000>; no-map; }; b@50000000 { reg = <0 0x50000000 0 0x100000>; ${props} };`,
      )
    for (const props of ['', 'no-map;']) expect(over(props).log.join()).not.toContain('failed to reserve')
  })

  test('no-map outside RAM is granted though the range is reserved', () => {
    const { log } = boot(
      '6.12.117',
      'a@90000000 { reg = <0 0x90000000 0 0x1000>; }; b@90000000 { reg = <0 0x90000000 0 0x1000>; no-map; };',
    )
    expect(log.join()).not.toContain('failed to reserve')
  })
})

describe('region drivers', () => {
  test('MC-5.4: the six outcomes of a pool on arm64', () => {
    for (const kernel of NOW) {
      const outcome = (props: string, base = 0x5000_0000, cmdline = 'cma=0') => {
        const { log, memblock } = boot(kernel, pool('p', base, MiB(4), props), { cmdline })
        const kept = memblock_is_region_reserved(memblock, base, MiB(4)) || memblock.memory.regions.length > 1
        const said = log.map((line) =>
          /created (\w+) memory pool|bypass|incorrect alignment|matching fail/.exec(line),
        )
        return [kept, ...said.flatMap((match) => match?.[1] ?? match?.[0] ?? [])]
      }
      expect(outcome('no-map;')).toEqual([true, 'DMA'])
      expect(outcome('reusable;')).toEqual([true, 'CMA'])
      expect(outcome('no-map; reusable;')).toEqual([false, 'matching fail'])
      expect(outcome('')).toEqual([true, 'DMA'])
      expect(outcome('reusable;', 0x5010_0000)).toEqual([false, 'incorrect alignment', 'matching fail'])
      expect(outcome('reusable; linux,cma-default;')).toEqual([false, 'bypass', 'matching fail'])
      expect(outcome('reusable; linux,cma-default;', 0x5000_0000, '')).toEqual([true, 'CMA'])
    }
  })

  test('MC-5.4: on arm a pool without no-map is an error and given back', () => {
    const { log, memblock } = boot('6.1.192', pool('buffer@52000000', 0x5200_0000, MiB(16), ''), {
      arch: 'arm',
    })
    expect(log).toEqual([
      'Reserved memory: regions without no-map are not yet supported',
      'OF: reserved mem: node buffer@52000000 compatible matching fail',
    ])
    expect(memblock.reserved.regions).toEqual([])
  })

  test('MC-5.4: 4.x keeps the memory of a failed driver and says nothing of it', () => {
    const { log, memblock } = boot('4.12.4', pool('p', 0x5010_0000, MiB(4), 'reusable;'))
    expect(log).toEqual(['Reserved memory: incorrect alignment of CMA region'])
    expect(memblock_is_region_reserved(memblock, 0x5010_0000, MiB(4))).toBe(true)
  })

  test('MC-5.6, MC-5.8: sizes are cut to MiB; addresses have 16 digits, on arm 8', () => {
    const tiny = pool('tiny', 0x5000_0000, KiB(512), 'no-map;')
    const line = (arch: 'arm' | 'arm64') => boot('6.1.192', tiny, { arch }).log[0]
    expect(line('arm64')).toBe('Reserved memory: created DMA memory pool at 0x0000000050000000, size 0 MiB')
    expect(line('arm')).toBe('Reserved memory: created DMA memory pool at 0x50000000, size 0 MiB')
  })

  test('compatible is compared without regard to case, and any of its strings may match', () => {
    const node =
      'p { compatible = "vendor,pool", "Shared-DMA-Pool"; reg = <0 0x50000000 0 0x1000>; no-map; };'
    expect(boot('6.1.192', node).log).toHaveLength(2)
  })
})

describe('dynamic regions', () => {
  const dyn = (name: string, props: string) => `${name} { ${props} };`
  const video =
    'compatible = "shared-dma-pool"; reusable; size = <0 0x400000>; alloc-ranges = <0 0x60000000 0 0x4000000>;'

  test('TV-15: 4 MiB of CMA at the top of its range; TV-16: on 16 KiB pages it is misaligned and given back', () => {
    for (const kernel of NOW) {
      expect(boot(kernel, dyn('dyn', video)).reserved_mem.regions[0]?.base).toBe(0x63c0_0000)
      const big = boot(kernel, dyn('dyn', video), { config: { pageSize: KiB(16), cmaAlignment: MiB(32) } })
      expect(big.log.slice(0, 2)).toEqual([
        'Reserved memory: incorrect alignment of CMA region',
        'OF: reserved mem: node dyn compatible matching fail',
      ])
      expect(memblock_is_region_reserved(big.memblock, 0x6000_0000, 0x400_0000)).toBe(false)
    }
  })

  test('MC-5.2: 6.12 keeps the order of the tree, 6.1 that of its heapsort; static regions come last in 6.1', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((name) =>
      dyn(name, 'compatible = "shared-dma-pool"; no-map; size = <0 0x1000>;'),
    )
    const order = (kernel: KernelVersion) =>
      boot(kernel, nodes.join('') + pool('s', 0x5000_0000, 4096, 'no-map;'))
        .log.map((line) => /initialized node (\w),/.exec(line)?.[1])
        .filter(Boolean)
        .join('')
    expect(order('6.1.192')).toBe('acdbs')
    expect(order('6.12.117')).toBe('abcds')
  })

  test.each(RESERVED_MEMORY_KERNELS)(
    'MC-5.2: a dynamic region avoids static ones, whatever their order in the tree [%s]',
    (kernel) => {
      const { reserved_mem } = boot(
        kernel,
        dyn('dyn', 'size = <0 0x100000>; alloc-ranges = <0 0x50000000 0 0x1000000>;') +
          'static@50f00000 { reg = <0 0x50f00000 0 0x100000>; };',
      )
      expect(reserved_mem.regions.find((r) => r.name === 'dyn')?.base).toBe(0x50e0_0000)
    },
  )

  test('6.12 searches from the bottom up beside a dynamic region that is placed already', () => {
    const nodes =
      dyn('a', video) + dyn('b', 'size = <0 0x800000>; alloc-ranges = <0 0x64000000 0 0x4000000>;')
    const base = (kernel: KernelVersion) =>
      boot(kernel, nodes).reserved_mem.regions.find((r) => r.name === 'b')?.base
    expect(base('6.12.117')).toBe(0x6400_0000)
    expect(base('6.1.192')).toBe(0x6780_0000)
  })

  test('ranges are tried in turn; none with room is a failure', () => {
    const full = 'static@50000000 { reg = <0 0x50000000 0 0x1000000>; };'
    const two = dyn(
      'd',
      'size = <0 0x800000>; alloc-ranges = <0 0x50000000 0 0x1000000>, <0 0x54000000 0 0x1000000>;',
    )
    expect(boot('6.1.192', full + two).reserved_mem.regions[0]?.base).toBe(0x5480_0000)
    const fails = (kernel: KernelVersion) => boot(kernel, dyn('greedy', 'size = <1 0>;')).log[0]
    expect(fails('4.6')).toBe("Reserved memory: failed to allocate memory for node 'greedy'")
    expect(fails('4.12.4')).toBe("OF: reserved mem: failed to allocate memory for node 'greedy'")
    expect(fails('6.1.192')).toBe(
      "OF: reserved mem: failed to allocate memory for node 'greedy': size 4096 MiB",
    )
  })

  test('properties of the wrong length', () => {
    const first = (props: string) => boot('6.1.192', dyn('d', props)).log[0]
    expect(first('size = <0x1000>;')).toBe("OF: reserved mem: invalid size property in 'd' node.")
    expect(first('size = <0 0x1000>; alignment = <0x1000>;')).toBe(
      "OF: reserved mem: invalid alignment property in 'd' node.",
    )
    expect(first('size = <0 0x1000>; alloc-ranges = <0 0>;')).toBe(
      "OF: reserved mem: invalid alloc-ranges property in 'd', skipping node.",
    )
  })

  test('no-map: a dynamic region is reserved as well, so /proc/iomem shows reserved in reserved', () => {
    const { procIomem } = boot(
      '6.1.192',
      dyn('d', 'no-map; size = <0 0x100000>; alloc-ranges = <0 0x50000000 0 0x100000>;'),
    )
    expect(procIomem()).toContain('50000000-500fffff : reserved\n  50000000-500fffff : reserved\n')
  })

  test('4.x gives up when the highest room lies below the range', () => {
    const { log } = boot('4.12.4', dyn('d', 'size = <0 0x1000>; alloc-ranges = <0 0x90000000 0 0x1000>;'))
    expect(log).toEqual(["OF: reserved mem: failed to allocate memory for node 'd'"])
  })
})

describe('the header’s /memreserve/', () => {
  const tree = () =>
    parse(`/dts-v1/; /memreserve/ 0x50000000 0x100000;
/ { #address-cells = <2>; #size-cells = <2>;
  memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x40000000>; };
  reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
    a@50000000 { reg = <0 0x50000000 0 0x100000>; no-map; };
  };
};`)

  test('comes first until 6.1, so no-map over it is refused; last in 6.12, so it is granted', () => {
    const refused = NOW.map((kernel) =>
      bare({ kernel, tree: tree() }).log.some((line) => line.includes('failed to reserve')),
    )
    expect(refused).toEqual([true, false])
  })
})

describe('the gallery', () => {
  test.each(NOW)('TV-14: 5.7b, in the order of the source [%s]', (kernel) => {
    const { log, procIomem } = bare({ kernel, tree: shippedTree('gallery') })
    const lines = log.filter((line) => /(created|fail|failed|ignores|invalid|overlaps)\b/.test(line))
    expect(lines.filter((line) => line.includes('created'))).toHaveLength(5)
    expect(lines.filter((line) => line.includes('matching fail'))).toEqual([
      'OF: reserved mem: node cma@5a100000 compatible matching fail',
      'OF: reserved mem: node both@5b000000 compatible matching fail',
    ])
    expect(lines.filter((line) => line.includes('overlaps'))).toHaveLength(2)
    const iomem = procIomem()
    expect(iomem).toContain(
      '\n50000000-50ffffff : reserved\n51000000-53ffffff : System RAM\n  52000000-52ffffff : reserved\n',
    )
    expect(iomem).toContain('\n  56000000-57ffffff : reserved\n')
    expect(iomem).toContain('\n  5c000000-5c2fffff : reserved\n')
    expect(iomem).not.toContain('5b000000')
  })
})

describe('numbers that are too wide', () => {
  test.each(RESERVED_MEMORY_KERNELS)('swapped cells are printed as they are [%s; 6.x booted]', (kernel) => {
    const swapped = `p@c0000000 { compatible = "shared-dma-pool"; no-map;
      reg = <0xc0000000 0 0x20000000 0>; };`
    const { log, memblock, procIomem } = boot(kernel, swapped)
    expect(log[0]).toBe(
      'Reserved memory: created DMA memory pool at 0xc000000000000000, size 2199023255552 MiB',
    )
    expect(log.slice(2)).toEqual(
      kernel === '6.12.117'
        ? [
            'OF: reserved mem: 0xc000000000000000..0xdfffffffffffffff (2251799813685248 KiB) nomap non-reusable p@c0000000',
          ]
        : [],
    )
    expect(memblock.memory.regions).toHaveLength(1)
    expect(procIomem()).toMatch(/^40000000-7fffffff : System RAM\n/)
  })

  test('the end of a region wraps in the log, and the next region does not overlap it [booted]', () => {
    const over = `p@c0000000 { compatible = "shared-dma-pool"; no-map;
      reg = <0xc0000000 0 0x80000000 0>; };`
    expect(boot('6.12.117', over).log.at(-1)).toBe(
      'OF: reserved mem: 0xc000000000000000..0x3fffffffffffffff (9007199254740992 KiB) nomap non-reusable p@c0000000',
    )
    const two =
      'a@f0000000 { reg = <0 0xf0000000 0 0x20000000>; }; b@f8000000 { reg = <0 0xf8000000 0 0x1000>; };'
    const arm = boot('6.12.117', two, { arch: 'arm' })
    expect(arm.log).toEqual([
      'OF: reserved mem: 0xf0000000..0x0fffffff (524288 KiB) map non-reusable a@f0000000',
      'OF: reserved mem: 0xf8000000..0xf8000fff (4 KiB) map non-reusable b@f8000000',
    ])
    expect(boot('6.12.117', two).log.join()).toContain('OVERLAP DETECTED!')
  })

  test.each(NOW)(
    'the end of alloc-ranges wraps: below its start is no room, 0 is no bound [%s]',
    (kernel) => {
      const region = (ranges: string, arch: 'arm' | 'arm64') =>
        boot(kernel, `d { size = <0 0x400000>; alloc-ranges = <${ranges}>; };`, { arch }).reserved_mem.regions
      expect(region('0 0x60000000 0 0xffffffff', 'arm').filter((r) => r.size)).toEqual([])
      expect(region('0 0x60000000 0 0xffffffff', 'arm64')[0]?.base).toBe(0x7fc0_0000)
      expect(region('0 0x60000000 0 0xa0000000', 'arm')[0]?.base).toBe(0x7fc0_0000)
    },
  )

  test.each(NOW)('an alignment that is no power of two clears bits, as in Linux [%s, booted]', (kernel) => {
    const { reserved_mem } = boot(kernel, 'a { size = <0 0x400000>; alignment = <0 0x300000>; };')
    expect(reserved_mem.regions[0]?.base).toBe(0x7fc0_0000)
  })
})

describe('what else depends on the kernel', () => {
  test('a name with a unit address is /reserved-memory to 6.x only', () => {
    const count = (kernel: KernelVersion) => {
      const body = '#address-cells = <2>; #size-cells = <2>; ranges; a { reg = <0 0x50000000 0 0x1000>; };'
      const tree = board(RAM_1G, '', `reserved-memory@0 { ${body} };`)
      return bare({ kernel, tree }).reserved_mem.regions.length
    }
    expect(RESERVED_MEMORY_KERNELS.map(count)).toEqual([0, 0, 1, 1])
  })

  test('an entry of the array of 6.12 has 48 bytes on arm64, 24 on arm, 40 with LPAE', () => {
    const bytes = (arch: 'arm' | 'arm64', physAddrBits: 32 | 64) => {
      const reserved = Array.from(
        { length: 8 },
        (_, i) => `r${i} { reg = <0 0x5${i}000000 0 0x1000>; no-map; };`,
      )
      const { memblock } = boot('6.12.117', reserved.join(''), { arch, config: { physAddrBits } })
      return memblock.reserved.regions.at(-1)?.size
    }
    expect(bytes('arm64', 64)).toBe(8 * 48)
    expect(bytes('arm', 32)).toBe(8 * 24)
    expect(bytes('arm', 64)).toBe(8 * 40)
  })

  test('a dynamic region that the table has no place for gets no memory', () => {
    const many = (kernel: KernelVersion, count: number) =>
      boot(
        kernel,
        Array.from({ length: count }, (_, i) => `d${i} { size = <0 0x1000>; no-map; };`).join(''),
      ).reserved_mem.regions.filter((r) => r.size).length
    expect([many('4.12.4', 17), many('6.1.192', 65), many('6.12.117', 65)]).toEqual([16, 64, 64])
  })
})
