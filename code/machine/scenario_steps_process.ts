// SPDX-License-Identifier: MIT
//
// Steps of programs and their memory: process, fork, exit, mmap, munmap, touch, fill, pins, and files in the page cache.
//
//     - fill: { process: editor, fraction: 0.6 }         anonymous pages, wherever the allocator puts them
//     - fill: { process: editor, pages: 64, in: reserved }   those that come to lie in that CMA area; others are given back
//     - pin_user_pages: { area: heap, every: 16 }        somebody holds one page in sixteen
//     - pin_user_pages: { area: heap, pages: 9, byLot: true }   nine pages, drawn with the scenario's seed

// #region scenario-steps-process
import type { Bytes, Pfn, VirtAddr } from '../lib/units.ts'
import { folio_mark_dirty, PageCache, read_cache_page, vfs_fsync } from '../mm/filemap.ts'
import { createFile } from '../mm/filemap_fault.ts'
import { openFile } from '../mm/file.ts'
import { FOLL_LONGTERM, FOLL_WRITE, pin_user_pages, unpin_user_page } from '../mm/gup.ts'
import { do_madvise, MADV_DONTNEED } from '../mm/madvise.ts'
import { do_mmap } from '../mm/mmap.ts'
import * as flag from '../mm/mmap_flags.ts'
import { do_munmap, dup_mm, exit_mmap } from '../mm/mmap_unmap.ts'
import { createProcess } from '../mm/mm_struct.ts'
import { NR_FREE_PAGES } from '../mm/mmzone.ts'
import { get_pageblock_migratetype } from '../mm/page.ts'
import type { File, MmStruct } from '../mm/vm.ts'
import { global_zone_page_state } from './proc_counts.ts'
import { bury, Fault, held, type Doers, type Outcome, type Run, type UserArea } from './scenario_context.ts'
import { areaNamed, areaOf } from './scenario_steps_pages.ts'
import type { VerbArgs } from './scenario_verbs.ts'
import { countPages, mappedPfn, pagesFrom, pagesIn, populate, userAddress, userPfn } from './scenario_user.ts'

// An anonymous or a file's mapping; its address, or a negative errno.
function map(
  run: Run,
  mm: MmStruct,
  size: Bytes,
  how: { file?: File; shared: boolean; write: boolean },
): VirtAddr | number {
  const { file, shared, write } = how
  const prot = flag.PROT_READ | (write ? flag.PROT_WRITE : 0)
  const flags = (shared ? flag.MAP_SHARED : flag.MAP_PRIVATE) | (file ? 0 : flag.MAP_ANONYMOUS)
  return do_mmap(run.system.vm, mm, { len: size, prot, flags, ...(file ? { file } : {}) })
}

/** What a step that maps something gives. */
export function mapped(run: Run, mm: MmStruct, va: VirtAddr | number, size: Bytes): Outcome {
  const { pageSize } = run.system.pgdat
  if (va < 0) return { fields: { va: null, errno: va } }
  const made: UserArea = { mm, va, size: Math.ceil(size / pageSize) * pageSize, pages: null }
  return { fields: { va, errno: 0 }, made }
}

const ANONYMOUS = { shared: false, write: true } as const

const processDoersAlone: Doers<'process' | 'fork' | 'exit' | 'mmap' | 'munmap' | 'touch'> = {
  process: (run, { comm }) => {
    const mm = createProcess(run.system.vm, comm ?? 'task')
    return { fields: { pid: mm.pid }, made: mm }
  },
  fork: (run, { process }) => {
    const child = dup_mm(run.system.vm, held(run, process, 'process'))
    if (typeof child === 'number') return { fields: { pid: child } }
    return { fields: { pid: child.pid }, made: child }
  },
  exit: (run, { process }) => {
    exit_mmap(run.system.vm, held(run, process, 'process'))
    buryAreasOf(run, process)
    return {}
  },
  mmap: (run, { process, size, file, shared, write }) => {
    const mm = held(run, process, 'process')
    const from = file === undefined ? {} : { file: held(run, file, 'file') }
    return mapped(run, mm, map(run, mm, size, { ...from, shared, write }), size)
  },
  munmap: (run, { area: name, from, pages }) => {
    const { vm } = run.system
    const area = held(run, name, 'area')
    const count = pagesFrom(vm, area, from, pages)
    const whole = count === pagesIn(vm, area)
    if (whole) bury(run, name)
    const size = whole ? area.size : count * vm.pgdat.pageSize
    return { fields: { errno: do_munmap(vm, area.mm, whole ? area.va : userAddress(vm, area, from), size) } }
  },
  touch: (run, { area: name, from, pages }) => {
    const { vm } = run.system
    const area = held(run, name, 'area')
    const va = userAddress(vm, area, from)
    const size = pagesFrom(vm, area, from, pages) * vm.pgdat.pageSize
    populate(vm, area.mm, va, size)
    return { fields: countPages(vm, area.mm, va, size) }
  },
}

// The memory of a process goes with it.
function buryAreasOf(run: Run, process: string): void {
  const mm = held(run, process, 'process')
  for (const [name, result] of run.results) {
    const theirs = result.kind === 'area' && (result.what as UserArea | undefined)?.mm === mm
    if (theirs) bury(run, name)
  }
  bury(run, process)
}

const CHUNK = 256

// Touches pages, a chunk at a time, until enough of them lie in the area, and gives the others back.
function fillArea(run: Run, mm: MmStruct, wanted: number, area: string): Outcome {
  const { vm, pgdat } = run.system
  const { pageSize } = pgdat
  const target = areaNamed(run, area, 'in')
  const free = global_zone_page_state(pgdat, NR_FREE_PAGES)
  const size = (free + CHUNK) * pageSize
  const va = map(run, mm, size, ANONYMOUS)
  const pages: number[] = []
  let page = 0
  for (; page < free && pages.length < wanted; page++) {
    const at = va + page * pageSize
    if (page % CHUNK === 0) populate(vm, mm, at, CHUNK * pageSize)
    const pfn = mappedPfn(vm, mm, at)
    if (pfn === null) break
    if (areaOf(run, pfn) === target) pages.push(page)
  }
  giveBack(run, mm, va, Math.ceil(size / pageSize), pages)
  return {
    fields: { pages: pages.length, inCma: pages.length },
    made: { mm, va, size, pages } satisfies UserArea,
  }
}

// Lets go of all pages but those; `kept` is in order. Not by munmap, which would leave a VMA for each run of pages.
function giveBack(run: Run, mm: MmStruct, va: VirtAddr, count: number, kept: readonly number[]): void {
  const { vm, pgdat } = run.system
  let from = 0
  for (const page of [...kept, count]) {
    const size = (page - from) * pgdat.pageSize
    if (size > 0) do_madvise(vm, mm, va + from * pgdat.pageSize, size, MADV_DONTNEED)
    from = page + 1
  }
}

// The numbers of the pages to pin, from low to high.
function pinned(run: Run, area: UserArea, args: VerbArgs<'pin_user_pages'>): number[] {
  const { page, pages, every, byLot } = args
  const all = pagesIn(run.system.vm, area)
  if (every > 1) {
    const behind = pagesFrom(run.system.vm, area, page, undefined)
    return Array.from({ length: Math.ceil(behind / every) }, (_, i) => page + i * every)
  }
  const count = pagesFrom(run.system.vm, area, page, pages)
  if (!byLot) return Array.from({ length: count }, (_, i) => page + i)
  const drawn = new Set<number>()
  while (drawn.size < count) drawn.add(page + run.rng.next(all - page))
  return [...drawn].sort((a, b) => a - b)
}

const fillDoers: Doers<'fill' | 'pin_user_pages' | 'unpin_user_pages'> = {
  fill: (run, { process, pages, fraction, in: area }) => {
    const { vm, pgdat } = run.system
    if ((pages === undefined) === (fraction === undefined)) {
      throw new Fault({ rule: 'scenario-value', text: 'fill: expected either pages or fraction' })
    }
    const mm = held(run, process, 'process')
    const count = pages ?? Math.floor(global_zone_page_state(pgdat, NR_FREE_PAGES) * fraction!)
    if (area !== undefined) return fillArea(run, mm, count, area)
    const size = count * pgdat.pageSize
    const va = map(run, mm, size, ANONYMOUS)
    if (va < 0) return { fields: { pages: 0, inCma: 0 } }
    populate(vm, mm, va, size)
    return { fields: countPages(vm, mm, va, size), made: { mm, va, size, pages: null } satisfies UserArea }
  },
  pin_user_pages: (run, args) => {
    const { vm } = run.system
    const area = held(run, args.area, 'area')
    const pfns: Pfn[] = []
    const flags = FOLL_WRITE | (args.longterm ? FOLL_LONGTERM : 0)
    const wanted = pinned(run, area, args)
    for (const each of wanted) {
      const got: Pfn[] = []
      const errno = pin_user_pages(vm, area.mm, userAddress(vm, area, each), 1, flags, got)
      if (errno < 0) return { fields: { pfn: null, pages: pfns.length, errno } }
      pfns.push(...got)
    }
    const pfn = userPfn(vm, area, wanted[0]!)
    return { fields: { pfn, pages: pfns.length, errno: 0 }, made: { mm: area.mm, pfns } }
  },
  unpin_user_pages: (run, { pin }) => {
    for (const pfn of held(run, pin, 'pin').pfns) unpin_user_page(run.system.vm, pfn)
    bury(run, pin)
    return {}
  },
}

// Pages of a file that come into the cache: how many, and how many of them in CMA blocks.
function cached(run: Run, name: string, from: number, pages: number | undefined, dirty: boolean): Outcome {
  const { vm, pgdat } = run.system
  const mapping = held(run, name, 'file').f_inode.i_mapping!
  const last = from + (pages ?? mapping.nrpages - from)
  if (last > mapping.nrpages || from >= last) {
    const text = `${name}: got pages ${from} to ${last - 1}, expected some of 0 to ${mapping.nrpages - 1}`
    throw new Fault({ rule: 'scenario-outside', key: 'from', text })
  }
  let count = 0
  let inCma = 0
  for (let page = from; page < last; page++) {
    const pfn = read_cache_page(vm, mapping, page)
    if (pfn < 0) break
    if (dirty) folio_mark_dirty(vm, pfn)
    count++
    if (get_pageblock_migratetype(pgdat, pfn) === pgdat.migrate.CMA) inCma++
  }
  return { fields: { pages: count, inCma } }
}

const fileDoers: Doers<'file' | 'readFile' | 'writeFile' | 'fsync'> = {
  file: (run, { size, canMigrate }) => {
    const { vm, pgdat } = run.system
    const inode = createFile(vm, `file-${run.line}`, Math.ceil(size / pgdat.pageSize))
    if (inode.i_mapping instanceof PageCache) inode.i_mapping.canMigrate = canMigrate
    return { made: openFile(vm, inode) }
  },
  readFile: (run, { file, from, pages }) => cached(run, file, from, pages, false),
  writeFile: (run, { file, from, pages }) => cached(run, file, from, pages, true),
  fsync: (run, { file }) => ({ fields: { errno: vfs_fsync(run.system.vm, held(run, file, 'file')) } }),
}

export const processDoers = { ...processDoersAlone, ...fillDoers, ...fileDoers }
// #endregion scenario-steps-process
