// SPDX-License-Identifier: MIT
//
// Bare pfns in a program's address space, the part of mm/memory.c that drivers call from their mmap.
//
//     remap_pfn_range(vm, vma, addr, pfn, size, prot)      pfn, pfn + 1, … at addr, addr + 4 KiB, …
//     vm_iomap_memory(vm, vma, start, len)                 the same for the whole VMA, and never beyond `len`
//
// remap_pfn_range() looks neither at what the pfns are (RAM, registers, somebody else's page) nor at where the VMA ends: all
// bounds are the driver's business. It takes no reference: whoever frees the memory under a mapping has given it away.
//
// Leaves out: x86's record of memory types (track_pfn_remap), mappings larger than a page.

// #region memory-remap-imports
import { setPte, walk } from '../arch/pgtable.ts'
import { pfn_pte, pte_mkspecial } from '../arch/pgtable_pte.ts'
import { EACCES, EINVAL, ENOMEM } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import {
  round_down,
  round_up,
  wrapPa,
  type Bytes,
  type Pfn,
  type PhysAddr,
  type VirtAddr,
} from '../lib/units.ts'
import { zap_page_range_single } from './memory.ts'
import {
  is_cow_mapping,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_IO,
  VM_PFN_AT_MMAP,
  VM_PFNMAP,
  VM_RESERVED,
} from './mmap_flags.ts'
import { vma_pages } from './mm_struct.ts'
import type { Vm, VmArea } from './vm.ts'
// #endregion memory-remap-imports

// #region memory-remap-pfn-range
/**
 * Maps `size` bytes (rounded up to pages) of pfns from `pfn` on at `addr`, with `prot` whatever the VMA allows. 0, or
 * -EINVAL (a private VMA that may be written, and not all of it at once; 6.x: addr is not page aligned),
 * -ENOMEM (no page for a page table), -EACCES (6.x: `hooks.pfn_modify_allowed` forbids a pfn).
 * After a failure 6.x takes its ptes away again, older kernels leave those that were made (MC-8.8); flags stay changed.
 * Throws where Linux has BUG_ON, or runs away: `size` 0; a pte that is not empty; until 4.x an addr amid a page (MC-8.7).
 * @kernel mm/memory.c remap_pfn_range() v6.12
 */
export function remap_pfn_range(
  vm: Vm,
  vma: VmArea,
  addr: VirtAddr,
  pfn: Pfn,
  size: Bytes,
  prot: bigint,
): number {
  const modern = kernelAtLeast(vm.pgdat.kernel, '6.1.192')
  const end = addr + round_up(size, vm.pgdat.pageSize)
  if (modern && addr % vm.pgdat.pageSize !== 0) {
    warnUnaligned(vm)
    return -EINVAL
  }
  if (!markRemapped(vm, vma, addr, end, pfn)) return -EINVAL
  mustBeSane(vm, addr, end)
  const rc = mapPages(vm, vma, addr, end, pfn, prot)
  if (rc < 0 && modern) zap_page_range_single(vm, vma, addr, size)
  return rc
}
// #endregion memory-remap-pfn-range

// #region memory-remap-io
/** remap_pfn_range() for registers; the same but on machines that encrypt memory. @kernel include/linux/mm.h io_remap_pfn_range() v6.12 */
export const io_remap_pfn_range = remap_pfn_range
// #endregion memory-remap-io

// #region memory-remap-mark
// Tells the rest of mm/ to keep its hands off: whether the range may be mapped. A private VMA remembers the pfn, by which
// the pages that were not copied are known.
function markRemapped(vm: Vm, vma: VmArea, addr: VirtAddr, end: VirtAddr, pfn: Pfn): boolean {
  const whole = addr === vma.vm_start && end === vma.vm_end
  const private3x = vm.pgdat.kernel === '3.5'
  if (is_cow_mapping(vma.vm_flags) && !whole) return false
  if (is_cow_mapping(vma.vm_flags) || (private3x && whole)) vma.vm_pgoff = pfn
  if (private3x) vma.vm_flags |= VM_IO | VM_RESERVED | VM_PFNMAP | (whole ? VM_PFN_AT_MMAP : 0)
  else vma.vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP
  return true
}

function warnUnaligned({ pgdat, log }: Vm): void {
  if (pgdat.warned.has('remap_pfn_range')) return
  pgdat.warned.add('remap_pfn_range')
  log.print('warn', 'WARNING: at mm/memory.c remap_pfn_range_internal')
}
// #endregion memory-remap-mark

// #region memory-remap-sane
// BUG_ON(addr >= end), and the loop of old kernels that steps over its end.
function mustBeSane({ pgdat: { pageSize }, geometry: { levels } }: Vm, addr: VirtAddr, end: VirtAddr): void {
  const from = `0x${addr.toString(16)}`
  if (end <= addr) throw new Error(`remap_pfn_range: size 0 at ${from}, expected at least 1; kernel BUG`)
  const tableSpan = levels[levels.length - 1]!.entries * pageSize
  if (addr % pageSize !== 0 && Math.floor(addr / tableSpan) !== Math.floor(end / tableSpan)) {
    throw new Error(
      `remap_pfn_range: ${from} is not page aligned and the range ends at 0x${end.toString(16)}, in another page ` +
        'table page, expected a multiple of the page size; the loop over the ptes would not end',
    )
  }
}
// #endregion memory-remap-sane

// #region memory-remap-pages
function mapPages(vm: Vm, vma: VmArea, addr: VirtAddr, end: VirtAddr, pfn: Pfn, prot: bigint): number {
  const { pgdat, geometry, hooks } = vm
  const allowed = kernelAtLeast(pgdat.kernel, '6.1.192') ? hooks.pfn_modify_allowed : undefined
  for (let va = addr; va < end; va += pgdat.pageSize, pfn++) {
    const page = round_down(va, pgdat.pageSize)
    const before = walk(vma.vm_mm.pgd, page)
    if (before === null && setPte(vma.vm_mm.pgd, page, 0n) !== 0) return -ENOMEM
    if (before !== null && before.pte !== 0n) throw occupied(page, before.pte)
    if (allowed && !allowed(pfn, prot)) return -EACCES
    setPte(vma.vm_mm.pgd, page, pte_mkspecial(pgdat.arch, pfn_pte(geometry, pfn, prot)))
  }
  return 0
}

function occupied(va: VirtAddr, pte: bigint): Error {
  return new Error(
    `remap_pfn_range: the pte of 0x${va.toString(16)} is 0x${pte.toString(16)}, expected 0: something is mapped there; ` +
      'kernel BUG, unmap it first',
  )
}
// #endregion memory-remap-pages

// #region memory-iomap
/**
 * Maps all of a VMA to `len` bytes of physical memory at `start`, from page `vm_pgoff` on. Both need not be page aligned.
 * 0, or -EINVAL: the VMA reaches beyond `len`, or vm_pgoff does, or `start + len` wraps; else as remap_pfn_range().
 * @kernel mm/memory.c vm_iomap_memory() v6.12
 */
export function vm_iomap_memory(vm: Vm, vma: VmArea, start: PhysAddr, len: Bytes): number {
  const { pageSize, arch } = vm.pgdat
  if (wrapPa(start + len, arch === 'arm' ? 32 : 64) < start) return -EINVAL
  const offset = start % pageSize
  const pages = Math.ceil((len + offset) / pageSize)
  if (vma.vm_pgoff > pages || vma_pages(vm, vma) > pages - vma.vm_pgoff) return -EINVAL
  const pfn = (start - offset) / pageSize + vma.vm_pgoff
  return io_remap_pfn_range(vm, vma, vma.vm_start, pfn, vma.vm_end - vma.vm_start, vma.vm_page_prot)
}
// #endregion memory-iomap
