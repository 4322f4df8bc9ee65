// SPDX-License-Identifier: MIT
//
// The model beside the kernel: boots it from the device tree that the kernel got, tells it what that kernel took for
// itself, and compares what the two say: boot lines and /proc/iomem, and where the lab asks for it calls by chance, work of
// a real device and the events of a scenario. What the model is told is in code/machine/observed.ts; the rest it finds.
import { compareWithKernel, type Difference } from '../machine/conformance.ts'
import { startSystem } from '../machine/system.ts'
import { callScenarios } from './guest_calls.ts'
import { type CallsCompared, compareCalls, undeterminedLines } from './model_calls.ts'
import { compareStreaming } from './model_streaming.ts'
import { compareScenario } from './model_scenario.ts'
import { kernelBeside, kernelSpeech, optionsBeside } from './model_system.ts'
import { projectRoot } from './project_root.ts'
import type { Observed } from './run_lab.ts'
import type { Compared } from './verdict.ts'

function told({ what, line, model, kernel }: Difference): string {
  return `${what} line ${line}: the kernel says ${kernel ?? 'nothing'}; the model says ${model ?? 'nothing'}`
}

const comparedCalls = ({ comparison, told: different }: CallsCompared): Compared => {
  return { compared: comparison.compared, different, notes: undeterminedLines(comparison.undetermined) }
}

/**
 * Boots the model of the kernel that was observed and compares their boot lines and the RAM part of /proc/iomem; then, if
 * the boot made calls, of the DMA API or with a real device, their answers.
 * @throws Complaint when this kernel is not modelled, or its log lacks what the model has to be told
 */
export function compareModel(observed: Observed): Compared {
  const { kernel, exact } = kernelBeside(observed)
  // An area that cannot be activated says so only when the page allocator runs.
  const { machine } = startSystem(optionsBeside(observed))
  const { compared, different } = compareWithKernel(machine, {
    dmesg: kernelSpeech(observed),
    iomem: observed.iomem,
  })
  const calls = observed.asked?.calls
  const made = calls ? compareCalls(observed, observed.calls ?? callScenarios(calls)) : null
  const streamed = observed.collected['streaming'] ? compareStreaming(observed) : null
  const file = observed.asked?.scenario
  const played =
    file === undefined ? null : compareScenario(observed, observed.root ?? projectRoot(), file, kernel)
  const patchLevel = `the model is of ${kernel}, the kernel is ${observed.kernel}`
  const parts = [made && comparedCalls(made), streamed, played].filter((part) => part !== null)
  const all = [...different.map(told), ...parts.flatMap((part) => part.different)]
  return {
    compared: parts.reduce((sum, part) => sum + part.compared, compared),
    different: all.length > 0 && !exact ? [...all, patchLevel] : all,
    notes: parts.flatMap((part) => part.notes ?? []),
  }
}
