// SPDX-License-Identifier: MIT
//
// memblock, the allocator of a kernel that has no allocator yet: two lists of address ranges and nothing else.
//
//     memory     ┌──────────── RAM ────────────┬─ NOMAP ─┬──── RAM ────┐     what there is, with flags
//     reserved     ▓▓ kernel ▓▓    ▓ DTB ▓                   ▓ pool ▓        what is taken
//     free       ░░          ░░░░░░       ░░░░░          ░░░░       ░░░      memory − NOMAP − reserved
//
// Protocol: add the RAM, reserve what is in use, then allocate (memblock_find.ts). To reserve takes nothing out of
// `memory`; a NOMAP range is in `memory` and, unless it was allocated first, not in `reserved`.
// Regions of a list are sorted, never overlap, and are merged when they touch and have equal flags.
//
// Linux has one memblock; here a machine has one, and it comes first in every call.
// Leaves out: NUMA node ids (a node id too would keep neighbours apart), doubling of the arrays beyond 128 entries.

// #region memblock-imports
import type { Bytes, PhysAddr } from '../lib/units.ts'
// #endregion memblock-imports

// #region memblock-types
export const MEMBLOCK_NONE = 0
/** Memory that is not to be in the kernel's linear mapping. */
export const MEMBLOCK_NOMAP = 4

/** `[base, base + size)`. */
export interface MemblockRegion {
  readonly base: PhysAddr
  readonly size: Bytes
  readonly flags: number
}

/** One of the two lists. */
export interface MemblockType {
  readonly name: 'memory' | 'reserved'
  /** `PHYS_ADDR_MAX`: regions end here, if they claim more. */
  readonly limit: PhysAddr
  readonly regions: MemblockRegion[]
}
// #endregion memblock-types

// #region memblock-state
/** @kernel include/linux/memblock.h struct memblock v6.12 */
export interface Memblock {
  readonly memory: MemblockType
  readonly reserved: MemblockType
  /** Whether to allocate from the lowest free address up. Linux starts with false. */
  bottom_up: boolean
  /** Allocations with end `MEMBLOCK_ALLOC_ACCESSIBLE` stay below it. */
  current_limit: PhysAddr
  /** Width of `phys_addr_t`: it bounds addresses and sets the width of `%pa`. */
  readonly physAddrBits: 32 | 64
  /** Bytes of a page. */
  readonly pageSize: Bytes
}
// #endregion memblock-state

// #region memblock-create
/** A memblock without memory. `physAddrBits` is 32 for arm without LPAE, else 64. */
export function createMemblock(physAddrBits: 32 | 64 = 64, pageSize: Bytes = 4096): Memblock {
  const limit = physAddrBits === 32 ? 2 ** 32 - 1 : MEMBLOCK_ALLOC_ANYWHERE
  const memory: MemblockType = { name: 'memory', limit, regions: [] }
  const reserved: MemblockType = { name: 'reserved', limit, regions: [] }
  return {
    memory,
    reserved,
    bottom_up: false,
    current_limit: MEMBLOCK_ALLOC_ANYWHERE,
    physAddrBits,
    pageSize,
  }
}

/** No upper bound. Linux has ~0; this is the next number that is exact here. */
export const MEMBLOCK_ALLOC_ANYWHERE: PhysAddr = 2 ** 64
/** Bounded by `current_limit`. */
export const MEMBLOCK_ALLOC_ACCESSIBLE: PhysAddr = 0
// #endregion memblock-create

// #region memblock-end
/** The first address behind a region. */
export function regionEnd(region: MemblockRegion): PhysAddr {
  return region.base + region.size
}

// Where a range ends that may claim more than the address space has: of 32 bits, the last byte is never in a list.
function cappedEnd({ limit }: MemblockType, base: PhysAddr, size: Bytes): PhysAddr {
  return Math.min(base + size, limit)
}

// The index of the first region that ends behind `addr`; the length of the list when none does.
function firstBehind({ regions }: MemblockType, addr: PhysAddr): number {
  let i = 0
  while (i < regions.length && regionEnd(regions[i]!) <= addr) i++
  return i
}
// #endregion memblock-end

// #region memblock-merge
// Makes one of neighbours that touch and have equal flags, between regions `first - 1` and `last`: those that changed.
function memblock_merge_regions({ regions }: MemblockType, first: number, last: number): void {
  let i = Math.max(first - 1, 0)
  while (i < last && i + 1 < regions.length) {
    const here = regions[i]!
    const next = regions[i + 1]!
    if (regionEnd(here) === next.base && here.flags === next.flags) {
      regions[i] = { base: here.base, size: here.size + next.size, flags: here.flags }
      regions.splice(i + 1, 1)
      last--
    } else i++
  }
}
// #endregion memblock-merge

// #region memblock-add-range
// Adds the parts of [base, base + size) that no region has yet; what is there keeps its flags.
function memblock_add_range(type: MemblockType, base: PhysAddr, size: Bytes, flags: number): number {
  const { regions } = type
  const end = cappedEnd(type, base, size)
  const first = firstBehind(type, base)
  let i = first
  for (let from = base; from < end; i++) {
    const region = regions[i]
    const gapEnd = region ? Math.min(region.base, end) : end
    if (gapEnd > from) regions.splice(i, 0, { base: from, size: gapEnd - from, flags })
    from = regionEnd(regions[i]!)
  }
  memblock_merge_regions(type, first, i)
  return 0
}
// #endregion memblock-add-range

// #region memblock-add-reserve
/**
 * There is RAM at `[base, base + size)`. Always 0.
 * @kernel mm/memblock.c memblock_add() v6.12
 */
export function memblock_add(memblock: Memblock, base: PhysAddr, size: Bytes): number {
  return memblock_add_range(memblock.memory, base, size, MEMBLOCK_NONE)
}

/**
 * `[base, base + size)` is taken, whether it is RAM or not, and even if part of it was taken before. Always 0.
 * @kernel mm/memblock.c memblock_reserve() v6.12
 */
export function memblock_reserve(memblock: Memblock, base: PhysAddr, size: Bytes): number {
  return memblock_add_range(memblock.reserved, base, size, MEMBLOCK_NONE)
}
// #endregion memblock-add-reserve

// #region memblock-isolate
// Splits the region that has `addr` inside; the index of the first region from `addr` on.
function splitAt(type: MemblockType, addr: PhysAddr): number {
  const i = firstBehind(type, addr)
  const region = type.regions[i]
  if (!region || region.base >= addr) return i
  const { base, flags } = region
  const below = { base, size: addr - base, flags }
  const above = { base: addr, size: regionEnd(region) - addr, flags }
  type.regions.splice(i, 1, below, above)
  return i + 1
}

// Splits regions at both ends of [base, base + size); the indices [start, end) of those that are inside.
function memblock_isolate_range(type: MemblockType, base: PhysAddr, size: Bytes): [number, number] {
  const start = splitAt(type, base)
  return [start, splitAt(type, cappedEnd(type, base, size))]
}
// #endregion memblock-isolate

// #region memblock-remove
function memblock_remove_range(type: MemblockType, base: PhysAddr, size: Bytes): number {
  if (size <= 0) return 0
  const [start, end] = memblock_isolate_range(type, base, size)
  type.regions.splice(start, end - start)
  return 0
}

/**
 * The RAM at `[base, base + size)` is not there any more. In 4.x this is what `no-map` means.
 * @kernel mm/memblock.c memblock_remove() v6.12
 */
export function memblock_remove(memblock: Memblock, base: PhysAddr, size: Bytes): number {
  return memblock_remove_range(memblock.memory, base, size)
}

/**
 * `[base, base + size)` is not taken any more, whoever took it and in however many pieces. Always 0.
 * @kernel mm/memblock.c memblock_phys_free() v6.12 (memblock_free() before v5.16)
 */
export function memblock_phys_free(memblock: Memblock, base: PhysAddr, size: Bytes): number {
  return memblock_remove_range(memblock.reserved, base, size)
}
// #endregion memblock-remove

// #region memblock-nomap
function memblock_setclr_flag(
  memblock: Memblock,
  base: PhysAddr,
  size: Bytes,
  change: (old: number) => number,
): number {
  const type = memblock.memory
  if (size <= 0) return 0
  const [start, end] = memblock_isolate_range(type, base, size)
  for (let i = start; i < end; i++) {
    const region = type.regions[i]!
    type.regions[i] = { base: region.base, size: region.size, flags: change(region.flags) }
  }
  memblock_merge_regions(type, start, end)
  return 0
}

/** Leave the RAM at `[base, base + size)` out of the linear mapping. @kernel mm/memblock.c memblock_mark_nomap() v6.12 */
export function memblock_mark_nomap(memblock: Memblock, base: PhysAddr, size: Bytes): number {
  return memblock_setclr_flag(memblock, base, size, (old) => old | MEMBLOCK_NOMAP)
}

/** It is ordinary RAM after all. @kernel mm/memblock.c memblock_clear_nomap() v6.12 */
export function memblock_clear_nomap(memblock: Memblock, base: PhysAddr, size: Bytes): number {
  return memblock_setclr_flag(memblock, base, size, (old) => old & ~MEMBLOCK_NOMAP)
}
// #endregion memblock-nomap

// #region memblock-ask
export function memblock_is_nomap(region: MemblockRegion): boolean {
  return (region.flags & MEMBLOCK_NOMAP) !== 0
}

/** Whether any byte of the range is in the list. @kernel mm/memblock.c memblock_overlaps_region() v6.12 */
export function memblock_overlaps_region(type: MemblockType, base: PhysAddr, size: Bytes): boolean {
  const end = cappedEnd(type, base, size)
  const region = type.regions[firstBehind(type, base)]
  return region !== undefined && region.base < end
}

/** Whether **any** byte is taken, despite its name. @kernel mm/memblock.c memblock_is_region_reserved() v6.12 */
export function memblock_is_region_reserved(memblock: Memblock, base: PhysAddr, size: Bytes): boolean {
  return memblock_overlaps_region(memblock.reserved, base, size)
}

/** Whether `addr` is RAM in the linear mapping. @kernel mm/memblock.c memblock_is_map_memory() v6.12 */
export function memblock_is_map_memory(memblock: Memblock, addr: PhysAddr): boolean {
  const region = memblock.memory.regions[firstBehind(memblock.memory, addr)]
  return region !== undefined && region.base <= addr && !memblock_is_nomap(region)
}
// #endregion memblock-ask

// #region memblock-bounds
/** The lowest address of RAM, NOMAP included; 0 without RAM. @kernel mm/memblock.c memblock_start_of_DRAM() v6.12 */
export function memblock_start_of_DRAM(memblock: Memblock): PhysAddr {
  return memblock.memory.regions[0]?.base ?? 0
}

/** The first address behind all RAM; 0 without RAM. @kernel mm/memblock.c memblock_end_of_DRAM() v6.12 */
export function memblock_end_of_DRAM(memblock: Memblock): PhysAddr {
  const last = memblock.memory.regions.at(-1)
  return last ? regionEnd(last) : 0
}

/** Bytes of RAM, NOMAP included, gaps not. @kernel mm/memblock.c memblock_phys_mem_size() v6.12 */
export function memblock_phys_mem_size(memblock: Memblock): Bytes {
  return totalSize(memblock.memory)
}

/** Bytes in a list. */
export function totalSize(type: MemblockType): Bytes {
  return type.regions.reduce((sum, region) => sum + region.size, 0)
}
// #endregion memblock-bounds
