// SPDX-License-Identifier: MIT
//
// A page table entry (`pte_t`), read and changed as Linux does: present, writable, dirty, young. An entry of 0 maps
// nothing; one that is neither 0 nor present is a note to the kernel (pgtable_swap.ts).
//
// Dirty on arm64 is two things: a bit of software, and a writable entry whose read-only bit is off.

// #region pgtable-pte-imports
import type { Arch } from '../lib/kernel_version.ts'
import type { Bytes, Pfn } from '../lib/units.ts'
import {
  L_PTE_DIRTY,
  L_PTE_NONE,
  L_PTE_PRESENT,
  L_PTE_RDONLY,
  L_PTE_USER,
  L_PTE_XN,
  L_PTE_YOUNG,
} from './pgtable_arm.ts'
import {
  PTE_AF,
  PTE_ATTRINDX_MASK,
  PTE_DIRTY,
  PTE_PRESENT_INVALID,
  PTE_PXN,
  PTE_RDONLY,
  PTE_SPECIAL,
  PTE_USER,
  PTE_UXN,
  PTE_VALID,
  PTE_WRITE,
} from './pgtable_arm64.ts'
import type { Pgprot } from './pgtable_prot.ts'
// #endregion pgtable-pte-imports

// #region pgtable-pte-pfn
/** `pte_t`: a word of Linux's table, 64 bits on arm64, 32 on arm. */
export type Pte = bigint

/** What an address in an entry looks like. A `Geometry` is one. */
export interface PteFormat {
  readonly arch: Arch
  readonly pageSize: Bytes
}

// The address bits of an entry.
const ADDRESS_ARM64 = (1n << 48n) - 1n
const ADDRESS_ARM = 0xffff_f000n

/** The entry that maps page `pfn` with `prot`. @kernel arch/arm64/include/asm/pgtable.h pfn_pte() v6.12 */
export function pfn_pte({ pageSize }: PteFormat, pfn: Pfn, prot: Pgprot): Pte {
  return BigInt(pfn * pageSize) | prot
}

/** The page that a present entry maps. @kernel arch/arm64/include/asm/pgtable.h pte_pfn() v6.12 */
export function pte_pfn({ arch, pageSize }: PteFormat, pte: Pte): Pfn {
  return Math.floor(Number(pte & (arch === 'arm64' ? ADDRESS_ARM64 : ADDRESS_ARM)) / pageSize)
}
// #endregion pgtable-pte-pfn

// #region pgtable-pte-questions
const has = (pte: Pte, bit: bigint): boolean => (pte & bit) !== 0n

/** Whether the entry says nothing at all. @kernel arch/arm64/include/asm/pgtable.h pte_none() v6.12 */
export function pte_none(pte: Pte): boolean {
  return pte === 0n
}

/**
 * Whether it maps a page, be it one that nobody may access (PROT_NONE).
 * @kernel arch/arm64/include/asm/pgtable.h pte_present() v6.12
 */
export function pte_present(arch: Arch, pte: Pte): boolean {
  return arch === 'arm64' ? has(pte, PTE_VALID) || has(pte, PTE_PRESENT_INVALID) : has(pte, L_PTE_PRESENT)
}

/** Whether stores are allowed, clean or dirty. @kernel arch/arm64/include/asm/pgtable.h pte_write() v6.12 */
export function pte_write(arch: Arch, pte: Pte): boolean {
  return arch === 'arm64' ? has(pte, PTE_WRITE) : !has(pte, L_PTE_RDONLY)
}

/** Whether it was written to. @kernel arch/arm64/include/asm/pgtable.h pte_dirty() v6.12 */
export function pte_dirty(arch: Arch, pte: Pte): boolean {
  if (arch === 'arm') return has(pte, L_PTE_DIRTY)
  return has(pte, PTE_DIRTY) || (has(pte, PTE_WRITE) && !has(pte, PTE_RDONLY))
}
// #endregion pgtable-pte-questions

// #region pgtable-pte-more-questions
/** Whether it was accessed. @kernel arch/arm64/include/asm/pgtable.h pte_young() v6.12 */
export function pte_young(arch: Arch, pte: Pte): boolean {
  return has(pte, arch === 'arm64' ? PTE_AF : L_PTE_YOUNG)
}

/**
 * Whether no struct page belongs to it. arm has no such bit: always false.
 * @kernel arch/arm64/include/asm/pgtable.h pte_special() v6.12
 */
export function pte_special(arch: Arch, pte: Pte): boolean {
  return arch === 'arm64' && has(pte, PTE_SPECIAL)
}

/** Whether programs may access it. @kernel arch/arm64/include/asm/pgtable.h pte_user() v6.12 */
export function pte_user(arch: Arch, pte: Pte): boolean {
  return has(pte, arch === 'arm64' ? PTE_USER : L_PTE_USER)
}
// #endregion pgtable-pte-more-questions

// #region pgtable-pte-write
/** Allows stores; at once if it is dirty. @kernel arch/arm64/include/asm/pgtable.h pte_mkwrite() v6.1 */
export function pte_mkwrite(arch: Arch, pte: Pte): Pte {
  if (arch === 'arm') return pte & ~L_PTE_RDONLY
  const written = pte | PTE_WRITE
  return has(pte, PTE_DIRTY) ? written & ~PTE_RDONLY : written
}

/** Forbids stores; that it was dirty is kept. @kernel arch/arm64/include/asm/pgtable.h pte_wrprotect() v6.12 */
export function pte_wrprotect(arch: Arch, pte: Pte): Pte {
  if (arch === 'arm') return pte | L_PTE_RDONLY
  const kept = pte_dirty(arch, pte) ? pte | PTE_DIRTY : pte
  return (kept & ~PTE_WRITE) | PTE_RDONLY
}
// #endregion pgtable-pte-write

// #region pgtable-pte-dirty
/** Written to. @kernel arch/arm64/include/asm/pgtable.h pte_mkdirty() v6.12 */
export function pte_mkdirty(arch: Arch, pte: Pte): Pte {
  if (arch === 'arm') return pte | L_PTE_DIRTY
  const dirty = pte | PTE_DIRTY
  return has(pte, PTE_WRITE) ? dirty & ~PTE_RDONLY : dirty
}

/**
 * Not written to since: the next store has to be noticed.
 * @kernel arch/arm64/include/asm/pgtable.h pte_mkclean() v6.12
 */
export function pte_mkclean(arch: Arch, pte: Pte): Pte {
  return arch === 'arm' ? pte & ~L_PTE_DIRTY : (pte & ~PTE_DIRTY) | PTE_RDONLY
}
// #endregion pgtable-pte-dirty

// #region pgtable-pte-age
/** Accessed. @kernel arch/arm64/include/asm/pgtable.h pte_mkyoung() v6.12 */
export function pte_mkyoung(arch: Arch, pte: Pte): Pte {
  return pte | (arch === 'arm64' ? PTE_AF : L_PTE_YOUNG)
}

/** Not accessed since: on arm the next access faults. @kernel arch/arm64/include/asm/pgtable.h pte_mkold() v6.12 */
export function pte_mkold(arch: Arch, pte: Pte): Pte {
  return pte & ~(arch === 'arm64' ? PTE_AF : L_PTE_YOUNG)
}

/**
 * No struct page is to be used through it; arm has no bit for that.
 * @kernel arch/arm64/include/asm/pgtable.h pte_mkspecial() v6.12
 */
export function pte_mkspecial(arch: Arch, pte: Pte): Pte {
  return arch === 'arm64' ? pte | PTE_SPECIAL : pte
}
// #endregion pgtable-pte-age

// #region pgtable-pte-modify
const MODIFIED_ARM64 =
  PTE_USER | PTE_PXN | PTE_UXN | PTE_RDONLY | PTE_PRESENT_INVALID | PTE_VALID | PTE_WRITE | PTE_ATTRINDX_MASK
const MODIFIED_ARM = L_PTE_XN | L_PTE_RDONLY | L_PTE_USER | L_PTE_NONE

/**
 * The same page, as dirty and as old as it was, with other rights.
 * @kernel arch/arm64/include/asm/pgtable.h pte_modify() v6.12
 */
export function pte_modify(arch: Arch, pte: Pte, newprot: Pgprot): Pte {
  if (arch === 'arm') return (pte & ~MODIFIED_ARM) | (newprot & MODIFIED_ARM)
  const kept = pte_dirty(arch, pte) ? pte | PTE_DIRTY : pte
  const changed = (kept & ~MODIFIED_ARM64) | (newprot & MODIFIED_ARM64)
  return has(changed, PTE_DIRTY) ? pte_mkdirty(arch, changed) : changed
}
// #endregion pgtable-pte-modify
