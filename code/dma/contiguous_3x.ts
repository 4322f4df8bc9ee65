// SPDX-License-Identifier: MIT
//
// Contiguous memory areas of 3.5 and 3.9, where drivers/base/dma-contiguous.c had them to itself: an area belongs to a
// device, or to all that have none.
//
//     dma_declare_contiguous(dev, …)    at boot: reserves, remembers for whom        arm_memblock_init()
//     activateContiguous()              core_initcall: pages to the buddy allocator, areas to their devices
//
// Until then no device has an area. An area that cannot be activated is nobody's: its device gets the default one.
//
// Leaves out: arm's remapping of areas (dma_contiguous_early_fixup).

// #region contiguous-3x-imports
import { EBUSY, EINVAL, ENOMEM, ENOSPC } from '../lib/errno.ts'
import { round_down, round_up, truncatedMiB, type Bytes, type PhysAddr } from '../lib/units.ts'
import { cma_init_reserved_areas } from '../mm/cma_activate.ts'
import { createCma, noSlotLeft, type Cma, type CmaAreas } from '../mm/cma_declare.ts'
import { memblock_is_region_reserved, memblock_phys_free, memblock_reserve } from '../mm/memblock.ts'
import { memblock_phys_alloc_range } from '../mm/memblock_find.ts'
import type { Vm } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
// #endregion contiguous-3x-imports

// #region contiguous-3x-types
/** An area that waits for its activation, and for whom; null is everybody. @kernel drivers/base/dma-contiguous.c struct cma_reserved v3.5 */
export interface CmaReserved {
  readonly cma: Cma
  readonly dev: Device | null
}

/** The areas of devices. */
export interface DeviceAreas {
  readonly cma: CmaAreas
  /** 3.x, in the order declared; empty in later kernels. */
  readonly cma_reserved: CmaReserved[]
  /** For devices that have no area of their own. */
  dma_contiguous_default_area: Cma | null
}
// #endregion contiguous-3x-types

// #region contiguous-3x-declare
/**
 * Reserves `size` bytes for `dev` (null: for all): at `base`, or, when that is 0, as high as possible below `limit` (0: no
 * limit). Base and size are rounded up, the limit down, to 8 MiB in 3.5, to 4 MiB in 3.9.
 * 0, or -ENOSPC (the table is full), -EINVAL (size 0; or, in 3.5, the place ends behind 4 GiB), -EBUSY (taken),
 * -ENOMEM (no room).
 * @kernel drivers/base/dma-contiguous.c dma_declare_contiguous() v3.5
 */
export function dma_declare_contiguous(
  areas: DeviceAreas,
  dev: Device | null,
  size: Bytes,
  base: PhysAddr,
  limit: PhysAddr,
): number {
  const { cma } = areas
  if (noSlotLeft(cma)) return -ENOSPC
  if (!size) return -EINVAL
  const align = cma.minAlignment
  const bytes = round_up(size, align)
  const at = place(cma, bytes, round_up(base, align), round_down(limit, align))
  if (at < 0) {
    cma.log.print('err', `cma: CMA: failed to reserve ${truncatedMiB(bytes)} MiB`)
    return at
  }
  const area = createCma(cma, at, bytes, 0, dev?.name ?? 'reserved')
  cma.areas.push(area)
  areas.cma_reserved.push({ cma: area, dev })
  const hex = at.toString(16).padStart(8, '0')
  cma.log.print('info', `cma: CMA: reserved ${truncatedMiB(bytes)} MiB at ${hex}`)
  return 0
}
// #endregion contiguous-3x-declare

// #region contiguous-3x-place
// Reserves the range: where it is, or a negative errno.
function place(
  { kernel, memblock, minAlignment }: CmaAreas,
  size: Bytes,
  base: PhysAddr,
  limit: PhysAddr,
): number {
  if (base) {
    if (memblock_is_region_reserved(memblock, base, size)) return -EBUSY
    memblock_reserve(memblock, base, size)
    return base
  }
  const found = memblock_phys_alloc_range(memblock, size, minAlignment, 0, limit)
  if (!found) return -ENOMEM
  if (kernel !== '3.5' || found + size < 2 ** 32) return found
  memblock_phys_free(memblock, found, size)
  return -EINVAL
}
// #endregion contiguous-3x-place

// #region contiguous-3x-activate
/**
 * core_initcall: activates all areas and, in 3.x, gives them to their devices. 0 or -EINVAL, as cma_init_reserved_areas().
 * As cma_init_reserved_areas() in drivers/base/dma-contiguous.c of 3.5.
 */
export function activateContiguous(vm: Vm, areas: DeviceAreas): number {
  const ret = cma_init_reserved_areas(vm, areas.cma)
  for (const { cma, dev } of areas.cma_reserved) {
    if (cma.bitmap) dev_set_cma_area(areas, dev, cma)
  }
  return ret
}

/** The area that a device gets its buffers from: its own, else the default one. @kernel include/asm-generic/dma-contiguous.h dev_get_cma_area() v3.5 */
export function dev_get_cma_area(areas: DeviceAreas, dev: Device | null): Cma | null {
  return (dev?.cma_area as Cma | null | undefined) ?? areas.dma_contiguous_default_area
}

// @kernel include/asm-generic/dma-contiguous.h dev_set_cma_area() v3.5
function dev_set_cma_area(areas: DeviceAreas, dev: Device | null, cma: Cma): void {
  if (dev) dev.cma_area = cma
  else areas.dma_contiguous_default_area ??= cma
}
// #endregion contiguous-3x-activate
