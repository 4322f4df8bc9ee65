// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { Complaint } from '../../code/lib/complaint.ts'
import { MiB } from '../../code/lib/units.ts'
import { bootMachine } from '../../code/machine/boot.ts'
import { compareWithKernel } from '../../code/machine/conformance.ts'
import { answerableLines, kernelLines, observeBoot, ramPart } from '../../code/machine/observed.ts'
import { board, RAM_1G } from './board.ts'

// A boot in miniature, in the words of 6.1: one page table, one struct-page array, one late table.
const pa = (addr: number) => `0x${addr.toString(16).padStart(16, '0')}`
const took = (base: number, size: number, by = 'memblock_alloc_range_nid+0xe8/0x17c') =>
  `memblock_reserve: [${pa(base)}-${pa(base + size - 1)}] ${by}`
const asks = (who: string) =>
  `memblock_phys_alloc_range: 4096 bytes align=0x1000 from=${pa(0)} max_addr=${pa(1)} ${who}+0x2c/0xb0`

const BOOT = [
  'Booting Linux on physical CPU 0x0000000000 [0x410fd034]',
  'OF: fdt: Machine model: linux,dummy-virt',
  took(0x4800_0000, 0x1000, 'arm64_memblock_init+0x164/0x260'),
  took(0x4021_0000, 0x200_0000, 'arm64_memblock_init+0x1f0/0x260'),
  took(0x5000_0000, 0x10_0000, 'early_init_fdt_scan_reserved_mem+0x100/0x380'),
  asks('early_pgtable_alloc'),
  took(0x7fff_f000, 0x1000),
  `memblock_phys_free: [${pa(0x4220_b000)}-${pa(0x4220_ffff)}] paging_init+0x534/0x610`,
  asks('early_init_dt_alloc_memory_arch'),
  took(0x7fff_e000, 0x1000),
  took(0x7fff_d000, 0x1000),
  took(0x7be0_0000, MiB(64)),
  'cma: Reserved 64 MiB at 0x000000007be00000',
  'MEMBLOCK configuration:',
  ` reserved[0x0]\t[${pa(0x4820_0000)}-${pa(0x482f_ffff)}], 0x0000000000100000 bytes flags: 0x0`,
  asks('setup_arch'),
  took(0x7fff_c000, 0x1000),
  'Memory: 98324K/1048576K available (13248K kernel code, 2806K rwdata, 9524K rodata, 6464K init, 627K bss)',
  `memblock_phys_free: [${pa(0x4800_0000)}-${pa(0x4800_0fff)}] free_initrd_mem+0x34/0x5c`,
]
const console_ = (lines: string[]) => lines.map((line) => `[    0.000000] ${line}\r`).join('\n')
const kallsyms = 'ffff800008010000 T _stext\nffff800009660000 T __init_begin\n'
const observe = (lines = BOOT) =>
  observeBoot({ console: console_(lines), kallsyms, dtbSize: 0x10_0000, kernel: '6.1.192' })

describe('observeBoot()', () => {
  test('tells the kernel’s own events from those that the model makes, by stage', () => {
    const page = (base: number) => ({ op: 'reserve', base, size: 0x1000 })
    expect(observe().own).toEqual({
      paging: [page(0x7fff_f000), { op: 'free', base: 0x4220_b000, size: 0x5000 }],
      unflatten: [page(0x7fff_e000), page(0x7fff_d000)],
      late: [page(0x7fff_c000)],
    })
  })

  test('finds the image and the DTB', () => {
    expect(observe().dtbAt).toEqual({ base: 0x4820_0000, size: 0x10_0000 })
    expect(observe().image).toEqual({
      _text: 0x4020_0000,
      _stext: 0x4021_0000,
      __init_begin: 0x4186_0000,
      _sdata: 0x41eb_0000,
      _end: 0x4221_0000,
    })
  })

  test('complains of a log that begins too late, of zeros for symbols, of a wrong DTB size', () => {
    const without = (pattern: RegExp) => () => observe(BOOT.filter((line) => !pattern.test(line)))
    expect(without(/arm64_memblock_init/)).toThrow(Complaint)
    expect(without(/^MEMBLOCK/)).toThrow(/no line like .*MEMBLOCK/)
    expect(without(/^Memory:/)).toThrow(Complaint)
    const zeros = {
      console: console_(BOOT),
      kallsyms: kallsyms.replace(/[1-9a-f]/g, '0'),
      dtbSize: 0x10_0000,
    }
    expect(() => observeBoot({ ...zeros, kernel: '6.1.192' })).toThrow(/no address of _stext/)
    expect(() => observeBoot({ ...zeros, kallsyms, dtbSize: 1, kernel: '6.1.192' })).toThrow(/1 bytes/)
  })
})

// The same on arm, 6.12, a Zynq-7000: its DTB lies right behind the initrd, so that the dump shows one range.
const ARM = [
  'Booting Linux on physical CPU 0x0',
  took(0x8200, 0x44_5c70, 'arm_memblock_init+0x28/0x64'),
  took(0x800_0000, 0xd_d000, 'reserve_initrd_mem+0xcc/0x164'),
  took(0x4000, 0x4000, 'arm_memblock_init+0x30/0x64'),
  took(0, 0x8_0000, 'arm_memblock_init+0x40/0x64'),
  took(0x3700_0000, 0x100_0000),
  'cma: Reserved 16 MiB at 0x37000000 on node -1',
  'MEMBLOCK configuration:',
  ' reserved[0x1]\t[0x08000000-0x080eb969], 0x000eb96a bytes flags: 0x0',
  took(0x2fff_f000, 0x1000, 'early_alloc+0x20/0x4c'),
  asks('early_init_dt_alloc_memory_arch'),
  took(0x2ffe_0000, 0x1000),
  'Memory: 884616K/1048576K available (2519K kernel code, 627K rwdata, 672K rodata, 228K init, 244K bss)',
]
const armSymbols = 'c0008000 T _text\nc0008200 T _stext\nc033b000 T __init_begin\n'

describe('observeBoot() of arm', () => {
  const observed = observeBoot({
    ...{ console: console_(ARM), kallsyms: armSymbols, dtbSize: 0xe96a, kernel: '6.12.117', arch: 'arm' },
  })

  test('tells what the board keeps for itself from the image, and page tables from the tree', () => {
    const reserve = (base: number, size: number) => ({ op: 'reserve', base, size })
    expect(observed.own).toEqual({
      platform: [reserve(0x4000, 0x4000), reserve(0, 0x8_0000)],
      paging: [reserve(0x2fff_f000, 0x1000)],
      unflatten: [reserve(0x2ffe_0000, 0x1000)],
    })
  })

  test('finds the image by its symbols, and the DTB at the end of a range', () => {
    expect(observed.image).toEqual({
      ...{ _text: 0x8000, _stext: 0x8200, __init_begin: 0x33_b000, _sdata: 0x37_4000, _end: 0x44_de70 },
    })
    expect(observed.dtbAt).toEqual({ base: 0x80d_d000, size: 0xe96a })
  })

  test('bootMachine() puts CMA above all that the board took, and shows the image from _text on', () => {
    const machine = bootMachine({
      ...{ tree: board([0, MiB(1024)]), kernel: '6.12.117', arch: 'arm', cmdline: 'cma=16M', ...observed },
    })
    expect(machine.memblock.reserved.regions[0]).toMatchObject({ base: 0, size: 0x44_de70 })
    expect(machine.log).toContain('cma: Reserved 16 MiB at 0x3f000000 on node -1')
    expect(machine.procIomem()).toContain('  00008000-0033afff : Kernel code')
    expect(machine.procIomem()).toContain('  00374000-0044de6f : Kernel data')
  })
})

describe('answerableLines(), ramPart()', () => {
  test('keep what the model answers for', () => {
    expect(answerableLines(kernelLines(console_(BOOT)))).toEqual([
      'cma: Reserved 64 MiB at 0x000000007be00000',
    ])
    const overlap =
      'a (0x0000000050000000--0x0000000050200000) overlaps with b (0x0000000050100000--0x0000000050300000)'
    expect(
      answerableLines(['OF: reserved mem: OVERLAP DETECTED!', overlap, 'a overlaps with b']),
    ).toHaveLength(2)
    expect(
      ramPart(
        '09000000-09000fff : pl011\n  09000000-09000fff : x\n40000000-4fffffff : System RAM\n  41000000-41ffffff : Kernel code\n50000000-50ffffff : reserved\n8000000000-8fffffffff : pcie\n',
      ),
    ).toEqual([
      '40000000-4fffffff : System RAM',
      '  41000000-41ffffff : Kernel code',
      '50000000-50ffffff : reserved',
    ])
  })
})

describe('compareWithKernel()', () => {
  const machine = () => {
    const tree = board(RAM_1G, 'a@50000000 { reg = <0 0x50000000 0 0x100000>; };')
    return bootMachine({
      tree,
      kernel: '6.1.192',
      arch: 'arm64',
      ...observe(),
      initrd: { base: 0x4800_0000, size: 0x1000 },
    })
  }
  const iomem = [
    '40000000-7fffffff : System RAM',
    '  40210000-4185ffff : Kernel code',
    '  41860000-41eaffff : reserved',
    '  41eb0000-4220ffff : Kernel data',
    '  48000000-48000fff : reserved',
    '  48200000-482fffff : reserved',
    '  50000000-500fffff : reserved',
    '  7be00000-7fdfffff : reserved',
    '  7fffc000-7fffffff : reserved',
  ]

  test('finds nothing where the kernel says the same', () => {
    expect(compareWithKernel(machine(), { dmesg: console_(BOOT), iomem: iomem.join('\n') })).toEqual({
      compared: 10,
      different: [],
    })
  })

  test('names each line that is different, missing or too many', () => {
    const { different } = compareWithKernel(machine(), {
      dmesg: console_(BOOT).replace('MiB at 0x000000007be00000', 'MiB at 0x000000007bc00000') + '\ncma: more',
      iomem: iomem.slice(0, -1).join('\n'),
    })
    expect(
      different.map(({ what, model, kernel }) => [what, model?.slice(-8) ?? null, kernel?.slice(-8) ?? null]),
    ).toEqual([
      ['log', '7be00000', '7bc00000'],
      ['log', null, 'ma: more'],
      ['iomem', 'reserved', null],
    ])
  })
})
