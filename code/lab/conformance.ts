// SPDX-License-Identifier: MIT
//
// Model against kernel for as long as one likes: boots the lab with calls by chance, batch after batch, and cuts the first
// sequence on which the two differ down to what matters.
import { Complaint } from '../lib/complaint.ts'
import { spellStep } from '../machine/replay_steps.ts'
import { callScenarios, type CallScenario } from './guest_calls.ts'
import type { KernelName } from './kernels.ts'
import type { Lab } from './lab_file.ts'
import { compareModel } from './model_beside.ts'
import { compareCalls, type CallsCompared, undeterminedLines } from './model_calls.ts'
import { type BootResult, type Observed, runLab, type RunOptions } from './run_lab.ts'
import { shrinkCalls } from './shrink_calls.ts'

/** Sequences that one boot makes. */
const BATCH = 500

/** What became of one kernel. */
export interface ConformanceResult {
  readonly kernel: string
  readonly scenarios: number
  readonly calls: number
  readonly compared: number
  readonly different: number
  readonly seconds: number
  /** What was not compared, and why. */
  readonly notes: readonly string[]
  /** The first sequence that differs, cut down, and the differences; empty when there is none. */
  readonly first: readonly string[]
}

interface Boot {
  readonly boot: BootResult
  readonly found: CallsCompared
}

async function bootWith(
  lab: Lab,
  kernel: KernelName,
  scenarios: readonly CallScenario[],
  options: RunOptions,
): Promise<Boot> {
  let found: CallsCompared | null = null
  const compare = (observed: Observed) => {
    found = compareCalls(observed, scenarios)
    return compareModel(observed)
  }
  const result = await runLab(lab, {
    ...options,
    kernels: [kernel],
    boots: ['calls'],
    calls: scenarios,
    compare,
  })
  const boot = result.boots[0]!
  const wrong = boot.checks.filter((check) => !check.ok && check.name !== 'the model says the same')
  if (found && wrong.length === 0) return { boot, found }
  const said = boot.checks.filter((check) => !check.ok).flatMap(({ name, lines }) => [name, ...lines])
  throw new Complaint({
    text: [`${lab.name} on ${kernel} did not get to the end`, ...said, boot.log].join('\n  '),
  })
}

/** Runs `count` sequences from `seed` on, on one kernel; ends with the first batch in which some differ. */
export async function runConformance(
  lab: Lab,
  kernel: KernelName,
  { seed, count }: { seed: number; count: number },
  options: RunOptions = {},
): Promise<ConformanceResult> {
  const total = { scenarios: 0, calls: 0, compared: 0, different: 0, seconds: 0 }
  const undetermined: CallsCompared['comparison']['undetermined'] = new Map()
  let version: string = kernel
  for (let done = 0; done < count; done += BATCH) {
    const scenarios = callScenarios({ seed: seed + done, scenarios: Math.min(BATCH, count - done) })
    const { boot, found } = await bootWith(lab, kernel, scenarios, options)
    version = boot.kernel
    for (const [why, times] of found.comparison.undetermined) {
      undetermined.set(why, (undetermined.get(why) ?? 0) + times)
    }
    total.scenarios += found.scenarios
    total.calls += found.calls
    total.compared += boot.compared?.compared ?? 0
    total.different += boot.compared?.different.length ?? 0
    total.seconds += boot.seconds
    if (total.different === 0) continue
    const failing = scenarios[found.failing.find((place) => place >= 0) ?? -1]
    const first = failing ? await cutDown(lab, kernel, failing, options) : boot.compared!.different
    return { kernel: version, ...total, notes: undeterminedLines(undetermined), first }
  }
  return { kernel: version, ...total, notes: undeterminedLines(undetermined), first: [] }
}

// The sequence in few calls, and what differs then.
async function cutDown(
  lab: Lab,
  kernel: KernelName,
  scenario: CallScenario,
  options: RunOptions,
): Promise<string[]> {
  const differing = async (scenarios: readonly CallScenario[]) =>
    (await bootWith(lab, kernel, scenarios, options)).found.failing
  const short = await shrinkCalls(scenario, differing)
  const { found } = await bootWith(lab, kernel, [short], options)
  const head = `seed ${scenario.seed}, cut down to ${short.steps.length} of ${scenario.steps.length} calls:`
  const told =
    found.told.length > 0 ? found.told : ['by itself it does not differ: something before it matters']
  return [head, ...short.steps.map((step) => `  ${spellStep(step)}`), ...told]
}
