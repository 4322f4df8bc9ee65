// SPDX-License-Identifier: MIT
//
// The page tables of a process: a tree of pages in modelled RAM, from a virtual address to an entry.
//
//     arm64, 4 KiB, 48 bits     level 0 (PGD)   1 (PUD)   2 (PMD)   3 (PTE)   512 entries of 8 bytes each
//     arm, 4 KiB, 32 bits       PGD, 2048 × 8 bytes  →  a page: 512 entries of Linux, and behind them 512 for the MMU
//
// Protocol: createPgtable(); setPte() makes the tables that are missing; walk() finds an entry; freeTablesIn() gives back
// those of addresses that nothing uses any more, freeTables() all at the end. The root is taken with the first entry.
// Leaves out: mappings larger than a page, the TLB (every access walks).

// #region pgtable-imports
import { ENOMEM } from '../lib/errno.ts'
import type { Arch } from '../lib/kernel_version.ts'
import type { Bytes, PhysAddr, VirtAddr } from '../lib/units.ts'
import { hardwarePte } from './pgtable_arm.ts'
import type { Pte } from './pgtable_pte.ts'
import type { Ram } from './ram.ts'
import { fillBytes, read32, read64, write32, write64 } from './ram.ts'
// #endregion pgtable-imports

// #region pgtable-geometry
/** How a virtual address is cut into indices. */
export interface Geometry {
  readonly arch: Arch
  readonly pageSize: Bytes
  /** Bits of a virtual address of a process. */
  readonly vaBits: number
  /** From the root down: bytes of address that an entry stands for, and entries of a table. */
  readonly levels: readonly { readonly span: Bytes; readonly entries: number }[]
  /** Bytes of an entry, by level: the last are those of a pte. */
  readonly entryBytes: number
  /** Pages of the root as a power of two: the root of arm has four. */
  readonly rootOrder: number
}
// #endregion pgtable-geometry

// #region pgtable-geometries
const KNOWN_GEOMETRIES = {
  'arm64-4k-39': arm64(4096, 39),
  'arm64-4k-48': arm64(4096, 48),
  'arm64-16k-47': arm64(16384, 47),
  'arm64-16k-48': arm64(16384, 48),
  arm: {
    arch: 'arm',
    pageSize: 4096,
    vaBits: 32,
    levels: [
      { span: 2 ** 21, entries: 2048 },
      { span: 4096, entries: 512 },
    ],
    entryBytes: 4,
    rootOrder: 2,
  },
} as const satisfies Record<string, Geometry>

export type GeometryName = keyof typeof KNOWN_GEOMETRIES
/** The geometries there are, by name. */
export const GEOMETRIES: Readonly<Record<GeometryName, Geometry>> = KNOWN_GEOMETRIES
// #endregion pgtable-geometries

// #region pgtable-geometry-arm64
// A table is a page, and an entry has eight bytes: each level resolves log2(pageSize) - 3 bits.
function arm64(pageSize: Bytes, vaBits: number): Geometry {
  const perTable = pageSize / 8
  const levels: { span: Bytes; entries: number }[] = []
  for (let span = pageSize; span < 2 ** vaBits; span *= perTable)
    levels.unshift({ span, entries: Math.min(perTable, 2 ** vaBits / span) })
  return { arch: 'arm64', pageSize, vaBits, levels, entryBytes: 8, rootOrder: 0 }
}
// #endregion pgtable-geometry-arm64

// #region pgtable-state
/** The page tables of one process. */
export interface Pgtable {
  readonly geometry: Geometry
  readonly ram: Ram
  /** Takes `2^order` pages for a table; null when there are none. `order` is 0 but for the root of arm. */
  readonly allocTable: (order: number) => PhysAddr | null
  readonly freeTable: (pa: PhysAddr, order: number) => void
  /** The root, or null as long as nothing was mapped. */
  root: PhysAddr | null
  /** Tables in use, the root among them. */
  tables: number
  /**
   * The table of ptes that was found last, and the number of its range of addresses, -1 for none: MMUs remember it too.
   * Whoever frees tables forgets it.
   */
  recent: PhysAddr
  recentRange: number
}

/** Tables that map nothing yet. */
export function createPgtable(
  options: Pick<Pgtable, 'geometry' | 'ram' | 'allocTable' | 'freeTable'>,
): Pgtable {
  const { geometry, ram, allocTable, freeTable } = options
  return { geometry, ram, allocTable, freeTable, root: null, tables: 0, recent: 0, recentRange: -1 }
}
// #endregion pgtable-state

// #region pgtable-location
/** An entry and where it lies. */
export interface PteLocation {
  readonly pte: Pte
  /** Of the entry, in modelled RAM. */
  readonly pteAddr: PhysAddr
  /** Levels are counted as the hardware of arm64 does: 3 holds ptes. On arm it is 2. */
  readonly level: number
}
// #endregion pgtable-location

// #region pgtable-descriptors
/** Type of an entry that points to a table. */
const TABLE_ARM64 = 3
const TABLE_ARM = 1
/** In a page of arm: where the words for the MMU start. */
const HARDWARE_OFFSET = 2048

// The table that the entry at `at` points to, or null.
function nextTable({ geometry, ram }: Pgtable, at: PhysAddr): PhysAddr | null {
  const low = read32(ram, at)
  if (low === 0) return null
  if (geometry.arch === 'arm') return low - (low % 4096)
  return (read32(ram, at + 4) % 65536) * 2 ** 32 + low - (low % geometry.pageSize)
}

// Makes the entry at `at` point to `table`. arm has two entries for the two MiB of a page of ptes, into its second
// half.
function pointTo({ geometry, ram }: Pgtable, at: PhysAddr, table: PhysAddr): void {
  if (geometry.arch === 'arm64') return write64(ram, at, BigInt(table) + BigInt(TABLE_ARM64))
  write32(ram, at, table + HARDWARE_OFFSET + TABLE_ARM)
  write32(ram, at + 4, table + HARDWARE_OFFSET + 1024 + TABLE_ARM)
}
// #endregion pgtable-descriptors

// #region pgtable-indices
// Where the entry for `va` lies in a table of `level`.
function entryAt(geometry: Geometry, level: number, table: PhysAddr, va: VirtAddr): PhysAddr {
  const { span, entries } = geometry.levels[level]!
  const last = level === geometry.levels.length - 1
  const bytes = last ? geometry.entryBytes : 8
  // The low bits of the number are the index: entries are a power of two.
  return table + (Math.floor(va / span) & (entries - 1)) * bytes
}

function assertVa(name: string, { vaBits, pageSize }: Geometry, va: VirtAddr): void {
  if (va >= 0 && va < 2 ** vaBits && va % pageSize === 0) return
  throw new Error(
    `${name}: got address 0x${va.toString(16)}, expected a multiple of ${pageSize} below 2^${vaBits}; ` +
      'was a kernel address given, or an offset not rounded down?',
  )
}
// #endregion pgtable-indices

// #region pgtable-walk
// The table of ptes for `va`, or null.
function pteTable(pgt: Pgtable, va: VirtAddr): PhysAddr | null {
  const { levels } = pgt.geometry
  const last = levels.length - 1
  const range = Math.floor(va / levels[last - 1]!.span)
  if (range === pgt.recentRange) return pgt.recent
  let table = pgt.root
  for (let level = 0; table !== null && level < last; level++)
    table = nextTable(pgt, entryAt(pgt.geometry, level, table, va))
  if (table !== null) {
    pgt.recent = table
    pgt.recentRange = range
  }
  return table
}
// #endregion pgtable-walk

// #region pgtable-write
function readPte({ geometry, ram }: Pgtable, at: PhysAddr): Pte {
  return geometry.arch === 'arm64' ? read64(ram, at) : BigInt(read32(ram, at))
}

/**
 * Stores an entry where `walk()` found it; on arm the word for the MMU too.
 * @kernel arch/arm/mm/proc-v7-2level.S cpu_v7_set_pte_ext() v6.12
 */
export function writePteAt({ geometry, ram }: Pgtable, pteAddr: PhysAddr, pte: Pte): void {
  if (geometry.arch === 'arm64') return write64(ram, pteAddr, pte)
  write32(ram, pteAddr, Number(pte))
  write32(ram, pteAddr + HARDWARE_OFFSET, Number(hardwarePte(pte)))
}
// #endregion pgtable-write

// #region pgtable-walk-entry
/** Where the entry for `va` lies in modelled RAM, or -1 when there is no table for it. */
export function pteAddrOf(pgt: Pgtable, va: VirtAddr): PhysAddr {
  const table = pteTable(pgt, va)
  return table === null ? -1 : entryAt(pgt.geometry, pgt.geometry.levels.length - 1, table, va)
}

/** The entry for `va`, a multiple of the page size: null when there is no table for it, and an entry may be 0. */
export function walk(pgt: Pgtable, va: VirtAddr): PteLocation | null {
  const { geometry } = pgt
  assertVa('walk', geometry, va)
  const table = pteTable(pgt, va)
  if (table === null) return null
  const pteAddr = entryAt(geometry, geometry.levels.length - 1, table, va)
  return { pte: readPte(pgt, pteAddr), pteAddr, level: geometry.arch === 'arm64' ? 3 : 2 }
}
// #endregion pgtable-walk-entry

// #region pgtable-set
function newTable(pgt: Pgtable, order: number): PhysAddr | null {
  const table = pgt.allocTable(order)
  if (table === null) return null
  fillBytes(pgt.ram, table, pgt.geometry.pageSize * 2 ** order, 0)
  pgt.tables++
  return table
}
// #endregion pgtable-set

// #region pgtable-set-entry
/**
 * Stores an entry for `va`, a multiple of the page size, and makes the tables that are missing. 0, or -ENOMEM when
 * there is no page for a table; those made before stay, as in Linux.
 */
export function setPte(pgt: Pgtable, va: VirtAddr, pte: Pte): number {
  const { geometry } = pgt
  assertVa('setPte', geometry, va)
  pgt.root ??= newTable(pgt, geometry.rootOrder)
  let table = pgt.root
  const last = geometry.levels.length - 1
  for (let level = 0; table !== null && level < last; level++) {
    const at = entryAt(geometry, level, table, va)
    let next = nextTable(pgt, at)
    if (next === null) {
      next = newTable(pgt, 0)
      if (next !== null) pointTo(pgt, at, next)
    }
    table = next
  }
  if (table === null) return -ENOMEM
  writePteAt(pgt, entryAt(geometry, last, table, va), pte)
  return 0
}
// #endregion pgtable-set-entry

// #region pgtable-clear
/** Empties the entry for `va` and returns what it was; 0 where there was none. */
export function clearPte(pgt: Pgtable, va: VirtAddr): Pte {
  const found = walk(pgt, va)
  if (found === null || found.pte === 0n) return 0n
  writePteAt(pgt, found.pteAddr, 0n)
  return found.pte
}
// #endregion pgtable-clear

// #region pgtable-range
/** An entry that is not 0, and the page that it is for. */
export interface MappedPte {
  readonly va: VirtAddr
  readonly pte: Pte
  readonly pteAddr: PhysAddr
}

/** The entries in `[start, end)` that are not 0, by address. Where there is no table, it is skipped at once. */
export function* ptesIn(pgt: Pgtable, start: VirtAddr, end: VirtAddr): Generator<MappedPte> {
  const { geometry } = pgt
  const { pageSize, levels, entryBytes } = geometry
  const { entries } = levels[levels.length - 1]!
  const tableSpan = entries * pageSize
  for (let va = start - (start % pageSize); va < end;) {
    const tableEnd = Math.min(va - (va % tableSpan) + tableSpan, end)
    const table = pteTable(pgt, va)
    if (table !== null) {
      let pteAddr = entryAt(geometry, levels.length - 1, table, va)
      for (; va < tableEnd; va += pageSize, pteAddr += entryBytes) {
        const pte = readPte(pgt, pteAddr)
        if (pte !== 0n) yield { va, pte, pteAddr }
      }
    }
    va = tableEnd
  }
}
// #endregion pgtable-range

// #region pgtable-free-level
function freeLevel(pgt: Pgtable, table: PhysAddr, level: number): void {
  const { levels, rootOrder } = pgt.geometry
  if (level < levels.length - 1)
    for (let i = 0; i < levels[level]!.entries; i++) {
      const next = nextTable(pgt, table + i * 8)
      if (next !== null) freeLevel(pgt, next, level + 1)
    }
  pgt.tables--
  pgt.freeTable(table, level === 0 ? rootOrder : 0)
}
// #endregion pgtable-free-level

// #region pgtable-free-range
/**
 * Gives back the tables below the root that serve addresses of `[floor, ceiling)` alone, where nothing is mapped any more:
 * where the VMA below ends and the one above begins. A table that reaches further stays.
 * @kernel mm/memory.c free_pgd_range() v6.12
 */
export function freeTablesIn(pgt: Pgtable, floor: VirtAddr, ceiling: VirtAddr): void {
  pgt.recentRange = -1
  if (pgt.root !== null) freeBetween(pgt, pgt.root, 0, 0, floor, ceiling)
}

// `base` is the first address that `table` serves.
function freeBetween(
  pgt: Pgtable,
  table: PhysAddr,
  level: number,
  base: VirtAddr,
  floor: VirtAddr,
  ceiling: VirtAddr,
): void {
  const { levels } = pgt.geometry
  if (level === levels.length - 1) return
  const { span, entries } = levels[level]!
  const behind = Math.min(entries, Math.ceil((ceiling - base) / span))
  for (let i = Math.max(0, Math.floor((floor - base) / span)); i < behind; i++) {
    const at = table + i * 8
    const start = base + i * span
    const next = nextTable(pgt, at)
    if (next === null) continue
    if (start < floor || start + span > ceiling) freeBetween(pgt, next, level + 1, start, floor, ceiling)
    else {
      // On arm these are both entries.
      write64(pgt.ram, at, 0n)
      freeLevel(pgt, next, level + 1)
    }
  }
}
// #endregion pgtable-free-range

// #region pgtable-free
/** Gives back all tables; entries that still map something are forgotten. */
export function freeTables(pgt: Pgtable): void {
  if (pgt.root === null) return
  freeLevel(pgt, pgt.root, 0)
  pgt.root = null
  pgt.recentRange = -1
}
// #endregion pgtable-free
