// SPDX-License-Identifier: MIT
//
// Laws of DMA buffers, whoever gives them: devices with a pool, with an area, coherent and not, callers that wait and
// those that cannot, on every kernel.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kernelRead, kernelWrite, translate } from '../../code/arch/kernel_map.ts'
import { dma_alloc_coherent, dma_free_coherent } from '../../code/dma/mapping.ts'
import type { DmaBuffer } from '../../code/dma/dma_state.ts'
import { gen_pool_avail, gen_pool_has_addr } from '../../code/lib/genalloc.ts'
import {
  KERNEL_VERSIONS,
  RESERVED_MEMORY_KERNELS,
  type Arch,
  type KernelVersion,
} from '../../code/lib/kernel_version.ts'
import { MiB } from '../../code/lib/units.ts'
import { GFP_ATOMIC, GFP_KERNEL } from '../../code/mm/gfp.ts'
import type { Device } from '../../code/of/reserved_mem.ts'
import type { System } from '../../code/machine/system.ts'
import { device, freePages, PAGE, physOf, poolBits, poolClient, start, usedOf } from './dma_system.ts'
import { LAWS_TIMES } from '../support/laws_seed.ts'

const RESERVED = `
  p: pool@48000000 { compatible = "shared-dma-pool"; no-map; reg = <0 0x48000000 0 0x64000>; };
  c: area@4a000000 { compatible = "shared-dma-pool"; reusable; reg = <0 0x4a000000 0 0x800000>; };`

interface Board {
  readonly system: System
  readonly devices: readonly Device[]
}

function boardOf(kernel: KernelVersion, arch: Arch): Board {
  const tree = (RESERVED_MEMORY_KERNELS as readonly string[]).includes(kernel)
  const nodes = 'client { memory-region = <&p>; };'
  const wish = { kernel, arch, ram: [0x4000_0000, MiB(256)] as const, cmdline: 'cma=8M' }
  const system = start(tree ? { ...wish, reserved: RESERVED, nodes } : wish)
  const devices = [device('plain'), device('coherent', { dma_coherent: true })]
  if (tree) {
    const area = system.cma.find(({ name }) => name.startsWith('area'))!
    devices.push(poolClient(system), poolClient(system), device('area', { cma_area: area }))
  }
  return { system, devices }
}

// Everything that a buffer may take something from.
function possessions({ system, devices }: Board) {
  const { kernelMap, dma, cma } = system
  const pools = [dma.atomic.kernel, dma.atomic.dma, dma.atomic.dma32].map(
    (pool) => pool && gen_pool_avail(pool),
  )
  const bits = devices.filter((dev) => dev.dma_mem).map((dev) => poolBits(dev).length)
  const own = devices.some((dev) => dev.dma_mem) ? 1 : 0
  return {
    free: freePages(system),
    used: cma.map((_, i) => usedOf(system, i)),
    pools,
    bits,
    // A pool is mapped when it is used first, and stays.
    areas: kernelMap.areas.filter(({ pfns }) => pfns[0] !== 0x4_8000).length,
    types: kernelMap.linearTypes.size,
    records: dma.arm_dma_bufs.size,
    own,
  }
}

interface Live extends DmaBuffer {
  readonly dev: Device
  readonly size: number
  readonly mark: number
  readonly phys: number
}

const isArmPool = ({ dma, kernelMap }: System, addr: number) =>
  kernelMap.arch === 'arm' && dma.atomic.kernel !== null && gen_pool_has_addr(dma.atomic.kernel, addr, 1)

function checkNew(system: System, live: readonly Live[], now: Live): void {
  const { kernelMap } = system
  expect(translate(kernelMap, now.cpu_addr).pa).toBe(now.phys)
  expect(translate(kernelMap, now.cpu_addr + now.size - 1).pa).toBe(now.phys + now.size - 1)
  const pages = (each: Live) => Math.ceil(each.size / PAGE) * PAGE
  for (const other of live) {
    expect(now.phys >= other.phys + pages(other) || now.phys + pages(now) <= other.phys).toBe(true)
    const apart = now.cpu_addr >= other.cpu_addr + pages(other) || now.cpu_addr + pages(now) <= other.cpu_addr
    expect(apart).toBe(true)
  }
  // arm does not clear what it takes from its atomic pool.
  if (isArmPool(system, now.cpu_addr)) return
  expect(kernelRead(kernelMap, now.cpu_addr, now.size).every((byte) => byte === 0)).toBe(true)
}

function checkMark({ kernelMap }: System, { cpu_addr, size, mark }: Live): void {
  expect(kernelRead(kernelMap, cpu_addr, size).every((byte) => byte === mark)).toBe(true)
}

const steps = fc.array(
  fc.record({
    dev: fc.nat(9),
    size: fc.oneof(fc.integer({ min: 1, max: 40 * PAGE }), fc.constantFrom(PAGE, 8 * PAGE, MiB(1))),
    atomic: fc.boolean(),
    free: fc.option(fc.nat(12)),
  }),
  { minLength: 1, maxLength: 30 },
)
const machines = KERNEL_VERSIONS.flatMap((kernel) =>
  (kernel.startsWith('3') ? (['arm'] as const) : (['arm', 'arm64'] as const)).map(
    (arch) => [kernel, arch] as const,
  ),
)

describe('buffers', () => {
  test.each(machines)(
    'never overlap, are cleared, keep their bytes until they are freed, and all goes back [%s %s]',
    (kernel, arch) => {
      fc.assert(
        fc.property(steps, (script) => {
          const board = boardOf(kernel, arch)
          const { system, devices } = board
          const before = possessions(board)
          const live: Live[] = []
          const free = (index: number) => {
            const [buffer] = live.splice(index, 1)
            checkMark(system, buffer!)
            dma_free_coherent(system.dma, buffer!.dev, buffer!.size, buffer!.cpu_addr, buffer!.dma_handle)
          }
          script.forEach((step, i) => {
            const dev = devices[step.dev % devices.length]!
            const buffer = dma_alloc_coherent(
              system.dma,
              dev,
              step.size,
              step.atomic ? GFP_ATOMIC : GFP_KERNEL,
            )
            if (buffer) {
              const now = { ...buffer, dev, size: step.size, mark: i + 1, phys: physOf(system, dev, buffer) }
              checkNew(system, live, now)
              kernelWrite(system.kernelMap, now.cpu_addr, new Uint8Array(step.size).fill(now.mark))
              live.push(now)
            }
            if (step.free !== null && step.free < live.length) free(step.free)
          })
          while (live.length > 0) free(0)
          expect(possessions(board)).toEqual(before)
        }),
        { numRuns: 20 * LAWS_TIMES },
      )
    },
  )
})
