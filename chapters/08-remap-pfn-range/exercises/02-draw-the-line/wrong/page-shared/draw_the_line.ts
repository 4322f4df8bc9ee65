// SPDX-License-Identifier: MIT
//
// The mmap of a driver with a buffer of whole pages.

export const PAGE_SHIFT = 12
export const PAGE_SIZE = 4096
export const EAGAIN = 11
export const ENXIO = 6
export const EINVAL = 22
/** A protection of arm: shared, cached, for reading and writing. */
export const PAGE_SHARED = 0x71fn

export interface Vma {
  /** First address, and the first behind the mapping. */
  readonly vm_start: number
  readonly vm_end: number
  /** Where in the buffer, in pages. */
  readonly vm_pgoff: number
  readonly vm_page_prot: bigint
  /** False for MAP_PRIVATE. */
  readonly mayShare: boolean
}

export interface Buffer {
  /** The first page. */
  readonly pfn: number
  /** Bytes, whole pages. */
  readonly size: number
}

/** Maps `size` bytes of pfns from `pfn` on at `addr`: 0 or a negative errno. */
export type RemapPfnRange = (vma: Vma, addr: number, pfn: number, size: number, prot: bigint) => number

export function mmapBuffer(vma: Vma, buffer: Buffer, remap_pfn_range: RemapPfnRange): number {
  const pages = (vma.vm_end - vma.vm_start) / PAGE_SIZE
  const count = buffer.size / PAGE_SIZE
  if (!vma.mayShare) return -EINVAL
  if (vma.vm_pgoff >= count || pages > count - vma.vm_pgoff) return -ENXIO
  return remap_pfn_range(vma, vma.vm_start, buffer.pfn + vma.vm_pgoff, pages * PAGE_SIZE, PAGE_SHARED)
}
