// SPDX-License-Identifier: MIT
//
// What a machine goes through in the laws, beside a naive reference that knows what everybody must find: a number for each
// page, whoever sees it and wherever it lies. All of it is plain data, so that a snapshot takes it along.
import { translate } from '../../code/arch/kernel_map.ts'
import { cpuRead, cpuWrite } from '../../code/arch/cpu.ts'
import { walk } from '../../code/arch/pgtable.ts'
import { pte_pfn, pte_present } from '../../code/arch/pgtable_pte.ts'
import { dma_to_phys } from '../../code/dma/dma_address.ts'
import type { Pfn, PhysAddr, VirtAddr } from '../../code/lib/units.ts'
import { openFile } from '../../code/mm/file.ts'
import { createFile } from '../../code/mm/filemap_fault.ts'
import { vm_normal_page } from '../../code/mm/memory.ts'
import { createProcess, vma_lookup } from '../../code/mm/mm_struct.ts'
import { folio_test_anon } from '../../code/mm/rmap.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { DmaBuffer } from '../../code/dma/dma_state.ts'
import type { File, Inode, MmStruct } from '../../code/mm/vm.ts'
import { bootLaws, PAGE, type LawDevice, type LawMachine, type LawSystem } from './laws_machines.ts'

/** Processes map memory in this window, so that mappings meet. */
export const BASE: VirtAddr = 0x1000_0000
export const WINDOW = 40
export const FILE_PAGES = 24

/** The number in a page, seen by however many. */
export interface Cell {
  value: number
}

/** What a process has at a page: private pages of a file show the file until they are written. */
export interface Seen {
  readonly cell: Cell
  readonly private: boolean
  readonly ofFile: boolean
  /** A buffer that the kernel maps with another memory type: nobody promises anything. */
  readonly deaf: boolean
}

export interface Process {
  readonly mm: MmStruct
  readonly seen: Map<number, Seen>
}

/** A block of the page allocator, held by nobody in particular. */
export interface Raw {
  readonly pfn: Pfn
  readonly order: number
  readonly value: number
}

/** Pages of a CMA area. */
export interface Taken {
  readonly area: number
  readonly pfn: Pfn
  readonly count: number
  readonly value: number
}

/** A DMA buffer; `vmas` counts its mappings as its driver would. */
export interface Buffer {
  readonly device: number
  readonly pages: number
  readonly attrs: number
  readonly buffer: DmaBuffer
  readonly cells: Cell[]
  vmas: number
}

export interface Pin {
  readonly pfn: Pfn
  readonly long: boolean
}

export interface World extends LawSystem {
  readonly processes: Process[]
  readonly inode: Inode
  readonly file: File
  readonly fileCells: Cell[]
  readonly raw: Raw[]
  readonly taken: Taken[]
  readonly buffers: Buffer[]
  readonly pins: Pin[]
  /** Numbers that are written: each only once. */
  nextValue: number
  /** How often something went its way, by name: a law about what never happens says nothing. */
  readonly events: Record<string, number>
  /** 3.5 does not come back from where it was: nothing more can be said of the machine. */
  stuck: boolean
}

export function createWorld(machine: LawMachine, layout: number): World {
  const laws = bootLaws(machine, layout)
  const { vm } = laws.system
  const inode = createFile(vm, 'data', FILE_PAGES)
  return {
    ...laws,
    processes: [{ mm: createProcess(vm, 'init'), seen: new Map() }],
    inode,
    file: openFile(vm, inode),
    fileCells: Array.from({ length: FILE_PAGES }, () => ({ value: 0 })),
    ...{ raw: [], taken: [], buffers: [], pins: [] },
    nextValue: 1,
    events: {},
    stuck: false,
  }
}

/** Which process a number means. */
export const processOf = (world: World, a: number): Process => world.processes[a % world.processes.length]!

export function happened({ events }: World, event: string, times = 1): void {
  events[event] = (events[event] ?? 0) + times
}

/** Throws an error of the laws when `truth` is false. */
export function law(truth: boolean, text: () => string): void {
  if (!truth) throw new Error(`law broken: ${text()}`)
}

export const hex = (n: number): string => `0x${n.toString(16)}`

// A page holds its number twice at its start and twice at its end, so that half a copy shows.
const stampBytes = new Uint8Array(8)
const stampWords = new DataView(stampBytes.buffer)

export function stamp(value: number): Uint8Array {
  stampWords.setUint32(0, value)
  stampWords.setUint32(4, value === 0 ? 0 : 0xffff_ffff - value)
  return stampBytes
}

/** The number in 8 bytes; NaN when they hold none. */
export function stamped(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
  const value = view.getUint32(0)
  return view.getUint32(4) === (value === 0 ? 0 : 0xffff_ffff - value) ? value : NaN
}

export const ENDS = [0, PAGE - 8] as const

/** Marks a page by its physical address, as the kernel would through its linear map. */
export function markPage({ system }: World, pa: PhysAddr, value: number): void {
  for (const at of ENDS) cpuWrite(system.vm.cpu, pa + at, stamp(value), 'normal')
}

export function mustBeMarked({ system }: World, pa: PhysAddr, value: number, who: string): void {
  for (const at of ENDS) {
    const found = stamped(cpuRead(system.vm.cpu, pa + at, 8, 'normal'))
    law(found === value, () => `${who}: ${hex(pa + at)} holds ${found}, expected ${value}`)
  }
}

export const vaOf = (page: number): VirtAddr => BASE + page * PAGE

/** Reads a page as its process does; without memory for it there is nothing to compare. */
export function checkSeen(world: World, { mm, seen }: Process, page: number): void {
  const { vm } = world.system
  const expected = seen.get(page)
  if (expected?.deaf) return
  for (const at of ENDS) {
    const got = userRead(vm, mm, vaOf(page) + at, 8)
    if (typeof got === 'string') {
      law(
        expected ? got === 'SIGKILL' : got === 'SIGSEGV',
        () => `process ${mm.pid} got ${got} at page ${page}`,
      )
      if (expected) happened(world, 'read without memory')
      continue
    }
    const found = stamped(got)
    const value = expected?.cell.value
    law(found === value, () => `process ${mm.pid} reads ${found} at page ${page}+${at}, wrote ${value}`)
  }
}

/** The process writes the next number; a private page is its own then. */
export function writeSeen(world: World, process: Process, page: number): void {
  const { vm } = world.system
  const { mm, seen } = process
  const before = seen.get(page)
  if (before?.deaf) return
  const value = world.nextValue++
  for (const at of ENDS) {
    const signal = userWrite(vm, mm, vaOf(page) + at, stamp(value))
    const fine = before ? signal === null || (signal === 'SIGKILL' && at === 0) : signal === 'SIGSEGV'
    law(fine, () => `process ${mm.pid} got ${signal} for a write at page ${page}`)
    if (signal !== null) {
      if (before) happened(world, 'write without memory')
      return settle(world, process, page)
    }
  }
  settle(world, process, page)
  const after = seen.get(page)!
  law(
    !(after.private && after.ofFile),
    () => `process ${mm.pid} wrote page ${page}, and it is still the file's`,
  )
  after.cell.value = value
}

/** The page that a process has at a page of the window, or null: none, or no page of the page allocator. */
export function pageAt({ system: { vm } }: World, { mm }: Process, page: number): Pfn | null {
  const va = vaOf(page)
  const vma = vma_lookup(mm, va)
  const pte = walk(mm.pgd, va)?.pte ?? 0n
  return vma && pte_present(vm.pgdat.arch, pte) ? vm_normal_page(vm, vma, va, pte) : null
}

/** After a fault for writing: a private page of a file that was copied is the process's own from now on. */
export function settle(world: World, process: Process, page: number): void {
  const before = process.seen.get(page)
  if (!before?.ofFile || !before.private) return
  const pfn = pageAt(world, process, page)
  if (pfn === null || !folio_test_anon(world.system.vm, pfn)) return
  process.seen.set(page, { ...before, cell: { value: before.cell.value }, ofFile: false })
}

/** Where the device finds page `page` of a buffer, as a physical address. */
export function physOf({ system: { dma }, devices }: World, { device, buffer }: Buffer, page = 0): PhysAddr {
  return dma_to_phys(dma.kernel, devices[device]!.dev, buffer.dma_handle) + page * PAGE
}

/** The physical address behind the kernel's own. */
export function kernelPhysOf({ system: { dma } }: World, { buffer }: Buffer, page = 0): PhysAddr {
  return translate(dma.kernelMap, buffer.cpu_addr + page * PAGE).pa
}

export function deviceOf({ devices }: World, buffer: Buffer): LawDevice {
  return devices[buffer.device]!
}

/** The pfn in a pte, whatever it maps. */
export const pfnIn = ({ system: { vm } }: World, pte: bigint): Pfn => pte_pfn(vm.geometry, pte)
