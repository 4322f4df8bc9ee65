// SPDX-License-Identifier: MIT
//
// The descriptor that maps a page on arm64, bit by bit, and the protections made of those bits.
//
//     63    58 57 56 55 54  53  52   51  50     47                12  11 10 9 8  7    6    4-2      1 0
//              SP D  UXN PXN cont DBM        output address           nG AF SH  AP[2] AP[1] AttrIndx  1 1
//
//     AP[2] read-only   AP[1] user   AttrIndx memory type   DBM writable (software: PTE_WRITE)   D dirty (software)
//
// A page that may be written but is clean has DBM and AP[2]: hardware without dirty-bit management faults at the first
// store, hardware with it clears AP[2] itself.
//
// Bits and AttrIndx numbers are those of 6.1 and 6.12. Older kernels number the memory types otherwise (normal-nc 3 and
// normal 4 in 4.12), which shows in no behaviour.
// Leaves out: the contiguous bit, BTI, MTE, 52-bit addresses.

// #region pgtable-arm64-bits
export const PTE_VALID = 1n << 0n
export const PTE_TYPE_PAGE = 3n << 0n
/** AP[1]: programs may access it. */
export const PTE_USER = 1n << 6n
/** AP[2]: no stores. */
export const PTE_RDONLY = 1n << 7n
/** SH[1:0]: inner shareable. */
export const PTE_SHARED = 3n << 8n
/** Accessed; without it the first access faults. */
export const PTE_AF = 1n << 10n
/** Not global: belongs to one process. */
export const PTE_NG = 1n << 11n
/** DBM; Linux's own meaning is "may be written", which the hardware's agrees with. */
export const PTE_WRITE = 1n << 51n
export const PTE_PXN = 1n << 53n
export const PTE_UXN = 1n << 54n
/** Dirty, as software says. */
export const PTE_DIRTY = 1n << 55n
/** No struct page is to be used through this entry. */
export const PTE_SPECIAL = 1n << 56n
/** In an entry that is not valid: present all the same, as PROT_NONE is. */
export const PTE_PRESENT_INVALID = PTE_NG
// #endregion pgtable-arm64-bits

// #region pgtable-arm64-attrindx
export const PTE_ATTRINDX_MASK = 7n << 2n
/**
 * Index of MAIR_EL1, where the kernel keeps the five memory types.
 * @kernel arch/arm64/include/asm/memory.h MT_NORMAL v6.12
 */
export const MT_NORMAL = 0n
export const MT_NORMAL_NC = 2n
export const MT_DEVICE_nGnRnE = 3n
export const MT_DEVICE_nGnRE = 4n

/** AttrIndx in its place. @kernel arch/arm64/include/asm/pgtable-hwdef.h PTE_ATTRINDX() v6.12 */
export const PTE_ATTRINDX = (t: bigint): bigint => t << 2n
// #endregion pgtable-arm64-attrindx

// #region pgtable-arm64-protections
const PAGE_DEFAULT = PTE_TYPE_PAGE | PTE_AF | PTE_SHARED | PTE_ATTRINDX(MT_NORMAL)
const USER_CLEAN = PAGE_DEFAULT | PTE_USER | PTE_RDONLY | PTE_NG | PTE_PXN

/** The protections of arm64 by name. @kernel arch/arm64/include/asm/pgtable-prot.h v6.12 */
export const PROTECTIONS_ARM64 = {
  PAGE_NONE: (PAGE_DEFAULT & ~PTE_VALID) | PTE_PRESENT_INVALID | PTE_RDONLY | PTE_NG | PTE_PXN | PTE_UXN,
  PAGE_SHARED: USER_CLEAN | PTE_UXN | PTE_WRITE,
  PAGE_SHARED_EXEC: USER_CLEAN | PTE_WRITE,
  PAGE_COPY: USER_CLEAN | PTE_UXN,
  PAGE_COPY_EXEC: USER_CLEAN,
  PAGE_READONLY: USER_CLEAN | PTE_UXN,
  PAGE_READONLY_EXEC: USER_CLEAN,
  PAGE_KERNEL: PAGE_DEFAULT | PTE_PXN | PTE_UXN | PTE_WRITE | PTE_DIRTY,
} as const
// #endregion pgtable-arm64-protections
