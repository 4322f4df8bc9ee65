// SPDX-License-Identifier: MIT
//
// kernel/dma/swiotlb.c and mem_init() of the architecture: whether a machine gets a bounce buffer, how large, and where.
// It happens at boot, right before memblock gives its pages to the page allocator:
//
//     const swiotlb = swiotlbAtBoot({ …, dmaPhysLimit })     dmaPhysLimit: the end of ZONE_DMA
//     createDma({ …, swiotlb })
//
//     arm64 6.12    always: 64 MiB when RAM goes beyond the DMA zone, else 1 MiB for each GiB of RAM, for small buffers
//     arm64 6.1     64 MiB when RAM goes beyond the DMA zone          4.12 the same          4.6 always
//     arm   6.x     with LPAE only, by the same rule
//
// `swiotlb=<slots>[,<areas>][,force|noforce]` has the last word. The memory lies as high in the DMA zone as it can, so it is
// no nearer to a device's reach than that zone's end is: a device that reaches less than the zone cannot bounce.
//
// Leaves out: memory encryption, restricted pools, a bounce buffer from the page allocator.

// #region swiotlb-init-boot
import type { DmaConfig } from './dma_state.ts'
import { formatVa } from '../arch/kernel_layout.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import type { Printk } from '../lib/printk.ts'
import { formatPa, KiB, MiB, round_up, type Bytes, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import {
  memblock_end_of_DRAM,
  memblock_phys_free,
  memblock_phys_mem_size,
  type Memblock,
} from '../mm/memblock.ts'
import { memblock_phys_alloc, memblock_phys_alloc_range } from '../mm/memblock_find.ts'
import {
  createIoTlbMem,
  IO_TLB_DEFAULT_SIZE,
  IO_TLB_SEGSIZE,
  IO_TLB_SIZE,
  swiotlb_init_io_tlb_pool,
  type IoTlbMem,
} from './swiotlb_pool.ts'

/** What is known when the bounce buffer is made. */
export interface SwiotlbBoot extends Partial<Pick<DmaConfig, 'DMA_BOUNCE_UNALIGNED_KMALLOC'>> {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly memblock: Memblock
  readonly log: Printk
  readonly cmdline: string
  /** Behind the DMA zone. @kernel arch/arm64/mm/init.c arm64_dma_phys_limit v6.12 */
  readonly dmaPhysLimit: PhysAddr
  /** CPUs that there may be: as many areas, in 6.x. @kernel include/linux/cpumask.h num_possible_cpus() v6.12 */
  readonly cpus?: number
  /** 4.x prints where the linear map has it. */
  readonly phys_to_virt: (pa: PhysAddr) => VirtAddr
}

// What the command line and the machine have decided so far.
interface Wish {
  nslabs: number
  nareas: number
  force: boolean
  disable: boolean
}

const DEFAULT_SLABS = IO_TLB_DEFAULT_SIZE / IO_TLB_SIZE
const now = ({ kernel }: SwiotlbBoot) => kernelAtLeast(kernel, '6.1.192')
const say = ({ log }: SwiotlbBoot, text: string) => log.print('info', `software IO TLB: ${text}`)
const complain = ({ log }: SwiotlbBoot, text: string) => log.print('warn', `software IO TLB: ${text}`)

const powerAbove = (n: number) => 2 ** Math.ceil(Math.log2(n))

// Whether areas have made the pool larger: each needs 128 slots, and there is to be a power of two of them.
function round_up_default_nslabs(wish: Wish): boolean {
  if (wish.nareas === 0) return false
  const least = IO_TLB_SEGSIZE * wish.nareas
  if (wish.nslabs >= least && powerAbove(wish.nslabs) === wish.nslabs) return false
  wish.nslabs = powerAbove(Math.max(wish.nslabs, least))
  return true
}

function swiotlb_adjust_nareas(boot: SwiotlbBoot, wish: Wish, nareas: number): void {
  wish.nareas = powerAbove(nareas || 1)
  say(boot, `area num ${wish.nareas}.`)
  if (round_up_default_nslabs(wish))
    say(boot, `SWIOTLB bounce buffer size roundup to ${megabytes(wish.nslabs)}MB`)
}

const megabytes = (nslabs: number) => Math.floor((nslabs * IO_TLB_SIZE) / MiB(1))

// `swiotlb=`; a number of slots is rounded up to whole runs of 128. 4.12 knows no areas, 4.6 no `noforce` either.
function setup_io_tlb_npages(boot: SwiotlbBoot, wish: Wish, value: string): void {
  const [, slots, areas, word] = /^(\d\w*)?,?(?:(\d\w*),?)?(.*)$/.exec(value)!
  if (slots !== undefined) wish.nslabs = round_up(leading(slots), IO_TLB_SEGSIZE)
  if (areas !== undefined && now(boot)) swiotlb_adjust_nareas(boot, wish, leading(areas))
  if (word === 'force') wish.force = true
  if (word === 'noforce' && kernelAtLeast(boot.kernel, '4.12.4')) wish.disable = true
}

// simple_strtoul() with base 0, as far as people write it.
function leading(text: string): number {
  return Number(/^0x[\da-f]+/i.exec(text)?.[0] ?? /^\d+/.exec(text)![0])
}

function readParams(boot: SwiotlbBoot): Wish {
  const wish: Wish = { nslabs: DEFAULT_SLABS, nareas: 0, force: false, disable: false }
  for (const [, value] of boot.cmdline.matchAll(/(?:^|\s)swiotlb=(\S*)/g))
    setup_io_tlb_npages(boot, wish, value!)
  return wish
}
// #endregion swiotlb-init-boot

// #region swiotlb-init-mem-init
/**
 * The bounce buffer of a machine, or one without memory: none is needed, none is wanted, or there is no room. Takes its
 * memory from memblock, with a line in the log.
 * @kernel arch/arm64/mm/init.c mem_init() v6.12
 */
export function swiotlbAtBoot(boot: SwiotlbBoot): IoTlbMem {
  const { kernel, arch, memblock, dmaPhysLimit } = boot
  const wish = readParams(boot)
  const beyond = memblock_end_of_DRAM(memblock) > dmaPhysLimit
  if (!now(boot)) return arch === 'arm64' ? memInit4(boot, wish, beyond) : createIoTlbMem()
  if (arch === 'arm') {
    return memblock.physAddrBits === 64 ? swiotlb_init(boot, wish, beyond) : createIoTlbMem()
  }
  const { DMA_BOUNCE_UNALIGNED_KMALLOC: bounces = kernelAtLeast(kernel, '6.12.117') } = boot
  if (bounces && !beyond) {
    const size = Math.ceil(memblock_phys_mem_size(memblock) / 1024)
    swiotlb_adjust_size(boot, wish, Math.min(wish.nslabs * IO_TLB_SIZE, size))
  }
  return swiotlb_init(boot, wish, beyond || bounces)
}

// Not over a size of the command line.
function swiotlb_adjust_size(boot: SwiotlbBoot, wish: Wish, size: Bytes): void {
  if (wish.nslabs !== DEFAULT_SLABS) return
  wish.nslabs = round_up(Math.ceil(size / IO_TLB_SIZE), IO_TLB_SEGSIZE)
  const shown = round_up_default_nslabs(wish) ? megabytes(wish.nslabs) : Math.floor(size / MiB(1))
  say(boot, `SWIOTLB bounce buffer size adjusted to ${shown}MB`)
}
// #endregion swiotlb-init-mem-init

// #region swiotlb-init-now
// Not worth having below 1 MiB.
const IO_TLB_MIN_SLABS = MiB(1) / IO_TLB_SIZE
const SLOT_BYTES: Bytes = 24
const AREA_BYTES: Bytes = 16

// swiotlb_init() of 6.x: half of it when there is no room for all, and so on.
function swiotlb_init(boot: SwiotlbBoot, wish: Wish, addressing_limit: boolean): IoTlbMem {
  const mem = createIoTlbMem()
  if ((!addressing_limit && !wish.force) || wish.disable) return mem
  if (kernelAtLeast(boot.kernel, '6.12.117')) mem.force_bounce = wish.force
  if (wish.nareas === 0) swiotlb_adjust_nareas(boot, wish, boot.cpus ?? 1)
  let { nslabs } = wish
  let tlb = allocateLow(boot, nslabs)
  for (; tlb === 0; tlb = allocateLow(boot, nslabs)) {
    const bytes = round_up(nslabs * IO_TLB_SIZE, boot.memblock.pageSize)
    complain(boot, `swiotlb_memblock_alloc: Failed to allocate ${bytes} bytes tlb structure`)
    if (nslabs <= IO_TLB_MIN_SLABS) return mem
    nslabs = round_up(Math.floor(nslabs / 2), IO_TLB_SEGSIZE)
  }
  if (nslabs !== wish.nslabs)
    say(boot, `SWIOTLB bounce buffer size adjusted ${wish.nslabs} -> ${nslabs} slabs`)
  memblock_phys_alloc(
    boot.memblock,
    round_up(nslabs * SLOT_BYTES, boot.memblock.pageSize),
    boot.memblock.pageSize,
  )
  memblock_phys_alloc(boot.memblock, wish.nareas * AREA_BYTES, 0)
  // 6.1 keeps as many areas as it wished for, whatever became of the slots.
  const fitting = Math.min(wish.nareas, Math.floor(nslabs / IO_TLB_SEGSIZE))
  const nareas = kernelAtLeast(boot.kernel, '6.12.117') ? fitting : wish.nareas
  mem.defpool = swiotlb_init_io_tlb_pool(tlb, nslabs, nareas)
  mem.force_bounce = wish.force
  const { start, end } = mem.defpool
  const bits = boot.memblock.physAddrBits
  say(boot, `mapped [mem ${formatPa(start, bits)}-${formatPa(end, bits)}] (${megabytes(nslabs)}MB)`)
  return mem
}

// memblock_alloc_low(): below the last byte of the DMA zone, and that byte itself is out too, so that a zone which ends with
// free memory loses its last page here.
function allocateLow({ memblock, dmaPhysLimit }: SwiotlbBoot, nslabs: number): PhysAddr {
  const { pageSize, current_limit } = memblock
  const end = Math.min(dmaPhysLimit - 1, current_limit)
  return memblock_phys_alloc_range(memblock, round_up(nslabs * IO_TLB_SIZE, pageSize), pageSize, 0, end)
}

const OVERFLOW_SLOTS = KiB(32) / IO_TLB_SIZE

// 4.12 says what it needs no bounce buffer for; 4.6 always has one (until 4.8).
function memInit4(boot: SwiotlbBoot, wish: Wish, beyond: boolean): IoTlbMem {
  const mem = createIoTlbMem()
  const chooses = kernelAtLeast(boot.kernel, '4.12.4')
  if (chooses && !wish.force && !beyond) return { ...mem, noForce: true }
  const nslabs = wish.disable ? 1 : wish.nslabs
  const tlb = allocateLow(boot, nslabs)
  const spare = tlb && allocateLow(boot, OVERFLOW_SLOTS)
  Object.assign(mem, { force_bounce: wish.force && !wish.disable, noForce: wish.disable })
  if (spare === 0) {
    if (tlb) memblock_phys_free(boot.memblock, tlb, nslabs * IO_TLB_SIZE)
    boot.log.print('warn', 'Cannot allocate SWIOTLB buffer')
    return mem
  }
  const { pageSize } = boot.memblock
  for (const bytes of [4, 8]) memblock_phys_alloc(boot.memblock, round_up(nslabs * bytes, pageSize), pageSize)
  mem.io_tlb_overflow_buffer = spare
  mem.defpool = swiotlb_init_io_tlb_pool(tlb, nslabs, 1)
  const { start, end } = mem.defpool
  const pa = (addr: PhysAddr) => `0x${addr.toString(16).padStart(8, '0')}`
  const va = (addr: PhysAddr) => formatVa(boot.arch, boot.phys_to_virt(addr))
  const where = `[mem ${pa(start)}-${pa(end)}] (${megabytes(nslabs)}MB) mapped at [${va(start)}-${va(end - 1)}]`
  boot.log.print('info', `software IO TLB ${where}`)
  return mem
}
// #endregion swiotlb-init-now
