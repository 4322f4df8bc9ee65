// SPDX-License-Identifier: MIT
//
// Laws of processes and their memory: random programs against a naive reference that keeps every byte of every process in
// a Map. After each step the page tables, the counts of the pages and the free pages must agree with each other.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ptesIn } from '../../code/arch/pgtable.ts'
import { pte_pfn, pte_present } from '../../code/arch/pgtable_pte.ts'
import type { Arch, KernelVersion } from '../../code/lib/kernel_version.ts'
import type { Pfn } from '../../code/lib/units.ts'
import { fput, openFile } from '../../code/mm/file.ts'
import { invalidate_mapping_pages, truncate_inode_pages, vfs_fsync } from '../../code/mm/filemap.ts'
import { createFile, kernel_read } from '../../code/mm/filemap_fault.ts'
import { GFP_HIGHUSER_MOVABLE } from '../../code/mm/gfp.ts'
import { FOLL_WRITE, pin_user_pages, unpin_user_page } from '../../code/mm/gup.ts'
import { folio_isolate_lru } from '../../code/mm/lru.ts'
import { migrate_pages, putback_movable_pages } from '../../code/mm/migrate.ts'
import { vm_normal_page } from '../../code/mm/memory.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import * as flag from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm, exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { mremap, MREMAP_MAYMOVE } from '../../code/mm/mremap.ts'
import { __alloc_pages } from '../../code/mm/page_alloc.ts'
import { createPageList, list_add_tail } from '../../code/mm/page_list.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import type { File, Inode, MmStruct, Vm } from '../../code/mm/vm.ts'
import { PAGE, smallMachine } from '../support/mm_machine.ts'
import { freePagesOf } from '../support/processes.ts'
import { LAWS_TIMES } from '../support/laws_seed.ts'

// Addresses are few, so that mappings meet: 12 pages from here on.
const BASE = 0x1000_0000
const PAGES = 12
const FILE_PAGES = 6
const RW = flag.PROT_READ | flag.PROT_WRITE

type Kind = 'anon' | 'sharedAnon' | 'filePrivate' | 'fileShared'
type Step =
  | {
      readonly do: 'mmap'
      readonly who: number
      readonly page: number
      readonly pages: number
      readonly kind: Kind
    }
  | { readonly do: 'munmap'; readonly who: number; readonly page: number; readonly pages: number }
  | { readonly do: 'write'; readonly who: number; readonly page: number; readonly value: number }
  | { readonly do: 'read'; readonly who: number; readonly page: number }
  | { readonly do: 'fork' | 'exit'; readonly who: number }
  | { readonly do: 'pin'; readonly who: number; readonly page: number }
  | { readonly do: 'unpin' | 'fsync' | 'drop' }
  | { readonly do: 'migrate'; readonly who: number; readonly page: number }
  | { readonly do: 'mremap'; readonly who: number; readonly page: number; readonly pages: number }

const who = fc.nat(3)
const page = fc.nat(PAGES - 1)
const pages = fc.integer({ min: 1, max: 5 })
const kind = fc.constantFrom<Kind>('anon', 'sharedAnon', 'filePrivate', 'fileShared')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mmap' as const), who, page, pages, kind }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('munmap' as const), who, page, pages }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who,
      page,
      value: fc.integer({ min: 1, max: 255 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), who, page }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('fork' as const, 'exit' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pin' as const), who, page }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('unpin' as const, 'fsync' as const, 'drop' as const) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('migrate' as const), who, page }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mremap' as const), who, page, pages }) },
)

/** A byte of memory, possibly seen by several processes at several addresses. */
interface Cell {
  value: number
}

/** The reference: what each process sees. A page is one byte; forked private pages get cells of their own at once. */
interface Seen {
  readonly cell: Cell
  readonly private: boolean
  /** A private page of a file that was not written yet shows what the file shows. */
  readonly ofFile: boolean
}

class World {
  readonly vm: Vm
  readonly inode: Inode
  readonly file: File
  readonly fileCells: Cell[] = Array.from({ length: FILE_PAGES }, () => ({ value: 0 }))
  readonly processes: { mm: MmStruct; seen: Map<number, Seen> }[] = []
  readonly pins: Pfn[] = []
  steps = 0

  constructor(kernel: KernelVersion, arch: Arch) {
    this.vm = smallMachine({ kernel, arch }).vm
    this.inode = createFile(this.vm, 'data', FILE_PAGES)
    this.file = openFile(this.vm, this.inode)
    this.processes.push({ mm: createProcess(this.vm, 'init'), seen: new Map() })
  }

  private process(who: number) {
    return this.processes[who % this.processes.length]!
  }

  apply(step: Step): void {
    this.steps++
    switch (step.do) {
      case 'mmap':
        return this.mmap(step.who, step.page, Math.min(step.pages, PAGES - step.page), step.kind)
      case 'munmap': {
        const { mm, seen } = this.process(step.who)
        expect(do_munmap(this.vm, mm, BASE + step.page * PAGE, step.pages * PAGE)).toBe(0)
        for (let i = 0; i < step.pages; i++) seen.delete(step.page + i)
        return
      }
      case 'write':
        return this.write(step.who, step.page, step.value)
      case 'read':
        return this.check(this.process(step.who), step.page)
      case 'fork':
        return this.fork(step.who)
      case 'exit': {
        if (this.processes.length === 1) return
        const gone = this.process(step.who)
        exit_mmap(this.vm, gone.mm)
        this.processes.splice(this.processes.indexOf(gone), 1)
        return
      }
      case 'pin': {
        const held: Pfn[] = []
        const { mm, seen } = this.process(step.who)
        const rc = pin_user_pages(this.vm, mm, BASE + step.page * PAGE, 1, FOLL_WRITE, held)
        expect(rc > 0).toBe(seen.has(step.page) && this.pins.length < 40)
        const own = seen.get(step.page)
        if (own) this.own(seen, step.page, own)
        this.pins.push(...held)
        return
      }
      case 'unpin': {
        const pfn = this.pins.pop()
        if (pfn !== undefined) unpin_user_page(this.vm, pfn)
        return
      }
      case 'fsync':
        expect(vfs_fsync(this.vm, this.file)).toBe(0)
        expect(this.fileCells.map((_, i) => this.inode.i_mapping!.disk!.get(i)?.[5] ?? 0)).toEqual(
          this.fileCells.map(({ value }) => value),
        )
        return
      case 'drop':
        invalidate_mapping_pages(this.vm, this.inode.i_mapping!, 0, FILE_PAGES)
        return
      case 'migrate':
        return this.migrate(step.who, step.page)
      case 'mremap': {
        const { mm } = this.process(step.who)
        const at = BASE + step.page * PAGE
        // It grows and comes back: nothing may be different then.
        const to = mremap(this.vm, mm, at, PAGE, 2 * PAGE, 0)
        if (to > 0) {
          expect(to).toBe(at)
          expect(mremap(this.vm, mm, at, 2 * PAGE, PAGE, MREMAP_MAYMOVE)).toBe(at)
        }
        return
      }
    }
  }

  private mmap(who: number, page: number, count: number, kind: Kind): void {
    const { mm, seen } = this.process(who)
    const shared = kind === 'fileShared' || kind === 'sharedAnon'
    const ofFile = kind === 'fileShared' || kind === 'filePrivate'
    const pages = ofFile ? Math.min(count, FILE_PAGES) : count
    const flags = flag.MAP_FIXED | (shared ? flag.MAP_SHARED : flag.MAP_PRIVATE)
    const request = { len: pages * PAGE, prot: RW, addr: BASE + page * PAGE }
    const at = ofFile
      ? do_mmap(this.vm, mm, { ...request, flags, file: this.file })
      : do_mmap(this.vm, mm, { ...request, flags: flags | flag.MAP_ANONYMOUS })
    expect(at).toBe(BASE + page * PAGE)
    for (let i = 0; i < pages; i++) {
      const cell = ofFile ? this.fileCells[i]! : { value: 0 }
      seen.set(page + i, { cell, private: !shared, ofFile })
    }
  }

  // A private page of a file becomes the process's own with the first write.
  private own(seen: Map<number, Seen>, page: number, before: Seen): Cell {
    if (!before.private || !before.ofFile) return before.cell
    const cell = { value: before.cell.value }
    seen.set(page, { cell, private: true, ofFile: false })
    return cell
  }

  private write(who: number, page: number, value: number): void {
    const { mm, seen } = this.process(who)
    const before = seen.get(page)
    const rc = userWrite(this.vm, mm, BASE + page * PAGE + 5, Uint8Array.of(value))
    expect(rc).toBe(before ? null : 'SIGSEGV')
    if (before) this.own(seen, page, before).value = value
  }

  private fork(who: number): void {
    if (this.processes.length >= 5) return
    const { mm, seen } = this.process(who)
    const child = dup_mm(this.vm, mm) as MmStruct
    const copy = [...seen].map(([page, it]): [number, Seen] => {
      const apart = it.private && !it.ofFile
      return [page, apart ? { ...it, cell: { value: it.cell.value } } : it]
    })
    this.processes.push({ mm: child, seen: new Map(copy) })
  }

  check({ mm, seen }: { mm: MmStruct; seen: Map<number, Seen> }, page: number): void {
    const expected = seen.get(page)
    const got = userRead(this.vm, mm, BASE + page * PAGE + 5, 1)
    expect(got).toEqual(expected ? Uint8Array.of(expected.cell.value) : 'SIGSEGV')
  }

  // The page behind an address moves, whoever maps it; or it is held and stays.
  private migrate(who: number, page: number): void {
    const { vm } = this
    const { mm, seen } = this.process(who)
    if (!seen.has(page)) return
    this.check({ mm, seen }, page)
    const [found] = [...ptesIn(mm.pgd, BASE + page * PAGE, BASE + (page + 1) * PAGE)]
    const pfn = pte_pfn(vm.geometry, found!.pte)
    const held = this.pins.includes(pfn)
    if (folio_isolate_lru(vm, pfn) !== 0) return
    const list = createPageList()
    list_add_tail(vm.pgdat.map, pfn, list)
    const target = () => __alloc_pages(vm.pgdat, GFP_HIGHUSER_MOVABLE, 0)
    const left = migrate_pages(vm, list, target, 'MIGRATE_SYNC', 'contig_range')
    putback_movable_pages(vm, list)
    expect(left).toBe(held ? 1 : 0)
    const [now] = [...ptesIn(mm.pgd, BASE + page * PAGE, BASE + (page + 1) * PAGE)]
    expect(pte_pfn(vm.geometry, now!.pte) === pfn).toBe(held)
  }

  // Every table of a process but the root serves some VMA: what serves none went with the last one.
  private mustNeedTables({ pgd, mmap }: MmStruct): void {
    const { levels } = this.vm.geometry
    const needed = new Set<string>()
    for (const [level, { span }] of levels.slice(0, -1).entries()) {
      for (const { vm_start, vm_end } of mmap) {
        for (let i = Math.floor(vm_start / span); i * span < vm_end; i++) needed.add(`${level} ${i}`)
      }
    }
    expect(pgd.tables).toBeLessThanOrEqual(1 + needed.size)
  }

  /** The counts of all pages are what the page tables, the page cache and the pins explain. */
  mustBeConsistent(): void {
    const { vm } = this
    const { map } = vm.pgdat
    const mapped = new Map<Pfn, number>()
    for (const { mm } of this.processes) {
      this.mustNeedTables(mm)
      for (const vma of mm.mmap) {
        for (const { va, pte } of ptesIn(mm.pgd, vma.vm_start, vma.vm_end)) {
          expect(pte_present(vm.pgdat.arch, pte)).toBe(true)
          const pfn = vm_normal_page(vm, vma, va, pte)!
          mapped.set(pfn, (mapped.get(pfn) ?? 0) + 1)
        }
      }
    }
    const pin = ['6.1.192', '6.12.117'].includes(vm.pgdat.kernel) ? 1024 : 1
    const owned = new Set(vm.mappings.flatMap((owner) => (owner && 'i_pages' in owner ? cached(owner) : [])))
    for (const pfn of new Set([...mapped.keys(), ...owned, ...this.pins])) {
      const at = pfn - map.start_pfn
      const pins = this.pins.filter((held) => held === pfn).length
      expect(map.mapcount[at]).toBe(mapped.get(pfn) ?? 0)
      expect(map.refcount[at]).toBe((mapped.get(pfn) ?? 0) + (owned.has(pfn) ? 1 : 0) + pins * pin)
    }
  }

  /** Everybody leaves; the file says what it should. */
  end(): void {
    for (const process of this.processes) for (let page = 0; page < PAGES; page++) this.check(process, page)
    for (const { mm } of this.processes) exit_mmap(this.vm, mm)
    for (const pfn of this.pins) unpin_user_page(this.vm, pfn)
    const bytes = new Uint8Array(FILE_PAGES * PAGE)
    expect(kernel_read(this.vm, this.file, bytes, bytes.length, 0)).toBe(bytes.length)
    expect(this.fileCells.map((_, i) => bytes[i * PAGE + 5])).toEqual(
      this.fileCells.map(({ value }) => value),
    )
    expect(this.file.f_count).toBe(1)
    expect(this.inode.i_mapping!.vmas).toEqual([])
    truncate_inode_pages(this.vm, this.inode.i_mapping!)
    fput(this.vm, this.file)
  }
}

const cached = (owner: object): Pfn[] => [...(owner as { i_pages: Map<number, Pfn> }).i_pages.values()]

const MACHINES: readonly (readonly [KernelVersion, Arch, number])[] = [
  ['3.5', 'arm', 120],
  ['4.12.4', 'arm64', 120],
  ['6.1.192', 'arm64', 120],
  ['6.12.117', 'arm64', 160],
  ['6.12.117', 'arm', 100],
]

describe('any program', () => {
  test.each(MACHINES)(
    'do_mmap(), fork, exit, writes, pins and migrations on %s %s: every process sees its bytes, no page is lost',
    (kernel, arch, numRuns) => {
      const run = fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }), (steps) => {
        const world = new World(kernel, arch)
        const free = freePagesOf(world.vm)
        for (const each of steps) {
          world.apply(each)
          world.mustBeConsistent()
        }
        world.end()
        expect(world.vm.mms).toEqual([])
        expect(freePagesOf(world.vm)).toBe(free)
      })
      fc.assert(run, { numRuns: numRuns * LAWS_TIMES, verbose: 1 })
    },
    60_000,
  )
})
