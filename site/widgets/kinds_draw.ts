// SPDX-License-Identifier: MIT
//
// What draws a frame, by kind: the part of a widget that the page holds.
import { drawBitmap } from './bitmap_draw.ts'
import { drawBuddyLists } from './buddy_draw.ts'
import { drawAddresses } from './addresses_draw.ts'
import { drawCacheLines } from './cache_draw.ts'
import { drawCalls } from './calls_draw.ts'
import { drawPageWalk } from './walk_draw.ts'
import type { FilmKind } from './kinds_frames.ts'
import type { Frame, KindWords } from './frame.ts'

/** The HTML of the stage: one root element, of the same size for every frame of a film. */
export type Draws = (frame: never, words: never) => string

export const DRAWINGS = {
  'buddy-lists': drawBuddyLists,
  'cma-bitmap': drawBitmap,
  'cache-lines': drawCacheLines,
  'page-walk': drawPageWalk,
  'three-addresses': drawAddresses,
  'calls-over-time': drawCalls,
} satisfies Record<FilmKind, Draws>

/** The stage of a frame. */
export function drawingOf(kind: FilmKind, frame: Frame, words: KindWords): string {
  return (DRAWINGS[kind] as (frame: Frame, words: KindWords) => string)(frame, words)
}
