// SPDX-License-Identifier: MIT
//
// What may stand in the fence of a widget, by kind. For the build alone: the page gets what has passed.
import type { z } from 'zod'
import { BitmapScenario } from './bitmap_scenario.ts'
import { BuddyScenario } from './buddy_scenario.ts'
import type { FilmKind } from './kinds_frames.ts'

export const SCENARIOS = {
  'buddy-lists': BuddyScenario,
  'cma-bitmap': BitmapScenario,
} satisfies Record<FilmKind, z.ZodType>
