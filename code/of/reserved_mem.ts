// SPDX-License-Identifier: MIT
//
// drivers/of/of_reserved_mem.c: the table of the regions in /reserved-memory, and what happens to each of them.
//
//     reserved_mem_scan.ts    reads the nodes and reserves what they name     ┐
//     reserved_mem_alloc.ts   finds room for nodes that only give a size      ├─ at boot, in an order that depends
//     here                    keeps the table, runs the region's driver       ┘  on the kernel
//     reserved_mem_device.ts  gives a region to a device, later
//
// Two things happen to a region and they are independent: its memory is taken (memblock), and it may get a driver.
// A driver that matches and then fails costs the region its memory (6.x): it goes back to the system.
//
// Log lines are the kernel's own, prefix included (MC-5.8, MC-5.9).

// #region reserved-mem-imports
import { ENOENT } from '../lib/errno.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import { sort } from '../lib/sort.ts'
import { formatPa, lastPa, wrapPa, type Bytes, type DmaAddr, type PhysAddr } from '../lib/units.ts'
import { memblock_clear_nomap, memblock_phys_free, type Memblock } from '../mm/memblock.ts'
import { of_flat_dt_is_compatible, type RootCells } from './fdt.ts'
import { phandleOf, property, type DeviceTree, type DtNode } from './tree.ts'
// #endregion reserved-mem-imports

// #region reserved-mem-types
/** A region of the table. @kernel include/linux/of_reserved_mem.h struct reserved_mem v6.12 */
export interface ReservedMem {
  readonly name: string
  readonly fdt_node: DtNode
  readonly phandle: number | null
  base: PhysAddr
  /** Unit: bytes; 0 while a dynamic region has no place. */
  size: Bytes
  /** Set by the driver that took the region; null without one. */
  ops: ReservedMemOps | null
  /** The driver's own: a CMA area, a coherent pool. */
  priv: unknown
}

/** What a region can do for a device. Errors are negative errno values. */
export interface ReservedMemOps {
  device_init(rmem: ReservedMem, dev: Device): number
  device_release(rmem: ReservedMem, dev: Device): void
}
// #endregion reserved-mem-types

// #region reserved-mem-device-type
/** A device, as far as reserved memory and the DMA API touch it. @kernel include/linux/device.h struct device v6.12 */
export interface Device {
  /** As dev_info() prints it: driver and device name. */
  readonly name: string
  readonly of_node: DtNode | null
  /** The highest address that it can drive in a streaming mapping; null for a device that has no such mask. */
  dma_mask: number | null
  /** The same for coherent buffers; 0 when nobody said. */
  coherent_dma_mask: number
  /** The highest address that its bus can drive; 0 for no limit. */
  bus_dma_limit: number
  /** Whether it looks into the caches: the hardware keeps them and its view of memory alike. */
  dma_coherent: boolean
  /** How its bus moves addresses; null when it does not. 4.x knows the first entry only, as `dma_pfn_offset`. */
  dma_range_map: readonly BusDmaRegion[] | null
  /** Low bits that a bounce buffer keeps of the address of the data: ones, or 0 for none. */
  min_align_mask: number
  /** Since 6.10: changing hands costs nothing, as far as is known; see dma_set_mask(). */
  dma_skip_sync: boolean
  dma_mem: unknown
  cma_area: unknown
}
/** Where a piece of memory appears on a bus. @kernel include/linux/dma-direct.h struct bus_dma_region v6.12 */
export interface BusDmaRegion {
  readonly cpu_start: PhysAddr
  readonly dma_start: DmaAddr
  readonly size: Bytes
}

/**
 * A device without region, of 32 address lines unless told otherwise; mask 0: without masks, as a misc device. It is
 * coherent when its node says so; of/device.ts looks further up in the tree.
 */
export function createDevice(name: string, of_node: DtNode | null, coherent_dma_mask = 0xffff_ffff): Device {
  return {
    ...{ name, of_node, coherent_dma_mask, dma_mask: coherent_dma_mask || null, bus_dma_limit: 0 },
    ...{ dma_coherent: of_node !== null && property(of_node, 'dma-coherent') !== null, dma_range_map: null },
    ...{ min_align_mask: 0, dma_skip_sync: false, dma_mem: null, cma_area: null },
  }
}
// #endregion reserved-mem-device-type

// #region reserved-mem-state
/** What RESERVEDMEM_OF_DECLARE() puts into the kernel's table, in the order of linking. */
export interface RegionDriver {
  readonly compatible: string
  /** 0, or a negative errno: not mine after all. */
  readonly init: (rmem: ReservedMem) => number
}

/** The state of the file, and what it works on. */
export interface ReservedMemTable {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly memblock: Memblock
  readonly log: Printk
  readonly tree: DeviceTree
  readonly cells: RootCells
  /** Handed down by the machine: kernel/dma is a room above this one. */
  readonly drivers: readonly RegionDriver[]
  /** `CMA_MIN_ALIGNMENT_BYTES`. */
  readonly cmaAlignment: Bytes
  readonly regions: ReservedMem[]
  /** Regions that the array can hold. */
  capacity: number
  /** What of_reserved_mem_device_init() handed out, newest first. */
  readonly assigned: { readonly dev: Device; readonly rmem: ReservedMem }[]
}
// #endregion reserved-mem-state

// #region reserved-mem-create
/** @kernel drivers/of/of_reserved_mem.c MAX_RESERVED_REGIONS: 16 in v4.12, 64 in v6.1 */
export function MAX_RESERVED_REGIONS(kernel: KernelVersion): number {
  return kernelAtLeast(kernel, '6.1.192') ? 64 : 16
}

export function createReservedMemTable(
  from: Omit<ReservedMemTable, 'regions' | 'capacity' | 'assigned'>,
): ReservedMemTable {
  return { ...from, regions: [], capacity: MAX_RESERVED_REGIONS(from.kernel), assigned: [] }
}

/** The prefix of lines of of_reserved_mem.c: in 4.6 each text begins with its own. */
export function prefix(kernel: KernelVersion): string {
  return kernel === '4.6' ? 'Reserved memory: ' : 'OF: reserved mem: '
}
// #endregion reserved-mem-create

// #region reserved-mem-save-node
/**
 * Enters a region into the table. When the table is full the region is left out of it: a static one keeps its memory
 * reserved, a dynamic one is never placed.
 * 6.12 runs the region's driver at once; earlier kernels wait until all regions are known.
 * @kernel drivers/of/of_reserved_mem.c fdt_reserved_mem_save_node() v6.12
 */
export function fdt_reserved_mem_save_node(
  table: ReservedMemTable,
  node: DtNode,
  uname: string,
  base: PhysAddr,
  size: Bytes,
): void {
  if (table.regions.length === table.capacity) {
    const what = kernelAtLeast(table.kernel, '6.1.192') ? 'space for all' : 'space all'
    table.log.print('err', `${prefix(table.kernel)}not enough ${what} defined regions.`)
    return
  }
  const phandle = phandleOf(node)
  const rmem: ReservedMem = { name: uname, fdt_node: node, phandle, base, size, ops: null, priv: null }
  if (kernelAtLeast(table.kernel, '6.12.117')) fdt_init_reserved_mem_node(table, rmem)
  table.regions.push(rmem)
}
// #endregion reserved-mem-save-node

// #region reserved-mem-init-node
// The first driver that wants the region gets it: 0; -ENOENT when none matches; else the errno of the last that did.
function __reserved_mem_init_node(table: ReservedMemTable, rmem: ReservedMem): number {
  let ret = -ENOENT
  for (const { compatible, init } of table.drivers) {
    if (!of_flat_dt_is_compatible(rmem.fdt_node, compatible)) continue
    ret = init(rmem)
    if (ret === 0) {
      const line = `initialized node ${rmem.name}, compatible id ${compatible}`
      table.log.print('info', prefix(table.kernel) + line)
      break
    }
  }
  return ret
}
// #endregion reserved-mem-init-node

// #region reserved-mem-init-region
/**
 * Runs the region's driver. If one matched and failed, 6.x gives the memory back to the system.
 * @kernel drivers/of/of_reserved_mem.c fdt_init_reserved_mem_node() v6.12, fdt_init_reserved_mem() v6.1
 */
export function fdt_init_reserved_mem_node(table: ReservedMemTable, rmem: ReservedMem): void {
  const { kernel, memblock, log } = table
  const nomap = property(rmem.fdt_node, 'no-map') !== null
  const err = __reserved_mem_init_node(table, rmem)
  if (!kernelAtLeast(kernel, '6.1.192')) return
  if (err !== 0 && err !== -ENOENT) {
    log.print('info', `${prefix(kernel)}node ${rmem.name} compatible matching fail`)
    if (nomap) memblock_clear_nomap(memblock, rmem.base, rmem.size)
    else memblock_phys_free(memblock, rmem.base, rmem.size)
  } else if (kernelAtLeast(kernel, '6.12.117')) {
    log.print('info', prefix(kernel) + rangeLine(table, rmem, nomap))
  }
}
// #endregion reserved-mem-init-region

// #region reserved-mem-range-line
// The summary that 6.12 prints of a region that stays.
function rangeLine({ memblock }: ReservedMemTable, rmem: ReservedMem, nomap: boolean): string {
  const pa = (addr: number | bigint) => formatPa(addr, memblock.physAddrBits)
  const kib = Math.floor(rmem.size / 1024)
  const reusable = property(rmem.fdt_node, 'reusable') ? 'reusable' : 'non-reusable'
  const mapped = nomap ? 'nomap' : 'map'
  return `${pa(rmem.base)}..${pa(lastPa(rmem.base, rmem.size))} (${kib} KiB) ${mapped} ${reusable} ${rmem.name}`
}
// #endregion reserved-mem-range-line

// #region reserved-mem-cmp
// By base, then by size (6.x), then by place in the tree (6.12). Before 6.12 all dynamic regions are 0 and 0 here: equal.
function __rmem_cmp(kernel: KernelVersion): (a: ReservedMem, b: ReservedMem) => number {
  return (a, b) => {
    if (a.base !== b.base) return a.base < b.base ? -1 : 1
    if (!kernelAtLeast(kernel, '6.1.192')) return 0
    if (a.size !== b.size) return a.size < b.size ? -1 : 1
    return kernelAtLeast(kernel, '6.12.117') ? placeInTree(a.fdt_node) - placeInTree(b.fdt_node) : 0
  }
}

function placeInTree(node: DtNode): number {
  return node.parent?.children.indexOf(node) ?? 0
}
// #endregion reserved-mem-cmp

// #region reserved-mem-overlap
/**
 * Sorts the table and names neighbours that overlap. It changes nothing but the order, and that is the order in which
 * 4.6 to 6.1 go on to initialise the regions.
 * @kernel drivers/of/of_reserved_mem.c __rmem_check_for_overlap() v6.12
 */
export function __rmem_check_for_overlap(table: ReservedMemTable): void {
  const { regions, kernel, log, memblock } = table
  if (regions.length < 2) return
  sort(regions, __rmem_cmp(kernel))
  const span = (r: ReservedMem) =>
    `${r.name} (${formatPa(r.base, memblock.physAddrBits)}--${formatPa(r.base + r.size, memblock.physAddrBits)})`
  for (const [i, next] of regions.entries()) {
    const prev = regions[i - 1]
    if (!prev || wrapPa(prev.base + prev.size, memblock.physAddrBits) <= next.base) continue
    // 4.x leaves pairs with base 0 out: they may be dynamic regions, which have no place yet.
    if (!kernelAtLeast(kernel, '6.1.192') && !(prev.base && next.base)) continue
    log.print('err', `${prefix(kernel)}OVERLAP DETECTED!\n${span(prev)} overlaps with ${span(next)}`)
  }
}
// #endregion reserved-mem-overlap
