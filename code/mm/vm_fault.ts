// SPDX-License-Identifier: MIT
//
// What a page fault can come to, as the bits of vm_fault_t.

// #region vm-fault
/** @kernel include/linux/mm_types.h enum vm_fault_reason v6.12 */
export const VM_FAULT_OOM = 0x1
export const VM_FAULT_SIGBUS = 0x2
export const VM_FAULT_SIGSEGV = 0x40
/** The handler wrote the pte itself. */
export const VM_FAULT_NOPAGE = 0x100
export const VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV
// #endregion vm-fault

// #region vm-fault-flags
/** What the fault is about. @kernel include/linux/mm_types.h enum fault_flag v6.12 */
export const FAULT_FLAG_WRITE = 0x1
/** 6.x: a copy of one's own is wanted without writing, for a pin. */
export const FAULT_FLAG_UNSHARE = 0x400
// #endregion vm-fault-flags
