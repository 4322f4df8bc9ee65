// SPDX-License-Identifier: MIT
//
// The page table entries of arm with two levels. Linux keeps two words for each page: one of its own, since the
// hardware has no accessed and no dirty bit, and one for the MMU, which is computed from it.
//
//     Linux     31          12  11   10     9  8    7      6     5-2         1     0
//               address         NONE SHARED XN USER RDONLY DIRTY memory type YOUNG PRESENT
//     hardware  31          12  11   10     9   8-6    5-4  3 2   1 0
//               address         nG   S      APX TEX    AP   C B   1 XN
//
// A page that is writable but clean is read-only for the hardware: the first store faults, and Linux sets DIRTY.
// Bits as on ARMv7 with several CPUs: memory is shared and write-allocate.
// Leaves out: LPAE, sections, domains, CPUs before v6.

// #region pgtable-arm-bits
export const L_PTE_PRESENT = 1n << 0n
export const L_PTE_YOUNG = 1n << 1n
export const L_PTE_DIRTY = 1n << 6n
export const L_PTE_RDONLY = 1n << 7n
export const L_PTE_USER = 1n << 8n
export const L_PTE_XN = 1n << 9n
export const L_PTE_SHARED = 1n << 10n
/** PROT_NONE: present for Linux, a fault for the MMU. */
export const L_PTE_NONE = 1n << 11n
// #endregion pgtable-arm-bits

// #region pgtable-arm-memory-types
export const L_PTE_MT_MASK = 0xfn << 2n
/** Strongly ordered. */
export const L_PTE_MT_UNCACHED = 0x0n << 2n
/** Normal, not cacheable. */
export const L_PTE_MT_BUFFERABLE = 0x1n << 2n
export const L_PTE_MT_WRITETHROUGH = 0x2n << 2n
export const L_PTE_MT_DEV_SHARED = 0x4n << 2n
export const L_PTE_MT_WRITEALLOC = 0x7n << 2n
/** Normal, not cacheable, for `ioremap_wc()`. */
export const L_PTE_MT_DEV_WC = 0x9n << 2n
// #endregion pgtable-arm-memory-types

// #region pgtable-arm-protections
const MEMORY = L_PTE_MT_WRITEALLOC | L_PTE_SHARED
const USER = L_PTE_PRESENT | L_PTE_YOUNG | MEMORY | L_PTE_USER

/** The protections of arm by name, on ARMv7 SMP. @kernel arch/arm/include/asm/pgtable.h v6.12 */
export const PROTECTIONS_ARM = {
  PAGE_NONE: L_PTE_PRESENT | L_PTE_YOUNG | MEMORY | L_PTE_XN | L_PTE_RDONLY | L_PTE_NONE,
  PAGE_SHARED: USER | L_PTE_XN,
  PAGE_SHARED_EXEC: USER,
  PAGE_COPY: USER | L_PTE_RDONLY | L_PTE_XN,
  PAGE_COPY_EXEC: USER | L_PTE_RDONLY,
  PAGE_READONLY: USER | L_PTE_RDONLY | L_PTE_XN,
  PAGE_READONLY_EXEC: USER | L_PTE_RDONLY,
  PAGE_KERNEL: L_PTE_PRESENT | L_PTE_YOUNG | L_PTE_DIRTY | MEMORY | L_PTE_XN,
} as const
// #endregion pgtable-arm-protections

// #region pgtable-arm-hardware
const PTE_TYPE_SMALL = 2n << 0n
const PTE_EXT_XN = 1n << 0n
const PTE_EXT_AP0 = 1n << 4n
const PTE_EXT_AP1 = 1n << 5n
const PTE_EXT_TEX0 = 1n << 6n
/** In the hardware's word: no stores. */
export const PTE_EXT_APX = 1n << 9n
const PTE_EXT_NG = 1n << 11n

/**
 * The hardware's word for a word of Linux: 0, a fault, unless it is present, young and not PROT_NONE; read-only
 * unless it is both writable and dirty.
 * @kernel arch/arm/mm/proc-v7-2level.S cpu_v7_set_pte_ext() v6.12
 */
export function hardwarePte(pte: bigint): bigint {
  if ((pte & L_PTE_PRESENT) === 0n || (pte & L_PTE_YOUNG) === 0n || (pte & L_PTE_NONE) !== 0n) return 0n
  let hw = (pte & ~0x3f3n) | PTE_EXT_AP0 | PTE_TYPE_SMALL
  if ((pte & (1n << 4n)) !== 0n) hw |= PTE_EXT_TEX0
  if ((pte & L_PTE_RDONLY) !== 0n || (pte & L_PTE_DIRTY) === 0n) hw |= PTE_EXT_APX
  if ((pte & L_PTE_USER) !== 0n) hw |= PTE_EXT_AP1 | PTE_EXT_NG
  if ((pte & L_PTE_XN) !== 0n) hw |= PTE_EXT_XN
  return hw
}
// #endregion pgtable-arm-hardware
