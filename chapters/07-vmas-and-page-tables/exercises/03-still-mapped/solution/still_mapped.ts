// SPDX-License-Identifier: MIT
//
// A driver that must not free its buffer while a program has any of it mapped.

export const EBUSY = 16

export interface Vma {
  vm_ops: VmOps | null
  readonly vm_start: number
  readonly vm_end: number
}

export interface VmOps {
  /** Another VMA of the same: a split, a fork, a move. */
  open?(vm: unknown, vma: Vma): void
  /** A VMA ends. */
  close?(vm: unknown, vma: Vma): void
}

export interface Driver {
  /** f_op->mmap. `map()` is dma_mmap_coherent(): 0 or a negative errno. */
  mmap(vma: Vma, map: () => number): number
  /** The ioctl: 0 when the buffer may be freed, -EBUSY while it is mapped. */
  free(): number
}

export function createDriver(): Driver {
  let mappings = 0
  const vm_ops: VmOps = {
    open: () => {
      mappings++
    },
    close: () => {
      mappings--
    },
  }
  return {
    mmap(vma, map) {
      const rc = map()
      if (rc !== 0) return rc
      vma.vm_ops = vm_ops
      mappings++
      return 0
    },
    free: () => (mappings > 0 ? -EBUSY : 0),
  }
}
