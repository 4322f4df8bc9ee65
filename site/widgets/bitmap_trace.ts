// SPDX-License-Identifier: MIT
//
// The film of `cma-bitmap` of a trace: of what the movie's film tells (movie/film.ts), the requests, the places that were tried
// and what became of them. A trace names page frames and no bits: here a page is a bit, and the first page frame that it
// names is bit 0. What was set before the trace began is not in it.
import type { BitmapFrame, BitRun } from './bitmap_frames.ts'
import type { Said } from './frame.ts'
import type { Film, Step } from './movie/film_types.ts'
import { hexPfn } from './movie/sentence.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** A request that a task has open. */
interface Asked {
  readonly name: string
  /** The bit whose page stayed at this place, once a test has named it. */
  stayed: number | null
}

class Bits {
  readonly frames: BitmapFrame[] = []
  private readonly film: Film
  private readonly open = new Map<string, Asked>()
  private runs: readonly BitRun[] = []
  private places: BitmapFrame['places'] = { first: 0, step: 1 }
  private requests = 0

  constructor(film: Film) {
    this.film = film
    const { area, span } = film
    this.show({ word: 'trace', values: { name: area ?? '', pfn: hexPfn(span.start) } })
  }

  private show(said: Said, tried: BitmapFrame['tried'] = null, held: readonly number[] = []): void {
    const { start, end } = this.film.span
    const own = tried ? [{ from: tried.from, to: tried.to, owner: '' }] : []
    const { places } = this
    this.frames.push({ said, bits: end - start, places, runs: [...this.runs, ...own], tried, held })
  }

  private begin(task: string): Asked {
    const asked = { name: LETTERS[this.requests++ % LETTERS.length]!, stayed: null }
    this.open.set(task, asked)
    return asked
  }

  // A trace may begin in the middle of a request.
  private of({ values }: Step): Asked {
    const task = String(values['task'])
    return this.open.get(task) ?? this.begin(task)
  }

  private bits({ values }: Step): { from: number; to: number } {
    const { start } = this.film.span
    return { from: Number(values['start']) - start, to: Number(values['end']) - start }
  }

  private clear(from: number, to: number): void {
    this.runs = this.runs.flatMap((run) =>
      [
        { ...run, to: Math.min(run.to, from) },
        { ...run, from: Math.max(run.from, to) },
      ].filter((left) => left.from < left.to),
    )
  }

  play(step: Step): void {
    switch (step.kind) {
      case 'ask':
        return this.ask(step)
      case 'try': {
        const asked = this.of(step)
        asked.stayed = null
        const { from, to } = this.bits(step)
        return this.show({ word: 'place', values: { bit: from, last: to - 1 } }, { from, to, busy: false })
      }
      case 'held':
        this.of(step).stayed = Number(step.values['fin']) - this.film.span.start
        return
      case 'busy':
        return this.busy(step)
      case 'take':
        return this.take(step)
      case 'refuse': {
        const { name } = this.of(step)
        this.open.delete(String(step.values['task']))
        const errno = step.values['errno'] ?? ''
        return this.show(
          errno === ''
            ? { word: 'traceNothing', values: { name } }
            : { word: 'traceRefused', values: { name, errno } },
        )
      }
      case 'release': {
        const { from, to } = this.bits(step)
        const name = this.runs.find((run) => run.from < to && run.to > from)?.owner ?? step.values['task']!
        this.clear(from, to)
        return this.show({ word: 'released', values: { name, pages: to - from, bit: from } })
      }
    }
  }

  private ask({ values }: Step): void {
    const task = String(values['task'])
    const { name } = this.begin(task)
    const unit = Number(values['align'])
    const { start } = this.film.span
    this.places = { first: Math.ceil(start / unit) * unit - start, step: unit }
    this.show({ word: 'traceAsks', values: { name, task, pages: Number(values['count']), unit } })
  }

  private busy(step: Step): void {
    const { from, to } = this.bits(step)
    const { stayed } = this.of(step)
    const place = { from, to, busy: true }
    if (stayed === null) this.show({ word: 'traceBusy', values: { ret: -16 } }, place)
    else this.show({ word: 'busy', values: { ret: -16, stayed } }, place, [stayed])
  }

  private take(step: Step): void {
    const { from, to } = this.bits(step)
    const { name } = this.of(step)
    this.open.delete(String(step.values['task']))
    this.clear(from, to)
    this.runs = [...this.runs, { from, to, owner: name }]
    const pfn = hexPfn(Number(step.values['start']))
    this.show({ word: 'gets', values: { name, pages: to - from, bit: from, pfn } })
  }
}

/** At most `most` frames, for each has all bits; one at least, of a film that names page frames. */
export function bitmapOfFilm(film: Film, most = Infinity): BitmapFrame[] {
  const bits = new Bits(film)
  for (const step of film.steps) {
    if (bits.frames.length >= most) break
    bits.play(step)
  }
  return bits.frames
}
