// SPDX-License-Identifier: MIT
//
// Entries of arm64 as plain numbers, for those who change thousands of them at a time: migration.
//
//     63 ........ 48 47 ........................ 12 11 ........ 0
//       attributes              address                attributes
//       └──────────────────── attr, 28 bits ──────────────────┘
//
// A bigint is an object: to take an entry apart and put it together again costs half a microsecond, as much as copying the
// page that it maps. What attributes mean is still said by pgtable_pte.ts, which is asked once for each combination.

// #region pgtable-parts-imports
import type { Pfn, PhysAddr } from '../lib/units.ts'
import type { Pgtable } from './pgtable.ts'
import {
  pte_dirty,
  pte_mkdirty,
  pte_mkwrite,
  pte_present,
  pte_write,
  pte_wrprotect,
  type Pte,
} from './pgtable_pte.ts'
import {
  swp_entry_to_pte,
  make_readable_migration_entry,
  make_writable_migration_entry,
} from './pgtable_swap.ts'
import { wordIndex, wordsAt } from './ram.ts'
// #endregion pgtable-parts-imports

// #region pgtable-parts-attr
function attrOf(pte: Pte): number {
  return Number(((pte >> 48n) << 12n) | (pte & 0xfffn))
}

// A migration entry is its pfn in bits 12 and up, whatever the page size, and one of these below.
const READABLE_ENTRY = attrOf(swp_entry_to_pte('arm64', make_readable_migration_entry(0)))
const WRITABLE_ENTRY = attrOf(swp_entry_to_pte('arm64', make_writable_migration_entry(0)))
// #endregion pgtable-parts-attr

// #region pgtable-parts-traits
/** It mapped the page; and it was dirty. */
export const WAS_MAPPED = 1
export const WAS_DIRTY = 2
const WAS_WRITABLE = 4

// WAS_* bits by attributes; 0 for what is not present.
const traits = new Map<number, number>()

function traitsOf(attr: number): number {
  const known = traits.get(attr)
  if (known !== undefined) return known
  const pte = (BigInt(attr >>> 12) << 48n) | BigInt(attr & 0xfff)
  let bits = 0
  if (pte_present('arm64', pte)) {
    bits =
      WAS_MAPPED | (pte_dirty('arm64', pte) ? WAS_DIRTY : 0) | (pte_write('arm64', pte) ? WAS_WRITABLE : 0)
  }
  traits.set(attr, bits)
  return bits
}
// #endregion pgtable-parts-traits

// #region pgtable-parts-unmap
/** Puts a migration entry at `pteAddr` if a pte of `pfn` is there: WAS_MAPPED, with WAS_DIRTY if it was; else 0. */
export function toMigrationEntry({ ram, geometry }: Pgtable, pteAddr: PhysAddr, pfn: Pfn): number {
  const words = wordsAt(ram, pteAddr)
  const at = wordIndex(pteAddr)
  const low = words[at]!
  const high = words[at + 1]!
  const field = pfn * (geometry.pageSize / 4096)
  if (low >>> 12 !== (field & 0xfffff) || (high & 0xffff) !== Math.floor(field / 2 ** 20)) return 0
  const bits = traitsOf(((high >>> 16) << 12) | (low & 0xfff))
  if (bits === 0) return 0
  words[at] = (pfn << 12) | (bits & WAS_WRITABLE ? WRITABLE_ENTRY : READABLE_ENTRY)
  words[at + 1] = Math.floor(pfn / 2 ** 20)
  return bits
}
// #endregion pgtable-parts-unmap

// #region pgtable-parts-map
/** Puts a pte of `dst` at `pteAddr` if a migration entry of `src` is there: whether it was. */
export function fromMigrationEntry(
  { ram, geometry }: Pgtable,
  pteAddr: PhysAddr,
  src: Pfn,
  dst: Pfn,
  prot: Pte,
  dirty: boolean,
): boolean {
  const words = wordsAt(ram, pteAddr)
  const at = wordIndex(pteAddr)
  const low = words[at]!
  const kind = low & 0xfff
  if (low >>> 12 !== (src & 0xfffff) || words[at + 1] !== Math.floor(src / 2 ** 20)) return false
  if (kind !== WRITABLE_ENTRY && kind !== READABLE_ENTRY) return false
  const attr = mappedAttr(prot, dirty, kind === WRITABLE_ENTRY)
  const field = dst * (geometry.pageSize / 4096)
  words[at] = (field << 12) | (attr & 0xfff)
  words[at + 1] = ((attr >>> 12) << 16) | Math.floor(field / 2 ** 20)
  return true
}
// #endregion pgtable-parts-map

// #region pgtable-parts-last
// The pages of a VMA get the same attributes again and again.
let last = { prot: 0n, dirty: false, writable: false, attr: 0 }

function mappedAttr(prot: Pte, dirty: boolean, writable: boolean): number {
  if (last.dirty === dirty && last.writable === writable && last.prot === prot) return last.attr
  const marked = dirty ? pte_mkdirty('arm64', prot) : prot
  const pte = writable ? pte_mkwrite('arm64', marked) : pte_wrprotect('arm64', marked)
  last = { prot, dirty, writable, attr: attrOf(pte) }
  return last.attr
}
// #endregion pgtable-parts-last
