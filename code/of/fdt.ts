// SPDX-License-Identifier: MIT
//
// drivers/of/fdt.c: how early boot code reads the flattened tree, before there are any nodes to walk.
//
// Three habits of it matter to whoever writes a tree. Addresses are read with the *root's* cell counts wherever it looks
// (dt_root_addr_cells). A node is available without `status`, or with "okay" or "ok". A number that is too wide for
// phys_addr_t is cut, not refused.
//
// Leaves out: hotpluggable memory, usable-memory-range, the elf core header of a crash kernel.

// #region fdt-imports
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import { round_down, round_up, type Bytes, type PhysAddr } from '../lib/units.ts'
import { memblock_add, type Memblock } from '../mm/memblock.ts'
import { property, readNumber, stringsOf, type DeviceTree, type DtNode } from './tree.ts'
// #endregion fdt-imports

// #region fdt-root-cells
/** Cells of an address and of a size, as the root node says. */
export interface RootCells {
  readonly dt_root_addr_cells: number
  readonly dt_root_size_cells: number
}

/** 1 and 1 where the root says nothing. @kernel drivers/of/fdt.c early_init_dt_scan_root() v6.12 */
export function early_init_dt_scan_root(tree: DeviceTree): RootCells {
  return {
    dt_root_addr_cells: cellCount(tree.root, '#address-cells') ?? 1,
    dt_root_size_cells: cellCount(tree.root, '#size-cells') ?? 1,
  }
}

/** The number in the one-cell property `name`; null when it is not there. */
export function cellCount(node: DtNode, name: string): number | null {
  const value = property(node, name)?.value
  return value && value.length >= 4 ? readNumber(value, 0, 1) : null
}
// #endregion fdt-root-cells

// #region fdt-next-cell
/** A cursor over a property: Linux hands a pointer along. */
export interface CellCursor {
  readonly value: Uint8Array
  /** Bytes read so far. */
  offset: number
}

/**
 * The number in the next `s` cells, cut to `bits` bits. Behind the end of the property it reads 0.
 * @kernel drivers/of/fdt.c dt_mem_next_cell() v6.12
 * @omits Linux has no bound and reads on in the blob, behind the property; above 2^53 the lowest eleven bits are rounded
 */
export function dt_mem_next_cell(s: number, cursor: CellCursor, bits: 32 | 64): number {
  const { value, offset } = cursor
  cursor.offset += s * 4
  if (s === 0 || cursor.offset > value.length) return 0
  const low = readNumber(value, cursor.offset - 4, 1)
  const high = s > 1 && bits === 64 ? readNumber(value, Math.max(offset, cursor.offset - 8), 1) : 0
  return Math.min(high * 2 ** 32 + low, 2 ** 64 - 2048)
}
// #endregion fdt-next-cell

// #region fdt-ask
/** @kernel drivers/of/fdt.c of_fdt_device_is_available() v6.12 */
export function of_fdt_device_is_available(node: DtNode): boolean {
  const status = property(node, 'status')
  return status === null || ['okay', 'ok'].includes(stringsOf(status.value)[0] ?? '')
}

/** Whether one of the `compatible` strings is `compat`, in any case. @kernel drivers/of/fdt.c of_flat_dt_is_compatible() v6.12 */
export function of_flat_dt_is_compatible(node: DtNode, compat: string): boolean {
  const list = property(node, 'compatible')
  return list !== null && stringsOf(list.value).some((each) => each.toLowerCase() === compat.toLowerCase())
}

// 6.x asks the children of the root that are not disabled; 4.x asks every node, whatever its status.
function memoryNodes(kernel: KernelVersion, node: DtNode): DtNode[] {
  const deep = !kernelAtLeast(kernel, '6.1.192')
  return node.children.flatMap((child) => {
    const isMemory = stringsOf(property(child, 'device_type')?.value ?? new Uint8Array())[0] === 'memory'
    const taken = isMemory && (deep || of_fdt_device_is_available(child)) ? [child] : []
    return deep ? [...taken, ...memoryNodes(kernel, child)] : taken
  })
}

/** The child of the root that a path such as `/chosen` names; a unit address may be left out. */
export function childByName(tree: DeviceTree, name: string): DtNode | null {
  return tree.root.children.find((node) => node.name === name || node.name.startsWith(`${name}@`)) ?? null
}
// #endregion fdt-ask

// #region fdt-scan-memory
/**
 * Tells memblock of the RAM in the nodes with `device_type = "memory"`, in whole pages.
 * @kernel drivers/of/fdt.c early_init_dt_scan_memory() v6.12
 * @omits arm: RAM below the kernel's own (PHYS_OFFSET) is ignored
 */
export function early_init_dt_scan_memory(
  memblock: Memblock,
  tree: DeviceTree,
  cells: RootCells,
  kernel: KernelVersion,
  log: Printk,
): void {
  const ignore = (what: string) =>
    log.print('warn', `${kernel === '4.6' ? '' : 'OF: fdt: '}Ignoring memory ${what}`)
  for (const node of memoryNodes(kernel, tree.root)) {
    const reg = property(node, 'linux,usable-memory') ?? property(node, 'reg')
    const entry = (cells.dt_root_addr_cells + cells.dt_root_size_cells) * 4
    for (let offset = 0; reg && offset + entry <= reg.value.length; offset += entry) {
      const cursor = { value: reg.value, offset }
      const base = dt_mem_next_cell(cells.dt_root_addr_cells, cursor, 64)
      const size = dt_mem_next_cell(cells.dt_root_size_cells, cursor, 64)
      if (size) early_init_dt_add_memory_arch(memblock, base, size, kernel, ignore)
    }
  }
}
// #endregion fdt-scan-memory

// #region fdt-add-memory
// Whole pages only, and only what phys_addr_t can address.
function early_init_dt_add_memory_arch(
  memblock: Memblock,
  base: PhysAddr,
  size: Bytes,
  kernel: KernelVersion,
  ignore: (what: string) => void,
): void {
  const { pageSize, physAddrBits } = memblock
  const highest = 2 ** physAddrBits
  const span = (start: number, end: number) =>
    `0x${BigInt(start).toString(16)} - 0x${BigInt(end).toString(16)}`
  const inPage = base % pageSize
  // 4.x says nothing of a part that begins where a page does.
  const tells = inPage > 0 || kernelAtLeast(kernel, '6.1.192')
  if (tells && size < pageSize - inPage) return ignore(`block ${span(base, base + size)}`)
  const [from, to] = [round_up(base, pageSize), round_down(base + size, pageSize)]
  if (from >= highest) return ignore(`block ${span(from, to)}`)
  if (to > highest && physAddrBits === 32) ignore(`range ${span(highest, to)}`)
  if (from < to) memblock_add(memblock, from, to - from)
}
// #endregion fdt-add-memory

// #region fdt-chosen
/** What the boot loader left in `/chosen`. */
export interface Chosen {
  readonly bootargs: string
  /** `[start, end)`, or null. */
  readonly initrd: { readonly base: PhysAddr; readonly size: Bytes } | null
}

/** @kernel drivers/of/fdt.c early_init_dt_scan_chosen() v6.12 */
export function early_init_dt_scan_chosen(tree: DeviceTree): Chosen {
  const chosen = childByName(tree, 'chosen')
  const number = (name: string) => {
    const value = chosen && property(chosen, name)?.value
    return value ? dt_mem_next_cell(Math.floor(value.length / 4), { value, offset: 0 }, 64) : 0
  }
  const [base, end] = [number('linux,initrd-start'), number('linux,initrd-end')]
  const args = chosen && property(chosen, 'bootargs')
  return {
    bootargs: (args && stringsOf(args.value)[0]) ?? '',
    initrd: end > base ? { base, size: end - base } : null,
  }
}
// #endregion fdt-chosen
