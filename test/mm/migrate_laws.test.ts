// SPDX-License-Identifier: MIT
//
// Laws of migration, on the real page allocator and real processes: whatever programs do, and whatever is moved, dropped
// or taken meanwhile, every page keeps its contents and every mapping, and every reference has a reason.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cpuFill } from '../../code/arch/cpu.ts'
import { ptesIn } from '../../code/arch/pgtable.ts'
import { pte_pfn, pte_present } from '../../code/arch/pgtable_pte.ts'
import { kernelAtLeast, KERNEL_VERSIONS, type KernelVersion } from '../../code/lib/kernel_version.ts'
import type { Pfn, VirtAddr } from '../../code/lib/units.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import { createCompactControl, isolate_migratepages_range } from '../../code/mm/compaction_isolate.ts'
import { openFile } from '../../code/mm/file.ts'
import { vfs_fsync, type PageCache } from '../../code/mm/filemap.ts'
import { createFile, kernel_write } from '../../code/mm/filemap_fault.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { FOLL_LONGTERM, FOLL_WRITE, pin_user_pages, unpin_user_page } from '../../code/mm/gup.ts'
import { folio_lru_list } from '../../code/mm/lru.ts'
import { GUP_PIN_COUNTING_BIAS } from '../../code/mm/memory.ts'
import { alloc_migrate_target, migrate_pages, putback_movable_pages } from '../../code/mm/migrate.ts'
import { migrateLongterm } from '../../code/mm/migrate_longterm.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { do_munmap, dup_mm, exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { PG_lru, PG_reserved } from '../../code/mm/mmzone.ts'
import { pfnsOf } from '../../code/mm/page_list.ts'
import type { File, MmStruct, Vm } from '../../code/mm/vm.ts'
import { reclaim_clean_pages_from_list, try_to_free_pages } from '../../code/mm/vmscan.ts'
import { freePages, PAGE, readStamp, smallMachine, stamp, writeStamp } from '../support/mm_machine.ts'
import { LAWS_TIMES } from '../support/laws_seed.ts'

const PAGES = 6
const KINDS = ['anonymous', 'shared', 'private'] as const
type Kind = (typeof KINDS)[number]

/** A program, and what it must find in each of its pages; undefined is a page of the file as it is now. */
interface Program {
  readonly mm: MmStruct
  readonly base: Record<Kind, VirtAddr>
  readonly own: Record<Kind, (number | undefined | 'unmapped')[]>
}

class World {
  readonly machine
  readonly vm: Vm
  readonly file: File
  readonly inFile = Array.from({ length: PAGES }, () => 0)
  readonly programs: Program[] = []
  readonly pins: Pfn[] = []
  readonly taken: { pfn: Pfn; count: number }[] = []

  constructor(kernel: KernelVersion, canMigrate: boolean) {
    this.machine = smallMachine({ kernel, pages: 4096, cmaPages: 1024 })
    this.vm = this.machine.vm
    this.vm.hooks.migrateLongterm = migrateLongterm
    const inode = createFile(this.vm, 'file', PAGES)
    ;(inode.i_mapping as PageCache).canMigrate = canMigrate
    this.file = openFile(this.vm, inode)
    for (let page = 0; page < PAGES; page++) this.writeFile(page, page + 1)
    this.programs.push(this.newProgram())
  }

  newProgram(): Program {
    const mm = createProcess(this.vm, 'prog')
    const [len, prot] = [PAGES * PAGE, PROT_READ | PROT_WRITE]
    const base = {
      anonymous: do_mmap(this.vm, mm, { len, prot, flags: MAP_PRIVATE | MAP_ANONYMOUS }),
      shared: do_mmap(this.vm, mm, { len, prot, flags: MAP_SHARED, file: this.file }),
      private: do_mmap(this.vm, mm, { len, prot, flags: MAP_PRIVATE, file: this.file }),
    }
    const pages = <T>(value: T) => Array.from({ length: PAGES }, () => value)
    const own = { anonymous: pages(0), shared: pages(undefined), private: pages(undefined) }
    for (let page = 0; page < PAGES; page++) writeStamp(this.vm, mm, base.anonymous + page * PAGE, 0)
    return { mm, base, own }
  }

  writeFile(page: number, value: number): void {
    for (const offset of [0, PAGE - 16])
      kernel_write(this.vm, this.file, stamp(value), 16, page * PAGE + offset)
    this.inFile[page] = value
  }

  write(program: Program, kind: Kind, page: number, value: number): void {
    if (program.own[kind][page] === 'unmapped') return
    writeStamp(this.vm, program.mm, program.base[kind] + page * PAGE, value)
    if (kind === 'shared') this.inFile[page] = value
    else program.own[kind][page] = value
  }

  read(program: Program, kind: Kind, page: number): void {
    const own = program.own[kind][page]
    if (own === 'unmapped') return
    const seen = readStamp(this.vm, program.mm, program.base[kind] + page * PAGE)
    expect(seen, `page ${page} of ${kind} memory of process ${program.mm.pid}`).toBe(own ?? this.inFile[page])
  }

  readAll(): void {
    for (const program of this.programs)
      for (const kind of KINDS) for (let page = 0; page < PAGES; page++) this.read(program, kind, page)
  }

  fork(program: Program): void {
    const mm = dup_mm(this.vm, program.mm)
    if (typeof mm === 'number') throw new Error(`dup_mm: ${mm}`)
    const { anonymous, shared, private: own } = program.own
    const copy = { anonymous: [...anonymous], shared: [...shared], private: [...own] }
    this.programs.push({ mm, base: program.base, own: copy })
  }

  unmap(program: Program, kind: Kind, page: number): void {
    do_munmap(this.vm, program.mm, program.base[kind] + page * PAGE, PAGE)
    program.own[kind][page] = 'unmapped'
  }

  exit(program: Program): void {
    if (this.programs.length === 1) return
    exit_mmap(this.vm, program.mm)
    this.programs.splice(this.programs.indexOf(program), 1)
  }

  pin(program: Program, kind: Kind, page: number, flags: number): void {
    if (program.own[kind][page] === 'unmapped') return
    const pages: Pfn[] = []
    pin_user_pages(this.vm, program.mm, program.base[kind] + page * PAGE, 1, flags, pages)
    this.pins.push(...pages)
    // Who pins to write makes private memory the program's own, as a write does.
    if (kind === 'private') program.own.private[page] ??= this.inFile[page]
  }

  unpin(): void {
    const pfn = this.pins.shift()
    if (pfn !== undefined) unpin_user_page(this.vm, pfn)
  }

  // What alloc_contig_range() does with the pages of a range, without isolating the range.
  migrate(from: number, drop: boolean): void {
    const { vm, machine } = this
    const cc = createCompactControl(machine.zone, 'MIGRATE_SYNC', GFP_KERNEL)
    const { start_pfn, end_pfn } = vm.pgdat.map
    cc.migrate_pfn = start_pfn + from
    while (cc.migrate_pfn < end_pfn) {
      isolate_migratepages_range(vm, cc, cc.migrate_pfn, end_pfn)
      if (drop) reclaim_clean_pages_from_list(vm, cc.migratepages)
      migrate_pages(
        vm,
        cc.migratepages,
        (src) => alloc_migrate_target(vm, src),
        'MIGRATE_SYNC',
        'contig_range',
      )
      putback_movable_pages(vm, cc.migratepages)
      cc.nr_migratepages = 0
    }
  }

  allocate(count: number): void {
    const pfn = cma_alloc(this.vm, this.machine.cma, count, 0, true)
    if (pfn === null) return
    // Whoever still uses one of these pages sees that it is not his.
    cpuFill(this.vm.cpu, pfn * PAGE, count * PAGE, 0xee)
    this.taken.push({ pfn, count })
  }

  release(): void {
    const area = this.taken.shift()
    if (area) expect(cma_release(this.vm, this.machine.cma, area.pfn, area.count)).toBe(true)
  }

  // Each reference of a page is a page table's, the page cache's, a pin's or its only holder's; each page is free or not.
  check(): void {
    const { map } = this.vm.pgdat
    const { arch } = this.vm.pgdat
    const mapped = new Map<Pfn, number>()
    const held = new Map<Pfn, number>()
    const add = (counts: Map<Pfn, number>, pfn: Pfn, n: number) => counts.set(pfn, (counts.get(pfn) ?? 0) + n)
    for (const { mm } of this.programs)
      for (const { vm_start, vm_end } of mm.mmap)
        for (const { pte } of ptesIn(mm.pgd, vm_start, vm_end)) {
          expect(pte_present(arch, pte), 'a migration entry is left').toBe(true)
          add(mapped, pte_pfn(this.vm.geometry, pte), 1)
          add(held, pte_pfn(this.vm.geometry, pte), 1)
        }
    for (const [index, pfn] of this.file.f_inode.i_mapping!.i_pages) {
      add(held, pfn, 1)
      expect(map.index[pfn - map.start_pfn]).toBe(index)
    }
    const bias = kernelAtLeast(this.vm.pgdat.kernel, '6.1.192') ? GUP_PIN_COUNTING_BIAS : 1
    for (const pfn of this.pins) add(held, pfn, bias)
    for (const [pfn, refs] of held) {
      const at = pfn - map.start_pfn
      expect([map.refcount[at], map.mapcount[at]], `pfn 0x${pfn.toString(16)}`).toEqual([
        refs,
        mapped.get(pfn) ?? 0,
      ])
    }
    this.checkLists(held)
    this.checkConserved(held.size)
  }

  // A page of a program or of a file is on the list that its flags name, and nothing else is on one.
  checkLists(held: Map<Pfn, number>): void {
    const { map } = this.vm.pgdat
    const onLists = Object.entries(this.vm.lru).flatMap(([name, list]) => {
      const pfns = pfnsOf(map, list)
      expect(pfns.length).toBe(list.count)
      for (const pfn of pfns) expect(folio_lru_list(this.vm, pfn)).toBe(name)
      return pfns
    })
    for (const pfn of onLists) expect(map.flags[pfn - map.start_pfn]! & PG_lru).toBe(PG_lru)
    expect(onLists.sort((a, b) => a - b)).toEqual([...held.keys()].sort((a, b) => a - b))
  }

  checkConserved(held: number): void {
    const { map } = this.vm.pgdat
    const tables = this.programs.reduce((sum, { mm }) => sum + mm.pgd.tables, 0)
    const inArea = this.taken.reduce((sum, { count }) => sum + count, 0)
    let used = 0
    for (let at = 0; at < map.refcount.length; at++)
      if (map.refcount[at]! > 0 && !(map.flags[at]! & PG_reserved)) used++
    expect(used).toBe(held + tables + inArea)
    expect(freePages(this.machine)).toBe(this.machine.zone.managed_pages - used)
  }
}

const page = fc.nat(PAGES - 1)
const kind = fc.constantFrom(...KINDS)
const program = fc.nat(5)
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('write'),
      program,
      kind,
      page,
      value: fc.integer({ min: 10, max: 1e6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constantFrom('read', 'unmap', 'pin', 'pinLong'), program, kind, page }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom('migrate', 'migrateDrop'),
      value: fc.constantFrom(0, 3, 2048, 3072),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('fork', 'exit'), program }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom('unpin', 'release', 'fsync', 'reclaim') }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('allocate'), value: fc.constantFrom(1, 64, 512) }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('writeFile'), page, value: fc.integer({ min: 10, max: 1e6 }) }),
  },
)
type Operation = { what: string; program?: number; kind?: Kind; page?: number; value?: number }

function perform(
  world: World,
  { what, program = 0, kind = 'anonymous', page = 0, value = 0 }: Operation,
): void {
  const who = world.programs[program % world.programs.length]!
  if (what === 'write') world.write(who, kind, page, value)
  else if (what === 'writeFile') world.writeFile(page, value)
  else if (what === 'read') world.read(who, kind, page)
  else if (what === 'unmap') world.unmap(who, kind, page)
  else if (what === 'pin') world.pin(who, kind, page, FOLL_WRITE)
  else if (what === 'pinLong') world.pin(who, kind, page, FOLL_WRITE | FOLL_LONGTERM)
  else if (what === 'unpin') world.unpin()
  else if (what === 'migrate') world.migrate(value, false)
  else if (what === 'migrateDrop') world.migrate(value, true)
  else if (what === 'fork' && world.programs.length < 5) world.fork(who)
  else if (what === 'exit') world.exit(who)
  else if (what === 'release') world.release()
  else if (what === 'allocate') world.allocate(value)
  else if (what === 'fsync') vfs_fsync(world.vm, world.file)
  else if (what === 'reclaim') try_to_free_pages(world.vm, world.machine.zone)
}

describe.each(KERNEL_VERSIONS)('under %s', (kernel) => {
  it('any sequence of writes, forks, pins, unmaps and moves keeps contents, mappings, references and pages', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(operation, { maxLength: 40 }), (canMigrate, operations) => {
        const world = new World(kernel, canMigrate)
        for (const each of operations) {
          perform(world, each)
          world.check()
        }
        world.readAll()
        world.check()
      }),
      { numRuns: 60 * LAWS_TIMES },
    )
  }, 60_000)
})
