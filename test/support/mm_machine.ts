// SPDX-License-Identifier: MIT
//
// A machine small enough for a test, of real parts: one zone, a CMA area at its end, programs with page tables.
//
//     pfn 0x40000           .cma.base_pfn
//     ├──── MOVABLE ────────┼──── CMA ────┤        watermarks are 0 unless a test sets them
import { createCpu } from '../../code/arch/cpu.ts'
import { GEOMETRIES, setPte, walk } from '../../code/arch/pgtable.ts'
import { pte_pfn, pte_present } from '../../code/arch/pgtable_pte.ts'
import { createRam } from '../../code/arch/ram.ts'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import { Printk } from '../../code/lib/printk.ts'
import { createTrace, type TraceValue } from '../../code/lib/trace.ts'
import type { Pfn, VirtAddr } from '../../code/lib/units.ts'
import { cma_init_reserved_areas } from '../../code/mm/cma_activate.ts'
import { cma_init_reserved_mem, type Cma, type CmaAreas } from '../../code/mm/cma_declare.ts'
import { createMemblock, memblock_add, memblock_reserve } from '../../code/mm/memblock.ts'
import { openFile } from '../../code/mm/file.ts'
import type { PageCache } from '../../code/mm/filemap.ts'
import { createFile, kernel_read, kernel_write } from '../../code/mm/filemap_fault.ts'
import { folio_isolate_lru } from '../../code/mm/lru.ts'
import { createPageList, list_add_tail, type PageList } from '../../code/mm/page_list.ts'
import { __GFP_NOWARN, GFP_HIGHUSER_MOVABLE } from '../../code/mm/gfp.ts'
import { createPgdat, memblock_free_all } from '../../code/mm/mm_init.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { NR_FREE_PAGES, type Zone } from '../../code/mm/mmzone.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import { createVm, type File, type MmStruct, type Vm } from '../../code/mm/vm.ts'
import { installReclaim } from '../../code/mm/vmscan.ts'

export const PAGE = 4096
const RAM_BASE = 0x4000_0000

export interface SmallMachine {
  readonly vm: Vm
  readonly cma: Cma
  /** The one that has all the memory. */
  readonly zone: Zone
}

export interface SmallMachineOptions {
  readonly kernel: KernelVersion
  readonly arch?: Arch
  /** Pages of RAM and, of those, of the area at its end: multiples of 1024. */
  readonly pages?: number
  readonly cmaPages?: number
}

/** A machine with a CMA area, reclaim and no process. */
export function smallMachine(options: SmallMachineOptions): SmallMachine {
  const { kernel, arch = 'arm64', pages = 4096, cmaPages = 1024 } = options
  const memblock = createMemblock()
  memblock_add(memblock, RAM_BASE, pages * PAGE)
  const base = RAM_BASE + (pages - cmaPages) * PAGE
  memblock_reserve(memblock, base, cmaPages * PAGE)
  const log = new Printk()
  const trace = createTrace()
  const areas: CmaAreas = {
    ...{
      kernel,
      memblock,
      log,
      minAlignment: 512 * PAGE,
      maxAreas: 8,
      highmemStart: RAM_BASE + pages * PAGE,
    },
    areas: [],
  }
  const cma = cma_init_reserved_mem(areas, base, cmaPages * PAGE, 0, 'reserved') as Cma
  const zones = [{ name: 'Normal', end: RAM_BASE + pages * PAGE } as const]
  const pgdat = createPgdat({
    ...{ kernel, arch, memblock, zones, maxOrder: 10, pageblock_order: 9, log, trace },
  })
  memblock_free_all(pgdat, memblock)
  const cpu = createCpu({ ram: createRam(), arch })
  const geometry = GEOMETRIES[arch === 'arm' ? 'arm' : 'arm64-4k-48']
  const vm = createVm({ pgdat, cpu, log, trace, geometry })
  cma_init_reserved_areas(vm, areas)
  installReclaim(vm)
  return { vm, cma, zone: pgdat.zones[0]! }
}

/** A process with private anonymous memory of `pages` pages, none of them there yet. */
export function processWith(vm: Vm, pages: number, comm = 'prog'): { mm: MmStruct; va: VirtAddr } {
  const mm = createProcess(vm, comm)
  return { mm, va: mapAnonymous(vm, mm, pages) }
}

export function mapAnonymous(vm: Vm, mm: MmStruct, pages: number): VirtAddr {
  const prot = PROT_READ | PROT_WRITE
  const va = do_mmap(vm, mm, { len: pages * PAGE, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS })
  // The page tables too, so that later the pages are all that is allocated.
  for (let page = 0; page < pages; page++) setPte(mm.pgd, va + page * PAGE, 0n)
  return va
}

/** Takes every free page there is; after each `release()` of one, that one is what the next who asks will get. */
export function takeAllPages({ vm: { pgdat } }: SmallMachine): {
  release: (pfn: Pfn) => void
  giveBack: () => void
} {
  const taken = new Set<Pfn>()
  const saved = { ...pgdat.hooks }
  // Nothing is to be reclaimed for it.
  Object.assign(pgdat.hooks, { reclaim: undefined, wakeKswapd: undefined, outOfMemory: undefined })
  for (let pfn; (pfn = __alloc_pages(pgdat, GFP_HIGHUSER_MOVABLE | __GFP_NOWARN, 0)) !== null;) taken.add(pfn)
  const release = (pfn: Pfn) => {
    if (!taken.delete(pfn)) throw new Error(`release: pfn 0x${pfn.toString(16)} was not taken`)
    __free_pages(pgdat, pfn, 0)
  }
  const giveBack = () => {
    for (const pfn of taken) __free_pages(pgdat, pfn, 0)
    taken.clear()
    Object.assign(pgdat.hooks, saved)
  }
  return { release, giveBack }
}

/** The page that a process has at an address, or null. */
export function pfnAt(vm: Vm, mm: MmStruct, va: VirtAddr): Pfn | null {
  const pte = walk(mm.pgd, va)?.pte ?? 0n
  return pte_present(vm.pgdat.arch, pte) ? pte_pfn(vm.geometry, pte) : null
}

/** What a test writes into a page, so that it knows it again: 16 bytes at its start and at its end. */
export function stamp(number: number): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes.fill(number % 251, 4)
}

export function writeStamp(vm: Vm, mm: MmStruct, va: VirtAddr, number: number): void {
  const signals = [0, PAGE - 16].map((offset) => userWrite(vm, mm, va + offset, stamp(number)))
  if (signals.some(Boolean)) throw new Error(`writeStamp: the program got ${signals.join(', ')}`)
}

/** The number that was written there; NaN when its start and its end are not the same. */
export function readStamp(vm: Vm, mm: MmStruct, va: VirtAddr): number {
  const [start, end] = [0, PAGE - 16].map((offset) => userRead(vm, mm, va + offset, 16))
  if (typeof start === 'string' || typeof end === 'string') return NaN
  const number = new DataView(start!.buffer).getUint32(0)
  return String(start) === String(end) && String(start) === String(stamp(number)) ? number : NaN
}

export const freePages = ({ zone }: SmallMachine): number => zone.vm_stat[NR_FREE_PAGES]!

/** A process whose `count` anonymous pages lie from `from` (default: the start of the area) on, in order, page i with stamp i + 1. */
export function fillArea(
  machine: SmallMachine,
  count: number,
  from: Pfn = machine.cma.base_pfn,
): { mm: MmStruct; va: VirtAddr } {
  const { vm } = machine
  const process = processWith(vm, count)
  const { release, giveBack } = takeAllPages(machine)
  for (let page = 0; page < count; page++) {
    release(from + page)
    writeStamp(vm, process.mm, process.va + page * PAGE, page + 1)
  }
  giveBack()
  return process
}

/** A file whose pages 0 to count - 1 are in memory, from `from` on: dirty with stamps, or read from a disk of stamps. */
export function cacheFile(
  machine: SmallMachine,
  count: number,
  from: Pfn,
  dirty: boolean,
): { file: File; cache: PageCache } {
  const { vm } = machine
  const inode = createFile(vm, 'file', count)
  const cache = inode.i_mapping as PageCache
  const file = openFile(vm, inode)
  for (let page = 0; page < count; page++) cache.disk!.set(page, new Uint8Array(PAGE).fill(page + 1))
  const { release, giveBack } = takeAllPages(machine)
  for (let page = 0; page < count; page++) {
    release(from + page)
    if (dirty) kernel_write(vm, file, stamp(page + 1), 16, page * PAGE)
    else kernel_read(vm, file, new Uint8Array(1), 1, page * PAGE)
  }
  giveBack()
  return { file, cache }
}

/** Isolated pages, in the order given. */
export function isolated(vm: Vm, ...pfns: Pfn[]): PageList {
  const list = createPageList()
  for (const pfn of pfns) {
    if (folio_isolate_lru(vm, pfn) !== 0)
      throw new Error(`isolated: pfn 0x${pfn.toString(16)} is on no LRU list`)
    list_add_tail(vm.pgdat.map, pfn, list)
  }
  return list
}

/** The events of one name, each as its fields. */
export function eventsOf(vm: Vm, name: string): Readonly<Record<string, TraceValue>>[] {
  return vm.trace.records.filter(({ event }) => event === name).map(({ fields }) => fields)
}

/** Index of a page in the columns of `MemMap`. */
export const atOf = (vm: Vm, pfn: Pfn): number => pfn - vm.pgdat.map.start_pfn
