// SPDX-License-Identifier: MIT
//
// memremap(): a kernel address for memory that a driver knows by its physical address.
//
//     is the range System RAM in /proc/iomem?   MEMREMAP_WB                  MEMREMAP_WC, MEMREMAP_WT
//       all of it                               the linear address, nothing  refused, with a warning
//                                               new is mapped
//       none of it (no-map)                     new cacheable mapping        new mapping with that attribute
//       part of it                              refused                      refused
//
// A page has one set of attributes: a write-combined view beside the cacheable linear one would be a second, so RAM is
// refused. That is why a pool needs no-map.

// #region memremap-imports
import type { Printk } from '../lib/printk.ts'
import { formatPa, type Bytes, type PhysAddr } from '../lib/units.ts'
// #endregion memremap-imports

// #region memremap-types
export const MEMREMAP_WB = 1
export const MEMREMAP_WT = 2
export const MEMREMAP_WC = 4

/** Where the memory can be reached now. */
export interface Mapping {
  /** `linear`: an address that the kernel had already; `new`: one in the vmalloc range. */
  readonly kind: 'linear' | 'new'
  readonly attribute: 'WB' | 'WT' | 'WC'
  readonly phys: PhysAddr
  readonly size: Bytes
}

/** What memremap() asks of the machine, handed down because the resource tree is a room above. */
export interface MemremapMachine {
  readonly log: Printk
  readonly physAddrBits: 32 | 64
  /** How much of the range is System RAM. @kernel kernel/resource.c region_intersects() v6.12 */
  readonly ramIn: (start: PhysAddr, size: Bytes) => 'disjoint' | 'intersects' | 'mixed'
  /** Whether the linear mapping has this address: RAM, and not high memory. */
  readonly isLinear: (addr: PhysAddr) => boolean
  /** Warnings that were given: WARN_ONCE. */
  readonly warned: Set<string>
}
// #endregion memremap-types

// #region memremap
/**
 * Maps `[offset, offset + size)` with the first of WB, WT, WC in `flags` that can be had; null when none can.
 * @kernel kernel/iomem.c memremap() v6.12 (kernel/memremap.c v4.12)
 * @omits encryption flags; that arm64 has no write-through mapping and gives device memory for it
 */
export function memremap(
  machine: MemremapMachine,
  offset: PhysAddr,
  size: Bytes,
  flags: number,
): Mapping | null {
  if (!flags) return null
  const ram = machine.ramIn(offset, size)
  const mapping = (kind: Mapping['kind'], attribute: Mapping['attribute']) => ({
    kind,
    attribute,
    phys: offset,
    size,
  })
  if (ram === 'mixed') return refuse(machine, 'mixed range', offset, size)
  if (flags & MEMREMAP_WB) {
    return mapping(ram === 'intersects' && machine.isLinear(offset) ? 'linear' : 'new', 'WB')
  }
  if (ram === 'intersects') return refuse(machine, 'ram', offset, size)
  return mapping('new', flags & MEMREMAP_WT ? 'WT' : 'WC')
}
// #endregion memremap

// #region memremap-refuse
function refuse(machine: MemremapMachine, what: string, offset: PhysAddr, size: Bytes): null {
  const line = `memremap attempted on ${what} ${formatPa(offset, machine.physAddrBits)} size: 0x${size.toString(16)}`
  if (!machine.warned.has(what)) machine.log.print('warn', line)
  machine.warned.add(what)
  return null
}

/** Undoes a new mapping; a linear address stays as it is. Whether anything was undone. @kernel kernel/iomem.c memunmap() v6.12 */
export function memunmap(mapping: Mapping): boolean {
  return mapping.kind === 'new'
}
// #endregion memremap-refuse
