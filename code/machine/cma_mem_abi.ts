// SPDX-License-Identifier: MIT
//
// kernel/include/uapi/cma_mem.h as data: the structures and numbers that /dev/cma_mem and its programs share. The layout
// is that of LP64; with fixed widths ILP32 has the same (a test compares both with what C compilers say).

// #region cma-mem-abi-structs
import { encodeStruct, layoutOf, type CFields, type CLayout, type CValue } from '../lib/c_layout.ts'
import { _IO, _IOR, _IOW, _IOWR } from '../lib/ioctl.ts'

/** The structures by name, `cma_mem_` left out. */
export const CMA_MEM_STRUCTS = {
  allocate: { size: '__u64', flags: '__u32', reserved: '__u32', granted: '__u64' },
  phys: { address: '__u64', size: '__u64' },
  map: { how: '__u32', reserved: '__u32' },
  size: { size: '__u64', flags: '__u32', how: '__u32', mappings: '__u32', files: '__u32' },
  total: { used: '__u64', limit: '__u64' },
  connect: { fd: '__s32', reserved: '__u32' },
  range: { offset: '__u64', length: '__u64' },
} as const satisfies Record<string, CFields>

type Structs = typeof CMA_MEM_STRUCTS
export type CmaMemStruct = keyof Structs
// #endregion cma-mem-abi-structs

// #region cma-mem-abi-layouts
const layoutFor = <Name extends CmaMemStruct>(name: Name): CLayout<Structs[Name]> =>
  layoutOf(CMA_MEM_STRUCTS[name], 'LP64')

/** Each as the kernel lays it out. */
export const CMA_MEM_LAYOUTS = {
  allocate: layoutFor('allocate'),
  phys: layoutFor('phys'),
  map: layoutFor('map'),
  size: layoutFor('size'),
  total: layoutFor('total'),
  connect: layoutFor('connect'),
  range: layoutFor('range'),
} as const

/** The bytes of a structure with these values, as a program hands it over; what is not given is 0. */
export function cmaMemStruct<Name extends CmaMemStruct>(
  name: Name,
  values: Partial<Record<keyof Structs[Name], CValue>>,
): Uint8Array {
  return encodeStruct<CFields>(CMA_MEM_LAYOUTS[name], values)
}
// #endregion cma-mem-abi-layouts

// #region cma-mem-abi-values
/** cma_mem_allocate.flags: dma_alloc_wc() instead of dma_alloc_coherent(). */
export const CMA_MEM_WRITE_COMBINE = 1
/** cma_mem_map.how: dma_mmap_attrs(). */
export const CMA_MEM_MAP_DMA = 1
/** cma_mem_map.how: remap_pfn_range(). */
export const CMA_MEM_MAP_PFN = 2

const TYPE = 0xbc

/** The commands; the first eight in the order of the driver of 2014. */
export const CMA_MEM = {
  GET_PHYS: _IOR(TYPE, 0x11, CMA_MEM_LAYOUTS.phys.size),
  MAP: _IOW(TYPE, 0x12, CMA_MEM_LAYOUTS.map.size),
  GET_SIZE: _IOR(TYPE, 0x13, CMA_MEM_LAYOUTS.size.size),
  UNMAP: _IO(TYPE, 0x14),
  ALLOCATE: _IOWR(TYPE, 0x15, CMA_MEM_LAYOUTS.allocate.size),
  CONNECT: _IOW(TYPE, 0x16, CMA_MEM_LAYOUTS.connect.size),
  GET_TOTAL_SIZE: _IOR(TYPE, 0x17, CMA_MEM_LAYOUTS.total.size),
  CACHE_FLUSH: _IOW(TYPE, 0x18, CMA_MEM_LAYOUTS.range.size),
  FREE: _IO(TYPE, 0x19),
} as const
// #endregion cma-mem-abi-values
