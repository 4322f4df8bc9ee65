// SPDX-License-Identifier: MIT
//
// Reading /reserved-memory. The same nodes, in two different orders:
//
//     4.6 … 6.1                                    6.12
//     early_init_fdt_scan_reserved_mem():          early_init_fdt_scan_reserved_mem():
//       /memreserve/ of the header                   static nodes: reserve
//       static nodes: reserve, enter                 dynamic nodes: place, enter, run the driver
//       dynamic nodes: enter with size 0             /memreserve/ of the header
//       sort, look for overlaps                    later, unflatten_device_tree():
//       in sorted order: place, run the driver       static nodes: enter, run the driver
//                                                    sort, look for overlaps
//
// So 6.1 starts dynamic regions first (they sort at 0) in an order that sort() happens to give; 6.12 keeps the tree's.
// `reg` makes a node static, even beside `size`.

// #region reserved-scan-imports
import { EBUSY, EINVAL, ENOENT } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { formatPa, truncatedMiB, type Bytes, type PhysAddr } from '../lib/units.ts'
import {
  memblock_is_region_reserved,
  memblock_mark_nomap,
  memblock_overlaps_region,
  memblock_remove,
  memblock_reserve,
} from '../mm/memblock.ts'
import { memblock_phys_alloc } from '../mm/memblock_find.ts'
import { cellCount, childByName, dt_mem_next_cell, of_fdt_device_is_available } from './fdt.ts'
import {
  __rmem_check_for_overlap,
  fdt_init_reserved_mem_node,
  fdt_reserved_mem_save_node,
  MAX_RESERVED_REGIONS,
  prefix,
  type ReservedMemTable,
} from './reserved_mem.ts'
import { __reserved_mem_alloc_size } from './reserved_mem_alloc.ts'
import { property, type DtNode } from './tree.ts'
// #endregion reserved-scan-imports

// #region reserved-scan-prefix
// Until 6.1 this code is in fdt.c, whose lines begin differently; the words "Reserved memory:" follow in every kernel.
function fdtPrefix({ kernel }: ReservedMemTable): string {
  if (kernel === '4.6') return 'Reserved memory: '
  return (kernelAtLeast(kernel, '6.12.117') ? 'OF: reserved mem: ' : 'OF: fdt: ') + 'Reserved memory: '
}
// #endregion reserved-scan-prefix

// #region reserved-scan-check-root
// -EINVAL unless the node has `ranges` and the very cell counts of the root (MC-5.1).
function __reserved_mem_check_root({ cells }: ReservedMemTable, node: DtNode): number {
  if (cellCount(node, '#size-cells') !== cells.dt_root_size_cells) return -EINVAL
  if (cellCount(node, '#address-cells') !== cells.dt_root_addr_cells) return -EINVAL
  return property(node, 'ranges') ? 0 : -EINVAL
}

function refused(table: ReservedMemTable, node: DtNode): boolean {
  if (__reserved_mem_check_root(table, node) === 0) return false
  table.log.print('err', `${fdtPrefix(table)}unsupported node format, ignoring`)
  return true
}
// #endregion reserved-scan-check-root

// #region reserved-scan-reserve-memory
// Takes the memory: 0, or -EBUSY, since 6.x will not unmap memory that somebody has already (MC-5.3).
function early_init_dt_reserve_memory(
  table: ReservedMemTable,
  base: PhysAddr,
  size: Bytes,
  nomap: boolean,
): number {
  const { kernel, memblock } = table
  if (!nomap) return memblock_reserve(memblock, base, size)
  if (!kernelAtLeast(kernel, '6.1.192')) return memblock_remove(memblock, base, size)
  // Outside RAM nothing is mapped, so there no-map can do no harm.
  const isRam = memblock_overlaps_region(memblock.memory, base, size)
  if (isRam && memblock_is_region_reserved(memblock, base, size)) return -EBUSY
  return memblock_mark_nomap(memblock, base, size)
}
// #endregion reserved-scan-reserve-memory

// #region reserved-scan-reg
// The entries of `reg`, or -ENOENT (no such property), -EINVAL (its length is no multiple of an entry).
function regEntries(table: ReservedMemTable, node: DtNode): { base: PhysAddr; size: Bytes }[] | number {
  const { dt_root_addr_cells, dt_root_size_cells } = table.cells
  const value = property(node, 'reg')?.value
  if (!value) return -ENOENT
  const entry = (dt_root_addr_cells + dt_root_size_cells) * 4
  if (value.length % entry !== 0) {
    table.log.print('err', `${fdtPrefix(table)}invalid reg property in '${node.name}', skipping node.`)
    return -EINVAL
  }
  const bits = table.memblock.physAddrBits
  const cursor = { value, offset: 0 }
  return Array.from({ length: value.length / entry }, () => ({
    base: dt_mem_next_cell(dt_root_addr_cells, cursor, bits),
    size: dt_mem_next_cell(dt_root_size_cells, cursor, bits),
  }))
}
// #endregion reserved-scan-reg

// #region reserved-scan-reserve-reg
// Reserves all entries of `reg`; until 6.1 it also enters the first one into the table, even if that failed.
function __reserved_mem_reserve_reg(table: ReservedMemTable, node: DtNode): number {
  const { kernel, log, memblock } = table
  const entries = regEntries(table, node)
  if (typeof entries === 'number') return entries
  const now = kernelAtLeast(kernel, '6.1.192')
  for (const [i, { base, size }] of entries.entries()) {
    const nomap = property(node, 'no-map') !== null
    if (!size || early_init_dt_reserve_memory(table, base, size, nomap) !== 0) {
      const range = `base ${formatPa(base, memblock.physAddrBits)}, size ${truncatedMiB(size)} MiB`
      const line = `failed to reserve memory for node '${node.name}': ${range}`
      log.print(now ? 'err' : 'info', fdtPrefix(table) + line)
    }
    const savesHere = !kernelAtLeast(kernel, '6.12.117')
    if (savesHere && i === 0) fdt_reserved_mem_save_node(table, node, node.name, base, size)
  }
  return 0
}
// #endregion reserved-scan-reserve-reg

// #region reserved-scan-children
// Children that are not disabled. 4.x walks the whole subtree, so it takes grandchildren for regions too.
function availableNodes(table: ReservedMemTable, node: DtNode): DtNode[] {
  const deep = !kernelAtLeast(table.kernel, '6.1.192')
  return node.children.flatMap((child) => [
    ...(of_fdt_device_is_available(child) ? [child] : []),
    ...(deep ? availableNodes(table, child) : []),
  ])
}
// #endregion reserved-scan-children

// #region reserved-scan-first-pass
/**
 * Goes through the nodes once: -EINVAL when /reserved-memory as a whole is refused, else 0.
 * @kernel drivers/of/of_reserved_mem.c fdt_scan_reserved_mem() v6.12, drivers/of/fdt.c v6.1
 */
function fdt_scan_reserved_mem(table: ReservedMemTable): number {
  // A path may leave out a unit address; 4.x looks for the very name.
  const node = kernelAtLeast(table.kernel, '6.1.192')
    ? childByName(table.tree, 'reserved-memory')
    : table.tree.root.children.find(({ name }) => name === 'reserved-memory')
  if (!node) return -ENOENT
  if (refused(table, node)) return -EINVAL
  const atOnce = kernelAtLeast(table.kernel, '6.12.117')
  const dynamic: DtNode[] = []
  let count = 0
  for (const child of availableNodes(table, node)) {
    const err = __reserved_mem_reserve_reg(table, child)
    if (err === 0) count++
    if (err !== -ENOENT || !property(child, 'size')) continue
    if (atOnce) remember(table, dynamic, child)
    else fdt_reserved_mem_save_node(table, child, child.name, 0, 0)
  }
  if (atOnce) table.capacity = count + placeAll(table, dynamic)
  return 0
}
// #endregion reserved-scan-first-pass

// #region reserved-scan-dynamic
// 6.12 keeps dynamic nodes for the end of the pass, up to a number.
function remember(table: ReservedMemTable, dynamic: DtNode[], child: DtNode): void {
  if (dynamic.length < MAX_RESERVED_REGIONS(table.kernel)) dynamic.push(child)
  else table.log.print('err', `${prefix(table.kernel)}too many defined dynamic regions, skip '${child.name}'`)
}

// Places them in the order of the tree, after every static region is reserved; how many found room.
function placeAll(table: ReservedMemTable, dynamic: readonly DtNode[]): number {
  return dynamic.filter((node) => {
    const placed = __reserved_mem_alloc_size(table, node, node.name)
    if (typeof placed === 'number') return false
    fdt_reserved_mem_save_node(table, node, node.name, placed.base, placed.size)
    return true
  }).length
}
// #endregion reserved-scan-dynamic

// #region reserved-scan-entry
function reserveHeaderEntries({ tree, memblock }: ReservedMemTable): void {
  for (const { address, size } of tree.memreserve) {
    if (!size) break
    memblock_reserve(memblock, address, size)
  }
}

/**
 * The call that every architecture makes once memblock knows the RAM and the kernel's own image. Before the binding
 * (3.5, 3.9) arm reserved the entries of the header and nothing else.
 * @kernel drivers/of/fdt.c early_init_fdt_scan_reserved_mem() v6.12
 */
export function early_init_fdt_scan_reserved_mem(table: ReservedMemTable): void {
  const newOrder = kernelAtLeast(table.kernel, '6.12.117')
  if (!newOrder) reserveHeaderEntries(table)
  if (kernelAtLeast(table.kernel, '4.6')) fdt_scan_reserved_mem(table)
  if (newOrder) reserveHeaderEntries(table)
  else fdt_init_reserved_mem(table)
}
// #endregion reserved-scan-entry

// #region reserved-scan-init-all
/**
 * 4.6 to 6.1: sorts the table, then places and starts region after region in that order.
 * @kernel drivers/of/of_reserved_mem.c fdt_init_reserved_mem() v6.1
 */
function fdt_init_reserved_mem(table: ReservedMemTable): void {
  __rmem_check_for_overlap(table)
  for (const rmem of table.regions) {
    if (rmem.size === 0) {
      const placed = __reserved_mem_alloc_size(table, rmem.fdt_node, rmem.name)
      if (typeof placed === 'number') continue
      rmem.base = placed.base
      rmem.size = placed.size
    }
    fdt_init_reserved_mem_node(table, rmem)
  }
}
// #endregion reserved-scan-init-all

// #region reserved-scan-array
// sizeof(struct reserved_mem): four words, and base and size. On arm with LPAE words are short and addresses long.
const RESERVED_MEM_BYTES = { arm: { 32: 24, 64: 40 }, arm64: { 32: 48, 64: 48 } } as const

// 6.12 moves the table into an array of the right length, which is itself taken from memblock.
function alloc_reserved_mem_array({ arch, memblock, capacity }: ReservedMemTable): void {
  const entry = RESERVED_MEM_BYTES[arch][memblock.physAddrBits]
  if (capacity) memblock_phys_alloc(memblock, capacity * entry, 64)
}
// #endregion reserved-scan-array

// #region reserved-scan-second-pass
/**
 * 6.12, when the tree is unflattened: enters the static regions, now that there is an array for them.
 * @kernel drivers/of/of_reserved_mem.c fdt_scan_reserved_mem_reg_nodes() v6.12
 * @omits an empty `reg;` makes Linux read what follows it in the blob; here it reads as size 0
 */
export function fdt_scan_reserved_mem_reg_nodes(table: ReservedMemTable): void {
  const { tree, log, kernel } = table
  const node = childByName(tree, 'reserved-memory')
  if (!node) {
    log.print('info', `${fdtPrefix(table)}No reserved-memory node in the DT`)
    return
  }
  alloc_reserved_mem_array(table)
  if (refused(table, node)) return
  for (const child of availableNodes(table, node)) {
    const entries = regEntries(table, child)
    if (typeof entries === 'number') continue
    const others = entries.length - 1
    const line = `fdt_scan_reserved_mem_reg_nodes() ignores ${others} regions in node '${child.name}'`
    if (others > 0) log.print('warn', prefix(kernel) + line)
    const first = entries[0]
    if (first?.size) fdt_reserved_mem_save_node(table, child, child.name, first.base, first.size)
  }
  __rmem_check_for_overlap(table)
}
// #endregion reserved-scan-second-pass
