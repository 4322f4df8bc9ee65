// SPDX-License-Identifier: MIT
//
// kernel/dma/pool.c (6.x): memory for callers that cannot wait. Mapping a buffer uncached may sleep, so some of it is
// mapped at boot, for devices that are not coherent.
//
//     dma_atomic_pool_init()     postcore_initcall: a pool for any zone, one for ZONE_DMA, one for ZONE_DMA32
//     dma_alloc_from_pool()      the pool that the mask calls for, then the others
//     atomic_pool_work_fn()      the worker that makes a pool larger, once less is free than it was to begin with
//
// arm has a pool of its own, and arm64 had one before 6.x: arm_atomic_pool.ts.
// Leaves out: when the worker runs; whoever owns the machine runs it when `workPending` is set.

// #region pool-imports
import { arch_dma_prep_coherent } from '../arch/dma_sync.ts'
import { pgprot_dmacoherent, PAGE_KERNEL } from '../arch/pgtable_prot.ts'
import { ENOMEM } from '../lib/errno.ts'
import {
  gen_pool_add_virt,
  gen_pool_alloc,
  gen_pool_avail,
  gen_pool_create,
  gen_pool_free,
  gen_pool_has_addr,
  gen_pool_size,
  gen_pool_virt_to_phys,
  type GenPool,
} from '../lib/genalloc.ts'
import { GiB, get_order, KiB, type Bytes, type Pfn, type PhysAddr, type VirtAddr } from '../lib/units.ts'
import { GFP_DMA, GFP_DMA32, GFP_KERNEL, __GFP_DMA, __GFP_DMA32, __GFP_NOWARN } from '../mm/gfp.ts'
import { __alloc_pages, __free_pages } from '../mm/page_alloc.ts'
import type { Device } from '../of/reserved_mem.ts'
import { dma_alloc_from_contiguous } from './contiguous.ts'
import { dev_get_cma_area } from './contiguous_3x.ts'
import { DMA_BIT_MASK } from './dma_address.ts'
import { memsetZero, vmapProt } from './dma_memory.ts'
import { dev_name, type Dma, type MappedPages } from './dma_state.ts'
// #endregion pool-imports

// #region pool-cma-in-zone
// Whether the default area lies where `gfp` wants pages.
function cma_in_zone({ contiguous, config }: Dma, gfp: number): boolean {
  const area = dev_get_cma_area(contiguous, null)
  if (!area || area.count === 0) return false
  const end: PhysAddr = area.base + area.size - 1
  if (config.ZONE_DMA && gfp & GFP_DMA) return end <= config.zone_dma_limit
  if (config.ZONE_DMA32 && gfp & GFP_DMA32) return end <= Math.max(DMA_BIT_MASK(32), config.zone_dma_limit)
  return true
}

// The pages of a pool: as many as can be had in one piece, from `2^order` downwards.
function poolPages(dma: Dma, gfp: number, most: number): { page: Pfn; order: number } | null {
  for (let order = most; order >= 0; order--) {
    const area = cma_in_zone(dma, gfp)
    const fromCma = area
      ? dma_alloc_from_contiguous(dma.vm, dma.contiguous, null, 2 ** order, order, false)
      : null
    const page = fromCma ?? __alloc_pages(dma.vm.pgdat, gfp | __GFP_NOWARN, order)
    if (page !== null) return { page, order }
  }
  return null
}
// #endregion pool-cma-in-zone

// #region pool-expand
/**
 * Gives a pool a block more, of at most `pool_size` bytes: rounded up to a power of two of pages, less when that cannot be
 * had. 0, or -ENOMEM.
 * @kernel kernel/dma/pool.c atomic_pool_expand() v6.12
 */
export function atomic_pool_expand(dma: Dma, pool: GenPool, pool_size: Bytes, gfp: number): number {
  const { pgdat, cpu } = dma.vm
  const got = poolPages(dma, gfp, Math.min(get_order(pool_size, dma.pageSize), pgdat.maxOrder))
  if (!got) return -ENOMEM
  const phys: PhysAddr = got.page * dma.pageSize
  const size: Bytes = 2 ** got.order * dma.pageSize
  arch_dma_prep_coherent(cpu, dma, phys, size)
  const prot = pgprot_dmacoherent(dma.arch, PAGE_KERNEL(dma.arch))
  const addr = vmapProt(dma, got.page, 2 ** got.order, prot)
  if (addr === null) {
    __free_pages(pgdat, got.page, got.order)
    return -ENOMEM
  }
  gen_pool_add_virt(pool, addr, phys, size)
  const { pool_size: shown } = dma.atomic
  shown[gfp & __GFP_DMA ? 'dma' : gfp & __GFP_DMA32 ? 'dma32' : 'kernel'] += size
  return 0
}
// #endregion pool-expand

// #region pool-init
function __dma_atomic_pool_init(dma: Dma, pool_size: Bytes, gfp: number, name: string): GenPool | null {
  const pool = gen_pool_create(dma.pageSize)
  if (atomic_pool_expand(dma, pool, pool_size, gfp) !== 0) {
    const kib = Math.floor(pool_size / KiB(1))
    dma.log.print('err', `DMA: failed to allocate ${kib} KiB ${name} pool for atomic allocation`)
    return null
  }
  const kib = Math.floor(gen_pool_size(pool) / KiB(1))
  dma.log.print('info', `DMA: preallocated ${kib} KiB ${name} pool for atomic allocations`)
  return pool
}

// 128 KiB for each GiB of RAM, at least that, at most the largest block of the buddy allocator (TV-37).
function defaultPoolSize({ vm, pageSize }: Dma): Bytes {
  const totalram_pages = vm.pgdat.zones.reduce((sum, zone) => sum + zone.managed_pages, 0)
  const pages = Math.min(Math.floor(totalram_pages / (GiB(1) / KiB(128))), 2 ** vm.pgdat.maxOrder)
  return Math.max(pages * pageSize, KiB(128))
}

// #endregion pool-init

// #region pool-init-all
/**
 * Makes the pools; 0, or -ENOMEM when one of them could not be made. Runs at postcore_initcall: CMA areas are active.
 * @kernel kernel/dma/pool.c dma_atomic_pool_init() v6.12
 */
export function dma_atomic_pool_init(dma: Dma): number {
  const { atomic, config, vm } = dma
  const size = config.coherent_pool || defaultPoolSize(dma)
  const hasDma = vm.pgdat.zones.some((zone) => zone.name === 'DMA' && zone.managed_pages > 0)
  atomic.atomic_pool_size = size
  atomic.kernel = __dma_atomic_pool_init(dma, size, GFP_KERNEL, 'GFP_KERNEL')
  if (hasDma) atomic.dma = __dma_atomic_pool_init(dma, size, GFP_KERNEL | GFP_DMA, 'GFP_KERNEL|GFP_DMA')
  if (config.ZONE_DMA32) {
    atomic.dma32 = __dma_atomic_pool_init(dma, size, GFP_KERNEL | GFP_DMA32, 'GFP_KERNEL|GFP_DMA32')
  }
  const missing = !atomic.kernel || (hasDma && !atomic.dma) || (config.ZONE_DMA32 && !atomic.dma32)
  return missing ? -ENOMEM : 0
}
// #endregion pool-init-all

// #region pool-resize
function atomic_pool_resize(dma: Dma, pool: GenPool | null, gfp: number): void {
  if (!pool || gen_pool_avail(pool) >= dma.atomic.atomic_pool_size) return
  atomic_pool_expand(dma, pool, gen_pool_size(pool), gfp)
}

/** Doubles each pool that has less free than it began with. @kernel kernel/dma/pool.c atomic_pool_work_fn() v6.12 */
export function atomic_pool_work_fn(dma: Dma): void {
  const { atomic, config } = dma
  atomic.workPending = false
  if (config.ZONE_DMA) atomic_pool_resize(dma, atomic.dma, GFP_KERNEL | GFP_DMA)
  if (config.ZONE_DMA32) atomic_pool_resize(dma, atomic.dma32, GFP_KERNEL | GFP_DMA32)
  atomic_pool_resize(dma, atomic.kernel, GFP_KERNEL)
}
// #endregion pool-resize

// #region pool-guess
// The pool to ask after `prev`, the first one for null; null when there is none left.
function dma_guess_pool({ atomic, config }: Dma, prev: GenPool | null, gfp: number): GenPool | null {
  if (prev === null) {
    if (config.ZONE_DMA32 && gfp & GFP_DMA32) return atomic.dma32
    if (atomic.dma && gfp & GFP_DMA) return atomic.dma
    return atomic.kernel
  }
  if (prev === atomic.kernel) return atomic.dma32 ?? atomic.dma
  return prev === atomic.dma32 ? atomic.dma : null
}
// #endregion pool-guess

// #region pool-alloc
/** What `dma_alloc_from_pool()` asks about a place: whether the device reaches it. */
export type PhysAddrOk = (dma: Dma, dev: Device, phys: PhysAddr, size: Bytes) => boolean

function __dma_alloc_from_pool(
  dma: Dma,
  dev: Device,
  size: Bytes,
  pool: GenPool,
  phys_addr_ok: PhysAddrOk,
): (MappedPages & { addr: VirtAddr }) | null {
  const addr = gen_pool_alloc(pool, size)
  if (addr === 0) return null
  const phys = gen_pool_virt_to_phys(pool, addr)
  if (!phys_addr_ok(dma, dev, phys, size)) {
    gen_pool_free(pool, addr, size)
    return null
  }
  if (gen_pool_avail(pool) < dma.atomic.atomic_pool_size) dma.atomic.workPending = true
  memsetZero(dma, addr, size)
  return { page: phys / dma.pageSize, addr }
}
// #endregion pool-alloc

// #region pool-alloc-any
/**
 * Cleared pages of a pool, `size` a multiple of the page size; null, with a warning, when none has room within the
 * device's reach.
 * @kernel kernel/dma/pool.c dma_alloc_from_pool() v6.12
 */
export function dma_alloc_from_pool(
  dma: Dma,
  dev: Device,
  size: Bytes,
  gfp: number,
  phys_addr_ok: PhysAddrOk,
): (MappedPages & { addr: VirtAddr }) | null {
  let pool = dma_guess_pool(dma, null, gfp)
  const found = pool !== null
  for (; pool; pool = dma_guess_pool(dma, pool, gfp)) {
    const got = __dma_alloc_from_pool(dma, dev, size, pool, phys_addr_ok)
    if (got) return got
  }
  if (!found) dma.log.print('warn', `Failed to get suitable pool for ${dev_name(dev)}`)
  else if ((gfp & __GFP_NOWARN) === 0) dma.log.print('warn', `DMA pool exhausted for ${dev_name(dev)}`)
  return null
}

// #endregion pool-alloc-any

// #region pool-free
/** Whether the buffer was of a pool; then it is free. @kernel kernel/dma/pool.c dma_free_from_pool() v6.12 */
export function dma_free_from_pool(dma: Dma, _dev: Device, start: VirtAddr, size: Bytes): boolean {
  for (let pool = dma_guess_pool(dma, null, 0); pool; pool = dma_guess_pool(dma, pool, 0)) {
    if (!gen_pool_has_addr(pool, start, size)) continue
    gen_pool_free(pool, start, size)
    return true
  }
  return false
}
// #endregion pool-free
