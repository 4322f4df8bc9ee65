// SPDX-License-Identifier: MIT
//
// include/linux/dma-map-ops.h: the table of functions that serves a device. An entry that is not there is a call that does
// nothing: the device needs none of it (S1-6).
//
//     6.x     no table: dma-direct, unless an IOMMU stands between
//     4.x     arm: arm_dma_ops or arm_coherent_dma_ops; arm64: swiotlb_dma_ops
//
// Leaves out: get_sgtable, resources, vmap, the entries that ask for limits.

// #region dma-map-ops-imports
import type { DmaDirection } from '../arch/dma_direction.ts'
import type { Bytes, DmaAddr, Pfn, VirtAddr } from '../lib/units.ts'
import type { VmArea } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import type { Dma, DmaBuffer } from './dma_state.ts'
import type { Scatterlist } from './scatterlist.ts'
// #endregion dma-map-ops-imports

// #region dma-map-ops-buffers
/** Buffers. `dev` is null for a device that nobody described, which arm allowed. */
export interface DmaBufferOps {
  readonly alloc: (dma: Dma, dev: Device | null, size: Bytes, gfp: number, attrs: number) => DmaBuffer | null
  readonly free: (
    dma: Dma,
    dev: Device | null,
    size: Bytes,
    cpu_addr: VirtAddr,
    handle: DmaAddr,
    attrs: number,
  ) => void
  /** 0, or -ENXIO for a range beyond the buffer, or what remap_pfn_range() returns. */
  readonly mmap: (
    dma: Dma,
    dev: Device | null,
    vma: VmArea,
    cpu_addr: VirtAddr,
    dma_addr: DmaAddr,
    size: Bytes,
    attrs: number,
  ) => number
}
// #endregion dma-map-ops-buffers

// #region dma-map-ops-streaming-types
type MapPage = (
  dma: Dma,
  dev: Device | null,
  page: Pfn,
  offset: Bytes,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
) => DmaAddr
type UnmapPage = (
  dma: Dma,
  dev: Device | null,
  handle: DmaAddr,
  size: Bytes,
  dir: DmaDirection,
  attrs: number,
) => void
type Sync = (dma: Dma, dev: Device | null, handle: DmaAddr, size: Bytes, dir: DmaDirection) => void
// #endregion dma-map-ops-streaming-types

// #region dma-map-ops-list-types
type ForList<Result> = (
  dma: Dma,
  dev: Device | null,
  sg: Scatterlist[],
  nents: number,
  dir: DmaDirection,
  attrs: number,
) => Result
type SyncList = (dma: Dma, dev: Device | null, sg: Scatterlist[], nents: number, dir: DmaDirection) => void
// #endregion dma-map-ops-list-types

// #region dma-map-ops-streaming
/** Streaming. */
export interface DmaStreamingOps {
  readonly map_page: MapPage
  readonly unmap_page: UnmapPage
  /** How many entries the device is to be given; 0 when one could not be mapped. */
  readonly map_sg: ForList<number>
  readonly unmap_sg: ForList<void>
  readonly sync_single_for_cpu: Sync
  readonly sync_single_for_device: Sync
  readonly sync_sg_for_cpu: SyncList
  readonly sync_sg_for_device: SyncList
}

/** A table. @kernel include/linux/dma-map-ops.h struct dma_map_ops v6.12; include/linux/dma-mapping.h v4.12 */
export interface DmaMapOps extends DmaBufferOps, Partial<DmaStreamingOps> {}
// #endregion dma-map-ops-streaming
