// SPDX-License-Identifier: MIT
//
// drivers/of/device.c: what the device tree says of a device's DMA, read when a driver is bound to it.
//
//     bus@0 { dma-ranges = <0x0 0x40000000 0x40000000>;     bus address 0 is memory at 0x40000000, 1 GiB of it
//             dev { dma-coherent; }; };
//
//     masks      cut to what the ranges reach               dma_coherent     here, or at a node above
//     6.x also   bus_dma_limit, dma_range_map with every range; 4.x keeps the shift of the first range
//
// Leaves out: IOMMUs, `interconnects` instead of the parent, a bus behind a bus that moves addresses once more.

// #region of-device
import { EINVAL, ENODEV } from '../lib/errno.ts'
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import type { PhysAddr } from '../lib/units.ts'
import { of_fdt_device_is_available } from './fdt.ts'
import type { BusDmaRegion, Device } from './reserved_mem.ts'
import { cellsOf, property, readNumber, type DtNode } from './tree.ts'

// `#address-cells` or `#size-cells` that `node` sets for its children; without it, what the node above set.
function cellsFor(node: DtNode | null, name: '#address-cells' | '#size-cells'): number {
  for (let at = node; at; at = at.parent) {
    const cells = cellsOf(property(at, name)?.value ?? new Uint8Array())[0]
    if (cells !== undefined) return cells
  }
  return 1
}

// The bus above `np` that has ranges; null when the way up breaks off: 6.x lets the first bus be silent, 4.x none.
function busWithRanges(kernel: KernelVersion, np: DtNode): DtNode | null {
  let maySayNothing = kernelAtLeast(kernel, '6.1.192')
  for (let node = np.parent; node; node = node.parent) {
    const ranges = property(node, 'dma-ranges')
    if (ranges && ranges.value.length > 0) return node
    if (!ranges && !maySayNothing) return null
    maySayNothing = false
  }
  return null
}

/**
 * Where memory lies on the bus of the device at `np`; -ENODEV: its bus has no `dma-ranges`, or only empty ones, which move
 * nothing; -EINVAL: they hold no whole entry.
 * @kernel drivers/of/address.c of_dma_get_range() v6.12
 */
export function of_dma_get_range(kernel: KernelVersion, np: DtNode): BusDmaRegion[] | number {
  const bus = busWithRanges(kernel, np)
  if (!bus) return -ENODEV
  const map = rangesOf(bus)
  return map.length > 0 ? map : -EINVAL
}

// The entries of its `dma-ranges`.
function rangesOf(bus: DtNode): BusDmaRegion[] {
  const [na, pna, ns] = [
    cellsFor(bus, '#address-cells'),
    cellsFor(bus.parent, '#address-cells'),
    cellsFor(bus, '#size-cells'),
  ]
  const value = property(bus, 'dma-ranges')?.value ?? new Uint8Array()
  const step = (na + pna + ns) * 4
  const map: BusDmaRegion[] = []
  for (let at = 0; at + step <= value.length; at += step) {
    map.push({
      dma_start: readNumber(value, at, na),
      cpu_start: readNumber(value, at + na * 4, pna),
      size: readNumber(value, at + (na + pna) * 4, ns),
    })
  }
  return map
}

/**
 * The last address of memory that every bus at or below `np` reaches by its `dma-ranges`; null when none has any.
 * @kernel drivers/of/address.c of_dma_get_max_cpu_address() v6.12
 */
export function of_dma_get_max_cpu_address(np: DtNode): PhysAddr | null {
  const has = (property(np, 'dma-ranges')?.value.length ?? 0) > 0
  const own = has ? [Math.max(0, ...rangesOf(np).map(({ cpu_start, size }) => cpu_start + size - 1))] : []
  const below = np.children.filter(of_fdt_device_is_available).map(of_dma_get_max_cpu_address)
  const all = [...own, ...below.filter((last) => last !== null)]
  return all.length > 0 ? Math.min(...all) : null
}

/**
 * Whether the node or one above it says `dma-coherent`; 6.x stops at a `dma-noncoherent`.
 * @kernel drivers/of/address.c of_dma_is_coherent() v6.12
 */
export function of_dma_is_coherent(kernel: KernelVersion, np: DtNode): boolean {
  for (let node: DtNode | null = np; node; node = node.parent) {
    if (property(node, 'dma-coherent')) return true
    if (kernelAtLeast(kernel, '6.1.192') && property(node, 'dma-noncoherent')) return false
  }
  return false
}

// The last bus address in the ranges; a size of 0 ends them, and 0 is in none. Until 6.1 an odd size is taken for a mask.
function lastOf(kernel: KernelVersion, ranges: readonly BusDmaRegion[]): number {
  const end = ranges.findIndex(({ size }) => size === 0)
  const some = end < 0 ? ranges : ranges.slice(0, end)
  const last = Math.max(0, ...some.map(({ dma_start, size }) => dma_start + size - 1))
  const size = last + 1 - Math.min(last + 1, ...some.map(({ dma_start }) => dma_start))
  return size % 2 === 1 && !kernelAtLeast(kernel, '6.12.117') ? last + 1 : last
}

/**
 * Sets masks, limit, ranges and coherence of a device by its node. 0, or -EINVAL: 4.x, and the range is empty. For 6.x a
 * device with empty ranges reaches nothing, and 6.1 gives it masks of 0.
 * A device without masks gets them.
 * @kernel drivers/of/device.c of_dma_configure_id() v6.12; of_dma_configure() v4.12
 * @omits the lines of the log: `Invalid size … for dma-range(s)`, `DMA mask not set`
 */
export function of_dma_configure(kernel: KernelVersion, dev: Device): number {
  const np = dev.of_node
  if (!np) return 0
  const now = kernelAtLeast(kernel, '6.1.192')
  const ranges = of_dma_get_range(kernel, np)
  const map = typeof ranges === 'number' ? null : now ? ranges : ranges.slice(0, 1)
  if (!now && map?.[0]!.size === 0) return -EINVAL
  if (!now && !dev.coherent_dma_mask) dev.coherent_dma_mask = 0xffff_ffff
  const last = map && lastOf(kernel, map)
  // 4.x takes the logarithm of the end, so that a range that ends between two powers of two loses its upper part.
  const nothing = last === 0 && !kernelAtLeast(kernel, '6.12.117')
  const reach = nothing ? 0 : last || dev.coherent_dma_mask || 0xffff_ffff
  const bits = now ? Math.floor(Math.log2(reach || 0.5)) + 1 : Math.floor(Math.log2(reach + 1))
  dev.dma_mask = Math.min(dev.dma_mask ?? dev.coherent_dma_mask, 2 ** bits - 1)
  dev.coherent_dma_mask = Math.min(dev.coherent_dma_mask, 2 ** bits - 1)
  dev.dma_range_map = map
  if (now && map) dev.bus_dma_limit = reach
  dev.dma_coherent = of_dma_is_coherent(kernel, np)
  return 0
}
// #endregion of-device
