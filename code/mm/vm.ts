// SPDX-License-Identifier: MIT
//
// What all of mm/ above the page allocator shares: the node and its pages, the CPU with its cache and RAM, the objects that
// pages belong to, the LRU lists, and the processes with their address spaces.
//
//     Vm ── mms[] ── MmStruct ── mmap[] ── VmArea ── vm_file ── File ── Inode ── i_mapping ── AddressSpace
//      │                └─ pgd: the page table, in modelled RAM         │
//      └─ mappings[] ── what struct page's `mapping` points to ─────────┴── AnonVma
//
// A function of mm/ that Linux gives no state takes the Vm first. All state hangs from the Vm; the functions in it
// (operations of files and VMAs, hooks) get the state handed in, so that a copy of the data is a copy of the machine.

// #region vm-imports
import type { Cpu } from '../arch/cpu.ts'
import type { Geometry, Pgtable } from '../arch/pgtable.ts'
import type { Printk } from '../lib/printk.ts'
import type { Trace } from '../lib/trace.ts'
import type { Pfn, VirtAddr } from '../lib/units.ts'
import type { Pgdat } from './mmzone.ts'
// #endregion vm-imports

// #region vm-state
/** The state of memory management. */
export interface Vm {
  readonly pgdat: Pgdat
  readonly cpu: Cpu
  readonly log: Printk
  readonly trace: Trace
  /** How the page tables of processes are built. */
  readonly geometry: Geometry
  /** What `MemMap.mapping` numbers: index 0 is nothing. */
  readonly mappings: (PageOwner | null)[]
  /** Head and tail of the LRU lists as pfn - start_pfn, -1 when empty; links are those of `MemMap`. */
  readonly lru: Record<LruList, { head: number; tail: number; count: number }>
  /** The processes that live, oldest first. */
  readonly mms: MmStruct[]
  /** The files that are open. */
  readonly files: File[]
  readonly hooks: VmHooks
  nextPid: number
  /** How often in a row kswapd freed nothing; after 16 times it sleeps until somebody else frees something. */
  kswapd_failures: number
  /** Whether the task that runs has been killed: long work stops with -EINTR. */
  fatalSignal?: boolean
  /** The steps of alloc_contig_range() and of migration by name, for whoever asks. */
  steps?: string[]
}

export type LruList = 'inactive_anon' | 'active_anon' | 'inactive_file' | 'active_file' | 'unevictable'
// #endregion vm-state

// #region vm-hooks
/** What this layer asks of those above it. */
export interface VmHooks {
  /** Moves pages to where they may stay long; 0, or a negative errno. For FOLL_LONGTERM; without it such a pin is -ENOMEM. */
  migrateLongterm?: (vm: Vm, pfns: readonly Pfn[]) => number
  /** Whether a process may map `pfn`; default yes. x86 forbids some because of L1TF. */
  pfn_modify_allowed?: (pfn: Pfn, prot: bigint) => boolean
  /** What happens elsewhere while a task waits for `pfn` to be unlocked or written. */
  whileWaiting?: (vm: Vm, pfn: Pfn) => void
}
// #endregion vm-hooks

// #region vm-owner
/**
 * Whose page it is: the anonymous memory of processes, or a file. rmap.ts and filemap.ts define the two; migration and
 * reclaim go through these functions alone. Page tables are not their business: those are found by rmap.ts.
 */
export interface PageOwner {
  readonly kind: 'anon' | 'file' | 'movable_ops'
  /** References that a page of this owner has when nobody holds it besides its owner and its page tables. */
  expectedRefs(pfn: Pfn): number
  /**
   * Puts `dst` where `src` was in the owner's own index (the page cache); page tables are rmap's business. Who calls it
   * moves the cache's reference and the fields of the two pages.
   */
  replace?(src: Pfn, dst: Pfn): void
  /** Takes the page out of the owner's index (a clean page that is dropped). Who calls it drops the cache's reference. */
  remove?(pfn: Pfn): void
  /** Writes the page back: 0, or -EIO. */
  writepage?(pfn: Pfn): number
  /** What its file system says to a move before the common way is taken: 0, or -EAGAIN, -EBUSY… */
  migrate_folio?(dst: Pfn, src: Pfn): number
  /** Whether its file system can move pages; false makes migration write dirty pages back or fail. */
  readonly canMigrate: boolean
  /** The VMAs that may map its pages: the way from a page to its page tables. */
  readonly vmas?: VmArea[]
}
// #endregion vm-owner

// #region vm-address-space
/** The pages of a file. @kernel include/linux/fs.h struct address_space v6.12 */
export interface AddressSpace extends PageOwner {
  readonly kind: 'file'
  /** Its number in `Vm.mappings`. */
  readonly id: number
  /** Length of the file in pages. */
  readonly nrpages: number
  /** The page cache: page offset → pfn. */
  readonly i_pages: Map<number, Pfn>
  /** The VMAs that map it, `i_mmap` in Linux. */
  readonly vmas: VmArea[]
  /** What the disk holds, by page offset; absent is zeros. Null for memory that no disk stands behind (shmem). */
  readonly disk: Map<number, Uint8Array> | null
}
// #endregion vm-address-space

// #region vm-mm-struct
/** The address space of a process. @kernel include/linux/mm_types.h struct mm_struct v6.12 */
export interface MmStruct {
  readonly pid: number
  readonly comm: string
  /** Its page table. */
  readonly pgd: Pgtable
  /** Its VMAs, lowest addresses first. */
  readonly mmap: VmArea[]
  /** Behind the last address that a program may use. */
  readonly task_size: VirtAddr
  /** Below this the search for free addresses begins, downwards. */
  readonly mmap_base: VirtAddr
  /** Whether anything of it was ever pinned: fork copies pinned pages then. */
  has_pinned: boolean
}
// #endregion vm-mm-struct

// #region vm-area
/** A range of addresses with the same rights and the same thing behind it. @kernel include/linux/mm_types.h struct vm_area_struct v6.12 */
export interface VmArea {
  vm_start: VirtAddr
  /** Behind the last byte. */
  vm_end: VirtAddr
  readonly vm_mm: MmStruct
  /** VM_* bits, see mmap_flags.ts. */
  vm_flags: number
  /** The bits that a pte of it gets besides the pfn. */
  vm_page_prot: bigint
  /** Page of the file at vm_start; for anonymous memory vm_start / page size; after remap_pfn_range() it may be a pfn. */
  vm_pgoff: number
  /** Holds a reference. */
  vm_file: File | null
  vm_ops: VmOperations | null
  /** For the driver. */
  vm_private_data: unknown
  /** The owner of its anonymous pages, as its number in `Vm.mappings`; 0 before the first. */
  anon_vma: number
}
// #endregion vm-area

// #region vm-operations
/** What a fault is about. @kernel include/linux/mm.h struct vm_fault v6.12 */
export interface VmFault {
  readonly vma: VmArea
  /** Rounded down to the page. */
  readonly address: VirtAddr
  /** Page offset in the file. */
  readonly pgoff: number
  readonly write: boolean
  /** The page that `fault` found, with a reference. */
  page: Pfn | null
}

/** What whoever made a VMA wants to know of it. @kernel include/linux/mm.h struct vm_operations_struct v6.12 */
export interface VmOperations {
  /** Another VMA of the same: fork, a split. Not called for the first (mmap itself is the news). */
  open?(vm: Vm, vma: VmArea): void
  close?(vm: Vm, vma: VmArea): void
  /** Brings the page: VM_FAULT_* bits, 0 with `vmf.page` set. */
  fault?(vm: Vm, vmf: VmFault): number
  /** Lets a shared page be written for the first time: VM_FAULT_* bits, 0 for yes. */
  page_mkwrite?(vm: Vm, vmf: VmFault): number
  /** Reads or writes (`write`) what a debugger asks for, where there is no page: bytes done, or a negative errno. */
  access?(vm: Vm, vma: VmArea, addr: VirtAddr, buf: Uint8Array, len: number, write: boolean): number
}
// #endregion vm-operations

// #region vm-file
/** A file that was opened; VMAs hold references to it. @kernel include/linux/fs.h struct file v6.12 */
export interface File {
  readonly f_inode: Inode
  /** FMODE_READ | FMODE_WRITE. */
  readonly f_mode: number
  /** References: the descriptor's, and one of each VMA. */
  f_count: number
  readonly f_op: FileOperations
  /** For the driver. */
  private_data: unknown
}

/** What is behind a name. @kernel include/linux/fs.h struct inode v6.12 */
export interface Inode {
  readonly name: string
  /** Its pages; null for a device. */
  readonly i_mapping: AddressSpace | null
  readonly i_fop: FileOperations
}

/** @kernel include/linux/fs.h struct file_operations v6.12 */
export interface FileOperations {
  /** 0 or a negative errno. Without it the file cannot be mapped: -ENODEV. */
  mmap?(vm: Vm, file: File, vma: VmArea): number
  /** After the last reference: the descriptor is closed and no VMA is left. */
  release?(vm: Vm, file: File): void
}
// #endregion vm-file

// #region vm-create
/** What createVm() cannot know. */
export interface VmParts {
  readonly pgdat: Pgdat
  readonly cpu: Cpu
  readonly log: Printk
  readonly trace: Trace
  readonly geometry: Geometry
}
// #endregion vm-create

// #region vm-create-vm
/** Memory management over a page allocator that stands: no process, no file. */
export function createVm(parts: VmParts): Vm {
  const empty = () => ({ head: -1, tail: -1, count: 0 })
  return {
    ...parts,
    mappings: [null],
    lru: {
      inactive_anon: empty(),
      active_anon: empty(),
      inactive_file: empty(),
      active_file: empty(),
      unevictable: empty(),
    },
    mms: [],
    files: [],
    hooks: {},
    nextPid: 100,
    kswapd_failures: 0,
  }
}
// #endregion vm-create-vm
