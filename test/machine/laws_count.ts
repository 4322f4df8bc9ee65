// SPDX-License-Identifier: MIT
//
// Where each page is and how often it is referenced, counted from those who have it: page tables, page caches, pins.
import { ptesIn, type Pgtable } from '../../code/arch/pgtable.ts'
import { pte_present } from '../../code/arch/pgtable_pte.ts'
import { read32 } from '../../code/arch/ram.ts'
import { kernelAtLeast } from '../../code/lib/kernel_version.ts'
import type { Pfn, PhysAddr } from '../../code/lib/units.ts'
import { GUP_PIN_COUNTING_BIAS, vm_normal_page } from '../../code/mm/memory.ts'
import { get_pageblock_migratetype } from '../../code/mm/page.ts'
import { PAGE } from './laws_machines.ts'
import { hex, law, pfnIn, physOf, type World } from './laws_world.ts'

// Where a page is.
export const NOWHERE = 0
export const FREE = 1
export const BOOT = 2
export const USER = 3
export const TABLE = 4
export const BLOCK = 5
export const AREA = 6
export const BUFFER = 7
export const PLACES = [
  'nowhere',
  'free',
  'taken at boot',
  "a process's",
  'a page table',
  'a block',
  'of an area',
  'a buffer',
]

/** Columns by pfn - start_pfn: the place, the references and mappings that there must be, and whether it is on an LRU list. */
export interface Scratch {
  readonly place: Uint8Array
  readonly refs: Uint16Array
  readonly maps: Uint16Array
  readonly listed: Uint8Array
}

// Not in the world, so that a snapshot does not take it along.
let scratch: Scratch | null = null

/** Cleared columns for so many pages; the same ones each time. */
export function scratchOf(pages: number): Scratch {
  if (scratch?.place.length !== pages) {
    const [refs, maps] = [new Uint16Array(pages), new Uint16Array(pages)]
    scratch = { place: new Uint8Array(pages), refs, maps, listed: new Uint8Array(pages) }
  }
  for (const column of Object.values(scratch) as Uint8Array[]) column.fill(0)
  return scratch
}

/** Puts pages where they are; they must not be anywhere yet. */
export function put(
  { system: { pgdat } }: World,
  { place }: Scratch,
  at: number,
  count: number,
  where: number,
): void {
  for (let i = at; i < at + count; i++) {
    if (place[i] !== NOWHERE) {
      const pfn = hex(i + pgdat.map.start_pfn)
      law(false, () => `pfn ${pfn} is ${PLACES[place[i]!]} and ${PLACES[where]}`)
    }
    place[i] = where
  }
}

// The tables of a process by themselves: the page table walks as the hardware does, this goes through all entries. How
// many of them are not empty at the last level.
function placeTables(world: World, to: Scratch, pgd: Pgtable): number {
  const { geometry, ram } = pgd
  const { start_pfn } = world.system.pgdat.map
  const last = geometry.levels.length - 1
  const isArm = geometry.arch === 'arm'
  let [tables, mapped] = [0, 0]
  const place = (pa: PhysAddr, level: number): void => {
    tables++
    const pages = level === 0 ? 2 ** geometry.rootOrder : 1
    put(world, to, pa / PAGE - start_pfn, pages, TABLE)
    to.refs[pa / PAGE - start_pfn] = 1
    const bytes = level === last ? geometry.entryBytes : 8
    for (let i = 0; i < geometry.levels[level]!.entries; i++) {
      const low = read32(ram, pa + i * bytes)
      if (low === 0) continue
      if (level === last) mapped++
      else
        place(
          (isArm ? 0 : (read32(ram, pa + i * bytes + 4) & 0xffff) * 2 ** 32) + low - (low % PAGE),
          level + 1,
        )
    }
  }
  if (pgd.root !== null) place(pgd.root, 0)
  law(tables === pgd.tables, () => `${pgd.tables} page tables counted, ${tables} found`)
  return mapped
}

/** What the page tables of all processes say. */
export function countPtes(world: World, to: Scratch): void {
  const { vm, pgdat } = world.system
  const { start_pfn } = pgdat.map
  for (const { mm } of world.processes) {
    const all = placeTables(world, to, mm.pgd)
    let mapped = 0
    for (const vma of mm.mmap)
      for (const { va, pte } of ptesIn(mm.pgd, vma.vm_start, vma.vm_end)) {
        mapped++
        law(pte_present(pgdat.arch, pte), () => `process ${mm.pid} has a migration entry at ${hex(va)}`)
        const pfn = vm_normal_page(vm, vma, va, pte)
        if (pfn === null) checkBare(world, mm.pid, pfnIn(world, pte))
        else {
          to.refs[pfn - start_pfn]!++
          to.maps[pfn - start_pfn]!++
        }
      }
    law(all === mapped, () => `process ${mm.pid} has ${all - mapped} entries outside its VMAs`)
  }
}

// A pfn that was mapped bare belongs to a buffer that is still there.
function checkBare(world: World, pid: number, pfn: Pfn): void {
  const known = world.buffers.some((buffer) => {
    const first = physOf(world, buffer) / PAGE
    return pfn >= first && pfn < first + buffer.pages
  })
  law(known, () => `process ${pid} maps pfn ${hex(pfn)}, of no buffer`)
}

/** What page caches and pins say. */
export function countOwners(world: World, to: Scratch): void {
  const { vm, pgdat } = world.system
  const { map, kernel } = pgdat
  const bias = kernelAtLeast(kernel, '6.1.192') ? GUP_PIN_COUNTING_BIAS : 1
  vm.mappings.forEach((owner, id) => {
    if (!owner || !('i_pages' in owner)) return
    for (const [index, pfn] of owner.i_pages as Map<number, Pfn>) {
      const at = pfn - map.start_pfn
      to.refs[at]!++
      law(map.mapping[at] === id && map.index[at] === index, () => `pfn ${hex(pfn)} does not know its cache`)
    }
  })
  for (const { pfn, long } of world.pins) {
    to.refs[pfn - map.start_pfn]! += bias
    const inArea = get_pageblock_migratetype(pgdat, pfn) === pgdat.migrate.CMA
    law(!long || !inArea, () => `a long pin holds pfn ${hex(pfn)} of a CMA area`)
  }
}

/** Pages of processes, of files and of pins: those that have been counted. */
export function placeUsers(world: World, to: Scratch): void {
  const { refs, place } = to
  for (let at = 0; at < refs.length; at++)
    if (refs[at]! > 0 && place[at] !== TABLE) put(world, to, at, 1, USER)
}
