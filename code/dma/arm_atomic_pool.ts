// SPDX-License-Identifier: MIT
//
// arch/arm/mm/dma-mapping.c and, until 4.18, arch/arm64/mm/dma-mapping.c: the one pool of the architecture for callers that
// cannot wait, 256 KiB unless `coherent_pool=` says otherwise. It never grows. 6.x on arm64 has pool.ts instead.
//
// On arm its buffers are not cleared: one that was used before comes back with what it held.

// #region arm-pool-imports
import { cpuFill } from '../arch/cpu.ts'
import { arch_dma_prep_coherent } from '../arch/dma_sync.ts'
import { PAGE_KERNEL, pgprot_dmacoherent } from '../arch/pgtable_prot.ts'
import { bitmap_clear } from '../lib/bitmap.ts'
import { ENOMEM } from '../lib/errno.ts'
import {
  gen_pool_add_virt,
  gen_pool_alloc,
  gen_pool_create,
  gen_pool_free,
  gen_pool_has_addr,
  gen_pool_virt_to_phys,
} from '../lib/genalloc.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { get_order, KiB, type Bytes, type VirtAddr } from '../lib/units.ts'
import { GFP_DMA, GFP_KERNEL } from '../mm/gfp.ts'
import { __alloc_pages } from '../mm/page_alloc.ts'
import { __alloc_from_contiguous, __alloc_remap_buffer } from './arm_dma_buffer.ts'
import { dma_alloc_from_contiguous } from './contiguous.ts'
import { dev_get_cma_area } from './contiguous_3x.ts'
import { memsetZero, vmapProt } from './dma_memory.ts'
import { PAGE_ALIGN, type Dma, type MappedPages } from './dma_state.ts'
// #endregion arm-pool-imports

// #region arm-pool-memory
// arm: the default area decides; in 3.x CONFIG_CMA does, and without room in the area there is no pool.
function armPoolPages(dma: Dma, size: Bytes): MappedPages | null {
  const prot = pgprot_dmacoherent(dma.arch, PAGE_KERNEL(dma.arch))
  const then = !kernelAtLeast(dma.kernel, '4.6')
  const contiguous = then ? dma.config.CMA : dev_get_cma_area(dma.contiguous, null) !== null
  if (contiguous) return __alloc_from_contiguous(dma, null, size, prot, true, false, GFP_KERNEL)
  const gfp = dma.kernel === '3.5' ? GFP_KERNEL : GFP_KERNEL | GFP_DMA
  return __alloc_remap_buffer(dma, size, gfp, prot, true)
}

function arm64PoolPages(dma: Dma, size: Bytes): MappedPages | null {
  const { pgdat, cpu } = dma.vm
  const count = size / dma.pageSize
  const order = get_order(size, dma.pageSize)
  const area = dev_get_cma_area(dma.contiguous, null)
  const page = area
    ? dma_alloc_from_contiguous(dma.vm, dma.contiguous, null, count, order, false)
    : __alloc_pages(pgdat, GFP_DMA, order)
  if (page === null) return null
  cpuFill(cpu, page * dma.pageSize, size, 0)
  arch_dma_prep_coherent(cpu, dma, page * dma.pageSize, size)
  return { page, addr: vmapProt(dma, page, count, pgprot_dmacoherent(dma.arch, PAGE_KERNEL(dma.arch))) }
}
// #endregion arm-pool-memory

// #region arm-pool-init
/**
 * Makes the pool: 0, or -ENOMEM. Runs at postcore_initcall: CMA areas are active.
 * @kernel arch/arm/mm/dma-mapping.c atomic_pool_init() v6.12; arch/arm64/mm/dma-mapping.c v4.12
 */
export function atomic_pool_init(dma: Dma): number {
  const size = PAGE_ALIGN(dma, dma.config.coherent_pool || KiB(256))
  const kib = size / KiB(1)
  const got = dma.arch === 'arm' ? armPoolPages(dma, size) : arm64PoolPages(dma, size)
  dma.atomic.atomic_pool_size = size
  if (!got || got.addr === null) {
    dma.log.print('err', `DMA: failed to allocate ${kib} KiB pool for atomic coherent allocation`)
    return -ENOMEM
  }
  // 3.5 meant to align buffers too: it shifts 1 by the alignment in bytes, and arm looks at the lowest byte of that, a 0.
  dma.atomic.kernel = gen_pool_create(dma.pageSize, dma.kernel !== '3.5')
  dma.atomic.pool_size.kernel = size
  gen_pool_add_virt(dma.atomic.kernel, got.addr, got.page * dma.pageSize, size)
  const coherent = dma.arch === 'arm' ? 'coherent ' : ''
  dma.log.print('info', `DMA: preallocated ${kib} KiB pool for atomic ${coherent}allocations`)
  return 0
}
// #endregion arm-pool-init

// #region arm-pool-alloc
/**
 * Pages of the pool; null when it has no room, or, with a warning, when there is none.
 * @kernel arch/arm/mm/dma-mapping.c __alloc_from_pool() v6.12
 */
export function __alloc_from_pool(dma: Dma, size: Bytes): (MappedPages & { addr: VirtAddr }) | null {
  const pool = dma.atomic.kernel
  if (!pool) {
    // 3.5 has no WARN() here, but pr_err() and dump_stack().
    if (dma.kernel === '3.5') dma.log.print('err', '__alloc_from_pool: coherent pool not initialised!')
    else dma.log.print('warn', 'coherent pool not initialised!')
    return null
  }
  const addr = gen_pool_alloc(pool, size)
  if (addr === 0) {
    if (dma.kernel === '3.9') sayTooSmall(dma)
    return null
  }
  if (dma.arch === 'arm64') memsetZero(dma, addr, size)
  return { page: gen_pool_virt_to_phys(pool, addr) / dma.pageSize, addr }
}

function sayTooSmall({ log, warned, atomic }: Dma): void {
  if (warned.has('atomic pool')) return
  warned.add('atomic pool')
  const kib = Math.floor(atomic.atomic_pool_size / KiB(1))
  log.print('err', `ERROR: ${kib} KiB atomic DMA coherent pool is too small!`)
  log.print('err', 'Please increase it with coherent_pool= kernel parameter!')
}
// #endregion arm-pool-alloc

// #region arm-pool-free
/**
 * Whether the buffer was of the pool; then it is free. 3.x clears the bits whether or not they were taken.
 * @kernel arch/arm/mm/dma-mapping.c __free_from_pool() v6.12
 */
export function __free_from_pool(dma: Dma, start: VirtAddr, size: Bytes): boolean {
  const pool = dma.atomic.kernel
  if (!pool || !gen_pool_has_addr(pool, start, size)) return false
  if (kernelAtLeast(dma.kernel, '4.6')) {
    gen_pool_free(pool, start, size)
    return true
  }
  const chunk = pool.chunks[0]!
  bitmap_clear(chunk.bits, (start - chunk.start_addr) / dma.pageSize, size / dma.pageSize)
  chunk.avail = Math.min(chunk.avail + size, chunk.size)
  return true
}
// #endregion arm-pool-free
