// SPDX-License-Identifier: MIT
//
// Page protections (`pgprot_t`): the bits of a page table entry other than the address. A mapping is made of three
// choices, who may do what, which memory type, and whose page it is.
//
//     vm_get_page_prot(arch, vma.vm_flags)          who may do what, cacheable
//     pgprot_dmacoherent(arch, prot)                the same for a buffer of a device that does not snoop
//     pfn_pte(geometry, pfn, prot)                  with an address: an entry (pgtable_pte.ts)
//
// In a header of Linux these are macros of one architecture; here the architecture comes first.

// #region pgtable-prot-imports
import type { Arch } from '../lib/kernel_version.ts'
import type { MemoryType } from './memory_type.ts'
import {
  L_PTE_MT_BUFFERABLE,
  L_PTE_DIRTY,
  L_PTE_MT_DEV_SHARED,
  L_PTE_MT_DEV_WC,
  L_PTE_MT_MASK,
  L_PTE_MT_UNCACHED,
  L_PTE_MT_WRITETHROUGH,
  L_PTE_SHARED,
  L_PTE_XN,
  PROTECTIONS_ARM,
} from './pgtable_arm.ts'
import {
  MT_DEVICE_nGnRE,
  MT_DEVICE_nGnRnE,
  MT_NORMAL_NC,
  PROTECTIONS_ARM64,
  PTE_ATTRINDX,
  PTE_ATTRINDX_MASK,
  PTE_PXN,
  PTE_UXN,
} from './pgtable_arm64.ts'
// #endregion pgtable-prot-imports

// #region pgtable-prot-names
/** `pgprot_t`: 64 bits on arm64, 32 on arm. */
export type Pgprot = bigint

const named =
  (name: keyof typeof PROTECTIONS_ARM64) =>
  (arch: Arch): Pgprot =>
    arch === 'arm64' ? PROTECTIONS_ARM64[name] : PROTECTIONS_ARM[name]

export const PAGE_NONE = named('PAGE_NONE')
/** Shared and writable, clean at first. */
export const PAGE_SHARED = named('PAGE_SHARED')
export const PAGE_SHARED_EXEC = named('PAGE_SHARED_EXEC')
/** Private and writable: read-only until the first store has made a copy. */
export const PAGE_COPY = named('PAGE_COPY')
export const PAGE_COPY_EXEC = named('PAGE_COPY_EXEC')
export const PAGE_READONLY = named('PAGE_READONLY')
export const PAGE_READONLY_EXEC = named('PAGE_READONLY_EXEC')
export const PAGE_KERNEL = named('PAGE_KERNEL')
// #endregion pgtable-prot-names

// #region pgtable-prot-vm-flags
/** By the lowest four bits of `vm_flags`: VM_READ 1, VM_WRITE 2, VM_EXEC 4, VM_SHARED 8. */
const PROTECTION_MAP = [
  PAGE_NONE,
  PAGE_READONLY,
  PAGE_COPY,
  PAGE_COPY,
  PAGE_READONLY_EXEC,
  PAGE_READONLY_EXEC,
  PAGE_COPY_EXEC,
  PAGE_COPY_EXEC,
  PAGE_NONE,
  PAGE_READONLY,
  PAGE_SHARED,
  PAGE_SHARED,
  PAGE_READONLY_EXEC,
  PAGE_READONLY_EXEC,
  PAGE_SHARED_EXEC,
  PAGE_SHARED_EXEC,
] as const
// #endregion pgtable-prot-vm-flags

// #region pgtable-prot-vm-get
/**
 * The protection that the flags of a vma ask for. A private mapping never gets a writable one: its first store has to
 * fault.
 * @kernel arch/arm64/mm/mmap.c vm_get_page_prot() v6.12
 * @omits execute-only (enhanced PAN), BTI, MTE and protection keys
 */
export function vm_get_page_prot(arch: Arch, vm_flags: number): Pgprot {
  return PROTECTION_MAP[vm_flags % 16]!(arch)
}
// #endregion pgtable-prot-vm-get

// #region pgtable-prot-modify
const onArm64 = (prot: Pgprot, type: bigint): Pgprot =>
  (prot & ~PTE_ATTRINDX_MASK) | PTE_ATTRINDX(type) | PTE_PXN | PTE_UXN
const onArm = (prot: Pgprot, bits: bigint): Pgprot => (prot & ~L_PTE_MT_MASK) | bits

/**
 * Not cacheable, writes may be gathered: normal-nc on both.
 * @kernel arch/arm64/include/asm/pgtable.h pgprot_writecombine() v6.12
 */
export function pgprot_writecombine(arch: Arch, prot: Pgprot): Pgprot {
  return arch === 'arm64' ? onArm64(prot, MT_NORMAL_NC) : onArm(prot, L_PTE_MT_BUFFERABLE)
}

/**
 * For what `dma_alloc_coherent()` gives. On arm64 the same as write-combined; on arm never executable besides, and
 * strongly ordered when CONFIG_ARM_DMA_MEM_BUFFERABLE is off (`bufferable` false; ARMv7 has it on).
 * @kernel arch/arm64/include/asm/pgtable.h pgprot_dmacoherent() v6.12
 */
export function pgprot_dmacoherent(arch: Arch, prot: Pgprot, bufferable = true): Pgprot {
  if (arch === 'arm64') return onArm64(prot, MT_NORMAL_NC)
  return onArm(prot, (bufferable ? L_PTE_MT_BUFFERABLE : L_PTE_MT_UNCACHED) | L_PTE_XN)
}
// #endregion pgtable-prot-modify

// #region pgtable-prot-registers
/**
 * For registers that bear no early acknowledgement; wrong for memory, where an unaligned access would fault.
 * @kernel arch/arm64/include/asm/pgtable.h pgprot_noncached() v6.12
 */
export function pgprot_noncached(arch: Arch, prot: Pgprot): Pgprot {
  return arch === 'arm64' ? onArm64(prot, MT_DEVICE_nGnRnE) : onArm(prot, L_PTE_MT_UNCACHED)
}

/** For registers, as `ioremap()` maps them. @kernel arch/arm64/include/asm/pgtable.h pgprot_device() v6.12 */
export function pgprot_device(arch: Arch, prot: Pgprot): Pgprot {
  if (arch === 'arm64') return onArm64(prot, MT_DEVICE_nGnRE)
  return onArm(prot, L_PTE_MT_DEV_SHARED | L_PTE_SHARED | L_PTE_DIRTY | L_PTE_XN)
}
// #endregion pgtable-prot-registers

// #region pgtable-prot-memory-type
/**
 * The memory type of a protection or of a present entry.
 * @kernel arch/arm64/include/asm/memory.h MT_NORMAL v6.12
 * @kernel arch/arm/mm/proc-v7-2level.S PRRR, NMRR v6.12
 */
export function memoryTypeOf(arch: Arch, pte: bigint): MemoryType {
  if (arch === 'arm64') {
    const index = (pte & PTE_ATTRINDX_MASK) >> 2n
    if (index === MT_NORMAL_NC) return 'normal-nc'
    if (index === MT_DEVICE_nGnRnE) return 'device-nGnRnE'
    return index === MT_DEVICE_nGnRE ? 'device-nGnRE' : 'normal'
  }
  const type = pte & L_PTE_MT_MASK
  if (type === L_PTE_MT_UNCACHED) return 'device-nGnRnE'
  if (type === L_PTE_MT_BUFFERABLE || type === L_PTE_MT_DEV_WC) return 'normal-nc'
  if (type === L_PTE_MT_WRITETHROUGH) return 'normal-wt'
  return type === L_PTE_MT_DEV_SHARED ? 'device-nGnRE' : 'normal'
}
// #endregion pgtable-prot-memory-type
