// SPDX-License-Identifier: MIT
//
// Calls by chance as the guest gets them: the file /programs/calls, which replay_run reads.
//
//     warming up │ scenario of seed 1 │ giving back │ scenario of seed 2 │ giving back │ …
import { join } from 'node:path'
import { createRng } from '../lib/rng.ts'
import { givingBack, randomScenario, REPLAY_BOARD, warmingUp } from '../machine/random_scenario.ts'
import { replayScript, type ReplayStep } from '../machine/replay_steps.ts'
import { contentKey, type Cache } from './cache.ts'
import type { GuestBuild } from './guest_build.ts'

/** A sequence by itself, with what gives everything back: model and kernel are afterwards as they were before. */
export interface CallScenario {
  /** The seed it was drawn from. */
  readonly seed: number
  readonly steps: readonly ReplayStep[]
}

/** The scenarios of seeds `seed`, `seed + 1`, … */
export function callScenarios({ seed, scenarios }: { seed: number; scenarios: number }): CallScenario[] {
  return Array.from({ length: scenarios }, (_, i) => {
    return { seed: seed + i, steps: randomScenario(createRng(seed + i), REPLAY_BOARD) }
  })
}

/** All calls of a boot, and to which scenario each belongs: -1 before the first. */
export function callsOf(scenarios: readonly CallScenario[]): { steps: ReplayStep[]; scenario: number[] } {
  const steps = warmingUp()
  const scenario = steps.map(() => -1)
  scenarios.forEach((each, index) => {
    const whole = [...each.steps, ...givingBack(each.steps)]
    steps.push(...whole)
    scenario.push(...whole.map(() => index))
  })
  return { steps, scenario }
}

/** The file. */
export function buildCalls(cache: Cache, scenarios: readonly CallScenario[]): GuestBuild {
  const text = replayScript(callsOf(scenarios).steps)
  const key = contentKey(text)
  const final = cache.path('calls', key)
  const part = cache.part(final)
  return {
    key,
    sources: [],
    files: [join(final, 'calls')],
    step: {
      title: `write ${scenarios.length} sequences of calls`,
      makes: { final, part },
      commands: [{ do: 'write', path: join(part, 'calls'), text }],
    },
  }
}
