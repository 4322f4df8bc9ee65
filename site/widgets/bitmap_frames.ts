// SPDX-License-Identifier: MIT
//
// The film of `cma-bitmap`: requests to cma_alloc() on a booted machine, and a frame for each place that its search finds
// and for what became of the place. The search hands every place to a function that takes the range; ours looks at the
// bitmap, calls the real one, alloc_contig_range(), and looks at what that said.
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { find_next_bit, find_next_zero_bit } from '../../code/lib/bitmap.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { cma_alloc, cma_bitmap_maxno, cma_release } from '../../code/mm/cma.ts'
import type { ActiveCma } from '../../code/mm/cma_declare.ts'
import { alloc_contig_range, type ContigRange } from '../../code/mm/contig_range.ts'
import { get_page, put_page } from '../../code/mm/lru.ts'
import { boardTree } from './board.ts'
import type { Frame, Said } from './frame.ts'

export interface BitmapScenario {
  readonly kernel: KernelVersion
  readonly ram: number
  readonly cma: number
  readonly align: number
  readonly steps: readonly (
    | { readonly alloc: string; readonly pages: number; readonly align?: number | undefined }
    | { readonly release: string }
    | { readonly hold: number }
    | { readonly drop: number }
  )[]
}

/** Set bits `[from, to)` of one owner: a name, or `boot` for what the kernel took before the first step. */
export interface BitRun {
  readonly from: number
  readonly to: number
  readonly owner: string
}

export interface BitmapFrame extends Frame {
  readonly bits: number
  /** Distance in bits of the places at which the request may begin, and the first of them. */
  readonly places: { readonly first: number; readonly step: number }
  readonly runs: readonly BitRun[]
  /** The place that is being tried: its bits are among the runs as well. */
  readonly tried: { readonly from: number; readonly to: number; readonly busy: boolean } | null
  /** Bits whose page somebody holds. */
  readonly held: readonly number[]
}

/** A request that steps on more often than this has only its first and last places shown. */
const TRIES_SHOWN = 3

class Film {
  readonly frames: BitmapFrame[] = []
  private readonly system: System
  private readonly area: ActiveCma
  private readonly owned = new Map<string, { pfn: number; pages: number }>()
  private readonly held: number[] = []
  private align: number

  constructor({ kernel, ram, cma, align }: BitmapScenario) {
    this.system = startSystem({ tree: boardTree(ram), kernel, arch: 'arm64', cmdline: `cma=${cma}M` })
    this.area = this.system.cma[0] as ActiveCma
    this.align = align
    this.system.trace.enabled = true
    const { name, count, base_pfn } = this.area
    const values = { name, pages: count, bits: cma_bitmap_maxno(this.area), pfn: hex(base_pfn) }
    this.show({ word: 'start', values }, null)
  }

  private bitOf(pfn: number): number {
    return (pfn - this.area.base_pfn) / 2 ** this.area.order_per_bit
  }

  private runs(tried: BitmapFrame['tried']): BitRun[] {
    const { area } = this
    const bits = cma_bitmap_maxno(area)
    const named = [...this.owned].map(([owner, { pfn, pages }]): BitRun => {
      const from = this.bitOf(pfn)
      return { owner, from, to: from + Math.ceil(pages / 2 ** area.order_per_bit) }
    })
    if (tried) named.push({ from: tried.from, to: tried.to, owner: '' })
    named.sort((a, b) => a.from - b.from)
    const others: BitRun[] = []
    const boot = (from: number, to: number): void => {
      for (let at = from, end; (at = find_next_bit(area.bitmap, to, at)) < to; at = end) {
        end = find_next_zero_bit(area.bitmap, to, at)
        others.push({ from: at, to: end, owner: 'boot' })
      }
    }
    let from = 0
    for (const run of named) {
      boot(from, run.from)
      from = run.to
    }
    boot(from, bits)
    return [...others, ...named]
  }

  private show(said: Said, tried: BitmapFrame['tried']): void {
    const { base_pfn, order_per_bit } = this.area
    const unit = 2 ** Math.max(this.align, order_per_bit)
    const first = this.bitOf(Math.ceil(base_pfn / unit) * unit)
    this.frames.push({
      said,
      bits: cma_bitmap_maxno(this.area),
      places: { first, step: unit / 2 ** order_per_bit },
      runs: this.runs(tried),
      tried,
      held: [...this.held],
    })
  }

  alloc(name: string, pages: number, align: number): void {
    const { vm, trace } = this.system
    const from = this.frames.length
    this.align = align
    this.show({ word: 'asks', values: { name, pages, align, unit: 2 ** align } }, null)
    const bits = Math.ceil(pages / 2 ** this.area.order_per_bit)
    const range: ContigRange = (machine, start, end, type, gfp) => {
      const bit = this.bitOf(start)
      const place = { from: bit, to: bit + bits }
      this.show({ word: 'place', values: { bit, last: place.to - 1 } }, { ...place, busy: false })
      const events = trace.records.length
      const ret = alloc_contig_range(machine, start, end, type, gfp)
      const tested = trace.records.slice(events).find(({ event }) => event === 'test_pages_isolated')
      const stayed = tested ? this.bitOf(Number(tested.fields['fin_pfn'])) : null
      const values = { ret, name, bit, stayed: stayed ?? '?' }
      if (ret !== 0) this.show({ word: 'busy', values }, { ...place, busy: true })
      return ret
    }
    const pfn = cma_alloc(vm, this.area, pages, align, false, range)
    this.shorten(from)
    if (pfn === null) return this.show({ word: 'none', values: { name } }, null)
    this.owned.set(name, { pfn, pages })
    this.show({ word: 'gets', values: { name, pages, bit: this.bitOf(pfn), pfn: hex(pfn) } }, null)
  }

  // A search that steps on bit by bit has hundreds of places.
  private shorten(from: number): void {
    const tries = (this.frames.length - from - 1) / 2
    if (tries <= 2 * TRIES_SHOWN) return
    const cut = from + 1 + 2 * TRIES_SHOWN
    const left = Math.floor(tries) - 2 * TRIES_SHOWN
    const last = this.frames[cut + 2 * left - 1]!
    const said = { word: 'more', values: { ...last.said.values, places: left } }
    this.frames.splice(cut, 2 * left, { ...last, said })
  }

  release(name: string): void {
    const has = this.owned.get(name)
    if (!has)
      throw new Error(`cma-bitmap: ${name} has no pages, expected an alloc of that name before its release`)
    cma_release(this.system.vm, this.area, has.pfn, has.pages)
    this.owned.delete(name)
    const from = this.bitOf(has.pfn)
    this.show({ word: 'released', values: { name, bit: from, pages: has.pages } }, null)
  }

  hold(bit: number, takes: boolean): void {
    const pfn = this.area.base_pfn + bit * 2 ** this.area.order_per_bit
    if (takes) {
      get_page(this.system.vm, pfn)
      this.held.push(bit)
    } else {
      put_page(this.system.vm, pfn)
      this.held.splice(this.held.indexOf(bit), 1)
    }
    this.show({ word: takes ? 'hold' : 'drop', values: { bit } }, null)
  }
}

const hex = (pfn: number): string => `0x${pfn.toString(16)}`

/** Throws what the models throw, and when a release has no alloc. */
export function bitmapFrames(scenario: BitmapScenario): BitmapFrame[] {
  const film = new Film(scenario)
  for (const step of scenario.steps) {
    if ('alloc' in step) film.alloc(step.alloc, step.pages, step.align ?? scenario.align)
    else if ('release' in step) film.release(step.release)
    else if ('hold' in step) film.hold(step.hold, true)
    else film.hold(step.drop, false)
  }
  return film.frames
}
