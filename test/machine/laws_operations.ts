// SPDX-License-Identifier: MIT
//
// What may happen in the laws: an operation is a name and two numbers, which mean something whatever the machine's state
// is, so that any part of a sequence is a sequence too.
import fc from 'fast-check'
import { evict } from '../../code/arch/cache.ts'
import { ENOMEM } from '../../code/lib/errno.ts'
import { kernelAtLeast } from '../../code/lib/kernel_version.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import { invalidate_mapping_pages, vfs_fsync } from '../../code/mm/filemap.ts'
import { kernel_read, kernel_write } from '../../code/mm/filemap_fault.ts'
import * as gfp from '../../code/mm/gfp.ts'
import { FOLL_LONGTERM, FOLL_WRITE, pin_user_pages, unpin_user_page } from '../../code/mm/gup.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { mlock, munlock } from '../../code/mm/mlock.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm, exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { get_pageblock_migratetype } from '../../code/mm/page.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { try_to_free_pages } from '../../code/mm/vmscan.ts'
import { checkFull } from './laws_check.ts'
import { deviceWrites, dmaAlloc, dmaFree, dmaMap, dmaRead, dmaWrite, withBuffer } from './laws_dma.ts'
import { PAGE } from './laws_machines.ts'
import {
  checkSeen,
  ENDS,
  FILE_PAGES,
  happened,
  hex,
  law,
  markPage,
  mustBeMarked,
  processOf,
  settle,
  stamp,
  stamped,
  vaOf,
  WINDOW,
  writeSeen,
  type Process,
  type Seen,
  type World,
} from './laws_world.ts'

// Often what is common in life, and now and then what fills the machine.
const WEIGHTS = {
  ...{ alloc: 9, hog: 2, free: 9, spawn: 1, fork: 2, exit: 1 },
  ...{ mapAnon: 3, mapShared: 1, mapFile: 2, mapFilePrivate: 2, unmap: 2, lock: 1, unlock: 1 },
  ...{ write: 14, writeMany: 4, read: 8, fileWrite: 3, fileRead: 3, sync: 1, drop: 2, reclaim: 1, evict: 1 },
  ...{ pin: 2, pinLong: 2, unpin: 4, cmaAlloc: 5, cmaRelease: 5 },
  ...{ dmaAlloc: 4, dmaFree: 3, dmaMap: 3, dmaWrite: 3, dmaRead: 3, deviceWrite: 2 },
} as const
export type OperationName = keyof typeof WEIGHTS

export type Operation = readonly [name: OperationName, a: number, b: number]

const NAMES = Object.entries(WEIGHTS) as [OperationName, number][]

/** One operation. */
export const operation: fc.Arbitrary<Operation> = fc.tuple(
  fc.constantFrom(...NAMES.flatMap(([name, weight]) => Array.from({ length: weight }, () => name))),
  fc.nat(0xffff),
  fc.nat(0xffff),
)

/** Lets it happen. */
export function perform(world: World, [name, a, b]: Operation): void {
  happened(world, name)
  try {
    OPERATIONS[name](world, a, b)
  } catch (error) {
    // In __reclaim_pages() 3.5 kills one process after the other, for ever: the model throws there.
    const endless = world.system.pgdat.kernel === '3.5' && String(error).startsWith('Error: __reclaim_pages')
    if (!endless) throw error
    world.stuck = true
    happened(world, 'stuck')
  }
}

const LINES_OF_A_BLOCK = 32

// Takes one out of a list; null when there is none.
function takeOut<T>(list: T[], at: number): T | null {
  return list.length === 0 ? null : list.splice(at % list.length, 1)[0]!
}

const REQUESTS = [
  gfp.GFP_KERNEL,
  gfp.GFP_KERNEL,
  gfp.GFP_KERNEL | gfp.__GFP_RECLAIMABLE,
  gfp.GFP_HIGHUSER_MOVABLE,
  gfp.GFP_HIGHUSER_MOVABLE,
  gfp.GFP_ATOMIC,
  gfp.GFP_KERNEL | gfp.GFP_DMA,
  gfp.GFP_KERNEL | gfp.GFP_DMA32,
  gfp.GFP_HIGHUSER,
].map((flags) => flags | gfp.__GFP_NOWARN | gfp.__GFP_NORETRY)

function allocate(world: World, flags: number, order: number): boolean {
  const { pgdat } = world.system
  const pfn = __alloc_pages(pgdat, flags, order)
  if (pfn === null) {
    happened(world, 'alloc fails')
    return false
  }
  const inArea = get_pageblock_migratetype(pgdat, pfn) === pgdat.migrate.CMA
  const movable = (flags & gfp.__GFP_MOVABLE) !== 0
  law(movable || !inArea, () => `${hex(flags)} got pfn ${hex(pfn)} of a CMA area`)
  if (inArea) happened(world, 'alloc gets a CMA page')
  const value = world.nextValue++
  markPage(world, pfn * PAGE, value)
  if (order > 0) markPage(world, (pfn + 2 ** order - 1) * PAGE, value)
  world.raw.push({ pfn, order, value })
  return true
}

function free(world: World, a: number): void {
  const { pgdat } = world.system
  const raw = takeOut(world.raw, a)
  if (!raw) return
  mustBeMarked(world, raw.pfn * PAGE, raw.value, 'a block of the page allocator')
  if (raw.order > 0)
    mustBeMarked(world, (raw.pfn + 2 ** raw.order - 1) * PAGE, raw.value, 'the end of a block')
  __free_pages(pgdat, raw.pfn, raw.order)
}

type Kind = 'anon' | 'shared' | 'file' | 'filePrivate'

function map(world: World, a: number, b: number, kind: Kind): void {
  const { vm } = world.system
  const { mm, seen } = processOf(world, a)
  const first = (a >> 4) % WINDOW
  const ofFile = kind === 'file' || kind === 'filePrivate'
  const shared = kind === 'file' || kind === 'shared'
  const pgoff = ofFile ? (b >> 8) % FILE_PAGES : 0
  const pages = Math.min(1 + (b % 12), WINDOW - first, ofFile ? FILE_PAGES - pgoff : WINDOW)
  const at = do_mmap(vm, mm, {
    ...{ len: pages * PAGE, prot: flag.PROT_READ | flag.PROT_WRITE, addr: vaOf(first), pgoff },
    flags: flag.MAP_FIXED | (shared ? flag.MAP_SHARED : flag.MAP_PRIVATE) | (ofFile ? 0 : flag.MAP_ANONYMOUS),
    ...(ofFile ? { file: world.file } : {}),
  })
  law(at === vaOf(first), () => `do_mmap gave ${at}, expected ${vaOf(first)}`)
  for (let i = 0; i < pages; i++) {
    const cell = ofFile ? world.fileCells[pgoff + i]! : { value: 0 }
    seen.set(first + i, { cell, private: !shared, ofFile, deaf: false })
  }
}

function unmap(world: World, a: number, b: number): void {
  const { mm, seen } = processOf(world, a)
  const [first, pages] = [(a >> 4) % WINDOW, 1 + (b % 8)]
  const rc = do_munmap(world.system.vm, mm, vaOf(first), pages * PAGE)
  law(rc === 0, () => `do_munmap returned ${rc}`)
  for (let i = 0; i < pages; i++) seen.delete(first + i)
}

function lock(world: World, a: number, b: number): void {
  const process = processOf(world, a)
  const [first, pages] = [(a >> 4) % WINDOW, 1 + (b % 6)]
  mlock(world.system.vm, process.mm, vaOf(first), pages * PAGE)
  for (let i = 0; i < pages; i++) settle(world, process, first + i)
}

function fork(world: World, a: number): void {
  if (world.processes.length >= 5) return
  const { mm, seen } = processOf(world, a)
  const child = dup_mm(world.system.vm, mm)
  if (typeof child === 'number') {
    law(child === -ENOMEM, () => `dup_mm returned ${child}`)
    return happened(world, 'fork without memory')
  }
  const copy = [...seen].map(([page, it]): [number, Seen] => {
    const apart = it.private && !it.ofFile
    return [page, apart ? { ...it, cell: { value: it.cell.value } } : it]
  })
  world.processes.push({ mm: child, seen: new Map(copy) })
}

/** Ends a process, which reads all it has before. */
export function exit(world: World, process: Process): void {
  for (const page of process.seen.keys()) checkSeen(world, process, page)
  exit_mmap(world.system.vm, process.mm)
  world.processes.splice(world.processes.indexOf(process), 1)
}

function fileWrite(world: World, a: number): void {
  const page = a % FILE_PAGES
  const value = world.nextValue++
  for (const at of ENDS) {
    const rc = kernel_write(world.system.vm, world.file, stamp(value), 8, page * PAGE + at)
    if (rc === -ENOMEM && at === 0) return happened(world, 'file without memory')
    law(rc === 8, () => `kernel_write returned ${rc}`)
  }
  world.fileCells[page]!.value = value
}

/** Reads a page of the file. */
export function fileRead(world: World, a: number): void {
  const page = a % FILE_PAGES
  const bytes = new Uint8Array(8)
  for (const at of ENDS) {
    const rc = kernel_read(world.system.vm, world.file, bytes, 8, page * PAGE + at)
    if (rc === -ENOMEM) return happened(world, 'file without memory')
    const { value } = world.fileCells[page]!
    law(
      rc === 8 && stamped(bytes) === value,
      () => `file page ${page}: ${rc}, ${stamped(bytes)}, not ${value}`,
    )
  }
}

/** Everything written: the disk has what the file has. */
export function sync({ system, file, inode, fileCells }: World): void {
  law(vfs_fsync(system.vm, file) === 0, () => 'vfs_fsync failed')
  for (const [index, bytes] of inode.i_mapping!.disk!) {
    const found = ENDS.map((at) => stamped(bytes.subarray(at, at + 8)))
    const { value } = fileCells[index]!
    law(found[0] === value && found[1] === value, () => `disk page ${index}: ${found.join()}, not ${value}`)
  }
}

function pin(world: World, a: number, b: number, long: boolean): void {
  const { vm, pgdat } = world.system
  if (world.pins.length >= 24) return
  const process = processOf(world, a)
  const [page, write] = [(a >> 4) % WINDOW, b % 4 !== 0]
  const held: number[] = []
  const flags = (write ? FOLL_WRITE : 0) | (long ? FOLL_LONGTERM : 0)
  const rc = pin_user_pages(vm, process.mm, vaOf(page), 1, flags, held)
  law(rc === (rc > 0 ? 1 : rc) && rc !== 0, () => `pin_user_pages returned ${rc}`)
  law(rc < 0 || process.seen.has(page), () => `pinned page ${page}, where nothing is mapped`)
  settle(world, process, page)
  if (rc < 0) return process.seen.has(page) ? happened(world, 'pin fails') : undefined
  const [pfn] = held
  const inArea = get_pageblock_migratetype(pgdat, pfn!) === pgdat.migrate.CMA
  const moves = long && kernelAtLeast(pgdat.kernel, '6.1.192')
  law(!moves || !inArea, () => `a long pin holds pfn ${hex(pfn!)} of a CMA area`)
  if (inArea) happened(world, 'pin in a CMA area')
  world.pins.push({ pfn: pfn!, long: moves })
  checkSeen(world, process, page)
}

function cmaAlloc(world: World, a: number, b: number): void {
  const { vm, cma, pgdat } = world.system
  const area = a % cma.length
  const most = cma[area]!.count
  const count = b % 5 === 0 ? 1 + ((a >> 1) % most) : 1 + ((a >> 1) % 96)
  const align = (b >> 3) % 9
  const before = cma[area]!.bitmap!.words.slice()
  const pfn = cma_alloc(vm, cma[area]!, count, align, true)
  if (pfn === null) {
    happened(world, 'cma_alloc fails')
    const after = cma[area]!.bitmap!.words
    law(
      before.every((word, i) => word === after[i]),
      () => 'a cma_alloc() that failed left bits',
    )
    return checkFull(world)
  }
  happened(world, 'cma_alloc succeeds')
  law(pfn >= cma[area]!.base_pfn && pfn + count <= cma[area]!.base_pfn + most, () => `cma_alloc: ${hex(pfn)}`)
  const value = world.nextValue++
  for (let i = 0; i < count; i++) {
    const at = pfn + i - pgdat.map.start_pfn
    law(
      pgdat.map.refcount[at] === 1,
      () => `cma_alloc: pfn ${hex(pfn + i)} has ${pgdat.map.refcount[at]} references`,
    )
    if (i % 16 === 0 || i === count - 1) markPage(world, (pfn + i) * PAGE, value)
  }
  world.taken.push({ area, pfn, count, value })
}

// All of it, or the first part.
function cmaRelease(world: World, a: number, b: number): void {
  const { vm, cma } = world.system
  const it = takeOut(world.taken, a)
  if (!it) return
  for (let i = 0; i < it.count; i++)
    if (i % 16 === 0 || i === it.count - 1) mustBeMarked(world, (it.pfn + i) * PAGE, it.value, 'CMA pages')
  // A bit may stand for one page only here, so any part will do.
  const part = b % 3 === 0 && it.count > 16 ? 16 * (1 + (b % Math.floor((it.count - 1) / 16))) : it.count
  law(cma_release(vm, cma[it.area]!, it.pfn, part), () => `cma_release refused ${hex(it.pfn)}`)
  if (part < it.count) world.taken.push({ ...it, pfn: it.pfn + part, count: it.count - part })
}

const OPERATIONS: Record<OperationName, (world: World, a: number, b: number) => void> = {
  alloc: (world, a, b) => {
    const order = b % 6 === 0 ? (b >> 4) % (world.system.pgdat.maxOrder + 1) : (b >> 4) % 3
    allocate(world, REQUESTS[a % REQUESTS.length]!, order)
  },
  hog: (world, a, b) => {
    const flags = (a % 3 ? gfp.GFP_KERNEL : gfp.GFP_HIGHUSER) | gfp.__GFP_NOWARN | gfp.__GFP_NORETRY
    const { maxOrder } = world.system.pgdat
    // Down to small blocks: what programs ask for then comes out of CMA areas.
    const last = b % 3 === 0 ? 5 : maxOrder
    for (let order = maxOrder, most = 1 + (b % 12); order >= last && most > 0; most--)
      if (!allocate(world, flags, order)) order--
  },
  free,
  spawn: (world) => {
    if (world.processes.length < 5)
      world.processes.push({ mm: createProcess(world.system.vm, 'law'), seen: new Map() })
  },
  fork,
  exit: (world, a) => {
    if (world.processes.length > 1) exit(world, processOf(world, a))
  },
  mapAnon: (world, a, b) => map(world, a, b, 'anon'),
  mapShared: (world, a, b) => map(world, a, b, 'shared'),
  mapFile: (world, a, b) => map(world, a, b, 'file'),
  mapFilePrivate: (world, a, b) => map(world, a, b, 'filePrivate'),
  unmap,
  lock,
  unlock: (world, a, b) =>
    void munlock(world.system.vm, processOf(world, a).mm, vaOf((a >> 4) % WINDOW), (1 + (b % 6)) * PAGE),
  write: (world, a) => writeSeen(world, processOf(world, a), (a >> 4) % WINDOW),
  writeMany: (world, a) => {
    const process = processOf(world, a)
    for (const page of process.seen.keys()) if ((page + a) % 3) writeSeen(world, process, page)
  },
  read: (world, a) => checkSeen(world, processOf(world, a), (a >> 4) % WINDOW),
  fileWrite,
  fileRead,
  sync,
  drop: ({ system: { vm }, inode }) => void invalidate_mapping_pages(vm, inode.i_mapping!, 0, FILE_PAGES),
  reclaim: ({ system: { vm, pgdat } }, a) => void try_to_free_pages(vm, pgdat.zones[a % pgdat.zones.length]!),
  // What is dirty in the caches goes to RAM, whoever has that memory by now.
  evict: ({ system: { vm } }) => {
    for (const cache of [vm.cpu.l1, vm.cpu.outer])
      for (const index of cache ? [...cache.blocks.keys()] : []) {
        const size = LINES_OF_A_BLOCK * cache!.lineSize
        evict(cache!, index * size, size)
      }
  },
  pin: (world, a, b) => pin(world, a, b, false),
  pinLong: (world, a, b) => pin(world, a, b, true),
  unpin: (world, a) => {
    const pin = takeOut(world.pins, a)
    if (pin) unpin_user_page(world.system.vm, pin.pfn)
  },
  cmaAlloc,
  cmaRelease,
  dmaAlloc,
  dmaFree,
  dmaMap,
  dmaWrite: (world, a, b) => withBuffer(world, a, b, dmaWrite),
  dmaRead: (world, a, b) => withBuffer(world, a, b, dmaRead),
  deviceWrite: (world, a, b) => withBuffer(world, a, b, deviceWrites),
}
