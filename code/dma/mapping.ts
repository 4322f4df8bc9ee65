// SPDX-License-Identifier: MIT
//
// kernel/dma/mapping.c: the calls of the DMA API that give and take buffers. Who serves a request, in this order:
//
//     6.x     the device's pool, whose answer is final ── dma-direct (direct.ts)
//     4.x     the device's pool, final if exclusive ── the table of the device: arm_dma_ops, swiotlb_dma_ops
//     3.x     arm's table, which asks the device's pool itself
//
// A buffer is freed with the device, size and both addresses that it was got with, interrupts on: freeing may unmap, and
// unmapping may sleep. Only a buffer of the device's pool is freed without a mapping to undo (6.x does not warn for it).
//
// Leaves out: IOMMUs, dma_alloc_pages(), dma_alloc_noncontiguous(), managed (dmam_) calls, dma-debug.

// #region mapping-imports
import { DMA_BIDIRECTIONAL } from '../arch/dma_direction.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { get_order, type Bytes, type DmaAddr, type VirtAddr } from '../lib/units.ts'
import { __GFP_COMP, __GFP_DMA, __GFP_DMA32, __GFP_HIGHMEM, __GFP_NOWARN } from '../mm/gfp.ts'
import type { Device } from '../of/reserved_mem.ts'
import { swiotlb_dma_ops } from './arm64_dma_alloc.ts'
import { arm_get_dma_map_ops } from './arm_dma_ops.ts'
import { dma_alloc_from_dev_coherent, dma_release_from_dev_coherent } from './coherent_alloc.ts'
import { dma_direct_alloc, dma_direct_free } from './direct.ts'
import type { DmaMapOps } from './dma_map_ops.ts'
import {
  dev_name,
  DMA_ATTR_NO_WARN,
  DMA_ATTR_WRITE_COMBINE,
  warnAt,
  warnOnceAt,
  type Dma,
  type DmaBuffer,
} from './dma_state.ts'
// #endregion mapping-imports

// #region mapping-ops
/** The table that serves the device; null for dma-direct. @kernel include/linux/dma-map-ops.h get_dma_ops() v6.12 */
export function get_dma_ops(dma: Dma, dev: Device | null): DmaMapOps | null {
  if (kernelAtLeast(dma.kernel, '6.1.192')) return null
  return dma.arch === 'arm' ? arm_get_dma_map_ops(dma, dev) : swiotlb_dma_ops
}

/** `dev`, which 6.x needs; throws where Linux would fall over a NULL pointer (MC-6.12). */
export function mustHaveDevice(dev: Device | null, who: string): Device {
  if (dev) return dev
  throw new Error(
    `${who}: got no device, expected one; Linux 6.x dereferences it at once (oops). Give it a struct device`,
  )
}
// #endregion mapping-ops

// #region mapping-alloc-now
// 6.x.
function allocNow(dma: Dma, dev: Device, size: Bytes, flag: number, attrs: number): DmaBuffer | null {
  const file = 'kernel/dma/mapping.c'
  if (!dev.coherent_dma_mask) warnOnceAt(dma, file, 'dma_alloc_attrs')
  if (flag & __GFP_COMP && kernelAtLeast(dma.kernel, '6.12.117')) {
    warnOnceAt(dma, file, 'dma_alloc_attrs (__GFP_COMP)')
    return null
  }
  const own = dma_alloc_from_dev_coherent(dma, dev, size)
  if (own !== undefined) return traced(dma, dev, own, size, flag, attrs)
  // Which zone is asked for follows from the mask; a driver has no say in it.
  const zoneless = flag & ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)
  return traced(dma, dev, dma_direct_alloc(dma, dev, size, zoneless, attrs), size, zoneless, attrs)
}

// #endregion mapping-alloc-now

// #region mapping-trace
// 6.12 has an event for it, also for a failure.
function traced(
  dma: Dma,
  dev: Device,
  buffer: DmaBuffer | null,
  size: Bytes,
  flags: number,
  attrs: number,
): DmaBuffer | null {
  if (dma.trace.enabled && kernelAtLeast(dma.kernel, '6.12.117')) {
    const { cpu_addr: virt_addr, dma_handle: dma_addr } = buffer ?? { cpu_addr: 0, dma_handle: 0 }
    const device = dev_name(dev)
    dma.trace.emit('dma_alloc', { device, dir: DMA_BIDIRECTIONAL, dma_addr, size, virt_addr, flags, attrs })
  }
  return buffer
}
// #endregion mapping-trace

// #region mapping-alloc
/**
 * A buffer of at least `size` bytes that `dev` reaches, cleared, or null when there is none: no memory, or none within
 * the mask. `flag` says whether the caller may wait; `attrs` are DMA_ATTR_* or-ed. Throws without device in 6.x.
 * @kernel kernel/dma/mapping.c dma_alloc_attrs() v6.12; include/linux/dma-mapping.h v4.12
 */
export function dma_alloc_attrs(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  flag: number,
  attrs: number,
): DmaBuffer | null {
  const ops = get_dma_ops(dma, dev)
  if (!ops) return allocNow(dma, mustHaveDevice(dev, 'dma_alloc_attrs'), size, flag, attrs)
  const own = kernelAtLeast(dma.kernel, '4.6') ? dma_alloc_from_dev_coherent(dma, dev, size) : undefined
  return own === undefined ? ops.alloc(dma, dev, size, flag, attrs) : own
}
// #endregion mapping-alloc

// #region mapping-alloc-short
/** Such a buffer without wishes. @kernel include/linux/dma-mapping.h dma_alloc_coherent() v6.12 */
export function dma_alloc_coherent(dma: Dma, dev: Device | null, size: Bytes, gfp: number): DmaBuffer | null {
  return dma_alloc_attrs(dma, dev, size, gfp, noWarn(gfp))
}

/**
 * One that is mapped write-combined; until 4.5 its name was dma_alloc_writecombine().
 * @kernel include/linux/dma-mapping.h dma_alloc_wc() v6.12
 */
export function dma_alloc_wc(dma: Dma, dev: Device | null, size: Bytes, gfp: number): DmaBuffer | null {
  return dma_alloc_attrs(dma, dev, size, gfp, DMA_ATTR_WRITE_COMBINE | noWarn(gfp))
}

const noWarn = (gfp: number) => (gfp & __GFP_NOWARN ? DMA_ATTR_NO_WARN : 0)
// #endregion mapping-alloc-short

// #region mapping-free-then
// 3.x and 4.x. 3.x leaves the warning to those who free.
function freeThen(
  dma: Dma,
  ops: DmaMapOps,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr | null,
  dma_handle: DmaAddr,
  attrs: number,
): void {
  if (kernelAtLeast(dma.kernel, '4.6')) {
    if (dma.irqsDisabled) warnAt(dma, 'include/linux/dma-mapping.h', 'dma_free_attrs')
    const order = get_order(size, dma.pageSize)
    if (cpu_addr === null || dma_release_from_dev_coherent(dma, dev, order, cpu_addr)) return
  }
  ops.free(dma, dev, size, cpu_addr ?? 0, dma_handle, attrs)
}
// #endregion mapping-free-then

// #region mapping-free
/**
 * Frees a buffer. Every argument is to be the one it was got with: the kernel believes all of them.
 * @kernel kernel/dma/mapping.c dma_free_attrs() v6.12; include/linux/dma-mapping.h v4.12
 */
export function dma_free_attrs(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr | null,
  dma_handle: DmaAddr,
  attrs: number,
): void {
  const ops = get_dma_ops(dma, dev)
  if (ops) return freeThen(dma, ops, dev, size, cpu_addr, dma_handle, attrs)
  const device = mustHaveDevice(dev, 'dma_free_attrs')
  const order = get_order(size, dma.pageSize)
  if (cpu_addr !== null && dma_release_from_dev_coherent(dma, device, order, cpu_addr)) return
  if (dma.irqsDisabled) warnAt(dma, 'kernel/dma/mapping.c', 'dma_free_attrs')
  traceFree(dma, device, size, cpu_addr, dma_handle, attrs)
  if (cpu_addr !== null) dma_direct_free(dma, device, size, cpu_addr, dma_handle, attrs)
}

// #endregion mapping-free

// #region mapping-trace-free
function traceFree(
  dma: Dma,
  dev: Device,
  size: Bytes,
  cpu_addr: VirtAddr | null,
  dma_addr: DmaAddr,
  attrs: number,
): void {
  if (!dma.trace.enabled || !kernelAtLeast(dma.kernel, '6.12.117')) return
  const fields = { dir: DMA_BIDIRECTIONAL, dma_addr, size, virt_addr: cpu_addr ?? 0, attrs }
  dma.trace.emit('dma_free', { device: dev_name(dev), ...fields })
}
// #endregion mapping-trace-free

// #region mapping-free-short
/** @kernel include/linux/dma-mapping.h dma_free_coherent() v6.12 */
export function dma_free_coherent(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr | null,
  dma_handle: DmaAddr,
): void {
  dma_free_attrs(dma, dev, size, cpu_addr, dma_handle, 0)
}

/** @kernel include/linux/dma-mapping.h dma_free_wc() v6.12 */
export function dma_free_wc(
  dma: Dma,
  dev: Device | null,
  size: Bytes,
  cpu_addr: VirtAddr | null,
  dma_addr: DmaAddr,
): void {
  dma_free_attrs(dma, dev, size, cpu_addr, dma_addr, DMA_ATTR_WRITE_COMBINE)
}
// #endregion mapping-free-short
