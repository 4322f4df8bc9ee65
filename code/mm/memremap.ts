// SPDX-License-Identifier: MIT
//
// memremap(): a kernel address for memory that a driver knows by its physical address.
//
//     what the range meets in /proc/iomem       MEMREMAP_WB                  MEMREMAP_WC, MEMREMAP_WT
//       System RAM only, or RAM and a gap       the linear address, nothing  refused, with a warning
//                                               new is mapped
//       no System RAM (no-map)                  new cacheable mapping        new mapping with that attribute
//       System RAM and another resource         refused                      refused
//
// A page has one set of attributes: a write-combined view beside the cacheable linear one would be a second, so RAM is
// refused. That is why a pool needs no-map. And ioremap(), which makes the new mappings, looks once more at the first page:
// a no-map range that begins inside a page of RAM gets none.

// #region memremap-imports
import type { Arch } from '../lib/kernel_version.ts'
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
// #endregion memremap-types

// #region memremap-machine
/** What memremap() asks of the machine, handed down because the resource tree is a room above. */
export interface MemremapMachine {
  readonly log: Printk
  readonly arch: Arch
  readonly physAddrBits: 32 | 64
  /** Width of the addresses that can be mapped: `PHYS_MASK` of arm64. */
  readonly paBits: number
  /** How much of the range is System RAM. @kernel kernel/resource.c region_intersects() v6.12 */
  readonly ramIn: (start: PhysAddr, size: Bytes) => 'disjoint' | 'intersects' | 'mixed'
  /** Whether the page of this address is RAM without NOMAP. */
  readonly isMapped: (addr: PhysAddr) => boolean
  /** Whether the linear mapping has this address: such RAM, and not high memory. */
  readonly isLinear: (addr: PhysAddr) => boolean
  /** Warnings that were given: WARN_ONCE. */
  readonly warned: Set<string>
}
// #endregion memremap-machine

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
  if (ram === 'mixed') return refuse(machine, 'mixed range', offset, size)
  // arm64 asks its ioremap_cache() as well, which goes by the page.
  const linear = (ram === 'intersects' || machine.arch === 'arm64') && machine.isLinear(offset)
  const cached = flags & MEMREMAP_WB ? ioremap(machine, offset, size, 'WB', linear) : null
  if (cached) return cached
  if (ram === 'intersects' && flags !== MEMREMAP_WB) return refuse(machine, 'ram', offset, size)
  const through = flags & MEMREMAP_WT ? ioremap(machine, offset, size, 'WT') : null
  return through ?? (flags & MEMREMAP_WC ? ioremap(machine, offset, size, 'WC') : null)
}
// #endregion memremap

// #region memremap-ioremap
/**
 * The linear address, or a new mapping; null outside the addresses that can be mapped, and for RAM that is mapped already.
 * @kernel arch/arm64/mm/ioremap.c __ioremap_prot(), arch/arm/mm/ioremap.c __arm_ioremap_pfn_caller() v6.12
 * @omits the trace that a WARN_ON leaves in the log; the size of the vmalloc range, which a big region of arm exceeds
 */
function ioremap(
  { physAddrBits, paBits, isMapped }: MemremapMachine,
  phys: PhysAddr,
  size: Bytes,
  attribute: Mapping['attribute'],
  linear = false,
): Mapping | null {
  if (linear) return { kind: 'linear', attribute, phys, size }
  if (phys + size > 2 ** Math.min(physAddrBits, paBits)) return null
  // A cacheable mapping beside a cacheable one does no harm: high memory of arm gets one so.
  if (attribute !== 'WB' && isMapped(phys)) return null
  return { kind: 'new', attribute, phys, size }
}
// #endregion memremap-ioremap

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
