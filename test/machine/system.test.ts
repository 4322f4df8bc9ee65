// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import {
  KERNEL_VERSIONS,
  kernelAtLeast,
  type Arch,
  type KernelVersion,
} from '../../code/lib/kernel_version.ts'
import { GiB, MiB } from '../../code/lib/units.ts'
import { startSystem } from '../../code/machine/system.ts'
import { totalSize } from '../../code/mm/memblock.ts'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { zone_page_state } from '../../code/mm/page.ts'
import { board, RAM_1G } from './board.ts'

const archsOf = (kernel: KernelVersion): Arch[] => (kernelAtLeast(kernel, '4.6') ? ['arm', 'arm64'] : ['arm'])
const MACHINES = KERNEL_VERSIONS.flatMap((kernel) => archsOf(kernel).map((arch) => [kernel, arch] as const))

const start = (
  kernel: KernelVersion,
  arch: Arch,
  cmdline = 'cma=16M',
  ram: readonly [number, number] = RAM_1G,
) => startSystem({ kernel, arch, tree: board(ram, ''), cmdline, image: null })

describe('startSystem()', () => {
  test.each(MACHINES)('hands every page to a zone, CMA included [%s %s]', (kernel, arch) => {
    const { machine, pgdat, cma } = start(kernel, arch)
    const managed = pgdat.zones.reduce((sum, zone) => sum + zone.managed_pages, 0)
    const cmaPages = pgdat.zones.reduce((sum, zone) => sum + zone.cma_pages, 0)
    expect(cma.map(({ size }) => size)).toEqual([MiB(16)])
    expect(cmaPages).toBe(4096)
    expect(pgdat.totalcma_pages).toBe(4096)
    // Whole pages are taken for what is reserved: bounce buffers on arm64, bitmaps and tables.
    const kept = Math.floor((totalSize(machine.memblock.reserved) - MiB(16)) / 4096)
    const ram = GiB(1) / 4096
    expect(managed).toBeLessThanOrEqual(ram - kept)
    expect(managed).toBeGreaterThan(ram - kept - 16)
  })

  test('MC-2.12: three atomic pools of 32 pages lie in the default area after boot', () => {
    const { pgdat, cma, printk } = start('6.12.117', 'arm64')
    const free = pgdat.zones.reduce((sum, zone) => sum + zone_page_state(zone, NR_FREE_CMA_PAGES), 0)
    expect(pgdat.vm_event.cma_alloc_success).toBe(3)
    expect(free).toBe(4096 - 96)
    expect(cma[0]?.nr_pages_succeeded).toBe(96)
    expect(printk.lines.filter((line) => line.startsWith('DMA: preallocated'))).toEqual([
      'DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations',
      'DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations',
      'DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations',
    ])
  })

  test('boots 64 GiB', () => {
    const { pgdat } = start('6.12.117', 'arm64', 'cma=64M', [GiB(1), GiB(64)])
    const free = pgdat.zones.reduce((sum, zone) => sum + zone_page_state(zone, NR_FREE_PAGES), 0)
    expect(free).toBeGreaterThan(GiB(63.8) / 4096)
  })
})
