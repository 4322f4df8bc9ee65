// SPDX-License-Identifier: MIT
//
// kernel/dma/coherent.c, the part that concerns reserved memory: a `no-map` region with compatible "shared-dma-pool"
// becomes the private coherent pool of the devices that name it.
//
//     boot      rmem_dma_setup()         notes that the region has this driver; touches no memory
//     attach    rmem_dma_device_init()   the first device maps it write-combined, which only works off the RAM
//     release   rmem_dma_device_release()  the device lets go; the pool and its bitmap stay for the next one
//
// Buffers come from it in coherent_alloc.ts.
// Leaves out: the global pool of arm without MMU.

// #region coherent-imports
import type { Bitmap } from '../lib/bitmap.ts'
import { EBUSY, EINVAL, ENODEV } from '../lib/errno.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import {
  formatPa,
  minNotZero,
  truncatedMiB,
  type Bytes,
  type DmaAddr,
  type PhysAddr,
  type VirtAddr,
} from '../lib/units.ts'
import { MEMREMAP_WC, type Mapping } from '../mm/memremap.ts'
import type { Device, RegionDriver, ReservedMem } from '../of/reserved_mem.ts'
import { property } from '../of/tree.ts'
// #endregion coherent-imports

// #region coherent-types
/**
 * The pool may be mapped like memory; 4.x knows pools of device registers too.
 * @kernel include/linux/dma-mapping.h v4.12
 */
export const DMA_MEMORY_MAP = 0x01
export const DMA_MEMORY_IO = 0x02
/** What the pool cannot give, nobody gives. Since 5.1 every pool is like that. */
export const DMA_MEMORY_EXCLUSIVE = 0x08

/** A device's pool. @kernel kernel/dma/coherent.c struct dma_coherent_mem v6.12 */
export interface DmaCoherentMem {
  /** What memremap() gave. */
  readonly mapping: Mapping
  /** Where a device finds it, unless `use_dev_dma_pfn_offset`. */
  readonly device_base: DmaAddr
  /** Unit: bytes; Linux counts pages. */
  readonly size: Bytes
  /** DMA_MEMORY_*; all pools are exclusive ones in 6.x. */
  readonly flags: number
  /** 6.x: a region of the device tree, which each device finds where its own bus has it. */
  readonly use_dev_dma_pfn_offset: boolean
  /** Its address and bitmap. Linux makes them at attach; here they wait for the first buffer, and so for a kernel map. */
  live: { readonly virt_base: VirtAddr; readonly bitmap: Bitmap } | null
}

// #endregion coherent-types

// #region coherent-machine
/** What the driver needs from its machine. */
export interface DmaCoherent {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly physAddrBits: 32 | 64
  readonly log: Printk
  /** memremap() of the machine; null is a refusal. */
  readonly memremap: (offset: PhysAddr, size: Bytes, flags: number) => Mapping | null
}
// #endregion coherent-machine

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
  const { base, size } = rmem
  const flags = DMA_MEMORY_MAP | DMA_MEMORY_EXCLUSIVE
  const made = rmem.priv as DmaCoherentMem | null
  const mem = made ?? dma_init_coherent_memory(coherent, base, base as number, size, flags, now)
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
/**
 * The pool, or null: size 0, or the range cannot be mapped (write-combined, or as registers with DMA_MEMORY_IO).
 * @kernel kernel/dma/coherent.c dma_init_coherent_memory() v6.12
 * @omits that pools of registers (4.x) are ioremap()ed: they too are mapped write-combined
 */
export function dma_init_coherent_memory(
  { memremap }: Pick<DmaCoherent, 'memremap'>,
  phys_addr: PhysAddr,
  device_base: DmaAddr,
  size: Bytes,
  flags: number,
  use_dev_dma_pfn_offset: boolean,
): DmaCoherentMem | null {
  if ((flags & (DMA_MEMORY_MAP | DMA_MEMORY_IO)) === 0) return null
  const mapping = size ? memremap(phys_addr, size, MEMREMAP_WC) : null
  return mapping && { mapping, device_base, size, flags, use_dev_dma_pfn_offset, live: null }
}
// #endregion coherent-pool

// #region coherent-assign
function warnBeyondMask(coherent: DmaCoherent, mem: DmaCoherentMem, dev: Device): void {
  const reach = minNotZero(dev.coherent_dma_mask, dev.bus_dma_limit)
  if (mem.device_base + mem.size - 1 <= reach) return
  coherent.log.print('warn', `${dev.name}: reserved memory is beyond device's set DMA address range`)
}

/** 0, or -EBUSY: a device has one pool at most. @kernel kernel/dma/coherent.c dma_assign_coherent_memory() v6.12 */
export function dma_assign_coherent_memory(dev: Device, mem: DmaCoherentMem): number {
  if (dev.dma_mem) return -EBUSY
  dev.dma_mem = mem
  return 0
}
// #endregion coherent-assign
