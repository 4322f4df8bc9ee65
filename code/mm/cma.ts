// SPDX-License-Identifier: MIT
//
// Allocation from a contiguous memory area, mm/cma.c: a first-fit search over a bitmap, and for each place that it finds an
// attempt to empty it.
//
//     bitmap   ████████░░░░░░░░░░░░░░░░░░░░░░░░        a bit for each 2^order_per_bit pages, set when taken
//     try 1            ▲ -EBUSY: somebody holds a page
//     try 2                ▲ + mask + 1 bits: 0, this is it
//
// Protocol: cma_alloc() gives the first pfn of `count` pages with one reference each and unknown contents; cma_release()
// takes them back, all or a part. cma_init_reserved_areas() must have run.
// Built without CONFIG_CMA_DEBUG: only 6.12 shows the free parts of the bitmap when it fails.
//
// Leaves out: cma_alloc_folio() for hugetlb, NUMA, rate limits of the log, locks: nobody else runs meanwhile.

// #region cma-alloc-imports
import {
  bitmap_clear,
  bitmap_find_next_zero_area_off,
  bitmap_set,
  find_next_bit,
  find_next_zero_bit,
} from '../lib/bitmap.ts'
import { EBUSY, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { round_up, type Pfn } from '../lib/units.ts'
import type { ActiveCma, Cma } from './cma_declare.ts'
import { allocFromArea3x, releaseToArea3x } from './cma_search_3x.ts'
import { alloc_contig_range, free_contig_range, type ContigRange } from './contig_range.ts'
import { __GFP_NOWARN, GFP_KERNEL } from './gfp.ts'
import type { Vm } from './vm.ts'
// #endregion cma-alloc-imports

// #region cma-bits
/** Bits of the area's bitmap. @kernel mm/cma.h cma_bitmap_maxno() v6.12 */
export function cma_bitmap_maxno(cma: Cma): number {
  return Math.floor(cma.count / 2 ** cma.order_per_bit)
}

// A place for 2^align_order pages is a multiple of so many bits, less one.
function cma_bitmap_aligned_mask(cma: Cma, align_order: number): number {
  return align_order <= cma.order_per_bit ? 0 : 2 ** (align_order - cma.order_per_bit) - 1
}

// #endregion cma-bits

// #region cma-bits-offset
// How many bits the area begins behind a multiple of 2^align_order pages. 4.x takes the distance to the next multiple,
// which is the same only when it is none or one half: other areas get buffers that are aligned wrong.
function cma_bitmap_aligned_offset(vm: Vm, cma: Cma, align_order: number): number {
  const align = 2 ** align_order
  const modern = kernelAtLeast(vm.pgdat.kernel, '6.1.192')
  if (align_order <= cma.order_per_bit && !modern) return 0
  const pages = modern ? cma.base_pfn % align : round_up(cma.base_pfn, align) - cma.base_pfn
  return Math.floor(pages / 2 ** cma.order_per_bit)
}

// Bits for `pages` pages.
function cma_bitmap_pages_to_bits(cma: Cma, pages: number): number {
  return Math.ceil(pages / 2 ** cma.order_per_bit)
}

// Frees the bits of `count` pages from `pfn` on.
function cma_clear_bitmap(cma: ActiveCma, pfn: Pfn, count: number): void {
  const bit = (pfn - cma.base_pfn) / 2 ** cma.order_per_bit
  bitmap_clear(cma.bitmap, Math.floor(bit), cma_bitmap_pages_to_bits(cma, count))
}
// #endregion cma-bits-offset

// #region cma-alloc
/**
 * `count` pages of the area from a multiple of `2^align` pages on: the first pfn, or null: no area, nothing asked for, more
 * than the area has, no place that could be emptied, or an error that ends the search (no target for a page that had to
 * move; the caller was killed). `no_warn` keeps the failure out of the log (6.x).
 * Throws when `count` or `align` is no integer from 0, or `align` above 30.
 * On a kernel that has no cma_alloc() (3.x) it does what dma_alloc_from_contiguous() does there with the area.
 * @kernel mm/cma.c cma_alloc() v6.12, __cma_alloc() v6.12
 * @param contigRange takes the range that the search found: 0, -EBUSY for "try the next place", another errno ends it.
 * @omits the caller's gfp of 4.12: it is GFP_KERNEL
 * @cost the bitmap, and the pages of every place that is tried
 */
export function cma_alloc(
  vm: Vm,
  cma: Cma | null,
  count: number,
  align: number,
  no_warn: boolean,
  contigRange: ContigRange = alloc_contig_range,
): Pfn | null {
  // #region cma-alloc-steps
  const { kernel } = vm.pgdat
  mustBeCount(count, align)
  if (!kernelAtLeast(kernel, '4.6')) return allocFromArea3x(vm, cma, count, align, contigRange)
  const latest = kernelAtLeast(kernel, '6.12.117')
  if (latest) traceStart(vm, cma, count, align)
  if (!isActive(vm, cma) || count === 0) return refuse(vm, cma, count)
  if (kernel === '6.1.192') traceStart(vm, cma, count, align)
  const tooLong = cma_bitmap_pages_to_bits(cma, count) > cma_bitmap_maxno(cma)
  if (tooLong && kernel !== '4.6') return refuse(vm, cma, count)
  const outcome = search(vm, cma, count, align, no_warn, contigRange)
  if (!latest) traceFinish(vm, cma, outcome, count, align)
  if (outcome.ret !== 0) logFailure(vm, cma, count, outcome.ret, no_warn)
  if (latest) traceFinish(vm, cma, outcome, count, align)
  account(vm, cma, outcome.ret === 0, count)
  return outcome.ret === 0 ? outcome.pfn : null
  // #endregion cma-alloc-steps
}
// #endregion cma-alloc

// #region cma-alloc-count
// `align` is an order: with 12 for "4 KiB" it would be 16 MiB, with 4096 it would be nothing at all.
function mustBeCount(count: number, align: number): void {
  if (Number.isInteger(count) && count >= 0 && Number.isInteger(align) && align >= 0 && align <= 30) return
  throw new Error(
    `cma_alloc: ${count} pages aligned to 2^${align} pages, expected integers from 0, and an order of at most 30; ` +
      'count pages, not bytes, and give the alignment as get_order() does',
  )
}
// #endregion cma-alloc-count

// #region cma-alloc-refuse
// Whether there is an area that can be searched. 4.x takes the bitmap for granted, once there is an area with pages.
function isActive(vm: Vm, cma: Cma | null): cma is ActiveCma {
  if (!cma || cma.count === 0) return false
  if (cma.bitmap === null && !kernelAtLeast(vm.pgdat.kernel, '6.1.192')) {
    throw new Error(
      `cma_alloc: area ${cma.name} has no bitmap, expected one of ${cma_bitmap_maxno(cma)} bits; ` +
        `${vm.pgdat.kernel} dies here: call cma_init_reserved_areas() first`,
    )
  }
  return cma.bitmap !== null
}

// No search: only 6.1 counts it as a failure.
function refuse(vm: Vm, cma: Cma | null, count: number): null {
  if (vm.pgdat.kernel !== '6.1.192') return null
  vm.pgdat.vm_event.cma_alloc_fail++
  if (cma) cma.nr_pages_failed += count
  return null
}

function account(vm: Vm, cma: Cma, success: boolean, count: number): void {
  if (!kernelAtLeast(vm.pgdat.kernel, '6.1.192')) return
  vm.pgdat.vm_event[success ? 'cma_alloc_success' : 'cma_alloc_fail']++
  if (success) cma.nr_pages_succeeded += count
  else cma.nr_pages_failed += count
}
// #endregion cma-alloc-refuse

// #region cma-search
// How a search ended. `ret` is -ENOMEM when no place was found at all, and else what the last attempt gave; `pfn` is the
// last place that was tried, -1 when there was none.
interface Outcome {
  readonly ret: number
  readonly pfn: Pfn
}

// #endregion cma-search

// #region cma-search-loop
function search(
  vm: Vm,
  cma: ActiveCma,
  count: number,
  align: number,
  no_warn: boolean,
  contigRange: ContigRange,
): Outcome {
  const mask = cma_bitmap_aligned_mask(cma, align)
  const offset = cma_bitmap_aligned_offset(vm, cma, align)
  const maxno = cma_bitmap_maxno(cma)
  const bits = cma_bitmap_pages_to_bits(cma, count)
  const gfp = GFP_KERNEL | (no_warn && kernelAtLeast(vm.pgdat.kernel, '6.1.192') ? __GFP_NOWARN : 0)
  let last: Outcome = { ret: -ENOMEM, pfn: -1 }
  // #region cma-search-places
  for (let start = 0; ;) {
    const bit = bitmap_find_next_zero_area_off(cma.bitmap, maxno, start, bits, mask, offset)
    if (bit >= maxno) return last
    // Before the lock is dropped, so that nobody else tries the same pages.
    bitmap_set(cma.bitmap, bit, bits)
    const pfn = cma.base_pfn + bit * 2 ** cma.order_per_bit
    last = { ret: contigRange(vm, pfn, pfn + count, vm.pgdat.migrate.CMA, gfp), pfn }
    if (last.ret === 0) return last
    cma_clear_bitmap(cma, pfn, count)
    if (last.ret !== -EBUSY) return last
    traceRetry(vm, cma, pfn, count, align)
    // A little further, not behind the range: the page that was busy may be anywhere in it.
    start = bit + mask + 1
  }
  // #endregion cma-search-places
}
// #endregion cma-search-loop

// #region cma-log
// What a failure leaves in the log. 4.6 says nothing, 4.12 says it to everybody.
function logFailure(
  { pgdat: { kernel }, log }: Vm,
  cma: ActiveCma,
  count: number,
  ret: number,
  no_warn: boolean,
): void {
  const what = `alloc failed, req-size: ${count} pages, ret: ${ret}`
  if (kernel === '4.12.4') log.print('info', `cma: cma_alloc: ${what}`)
  if (!kernelAtLeast(kernel, '6.1.192') || no_warn) return
  const latest = kernelAtLeast(kernel, '6.12.117')
  log.print('err', `cma: ${latest ? '__cma_alloc' : 'cma_alloc'}: ${cma.name}: ${what}`)
  if (latest) log.print('info', `cma: ${freeParts(cma)}`)
}

// #endregion cma-log

// #region cma-free-parts
/**
 * The free parts of an area as the log shows them, e.g. `number of available pages: 160@96=> 160 free of 4096 total pages`:
 * sizes in pages, positions in bits.
 * As cma_debug_show_areas() in mm/cma.c.
 */
export function freeParts(cma: ActiveCma): string {
  const parts: string[] = []
  const maxno = cma_bitmap_maxno(cma)
  let total = 0
  for (let end = 0, start; (start = find_next_zero_bit(cma.bitmap, maxno, end)) < maxno;) {
    end = find_next_bit(cma.bitmap, maxno, start)
    const pages = (end - start) * 2 ** cma.order_per_bit
    parts.push(`${pages}@${start}`)
    total += pages
  }
  return `number of available pages: ${parts.join('+')}=> ${total} free of ${cma.count} total pages`
}
// #endregion cma-free-parts

// #region cma-trace
function traceStart(vm: Vm, cma: Cma | null, count: number, align: number): void {
  if (vm.trace.enabled) vm.trace.emit('cma_alloc_start', { name: cma?.name ?? '(null)', count, align })
}

function traceRetry(vm: Vm, cma: Cma, pfn: Pfn, count: number, align: number): void {
  if (!vm.trace.enabled || !kernelAtLeast(vm.pgdat.kernel, '6.1.192')) return
  vm.trace.emit('cma_alloc_busy_retry', { name: cma.name, pfn, page: pfn, count, align })
}

// `page` is the pfn of the struct page, 0 for a null pointer.
function traceFinish(vm: Vm, cma: Cma, { ret, pfn }: Outcome, count: number, align: number): void {
  if (!vm.trace.enabled) return
  const { kernel } = vm.pgdat
  const page = ret === 0 ? pfn : 0
  if (!kernelAtLeast(kernel, '6.1.192')) {
    // 4.x has this one event, and it shows where the search ended.
    vm.trace.emit('cma_alloc', { pfn, page, count, align })
    return
  }
  const errorno = kernelAtLeast(kernel, '6.12.117') ? { errorno: ret } : {}
  vm.trace.emit('cma_alloc_finish', { name: cma.name, pfn, page, count, align, ...errorno })
}
// #endregion cma-trace

// #region cma-pages-valid
/**
 * Whether `pages` is a page of the area.
 * @kernel mm/cma.c cma_pages_valid() v6.12
 */
export function cma_pages_valid(cma: Cma | null, pages: Pfn | null): cma is ActiveCma {
  if (!cma || pages === null || cma.bitmap === null) return false
  return pages >= cma.base_pfn && pages < cma.base_pfn + cma.count
}

// VM_BUG_ON: a caller that gives back more than it has.
function mustEndInside(cma: Cma, pfn: Pfn, count: number): void {
  const end = cma.base_pfn + cma.count
  if (pfn + count <= end) return
  const hex = (page: Pfn) => `0x${page.toString(16)}`
  throw new Error(
    `cma_release: ${count} pages from pfn ${hex(pfn)} end at ${hex(pfn + count)}, expected at most ${hex(end)} ` +
      `(area ${cma.name}); give back as many pages as were allocated`,
  )
}
// #endregion cma-pages-valid

// #region cma-release
/**
 * Gives `count` pages from `pages` on back, or false: they are not of this area, and nothing happens. Any part of what was
 * allocated may be given back; a page that somebody still holds goes to the page allocator when it is let go.
 * Throws when the range begins in the area and ends behind it (VM_BUG_ON in Linux).
 * @kernel mm/cma.c cma_release() v6.12
 */
export function cma_release(vm: Vm, cma: Cma | null, pages: Pfn | null, count: number): boolean {
  const { kernel } = vm.pgdat
  if (!cma_pages_valid(cma, pages)) return false
  mustEndInside(cma, pages!, count)
  if (!kernelAtLeast(kernel, '4.6')) return releaseToArea3x(vm, cma, pages!, count)
  free_contig_range(vm, pages!, count)
  cma_clear_bitmap(cma, pages!, count)
  if (kernelAtLeast(kernel, '6.12.117')) cma.nr_pages_released += count
  if (vm.trace.enabled) {
    const name = kernelAtLeast(kernel, '6.1.192') ? { name: cma.name } : {}
    vm.trace.emit('cma_release', { ...name, pfn: pages!, page: pages!, count })
  }
  return true
}
// #endregion cma-release
