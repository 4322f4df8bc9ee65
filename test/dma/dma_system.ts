// SPDX-License-Identifier: MIT
//
// A small running machine for the tests of DMA buffers, and what they look at.
import { readBytes, writeBytes } from '../../code/arch/ram.ts'
import { find_next_bit, test_bit } from '../../code/lib/bitmap.ts'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import type { Pfn, PhysAddr } from '../../code/lib/units.ts'
import type { DmaCoherentMem } from '../../code/dma/coherent.ts'
import { dma_to_phys } from '../../code/dma/dma_address.ts'
import type { DmaBuffer } from '../../code/dma/dma_state.ts'
import { startSystem, type System, type SystemOptions } from '../../code/machine/system.ts'
import { NR_FREE_PAGES } from '../../code/mm/mmzone.ts'
import { createDevice, type Device } from '../../code/of/reserved_mem.ts'
import { of_reserved_mem_device_init } from '../../code/of/reserved_mem_device.ts'
import { findNode } from '../../code/of/tree.ts'
import { board, RAM_1G } from '../machine/board.ts'

export const PAGE = 4096
export const NOW = ['6.1.192', '6.12.117'] as const

export interface Wish extends Partial<SystemOptions> {
  readonly kernel?: KernelVersion
  readonly arch?: Arch
  /** RAM: base and size. */
  readonly ram?: readonly [number, number]
  /** Children of /reserved-memory, and of the root. */
  readonly reserved?: string
  readonly nodes?: string
}

/** 1 GiB of RAM at 0x40000000 with nothing in it, no CMA area unless `cmdline` has one; arm64 6.12 by default. */
export function start({
  kernel = '6.12.117',
  arch = 'arm64',
  ram = RAM_1G,
  reserved,
  nodes,
  ...rest
}: Wish = {}): System {
  const tree = board(ram, reserved ?? '', nodes ?? '')
  return startSystem({ tree, kernel, arch, image: null, cmdline: 'cma=0', ...rest })
}

/** A device that a driver bound: 32 bits, not coherent. */
export function device(name = 'dev0', wish: Partial<Device> = {}): Device {
  return Object.assign(createDevice(`sample ${name}`, null), wish)
}

/** A device with a pool of `pages` pages at 0x50000000, and its machine. */
export function withPool(
  pages: number,
  wish: Wish = {},
  base = 0x5000_0000,
): { system: System; dev: Device } {
  const reg = `<0 0x${base.toString(16)} 0 0x${(pages * PAGE).toString(16)}>`
  const reserved = `p: pool@${base.toString(16)} { compatible = "shared-dma-pool"; no-map; reg = ${reg}; };`
  const system = start({ reserved, nodes: 'client { memory-region = <&p>; };', ...wish })
  return { system, dev: poolClient(system) }
}

/** One more device on that pool. */
export function poolClient({ machine }: System): Device {
  const dev = createDevice('sample client', findNode(machine.tree, '/client'))
  if (of_reserved_mem_device_init(machine.reserved_mem, dev) !== 0) throw new Error(machine.log.join('\n'))
  return dev
}

/** Where a buffer lies. */
export function physOf({ dma }: System, dev: Device | null, buffer: DmaBuffer): PhysAddr {
  return dma_to_phys(dma.kernel, dev, buffer.dma_handle)
}

export function pfnOf(system: System, dev: Device | null, buffer: DmaBuffer): Pfn {
  return Math.floor(physOf(system, dev, buffer) / PAGE)
}

/** Free pages of all zones. */
export function freePages({ pgdat }: System): number {
  return pgdat.zones.reduce((sum, zone) => sum + zone.vm_stat[NR_FREE_PAGES]!, 0)
}

/** Bits of a device's pool that are taken, as numbers. */
export function poolBits(dev: Device): number[] {
  const bitmap = (dev.dma_mem as DmaCoherentMem).live?.bitmap
  return bitmap ? Array.from({ length: bitmap.nbits }, (_, i) => i).filter((i) => test_bit(i, bitmap)) : []
}

/** Whether no page of the default area (or of area `i`) is taken. */
export function usedOf({ cma }: System, i = 0): number {
  const { bitmap } = cma[i]!
  let used = 0
  for (let bit = 0; (bit = find_next_bit(bitmap!, bitmap!.nbits, bit)) < bitmap!.nbits; bit++) used++
  return used
}

/** Puts a byte of dirt all over `[pa, pa + size)`, behind everybody's back. */
export function soil({ vm }: System, pa: PhysAddr, size: number): void {
  writeBytes(vm.cpu.ram, pa, new Uint8Array(size).fill(0xd1))
}

export function ramAt({ vm }: System, pa: PhysAddr, size: number): Uint8Array {
  return readBytes(vm.cpu.ram, pa, size)
}

/** Warnings and errors of the log since `from`. */
export function complaints({ printk }: System, from = 0): string[] {
  return printk.records
    .slice(from)
    .filter((line) => line.level !== 'info')
    .map((line) => line.text)
}
