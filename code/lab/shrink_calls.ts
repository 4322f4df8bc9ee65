// SPDX-License-Identifier: MIT
//
// A sequence of calls on which model and kernel differ, made as short as it goes: parts are left out, all the ways to do so
// are tried in one boot, and the shortest that still differs is cut again.
//
//     round 1   ░░▒▒▒▒▒▒  ▒▒░░▒▒▒▒  ▒▒▒▒░░▒▒  ▒▒▒▒▒▒░░     one boot, four sequences
//     round 2   …                                           until nothing can be left out
import type { ReplayStep } from '../machine/replay_steps.ts'
import type { CallScenario } from './guest_calls.ts'

/** Boots, makes the sequences, and says by its place which of them differ. */
export type Differing = (scenarios: readonly CallScenario[]) => Promise<readonly number[]>

/** Boots that a sequence is worth. */
const MOST_BOOTS = 10

/** The sequences with one of `parts` equal parts left out. */
export function withoutParts(steps: readonly ReplayStep[], parts: number): ReplayStep[][] {
  const cuts = Math.min(parts, steps.length)
  return Array.from({ length: cuts }, (_, i) => {
    const from = Math.floor((i * steps.length) / cuts)
    const to = Math.floor(((i + 1) * steps.length) / cuts)
    return [...steps.slice(0, from), ...steps.slice(to)]
  })
}

/** The shortest sequence that was found to differ still; `scenario` itself when none of its parts does by itself. */
export async function shrinkCalls(scenario: CallScenario, differing: Differing): Promise<CallScenario> {
  let shortest = scenario
  for (let boots = 0, parts = 2; boots < MOST_BOOTS && shortest.steps.length > 1; boots++) {
    const tried = [parts, parts * 2, shortest.steps.length].flatMap((each) =>
      withoutParts(shortest.steps, each),
    )
    const candidates = tried.map((steps) => ({ seed: scenario.seed, steps }))
    const found = (await differing(candidates)).flatMap((place) => candidates[place] ?? [])
    const best = found.sort((a, b) => a.steps.length - b.steps.length)[0]
    if (!best) return shortest
    shortest = best
    parts = 2
  }
  return shortest
}
