// SPDX-License-Identifier: MIT
//
// The machines of the laws: small, so that a failure shrinks quickly, and with everything that a law is about.
//
//     layout 0    64 MiB of RAM at 0x40000000; arm: the last 16 MiB are high memory; 6.12: the first 32 are a zone
//     layout 1    72 MiB; arm64: the last 24 MiB lie above 4 GiB; arm: as above; 3.5: all devices are coherent
//
//     two CMA areas (the default one, and from 4.6 on one of a device), a pool that no page stands for, four devices
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import { kernelAtLeast, KERNEL_VERSIONS } from '../../code/lib/kernel_version.ts'
import { KiB, MiB } from '../../code/lib/units.ts'
import { dma_declare_coherent_memory } from '../../code/dma/coherent_alloc.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { createDevice, type Device } from '../../code/of/reserved_mem.ts'
import { of_reserved_mem_device_init } from '../../code/of/reserved_mem_device.ts'
import { findNode, type DeviceTree } from '../../code/of/tree.ts'
import { board } from './board.ts'

export const PAGE = 4096
export const LAYOUTS = 2
export const POOL_PAGES = 48

export interface LawMachine {
  readonly kernel: KernelVersion
  readonly arch: Arch
}

/** Every kernel that the models know, on every architecture that it has. */
export const MACHINES: readonly LawMachine[] = KERNEL_VERSIONS.flatMap((kernel) => [
  { kernel, arch: 'arm' as const },
  ...(kernelAtLeast(kernel, '4.6') ? [{ kernel, arch: 'arm64' as const }] : []),
])

/** A device, whether it looks into the caches, and where its buffers come from. */
export interface LawDevice {
  readonly dev: Device
  readonly coherent: boolean
  readonly pool: boolean
}

export interface LawSystem {
  readonly system: System
  readonly devices: readonly LawDevice[]
}

// Where RAM begins and how much there is.
function ramOf(arch: Arch, layout: number): readonly [base: number, size: number] {
  if (layout === 0) return [0x4000_0000, MiB(64)]
  return [arch === 'arm' ? 0x8000_0000 : 0xfd00_0000, MiB(72)]
}

const hex = (n: number) => `0x${Math.floor(n / 2 ** 32).toString(16)} 0x${(n % 2 ** 32).toString(16)}`
const trees = new Map<string, DeviceTree>()

// Parsing a tree takes longer than to boot.
function treeOf({ kernel, arch }: LawMachine, layout: number): DeviceTree {
  const key = `${kernel} ${arch} ${layout}`
  const known = trees.get(key)
  if (known) return known
  const ram = ramOf(arch, layout)
  const area = ram[0] + ram[1] - MiB(layout === 0 ? 32 : 16)
  const pool = ram[0] + MiB(9)
  const reserved = `
    area: area { compatible = "shared-dma-pool"; reusable; reg = <${hex(area)} ${hex(MiB(8))}>; };
    pool: pool { compatible = "shared-dma-pool"; no-map; reg = <${hex(pool)} ${hex(POOL_PAGES * PAGE)}>; };`
  const nodes = 'camera { memory-region = <&area>; }; screen { memory-region = <&pool>; };'
  const tree = kernelAtLeast(kernel, '4.6') ? board(ram, reserved, nodes) : board(ram)
  trees.set(key, tree)
  return tree
}

/** Boots one. */
export function bootLaws(machine: LawMachine, layout: number): LawSystem {
  const { kernel, arch } = machine
  const coherentMachine = kernel === '3.5' && layout === 1
  const system = startSystem({
    ...{ kernel, arch, image: null, tree: treeOf(machine, layout), cmdline: 'cma=16M coherent_pool=64K' },
    ...(arch === 'arm' ? { config: { lowmem: MiB(layout === 0 ? 48 : 56) } } : {}),
    hardware: {
      outerCache: arch === 'arm' && layout === 1,
      hwDirtyBit: arch === 'arm64' && layout === 1,
      ...(arch === 'arm64' && layout === 0 ? { dmaRangesLast: 0x41ff_ffff } : {}),
    },
    dma: { coherentMachine },
  })
  const device = (name: string, wish: Partial<Device> = {}): Device =>
    Object.assign(createDevice(`law ${name}`, findNode(system.machine.tree, `/${name}`)), wish)
  const attached = kernelAtLeast(kernel, '4.6')
  const [camera, screen] = [device('camera'), device('screen')]
  if (attached) {
    for (const dev of [camera, screen])
      if (of_reserved_mem_device_init(system.machine.reserved_mem, dev) !== 0)
        throw new Error(`bootLaws: ${dev.name} has no region: ${system.machine.log.join('\n')}`)
  } else if (
    dma_declare_coherent_memory(system.dma, screen, 0x2000_0000, 0x2000_0000, KiB(4) * POOL_PAGES) === 0
  )
    throw new Error(`bootLaws: no pool: ${system.machine.log.join('\n')}`)
  // A device that reaches everything, where there is more than 32 bits reach.
  const wide = arch === 'arm64' ? { coherent_dma_mask: 2 ** 64, dma_mask: 2 ** 64 } : {}
  const coherent = kernel !== '3.5'
  const devices = [
    { dev: device('disk'), coherent: coherentMachine, pool: false },
    {
      dev: device('net', { dma_coherent: coherent, ...wide }),
      coherent: coherent || coherentMachine,
      pool: false,
    },
    { dev: camera, coherent: coherentMachine, pool: false },
    { dev: screen, coherent: coherentMachine, pool: true },
  ]
  return { system, devices }
}
