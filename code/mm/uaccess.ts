// SPDX-License-Identifier: MIT
//
// A program reads and writes its memory: through its page table, with the memory type of the pte, and with a fault where
// the MMU does not let it. This is what arch/arm64/mm/fault.c and arch/arm/mm/fault.c do around handle_mm_fault().
//
//     userWrite(vm, mm, va, bytes) → null, or the signal that ends most programs
//        userAccess()  the MMU of the model ── fault ──▶ VMA? allowed? ──▶ handle_mm_fault() ──▶ again
//
// Leaves out: execution, stacks that grow, signal handlers: the caller gets the signal and goes on.

// #region uaccess-imports
import { cpuReadInto, cpuWrite } from '../arch/cpu.ts'
import type { MemoryType } from '../arch/memory_type.ts'
import { userAccess } from '../arch/mmu.ts'
import type { Bytes, PhysAddr, VirtAddr } from '../lib/units.ts'
import { handle_mm_fault } from './memory_fault.ts'
import { vma_lookup } from './mm_struct.ts'
import { VM_EXEC, VM_READ, VM_WRITE } from './mmap_flags.ts'
import { FAULT_FLAG_WRITE, VM_FAULT_OOM, VM_FAULT_SIGBUS, VM_FAULT_SIGSEGV } from './vm_fault.ts'
import type { MmStruct, Vm } from './vm.ts'
// #endregion uaccess-imports

// #region uaccess-signal
/**
 * What a program gets for an access that cannot be: SIGSEGV (no VMA, or it does not allow it), SIGBUS (a VMA, but nothing
 * behind that page), SIGKILL (no memory for the page; Linux lets the OOM killer choose and tries again).
 */
export type Signal = 'SIGSEGV' | 'SIGBUS' | 'SIGKILL'
// #endregion uaccess-signal

// #region uaccess-fault
/** A fault of a program: null when the access can be tried again, else its signal. @kernel arch/arm64/mm/fault.c do_page_fault() v6.12 */
export function do_page_fault(vm: Vm, mm: MmStruct, addr: VirtAddr, write: boolean): Signal | null {
  const vma = addr < mm.task_size ? vma_lookup(mm, addr) : null
  // Any right allows reading: neither architecture has pages that can be written and not read.
  const needed = write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC
  if (!vma || !(vma.vm_flags & needed)) return 'SIGSEGV'
  const fault = handle_mm_fault(vm, vma, addr, write ? FAULT_FLAG_WRITE : 0)
  if (fault & VM_FAULT_OOM) return 'SIGKILL'
  if (fault & VM_FAULT_SIGSEGV) return 'SIGSEGV'
  return fault & VM_FAULT_SIGBUS ? 'SIGBUS' : null
}
// #endregion uaccess-fault

// #region uaccess-translate
interface Place {
  readonly pa: PhysAddr
  readonly type: MemoryType
}

// A missing page, an old one, a clean one: so many faults can an access meet before it is done.
const MOST_FAULTS = 3

// Where an access goes, with as many faults as it takes.
function translate(vm: Vm, mm: MmStruct, va: VirtAddr, write: boolean): Place | Signal {
  const access = write ? 'store' : 'load'
  for (let faults = 0; va < mm.task_size && faults <= MOST_FAULTS; faults++) {
    const to = userAccess(vm.cpu, mm.pgd, va, access)
    if (to.fault === null) return to
    const signal = do_page_fault(vm, mm, va, write)
    if (signal) return signal
  }
  if (va >= mm.task_size) return 'SIGSEGV'
  throw new Error(
    `do_page_fault: a ${access} at 0x${va.toString(16)} of process ${mm.pid} faulted ${MOST_FAULTS + 1} times, ` +
      'expected a page after the first; does its fault handler map the page?',
  )
}
// #endregion uaccess-translate

// #region uaccess-read
/** Reads `n` bytes at `va` as the program would, or the signal that it gets. */
export function userRead(vm: Vm, mm: MmStruct, va: VirtAddr, n: Bytes): Uint8Array | Signal {
  const into = new Uint8Array(n)
  const signal = eachPage(vm, mm, va, n, false, (pa, done, bytes, type) => {
    cpuReadInto(vm.cpu, pa, into.subarray(done, done + bytes), type)
  })
  return signal ?? into
}

/** Writes `bytes` at `va` as the program would: null, or the signal that it gets; pages before the offending one are written. */
export function userWrite(vm: Vm, mm: MmStruct, va: VirtAddr, bytes: Uint8Array): Signal | null {
  return eachPage(vm, mm, va, bytes.length, true, (pa, done, n, type) => {
    cpuWrite(vm.cpu, pa, bytes.subarray(done, done + n), type)
  })
}
// #endregion uaccess-read

// #region uaccess-each-page
function eachPage(
  vm: Vm,
  mm: MmStruct,
  va: VirtAddr,
  length: Bytes,
  write: boolean,
  act: (pa: number, done: Bytes, n: Bytes, type: MemoryType) => void,
): Signal | null {
  const { pageSize } = vm.pgdat
  for (let done = 0; done < length;) {
    const n = Math.min(pageSize - ((va + done) % pageSize), length - done)
    const to = translate(vm, mm, va + done, write)
    if (typeof to === 'string') return to
    act(to.pa, done, n, to.type)
    done += n
  }
  return null
}
// #endregion uaccess-each-page
