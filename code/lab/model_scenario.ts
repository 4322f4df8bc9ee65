// SPDX-License-Identifier: MIT
//
// A scenario of the model against a boot that did the same: the model plays it on the machine that booted here, and the
// events that the scenario asks for (`trace`) must be, in order, those that the kernel recorded.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { KernelVersion } from '../lib/kernel_version.ts'
import { MOVED_PAGES, MIGRATION_EVENTS, pointerless, tracedEvents } from '../machine/replay_answers.ts'
import { parseScenario } from '../machine/scenario_parse.ts'
import { runScenario } from '../machine/scenario_run.ts'
import { UNDETERMINED } from '../machine/undetermined.ts'
import { optionsBeside } from './model_system.ts'
import type { Observed } from './run_lab.ts'
import type { Compared } from './verdict.ts'

/** Plays `file` and compares. @throws Complaint when the scenario is wrong, or breaks off on this machine */
export function compareScenario(
  observed: Observed,
  root: string,
  file: string,
  kernel: KernelVersion,
): Compared {
  const { scenario, diagnostics } = parseScenario(readFileSync(join(root, file), 'utf8'), file)
  if (!scenario) throw new Complaint({ text: '', diagnostics })
  const report = runScenario(scenario, { kernel, machine: optionsBeside(observed) })
  if (report.verdict === 'broken') throw new Complaint({ text: '', diagnostics: [...report.diagnostics] })
  const unmet = report.diagnostics.map(
    ({ line, text }) => `${file}:${line}: on this machine the model: ${text}`,
  )
  const wanted = (event: string): boolean =>
    (scenario.trace as readonly string[] | undefined)?.includes(event) ?? true
  const model = pointerless(report.trace, kernel)
  const theirs = tracedEvents(observed.collected['trace'] ?? '').filter((line) => wanted(line.split(':')[0]!))
  if (theirs.length > 0) return compareEventLists(model, theirs, unmet)
  throw new Complaint({
    text: `the kernel has recorded none of the events of ${file}`,
    next: ['Let the boot have them under `trace`, and the scenario under its own `trace`.'],
  })
}

/** Line by line; where the kernel has moved pages of other tasks, how many is chance. */
export function compareEventLists(
  model: readonly string[],
  kernel: readonly string[],
  different: readonly string[] = [],
): Compared {
  const moved = kernel.filter((event) => MOVED_PAGES.test(event)).length
  const compared = (events: readonly string[]) =>
    moved === 0 ? events : events.filter((event) => !MIGRATION_EVENTS.test(event))
  const [mine, other] = [compared(model), compared(kernel)]
  const length = Math.max(mine.length, other.length)
  const found = Array.from({ length }, (_, i) => [mine[i] ?? 'nothing', other[i] ?? 'nothing'] as const)
    .map(([ours, theirs], i) => ({ i, ours, theirs }))
    .filter(({ ours, theirs }) => ours !== theirs)
    .map(({ i, ours, theirs }) => `event ${i + 1}: the kernel says ${theirs}; the model says ${ours}`)
  const { what, reason } = UNDETERMINED['moved-pages']
  const notes = moved > 0 ? [`not compared, ${moved} times: ${what} (${reason})`] : []
  return { compared: length, different: [...different, ...found], notes }
}
