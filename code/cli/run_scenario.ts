// SPDX-License-Identifier: MIT
//
// Runs a scenario and puts what came of it into words, a trace, a picture or JSON.
import { Complaint } from '../lib/complaint.ts'
import { formatDiagnostic } from '../lib/diagnostic.ts'
import { modelledKernel, type KernelVersion } from '../lib/kernel_version.ts'
import { formatTrace, formatTraceRecord } from '../lib/trace_format.ts'
import { gfpNames } from '../lib/gfp_names.ts'
import { spellFields, type Fields } from '../machine/scenario_context.ts'
import { runScenario, type RunReport, type StepReport } from '../machine/scenario_run.ts'
import { shownLines } from '../machine/scenario_steps_look.ts'
import { readBeside, type FoundScenario } from './run_list.ts'

export interface RunWords {
  readonly kernel?: string
  readonly trace?: true
  readonly traceAs?: '6.1' | '6.12'
  readonly draw?: true
  readonly json?: true
  readonly seed?: string
}

// One of the scenario's kernels, by its patch level or its series.
function chosenKernel({ name, scenario }: FoundScenario, wanted: string | undefined): KernelVersion {
  if (wanted === undefined) return scenario.kernels[0]!
  const kernel = modelledKernel(wanted)?.kernel
  if (kernel && scenario.kernels.includes(kernel)) return kernel
  const text = `scenario ${name} is for Linux ${scenario.kernels.join(', ')}, not ${wanted}`
  const next = [`Run it on one of those, or without --kernel, on ${scenario.kernels[0]!}.`]
  throw new Complaint({ text, exitCode: 2, next })
}

function chosenSeed({ name, scenario }: FoundScenario, seed: string | undefined): number | undefined {
  if (seed === undefined) return undefined
  if (!/^\d+$/.test(seed) || Number(seed) >= 2 ** 32) {
    const text = `--seed: got ${seed || '""'}, expected a whole number from 0 to ${2 ** 32 - 1}`
    throw new Complaint({ text, exitCode: 2 })
  }
  if (scenario.steps.some((step) => step.pin_user_pages?.byLot)) return Number(seed)
  const text = `--seed: got ${seed}, expected none: scenario ${name} draws nothing by lot`
  throw new Complaint({ text, exitCode: 2, next: ['Run it without; pin_user_pages: { byLot: true } draws.'] })
}

/** Runs it; the text to print, what is wrong beside a trace or a picture, and the verdict. @throws Complaint (2) for a kernel or a seed that will not do */
export function runNamed(
  found: FoundScenario,
  words: RunWords,
  columns: number | undefined,
): { text: string; wrong: string; verdict: RunReport['verdict'] } {
  const kernel = chosenKernel(found, words.kernel)
  const seed = chosenSeed(found, words.seed)
  const report = runScenario(found.scenario, {
    kernel,
    readText: readBeside(found),
    ...(seed === undefined ? {} : { seed }),
  })
  const { verdict } = report
  if (words.json) return { text: json(found, report), wrong: '', verdict }
  const width = Math.max(48, Math.min(columns ?? 80, 200))
  const failures = report.diagnostics.map((each) => `${formatDiagnostic(each)}\n`).join('')
  if (words.trace || words.traceAs || words.draw) {
    const trace = words.trace || words.traceAs ? traceText(report, words.traceAs) : ''
    return { text: trace + (words.draw ? drawing(report, width) : ''), wrong: failures, verdict }
  }
  return { text: story(found, report) + failures + summary(report), wrong: '', verdict }
}

function json({ name }: FoundScenario, { system, ...report }: RunReport): string {
  const text = JSON.stringify({ name, ...report, arch: system?.machine.arch ?? null }, replaceBig, 2)
  return `${text}\n`
}

const replaceBig = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `0x${value.toString(16)}` : value

// Fields that only the other kernel's events have cannot be printed.
function traceText({ trace, kernel, system }: RunReport, as: '6.1' | '6.12' | undefined): string {
  const printAs = as ? modelledKernel(as)!.kernel : kernel
  const bits = system?.machine.arch === 'arm' ? 32 : 64
  try {
    return formatTrace(trace, printAs, { bits })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const text = `--trace-as ${as ?? kernel}: the trace is of Linux ${kernel}: ${why}`
    throw new Complaint({ text, exitCode: 2, next: [`Run it on that kernel: --kernel ${as ?? kernel}`] })
  }
}

function drawing({ system }: RunReport, width: number): string {
  if (!system) return ''
  const lines = [...shownLines(system, 'memory', width), '', ...shownLines(system, 'bitmap', width)]
  return `${lines.join('\n')}\n`
}

// Lines of a step's trace that are shown before `--trace` is pointed at.
const MOST = 12

function story({ scenario }: FoundScenario, report: RunReport): string {
  const { title, kernel, system, steps } = report
  const others = scenario.kernels.filter((each) => each !== kernel)
  const also = others.length > 0 ? ` (--kernel: also ${others.join(', ')})` : ''
  const head = `${title}\nLinux ${kernel} on ${scenario.arch}${also}\n${scenario.file}, its lines on the left\n`
  const about = scenario.about ? `\n${scenario.about.trim()}\n` : ''
  const bits = system?.machine.arch === 'arm' ? 32 : 64
  return `${head}${about}\n${steps.map((step) => stepText(step, kernel, bits)).join('')}`
}

function stepText(step: StepReport, kernel: KernelVersion, bits: 32 | 64): string {
  const { line, verb, args, as, note, fields, shown, trace } = step
  const asked = [' ', verb === 'expect' ? expectedText(args) : askedText(args)].join('').trimEnd()
  const given = Object.keys(fields).length > 0 ? `\n        ${spellFields(withoutEchoes(fields))}` : ''
  const named = as === null ? '' : ` as ${as}`
  const lines = trace.flatMap((record) => formatTraceRecord(record, kernel, bits) ?? [])
  const few = lines.slice(0, MOST).map((each) => `      | ${each}\n`)
  const more = lines.length > MOST ? `      | … ${lines.length - MOST} more: --trace\n` : ''
  const files = shown.flatMap((file) => file.lines.map((each) => `      ${each}\n`))
  const told = note === null ? '' : `      # ${note}\n`
  return `${told}${String(line).padStart(4)}  ${verb}${asked}${named}${given}\n${few.join('')}${more}${files.join('')}`
}

// Bytes that are a text are shown as that, and equal ones as one.
function withoutEchoes({ bytes, text, byte, ...fields }: Fields): Fields {
  if (bytes === undefined) return fields
  if (typeof byte === 'number') return { byte, ...fields }
  return typeof text === 'string' && /^[\x20-\x7e]+$/.test(text) ? { text, ...fields } : { bytes, ...fields }
}

// What an `expect` looks at, a line each; what of it does not hold is told below the steps.
function expectedText(args: StepReport['args']): string {
  const { log = [], noLog = [], iomem = [], ...numbers } = args as Record<string, unknown[]>
  const line = (each: unknown): string => JSON.stringify(each)
  const told = (key: string, value: unknown): string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, below]) => told(`${key} ${name}`, below))
      : [`${key} ${line(value)}`]
  const all = [
    ...log.map((each) => `log ${line(each)}`),
    ...noLog.map((each) => `no log ${line(each)}`),
    ...iomem.map((each) => `iomem ${line(each)}`),
    ...Object.entries(numbers).flatMap(([key, value]) => (value === undefined ? [] : told(key, value))),
  ]
  return all.map((each) => `\n        ${each}`).join('')
}

function askedText(args: Readonly<Record<string, unknown>>): string {
  return Object.entries(args)
    .filter(([, value]) => value !== undefined && value !== false && value !== 0)
    .map(([key, value]) => `${key}=${shortly(key, value)}`)
    .join(' ')
}

function spellBytes(bytes: readonly number[]): string {
  const text = new TextDecoder().decode(Uint8Array.from(bytes))
  if (/^[\x20-\x7e]+$/.test(text)) return JSON.stringify(text)
  const same = bytes.every((each) => each === bytes[0])
  return same ? `${bytes.length}×${bytes[0] ?? 0}` : `[${bytes.length} bytes]`
}

function shortly(key: string, value: unknown): string {
  if (key === 'gfp' && typeof value === 'number') return gfpNames(value)
  if (key === 'bytes' && Array.isArray(value)) return spellBytes(value as number[])
  if (Array.isArray(value) && value.length > 8) return `[${value.length} bytes]`
  if (typeof value === 'number' && value >= 0x10000) return `0x${value.toString(16)}`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function summary({ verdict, expectations, diagnostics, steps }: RunReport): string {
  const failed = diagnostics.length
  if (verdict === 'broken')
    return `\nended after ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}: the next cannot be done\n`
  if (failed > 0) return `\n${failed} of ${expectations} expectations failed\n`
  if (expectations === 0) return '\nnothing was expected\n'
  return expectations === 1 ? '\nthe expectation holds\n' : `\nall ${expectations} expectations hold\n`
}
