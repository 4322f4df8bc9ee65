// SPDX-License-Identifier: MIT
//
// A node of /reserved-memory that says `size` but not `reg`: the kernel finds the place.
//
//     pool { size = <…>; alignment = <…>; alloc-ranges = <base size  base size …>; };
//                                          each tried in turn, the first that has room wins
//
// Within a range memblock searches from the top down. Since 6.12 the search turns round where that keeps regions together.

// #region reserved-alloc-imports
import { EINVAL, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { truncatedMiB, wrapPa, type Bytes, type PhysAddr } from '../lib/units.ts'
import {
  MEMBLOCK_ALLOC_ANYWHERE,
  memblock_mark_nomap,
  memblock_phys_free,
  memblock_remove,
} from '../mm/memblock.ts'
import { memblock_phys_alloc_range, withDirection } from '../mm/memblock_find.ts'
import { dt_mem_next_cell, of_flat_dt_is_compatible } from './fdt.ts'
import { prefix, type ReservedMemTable } from './reserved_mem.ts'
import { property, type DtNode } from './tree.ts'
// #endregion reserved-alloc-imports

// #region reserved-alloc-size
/**
 * Places a dynamic region: base and size, or -EINVAL (a property has the wrong length), -ENOMEM (no room).
 * @kernel drivers/of/of_reserved_mem.c __reserved_mem_alloc_size() v6.12
 */
export function __reserved_mem_alloc_size(
  table: ReservedMemTable,
  node: DtNode,
  uname: string,
): { base: PhysAddr; size: Bytes } | number {
  const wish = readWish(table, node, uname)
  if (!wish) return -EINVAL
  for (const [start, end] of wish.windows) {
    const base = __reserved_mem_alloc_in_range(table, wish, start, end)
    if (base) return { base, size: wish.size }
  }
  sayNoRoom(table, uname, wish.size)
  return -ENOMEM
}
// #endregion reserved-alloc-size

// #region reserved-alloc-wish
// What a node asks for; null when a property does not read.
interface Wish {
  readonly nomap: boolean
  readonly size: Bytes
  readonly align: Bytes
  readonly windows: readonly [start: PhysAddr, end: PhysAddr][]
}

function readWish(table: ReservedMemTable, node: DtNode, uname: string): Wish | null {
  const { dt_root_addr_cells, dt_root_size_cells } = table.cells
  // A static node with size 0 ends up here too (6.1): without `size` it is dropped and nothing is said.
  if (!property(node, 'size')) return null
  const size = onlyNumber(table, node, uname, 'size', dt_root_size_cells)
  if (size === null) return null
  // By the code `alignment` has as many cells as an address; the binding says: as a size.
  const aligned = property(node, 'alignment') !== null
  const asked = aligned ? onlyNumber(table, node, uname, 'alignment', dt_root_addr_cells) : 0
  if (asked === null) return null
  const windows = allocRanges(table, node, uname)
  const align = Math.max(asked, cmaAlignment(table, node))
  return windows && { nomap: property(node, 'no-map') !== null, size, align, windows }
}
// #endregion reserved-alloc-wish

// #region reserved-alloc-properties
// The value of a property that must be exactly `cells` cells long; null, with a line, if it is not.
function onlyNumber(
  table: ReservedMemTable,
  node: DtNode,
  uname: string,
  name: string,
  cells: number,
): number | null {
  const value = property(node, name)?.value ?? new Uint8Array()
  if (value.length === cells * 4)
    return dt_mem_next_cell(cells, { value, offset: 0 }, table.memblock.physAddrBits)
  table.log.print('err', `${prefix(table.kernel)}invalid ${name} property in '${uname}' node.`)
  return null
}
// #endregion reserved-alloc-properties

// #region reserved-alloc-alignment
// A region that is to be a CMA area must be aligned for one. Its size is left as it is: that may fail later.
function cmaAlignment(table: ReservedMemTable, node: DtNode): Bytes {
  if (!of_flat_dt_is_compatible(node, 'shared-dma-pool')) return 0
  // 4.6 aligns every pool so.
  if (table.kernel === '4.6') return table.cmaAlignment
  return property(node, 'reusable') && !property(node, 'no-map') ? table.cmaAlignment : 0
}

function sayNoRoom({ kernel, log }: ReservedMemTable, uname: string, size: Bytes): void {
  const now = kernelAtLeast(kernel, '6.1.192')
  const line = `${prefix(kernel)}failed to allocate memory for node '${uname}'`
  log.print(now ? 'err' : 'info', line + (now ? `: size ${truncatedMiB(size)} MiB` : ''))
}
// #endregion reserved-alloc-alignment

// #region reserved-alloc-ranges
// [start, end) of each window of `alloc-ranges`; one window without bounds when the property is missing. An end that is too
// big for phys_addr_t wraps: just so to 0, which is no bound, or below the start, where there is no room.
function allocRanges(table: ReservedMemTable, node: DtNode, uname: string): [PhysAddr, PhysAddr][] | null {
  const { dt_root_addr_cells, dt_root_size_cells } = table.cells
  const value = property(node, 'alloc-ranges')?.value
  if (!value) return [[0, 0]]
  const entry = (dt_root_addr_cells + dt_root_size_cells) * 4
  if (value.length % entry !== 0) {
    table.log.print(
      'err',
      `${prefix(table.kernel)}invalid alloc-ranges property in '${uname}', skipping node.`,
    )
    return null
  }
  const bits = table.memblock.physAddrBits
  const cursor = { value, offset: 0 }
  return Array.from({ length: value.length / entry }, () => {
    const start = dt_mem_next_cell(dt_root_addr_cells, cursor, bits)
    return [start, wrapPa(start + dt_mem_next_cell(dt_root_size_cells, cursor, bits), bits)]
  })
}
// #endregion reserved-alloc-ranges

// #region reserved-alloc-in-range
// The base within one window, or 0.
function __reserved_mem_alloc_in_range(
  table: ReservedMemTable,
  wish: Wish,
  start: PhysAddr,
  end: PhysAddr,
): PhysAddr {
  const take = () => early_init_dt_alloc_reserved_memory_arch(table, wish, start, end)
  const direction = kernelAtLeast(table.kernel, '6.12.117') ? besideNeighbours(table, start, end) : null
  return direction === null ? take() : withDirection(table.memblock, direction === 'bottom-up', take)
}

// Which way to search so that the region ends up beside one that is in the table already; null for no preference.
function besideNeighbours(
  table: ReservedMemTable,
  start: PhysAddr,
  end: PhysAddr,
): 'bottom-up' | 'top-down' | null {
  const touches = (addr: PhysAddr) =>
    table.regions.some(
      (r) => r.size !== 0 && addr >= r.base && addr <= wrapPa(r.base + r.size, table.memblock.physAddrBits),
    )
  const [below, above] = [touches(start), touches(end)]
  if (below === above) return null
  return below ? 'bottom-up' : 'top-down'
}
// #endregion reserved-alloc-in-range

// #region reserved-alloc-take
// Reserves the memory, and takes it out of the mapping if need be.
function early_init_dt_alloc_reserved_memory_arch(
  { kernel, memblock }: ReservedMemTable,
  { nomap, size, align }: Wish,
  start: PhysAddr,
  end: PhysAddr,
): PhysAddr {
  const now = kernelAtLeast(kernel, '6.1.192')
  // 4.x looks anywhere below `end`, and gives up if what it found lies below `start`.
  const lowest = now ? start : 0
  const base = memblock_phys_alloc_range(memblock, size, align, lowest, end || MEMBLOCK_ALLOC_ANYWHERE)
  if (base && base < start) {
    memblock_phys_free(memblock, base, size)
    return 0
  }
  if (base && nomap && now) memblock_mark_nomap(memblock, base, size)
  if (base && nomap && !now) memblock_remove(memblock, base, size)
  return base
}
// #endregion reserved-alloc-take
