// SPDX-License-Identifier: MIT
//
// A machine that runs: what bootMachine() left in memblock becomes pages that can be allocated, and everything above the
// page allocator is wired to it.
//
//     bootMachine()              the device tree, memblock, CMA areas declared, /proc/iomem
//       ↓ zones, then mem_init(): bounce buffers from memblock, and memblock_free_all(): pages
//       ↓ core_initcall        cma_init_reserved_areas()      areas become free memory of type CMA
//       ↓ postcore_initcall    the atomic pools of the DMA API, watermarks
//     processes, files, devices
//
// Where Linux has a circle, the lower room gets the function here: the page allocator asks reclaim, a long pin asks
// migration. What devices a machine has, and what they do, is up to its user.
//
// Leaves out: other CPUs, interrupts, the initcalls of everything else. /proc/iomem is that of setup_arch(): it does not show
// the bounce buffer, which is taken later. With `own` events, what a real kernel took for it is among them.

// #region system-types
import { createCpu, type Cpu } from '../arch/cpu.ts'
import { __va, createKernelMap, type KernelMap } from '../arch/kernel_map.ts'
import { GEOMETRIES, type Geometry } from '../arch/pgtable.ts'
import { createRam } from '../arch/ram.ts'
import { atomic_pool_init } from '../dma/arm_atomic_pool.ts'
import { memparse } from '../dma/contiguous.ts'
import { activateContiguous } from '../dma/contiguous_3x.ts'
import { createDma, type Dma, type DmaConfig } from '../dma/dma_state.ts'
import { dma_atomic_pool_init } from '../dma/pool.ts'
import { swiotlbAtBoot } from '../dma/swiotlb_init.ts'
import { createIoTlbMem } from '../dma/swiotlb_pool.ts'
import { kernelAtLeast, type Arch } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import { createTrace, type Trace } from '../lib/trace.ts'
import { GiB, KiB, round_down, type Bytes, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import type { Cma } from '../mm/cma_declare.ts'
import { memblock_is_map_memory, memblock_start_of_DRAM } from '../mm/memblock.ts'
import { migrateLongterm } from '../mm/migrate_longterm.ts'
import { createPgdat, memblock_free_all } from '../mm/mm_init.ts'
import type { Pgdat } from '../mm/mmzone.ts'
import { createVm, type Vm } from '../mm/vm.ts'
import { installReclaim } from '../mm/vmscan.ts'
import { init_per_zone_wmark_min } from '../mm/watermark.ts'
import { zoneLimits, zoneRangesLines, type ZoneLimit } from '../mm/zones.ts'
import { of_dma_get_max_cpu_address } from '../of/device.ts'
import { findNode } from '../of/tree.ts'
import { bootMachine, type BootOptions, type Machine } from './boot.ts'

/** What the device tree does not say of the hardware. */
export interface Hardware {
  /** Bytes of a cache line; 64 unless said otherwise. */
  readonly lineSize?: Bytes
  /** arm: with an outer cache, as a Cortex-A9 has. */
  readonly outerCache?: boolean
  /** arm64: whether the CPU marks page table entries dirty by itself. */
  readonly hwDirtyBit?: boolean
  /**
   * arm64: the last address that the narrowest bus reaches; 0x3fffffff on a Raspberry Pi 4. Default: by `dma-ranges`, by
   * which alone the default CMA area goes.
   */
  readonly dmaRangesLast?: PhysAddr
  /** arm: what the board calls its DMA zone. Unit: bytes. */
  readonly dma_zone_size?: Bytes
}

export interface SystemOptions extends BootOptions {
  readonly hardware?: Hardware
  /** What differs from `defaultDmaConfig()`. */
  readonly dma?: Partial<DmaConfig>
}

/** A machine that runs. Its parts are live. */
export interface System {
  readonly machine: Machine
  readonly pgdat: Pgdat
  readonly vm: Vm
  readonly kernelMap: KernelMap
  readonly dma: Dma
  readonly trace: Trace
  readonly printk: Printk
  /** The areas, in the order declared. */
  readonly cma: readonly Cma[]
}
// #endregion system-types

// #region system-start
/**
 * Boots a machine and starts memory management.
 * @kernel init/main.c start_kernel() v6.12
 */
export function startSystem(options: SystemOptions): System {
  const machine = bootMachine(options)
  const { memblock, printk: log } = machine
  const trace = createTrace()
  const cpu = createCpuOf(machine, options.hardware)
  const kernelMap = mapKernel(machine, cpu)
  const zones = zonesOf(machine, options.hardware)
  const pgdat = createNode(machine, zones, trace)
  const swiotlb = reserveBounceBuffer(machine, kernelMap, zones, options)
  memblock_free_all(pgdat, memblock)
  const vm = createVm({ pgdat, cpu, log, trace, geometry: geometryOf(machine.arch, memblock.pageSize) })
  closeCircles(vm)
  activateContiguous(vm, machine.contiguous)
  const dma = createDma({
    ...{ vm, kernelMap, swiotlb, contiguous: machine.contiguous, memremap: machine.memremap },
    config: { ...dmaConfigOf(machine, options.hardware ?? {}), ...options.dma },
  })
  makeAtomicPools(dma)
  init_per_zone_wmark_min(pgdat)
  return { machine, pgdat, vm, kernelMap, dma, trace, printk: log, cma: machine.cma.areas }
}
// #endregion system-start

// #region system-parts
function createCpuOf({ arch }: Machine, hardware: Hardware = {}): Cpu {
  const { lineSize = 64, outerCache = false, hwDirtyBit = false } = hardware
  return createCpu({ ram: createRam(), arch, lineSize, outer: outerCache, hwDirtyBit })
}

// What the narrowest device cannot reach is bounced. With `own` events, the memory for it is among them already.
function reserveBounceBuffer(
  machine: Machine,
  map: KernelMap,
  zones: readonly ZoneLimit[],
  options: SystemOptions,
) {
  const { kernel, arch, memblock, printk, cmdline, tree } = machine
  if (options.own) return createIoTlbMem()
  const cpus = findNode(tree, '/cpus')?.children.filter(({ name }) => name.startsWith('cpu@')).length
  const { DMA_BOUNCE_UNALIGNED_KMALLOC: bounces } = options.dma ?? {}
  return swiotlbAtBoot({
    ...{ kernel, arch, memblock, log: printk, cmdline, cpus: cpus || 1 },
    dmaPhysLimit: arch === 'arm64' ? zones[0]!.end : armDmaLimit(machine, options.hardware),
    phys_to_virt: (pa: PhysAddr) => __va(map, pa),
    ...(bounces === undefined ? {} : { DMA_BOUNCE_UNALIGNED_KMALLOC: bounces }),
  })
}

function armDmaLimit({ memblock }: Machine, { dma_zone_size }: Hardware = {}): PhysAddr {
  return dma_zone_size ? memblock_start_of_DRAM(memblock) + dma_zone_size : 2 ** 32
}

function zonesOf(machine: Machine, hardware: Hardware = {}): ZoneLimit[] {
  const { kernel, arch, memblock, cma } = machine
  const { dma_zone_size } = hardware
  const dmaRangesLast = narrowestBus(machine, hardware)
  return zoneLimits({
    ...{ kernel, arch, memblock, lowmemEnd: cma.highmemStart },
    ...(dmaRangesLast === undefined ? {} : { dmaRangesLast }),
    ...(dma_zone_size === undefined ? {} : { dma_zone_size }),
  })
}

// The last address that the narrowest bus reaches: by the tree, unless the hardware is said to be otherwise.
function narrowestBus({ tree }: Machine, { dmaRangesLast }: Hardware): PhysAddr | undefined {
  return dmaRangesLast ?? of_dma_get_max_cpu_address(tree.root) ?? undefined
}

// The node with its zones and struct pages, none of them free.
function createNode(machine: Machine, zones: readonly ZoneLimit[], trace: Trace): Pgdat {
  const { kernel, arch, memblock, config, printk } = machine
  const { maxOrder, pageblockOrder } = config
  const pgdat = createPgdat({
    ...{ kernel, arch, memblock, zones, maxOrder, pageblock_order: pageblockOrder, log: printk, trace },
  })
  if (kernelAtLeast(kernel, '4.6')) {
    for (const line of zoneRangesLines(pgdat, memblock)) printk.print('info', line)
  }
  return pgdat
}

// Below its own watermarks the page allocator asks reclaim; a pin for long asks migration to move a page out of CMA.
function closeCircles(vm: Vm): void {
  installReclaim(vm)
  vm.hooks.migrateLongterm = migrateLongterm
}

function geometryOf(arch: Arch, pageSize: Bytes): Geometry {
  if (arch === 'arm') return GEOMETRIES.arm
  return pageSize === KiB(16) ? GEOMETRIES['arm64-16k-47'] : GEOMETRIES['arm64-4k-48']
}

/** The usual split of arm's addresses: 3 GiB for programs. @kernel arch/arm/Kconfig PAGE_OFFSET v6.12 */
const ARM_PAGE_OFFSET: VirtAddr = 0xc000_0000

// The linear map begins at the first RAM, on arm64 at the GiB in which it lies; on arm it ends with low memory.
function mapKernel({ kernel, arch, memblock, cma }: Machine, cpu: Cpu): KernelMap {
  const start = memblock_start_of_DRAM(memblock)
  const isLinear = (pa: PhysAddr) =>
    memblock_is_map_memory(memblock, pa) && (arch === 'arm64' || pa < cma.highmemStart)
  return createKernelMap({
    ...{ kernel, arch, cpu, pageSize: memblock.pageSize, linear: isLinear },
    phys_offset: arch === 'arm64' ? round_down(start, GiB(1)) : start,
    ...(arch === 'arm' ? { high_memory: ARM_PAGE_OFFSET + cma.highmemStart - start } : {}),
  })
}

// What the DMA API has to know of the zones, and the word `coherent_pool=` of the command line.
function dmaConfigOf(machine: Machine, hardware: Hardware): Partial<DmaConfig> {
  const { arch, memblock, cmdline } = machine
  const { dma_zone_size } = hardware
  const dmaRangesLast = narrowestBus(machine, hardware)
  const pool = /(?:^|\s)coherent_pool=(\S+)/.exec(cmdline)?.[1]
  const armLimit = dma_zone_size ? memblock_start_of_DRAM(memblock) + dma_zone_size - 1 : undefined
  return {
    ...(arch === 'arm64' && dmaRangesLast !== undefined ? { zone_dma_limit: dmaRangesLast } : {}),
    ...(arch === 'arm' && armLimit !== undefined ? { arm_dma_limit: armLimit, ZONE_DMA: true } : {}),
    ...(pool === undefined ? {} : { coherent_pool: memparse(pool).value }),
  }
}

// arm has a pool of its own, and so had arm64 until 4.18; today's are common to all.
function makeAtomicPools(dma: Dma): void {
  const common = dma.arch === 'arm64' && kernelAtLeast(dma.kernel, '6.1.192')
  if (common) dma_atomic_pool_init(dma)
  else atomic_pool_init(dma)
}
// #endregion system-parts
