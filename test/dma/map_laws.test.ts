// SPDX-License-Identifier: MIT
//
// Drivers that keep to the rules, in any order, on every kernel: device and CPU always see each other's bytes, reached or
// bounced, coherent or not, while the cache fetches what it likes. And the books of the bounce buffer balance.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prefetch } from '../../code/arch/cache.ts'
import { DMA_FROM_DEVICE, DMA_TO_DEVICE, type DmaDirection } from '../../code/arch/dma_direction.ts'
import {
  dma_map_page,
  dma_mapping_error,
  dma_sync_single_range_for_cpu,
  dma_sync_single_range_for_device,
  dma_unmap_page,
} from '../../code/dma/map.ts'
import { dma_map_sg, dma_unmap_sg } from '../../code/dma/map_sg.ts'
import { mem_used, swiotlb_find_pool } from '../../code/dma/swiotlb_pool.ts'
import type { System } from '../../code/machine/system.ts'
import type { Device } from '../../code/of/reserved_mem.ts'
import { device, PAGE } from './dma_system.ts'
import {
  BOUNCING,
  cpuPuts,
  cpuSees,
  devicePuts,
  deviceSees,
  KERNELS,
  list,
  pages,
  slotFaults,
  withBounce,
} from './streaming_system.ts'
import { LAWS_TIMES } from '../support/laws_seed.ts'

const BUFFERS = 6
const ROOM = 8 * PAGE
// Wide ones reach all RAM of these machines, narrow ones the bounce buffer alone; where nothing bounces all are wide.
const devicesOf = (dma_mask: number): readonly Device[] =>
  [false, true].flatMap((dma_coherent) => [
    device('wide', { dma_coherent }),
    device('narrow', { dma_coherent, dma_mask }),
    device('picky', { dma_coherent, dma_mask, min_align_mask: 4095 }),
  ])

// A buffer, what it must hold, and who has it.
interface Lent {
  readonly at: ReturnType<typeof pages>
  bytes: number[]
  offset: number
  dev: Device
  dir: DmaDirection
  handle: number
  owner: 'cpu' | 'device' | null
}

type Op = {
  what: 'map' | 'cpu' | 'device' | 'hand' | 'part' | 'prefetch' | 'unmap'
  buffer: number
  a: number
  b: number
}
const op: fc.Arbitrary<Op> = fc.record({
  what: fc.constantFrom('map', 'map', 'cpu', 'device', 'hand', 'part', 'prefetch', 'unmap'),
  buffer: fc.nat(BUFFERS - 1),
  a: fc.nat(1e6),
  b: fc.nat(1e6),
})

class Driver {
  readonly buffers: Lent[]
  readonly system: System
  readonly devices: readonly Device[]

  constructor(system: System) {
    this.system = system
    this.devices = devicesOf(system.dma.swiotlb.defpool ? 0x47ff_ffff : 0xffff_ffff)
    const [dev] = this.devices as [Device]
    this.buffers = Array.from({ length: BUFFERS }, () => {
      const at = pages(system, 3)
      return { at, bytes: [], offset: 0, dev, dir: DMA_TO_DEVICE, handle: 0, owner: null }
    })
  }

  do({ what, buffer, a, b }: Op): void {
    const lent = this.buffers[buffer]!
    if (what === 'map') this.map(lent, a, b)
    else if (lent.owner === null) return
    else if (what === 'cpu') this.cpu(lent, a)
    else if (what === 'device') this.device(lent, a)
    else if (what === 'hand') this.hand(lent, 0, lent.bytes.length)
    else if (what === 'part') this.part(lent, a, b)
    else if (what === 'prefetch') prefetch(this.system.vm.cpu.l1, lent.at.pa + (a % ROOM))
    else this.unmap(lent)
  }

  map(lent: Lent, a: number, b: number): void {
    if (lent.owner !== null) return
    const { system } = this
    const size = a % 3 === 0 ? 1 + (b % 300) : 1 + (b % 20_000)
    Object.assign(lent, {
      offset: a % PAGE,
      dev: this.devices[a % this.devices.length]!,
      dir: (b % 3) as DmaDirection,
    })
    lent.bytes = Array.from({ length: size }, (_, i) => (a + i) % 256)
    cpuPuts(system, lent.at.va + lent.offset, lent.bytes)
    const used = mem_used(system.dma.swiotlb)
    lent.handle = dma_map_page(system.dma, lent.dev, lent.at.pfn, lent.offset, size, lent.dir)
    if (dma_mapping_error(system.dma, lent.dev, lent.handle)) {
      expect(mem_used(system.dma.swiotlb)).toBe(used)
      return
    }
    this.apart(lent)
    lent.owner = 'device'
    // What a device does not write, a kernel before 6.x does not promise to leave.
    if (lent.dir === DMA_FROM_DEVICE) this.device(lent, a)
  }

  // No two mappings of the bounce buffer touch, and each keeps the bits that its device wants.
  apart(lent: Lent): void {
    const { swiotlb } = this.system.dma
    const bounced = (each: Lent) => swiotlb_find_pool(swiotlb, each.handle) !== null
    if (!bounced(lent)) return
    for (const other of this.buffers) {
      if (other === lent || other.owner === null || !bounced(other)) continue
      expect(
        lent.handle + lent.bytes.length <= other.handle || other.handle + other.bytes.length <= lent.handle,
      ).toBe(true)
    }
    if (lent.dev.min_align_mask && this.system.dma.kernel.startsWith('6'))
      expect(lent.handle % 4096).toBe((lent.at.pa + lent.offset) % 4096)
  }

  cpu(lent: Lent, a: number): void {
    if (lent.owner !== 'cpu') return
    expect(cpuSees(this.system, lent.at.va + lent.offset, lent.bytes.length)).toEqual(lent.bytes)
    if (lent.dir === DMA_FROM_DEVICE) return
    lent.bytes = lent.bytes.map((_, i) => (a + i * 3) % 256)
    cpuPuts(this.system, lent.at.va + lent.offset, lent.bytes)
  }

  device(lent: Lent, a: number): void {
    if (lent.owner !== 'device') return
    const { system } = this
    if (lent.dir !== DMA_FROM_DEVICE)
      expect(deviceSees(system, lent.dev, lent.handle, lent.bytes.length)).toEqual(lent.bytes)
    if (lent.dir === DMA_TO_DEVICE) return
    lent.bytes = lent.bytes.map((_, i) => (a + i * 7) % 256)
    devicePuts(system, lent.dev, lent.handle, lent.bytes)
  }

  hand(lent: Lent, from: number, size: number): void {
    const { dma } = this.system
    const toCpu = lent.owner === 'device'
    const sync = toCpu ? dma_sync_single_range_for_cpu : dma_sync_single_range_for_device
    sync(dma, lent.dev, lent.handle, from, size, lent.dir)
    lent.owner = toCpu ? 'cpu' : 'device'
  }

  // A part goes to the CPU, is looked at, changed if that is its way, and goes back. Parts are whole lines of the data.
  part(lent: Lent, a: number, b: number): void {
    if (lent.owner !== 'device') return
    // 6.1 does not copy a part that begins low in a slot for such a device: see swiotlb.test.ts.
    if (lent.dev.min_align_mask && this.system.dma.kernel === '6.1.192') return
    const line = 64
    const first = (line - (lent.offset % line)) % line
    const lines = Math.floor((lent.bytes.length - first) / line)
    if (lines < 1) return
    const from = first + (a % lines) * line
    const size = Math.min(1 + (b % 40), Math.floor((lent.bytes.length - from) / line)) * line
    const { va } = lent.at
    this.hand(lent, from, size)
    expect(cpuSees(this.system, va + lent.offset + from, size)).toEqual(lent.bytes.slice(from, from + size))
    if (lent.dir !== DMA_FROM_DEVICE) {
      lent.bytes.fill(b % 256, from, from + size)
      cpuPuts(this.system, va + lent.offset + from, lent.bytes.slice(from, from + size))
    }
    this.hand(lent, from, size)
  }

  unmap(lent: Lent): void {
    if (lent.owner === null) return
    if (lent.owner === 'cpu') this.hand(lent, 0, lent.bytes.length)
    const { dma } = this.system
    dma_unmap_page(dma, lent.dev, lent.handle, lent.bytes.length, lent.dir)
    lent.owner = null
    expect(cpuSees(this.system, lent.at.va + lent.offset, lent.bytes.length)).toEqual(lent.bytes)
  }
}

describe('streaming mappings, in any order', () => {
  test.each(KERNELS)(
    'device and CPU see each other’s bytes; every map has its unmap [$arch $kernel]',
    (k) => {
      const system = withBounce(BOUNCING.includes(k) ? 256 : 0, k)
      const driver = new Driver(system)
      fc.assert(
        fc.property(fc.array(op, { minLength: 20, maxLength: 60 }), (ops) => {
          for (const each of ops) driver.do(each)
          if (system.dma.swiotlb.defpool) expect(slotFaults(system)).toEqual([])
          for (const lent of driver.buffers) driver.unmap(lent)
          expect(mem_used(system.dma.swiotlb)).toBe(0)
        }),
        { numRuns: 40 * LAWS_TIMES },
      )
      if (system.dma.swiotlb.defpool) expect(slotFaults(system)).toEqual([])
    },
  )

  test.each(BOUNCING)('a list is mapped whole, or not at all [$arch $kernel]', (k) => {
    const system = withBounce(256, k)
    const dev = devicesOf(0x47ff_ffff)[1]!
    const piece = fc.tuple(
      fc.integer({ min: 0x5_0000, max: 0x6_0000 }),
      fc.integer({ min: 1, max: 262_144 }),
      fc.nat(4095),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0, 1, 2),
        (pieces, dir) => {
          const sg = list(...pieces)
          const n = dma_map_sg(system.dma, dev, sg, sg.length, dir as DmaDirection)
          const told = sg.slice(0, n).reduce((sum, { dma_length }) => sum + dma_length, 0)
          if (n === 0) expect(mem_used(system.dma.swiotlb)).toBe(0)
          else expect([n, told]).toEqual([sg.length, pieces.reduce((sum, [, length]) => sum + length, 0)])
          const slots = pieces.reduce((sum, [, length]) => sum + Math.ceil(length / 2048), 0)
          if (n > 0) expect(mem_used(system.dma.swiotlb)).toBe(slots)
          if (n > 0) dma_unmap_sg(system.dma, dev, sg, sg.length, dir as DmaDirection)
          expect([slotFaults(system), mem_used(system.dma.swiotlb)]).toEqual([[], 0])
        },
      ),
      { numRuns: 25 * LAWS_TIMES },
    )
  })
})
