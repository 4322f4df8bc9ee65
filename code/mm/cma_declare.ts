// SPDX-License-Identifier: MIT
//
// Contiguous memory areas, the part of mm/cma.c that runs at boot: an area is declared, that is, reserved in memblock and
// written into a table. Its pages become usable later, when the page allocator stands.
//
//     cma_declare_contiguous_nid()   finds or takes a range itself, then calls
//     cma_init_reserved_mem()        which wants a range that is reserved already (a node of /reserved-memory)
//
// Both ends of an area lie on a multiple of the smallest CMA alignment: a pageblock in 6.x, the bigger of
// pageblock and largest buddy block in 4.x.
//
// Declaring as 3.5 and 3.9 do it is in cma_declare_3x.ts, what comes after in cma_activate.ts and cma.ts.
// Leaves out: NUMA nodes, order_per_bit other than 0 in the alignment checks of 4.x.

// #region cma-imports
import type { Bitmap } from '../lib/bitmap.ts'
import { EBUSY, EINVAL, ENOMEM, ENOSPC } from '../lib/errno.ts'
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import {
  formatPa,
  GiB,
  IS_ALIGNED,
  round_down,
  round_up,
  truncatedMiB,
  type Bytes,
  type Pfn,
  type PhysAddr,
} from '../lib/units.ts'
import {
  memblock_end_of_DRAM,
  memblock_is_region_reserved,
  memblock_phys_free,
  memblock_reserve,
  type Memblock,
} from './memblock.ts'
import { memblock_phys_alloc_range, withDirection } from './memblock_find.ts'
// #endregion cma-imports

// #region cma-types
/** An area. @kernel mm/cma.h struct cma v6.12 */
export interface Cma {
  readonly name: string
  readonly base: PhysAddr
  readonly size: Bytes
  /** A bit of the bitmap stands for `2^order_per_bit` pages. */
  readonly order_per_bit: number
  readonly base_pfn: Pfn
  /** Pages; 0 when the area could not be activated. */
  count: number
  /** Set bits are taken: `count >> order_per_bit` bits. Null until the area is activated. */
  bitmap: Bitmap | null
  /** Allocated through debugfs, newest first. */
  readonly mem_head: CmaMem[]
  /** Pages that callers got, did not get, and gave back; what sysfs shows. */
  nr_pages_succeeded: number
  nr_pages_failed: number
  nr_pages_released: number
}

// #endregion cma-types

// #region cma-active
/** An area that has been activated. */
export interface ActiveCma extends Cma {
  bitmap: Bitmap
}

/** An allocation through debugfs: `n` pages from pfn `p`. @kernel mm/cma_debug.c struct cma_mem v6.12 */
export interface CmaMem {
  p: Pfn
  n: number
}

// #endregion cma-active

// #region cma-areas
/** The areas of a machine and what declaring one depends on. */
export interface CmaAreas {
  readonly kernel: KernelVersion
  readonly memblock: Memblock
  readonly log: Printk
  /** `CMA_MIN_ALIGNMENT_BYTES`. */
  readonly minAlignment: Bytes
  /** `MAX_CMA_AREAS`. */
  readonly maxAreas: number
  /** Where high memory begins; on arm64 the end of RAM when memblock was filled. */
  highmemStart: PhysAddr
  /** In the order declared. */
  readonly areas: Cma[]
}
// #endregion cma-areas

// #region cma-new-area
/** An area that is reserved and not yet activated; base and size are multiples of the page size. */
export function createCma(
  { memblock }: CmaAreas,
  base: PhysAddr,
  size: Bytes,
  order_per_bit: number,
  name: string,
): Cma {
  const { pageSize } = memblock
  return {
    ...{ name, base, size, order_per_bit, base_pfn: base / pageSize, count: size / pageSize },
    ...{ bitmap: null, mem_head: [], nr_pages_succeeded: 0, nr_pages_failed: 0, nr_pages_released: 0 },
  }
}

/** Says so when the table is full. */
export function noSlotLeft(cma: CmaAreas): boolean {
  if (cma.areas.length < cma.maxAreas) return false
  cma.log.print('err', 'cma: Not enough slots for CMA reserved regions!')
  return true
}
// #endregion cma-new-area

// #region cma-init-reserved
/**
 * Makes an area of a range that is reserved already; the area, or
 * -ENOSPC (the table is full), -EINVAL (size 0; no byte of it is reserved; an end is not aligned).
 * @kernel mm/cma.c cma_init_reserved_mem() v6.12
 */
export function cma_init_reserved_mem(
  cma: CmaAreas,
  base: PhysAddr,
  size: Bytes,
  order_per_bit: number,
  name: string,
): Cma | number {
  if (noSlotLeft(cma)) return -ENOSPC
  if (!size || !memblock_is_region_reserved(cma.memblock, base, size)) return -EINVAL
  if (!IS_ALIGNED(base, cma.minAlignment) || !IS_ALIGNED(size, cma.minAlignment)) return -EINVAL
  const area = createCma(cma, base, size, order_per_bit, name)
  cma.areas.push(area)
  return area
}
// #endregion cma-init-reserved

// #region cma-wish
// What is asked for, with both ends on the alignment.
interface Wish {
  readonly base: PhysAddr
  readonly size: Bytes
  readonly limit: PhysAddr
  readonly alignment: Bytes
  readonly fixed: boolean
}
// #endregion cma-wish

// #region cma-rounded
// Base and size go up, the limit goes down, and no limit, or one above all RAM, is the end of RAM.
function rounded(
  cma: CmaAreas,
  base: PhysAddr,
  size: Bytes,
  limit: PhysAddr,
  alignment: Bytes,
  fixed: boolean,
): Wish {
  const ramEnd = memblock_end_of_DRAM(cma.memblock)
  const below = round_down(limit, alignment)
  const from = round_up(base, alignment)
  return {
    base: from,
    size: round_up(size, alignment),
    limit: below === 0 || below > ramEnd ? ramEnd : below,
    alignment,
    fixed: fixed && from !== 0,
  }
}
// #endregion cma-rounded

// #region cma-refusal
// Why the wish cannot be granted wherever memory is free, as the kernel says it; null when it may be tried.
function refusal(cma: CmaAreas, wish: Wish): string | null {
  const { base, size, limit, fixed } = wish
  const pa = (number: number) => formatPa(number, cma.memblock.physAddrBits)
  const high = cma.highmemStart
  if (fixed && base < high && base + size > high) {
    return `Region at ${pa(base)} defined on low/high memory boundary (${pa(high)})`
  }
  // 4.x does not look: a wish that is too big fails later, with -ENOMEM and without this line.
  if (kernelAtLeast(cma.kernel, '6.1.192') && base + size > limit) {
    return `Size (${pa(size as number)}) of region at ${pa(base)} exceeds limit (${pa(limit)})`
  }
  return null
}
// #endregion cma-refusal

// #region cma-place
// Reserves the range: its base, or -EBUSY (fixed and taken), -ENOMEM (no room).
function place(cma: CmaAreas, { base, size, limit, alignment, fixed }: Wish): PhysAddr | number {
  const { memblock, kernel, highmemStart } = cma
  if (fixed) {
    if (memblock_is_region_reserved(memblock, base, size)) return -EBUSY
    memblock_reserve(memblock, base, size)
    return base
  }
  const within = (from: PhysAddr, to: PhysAddr) =>
    memblock_phys_alloc_range(memblock, size, alignment, from, to)
  const above4G = (to: PhysAddr) => withDirection(memblock, true, () => within(2 ** 32, to))
  const spare: Bytes = memblock_end_of_DRAM(memblock) - GiB(4)
  const plenty = memblock.physAddrBits === 64 && !memblock.bottom_up && spare >= size
  const crosses = base < highmemStart && limit > highmemStart
  let found = 0
  if (kernelAtLeast(kernel, '6.12.117') && plenty) found = above4G(limit)
  const below = !found && crosses ? highmemStart : limit
  if (!found && crosses) found = within(highmemStart, limit)
  // 6.1 looks only below the limit that it has lowered, and forgets what it has just reserved in high memory.
  if (kernel === '6.1.192' && plenty) found = above4G(below)
  return found || within(base, below) || -ENOMEM
}
// #endregion cma-place

// #region cma-declare
/**
 * Reserves `size` bytes as an area: at `base` when `fixed`, else anywhere in `[base, limit)`; `limit` 0 is no limit.
 * The area, or -ENOSPC (the table is full), -EINVAL (size 0, misaligned, or too big for the limit),
 * -EBUSY (fixed and taken), -ENOMEM (no room).
 * @kernel mm/cma.c cma_declare_contiguous_nid() v6.12
 * @omits placing on one NUMA node: `nid` is only printed
 */
export function cma_declare_contiguous_nid(
  cma: CmaAreas,
  base: PhysAddr,
  size: Bytes,
  limit: PhysAddr,
  alignment: Bytes,
  order_per_bit: number,
  fixed: boolean,
  name: string,
  nid: number,
): Cma | number {
  if (noSlotLeft(cma)) return -ENOSPC
  if (!size || (alignment && !Number.isInteger(Math.log2(alignment)))) return -EINVAL
  // #region cma-declare-place
  const align = Math.max(alignment, cma.minAlignment)
  // 4.x rounds a fixed base up as well; 6.x will not move what was asked for by address.
  if (fixed && kernelAtLeast(cma.kernel, '6.1.192') && !IS_ALIGNED(base, align)) {
    const pa = (addr: number) => formatPa(addr, cma.memblock.physAddrBits)
    cma.log.print('err', `cma: Region at ${pa(base)} must be aligned to ${pa(align)} bytes`)
    return outcome(cma, -EINVAL, size, nid)
  }
  const wish = rounded(cma, base, size, limit, align, fixed)
  return outcome(cma, settle(cma, wish, order_per_bit, name), wish.size, nid)
  // #endregion cma-declare-place
}
// #endregion cma-declare

// #region cma-settle
// The area at its place, or the errno of the step that failed.
function settle(cma: CmaAreas, wish: Wish, order_per_bit: number, name: string): Cma | number {
  const why = refusal(cma, wish)
  if (why) {
    cma.log.print('err', `cma: ${why}`)
    return -EINVAL
  }
  const base = place(cma, wish)
  if (base < 0) return base
  const area = cma_init_reserved_mem(cma, base, wish.size, order_per_bit, name)
  // 4.x leaves the range reserved.
  const givesBack = kernelAtLeast(cma.kernel, '6.1.192')
  if (typeof area === 'number' && givesBack) memblock_phys_free(cma.memblock, base, wish.size)
  return area
}
// #endregion cma-settle

// #region cma-outcome
// Says how it ended. Sizes are cut to whole mebibytes (MC-4.5).
function outcome(cma: CmaAreas, area: Cma | number, size: Bytes, nid: number): Cma | number {
  const onNode = kernelAtLeast(cma.kernel, '6.12.117') ? ` on node ${nid}` : ''
  if (typeof area === 'number') {
    cma.log.print('err', `cma: Failed to reserve ${truncatedMiB(size)} MiB${onNode}`)
  } else {
    const at = formatPa(area.base, cma.memblock.physAddrBits)
    cma.log.print('info', `cma: Reserved ${truncatedMiB(area.size)} MiB at ${at}${onNode}`)
  }
  return area
}
// #endregion cma-outcome
