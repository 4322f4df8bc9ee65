// SPDX-License-Identifier: MIT
//
// A machine boots, from the first look at the device tree to /proc/iomem:
//
//     RAM nodes → memblock     kernel image, initrd, DTB → reserved     /reserved-memory     default CMA     iomem
//
//     arm64 6.x   scan · page tables · unflatten (6.12: static regions) · CMA · iomem · reserved → iomem
//     arm64 4.x   scan · CMA · page tables · unflatten · iomem
//     arm         scan · CMA · page tables · iomem · unflatten (6.12: static regions)
//
// 3.5 and 3.9 know no /reserved-memory, and no arm64: theirs is the arm order without the scan.
//
// What a kernel takes for its own page tables, struct pages and hash tables is an input (`own`), not a model: it moves the
// default CMA area and fills /proc/iomem, and observed.ts reads it from the log of a real boot. Without it the addresses
// are those of a kernel that needs nothing.

// #region boot-imports
import { dmaRegionDriver } from '../dma/coherent.ts'
import {
  cmaRegionDriver,
  createDmaContiguous,
  dma_contiguous_reserve,
  early_cma,
  memparse,
  type DmaContiguous,
} from '../dma/contiguous.ts'
import { Complaint } from '../lib/complaint.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import { Printk } from '../lib/printk.ts'
import { MiB, round_down, round_up, type Bytes, type PhysAddr } from '../lib/units.ts'
import type { CmaAreas } from '../mm/cma_declare.ts'
import {
  createMemblock,
  memblock_add,
  memblock_clear_nomap,
  memblock_end_of_DRAM,
  memblock_is_map_memory,
  memblock_is_nomap,
  memblock_phys_free,
  memblock_remove,
  memblock_reserve,
  memblock_start_of_DRAM,
  regionEnd,
  type Memblock,
} from '../mm/memblock.ts'
import { memblock_mem_limit_remove_map } from '../mm/memblock_limit.ts'
import { memblock_dump_all } from '../mm/memblock_print.ts'
import { memremap, type Mapping } from '../mm/memremap.ts'
import { zoneLimits } from '../mm/zones.ts'
import { of_dma_get_max_cpu_address } from '../of/device.ts'
import { early_init_dt_scan_chosen, early_init_dt_scan_memory, early_init_dt_scan_root } from '../of/fdt.ts'
import { createReservedMemTable, type RegionDriver, type ReservedMemTable } from '../of/reserved_mem.ts'
import { early_init_fdt_scan_reserved_mem, fdt_scan_reserved_mem_reg_nodes } from '../of/reserved_mem_scan.ts'
import type { DeviceTree } from '../of/tree.ts'
import { defaultConfig, defaultImage, type KernelConfig } from './config.ts'
import {
  imageStart,
  request_standard_resources,
  reserve_memblock_reserved_regions,
  type KernelImage,
} from './iomem.ts'
import { formatResources, makeResource, ramInRange, type Resource } from './resource.ts'
// #endregion boot-imports

// #region boot-options
export interface Range {
  readonly base: PhysAddr
  readonly size: Bytes
}

/** Something that the kernel does with memblock for itself. */
export interface OwnEvent extends Range {
  readonly op: 'reserve' | 'free'
}

/** Own events by the time at which they happen; each list in order. */
export interface OwnEvents {
  /** arm: before the scan of /reserved-memory: its first page table, and what the board keeps for itself. */
  readonly platform?: readonly OwnEvent[]
  /** After the scan of /reserved-memory, before the tree is unflattened: page tables. */
  readonly paging?: readonly OwnEvent[]
  /** Then the unflattened tree, struct pages; on arm64 6.x still before the default CMA area. */
  readonly unflatten?: readonly OwnEvent[]
  /** After the default CMA area, until the page allocator takes over. */
  readonly late?: readonly OwnEvent[]
}
// #endregion boot-options

// #region boot-options-all
export interface BootOptions {
  readonly tree: DeviceTree
  readonly kernel: KernelVersion
  readonly arch: Arch
  /** Instead of `bootargs` in /chosen. */
  readonly cmdline?: string
  /** What differs from `defaultConfig()`. */
  readonly config?: Partial<KernelConfig>
  /** Where the kernel lies; null for a machine without, in which nothing is in the way. */
  readonly image?: KernelImage | null
  /** Instead of linux,initrd-start and -end in /chosen; null for none. */
  readonly initrd?: Range | null
  /** Where the boot loader put the blob. */
  readonly dtbAt?: Range
  readonly own?: OwnEvents
}
// #endregion boot-options-all

// #region boot-machine-type
/** A machine after boot. Its parts are live: attach devices, map memory, look at the lists. */
export interface Machine {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly config: KernelConfig
  /** The command line that it got. */
  readonly cmdline: string
  readonly tree: DeviceTree
  readonly memblock: Memblock
  readonly cma: CmaAreas
  readonly contiguous: DmaContiguous
  readonly reserved_mem: ReservedMemTable
  readonly iomem: Resource
  readonly printk: Printk
  /** The kernel log without timestamps, as far as the models write it. */
  readonly log: string[]
  /** /proc/iomem; without privilege all addresses read zero. RAM only: devices are not modelled. */
  procIomem(options?: { privileged?: boolean }): string
  memremap(offset: PhysAddr, size: Bytes, flags: number): Mapping | null
}
// #endregion boot-machine-type

// #region boot-machine
/**
 * Boots a machine from its device tree.
 * @kernel arch/arm64/kernel/setup.c, arch/arm/kernel/setup.c setup_arch() v6.12
 * @omits EFI, ACPI, NUMA, crash kernel, KASLR; `mem=` of arm; what `own` does not tell
 */
export function bootMachine(options: BootOptions): Machine {
  // #region boot-machine-era
  if (options.arch === 'arm64' && !kernelAtLeast(options.kernel, '4.6')) {
    throw new Complaint({
      text: `kernel ${options.kernel} on arm64: the models know ${options.kernel} on arm only (arm64 came with v3.7)`,
      exitCode: 2,
      next: ['Ask for arch arm, or for kernel 4.6 or later.'],
    })
  }
  // #endregion boot-machine-era
  const machine = powerOn(options)
  const own = options.own ?? {}
  const image = imageOf(options, machine)
  const modern = options.arch === 'arm64' && kernelAtLeast(options.kernel, '6.1.192')
  const standardResources = () =>
    request_standard_resources(machine.kernel, machine.arch, machine.memblock, image, machine.iomem)
  const unflatten = () => {
    if (kernelAtLeast(options.kernel, '6.12.117')) fdt_scan_reserved_mem_reg_nodes(machine.reserved_mem)
    replay(machine, own.unflatten)
  }
  initMemblock(options, machine, image)
  if (!modern) reserveDefaultArea(machine)
  replay(machine, own.paging)
  if (options.arch === 'arm64') unflatten()
  if (modern) reserveDefaultArea(machine)
  const standard = standardResources()
  if (options.arch === 'arm') unflatten()
  replay(machine, own.late)
  if (modern) reserve_memblock_reserved_regions(machine.memblock, standard)
  return machine
}
// #endregion boot-machine

// #region boot-power-on
// The parts, wired to each other, before anything has run.
function powerOn({ tree, kernel, arch, ...options }: BootOptions): Machine {
  const config: KernelConfig = { ...defaultConfig(kernel, arch), ...options.config }
  const cmdline = options.cmdline ?? early_init_dt_scan_chosen(tree).bootargs
  const { pageSize, physAddrBits, cmaAlignment } = config
  const printk = new Printk()
  const memblock = createMemblock(physAddrBits, pageSize)
  const iomem = makeResource('PCI mem', 0, 2 ** 64, 0)
  const cma = {
    kernel,
    memblock,
    log: printk,
    minAlignment: cmaAlignment,
    maxAreas: config.cmaAreas,
    highmemStart: 0,
    areas: [],
  }
  const contiguous = createDmaContiguous(cma, config.cmaSize)
  const map = memremapOf({ memblock, iomem, printk, cma, arch, config })
  // kernel/dma/Makefile links contiguous.o before coherent.o, and the table of drivers keeps that order.
  const drivers: RegionDriver[] = [
    cmaRegionDriver(contiguous),
    dmaRegionDriver({ kernel, arch, physAddrBits, log: printk, memremap: map }),
  ]
  const cells = early_init_dt_scan_root(tree)
  const reserved_mem = createReservedMemTable({
    kernel,
    arch,
    memblock,
    log: printk,
    tree,
    cells,
    drivers,
    cmaAlignment,
  })
  return {
    ...{ kernel, arch, config, cmdline, tree, memblock, cma, contiguous, reserved_mem, iomem, printk },
    memremap: map,
    get log() {
      return printk.lines
    },
    procIomem: (how = {}) => formatResources(iomem, how.privileged ?? true),
  }
}
// #endregion boot-power-on

// #region boot-memremap
type Parts = Pick<Machine, 'memblock' | 'iomem' | 'printk' | 'cma' | 'arch' | 'config'>

// memremap() with this machine's resource tree and linear mapping.
function memremapOf({ memblock, iomem, printk, cma, arch, config }: Parts): Machine['memremap'] {
  const { pageSize, paBits } = config
  const isMapped = (addr: PhysAddr) => memblock_is_map_memory(memblock, round_down(addr, pageSize))
  const machine = {
    arch,
    paBits,
    log: printk,
    physAddrBits: memblock.physAddrBits,
    warned: new Set<string>(),
    ramIn: (start: PhysAddr, size: Bytes) => ramInRange(iomem, start, size),
    isMapped,
    isLinear: (addr: PhysAddr) =>
      arch === 'arm64' ? isMapped(addr) : memblock_is_map_memory(memblock, addr) && addr < cma.highmemStart,
  }
  return (offset, size, flags) => memremap(machine, offset, size, flags)
}
// #endregion boot-memremap

// #region boot-image-of
// Where the image lies when nobody says it: behind the first RAM that the tree names.
function imageOf({ image, kernel, arch }: BootOptions, { tree, config }: Machine): KernelImage | null {
  if (image !== undefined) return image
  const ram = createMemblock(config.physAddrBits, config.pageSize)
  early_init_dt_scan_memory(ram, tree, early_init_dt_scan_root(tree), kernel, new Printk())
  return defaultImage(kernel, arch, memblock_start_of_DRAM(ram))
}
// #endregion boot-image-of

// #region boot-init-memblock
// setup_machine_fdt() and the memblock_init() of the architecture.
function initMemblock(options: BootOptions, machine: Machine, image: KernelImage | null): void {
  const { memblock, tree, cma, arch, kernel, printk } = machine
  early_init_dt_scan_memory(memblock, tree, machine.reserved_mem.cells, kernel, printk)
  if (options.dtbAt) memblock_reserve(memblock, options.dtbAt.base, options.dtbAt.size)
  const chosen = early_init_dt_scan_chosen(tree)
  const memoryLimit = parseEarlyParams(machine)
  if (arch === 'arm') adjust_lowmem_bounds(machine)
  // 4.x takes away still more: all that its linear mapping has no room for.
  if (arch === 'arm64') memblock_remove(memblock, 2 ** machine.config.paBits, 2 ** 64)
  if (arch === 'arm64' && memoryLimit !== null) limitMemory(machine, memoryLimit, image)
  const initrd = options.initrd === undefined ? chosen.initrd : options.initrd
  if (initrd) reserveInitrd(machine, initrd)
  if (image) reserveImage(machine, image)
  replay(machine, options.own?.platform)
  if (arch === 'arm64') cma.highmemStart = memblock_end_of_DRAM(memblock)
  early_init_fdt_scan_reserved_mem(machine.reserved_mem)
}
// #endregion boot-init-memblock

// #region boot-image
// arm reserves from _stext on and shows all from _text on.
function reserveImage({ memblock, kernel, arch }: Machine, image: KernelImage): void {
  const start = arch === 'arm' ? image._stext : imageStart(kernel, arch, image)
  memblock_reserve(memblock, start, image._end - start)
}

// In whole pages, and as ordinary RAM even where `mem=` or a flag says otherwise.
function reserveInitrd({ memblock, arch }: Machine, initrd: Range): void {
  const base = round_down(initrd.base, memblock.pageSize)
  const size = round_up(initrd.base + initrd.size, memblock.pageSize) - base
  if (arch === 'arm64') {
    memblock_add(memblock, base, size)
    memblock_clear_nomap(memblock, base, size)
  }
  memblock_reserve(memblock, base, size)
}

function limitMemory({ memblock, printk }: Machine, limit: Bytes, image: KernelImage | null): void {
  printk.print('info', `Memory limited to ${Math.floor(limit / MiB(1))}MB`)
  memblock_mem_limit_remove_map(memblock, limit)
  if (image) memblock_add(memblock, image._text, image._end - image._text)
}
// #endregion boot-image

// #region boot-params
// Early parameters that the models know: `cma` and `mem`. The limit of `mem=`, or null.
function parseEarlyParams(machine: Machine): Bytes | null {
  let limit: Bytes | null = null
  for (const word of machine.cmdline.split(/\s+/).filter(Boolean)) {
    if (word === '--') break
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    const value = equals < 0 ? null : word.slice(equals + 1)
    if (name === 'cma' && early_cma(machine.contiguous, value) !== 0) {
      machine.printk.print('warn', `Malformed early option '${name}'`)
    }
    if (name === 'mem' && value !== null) limit = round_down(memparse(value).value, machine.config.pageSize)
  }
  return limit
}
// #endregion boot-params

// #region boot-lowmem
const PMD_SIZE = MiB(2)

// arm: where the linear mapping ends. What is above is high memory, or given up by a kernel without.
function adjust_lowmem_bounds({ memblock, config, cma }: Machine): void {
  const vmallocLimit = memblock_start_of_DRAM(memblock) + config.lowmem
  let lowmemLimit = 0
  for (const region of memblock.memory.regions) {
    if (memblock_is_nomap(region) || region.base >= vmallocLimit) continue
    lowmemLimit = Math.max(lowmemLimit, Math.min(vmallocLimit, regionEnd(region)))
  }
  cma.highmemStart = lowmemLimit
  memblock.current_limit = round_down(lowmemLimit, PMD_SIZE)
  const above: Bytes = memblock_end_of_DRAM(memblock) - memblock.current_limit
  if (!config.highmem && above > 0) memblock_remove(memblock, memblock.current_limit, above)
}
// #endregion boot-lowmem

// #region boot-default-area
// dma_contiguous_reserve() with the limit of the architecture, then the dump of memblock=debug.
function reserveDefaultArea(machine: Machine): void {
  const { memblock, contiguous, printk, arch } = machine
  dma_contiguous_reserve(contiguous, dmaPhysLimit(machine))
  const debug = /(^|\s)memblock=\S*debug/.test(machine.cmdline)
  if (debug) for (const line of memblock_dump_all(memblock)) printk.print('info', line)
  // arm: memory may have gone, so the bounds are looked at again.
  if (arch === 'arm') adjust_lowmem_bounds(machine)
}

// arm: what 32-bit devices reach, in 3.x no higher than the linear mapping. arm64: the end of its DMA zone, which in 6.x ends
// where the narrowest bus of the tree does.
function dmaPhysLimit({ kernel, arch, memblock, cma, tree }: Machine): PhysAddr {
  if (arch === 'arm') return kernelAtLeast(kernel, '4.6') ? 0xffff_ffff : cma.highmemStart
  const dmaRangesLast = of_dma_get_max_cpu_address(tree.root) ?? undefined
  return zoneLimits({ kernel, arch, memblock, ...(dmaRangesLast === undefined ? {} : { dmaRangesLast }) })[0]!
    .end
}
// #endregion boot-default-area

// #region boot-replay
// What the kernel took and gave back for itself at this stage.
function replay({ memblock }: Machine, events: readonly OwnEvent[] = []): void {
  for (const { op, base, size } of events) {
    if (op === 'reserve') memblock_reserve(memblock, base, size)
    else memblock_phys_free(memblock, base, size)
  }
}
// #endregion boot-replay
