// SPDX-License-Identifier: MIT
//
// A frame of a film: what is known of the pages after a step. Frames are made when they are looked at: the nearest kept
// one before it, and the steps since.
import type { Film, Step } from './film_types.ts'
import { painted, type Run } from './runs.ts'

export interface FilmFrame {
  /** 0-based. */
  readonly at: number
  readonly step: Step
  readonly runs: readonly Run[]
}

/** Every so many steps a frame is kept. */
const KEEP_EVERY = 64

/** Gives the frames of `film`, in any order. @cost at most 64 steps are played for one */
export function openFilm(film: Film): (at: number) => FilmFrame {
  const kept: (readonly Run[])[] = []
  // Runs before step `64 * block`.
  const before = (block: number): readonly Run[] => {
    if (block === 0) return []
    return (kept[block] ??= played(
      before(block - 1),
      film.steps,
      (block - 1) * KEEP_EVERY,
      block * KEEP_EVERY,
    ))
  }
  return (at) => {
    const step = film.steps[at]
    if (!step) throw new RangeError(`film: got step ${at}, expected 0 to ${film.steps.length - 1}`)
    const block = Math.floor(at / KEEP_EVERY)
    return { at, step, runs: played(before(block), film.steps, block * KEEP_EVERY, at + 1) }
  }
}

function played(runs: readonly Run[], steps: readonly Step[], from: number, to: number): readonly Run[] {
  let now = runs
  for (const { paints } of steps.slice(from, to)) for (const paint of paints) now = painted(now, paint)
  return now
}
