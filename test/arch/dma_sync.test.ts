// SPDX-License-Identifier: MIT
//
// Who sees which byte, around a transfer: the CPU through its cache, a device through RAM.
import { describe, expect, test } from 'vitest'
import type { CacheOp } from '../../code/arch/cache.ts'
import { evict, lineState, prefetch } from '../../code/arch/cache.ts'
import type { Cpu } from '../../code/arch/cpu.ts'
import { cpuRead, cpuWrite, createCpu, deviceRead, deviceWrite, logCacheOps } from '../../code/arch/cpu.ts'
import type { DmaDirection } from '../../code/arch/dma_direction.ts'
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_NONE,
  DMA_TO_DEVICE,
  valid_dma_direction,
} from '../../code/arch/dma_direction.ts'
import type { SyncKernel } from '../../code/arch/dma_sync.ts'
import {
  arch_dma_prep_coherent,
  arch_sync_dma_for_cpu,
  arch_sync_dma_for_device,
  invalidateRange,
  pagesMarkedDcacheClean,
} from '../../code/arch/dma_sync.ts'
import { createRam, readBytes } from '../../code/arch/ram.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'

const ARM64: SyncKernel[] = [
  { arch: 'arm64', kernel: '4.12.4' },
  { arch: 'arm64', kernel: '6.1.192' },
  { arch: 'arm64', kernel: '6.12.117' },
]
const ARM: SyncKernel[] = (['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117'] as const).map((kernel) => ({
  arch: 'arm',
  kernel,
}))
const KERNELS = [...ARM64, ...ARM]

const machine = ({ arch }: SyncKernel, outer = false): Cpu =>
  createCpu({ ram: createRam(), arch, lineSize: 64, outer })
const BUFFER = 0x4000_0000
const SIZE = 0x100

const byte = (cpu: Cpu, pa: number): number => cpuRead(cpu, pa, 1, 'normal')[0]!
const deviceByte = (cpu: Cpu, pa: number, coherent = false): number => deviceRead(cpu, pa, 1, coherent)[0]!
const store = (cpu: Cpu, pa: number, value: number): void => cpuWrite(cpu, pa, Uint8Array.of(value), 'normal')
const deviceStore = (cpu: Cpu, pa: number, value: number, coherent = false): void =>
  deviceWrite(cpu, pa, Uint8Array.of(value), coherent)

/** `L1 clean 0x40×2`: as the log has it, addresses from `base`. */
const told = (log: readonly CacheOp[], base: number): string[] =>
  log.map(({ level, op, pa, lines }) => `${level} ${op} 0x${(pa - base).toString(16)}×${lines}`)

describe('arch_sync_dma_for_device()', () => {
  test.each(KERNELS)(
    'MC-11.1: shows a device what the CPU wrote, 0x00 before and 0xAA after [$arch $kernel]',
    (k) => {
      const cpu = machine(k)
      store(cpu, BUFFER, 0xaa)
      expect(deviceByte(cpu, BUFFER)).toBe(0x00)
      arch_sync_dma_for_device(cpu, k, BUFFER, SIZE, DMA_TO_DEVICE)
      expect(deviceByte(cpu, BUFFER)).toBe(0xaa)
      expect(lineState(cpu.l1, BUFFER)).toBe('clean')
    },
  )

  test.each([
    ['6.1.192', 'arm64', ['L1 clean 0x0×3'], 0xdd],
    ['6.12.117', 'arm64', ['L1 clean 0x0×3'], 0xdd],
    ['4.12.4', 'arm64', ['L1 flush 0x0×1', 'L1 flush 0x80×1', 'L1 invalidate 0x40×1'], 0x00],
    ['3.5', 'arm', ['L1 flush 0x0×1', 'L1 flush 0x80×1', 'L1 invalidate 0x40×1'], 0x00],
    ['6.12.117', 'arm', ['L1 flush 0x0×1', 'L1 flush 0x80×1', 'L1 invalidate 0x40×1'], 0x00],
  ] as const)(
    'MC-11.9: of [0x30,0xb0) FROM_DEVICE, what the CPU wrote in the middle: %s %s',
    (kernel, arch, ops, inRam) => {
      const k = { kernel, arch }
      const cpu = machine(k)
      store(cpu, BUFFER + 0x50, 0xdd)
      const log = logCacheOps(cpu)
      arch_sync_dma_for_device(cpu, k, BUFFER + 0x30, 0x80, DMA_FROM_DEVICE)
      expect(told(log, BUFFER)).toEqual(ops)
      expect(readBytes(cpu.ram, BUFFER + 0x50, 1)[0]).toBe(inRam)
    },
  )
})

describe('arch_sync_dma_for_cpu()', () => {
  test.each(KERNELS)(
    'MC-11.1: shows the CPU what a device wrote, 0x00 before and 0x55 after [$arch $kernel]',
    (k) => {
      const cpu = machine(k)
      expect(byte(cpu, BUFFER)).toBe(0x00)
      deviceStore(cpu, BUFFER, 0x55)
      expect(byte(cpu, BUFFER)).toBe(0x00)
      arch_sync_dma_for_cpu(cpu, k, BUFFER, SIZE, DMA_FROM_DEVICE)
      expect(byte(cpu, BUFFER)).toBe(0x55)
    },
  )

  test.each(KERNELS)(
    'MC-11.1: left out after a prefetch during the transfer, the CPU reads 0x00 for ever [$arch $kernel]',
    (k) => {
      const cpu = machine(k)
      arch_sync_dma_for_device(cpu, k, BUFFER, SIZE, DMA_FROM_DEVICE)
      prefetch(cpu.l1, BUFFER)
      deviceStore(cpu, BUFFER, 0x55)
      expect([byte(cpu, BUFFER), byte(cpu, BUFFER)]).toEqual([0, 0])
      arch_sync_dma_for_cpu(cpu, k, BUFFER, SIZE, DMA_FROM_DEVICE)
      expect(byte(cpu, BUFFER)).toBe(0x55)
    },
  )

  test.each(KERNELS)(
    'MC-11.2: of a line shared with a neighbour the CPU’s old byte wins over the device’s [$arch $kernel]',
    (k) => {
      const cpu = machine(k)
      arch_sync_dma_for_device(cpu, k, BUFFER + 0x30, 0x80, DMA_FROM_DEVICE)
      store(cpu, BUFFER + 0x20, 0x11)
      deviceStore(cpu, BUFFER + 0x38, 0x22)
      deviceStore(cpu, BUFFER + 0x50, 0x33)
      arch_sync_dma_for_cpu(cpu, k, BUFFER + 0x30, 0x80, DMA_FROM_DEVICE)
      expect([0x20, 0x38, 0x50].map((at) => byte(cpu, BUFFER + at))).toEqual([0x11, 0x00, 0x33])
      expect(deviceByte(cpu, BUFFER + 0x38)).toBe(0x00)
    },
  )

  test.each(KERNELS)(
    'TV-38, MC-11.2: [0x30,0xb0) FROM_DEVICE flushes lines 0x00 and 0x80, forgets line 0x40 [$arch $kernel]',
    (k) => {
      const cpu = machine(k)
      for (const line of [0x00, 0x40, 0x80]) store(cpu, BUFFER + line, 0xee)
      const log = logCacheOps(cpu)
      arch_sync_dma_for_cpu(cpu, k, BUFFER + 0x30, 0x80, DMA_FROM_DEVICE)
      expect(told(log, BUFFER)).toEqual(['L1 flush 0x0×1', 'L1 flush 0x80×1', 'L1 invalidate 0x40×1'])
      expect([0x00, 0x40, 0x80].map((line) => readBytes(cpu.ram, BUFFER + line, 1)[0])).toEqual([
        0xee, 0x00, 0xee,
      ])
      expect(cpu.l1.counts.dirtyLinesLost).toBe(1)
      expect([0x00, 0x40, 0x80].map((line) => lineState(cpu.l1, BUFFER + line))).toEqual([
        'absent',
        'absent',
        'absent',
      ])
    },
  )

  test.each(KERNELS)('does nothing for TO_DEVICE [$arch $kernel]', (k) => {
    const cpu = machine(k)
    const log = logCacheOps(cpu)
    arch_sync_dma_for_cpu(cpu, k, BUFFER, SIZE, DMA_TO_DEVICE)
    expect(log).toEqual([])
  })
})

describe('arch_sync_dma_for_device() and _for_cpu()', () => {
  test.each(KERNELS)('MC-11.3: BIDIRECTIONAL cleans at map, invalidates at unmap [$arch $kernel]', (k) => {
    const cpu = machine(k)
    store(cpu, BUFFER, 0xaa)
    const log = logCacheOps(cpu)
    arch_sync_dma_for_device(cpu, k, BUFFER, SIZE, DMA_BIDIRECTIONAL)
    expect(told(log, BUFFER)).toEqual(['L1 clean 0x0×4'])
    expect(deviceByte(cpu, BUFFER)).toBe(0xaa)
    deviceStore(cpu, BUFFER, 0xbb)
    arch_sync_dma_for_cpu(cpu, k, BUFFER, SIZE, DMA_BIDIRECTIONAL)
    expect(told(log, BUFFER)).toEqual(['L1 clean 0x0×4', 'L1 invalidate 0x0×4'])
    expect(byte(cpu, BUFFER)).toBe(0xbb)
  })

  const ORDER: Record<string, [DmaDirection, string[], string[]]> = {
    TO_DEVICE: [DMA_TO_DEVICE, ['L1 clean 0x0×4', 'outer clean 0x0×4'], []],
    BIDIRECTIONAL: [
      DMA_BIDIRECTIONAL,
      ['L1 clean 0x0×4', 'outer clean 0x0×4'],
      ['outer invalidate 0x0×4', 'L1 invalidate 0x0×4'],
    ],
    FROM_DEVICE: [
      DMA_FROM_DEVICE,
      ['L1 invalidate 0x0×4', 'outer invalidate 0x0×4'],
      ['outer invalidate 0x0×4', 'L1 invalidate 0x0×4'],
    ],
  }
  for (const [name, [dir, mapped, unmapped]] of Object.entries(ORDER))
    test.each(ARM)(`MC-11.8: order of L1 and outer cache for ${name} [arm $kernel]`, (k) => {
      const cpu = machine(k, true)
      const log = logCacheOps(cpu)
      arch_sync_dma_for_device(cpu, k, BUFFER, SIZE, dir)
      expect(told(log, BUFFER)).toEqual(mapped)
      log.length = 0
      arch_sync_dma_for_cpu(cpu, k, BUFFER, SIZE, dir)
      expect(told(log, BUFFER)).toEqual(unmapped)
    })

  test.each(ARM)('MC-11.8: both levels reach the device, and both give way to it [arm $kernel]', (k) => {
    const cpu = machine(k, true)
    store(cpu, BUFFER, 0xaa)
    evict(cpu.l1, BUFFER)
    expect(deviceByte(cpu, BUFFER)).toBe(0x00)
    arch_sync_dma_for_device(cpu, k, BUFFER, SIZE, DMA_BIDIRECTIONAL)
    expect(deviceByte(cpu, BUFFER)).toBe(0xaa)
    expect(byte(cpu, BUFFER)).toBe(0xaa)
    deviceStore(cpu, BUFFER, 0xbb)
    arch_sync_dma_for_cpu(cpu, k, BUFFER, SIZE, DMA_BIDIRECTIONAL)
    expect(byte(cpu, BUFFER)).toBe(0xbb)
  })
})

describe('invalidateRange()', () => {
  test('inside the other order the first level would fill from the second, and stay stale (why MC-11.8)', () => {
    const cpu = machine({ arch: 'arm', kernel: '4.12.4' }, true)
    byte(cpu, BUFFER)
    deviceStore(cpu, BUFFER, 0x55)
    invalidateRange(cpu.l1, BUFFER, SIZE)
    prefetch(cpu.l1, BUFFER)
    invalidateRange(cpu.outer!, BUFFER, SIZE)
    expect(byte(cpu, BUFFER)).toBe(0x00)
  })

  test('within one line keeps what the CPU wrote there', () => {
    const cpu = machine({ arch: 'arm64', kernel: '6.12.117' })
    store(cpu, BUFFER + 0x10, 0x77)
    invalidateRange(cpu.l1, BUFFER + 0x10, 0x10)
    expect(readBytes(cpu.ram, BUFFER + 0x10, 1)[0]).toBe(0x77)
    expect(lineState(cpu.l1, BUFFER)).toBe('absent')
  })
})

describe('a coherent device', () => {
  test.each([false, true])(
    'MC-11.4: sees and is seen at once, without one cache op (outer cache: %s)',
    (outer) => {
      const cpu = machine({ arch: 'arm', kernel: '4.12.4' }, outer)
      const log = logCacheOps(cpu)
      store(cpu, BUFFER, 0xaa)
      store(cpu, BUFFER + 1, 0xab)
      expect(deviceByte(cpu, BUFFER, true)).toBe(0xaa)
      deviceStore(cpu, BUFFER, 0xbb, true)
      expect([byte(cpu, BUFFER), byte(cpu, BUFFER + 1)]).toEqual([0xbb, 0xab])
      expect(log).toEqual([])
      expect(cpu.l1.counts).toEqual({ clean: 0, invalidate: 0, flush: 0, dirtyLinesLost: 0 })
    },
  )
})

describe('arch_dma_prep_coherent()', () => {
  test.each([
    ['6.12.117', 'arm64', 'clean'],
    ['6.1.192', 'arm64', 'flush'],
    ['4.12.4', 'arm64', 'flush'],
    ['4.12.4', 'arm', 'flush'],
    ['6.12.117', 'arm', 'flush'],
  ] as const)('[%s %s] writes dirty lines out: %s', (kernel, arch, op) => {
    const cpu = machine({ kernel, arch })
    store(cpu, BUFFER, 0xaa)
    const log = logCacheOps(cpu)
    arch_dma_prep_coherent(cpu, { kernel, arch }, BUFFER, SIZE)
    expect(told(log, BUFFER)).toEqual([`L1 ${op} 0x0×4`])
    expect(cpuRead(cpu, BUFFER, 1, 'normal-nc')[0]).toBe(0xaa)
    expect(lineState(cpu.l1, BUFFER)).toBe(op === 'clean' ? 'clean' : 'absent')
  })
})

describe('pagesMarkedDcacheClean()', () => {
  const CASES: [offset: number, size: number, dir: DmaDirection, v3: number[], v4: number[]][] = [
    [0x800, 0x2800, DMA_FROM_DEVICE, [], [1, 2]],
    [0, 0x2800, DMA_FROM_DEVICE, [0], [0, 1]],
    [0x800, 0x1000, DMA_FROM_DEVICE, [], []],
    [0, 0x1000, DMA_FROM_DEVICE, [0], [0]],
    [0, 0x2800, DMA_BIDIRECTIONAL, [0], [0, 1]],
    [0, 0x2800, DMA_TO_DEVICE, [], []],
    [0, 0xfff, DMA_FROM_DEVICE, [], []],
  ]
  for (const kernel of ['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117'] as KernelVersion[])
    test.each(CASES)(
      `TV-46, MC-11.7: [${kernel}] offset %i, size %i, dir %i`,
      (offset, size, dir, v3, v4) => {
        expect(pagesMarkedDcacheClean(kernel, offset, size, dir)).toEqual(kernel.startsWith('3.') ? v3 : v4)
      },
    )

  test('MC-11.7: 6.12 goes by folio, and one that is not wholly inside gets no mark', () => {
    // Folio of 4 pages at 0, then one of 2 pages at 4.
    const folioAt = (page: number) => (page < 4 ? { first: 0, pages: 4 } : { first: 4, pages: 2 })
    const marked = (kernel: KernelVersion, offset: number, size: number) =>
      pagesMarkedDcacheClean(kernel, offset, size, DMA_FROM_DEVICE, 4096, folioAt)
    expect(marked('6.12.117', 0, 0x6000)).toEqual([0, 4])
    expect(marked('6.12.117', 0x1000, 0x5000)).toEqual([4])
    expect(marked('6.12.117', 0, 0x5000)).toEqual([0])
    expect(marked('6.12.117', 0, 0x3000)).toEqual([])
    expect(marked('6.1.192', 0, 0x3000)).toEqual([0, 1, 2])
  })
})

describe('valid_dma_direction()', () => {
  test('refuses DMA_NONE and numbers that are none', () => {
    expect(
      [DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE, 4, -1].map(valid_dma_direction),
    ).toEqual([true, true, true, false, false, false])
  })
})
