// SPDX-License-Identifier: MIT
//
// Calls of the DMA API by chance, on Debian's kernels and on the model, in this run. The boots that agree with the right
// model are then held against wrong ones: each must be found out.
import { beforeAll, describe, expect, it } from 'vitest'
import { callScenarios, callsOf } from '../../code/lab/guest_calls.ts'
import { findLab } from '../../code/lab/lab_list.ts'
import { compareModel } from '../../code/lab/model_beside.ts'
import { type CallsCompared, compareCalls } from '../../code/lab/model_calls.ts'
import { type BootResult, runLab } from '../../code/lab/run_lab.ts'
import { REPLAY_CALLS } from '../../code/machine/replay_steps.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'
import { withWrongModel, WRONG_MODELS } from './wrong_models.ts'

const missing = boardIsMissing()
const lab = findLab(root, 'conformance')
const scenarios = callScenarios({ seed: 1, scenarios: 200 })
const { steps } = callsOf(scenarios)
const kernels = ['6.1', '6.12'] as const

describe.skipIf(missing !== null)(`calls by chance on real kernels${missing ? ` (${missing})` : ''}`, () => {
  const boots = new Map<string, BootResult>()
  const placed = new Map<string, BootResult>()
  const found = new Map<string, CallsCompared>()
  const bootOf = (kernel: string): BootResult => {
    const boot = boots.get(kernel)
    if (!boot) throw new Error(`no boot of ${kernel}`)
    return boot
  }

  beforeAll(async () => {
    const result = await runLab(lab, { kernels, compare: compareModel })
    for (const boot of result.boots.filter((each) => each.boot === 'first-fit')) placed.set(boot.name, boot)
    for (const boot of result.boots.filter((each) => each.boot === 'calls')) {
      boots.set(boot.name, boot)
      const each = compareCalls(boot, scenarios)
      found.set(boot.name, each)
      console.log(
        `calls by chance: Linux ${boot.kernel}: ${each.scenarios} scenarios, ${each.calls} calls, ` +
          `${boot.compared?.compared} values compared, ${boot.compared?.different.length} different, ` +
          `${boot.seconds.toFixed(1)} s`,
      )
    }
  }, 1_200_000)

  it.each(kernels)('%s gets to the end, and nothing is left behind', (kernel) => {
    expect(bootOf(kernel).checks.filter(({ ok }) => !ok)).toEqual([])
  })

  it.each(kernels)(
    '%s and the model answer 200 scenarios alike: places in CMA (MC-2.1, MC-2.2, MC-2.6, MC-2.7, MC-2.9, MC-2.10), ' +
      'regions (MC-5.7), who gives (MC-6.1, MC-6.2, MC-6.3, MC-6.4, MC-6.9), pools (MC-7.1, MC-7.3, MC-7.4, MC-7.5, ' +
      'MC-7.6), mappings (MC-8.3, MC-8.5), what is busy (MC-2.3, MC-3.3)',
    (kernel) => {
      const { told, comparison, scenarios: made } = found.get(kernel)!
      expect(told).toEqual([])
      expect(made).toBeGreaterThanOrEqual(200)
      expect(comparison.compared).toBeGreaterThan(8000)
    },
  )

  it.each(kernels)(
    '%s plays a scenario of the model: the same ten requests, the same events (MC-2.12)',
    (kernel) => {
      const boot = placed.get(kernel)!
      expect(boot.checks.filter(({ ok }) => !ok)).toEqual([])
      const trace = boot.collected['trace']!
      expect(trace.match(/ cma_alloc_finish: /g)).toHaveLength(10)
      const other = trace.replace(/(cma_alloc_finish: name=reserved pfn=0x[0-9a-f]+)00 /, '$180 ')
      expect(other).not.toBe(trace)
      const { different } = compareModel({ ...boot, collected: { ...boot.collected, trace: other } })
      expect(different).toHaveLength(1)
    },
  )

  it.each(kernels)('%s was asked every call, and refused for every reason', (kernel) => {
    const { answers } = found.get(kernel)!
    const seen = new Set(steps.map((step, number) => `${step.call} ${answers[number]!.errno}`))
    expect(new Set(steps.map(({ call }) => call))).toEqual(new Set(REPLAY_CALLS))
    expect([...seen]).toEqual(
      expect.arrayContaining([
        ...['alloc 0', 'alloc -12', 'attach 0', 'attach -16', 'attach -19', 'attach -22', 'detach -16'],
        ...[
          'map 0',
          'map -6',
          'grow -14',
          'dontneed -22',
          'lock 0',
          'mask 0',
          'mask -5',
          'hold 0',
          'hold -22',
        ],
      ]),
    )
    const events = answers.flatMap((answer) => answer.events)
    const count = (pattern: RegExp): number => events.filter((event) => pattern.test(event)).length
    expect(count(/^cma_alloc_busy_retry/)).toBeGreaterThan(5)
    expect(count(/^cma_alloc_finish: .*page=none/)).toBeGreaterThan(2)
    expect(count(/^cma_release/)).toBeGreaterThan(200)
  })

  it.each(kernels)('%s: what is not compared is told with its reason, and is little', (kernel) => {
    const check = bootOf(kernel).checks.find(({ name }) => name === 'the model says the same')
    const notes = check?.lines.slice(1) ?? []
    expect(notes.length).toBeGreaterThan(0)
    for (const note of notes) expect(note).toMatch(/^not compared, \d+ times: .+ \(.+\)$/)
    const { comparison } = found.get(kernel)!
    const leftOut = [...comparison.undetermined.values()].reduce((sum, times) => sum + times, 0)
    expect(leftOut / comparison.compared).toBeLessThan(0.05)
  })

  it('compareCalls() notices one changed address', () => {
    const { collected, ...boot } = bootOf('6.12')
    const first = compareCalls({ ...boot, collected }, scenarios)
    expect(first.told).toEqual([])
    const other = callScenarios({ seed: 1, scenarios: 200 }).map((scenario, index) =>
      index === 7 ? { ...scenario, steps: scenario.steps.map(onePageMore) } : scenario,
    )
    const { failing } = compareCalls({ ...boot, collected }, other)
    expect(failing).toContain(7)
  })

  it.each(WRONG_MODELS)('a wrong model is found: $name', async (model) => {
    const compareWrong = await withWrongModel(model)
    const outcomes = kernels.map((kernel) => {
      try {
        // Most fall at once.
        const some = compareWrong(bootOf(kernel), scenarios, 20).told.length
        return some || compareWrong(bootOf(kernel), scenarios).told.length
      } catch (error) {
        // It falls over its own mistake: a page freed that it never had.
        return String(error)
      }
    })
    expect(outcomes).not.toContain(0)
  })
})

// The same calls, but every buffer a page longer than the kernel was asked for.
function onePageMore<Step extends (typeof steps)[number]>(step: Step): Step {
  return step.call === 'alloc' ? { ...step, size: step.size + 4096 } : step
}
