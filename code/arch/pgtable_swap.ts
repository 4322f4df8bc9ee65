// SPDX-License-Identifier: MIT
//
// Entries that map nothing and still say something: where a page went. While a page moves, each entry that mapped it
// holds a migration entry with its pfn; a program that touches it waits for the move.
//
//     arm64   61 ................ 12 11 ........ 6 .. 1 0        arm   31 ........ 8 7 6 ........ 2 1 0
//             offset                 type          0 0                 offset        type         0 0
//
// Leaves out: swap devices (there is none), young and dirty in a migration entry, hardware poison, markers.

// #region pgtable-swap-imports
import type { Arch } from '../lib/kernel_version.ts'
import type { Pfn } from '../lib/units.ts'
import type { Pte } from './pgtable_pte.ts'
import { pte_none, pte_present } from './pgtable_pte.ts'
// #endregion pgtable-swap-imports

// #region pgtable-swap-entry
/** `swp_entry_t`, taken apart. */
export interface SwpEntry {
  /** 5 bits. */
  readonly type: number
  /** Of a migration entry the pfn. */
  readonly offset: number
}

const SWP_MIGRATION_READ = 28
const SWP_MIGRATION_WRITE = 30

/** Where type and offset start, by architecture. */
const SHIFTS = { arm64: { type: 6n, offset: 12n }, arm: { type: 2n, offset: 8n } } as const

/** An entry that holds `entry`. @kernel include/linux/swapops.h swp_entry_to_pte() v6.12 */
export function swp_entry_to_pte(arch: Arch, entry: SwpEntry): Pte {
  const { type, offset } = SHIFTS[arch]
  return (BigInt(entry.type) << type) | (BigInt(entry.offset) << offset)
}
// #endregion pgtable-swap-entry

// #region pgtable-swap-read
/** What an entry holds that is not present. @kernel include/linux/swapops.h pte_to_swp_entry() v6.12 */
export function pte_to_swp_entry(arch: Arch, pte: Pte): SwpEntry {
  const { type, offset } = SHIFTS[arch]
  return { type: Number((pte >> type) & 31n), offset: Number(pte >> offset) }
}

/** Whether an entry is neither empty nor present. @kernel include/linux/swapops.h is_swap_pte() v6.12 */
export function is_swap_pte(arch: Arch, pte: Pte): boolean {
  return !pte_none(pte) && !pte_present(arch, pte)
}
// #endregion pgtable-swap-read

// #region pgtable-swap-migration
/** A page that moves and was mapped read-only. @kernel include/linux/swapops.h make_readable_migration_entry() v6.12 */
export function make_readable_migration_entry(offset: Pfn): SwpEntry {
  return { type: SWP_MIGRATION_READ, offset }
}

/** A page that moves and was writable. @kernel include/linux/swapops.h make_writable_migration_entry() v6.12 */
export function make_writable_migration_entry(offset: Pfn): SwpEntry {
  return { type: SWP_MIGRATION_WRITE, offset }
}

/** @kernel include/linux/swapops.h is_migration_entry() v6.12 */
export function is_migration_entry({ type }: SwpEntry): boolean {
  return type === SWP_MIGRATION_READ || type === SWP_MIGRATION_WRITE
}

/** @kernel include/linux/swapops.h is_writable_migration_entry() v6.12 */
export function is_writable_migration_entry({ type }: SwpEntry): boolean {
  return type === SWP_MIGRATION_WRITE
}

/** The page that moves. @kernel include/linux/swapops.h swp_offset_pfn() v6.12 */
export function swp_offset_pfn({ offset }: SwpEntry): Pfn {
  return offset
}
// #endregion pgtable-swap-migration
