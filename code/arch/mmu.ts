// SPDX-License-Identifier: MIT
//
// What the MMU does with an access of a program: a walk of the page tables, a check, and a fault when the entry does
// not allow it. On a fault the kernel runs (`handle_mm_fault()`), repairs the entry or not, and the access is tried
// again.
//
//     entry                      load     store
//     empty, swap, PROT_NONE     fault    fault
//     read-only                  ok       fault
//     writable, clean            ok       fault; with a dirty bit in hardware: it becomes dirty, and ok
//     writable, dirty            ok       ok
//     old                        fault    fault; with hardware management: becomes young
//
// Leaves out: execution, the TLB, the kernel's own accesses.

// #region mmu-imports
import type { PhysAddr, VirtAddr } from '../lib/units.ts'
import type { Cpu } from './cpu.ts'
import type { MemoryType } from './memory_type.ts'
import { hardwarePte, PTE_EXT_APX } from './pgtable_arm.ts'
import { PTE_AF, PTE_RDONLY, PTE_USER, PTE_VALID, PTE_WRITE } from './pgtable_arm64.ts'
import { memoryTypeOf } from './pgtable_prot.ts'
import { pte_pfn, pte_user } from './pgtable_pte.ts'
import type { Pgtable } from './pgtable.ts'
import { walk, writePteAt } from './pgtable.ts'
// #endregion mmu-imports

// #region mmu-types
/** Where an access goes, or why it does not. */
export type Translation =
  { readonly fault: null; readonly pa: PhysAddr; readonly type: MemoryType } | { readonly fault: MmuFault }

/** No entry; an entry that was never accessed; an entry that does not allow it. */
export type MmuFault = 'translation' | 'access-flag' | 'permission'
// #endregion mmu-types

// #region mmu-access
/** A program's load or store at `va`, any address of the process. It may change the entry (`Cpu.hwDirtyBit`). */
export function userAccess(cpu: Cpu, pgt: Pgtable, va: VirtAddr, access: 'load' | 'store'): Translation {
  const { geometry } = pgt
  const offset = va % geometry.pageSize
  const found = walk(pgt, va - offset)
  if (found === null) return { fault: 'translation' }
  const fault = cpu.arch === 'arm64' ? checkArm64(cpu, pgt, found, access) : checkArm(found.pte, access)
  if (fault !== null) return { fault }
  const pa = pte_pfn(geometry, found.pte) * geometry.pageSize + offset
  return { fault: null, pa, type: memoryTypeOf(cpu.arch, found.pte) }
}
// #endregion mmu-access

// #region mmu-check
function checkArm64(
  cpu: Cpu,
  pgt: Pgtable,
  { pte, pteAddr }: { pte: bigint; pteAddr: PhysAddr },
  access: 'load' | 'store',
): MmuFault | null {
  if ((pte & PTE_VALID) === 0n) return 'translation'
  if ((pte & PTE_AF) === 0n && !cpu.hwDirtyBit) return 'access-flag'
  if ((pte & PTE_USER) === 0n) return 'permission'
  let updated = pte | PTE_AF
  if (access === 'store' && (pte & PTE_RDONLY) !== 0n) {
    if (!cpu.hwDirtyBit || (pte & PTE_WRITE) === 0n) return 'permission'
    updated &= ~PTE_RDONLY
  }
  if (updated !== pte) writePteAt(pgt, pteAddr, updated)
  return null
}

function checkArm(pte: bigint, access: 'load' | 'store'): MmuFault | null {
  const hw = hardwarePte(pte)
  if (hw === 0n) return 'translation'
  if (!pte_user('arm', pte)) return 'permission'
  return access === 'store' && (hw & PTE_EXT_APX) !== 0n ? 'permission' : null
}
// #endregion mmu-check
