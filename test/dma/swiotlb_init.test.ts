// SPDX-License-Identifier: MIT
//
// The lines of 6.1 and 6.12 on QEMU virt were seen there: 8 GiB and 1 GiB of RAM, 1 and 6 CPUs, Debian's kernels.
import { describe, expect, test } from 'vitest'
import { swiotlbAtBoot, type SwiotlbBoot } from '../../code/dma/swiotlb_init.ts'
import type { IoTlbMem } from '../../code/dma/swiotlb_pool.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import { memblock_is_region_reserved, memblock_reserve } from '../../code/mm/memblock.ts'
import { zoneLimits } from '../../code/mm/zones.ts'
import { bare, board } from '../machine/board.ts'
import { NOW } from './dma_system.ts'

interface Wish extends Partial<SwiotlbBoot> {
  readonly base?: number
  readonly size?: number
  readonly dmaRangesLast?: number
  readonly taken?: readonly (readonly [number, number])[]
}

function boot(
  kernel: KernelVersion,
  wish: Wish = {},
): { mem: IoTlbMem; lines: string[]; memblock: SwiotlbBoot['memblock'] } {
  const { base = GiB(1), size = GiB(8), dmaRangesLast, taken = [], arch = 'arm64', ...rest } = wish
  const { memblock, printk } = bare({ tree: board([base, size]), kernel, arch })
  for (const [from, bytes] of taken) memblock_reserve(memblock, from, bytes)
  const ranges = dmaRangesLast === undefined ? {} : { dmaRangesLast }
  const dmaPhysLimit = zoneLimits({ kernel, arch, memblock, ...ranges })[0]!.end
  const before = printk.records.length
  const phys_to_virt = (pa: number) => pa - base + 0xf_8000_0000_0000
  const mem = swiotlbAtBoot({
    ...{ kernel, arch, memblock, log: printk, cmdline: '', dmaPhysLimit, phys_to_virt },
    ...rest,
  })
  return { mem, lines: printk.lines.slice(before), memblock }
}

const CMA = [0xfc00_0000, MiB(64)] as const

describe('swiotlbAtBoot()', () => {
  test.each(NOW)('RAM beyond the DMA zone: 64 MiB, as high in it as there is room [%s]', (kernel) => {
    const { mem, lines, memblock } = boot(kernel, { taken: [CMA] })
    expect(lines).toEqual([
      'software IO TLB: area num 1.',
      'software IO TLB: mapped [mem 0x00000000f8000000-0x00000000fc000000] (64MB)',
    ])
    expect(mem.defpool!.nslabs).toBe(32768)
    expect(memblock_is_region_reserved(memblock, 0xf800_0000, MiB(64))).toBe(true)
  })

  test.each(NOW)('the last page of a zone that is free to its end is left out [%s]', (kernel) => {
    expect(boot(kernel).lines.at(-1)).toBe(
      'software IO TLB: mapped [mem 0x00000000fbfff000-0x00000000fffff000] (64MB)',
    )
  })

  test('RAM within the zone: 6.1 has none, 6.12 1 MiB for each GiB, for small buffers', () => {
    expect(boot('6.1.192', { size: GiB(1) })).toMatchObject({ mem: { defpool: null }, lines: [] })
    const { lines, mem } = boot('6.12.117', { size: GiB(1), taken: [[0x7ac0_0000, MiB(84)]] })
    expect(lines).toEqual([
      'software IO TLB: SWIOTLB bounce buffer size adjusted to 1MB',
      'software IO TLB: area num 1.',
      'software IO TLB: mapped [mem 0x000000007ab00000-0x000000007ac00000] (1MB)',
    ])
    expect(mem.defpool!.nslabs).toBe(512)
    expect(boot('6.12.117', { size: GiB(1), DMA_BOUNCE_UNALIGNED_KMALLOC: false }).mem.defpool).toBeNull()
  })

  test('six CPUs: eight areas of 128 slots each, so that 1 MiB becomes 2', () => {
    const { lines, mem } = boot('6.12.117', { size: GiB(1), cpus: 6, taken: [[0x7ab8_0000, 0x548_0000]] })
    expect(lines).toEqual([
      'software IO TLB: SWIOTLB bounce buffer size adjusted to 1MB',
      'software IO TLB: area num 8.',
      'software IO TLB: SWIOTLB bounce buffer size roundup to 2MB',
      'software IO TLB: mapped [mem 0x000000007a980000-0x000000007ab80000] (2MB)',
    ])
    expect([mem.defpool!.areas.length, mem.defpool!.area_nslabs]).toEqual([8, 128])
  })

  test.each(NOW)('swiotlb=8192,force: 16 MiB, and every mapping bounces [%s]', (kernel) => {
    const { lines, mem } = boot(kernel, { cmdline: 'quiet swiotlb=8192,force', taken: [CMA] })
    expect(lines.at(-1)).toBe('software IO TLB: mapped [mem 0x00000000fb000000-0x00000000fc000000] (16MB)')
    expect(mem.force_bounce).toBe(true)
  })

  test('the forms of swiotlb=', () => {
    const of = (value: string, size = GiB(8)) => {
      const { mem } = boot('6.12.117', { cmdline: `swiotlb=${value}`, size })
      return mem.defpool && [mem.defpool.nslabs, mem.defpool.areas.length, mem.force_bounce]
    }
    expect(of('1')).toEqual([128, 1, false])
    expect(of('0x1000')).toEqual([4096, 1, false])
    expect(of('1000,4')).toEqual([1024, 4, false])
    expect(of('1000,3,force')).toEqual([1024, 4, true])
    expect(of('force', GiB(1))).toEqual([512, 1, true])
    expect(of('noforce')).toBeNull()
    expect(of('nonsense')).toEqual([32768, 1, false])
  })

  test('a size of the command line is not made smaller for small buffers', () => {
    const { lines } = boot('6.12.117', { size: GiB(1), cmdline: 'swiotlb=4096' })
    expect(lines).toEqual(['software IO TLB: area num 1.', expect.stringContaining('(8MB)')])
  })

  test('without room for all of it: half, and so on down to 1 MiB; then none', () => {
    const narrow = { base: 0, dmaRangesLast: MiB(16) - 1, size: GiB(1) }
    const { lines, mem } = boot('6.12.117', narrow)
    expect(lines).toEqual([
      'software IO TLB: area num 1.',
      ...[64, 32, 16].map(
        (mib) =>
          `software IO TLB: swiotlb_memblock_alloc: Failed to allocate ${MiB(mib)} bytes tlb structure`,
      ),
      'software IO TLB: SWIOTLB bounce buffer size adjusted 32768 -> 4096 slabs',
      'software IO TLB: mapped [mem 0x00000000007ff000-0x0000000000fff000] (8MB)',
    ])
    expect(mem.defpool!.nslabs).toBe(4096)
    const none = boot('6.12.117', { ...narrow, taken: [[0, MiB(16)]] })
    expect([none.mem.defpool, none.lines.length]).toEqual([null, 1 + 7])
  })

  test('28 bits: RAM at 0 and a bus of 256 MiB put the bounce buffer where such a device reaches it', () => {
    for (const kernel of NOW) {
      const { mem } = boot(kernel, { base: 0, size: GiB(1), dmaRangesLast: 0x0fff_ffff })
      expect([mem.defpool!.start, mem.defpool!.end]).toEqual([0x0bff_f000, 0x0fff_f000])
    }
  })

  test('28 bits with a bus that begins at 0x40000000: 6.12 knows the end of it, 6.1 only its bits', () => {
    const end = (kernel: KernelVersion) =>
      boot(kernel, { size: GiB(2), dmaRangesLast: 0x4fff_ffff }).mem.defpool!.end
    expect([end('6.1.192'), end('6.12.117')]).toEqual([0x7fff_f000, 0x4fff_f000])
  })

  test('4.12: by need, else it says that nobody may bounce; the line has the address of the CPU', () => {
    const { mem, lines } = boot('4.12.4', { taken: [CMA] })
    expect(lines).toEqual([
      'software IO TLB [mem 0xf8000000-0xfc000000] (64MB) mapped at [ffff8000b8000000-ffff8000bbffffff]',
    ])
    expect(mem).toMatchObject({ noForce: false, io_tlb_overflow_buffer: 0xf7ff_8000 })
    expect(boot('4.12.4', { size: GiB(1) }).mem).toMatchObject({ defpool: null, noForce: true })
    expect(boot('4.12.4', { size: GiB(1), cmdline: 'swiotlb=force' }).mem).toMatchObject({
      force_bounce: true,
    })
    const noforce = boot('4.12.4', { cmdline: 'swiotlb=noforce' }).mem
    expect([noforce.noForce, noforce.defpool!.nslabs]).toEqual([true, 1])
  })

  test('4.6: always, whatever the machine needs; it does not know noforce', () => {
    const { mem } = boot('4.6', { size: GiB(1), cmdline: 'swiotlb=noforce' })
    expect([mem.defpool!.nslabs, mem.noForce]).toEqual([32768, false])
  })

  test('4.x without room: one try, and a warning', () => {
    const { mem, lines } = boot('4.12.4', { taken: [[GiB(1), GiB(3)]] })
    expect([mem.defpool, lines]).toEqual([null, ['Cannot allocate SWIOTLB buffer']])
  })

  test('arm: with LPAE in 6.x only', () => {
    const of = (kernel: KernelVersion) =>
      boot(kernel, { arch: 'arm', size: GiB(1), dmaPhysLimit: 0x6000_0000 }).mem.defpool
    expect(of('4.12.4')).toBeNull()
    const { memblock } = bare({ tree: board([GiB(1), GiB(1)]), kernel: '6.12.117', arch: 'arm' })
    expect(of('6.12.117') !== null).toBe(memblock.physAddrBits === 64)
  })
})
