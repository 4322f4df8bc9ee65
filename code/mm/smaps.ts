// SPDX-License-Identifier: MIT
//
// What /proc says of a process's memory, the part of fs/proc/task_mmu.c: its VMAs as text, its pages as a table; and what
// /proc cannot say: whose memory type disagrees with the kernel's.
//
//     /proc/<pid>/maps       fff7a000-fff7d000 rw-s 00000000 00:00 0      /dev/cma_mem
//     /proc/<pid>/smaps      VmFlags: rd wr sh mr mw me ms pf io de dd
//     /proc/<pid>/pagemap    va → pfn
//
// Leaves out: device and inode numbers, the sizes that smaps counts (Rss, Pss, …), soft-dirty.

// #region smaps-imports
import { ptesIn } from '../arch/pgtable.ts'
import { memoryTypeOf } from '../arch/pgtable_prot.ts'
import { pte_pfn, pte_present, pte_write } from '../arch/pgtable_pte.ts'
import { isAliasMismatch, type MemoryType } from '../arch/memory_type.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import { vm_normal_page } from './memory.ts'
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from './mmap_flags.ts'
import type { MmStruct, Vm, VmArea } from './vm.ts'
// #endregion smaps-imports

// #region smaps-maps
/**
 * The line of a VMA in /proc/<pid>/maps.
 * @kernel fs/proc/task_mmu.c show_map_vma() v6.12
 * @omits device and inode number: `00:00 0`
 */
export function show_map_vma(vm: Vm, vma: VmArea): string {
  const { vm_start, vm_end, vm_flags, vm_file, vm_pgoff } = vma
  const hex = (value: number) => value.toString(16).padStart(8, '0')
  const may = (flag: number, letter: string, not = '-') => (vm_flags & flag ? letter : not)
  const rights = may(VM_READ, 'r') + may(VM_WRITE, 'w') + may(VM_EXEC, 'x') + may(VM_MAYSHARE, 's', 'p')
  const offset = vm_file ? vm_pgoff * vm.pgdat.pageSize : 0
  const line = `${hex(vm_start)}-${hex(vm_end)} ${rights} ${hex(offset)} 00:00 0 `
  if (!vm_file) return line
  // seq_pad(): 25 characters and six for each byte of a pointer.
  return line.padEnd(vm.pgdat.arch === 'arm' ? 49 : 73) + vm_file.f_inode.name
}
// #endregion smaps-maps

// #region smaps-flags
/** By bit, from VM_READ on; what is `??` here no modelled VMA has. @kernel fs/proc/task_mmu.c show_smap_vma_flags() v6.12 */
const MNEMONICS =
  'rd wr ex sh mr mw me ms ?? ?? pf ?? ?? lo io sr rr dc de ?? ac nr ?? ?? ?? ?? dd ?? mm ?? ?? ??'.split(' ')

/**
 * The VmFlags line of a VMA in /proc/<pid>/smaps; every flag is followed by a space. Empty for 3.5, which has no such line.
 * @kernel fs/proc/task_mmu.c show_smap_vma_flags() v6.12
 */
export function show_smap_vma_flags(vm: Vm, vma: VmArea): string {
  if (vm.pgdat.kernel === '3.5') return ''
  const set = MNEMONICS.filter((_, bit) => (vma.vm_flags >>> bit) & 1)
  return 'VmFlags: ' + set.map((letters) => `${letters} `).join('')
}
// #endregion smaps-flags

// #region smaps-pagemap
/** A page of a process. */
export interface PagemapEntry {
  readonly va: VirtAddr
  /** Null while the page is being migrated. */
  readonly pfn: Pfn | null
  readonly writable: boolean
  readonly type: MemoryType
  /** Whether it is a bare pfn, of which nobody counts the references. */
  readonly bare: boolean
}

/** The pages of a process, by address. */
export function pagemap(vm: Vm, mm: MmStruct): PagemapEntry[] {
  const { arch } = vm.pgdat
  return mm.mmap.flatMap((vma) =>
    [...ptesIn(mm.pgd, vma.vm_start, vma.vm_end)].map(({ va, pte }) => {
      if (!pte_present(arch, pte)) return { va, pfn: null, writable: false, type: 'normal', bare: false }
      return {
        ...{ va, pfn: pte_pfn(vm.geometry, pte), writable: pte_write(arch, pte) },
        ...{ type: memoryTypeOf(arch, pte), bare: vm_normal_page(vm, vma, va, pte) === null },
      }
    }),
  )
}
// #endregion smaps-pagemap

// #region smaps-alias
/** A mapping of a page whose memory type disagrees with another's. */
export interface AliasMismatch {
  readonly pid: number
  readonly va: VirtAddr
  readonly user: MemoryType
  readonly kernel: MemoryType
}

/**
 * The mappings of page `pfn` in all processes that do not look into the caches where the kernel's mapping, of type
 * `kernel`, does, or the other way round: through one of the two a write may be lost. Linux never looks (MC-8.6).
 * @cost the pages of all processes
 */
export function aliasMismatches(vm: Vm, pfn: Pfn, kernel: MemoryType): AliasMismatch[] {
  return vm.mms.flatMap((mm) =>
    pagemap(vm, mm)
      .filter((entry) => entry.pfn === pfn && isAliasMismatch(entry.type, kernel))
      .map(({ va, type }) => ({ pid: mm.pid, va, user: type, kernel })),
  )
}
// #endregion smaps-alias
