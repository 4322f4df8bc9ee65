// SPDX-License-Identifier: MIT
//
// What makes a film of a scenario, by kind: the part of a widget that runs the models. In Node for the first frame, in
// the worker for all of them.
import { bitmapFrames } from './bitmap_frames.ts'
import { buddyFrames } from './buddy_frames.ts'
import { addressesFrames } from './addresses_frames.ts'
import { cacheFrames } from './cache_frames.ts'
import { callsFrames } from './calls_frames.ts'
import type { Frame } from './frame.ts'
import { walkFrames } from './walk_frames.ts'

/** The scenario is what the kind's schema let through (kinds_scenario.ts), and perhaps a number that a reader dragged. */
export type MakesFrames = (scenario: never) => readonly Frame[]

export const FRAMES = {
  'buddy-lists': buddyFrames,
  'cma-bitmap': bitmapFrames,
  'cache-lines': cacheFrames,
  'page-walk': walkFrames,
  'three-addresses': addressesFrames,
  'calls-over-time': callsFrames,
} satisfies Record<string, MakesFrames>

export type FilmKind = keyof typeof FRAMES

/** The frames of a scenario of this kind, one at least. */
export function framesOf(kind: FilmKind, scenario: unknown): readonly Frame[] {
  const frames = (FRAMES[kind] as (scenario: unknown) => readonly Frame[])(scenario)
  if (frames.length === 0)
    throw new Error(`widget: a scenario of kind ${kind} gave no frame, expected one at least`)
  return frames
}
