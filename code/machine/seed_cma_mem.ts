// SPDX-License-Identifier: MIT
//
// A driver as one finds it: /dev/cma_mem of 2014, for Linux 3.9 on a single-core ARM board. It worked there, for the one
// program that used it. What it decides is modelled here so that its mistakes can be seen, one by one:
//
//     one status for all       who maps gets the buffer that anybody allocated last
//     no bounds in mmap        any page of the machine, from the buffer on and round again
//     PAGE_SHARED              writable whatever the program asked for, and cached beside an uncached kernel address
//     nothing is freed         not by a command, not by close, not by rmmod
//     32 places, no check      the 33rd ALLOCATE writes behind the array, also when the 32 before failed
//     pointers and longs       the structure of driver and program are the same on a 32-bit machine only
//
// kernel/cma_mem does the same job without them; cma_mem.ts is its model.

// #region seed-cma-mem-imports
import { PAGE_SHARED } from '../arch/pgtable_prot.ts'
import type { Dma } from '../dma/dma_state.ts'
import { dma_alloc_wc } from '../dma/mapping.ts'
import { decodeStruct, layoutOf, type CLayout } from '../lib/c_layout.ts'
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from '../lib/errno.ts'
import { _IOW } from '../lib/ioctl.ts'
import { round_up, wrapPa, type DmaAddr, type VirtAddr } from '../lib/units.ts'
import { GFP_KERNEL } from '../mm/gfp.ts'
import { remap_pfn_range } from '../mm/memory_remap.ts'
import { VM_DONTDUMP, VM_DONTEXPAND, VM_IO } from '../mm/mmap_flags.ts'
import { copy_from_user } from '../mm/usercopy.ts'
import type { MmStruct, Vm, VmArea } from '../mm/vm.ts'
import type { MiscFops } from './misc.ts'
// #endregion seed-cma-mem-imports

// #region seed-cma-mem-abi
/** The structure as the driver declares it; programs declared the last five fields `unsigned long`. */
export const SEED_DRIVER_INFO = {
  name: 'pointer',
  is_cache: 'char',
  id: 'unsigned int',
  offset: 'unsigned int',
  len: 'unsigned int',
  phy_base: 'unsigned int',
  mem_base: 'unsigned int',
} as const

export const SEED_PROGRAM_INFO = {
  name: 'pointer',
  is_cache: 'char',
  id: 'unsigned long',
  offset: 'unsigned long',
  len: 'unsigned long',
  phy_base: 'unsigned long',
  mem_base: 'unsigned long',
} as const

/** Its commands 1 to 8, of which it carries out one. */
export const SEED_CMEM_ALLOCATE = _IOW('m', 5, 4)
// #endregion seed-cma-mem-abi

// #region seed-cma-mem-state
/** How many buffers it has places for. */
export const SEED_PLACES = 32

/** All that it knows: one of each, for all programs. */
export interface SeedCmaMem {
  readonly dma: Dma
  readonly layout: CLayout<typeof SEED_DRIVER_INFO>
  /** `HAVE_ALLOCED` since the first success, and for ever. */
  status: 'UNKNOW_STATUS' | 'HAVE_ALLOCED'
  /** How often ALLOCATE was called. */
  count: number
  /** The buffer that was allocated last, by whomever. */
  phy_base: DmaAddr
}

/** The module is loaded. */
export function loadSeedCmaMem(dma: Dma): SeedCmaMem {
  const layout = layoutOf(SEED_DRIVER_INFO, dma.arch === 'arm' ? 'ILP32' : 'LP64')
  return { dma, layout, status: 'UNKNOW_STATUS', count: 0, phy_base: 0 }
}
// #endregion seed-cma-mem-state

// #region seed-cma-mem-places
function behindTheArray(place: number): Error {
  return new Error(
    `cma_mem of 2014: ALLOCATE number ${place + 1} writes cma_info[${place}], expected an index below ` +
      `${SEED_PLACES}; the kernel's memory behind the array is overwritten`,
  )
}
// #endregion seed-cma-mem-places

// #region seed-cma-mem-ioctl
/**
 * Its ioctl. ALLOCATE: 0, or -EFAULT (`arg` cannot be read), -ENOMEM (the length is 0 in whole pages of 32 bits, or there
 * is no memory); nothing is copied back. Any other command: 0.
 * Throws at the 33rd ALLOCATE, where the driver writes behind its array.
 */
export function seedCmaMemIoctl(seed: SeedCmaMem, mm: MmStruct, cmd: number, arg: VirtAddr): number {
  if (cmd !== SEED_CMEM_ALLOCATE) return 0
  const { dma } = seed
  const place = seed.count++
  if (place >= SEED_PLACES) throw behindTheArray(place)
  const bytes = new Uint8Array(seed.layout.size)
  if (copy_from_user(dma.vm, mm, bytes, arg) !== 0) return -EFAULT
  // Rounded up in 32 bits: 0xfffff001 and above come out as 0.
  const size = round_up(decodeStruct(seed.layout, bytes).len, dma.pageSize) % 2 ** 32
  if (size === 0) return -ENOMEM
  const buffer = dma_alloc_wc(dma, null, size, GFP_KERNEL)
  if (!buffer) return -ENOMEM
  seed.phy_base = buffer.dma_handle
  seed.status = 'HAVE_ALLOCED'
  return 0
}
// #endregion seed-cma-mem-ioctl

// #region seed-cma-mem-mmap
/** Its mmap: 0, or -EINVAL before the first ALLOCATE that succeeded, -EAGAIN for whatever remap_pfn_range() refuses. */
export function seedCmaMemMmap(seed: SeedCmaMem, vm: Vm, vma: VmArea): number {
  const { pageSize, arch } = seed.dma
  if (seed.status !== 'HAVE_ALLOCED') return -EINVAL
  // An unsigned long: on a 32-bit machine an offset goes round the end of memory.
  const pos = wrapPa(seed.phy_base + vma.vm_pgoff * pageSize, arch === 'arm' ? 32 : 64)
  const pfn = Math.floor(pos / pageSize)
  const size = vma.vm_end - vma.vm_start
  if (remap_pfn_range(vm, vma, vma.vm_start, pfn, size, PAGE_SHARED(arch)) !== 0) return -EAGAIN
  vma.vm_flags &= ~VM_IO
  vma.vm_flags |= VM_DONTEXPAND | VM_DONTDUMP
  return 0
}

/** For misc_register(). It has no open and no release: nothing is of one file, and nothing is given back. */
export function seedCmaMemFops(seed: SeedCmaMem): MiscFops {
  return { owner: { name: 'cma_mem', refs: 0 }, mmap: (vm, _file, vma) => seedCmaMemMmap(seed, vm, vma) }
}
// #endregion seed-cma-mem-mmap
