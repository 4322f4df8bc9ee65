// SPDX-License-Identifier: MIT
//
// A CPU on its bus: the one who looks into caches, beside devices that do or do not.
//
//     cpuRead/cpuWrite(cpu, pa, …, type)              'normal' through the caches, other types straight to RAM
//     deviceRead/deviceWrite(cpu, pa, …, coherent)    a coherent device snoops the caches, another one sees RAM alone
//
// Straight to RAM means past a line that is there: two mappings of different types show different bytes, as on real
// machines.
// Leaves out: several CPUs (they would be coherent among themselves), write buffers, the TLB.

// #region cpu-state
import type { Arch } from '../lib/kernel_version.ts'
import type { Bytes, PhysAddr } from '../lib/units.ts'
import type { Cache, CacheOp, CacheSnapshot } from './cache.ts'
import {
  cacheRead,
  cacheWrite,
  createCache,
  dropRange,
  evict,
  restoreCache,
  snapshotCache,
  snoopInto,
  writeBackRange,
} from './cache.ts'
import type { MemoryType } from './memory_type.ts'
import { isCacheable } from './memory_type.ts'
import type { Ram } from './ram.ts'
import { copyPage, fillBytes, readInto, writeBytes } from './ram.ts'

/** The CPU, its caches and the RAM behind them. */
export interface Cpu {
  readonly arch: Arch
  readonly ram: Ram
  readonly l1: Cache
  /** The PL310 of an arm machine, or null. Maintenance of `l1` does not reach it. */
  readonly outer: Cache | null
  /**
   * Whether the CPU itself marks a page table entry dirty at a store (ARMv8.1 hardware management of the dirty state,
   * with CONFIG_ARM64_HW_AFDBM=y). Without it, the first store to a clean page faults.
   */
  readonly hwDirtyBit: boolean
}

/** What a CPU is made of. */
export interface CpuOptions {
  readonly ram: Ram
  readonly arch: Arch
  /** Bytes of a cache line, of both levels. A Cortex-A9 has 32. */
  readonly lineSize?: Bytes
  /** With an outer cache; arm only. */
  readonly outer?: boolean
  readonly hwDirtyBit?: boolean
}

/** A CPU with empty caches. Throws for an outer cache on arm64, which maintains all levels at once. */
export function createCpu({ ram, arch, lineSize = 64, outer = false, hwDirtyBit = false }: CpuOptions): Cpu {
  if (arch === 'arm64' && outer)
    throw new Error('createCpu: got an outer cache on arm64, expected one on arm only; leave `outer` out')
  const second = outer ? createCache(ram, { lineSize, level: 'outer' }) : null
  const l1 = createCache(ram, { lineSize, level: 'L1', next: second })
  return { arch, ram, l1, outer: second, hwDirtyBit }
}

/** From now on each cache operation is noted in the array returned, of both levels in order. */
export function logCacheOps(cpu: Cpu): CacheOp[] {
  const log: CacheOp[] = []
  cpu.l1.log = log
  if (cpu.outer) cpu.outer.log = log
  return log
}
// #endregion cpu-state

// #region cpu-access
/** Reads `into.length` bytes at `pa` through a mapping of `type`, into `into`, which it returns. */
export function cpuReadInto(cpu: Cpu, pa: PhysAddr, into: Uint8Array, type: MemoryType): Uint8Array {
  return isCacheable(type) ? cacheRead(cpu.l1, pa, into) : readInto(cpu.ram, pa, into)
}

/** Reads `n` bytes at `pa` through a mapping of `type`. */
export function cpuRead(cpu: Cpu, pa: PhysAddr, n: Bytes, type: MemoryType): Uint8Array {
  return cpuReadInto(cpu, pa, new Uint8Array(n), type)
}

/** Writes `bytes` at `pa` through a mapping of `type`. */
export function cpuWrite(cpu: Cpu, pa: PhysAddr, bytes: Uint8Array, type: MemoryType): void {
  if (!isCacheable(type)) return writeBytes(cpu.ram, pa, bytes)
  cacheWrite(cpu.l1, pa, bytes)
  if (type !== 'normal-wt') return
  writeBackRange(cpu.l1, pa, bytes.length)
  if (cpu.outer) writeBackRange(cpu.outer, pa, bytes.length)
}
// #endregion cpu-access

// #region cpu-pages
// clear_page() and copy_page() write so many whole lines in a row that a CPU stops taking them into its cache
// (write-streaming); here always. That spares a model that moves 8,192 pages a million lines.
function overwritten(cpu: Cpu, pa: PhysAddr, size: Bytes): void {
  if (holdsNothing(cpu)) return
  for (const cache of [cpu.l1, cpu.outer])
    if (cache && cache.blocks.size > 0) {
      evict(cache, pa)
      evict(cache, pa + size - 1)
      dropRange(cache, pa, size)
    }
}

function holdsNothing({ l1, outer }: Cpu): boolean {
  return l1.blocks.size === 0 && (outer === null || outer.blocks.size === 0)
}

/** memset() of a long range through a cacheable mapping: the bytes end in RAM, no line stays. */
export function cpuFill(cpu: Cpu, pa: PhysAddr, size: Bytes, value: number): void {
  if (size <= 0) return
  overwritten(cpu, pa, size)
  fillBytes(cpu.ram, pa, size, value)
}

/**
 * copy_page() through cacheable mappings: what is newest of `srcPa` ends in RAM at `dstPa`; no line of `dstPa` stays.
 */
export function cpuCopyPage(cpu: Cpu, dstPa: PhysAddr, srcPa: PhysAddr, pageSize: Bytes): void {
  if (!holdsNothing(cpu)) {
    for (const cache of [cpu.l1, cpu.outer])
      if (cache && cache.blocks.size > 0) writeBackRange(cache, srcPa, pageSize)
    overwritten(cpu, dstPa, pageSize)
  }
  copyPage(cpu.ram, dstPa, srcPa, pageSize)
}
// #endregion cpu-pages

// #region cpu-device
/** A device reads `n` bytes at physical address `pa`: the newest if it is coherent, else what RAM has. */
export function deviceRead(cpu: Cpu, pa: PhysAddr, n: Bytes, coherent: boolean): Uint8Array {
  const into = new Uint8Array(n)
  return coherent ? snoopInto(cpu.l1, pa, into) : readInto(cpu.ram, pa, into)
}

/**
 * A device writes `bytes` at physical address `pa`. For a coherent one the caches give up the lines first, dirty ones
 * to RAM; for another they stay as they are, and are stale.
 */
export function deviceWrite(cpu: Cpu, pa: PhysAddr, bytes: Uint8Array, coherent: boolean): void {
  if (coherent) {
    evict(cpu.l1, pa, bytes.length)
    if (cpu.outer) evict(cpu.outer, pa, bytes.length)
  }
  writeBytes(cpu.ram, pa, bytes)
}
// #endregion cpu-device

// #region cpu-snapshot
/** The caches of a CPU as plain data; its RAM is `snapshotRam()`'s business. */
export interface CpuSnapshot {
  readonly l1: CacheSnapshot
  readonly outer: CacheSnapshot | null
}

export function snapshotCpu(cpu: Cpu): CpuSnapshot {
  return { l1: snapshotCache(cpu.l1), outer: cpu.outer && snapshotCache(cpu.outer) }
}

/** Makes the caches what they were. Throws when one machine has an outer cache and the other has none. */
export function restoreCpu(cpu: Cpu, { l1, outer }: CpuSnapshot): void {
  restoreCache(cpu.l1, l1)
  if ((outer === null) !== (cpu.outer === null))
    throw new Error(
      `restoreCpu: got a snapshot ${outer ? 'with' : 'without'} an outer cache, expected one ` +
        `${cpu.outer ? 'with' : 'without'}; was it taken from another machine?`,
    )
  if (outer && cpu.outer) restoreCache(cpu.outer, outer)
}
// #endregion cpu-snapshot
