// SPDX-License-Identifier: MIT
//
// What may stand in the fence of a widget, by kind. For the build alone: the page gets what has passed.
import type { z } from 'zod'
import { BitmapScenario } from './bitmap_scenario.ts'
import { BuddyScenario } from './buddy_scenario.ts'
import { AddressesScenario } from './addresses_scenario.ts'
import { CacheScenario } from './cache_scenario.ts'
import { CallsScenario } from './calls_scenario.ts'
import { WalkScenario } from './walk_scenario.ts'
import type { FilmKind } from './kinds_frames.ts'

export const SCENARIOS = {
  'buddy-lists': BuddyScenario,
  'cma-bitmap': BitmapScenario,
  'cache-lines': CacheScenario,
  'page-walk': WalkScenario,
  'three-addresses': AddressesScenario,
  'calls-over-time': CallsScenario,
} satisfies Record<FilmKind, z.ZodType>
