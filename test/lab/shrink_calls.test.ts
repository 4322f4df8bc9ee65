// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { callScenarios, callsOf, type CallScenario } from '../../code/lab/guest_calls.ts'
import { shrinkCalls, withoutParts } from '../../code/lab/shrink_calls.ts'
import type { ReplayStep } from '../../code/machine/replay_steps.ts'

const steps: ReplayStep[] = Array.from({ length: 12 }, (_, buffer) => ({ call: 'free', buffer }))

// Differs as long as it has these calls.
const needs =
  (...buffers: number[]) =>
  async (scenarios: readonly CallScenario[]): Promise<number[]> =>
    scenarios.flatMap((each, place) => {
      const has = new Set(each.steps.map((step) => (step.call === 'free' ? step.buffer : -1)))
      return buffers.every((buffer) => has.has(buffer)) ? [place] : []
    })

describe('shrinkCalls()', () => {
  it('leaves the calls that matter, in their order', async () => {
    const short = await shrinkCalls({ seed: 5, steps }, needs(2, 9))
    expect(short).toEqual({ seed: 5, steps: [steps[2], steps[9]] })
  })

  it('gives the sequence back when nothing can be left out', async () => {
    const all = { seed: 5, steps }
    expect(await shrinkCalls(all, async () => [])).toBe(all)
  })

  it('does not boot for ever', async () => {
    let boots = 0
    const long = Array.from({ length: 64 }, (_, buffer): ReplayStep => ({ call: 'free', buffer }))
    await shrinkCalls({ seed: 1, steps: long }, (scenarios) => {
      boots++
      return needs(...Array.from({ length: 60 }, (_, i) => i))(scenarios)
    })
    expect(boots).toBeLessThanOrEqual(10)
  })
})

describe('withoutParts()', () => {
  it('leaves out each part once', () => {
    expect(withoutParts(steps, 3).map((each) => each.length)).toEqual([8, 8, 8])
    expect(withoutParts(steps.slice(0, 2), 5)).toEqual([[steps[1]], [steps[0]]])
  })
})

describe('callsOf()', () => {
  it('knows to which scenario each call belongs', () => {
    const scenarios = callScenarios({ seed: 3, scenarios: 4 })
    const { steps: all, scenario } = callsOf(scenarios)
    expect(scenario).toHaveLength(all.length)
    expect([...new Set(scenario)]).toEqual([-1, 0, 1, 2, 3])
    expect(all.slice(scenario.indexOf(2))).toEqual(expect.arrayContaining([...scenarios[2]!.steps]))
  })
})
