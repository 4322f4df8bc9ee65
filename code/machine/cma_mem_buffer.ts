// SPDX-License-Identifier: MIT
//
// The buffers of /dev/cma_mem, as kernel/cma_mem/cma_mem_buffer.c keeps them.
//
//     createBuffer() → held by nobody
//     attachBuffer(file)   files + 1        ALLOCATE, CONNECT
//     detachBuffer(file)   files - 1        FREE, the last close or munmap; at 0 the pages go back
//
// Leaves out: the references of a read or write under way.

// #region cma-mem-buffer-model-imports
import { DMA_ATTR_WRITE_COMBINE, PAGE_ALIGN, type Dma, type DmaBuffer } from '../dma/dma_state.ts'
import { dma_alloc_attrs, dma_free_attrs } from '../dma/mapping.ts'
import { ENOMEM, ENOSPC } from '../lib/errno.ts'
import type { Bytes } from '../lib/units.ts'
import { __GFP_NOWARN, GFP_KERNEL } from '../mm/gfp.ts'
import type { File } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import { CMA_MEM_MAP_DMA, CMA_MEM_WRITE_COMBINE } from './cma_mem_abi.ts'
import type { KernelModule, Misc, MiscDevice } from './misc.ts'
// #endregion cma-mem-buffer-model-imports

// #region cma-mem-model-types
/** The device. */
export interface CmaMem {
  readonly dma: Dma
  readonly dev: Device
  readonly misc: Misc
  readonly device: MiscDevice
  readonly module: KernelModule
  /** Bytes that all buffers may have together. */
  readonly limit: Bytes
  /** Bytes that they have. */
  used: Bytes
}

/** One buffer, held by `files` open files; with the last it goes. */
export interface CmaMemBuffer extends DmaBuffer {
  /** Whole pages. */
  readonly size: Bytes
  /** DMA_ATTR_* or-ed. */
  readonly attrs: number
  files: number
}
// #endregion cma-mem-model-types

// #region cma-mem-model-file
/** What one open file has. */
export interface CmaMemFile {
  readonly cm: CmaMem
  /** Mappings that were made through it and exist. */
  mappings: number
  buffer: CmaMemBuffer | null
  /** CMA_MEM_MAP_DMA, CMA_MEM_MAP_PFN, or 0: mmap is refused. */
  how: number
}
// #endregion cma-mem-model-file

// #region cma-mem-model-file-of
/** The driver's part of an open file; null when it is another driver's. */
export function cmaMemFile(file: File): CmaMemFile | null {
  const own = file.private_data as Partial<CmaMemFile> | null
  return own?.cm !== undefined && own.mappings !== undefined ? (own as CmaMemFile) : null
}
// #endregion cma-mem-model-file-of

// #region cma-mem-model-buffer
/** A zeroed buffer of whole pages that no file holds yet; -ENOSPC (over the limit) or -ENOMEM. */
export function createBuffer(cm: CmaMem, wish: Bytes, flags: number): CmaMemBuffer | number {
  const { dma, dev } = cm
  const size = PAGE_ALIGN(dma, wish)
  if (size > cm.limit - cm.used) return -ENOSPC
  const attrs = flags & CMA_MEM_WRITE_COMBINE ? DMA_ATTR_WRITE_COMBINE : 0
  const memory = dma_alloc_attrs(dma, dev, size, GFP_KERNEL | __GFP_NOWARN, attrs)
  if (!memory) return -ENOMEM
  cm.used += size
  return { ...memory, size, attrs, files: 0 }
}

/** Gives its pages back. */
export function destroyBuffer(cm: CmaMem, { size, cpu_addr, dma_handle, attrs }: CmaMemBuffer): void {
  dma_free_attrs(cm.dma, cm.dev, size, cpu_addr, dma_handle, attrs)
  cm.used -= size
}
// #endregion cma-mem-model-buffer

// #region cma-mem-model-attach
/** Makes a file one of those that hold the buffer. */
export function attachBuffer(cf: CmaMemFile, buffer: CmaMemBuffer): void {
  cf.buffer = buffer
  cf.how = CMA_MEM_MAP_DMA
  buffer.files++
}

/** The file lets go of its buffer. */
export function detachBuffer(cf: CmaMemFile): void {
  const buffer = cf.buffer!
  cf.buffer = null
  buffer.files--
  if (buffer.files === 0) destroyBuffer(cf.cm, buffer)
}
// #endregion cma-mem-model-attach
