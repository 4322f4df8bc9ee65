// SPDX-License-Identifier: MIT
//
// Calls by chance, model against kernel: makes on the model what replay_run has made on the kernel (guest_calls.ts), and
// holds every answer and event against the kernel's.
import { gunzipSync } from 'node:zlib'
import { Complaint } from '../lib/complaint.ts'
import { dma_to_phys } from '../dma/dma_address.ts'
import { type Answer, readAnswers } from '../machine/replay_answers.ts'
import {
  compareAnswers,
  type Owner,
  takenBits,
  takenByEvents,
  type ReplayComparison,
  type ReplayDifference,
} from '../machine/replay_compare.ts'
import { makeCall, type Replay, startReplay } from '../machine/replay_model.ts'
import { spellStep } from '../machine/replay_steps.ts'
import { startSystem } from '../machine/system.ts'
import { UNDETERMINED } from '../machine/undetermined.ts'
import { callsOf, type CallScenario } from './guest_calls.ts'
import { optionsBeside } from './model_system.ts'
import type { Observed } from './run_lab.ts'

/** What was found in one boot. */
export interface CallsCompared {
  readonly scenarios: number
  readonly calls: number
  readonly comparison: ReplayComparison
  /** What the kernel answered. */
  readonly answers: readonly Answer[]
  /** Scenarios that differ, by their place in the list; -1: before the first. */
  readonly failing: readonly number[]
  /** Each difference in words. */
  readonly told: readonly string[]
}

function handedOver({ collected }: Observed, name: string): string {
  const text = collected[name]
  if (text) return gunzipSync(Buffer.from(text, 'base64')).toString('utf8')
  throw new Complaint({
    text: `the boot handed no ${name} over`,
    next: [
      'A lab with calls collects answers and events, gzipped: see chapters/11-cma-alloc/labs/conformance.yaml.',
    ],
  })
}

// Whose memory an address is: by the areas and regions of the model, which the boot lines have been compared by.
function ownerOf({ system, devices }: Replay): Owner {
  const { machine, cma } = system
  const places = [...cma, ...machine.reserved_mem.regions]
  return (device, address) => {
    const { dev } = devices.get(device)!
    const phys = dma_to_phys(machine.kernel, dev, parseInt(address, 16))
    return places.find(({ base, size }) => phys >= base && phys < base + size)?.name ?? null
  }
}

/**
 * Compares one boot, or only its first sequences of calls.
 * @throws Complaint when the kernel is not modelled, or handed not over what is needed
 */
export function compareCalls(
  observed: Observed,
  scenarios: readonly CallScenario[],
  first = scenarios.length,
): CallsCompared {
  const { steps: all, scenario } = callsOf(scenarios)
  const kernel = readAnswers(handedOver(observed, 'answers'), handedOver(observed, 'events'), all.length)
  const steps = all.filter((_step, number) => scenario[number]! < first)
  const replay = startReplay(startSystem(optionsBeside(observed)))
  const taken = { model: takenBits(replay.system.cma), kernel: takenByEvents(kernel.before) }
  const model = steps.map((step) => makeCall(replay, step))
  const comparison = compareAnswers(steps, model, kernel.answers, ownerOf(replay))
  compareTaken(comparison, taken)
  const place = ({ step }: ReplayDifference) => scenario[step] ?? -1
  const failing = [...new Set(comparison.different.map(place))]
  const told = comparison.different.map((each) => {
    const seed = scenarios[place(each)]?.seed
    const where = each.step < 0 ? 'boot' : `seed ${seed ?? 'none'}, ${spellStep(steps[each.step]!)}`
    return `${where}: ${each.what}: the kernel says ${each.kernel ?? 'nothing'}; the model says ${each.model ?? 'nothing'}`
  })
  const { answers } = kernel
  return { scenarios: first, calls: steps.length, comparison, answers, failing, told }
}

// What was taken from the areas until the first call: the model has found it by itself.
function compareTaken(
  comparison: ReplayComparison,
  { model, kernel }: Record<'model' | 'kernel', string[]>,
): void {
  for (let i = 0; i < Math.max(model.length, kernel.length); i++) {
    comparison.compared++
    const pair = { model: model[i] ?? null, kernel: kernel[i] ?? null }
    if (pair.model !== pair.kernel)
      comparison.different.push({ step: -1, what: `range ${i + 1} taken at boot`, ...pair })
  }
}

/** What was not compared, and why: a line each. */
export function undeterminedLines(undetermined: ReplayComparison['undetermined']): string[] {
  return [...undetermined].map(([name, times]) => {
    const { what, reason } = UNDETERMINED[name]
    return `not compared, ${times} times: ${what} (${reason})`
  })
}
