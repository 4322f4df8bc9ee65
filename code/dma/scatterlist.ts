// SPDX-License-Identifier: MIT
//
// include/linux/scatterlist.h: a buffer in pieces. An entry says where a piece lies; mapping the list writes beside it what
// the device is to be told.
//
// Leaves out: chains of tables; entries are an array.

// #region scatterlist-imports
import type { Bytes, DmaAddr, Pfn } from '../lib/units.ts'
// #endregion scatterlist-imports

// #region scatterlist-entry
/**
 * A piece: `length` bytes from byte `offset` of page `page`.
 * @kernel include/linux/scatterlist.h struct scatterlist v6.12
 */
export interface Scatterlist {
  page: Pfn
  offset: Bytes
  length: Bytes
  /** Valid while the list is mapped. */
  dma_address: DmaAddr
  dma_length: Bytes
}

/** Fills an entry that is not mapped. @kernel include/linux/scatterlist.h sg_set_page() v6.12 */
export function sg_set_page(sg: Scatterlist, page: Pfn, len: Bytes, offset: Bytes): void {
  Object.assign(sg, { page, offset, length: len, dma_address: 0, dma_length: 0 })
}
// #endregion scatterlist-entry

// #region scatterlist-table
/** A list and its counts. @kernel include/linux/scatterlist.h struct sg_table v6.12 */
export interface SgTable {
  readonly sgl: Scatterlist[]
  /** Pieces in the list. */
  readonly orig_nents: number
  /** Entries for the device, while it is mapped. */
  nents: number
}
// #endregion scatterlist-table
