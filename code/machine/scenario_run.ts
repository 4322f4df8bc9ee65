// SPDX-License-Identifier: MIT
//
// Runs a scenario on a machine of its own, a step at a time, and says what each gave:
//
//     Scenario ─ boardOf() → SystemOptions ─ startSystem() → System ─ steps → RunReport
//
// Two things can go wrong and are not the same: an expectation that does not hold (`failed`: the machine did something
// else), and a step that cannot be done (`broken`: a page freed twice, an order too high). Both are diagnostics at the
// step's line; the second ends the run. Whatever the models throw is of the second kind.

// #region scenario-run
import { Complaint } from '../lib/complaint.ts'
import type { Diagnostic } from '../lib/diagnostic.ts'
import type { KernelVersion } from '../lib/kernel_version.ts'
import { createRng } from '../lib/rng.ts'
import type { TraceRecord } from '../lib/trace.ts'
import { boardOf, type ReadText } from './scenario_board.ts'
import { Fault, type Field, type Fields, type Outcome, type Run, type ShownFile } from './scenario_context.ts'
import { mismatch } from './scenario_expect.ts'
import type { Scenario } from './scenario_parse.ts'
import { doingOf, givesCases, type ScenarioStep } from './scenario_schema.ts'
import { cmaDoers } from './scenario_steps_cma.ts'
import { dmaDoers } from './scenario_steps_dma.ts'
import { hardwareDoers } from './scenario_steps_hardware.ts'
import { lookDoers } from './scenario_steps_look.ts'
import { pageDoers } from './scenario_steps_pages.ts'
import { processDoers } from './scenario_steps_process.ts'
import { streamingDoers } from './scenario_steps_streaming.ts'
import type { Kind } from './scenario_verb.ts'
import { VERBS, type VerbName } from './scenario_verbs.ts'
import { startSystem, type System, type SystemOptions } from './system.ts'

/** What became of a step. */
export interface StepReport {
  readonly line: number
  readonly verb: VerbName
  /** What the step was asked, as its scenario has it. */
  readonly args: Readonly<Record<string, unknown>>
  readonly as: string | null
  readonly note: string | null
  readonly fields: Fields
  readonly shown: readonly ShownFile[]
  /** The events meanwhile that the scenario wants to see. */
  readonly trace: readonly TraceRecord[]
}

/** What became of a scenario. */
export interface RunReport {
  readonly title: string
  readonly kernel: KernelVersion
  readonly verdict: 'passed' | 'failed' | 'broken'
  readonly steps: readonly StepReport[]
  readonly diagnostics: readonly Diagnostic[]
  /** Expectations that were looked at. */
  readonly expectations: number
  readonly trace: readonly TraceRecord[]
  /** The kernel log. */
  readonly log: readonly string[]
  /** The machine afterwards; null when it did not come up. */
  readonly system: System | null
}

export interface RunOptions {
  /** One of the scenario's kernels; the first when unsaid. */
  readonly kernel?: KernelVersion
  /** Instead of the scenario's. */
  readonly seed?: number
  /** Reads a file that lies beside the scenario; null when there is none. */
  readonly readText?: ReadText
  /** A machine to start instead of the scenario's board: one that stands beside a real kernel. */
  readonly machine?: SystemOptions
}

const DOERS = {
  ...pageDoers,
  ...processDoers,
  ...cmaDoers,
  ...dmaDoers,
  ...streamingDoers,
  ...hardwareDoers,
  ...lookDoers,
}

/** Runs a scenario on one kernel. Never throws for what the scenario does wrong. */
export function runScenario(scenario: Scenario, options: RunOptions = {}): RunReport {
  const kernel = options.kernel ?? scenario.kernels[0]!
  const progress: Progress = { steps: [], diagnostics: [], expectations: 0 }
  const { board, diagnostics } = options.machine
    ? { board: options.machine, diagnostics: [] }
    : boardOf(scenario, kernel, options.readText)
  if (!board) return report(scenario, kernel, null, { ...progress, diagnostics })
  const system = started(scenario, board, progress)
  if (!system) return report(scenario, kernel, null, progress)
  const run: Run = {
    ...{ scenario, system, rng: createRng(options.seed ?? scenario.seed), results: new Map(), shown: [] },
    ...{ attempts: [], busy: [], line: 0, verb: 'show', index: 0 },
  }
  scenario.steps.every((step, index) => {
    const wanted = step.kernels?.includes(kernel) ?? true
    return !wanted || runStep(run, step, index, progress)
  })
  return report(scenario, kernel, system, progress)
}

// The machine, traced from here on; null when the kernel does not come up on this board.
function started(scenario: Scenario, board: SystemOptions, { diagnostics }: Progress): System | null {
  try {
    const system = startSystem(board)
    system.trace.enabled = true
    if (system.pgdat.zones.some(({ managed_pages }) => managed_pages > 0)) return system
    throw new Error(
      'board: Linux finds no RAM on it, expected some: see board.ram, board.at or the memory node',
    )
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const at = scenario.locate(['board'], 'key')
    const next = error instanceof Complaint ? error.next.join(' ') : ''
    diagnostics.push({
      ...{ rule: 'scenario-board', severity: 'error', file: scenario.file, ...at, text: error.message },
      ...(next ? { note: next } : {}),
    })
    return null
  }
}

interface Progress {
  readonly steps: StepReport[]
  readonly diagnostics: Diagnostic[]
  expectations: number
}

const BROKEN = /^scenario-(?!expectation$)/

function report(
  scenario: Scenario,
  kernel: KernelVersion,
  system: System | null,
  progress: Progress,
): RunReport {
  const { steps, diagnostics, expectations } = progress
  const broken = diagnostics.some(({ rule }) => BROKEN.test(rule) || rule.startsWith('dts-'))
  const verdict = broken ? 'broken' : diagnostics.length > 0 ? 'failed' : 'passed'
  const trace = wantedEvents(scenario, system?.trace.records ?? [])
  const log = system?.printk.lines ?? []
  return {
    ...{ title: scenario.title, kernel, verdict, steps, diagnostics, expectations, trace, log, system },
  }
}

const wantedEvents = ({ trace }: Scenario, records: readonly TraceRecord[]): TraceRecord[] =>
  records.filter(({ event }) => trace?.includes(event) ?? true)
// #endregion scenario-run

// #region scenario-run-step
// Does a step; false ends the run.
function runStep(run: Run, step: ScenarioStep, index: number, progress: Progress): boolean {
  const { verb, args } = doingOf(step)
  const path = ['steps', index, verb]
  const { line } = run.scenario.locate(path, 'key')
  Object.assign(run, { line, verb, index })
  run.attempts.length = 0
  run.shown.length = 0
  const events = run.system.trace.records.length
  try {
    const outcome = (DOERS[verb] as (run: Run, args: unknown) => Outcome)(run, args)
    note(run, step, outcome, events, progress)
    checkGiven(run, step, index, outcome.fields ?? {}, progress)
    if (outcome.unmet) checkUnmet(run, outcome.unmet, outcome.checked ?? 0, progress)
  } catch (error) {
    progress.diagnostics.push(brokenBy(run, error, path))
    return false
  }
  return true
}
// #endregion scenario-run-step

// #region scenario-run-ends
// Keeps what a step came to: for the report, and under its name.
function note(run: Run, step: ScenarioStep, outcome: Outcome, events: number, { steps }: Progress): void {
  const { line, verb } = run
  const { fields = {}, made } = outcome
  const { args } = doingOf(step)
  const trace = wantedEvents(run.scenario, run.system.trace.records.slice(events))
  const { as = null, note: told = null } = step
  steps.push({ line, verb, args, as, note: told, fields, shown: [...run.shown], trace })
  if (as === null) return
  const kind = (VERBS[verb] as { makes?: Kind }).makes ?? null
  run.results.set(as, { kind, what: made, fields, line, gone: null })
}

// What a reader is told about a step that threw: a fault of the scenario, or misuse that a model noticed.
function brokenBy({ scenario, verb }: Run, error: unknown, path: readonly PropertyKey[]): Diagnostic {
  if (!(error instanceof Error)) throw error
  const fault = error instanceof Fault ? error : null
  const at = scenario.locate(fault?.key ? [...path, fault.key] : path, fault?.key ? 'value' : 'key')
  const rule =
    fault?.rule ??
    (/free already|double free/.test(error.message) ? 'scenario-freed-twice' : 'scenario-misuse')
  const note = fault
    ? fault.note
    : `the models refuse what the kernel would stop at with a BUG; see the step ${verb}`
  return {
    rule,
    severity: 'error',
    file: scenario.file,
    ...at,
    text: error.message,
    ...(note ? { note } : {}),
  }
}

function failure({ scenario, system }: Run, line: number, column: number, text: string): Diagnostic {
  const note = `on Linux ${system.machine.kernel}, ${scenario.arch}`
  return {
    ...{ rule: 'scenario-expectation', severity: 'error', file: scenario.file, line, column, text, note },
  }
}

function checkUnmet(run: Run, unmet: readonly string[], checked: number, progress: Progress): void {
  progress.expectations += checked
  for (const text of unmet) progress.diagnostics.push(failure(run, run.line, 0, text))
}

// Holds what a step gave against what it had to give.
function checkGiven(run: Run, step: ScenarioStep, index: number, fields: Fields, progress: Progress): void {
  const { kernel } = run.system.machine
  const fitting = givesCases(step).find(({ kernels }) => kernels?.includes(kernel) ?? true)
  for (const [field, expected] of Object.entries(fitting?.fields ?? {})) {
    progress.expectations++
    const got: Field = fields[field] ?? null
    const wrong = mismatch(run, field, expected, got)
    if (wrong === null) continue
    const at = run.scenario.locate(['steps', index, 'gives', field], 'value')
    const { line, column } = at.line < run.line ? { line: run.line, column: 0 } : at
    progress.diagnostics.push(failure(run, line, column, `${run.verb}: ${field}: ${wrong}`))
  }
}
// #endregion scenario-run-ends
