// SPDX-License-Identifier: MIT
//
// What the flag that pagesMarkedDcacheClean() sets is good for: flushes that are spared.
import { describe, expect, test } from 'vitest'
import type { Cpu } from '../../code/arch/cpu.ts'
import { cpuWrite, createCpu } from '../../code/arch/cpu.ts'
import { flushDcachePage, syncIcacheDcache } from '../../code/arch/dcache_clean.ts'
import { DMA_FROM_DEVICE } from '../../code/arch/dma_direction.ts'
import { pagesMarkedDcacheClean } from '../../code/arch/dma_sync.ts'
import { createRam, readBytes } from '../../code/arch/ram.ts'

const PAGE = 4096
const machine = () => createCpu({ ram: createRam(), arch: 'arm', lineSize: 32 })
const flushedPages = (cpu: Cpu) => (cpu.l1.counts.flush * 32) / PAGE

describe('syncIcacheDcache()', () => {
  test('MC-11.7: flushes 0 times for a page that is set, once for one that is clear, and sets it', () => {
    // FROM_DEVICE, offset 0x800, size 0x2800 on 4.12: pages 1 and 2 of 0 to 2 are set.
    const marked = pagesMarkedDcacheClean('4.12.4', 0x800, 0x2800, DMA_FROM_DEVICE)
    const flushes = [0, 1, 2].map((page) => {
      const cpu = machine()
      const map = (dcacheClean: boolean) =>
        syncIcacheDcache(cpu, page * PAGE, PAGE, { dcacheClean, exec: true })
      const after = map(marked.includes(page))
      expect(after).toBe(true)
      expect(map(after)).toBe(true)
      return flushedPages(cpu)
    })
    expect(flushes).toEqual([1, 0, 0])
  })

  test('brings what the kernel wrote to where instructions are fetched', () => {
    const cpu = machine()
    cpuWrite(cpu, 0x1010, Uint8Array.of(0xe1), 'normal')
    syncIcacheDcache(cpu, 0x1000, PAGE, { dcacheClean: false, exec: true })
    expect(readBytes(cpu.ram, 0x1010, 1)[0]).toBe(0xe1)
  })

  test('leaves a page alone that will not be executed', () => {
    const cpu = machine()
    const flags = [true, false].map((dcacheClean) =>
      syncIcacheDcache(cpu, 0, PAGE, { dcacheClean, exec: false }),
    )
    expect([flags, flushedPages(cpu)]).toEqual([[true, false], 0])
  })
})

describe('flushDcachePage()', () => {
  test.each([
    ['3.5', false, true, 1],
    ['3.9', false, true, 1],
    ['3.9', true, false, 0],
    ['4.6', false, false, 0],
    ['4.12.4', false, false, 0],
    ['6.12.117', true, false, 0],
  ] as const)(
    'MC-11.7: after a write of the CPU, [%s] page of an unmapped file %s: flag %s, %d flushes',
    (kernel, unmappedFile, flag, flushes) => {
      const cpu = machine()
      expect(flushDcachePage(cpu, kernel, 0, PAGE, unmappedFile)).toBe(flag)
      expect(flushedPages(cpu)).toBe(flushes)
    },
  )
})
