// SPDX-License-Identifier: MIT
//
// kernel/dma/contiguous.c: how the default CMA area comes to be, the driver of `reusable` regions, and which area a
// device's buffer comes from.
//
//     cma=64M@0x50000000 ─ early_cma() ─┐
//     CONFIG_CMA_SIZE_*  ───────────────┴─ dma_contiguous_reserve() ─ cma_declare_contiguous_nid()
//     reusable; linux,cma-default;  ────── rmem_cma_setup() ───────── cma_init_reserved_mem()
//
//     dma_alloc_contiguous()        dma-direct: the device's area, else the default one for more than a page
//     dma_alloc_from_contiguous()   arm, atomic pools: likewise, a single page too
//
// There is one default area: a region that claims it first makes dma_contiguous_reserve() do nothing, and `cma=` on the
// command line makes the region step aside (6.x).
//
// Leaves out: per-NUMA areas, arm's remapping of areas (dma_contiguous_early_fixup).

// #region contiguous-imports
import { EBUSY, EINVAL } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import {
  formatPa,
  get_order,
  IS_ALIGNED,
  MiB,
  minNotZero,
  truncatedMiB,
  type Bytes,
  type Pfn,
  type PhysAddr,
} from '../lib/units.ts'
import { cma_alloc, cma_release } from '../mm/cma.ts'
import { cma_declare_contiguous_nid, cma_init_reserved_mem, type CmaAreas } from '../mm/cma_declare.ts'
import { __GFP_NOWARN, gfpflags_allow_blocking } from '../mm/gfp.ts'
import { memblock_phys_mem_size } from '../mm/memblock.ts'
import { __free_pages } from '../mm/page_alloc.ts'
import type { Vm } from '../mm/vm.ts'
import type { Device, RegionDriver, ReservedMem } from '../of/reserved_mem.ts'
import { property } from '../of/tree.ts'
import { dev_get_cma_area, dma_declare_contiguous, type DeviceAreas } from './contiguous_3x.ts'
// #endregion contiguous-imports

// #region contiguous-state
/** What the kernel was configured with. @kernel kernel/dma/Kconfig CMA_SIZE_* v6.12 */
export interface CmaSize {
  readonly choose: 'MBYTES' | 'PERCENTAGE' | 'MIN' | 'MAX'
  readonly mbytes: number
  readonly percentage: number
}

/** The state of the file; sizes and addresses of the command line are null until `cma=` is read. */
export interface DmaContiguous extends DeviceAreas {
  readonly size: CmaSize
  /** The most that a buffer is aligned to, as an order of pages: 8 is 1 MiB with pages of 4 KiB. */
  readonly CONFIG_CMA_ALIGNMENT: number
  cmdline: { size: Bytes; base: PhysAddr; limit: PhysAddr } | null
}

export function createDmaContiguous(cma: CmaAreas, size: CmaSize, CONFIG_CMA_ALIGNMENT = 8): DmaContiguous {
  const none = { cmdline: null, dma_contiguous_default_area: null, cma_reserved: [] }
  return { cma, size, CONFIG_CMA_ALIGNMENT, ...none }
}
// #endregion contiguous-state

// #region contiguous-memparse
/**
 * A number with an optional suffix K, M, G, T, P or E (either case), and where it ends. Without digits 0, as in Linux.
 * @kernel lib/cmdline.c memparse() v6.12
 */
export function memparse(text: string): { value: number; rest: string } {
  const digits = /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/i.exec(text)?.[0] ?? ''
  const octal = /^0[0-7]+$/.test(digits)
  const number = Number(octal ? '0o' + digits.slice(1) : digits || '0')
  const suffix = text.slice(digits.length)[0] ?? ''
  const power = suffix ? 'kmgtpe'.indexOf(suffix.toLowerCase()) + 1 : 0
  return { value: number * 1024 ** power, rest: text.slice(digits.length + (power ? 1 : 0)) }
}
// #endregion contiguous-memparse

// #region contiguous-early-cma
/**
 * Reads what stands behind `cma=`: `size`, `size@base` (exactly there) or `size@base-end` (anywhere in it).
 * `p` is null for a bare `cma`, which is -EINVAL; all else is 0, nonsense too: it reads as size 0, no area.
 * 3.x reads the size alone.
 * @kernel kernel/dma/contiguous.c early_cma() v6.12
 * @omits 4.x takes a bare `cma` for a string and dies of it
 */
export function early_cma(contiguous: DmaContiguous, p: string | null): number {
  if (p === null) {
    contiguous.cma.log.print('err', 'cma: Config string not provided')
    return -EINVAL
  }
  const size = memparse(p)
  // A second cma= that has no '@' keeps the base and limit of the first.
  const before = contiguous.cmdline ?? { base: 0, limit: 0 }
  contiguous.cmdline = { ...before, size: size.value }
  if (!size.rest.startsWith('@') || !kernelAtLeast(contiguous.cma.kernel, '4.6')) return 0
  const base = memparse(size.rest.slice(1))
  const limit = base.rest.startsWith('-') ? memparse(base.rest.slice(1)).value : base.value + size.value
  contiguous.cmdline = { size: size.value, base: base.value, limit }
  return 0
}
// #endregion contiguous-early-cma

// #region contiguous-size
// Bytes of the default area by configuration (MC-4.10).
function configuredSize({ cma, size }: DmaContiguous): Bytes {
  const { pageSize } = cma.memblock
  const pages = Math.floor(memblock_phys_mem_size(cma.memblock) / pageSize)
  const part = Math.floor((pages * size.percentage) / 100) * pageSize
  const fixed = MiB(size.mbytes)
  switch (size.choose) {
    case 'MBYTES':
      return fixed
    case 'PERCENTAGE':
      return part
    case 'MIN':
      return Math.min(fixed, part)
    case 'MAX':
      return Math.max(fixed, part)
  }
}
// #endregion contiguous-size

// #region contiguous-reserve
/**
 * Makes the default area below `limit` (0: anywhere), unless a region of the device tree is it already. In 3.x it becomes
 * the default area only when it is activated.
 * @kernel kernel/dma/contiguous.c dma_contiguous_reserve() v6.12; drivers/base/dma-contiguous.c v3.5
 */
export function dma_contiguous_reserve(contiguous: DmaContiguous, limit: PhysAddr): void {
  const { cma, cmdline } = contiguous
  const size = cmdline?.size ?? configuredSize(contiguous)
  if (!size || contiguous.dma_contiguous_default_area) return
  if (!kernelAtLeast(cma.kernel, '4.6')) {
    dma_declare_contiguous(contiguous, null, size, 0, limit)
    return
  }
  const base = cmdline?.base ?? 0
  const below = minNotZero(cmdline?.limit ?? 0, limit)
  const fixed = cmdline !== null && base + size === cmdline.limit
  const anyNode = -1
  const area = cma_declare_contiguous_nid(cma, base, size, below, 0, 0, fixed, 'reserved', anyNode)
  if (typeof area !== 'number') contiguous.dma_contiguous_default_area = area
}
// #endregion contiguous-reserve

// #region contiguous-alloc-from
/**
 * `count` pages for a device (null: from the default area), aligned to `2^align` pages, but not to more than
 * CONFIG_CMA_ALIGNMENT says: the first pfn, or null, as cma_alloc(). A device's area that is full is not made up for by the
 * default one.
 * @kernel kernel/dma/contiguous.c dma_alloc_from_contiguous() v6.12; without `no_warn` until 4.6, with gfp flags in 4.12
 */
export function dma_alloc_from_contiguous(
  vm: Vm,
  contiguous: DmaContiguous,
  dev: Device | null,
  count: number,
  align: number,
  no_warn: boolean,
): Pfn | null {
  const order = Math.min(align, contiguous.CONFIG_CMA_ALIGNMENT)
  return cma_alloc(vm, dev_get_cma_area(contiguous, dev), count, order, no_warn)
}

// #endregion contiguous-alloc-from

// #region contiguous-release-from
/**
 * Gives them back; false when they are not of the device's area.
 * @kernel kernel/dma/contiguous.c dma_release_from_contiguous() v6.12
 */
export function dma_release_from_contiguous(
  vm: Vm,
  contiguous: DmaContiguous,
  dev: Device | null,
  pages: Pfn | null,
  count: number,
): boolean {
  return cma_release(vm, dev_get_cma_area(contiguous, dev), pages, count)
}
// #endregion contiguous-release-from

// #region contiguous-alloc
/**
 * `size` bytes for a device from its own area, else from the default one if it is more than a page: the first pfn, or null
 * (the caller may not sleep; a single page; no area; no room in it). `size` is a multiple of the page size.
 * @kernel kernel/dma/contiguous.c dma_alloc_contiguous() v6.12
 */
export function dma_alloc_contiguous(
  vm: Vm,
  contiguous: DmaContiguous,
  dev: Device,
  size: Bytes,
  gfp: number,
): Pfn | null {
  const { pageSize } = vm.pgdat
  if (!gfpflags_allow_blocking(gfp)) return null
  if (!dev.cma_area && (size <= pageSize || !contiguous.dma_contiguous_default_area)) return null
  const no_warn = (gfp & __GFP_NOWARN) !== 0
  const count = Math.floor(size / pageSize)
  return dma_alloc_from_contiguous(vm, contiguous, dev, count, get_order(size, pageSize), no_warn)
}
// #endregion contiguous-alloc

// #region contiguous-free
/**
 * Gives back what dma_alloc_contiguous() gave, or pages of the buddy allocator that were used in its place: what is in no
 * area goes there.
 * @kernel kernel/dma/contiguous.c dma_free_contiguous() v6.12
 */
export function dma_free_contiguous(
  vm: Vm,
  contiguous: DmaContiguous,
  dev: Device,
  page: Pfn,
  size: Bytes,
): void {
  const { pgdat } = vm
  const count = Math.ceil(size / pgdat.pageSize)
  if (cma_release(vm, dev_get_cma_area(contiguous, dev), page, count)) return
  __free_pages(pgdat, page, get_order(size, pgdat.pageSize))
}
// #endregion contiguous-free

// #region contiguous-rmem-device
// What attaching such a region to a device does: from now on its buffers come from this area.
function rmem_cma_device_init(rmem: ReservedMem, dev: Device): number {
  dev.cma_area = rmem.priv
  return 0
}

function rmem_cma_device_release(_rmem: ReservedMem, dev: Device): void {
  dev.cma_area = null
}
// #endregion contiguous-rmem-device

// #region contiguous-rmem-setup
/**
 * The driver of shared-dma-pool regions with `reusable`: the region becomes a CMA area. 0, or -EBUSY (a default area, but
 * `cma=` was given), -EINVAL (not `reusable`, or `no-map`, or misaligned), or what cma_init_reserved_mem() returns.
 * @kernel kernel/dma/contiguous.c rmem_cma_setup() v6.12
 */
function rmem_cma_setup(contiguous: DmaContiguous, rmem: ReservedMem): number {
  const { cma } = contiguous
  const default_cma = property(rmem.fdt_node, 'linux,cma-default') !== null
  if (kernelAtLeast(cma.kernel, '6.1.192') && contiguous.cmdline && default_cma) {
    cma.log.print('info', `Reserved memory: bypass ${rmem.name} node, using cmdline CMA params instead`)
    return -EBUSY
  }
  if (!property(rmem.fdt_node, 'reusable') || property(rmem.fdt_node, 'no-map')) return -EINVAL
  if (!IS_ALIGNED(rmem.base, cma.minAlignment) || !IS_ALIGNED(rmem.size, cma.minAlignment)) {
    cma.log.print('err', 'Reserved memory: incorrect alignment of CMA region')
    return -EINVAL
  }
  return createArea(contiguous, rmem, default_cma)
}
// #endregion contiguous-rmem-setup

// #region contiguous-rmem-area
function createArea(contiguous: DmaContiguous, rmem: ReservedMem, default_cma: boolean): number {
  const { cma } = contiguous
  const area = cma_init_reserved_mem(cma, rmem.base, rmem.size, 0, rmem.name)
  if (typeof area === 'number') {
    cma.log.print('err', 'Reserved memory: unable to setup CMA region')
    return area
  }
  if (default_cma) contiguous.dma_contiguous_default_area = area
  rmem.ops = { device_init: rmem_cma_device_init, device_release: rmem_cma_device_release }
  rmem.priv = area
  const at = formatPa(rmem.base, cma.memblock.physAddrBits)
  const mib = truncatedMiB(rmem.size)
  cma.log.print('info', `Reserved memory: created CMA memory pool at ${at}, size ${mib} MiB`)
  return 0
}

/** Its entry in the table of region drivers. */
export function cmaRegionDriver(contiguous: DmaContiguous): RegionDriver {
  return { compatible: 'shared-dma-pool', init: (rmem) => rmem_cma_setup(contiguous, rmem) }
}
// #endregion contiguous-rmem-area
