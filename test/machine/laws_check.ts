// SPDX-License-Identifier: MIT
//
// The laws that hold between any two operations, whatever happened:
//
//     every page is in one place          free · of a process or a file · a page table · a block · an area · a buffer
//     free lists                          aligned, linked both ways, counted, merged, of a type that fits the pageblock
//     references                          one of each page table entry, one of the page cache, those of the pins
//     reverse maps                        lead from a page to exactly the entries that map it
import { walk } from '../../code/arch/pgtable.ts'
import { pte_present } from '../../code/arch/pgtable_pte.ts'
import { test_bit } from '../../code/lib/bitmap.ts'
import { folio_lru_list } from '../../code/mm/lru.ts'
import { MIGRATE_TYPES, NR_FREE_CMA_PAGES, NR_FREE_PAGES, PG_lru, type Zone } from '../../code/mm/mmzone.ts'
import { freeListType } from '../../code/mm/free_list.ts'
import { buddy_order, get_pageblock_migratetype, PageBuddy } from '../../code/mm/page.ts'
import { rmap_walk } from '../../code/mm/rmap.ts'
import type { LruList } from '../../code/mm/vm.ts'
import {
  AREA,
  BLOCK,
  BOOT,
  BUFFER,
  countOwners,
  countPtes,
  FREE,
  NOWHERE,
  PLACES,
  placeUsers,
  put,
  scratchOf,
  USER,
  type Scratch,
} from './laws_count.ts'
import { PAGE } from './laws_machines.ts'
import { hex, kernelPhysOf, law, pfnIn, physOf, type Buffer, type World } from './laws_world.ts'

/** What the machine had when it had booted. */
interface Baseline {
  /** Pages that somebody had then. */
  readonly taken: Uint8Array
  readonly refcount: Uint16Array
  readonly freePages: readonly number[]
  readonly freeCma: readonly number[]
  readonly blocks: Uint8Array
  readonly bitmaps: readonly Uint32Array[]
  readonly vmallocAreas: number
  readonly linearTypes: number
  readonly mappings: number
}

// Not in the world, so that a snapshot does not take them along.
const baselines = new WeakMap<World, Baseline>()
/** To be called once, when the machine has booted. */
export function takeBaseline(world: World): void {
  const { pgdat, vm, cma, kernelMap } = world.system
  const { map, zones } = pgdat
  const taken = new Uint8Array(map.refcount.length).fill(1)
  for (const zone of zones) eachFreeBlock(world, zone, (at, order) => taken.fill(0, at, at + 2 ** order))
  baselines.set(world, {
    ...{ taken, refcount: map.refcount.slice(), blocks: pgdat.pageblock_flags.slice() },
    freePages: zones.map(({ vm_stat }) => vm_stat[NR_FREE_PAGES]!),
    freeCma: zones.map(({ vm_stat }) => vm_stat[NR_FREE_CMA_PAGES]!),
    bitmaps: cma.map(({ bitmap }) => bitmap!.words.slice()),
    ...{ vmallocAreas: kernelMap.areas.length, linearTypes: kernelMap.linearTypes.size },
    mappings: vm.mappings.filter(Boolean).length,
  })
}

// Every block on the lists of a zone; the links are checked on the way.
function eachFreeBlock(
  { system: { pgdat } }: World,
  zone: Zone,
  visit: (at: number, order: number, type: number) => void,
): void {
  const { next, prev } = pgdat.map
  for (let order = 0; order <= pgdat.maxOrder; order++)
    for (let type = 0; type < MIGRATE_TYPES; type++) {
      const list = order * MIGRATE_TYPES + type
      const who = `free list of order ${order}, type ${type} of ${zone.name}`
      let [count, before] = [0, -1]
      for (let at = zone.free_list[2 * list]!; at >= 0; at = next[at]!) {
        law(prev[at] === before, () => `${who}: links broken at ${at}`)
        visit(at, order, type)
        before = at
        law(++count <= zone.nr_free[list]!, () => `${who}: longer than ${zone.nr_free[list]}`)
      }
      law(count === zone.nr_free[list], () => `${who}: ${count} blocks, not ${zone.nr_free[list]}`)
      law(zone.free_list[2 * list + 1] === before, () => `${who}: its tail is not its last`)
    }
}

/** After each step: counters of the zones against the lengths of their lists. */
export function checkCounters({ system: { pgdat } }: World): void {
  const { migrate, maxOrder, rules } = pgdat
  for (const { nr_free, vm_stat, name } of pgdat.zones) {
    let [pages, cma, isolated] = [0, 0, 0]
    for (let order = 0; order <= maxOrder; order++) {
      const row = order * MIGRATE_TYPES
      for (let type = 0; type < MIGRATE_TYPES; type++) pages += nr_free[row + type]! << order
      cma += nr_free[row + migrate.CMA]! << order
      isolated += nr_free[row + migrate.ISOLATE]!
    }
    law(isolated === 0, () => `${name}: ${isolated} free blocks are left isolated`)
    law(
      vm_stat[NR_FREE_PAGES] === pages,
      () => `${name}: NR_FREE_PAGES ${vm_stat[NR_FREE_PAGES]}, lists ${pages}`,
    )
    const counted = rules.countsCma ? cma : 0
    law(
      vm_stat[NR_FREE_CMA_PAGES] === counted,
      () => `${name}: free CMA ${vm_stat[NR_FREE_CMA_PAGES]}, lists ${counted}`,
    )
  }
}

function placeFree(world: World, to: Scratch): void {
  const { pgdat } = world.system
  const { map, migrate, pageblock_order, maxOrder } = pgdat
  for (const zone of pgdat.zones) {
    eachFreeBlock(world, zone, (at, order, type) => {
      put(world, to, at, 2 ** order, FREE)
      const pfn = at + map.start_pfn
      const who = () => `free block ${hex(pfn)} of order ${order}, type ${type}, in ${zone.name}`
      law(at % 2 ** order === 0, () => `${who()} is not aligned`)
      law(pfn >= zone.zone_start_pfn && pfn + 2 ** order <= zone.zone_end_pfn, () => `${who()} is outside`)
      const knows =
        PageBuddy(pgdat, pfn) && buddy_order(pgdat, pfn) === order && freeListType(map, at) === type
      law(knows, () => `${who()} has other numbers in its struct page`)
      for (let i = 0; i < 2 ** order; i += 2 ** pageblock_order) {
        const isCma = get_pageblock_migratetype(pgdat, pfn + i) === migrate.CMA
        law(isCma === (type === migrate.CMA), () => `${who()} is in a pageblock ${isCma ? '' : 'not '}of CMA`)
      }
      if (order >= pageblock_order || order >= maxOrder) return
      const buddy = at ^ (1 << order)
      const free =
        PageBuddy(pgdat, buddy + map.start_pfn) && buddy_order(pgdat, buddy + map.start_pfn) === order
      const inside = buddy + map.start_pfn >= zone.zone_start_pfn && buddy + map.start_pfn < zone.zone_end_pfn
      law(!(free && inside), () => `${who()} and its buddy are not merged`)
    })
  }
}

function placeBoot(world: World, to: Scratch): void {
  const { taken } = baselines.get(world)!
  for (let at = 0; at < taken.length; at++) if (taken[at]) put(world, to, at, 1, BOOT)
}

function placeHeld(world: World, to: Scratch): void {
  const { map } = world.system.pgdat
  for (const { pfn, order } of world.raw) {
    put(world, to, pfn - map.start_pfn, 2 ** order, BLOCK)
    to.refs[pfn - map.start_pfn] = 1
  }
  for (const { pfn, count } of world.taken) {
    put(world, to, pfn - map.start_pfn, count, AREA)
    to.refs.fill(1, pfn - map.start_pfn, pfn - map.start_pfn + count)
  }
  for (const buffer of world.buffers) placeBuffer(world, to, buffer)
}

// A buffer of a pool, the device's or the common one, lies where pages were taken at boot, or where there are none.
function placeBuffer(world: World, to: Scratch, buffer: Buffer): void {
  const { map } = world.system.pgdat
  for (let page = 0; page < buffer.pages; page++)
    law(
      physOf(world, buffer, page) === kernelPhysOf(world, buffer, page),
      () => `page ${page} of a buffer lies elsewhere`,
    )
  const at = physOf(world, buffer) / PAGE - map.start_pfn
  const { taken } = baselines.get(world)!
  if (at < 0 || at >= taken.length || taken[at] === 1) return
  const head = map.refcount[at + 1] === 0 && buffer.pages > 1
  // As single pages, or as a block of which the first page counts.
  put(world, to, at, head ? 2 ** Math.ceil(Math.log2(buffer.pages)) : buffer.pages, BUFFER)
  if (head) to.refs[at] = 1
  else to.refs.fill(1, at, at + buffer.pages)
}

function checkPages(world: World, { place, refs, maps }: Scratch): void {
  const { map } = world.system.pgdat
  const { refcount } = baselines.get(world)!
  for (let at = 0; at < place.length; at++) {
    const where = place[at]!
    const expected = where === BOOT ? refcount[at]! : refs[at]!
    if (
      where !== NOWHERE &&
      map.refcount[at] === expected &&
      (where === FREE || map.mapcount[at] === maps[at])
    )
      continue
    const pfn = hex(at + map.start_pfn)
    law(where !== NOWHERE, () => `pfn ${pfn} is nowhere, with ${map.refcount[at]} references`)
    law(map.refcount[at] === expected, () => {
      return `pfn ${pfn}, ${PLACES[where]}, has ${map.refcount[at]} references, expected ${expected}`
    })
    law(
      false,
      () => `pfn ${pfn}, ${PLACES[where]}, is mapped ${map.mapcount[at]} times, expected ${maps[at]}`,
    )
  }
}

// Pages of processes and files are on the list that their flags name, and nothing else is on one.
function checkLru(world: World, { place, listed }: Scratch): void {
  const { vm, pgdat } = world.system
  const { map } = pgdat
  for (const name of Object.keys(vm.lru) as LruList[]) {
    const list = vm.lru[name]
    let [count, before] = [0, -1]
    for (let at = list.head; at >= 0 && count <= list.count; at = map.next[at]!) {
      const pfn = at + map.start_pfn
      law(map.prev[at] === before && listed[at] === 0, () => `${name}: links broken at ${hex(pfn)}`)
      law(
        place[at] === USER && (map.flags[at]! & PG_lru) !== 0,
        () => `${hex(pfn)} is on ${name}, ${PLACES[place[at]!]}`,
      )
      law(folio_lru_list(vm, pfn) === name, () => `${hex(pfn)} is on ${name}, not ${folio_lru_list(vm, pfn)}`)
      listed[at] = 1
      before = at
      count++
    }
    law(
      count === list.count && list.tail === before,
      () => `${name} has ${count} pages, counted ${list.count}`,
    )
  }
  for (let at = 0; at < place.length; at++)
    if (place[at] === USER && listed[at] === 0)
      law(false, () => `pfn ${hex(at + map.start_pfn)} is on no LRU list`)
}

function checkRmap(world: World, { maps }: Scratch): void {
  const { vm, pgdat } = world.system
  for (let at = 0; at < maps.length; at++) {
    if (maps[at] === 0) continue
    const pfn = at + pgdat.map.start_pfn
    let found = 0
    rmap_walk(vm, pfn, ({ vm_mm }, address) => {
      const pte = walk(vm_mm.pgd, address)?.pte ?? 0n
      if (pte_present(pgdat.arch, pte) && pfnIn(world, pte) === pfn) found++
    })
    law(found === maps[at], () => `the reverse map of ${hex(pfn)} finds ${found} of ${maps[at]} entries`)
  }
}

function checkAreas(world: World, { place }: Scratch): void {
  const { cma, pgdat } = world.system
  const { taken } = baselines.get(world)!
  for (const { base_pfn, count, bitmap, name } of cma) {
    for (let i = 0; i < count; i++) {
      const at = base_pfn + i - pgdat.map.start_pfn
      const where = place[at]!
      const held = where === AREA || where === BUFFER || taken[at] === 1
      if (test_bit(i, bitmap!) === held) continue
      law(false, () => `bit ${i} of ${name} is wrong for a page that is ${PLACES[where]}`)
    }
    for (let pfn = base_pfn; pfn < base_pfn + count; pfn += 2 ** pgdat.pageblock_order)
      law(
        get_pageblock_migratetype(pgdat, pfn) === pgdat.migrate.CMA,
        () => `${name} is not CMA at ${hex(pfn)}`,
      )
  }
}

/** All laws. */
export function checkFull(world: World): void {
  checkCounters(world)
  const to = scratchOf(world.system.pgdat.map.refcount.length)
  placeFree(world, to)
  placeBoot(world, to)
  countPtes(world, to)
  countOwners(world, to)
  placeUsers(world, to)
  placeHeld(world, to)
  checkPages(world, to)
  checkLru(world, to)
  checkRmap(world, to)
  checkAreas(world, to)
  for (const buffer of world.buffers) {
    const vmas = world.processes.flatMap(({ mm }) => mm.mmap).filter((vma) => vma.vm_private_data === buffer)
    law(vmas.length === buffer.vmas, () => `a driver counts ${buffer.vmas} mappings of ${vmas.length}`)
  }
}

/** When everything was given back: the machine has what it had after boot. */
export function checkEnd(world: World): void {
  checkFull(world)
  const { pgdat, vm, cma, kernelMap } = world.system
  const was = baselines.get(world)!
  const { zones } = pgdat
  const same = (name: string, now: number, then: number) =>
    law(now === then, () => `${name}: ${now}, was ${then}`)
  zones.forEach(({ name, vm_stat }, i) => {
    same(`free pages of ${name}`, vm_stat[NR_FREE_PAGES]!, was.freePages[i]!)
    same(`free CMA pages of ${name}`, vm_stat[NR_FREE_CMA_PAGES]!, was.freeCma[i]!)
  })
  cma.forEach(({ bitmap }, i) =>
    law(
      bitmap!.words.every((word, j) => word === was.bitmaps[i]![j]),
      () => `bitmap of area ${i} is not as after boot`,
    ),
  )
  same('vmalloc areas', kernelMap.areas.length, was.vmallocAreas)
  same('pages of the linear map with a type of their own', kernelMap.linearTypes.size, was.linearTypes)
  same('owners of pages', vm.mappings.filter(Boolean).length, was.mappings)
  same('processes', vm.mms.length, 0)
  for (const { count } of Object.values(vm.lru)) same('pages on an LRU list', count, 0)
}
