// SPDX-License-Identifier: MIT
//
// kernel/dma/coherent.c, the part that concerns reserved memory: a `no-map` region with compatible "shared-dma-pool"
// becomes the private coherent pool of the devices that name it.
//
//     boot      rmem_dma_setup()         notes that the region has this driver; touches no memory
//     attach    rmem_dma_device_init()   the first device maps it write-combined, which only works off the RAM
//     release   rmem_dma_device_release()  the device lets go; the pool and its bitmap stay for the next one
//
// Leaves out: the bitmap and allocation, dma_declare_coherent_memory() by board code, the global pool of arm without MMU.

// #region coherent-imports
import { EBUSY, EINVAL, ENODEV } from '../lib/errno.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import { formatPa, minNotZero, truncatedMiB, type Bytes, type PhysAddr } from '../lib/units.ts'
import { MEMREMAP_WC, type Mapping } from '../mm/memremap.ts'
import type { Device, RegionDriver, ReservedMem } from '../of/reserved_mem.ts'
import { property } from '../of/tree.ts'
// #endregion coherent-imports

// #region coherent-types
/** A device's pool. @kernel kernel/dma/coherent.c struct dma_coherent_mem v6.12 */
export interface DmaCoherentMem {
  readonly virt_base: Mapping
  readonly device_base: PhysAddr
  /** Unit: bytes. */
  readonly size: Bytes
}

/** What the driver needs from its machine. */
export interface DmaCoherent {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly physAddrBits: 32 | 64
  readonly log: Printk
  /** memremap() of the machine; null is a refusal. */
  readonly memremap: (offset: PhysAddr, size: Bytes, flags: number) => Mapping | null
}
// #endregion coherent-types

// #region coherent-rmem-setup
/**
 * 0, or -EINVAL: the region is `reusable`, or on arm it is not `no-map`. Elsewhere a region without `no-map` is taken,
 * although no device will ever get to use it.
 * @kernel kernel/dma/coherent.c rmem_dma_setup() v6.12
 */
function rmem_dma_setup(coherent: DmaCoherent, rmem: ReservedMem): number {
  if (property(rmem.fdt_node, 'reusable')) return -EINVAL
  if (coherent.arch === 'arm' && !property(rmem.fdt_node, 'no-map')) {
    coherent.log.print('err', 'Reserved memory: regions without no-map are not yet supported')
    return -EINVAL
  }
  rmem.ops = {
    device_init: (region, dev) => rmem_dma_device_init(coherent, region, dev),
    device_release: (_region, dev) => void (dev.dma_mem = null),
  }
  const at = formatPa(rmem.base, coherent.physAddrBits)
  const mib = truncatedMiB(rmem.size)
  coherent.log.print('info', `Reserved memory: created DMA memory pool at ${at}, size ${mib} MiB`)
  return 0
}

/** Its entry in the table of region drivers. */
export function dmaRegionDriver(coherent: DmaCoherent): RegionDriver {
  return { compatible: 'shared-dma-pool', init: (rmem) => rmem_dma_setup(coherent, rmem) }
}
// #endregion coherent-rmem-setup

// #region coherent-device-init
/**
 * 0, or -EINVAL (-ENODEV in 4.x): memremap() refuses, since the region or its first page is in the linear mapping, or its
 * addresses are too wide to map (its two cells in the wrong order);
 * -EBUSY: the device has a pool. 4.x keeps the pool it has and says 0.
 * @kernel kernel/dma/coherent.c rmem_dma_device_init() v6.12
 */
function rmem_dma_device_init(coherent: DmaCoherent, rmem: ReservedMem, dev: Device): number {
  const now = kernelAtLeast(coherent.kernel, '6.1.192')
  const mem = (rmem.priv as DmaCoherentMem | null) ?? dma_init_coherent_memory(coherent, rmem.base, rmem.size)
  if (!mem && now) return -EINVAL
  if (!mem) {
    const at = formatPa(rmem.base, coherent.physAddrBits)
    const mib = truncatedMiB(rmem.size)
    coherent.log.print('err', `Reserved memory: failed to init DMA memory pool at ${at}, size ${mib} MiB`)
    return -ENODEV
  }
  rmem.priv = mem
  if (now) warnBeyondMask(coherent, mem, dev)
  const assigned = dma_assign_coherent_memory(dev, mem)
  return now ? assigned : 0
}
// #endregion coherent-device-init

// #region coherent-pool
// The pool, or null when the range cannot be mapped write-combined.
function dma_init_coherent_memory(coherent: DmaCoherent, base: PhysAddr, size: Bytes): DmaCoherentMem | null {
  const virt_base = size ? coherent.memremap(base, size, MEMREMAP_WC) : null
  return virt_base && { virt_base, device_base: base, size }
}

function warnBeyondMask(coherent: DmaCoherent, mem: DmaCoherentMem, dev: Device): void {
  const reach = minNotZero(dev.coherent_dma_mask, dev.bus_dma_limit)
  if (mem.device_base + mem.size - 1 <= reach) return
  coherent.log.print('warn', `${dev.name}: reserved memory is beyond device's set DMA address range`)
}

// 0, or -EBUSY: a device has one pool at most.
function dma_assign_coherent_memory(dev: Device, mem: DmaCoherentMem): number {
  if (dev.dma_mem) return -EBUSY
  dev.dma_mem = mem
  return 0
}
// #endregion coherent-pool
