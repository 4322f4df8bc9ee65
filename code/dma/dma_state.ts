// SPDX-License-Identifier: MIT
//
// The DMA API of a machine: what all of kernel/dma shares, and what a kernel was built with as far as it matters there.
//
//     const dma = createDma({ vm, kernelMap, contiguous, memremap })     zones and CMA stand
//     dma_atomic_pool_init(dma)                                          postcore_initcall
//     const buffer = dma_alloc_coherent(dma, dev, MiB(1), GFP_KERNEL)    null: no memory
//     dma_free_coherent(dma, dev, MiB(1), buffer.cpu_addr, buffer.dma_handle)
//
// Where Linux hands a handle out through a pointer, the functions here return both addresses as one object.
//
// Leaves out: IOMMUs, encrypted memory, dma-debug.

// #region dma-state-imports
import type { KernelMap } from '../arch/kernel_map.ts'
import type { GenPool } from '../lib/genalloc.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import type { Trace } from '../lib/trace.ts'
import { get_order, type Bytes, type DmaAddr, type Pfn, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import { memblock_end_of_DRAM } from '../mm/memblock.ts'
import type { Mapping } from '../mm/memremap.ts'
import type { Vm } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import type { DmaContiguous } from './contiguous.ts'
import { DMA_BIT_MASK } from './dma_address.ts'
import { createIoTlbMem, type IoTlbMem } from './swiotlb_pool.ts'
// #endregion dma-state-imports

// #region dma-state-attrs
/** What a caller may ask of a buffer, or-ed. @kernel include/linux/dma-mapping.h DMA_ATTR_* v6.12 */
export const DMA_ATTR_WRITE_COMBINE = 1 << 2
/** No kernel address: the caller gets the page, as a pfn, and must not use it as an address. */
export const DMA_ATTR_NO_KERNEL_MAPPING = 1 << 4
export const DMA_ATTR_SKIP_CPU_SYNC = 1 << 5
/** No line in the log when there is no memory. */
export const DMA_ATTR_NO_WARN = 1 << 8
// #endregion dma-state-attrs

// #region dma-state-config
/** What the kernel was built with, and what its machine description said. */
export interface DmaConfig {
  /** CONFIG_ZONE_DMA. */
  readonly ZONE_DMA: boolean
  /** CONFIG_ZONE_DMA32. */
  readonly ZONE_DMA32: boolean
  /** The last address that GFP_DMA promises; 6.1 keeps the number of its bits. @kernel kernel/dma/direct.c zone_dma_limit v6.12 */
  readonly zone_dma_limit: PhysAddr
  /** arm: the last address of the DMA zone; 32 ones when all low memory is one. @kernel arch/arm/mm/init.c arm_dma_limit v6.12 */
  readonly arm_dma_limit: PhysAddr
  /** CONFIG_CMA, which decides for all buffers in 3.x; false makes those kernels remap pages of the buddy allocator. */
  readonly CMA: boolean
  /** 3.5: all devices of the machine are coherent. @kernel arch/arm/include/asm/memory.h arch_is_coherent() v3.5 */
  readonly coherentMachine: boolean
  /** CONFIG_DMA_API_DEBUG, of which only arm's test of the size is modelled. */
  readonly DMA_API_DEBUG: boolean
  /** CONFIG_DMA_BOUNCE_UNALIGNED_KMALLOC: small buffers may share a cache line with others, so they bounce. */
  readonly DMA_BOUNCE_UNALIGNED_KMALLOC: boolean
  /** `coherent_pool=` on the command line; 0 when it is not there. Unit: bytes. */
  readonly coherent_pool: Bytes
}
// #endregion dma-state-config

// #region dma-state-defaults
/** A kernel of its time on a board whose devices all reach 32 bits. */
export function defaultDmaConfig(kernel: KernelVersion, arch: Arch): DmaConfig {
  const arm64 = arch === 'arm64'
  return {
    ZONE_DMA: arm64,
    ZONE_DMA32: arm64 && kernelAtLeast(kernel, '6.1.192'),
    // arm never sets it, so that the number that is right for ISA stays.
    zone_dma_limit: DMA_BIT_MASK(arm64 ? 32 : 24),
    arm_dma_limit: DMA_BIT_MASK(32),
    CMA: true,
    coherentMachine: false,
    DMA_API_DEBUG: false,
    DMA_BOUNCE_UNALIGNED_KMALLOC: arm64 && kernelAtLeast(kernel, '6.12.117'),
    coherent_pool: 0,
  }
}
// #endregion dma-state-defaults

// #region dma-state-buffer
/** A buffer as its driver knows it. */
export interface DmaBuffer {
  /** Where the CPU finds it; with DMA_ATTR_NO_KERNEL_MAPPING the pfn of its first page. */
  readonly cpu_addr: VirtAddr
  /** What the device is told. */
  readonly dma_handle: DmaAddr
}
// #endregion dma-state-buffer

// #region dma-state-types
/** Pages and how the kernel reaches them; `addr` is null for pages without a kernel address. */
export interface MappedPages {
  readonly page: Pfn
  readonly addr: VirtAddr | null
}

/** The pools for callers that cannot wait; null is a pool that there is not. Sizes in bytes. */
export interface AtomicPools {
  /** What each was to have; grows no pool. */
  atomic_pool_size: Bytes
  kernel: GenPool | null
  dma: GenPool | null
  dma32: GenPool | null
  /** debugfs dma_pools/pool_size_*. */
  readonly pool_size: { kernel: Bytes; dma: Bytes; dma32: Bytes }
  /** A worker is to make them larger: `atomic_pool_work_fn()`. */
  workPending: boolean
}
// #endregion dma-state-types

// #region dma-state
/** Who gave a buffer of arm, since 4.12. */
export type ArmAllocatorName = 'cma' | 'simple' | 'remap' | 'pool'

/** The state of the DMA API. */
export interface Dma {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly pageSize: Bytes
  readonly vm: Vm
  readonly kernelMap: KernelMap
  readonly contiguous: DmaContiguous
  readonly config: DmaConfig
  readonly log: Printk
  readonly trace: Trace
  /** memremap() of the machine; null is a refusal. */
  readonly memremap: (offset: PhysAddr, size: Bytes, flags: number) => Mapping | null
  /** Warnings that were given: WARN_ONCE. */
  readonly warned: Set<string>
  /** What irqs_disabled() says to a caller. */
  irqsDisabled: boolean
  readonly atomic: AtomicPools
  readonly swiotlb: IoTlbMem
  /** arm since 4.12: who gave the buffer at this address. @kernel arch/arm/mm/dma-mapping.c arm_dma_bufs v6.12 */
  readonly arm_dma_bufs: Map<VirtAddr, ArmAllocatorName>
}
// #endregion dma-state

// #region dma-state-create
/** What a `Dma` is made of; `config` holds what differs from `defaultDmaConfig()`. */
export interface DmaParts {
  readonly vm: Vm
  readonly kernelMap: KernelMap
  readonly contiguous: DmaContiguous
  readonly memremap: Dma['memremap']
  readonly config?: Partial<DmaConfig>
  /** What swiotlb_init() set aside at boot; nothing unless given. */
  readonly swiotlb?: IoTlbMem
}

export function createDma({ vm, kernelMap, contiguous, memremap, config, swiotlb }: DmaParts): Dma {
  const { kernel, arch, pageSize } = vm.pgdat
  return {
    ...{ kernel, arch, pageSize, vm, kernelMap, contiguous, memremap, log: vm.log, trace: vm.trace },
    config: { ...defaultDmaConfig(kernel, arch), ...config },
    warned: new Set(),
    irqsDisabled: false,
    atomic: {
      ...{ atomic_pool_size: 0, kernel: null, dma: null, dma32: null, workPending: false },
      pool_size: { kernel: 0, dma: 0, dma32: 0 },
    },
    swiotlb: swiotlb ?? createIoTlbMem(),
    arm_dma_bufs: new Map(),
  }
}
// #endregion dma-state-create

// #region dma-state-questions
/** `size` rounded up to whole pages. @kernel include/linux/mm.h PAGE_ALIGN() v6.12 */
export function PAGE_ALIGN(dma: Dma, size: Bytes): Bytes {
  return Math.ceil(size / dma.pageSize) * dma.pageSize
}

/**
 * The order that the page allocator is asked for. Of 0 bytes get_order() makes more than any allocator has, on arm too:
 * no memory.
 */
export function pageOrder(dma: Dma, size: Bytes): number {
  return size === 0 ? 64 - Math.log2(dma.pageSize) : get_order(size, dma.pageSize)
}

/** One more than the last page of RAM. @kernel include/linux/memblock.h max_pfn v6.12 */
export function maxPfn(dma: Dma): Pfn {
  return Math.floor(memblock_end_of_DRAM(dma.contiguous.cma.memblock) / dma.pageSize)
}

/** Bits of `dma_addr_t`: those of `phys_addr_t`. */
export function dmaAddrBits(dma: Dma): 32 | 64 {
  return dma.contiguous.cma.memblock.physAddrBits
}

/** Its own name, without that of its driver. @kernel include/linux/device.h dev_name() v6.12 */
export function dev_name(dev: Device): string {
  return dev.name.split(' ').at(-1) ?? ''
}

/** As dev_warn() names it; a caller without device has none. */
export function deviceName(dev: Device | null): string {
  return dev?.name ?? '(NULL device *)'
}
// #endregion dma-state-questions

// #region dma-state-warn
/** WARN_ON(): the line of the log that names the place. @omits registers and backtrace */
export function warnAt(dma: Dma, file: string, symbol: string): void {
  dma.log.print('warn', `WARNING: at ${file} ${symbol}`)
}

/** WARN_ON_ONCE(). */
export function warnOnceAt(dma: Dma, file: string, symbol: string): void {
  if (dma.warned.has(`${file} ${symbol}`)) return
  dma.warned.add(`${file} ${symbol}`)
  warnAt(dma, file, symbol)
}
// #endregion dma-state-warn

// #region dma-state-dev-warn
/** Where a warning stands: each place gives one. `head` is how its text begins. */
export interface WarnPlace {
  readonly file: string
  readonly symbol: string
  readonly head: string
}

/** dev_WARN_ONCE(): the text, which is `head` and `rest`, and the place. */
export function devWarnOnce(dma: Dma, dev: Device, { file, symbol, head }: WarnPlace, rest: string): void {
  const key = `${file} ${symbol} ${head}`
  if (dma.warned.has(key)) return
  dma.warned.add(key)
  dma.log.print('warn', `${deviceName(dev)}: ${head} ${rest}`)
  warnAt(dma, file, symbol)
}
// #endregion dma-state-dev-warn
