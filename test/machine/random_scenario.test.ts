// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { createRng } from '../../code/lib/rng.ts'
import { givingBack, randomScenario, REPLAY_BOARD, warmingUp } from '../../code/machine/random_scenario.ts'
import { makeCall, startReplay } from '../../code/machine/replay_model.ts'
import { REPLAY_ATOMIC, REPLAY_CALLS, replayScript, spellStep } from '../../code/machine/replay_steps.ts'
import { takenBits } from '../../code/machine/replay_compare.ts'
import { startSystem } from '../../code/machine/system.ts'
import { replayTree } from './replay_tree.ts'

const drawn = (seed: number) => randomScenario(createRng(seed))
const seeds = Array.from({ length: 200 }, (_, seed) => seed)

describe('randomScenario()', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(drawn(7)).toEqual(drawn(7))
    expect(replayScript(drawn(7))).not.toBe(replayScript(drawn(8)))
  })

  it('covers every call, every device and sizes of every kind', () => {
    const steps = [...warmingUp(), ...seeds.flatMap((seed) => [...drawn(seed), ...givingBack(drawn(seed))])]
    expect(new Set(steps.map(({ call }) => call))).toEqual(new Set(REPLAY_CALLS))
    const allocs = steps.flatMap((step) => (step.call === 'alloc' ? [step] : []))
    expect(new Set(allocs.map(({ device }) => device))).toEqual(new Set(REPLAY_BOARD.map(({ name }) => name)))
    const many = (wanted: (size: number) => boolean) => allocs.filter(({ size }) => wanted(size)).length
    expect(many((size) => size === 4096)).toBeGreaterThan(50)
    expect(many((size) => size % 4096 !== 0)).toBeGreaterThan(30)
    expect(many((size) => size > 2 ** 22)).toBeGreaterThan(30)
    expect(many((size) => size > 2 ** 24)).toBeGreaterThan(3)
  })

  it('keeps atomic buffers so few and small that no atomic pool has to grow', () => {
    for (const seed of seeds) {
      const held = new Map<number, number>()
      for (const step of drawn(seed)) {
        if (step.call === 'alloc' && step.flags & REPLAY_ATOMIC) held.set(step.buffer, step.size)
        else if (step.call === 'alloc' || step.call === 'free') held.delete(step.buffer)
        const bytes = [...held.values()].reduce((sum, size) => sum + size, 0)
        expect(bytes).toBeLessThanOrEqual(64 * 1024)
      }
    }
  })
})

describe('givingBack()', () => {
  it.each(['6.1.192', '6.12.117'] as const)(
    'leaves a machine of %s as it was, whatever was drawn',
    (kernel) => {
      const replay = startReplay(
        startSystem({ tree: replayTree(), kernel, arch: 'arm64', cmdline: 'cma=16M' }),
      )
      for (const step of warmingUp()) makeCall(replay, step)
      const before = takenBits(replay.system.cma)
      const outcomes = new Set<string>()
      for (const seed of seeds.slice(0, 60)) {
        const steps = drawn(seed)
        const answers = [...steps, ...givingBack(steps)].map((step) => {
          const answer = makeCall(replay, step)
          outcomes.add(`${step.call} ${answer.errno}`)
          return answer
        })
        expect(takenBits(replay.system.cma), `seed ${seed}: ${steps.map(spellStep).join('; ')}`).toEqual(
          before,
        )
        expect(answers.at(-3)?.errno).toBe(0)
        expect([replay.buffers.size, replay.mappings.size]).toEqual([0, 0])
        expect([...replay.devices.values()].every(({ buffers, held }) => buffers + held.length === 0)).toBe(
          true,
        )
      }
      expect([...outcomes]).toEqual(
        expect.arrayContaining([
          ...['alloc -12', 'attach -16', 'attach -19', 'attach -22', 'map -6', 'grow -14', 'dontneed -22'],
          ...['mask -5', 'hold -22', 'drop -2', 'free -9'],
        ]),
      )
    },
  )
})
