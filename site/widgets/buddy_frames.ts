// SPDX-License-Identifier: MIT
//
// The film of `buddy-lists`: requests to the page allocator's model, and a frame for each block that meanwhile leaves a
// free list or is put on one.
//
// The allocator is not asked to tell of it. Every step of its lists ends with one write to the flags of a block's first
// page (code/mm/free_list.ts), so we watch that column as a debugger watches an address, and after each write read the
// lists as they are.
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { listedBlocks, pictured } from '../../code/machine/picture.ts'
import { GFP_ATOMIC, GFP_HIGHUSER, GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { type MigrateTypes, type Pgdat, PG_lru } from '../../code/mm/mmzone.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { gfp_migratetype } from '../../code/mm/page_alloc_rules.ts'
import type { Frame, Said } from './frame.ts'

export const GFP = { GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER, GFP_KERNEL, GFP_ATOMIC } as const

export interface BuddyScenario {
  readonly memory: string
  readonly maxOrder?: number | undefined
  readonly kernel: KernelVersion
  readonly order: number
  readonly steps: readonly (
    | { readonly alloc: string; readonly order?: number | undefined; readonly gfp: keyof typeof GFP }
    | { readonly free: string }
  )[]
}

/** A free block: its first page, 2^order pages, on the list of a migratetype, `place` blocks behind its head. */
export interface DrawnBlock {
  readonly at: number
  readonly order: number
  readonly type: string
  readonly place: number
}

export interface BuddyFrame extends Frame {
  readonly maxOrder: number
  /** Migratetype of each pageblock, lowest first. */
  readonly blockTypes: readonly string[]
  readonly pagesOfBlock: number
  readonly free: readonly DrawnBlock[]
  /** A letter a page: who has it, `#` the kernel, `*` a program, `.` free, `?` off its list and not yet anybody's. */
  readonly pages: string
  /** The block that this frame is about. */
  readonly about: { readonly at: number; readonly order: number } | null
}

type Block = Omit<DrawnBlock, 'place'>

/** A migratetype's name by its number, which is not the same on every kernel. */
const nameOf = (migrate: MigrateTypes, type: number): string =>
  Object.entries(migrate).find(([, number]) => number === type)?.[0] ?? String(type)

class Film {
  readonly frames: BuddyFrame[] = []
  readonly pgdat: Pgdat
  readonly has = new Map<string, { at: number; order: number }>()
  private free: readonly DrawnBlock[] = []
  /** What a step of the lists means in the request that is being served. */
  private tell: (change: 'off' | 'on', block: Block) => Said

  constructor({ memory, kernel, maxOrder }: BuddyScenario) {
    const node = pictured(memory, { kernel, ...(maxOrder === undefined ? {} : { maxOrder }) })
    const flags = new Proxy(node.map.flags, {
      set: (column, key, value: number) => {
        column[Number(key)] = value
        this.wrote()
        return true
      },
    })
    this.pgdat = { ...node, map: { ...node.map, flags } }
    this.free = this.lists()
    this.tell = () => ({ word: 'start', values: {} })
    const pages = this.free.reduce((sum, { order }) => sum + 2 ** order, 0)
    this.show({ word: 'start', values: { pages, blocks: this.free.length } }, null)
  }

  private lists(): DrawnBlock[] {
    const places = new Map<string, number>()
    return this.pgdat.zones
      .flatMap((zone) => listedBlocks(this.pgdat, zone))
      .map(({ pfn, order, type }) => {
        const list = `${order} ${type}`
        const place = places.get(list) ?? 0
        places.set(list, place + 1)
        return { at: pfn, order, type: nameOf(this.pgdat.migrate, type), place }
      })
  }

  private wrote(): void {
    const now = this.lists()
    const missing = (from: readonly DrawnBlock[], block: DrawnBlock): boolean =>
      !from.some(({ at, order, type }) => at === block.at && order === block.order && type === block.type)
    const off = this.free.find((block) => missing(now, block))
    const on = now.find((block) => missing(this.free, block))
    this.free = now
    if (off) this.show(this.tell('off', off), off)
    if (on) this.show(this.tell('on', on), on)
  }

  show(said: Said, about: { at: number; order: number } | null): void {
    const { pgdat } = this
    this.frames.push({
      said,
      maxOrder: pgdat.maxOrder,
      blockTypes: this.blockTypes(),
      pagesOfBlock: 2 ** pgdat.pageblock_order,
      free: this.free,
      pages: this.pages(),
      about: about && { at: about.at, order: about.order },
    })
  }

  private blockTypes(): string[] {
    const { pageblock_flags, pageblock_order, zones, map, migrate } = this.pgdat
    const end = Math.max(...zones.map(({ zone_end_pfn }) => zone_end_pfn))
    return [...pageblock_flags.subarray(0, (end - map.start_pfn) >> pageblock_order)].map((type) =>
      nameOf(migrate, type),
    )
  }

  private pages(): string {
    const { map, zones } = this.pgdat
    const end = Math.max(...zones.map(({ zone_end_pfn }) => zone_end_pfn))
    const letters = Array.from({ length: end - map.start_pfn }, (_, at): string => {
      if (map.refcount[at] === 0) return '?'
      return map.flags[at]! & PG_lru ? '*' : '#'
    })
    const put = (letter: string, { at, order }: { at: number; order: number }): void => {
      letters.fill(letter, at, at + 2 ** order)
    }
    for (const block of this.free) put('.', block)
    for (const [name, block] of this.has) put(name, block)
    return letters.join('')
  }

  alloc(name: string, order: number, gfp: keyof typeof GFP): void {
    const type = nameOf(this.pgdat.migrate, gfp_migratetype(this.pgdat, GFP[gfp]))
    this.show({ word: 'asks', values: { name, order, gfp, type: { label: type } } }, null)
    let hand: Block | null = null
    this.tell = (change, block) => {
      const values = { at: block.at, order: block.order, type: { label: block.type } }
      if (change === 'off') {
        hand = block
        return { word: 'found', values }
      }
      const half = hand !== null && block.order === hand.order - 1
      hand = half ? { ...hand!, order: block.order } : null
      return { word: half ? 'split' : 'moved', values }
    }
    const at = __alloc_pages(this.pgdat, GFP[gfp], order)
    if (at === null) return this.show({ word: 'none', values: { name, order } }, null)
    this.has.set(name, { at, order })
    this.show({ word: 'gets', values: { name, at, order } }, { at, order })
  }

  release(name: string): void {
    const block = this.has.get(name)
    if (!block)
      throw new Error(`buddy-lists: ${name} has no pages, expected an alloc of that name before its free`)
    this.has.delete(name)
    this.has.set('?', block)
    this.show({ word: 'back', values: { name, ...block } }, block)
    this.has.delete('?')
    this.tell = (change, { at, order, type }) => ({
      word: change === 'off' ? 'buddy' : 'whole',
      values: { at, order, type: { label: type } },
    })
    __free_pages(this.pgdat, block.at, block.order)
  }
}

/** Throws what the models throw, and when a free has no alloc. */
export function buddyFrames(scenario: BuddyScenario): BuddyFrame[] {
  const film = new Film(scenario)
  for (const step of scenario.steps) {
    if ('free' in step) film.release(step.free)
    else film.alloc(step.alloc, step.order ?? scenario.order, step.gfp)
  }
  return film.frames
}
