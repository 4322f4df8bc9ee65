// SPDX-License-Identifier: MIT
//
// Judges a run: a list of checks, each with its reasons when it failed. Pure: the run's transcript in, checks out.
import type { Complaint } from '../lib/complaint.ts'
import { stepWords } from './guest_init.ts'
import { isFirstLine, joinLogs, type LogRecord, logTrouble, readDmesg } from './kernel_log.ts'
import { type KernelName, type KernelTag, speaksOf } from './kernels.ts'
import { ktapFailures, type KtapReport, readKtap } from './ktap.ts'
import { type LabBoot, type LabStep, type Look, type LookFor, patternOf } from './lab_schema.ts'
import type { Piece, Transcript } from './transcript.ts'

/** One thing that was looked at. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** Why it failed, or what was counted. */
  readonly lines: readonly string[]
}

/** How QEMU ended. */
export interface Ending {
  readonly timedOut: boolean
  readonly limit: number
  readonly code: number | null
  /** It printed more than anybody would read, and was stopped. */
  readonly flooded: boolean
  readonly lastLines: readonly string[]
}

const TAIL = 15

function matches(text: string, line: string): boolean {
  const regexp = patternOf(text)
  return regexp ? regexp.test(line) : line.includes(text)
}

const spelled = (
  each: LookFor,
): { text: string; times?: number | undefined; kernels?: KernelName[] | undefined } =>
  typeof each === 'string' ? { text: each } : each

const forKernel = (
  list: readonly LookFor[] | undefined,
  kernel: KernelTag,
): { text: string; times?: number | undefined }[] =>
  (list ?? []).map(spelled).filter((each) => speaksOf(each.kernels, kernel))

/** What is missing in, or wrong with, these lines. */
export function lookThrough(look: Look | undefined, lines: readonly string[], kernel: KernelTag): string[] {
  const wrong: string[] = []
  for (const { text, times } of forKernel(look?.must, kernel)) {
    const count = lines.filter((line) => matches(text, line)).length
    if (count === 0) wrong.push(`missing: ${text}`)
    else if (times !== undefined && count !== times) wrong.push(`${count} times instead of ${times}: ${text}`)
  }
  for (const { text } of forKernel(look?.mustNot, kernel)) {
    for (const line of lines.filter((each) => matches(text, each))) wrong.push(`must not be there: ${line}`)
  }
  return wrong
}

const check = (name: string, lines: readonly string[]): Check => ({ name, ok: lines.length === 0, lines })
const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/** What the kernel log says, without the marks that our own init leaves in it. */
export interface MarkedLog {
  readonly records: readonly LogRecord[]
  /** The step during which a record came; null before the first. */
  readonly steps: readonly (number | null)[]
}

/** Splits a log at the marks that the guest's init wrote into it. */
export function markedLog(log: readonly LogRecord[]): MarkedLog {
  const records: LogRecord[] = []
  const steps: (number | null)[] = []
  let step: number | null = null
  for (const record of log) {
    const mark = /^contig: (?:began|step (\d+))$/.exec(record.text)
    if (mark) {
      step = mark[1] === undefined ? step : Number(mark[1])
    } else {
      records.push(record)
      steps.push(step)
    }
  }
  return { records, steps }
}

function endingCheck(transcript: Transcript, ending: Ending, titleOf: (step: number) => string): Check {
  if (transcript.done) return check('the board ran to its end', [])
  const panic = transcript.other.find((line) =>
    /Kernel panic|Unable to handle kernel|Internal error/.test(line),
  )
  const what = ending.flooded
    ? 'it printed without end and was stopped'
    : ending.timedOut
      ? `it did not end within ${ending.limit} s`
      : panic
        ? `the kernel stopped: ${panic.replace(/^\[[^\]]*\] /, '')}`
        : ending.code === null
          ? 'QEMU was killed by a signal, and not by us'
          : `QEMU ended by itself (exit ${ending.code})`
  const { lastStep } = transcript
  const during = lastStep === null ? 'before the first step' : `during “${titleOf(lastStep)}”`
  const tail = ending.lastLines.slice(-TAIL).map((line) => `  ${line}`)
  return check('the board ran to its end', [`${what}, ${during}; the last lines:`, ...tail])
}

function stepCheck(step: LabStep, title: string, piece: Piece | undefined, kernel: KernelTag): Check {
  if (!piece) return check(title, ['did not end'])
  if (!piece.whole) return check(title, ['what it printed did not arrive whole on the serial line'])
  const right = step.exit ?? 0
  const printed = linesOf(piece.text)
  const wrong = lookThrough(step.output, printed, kernel)
  if (step.run !== undefined && step.ktap !== false) {
    const failures = ktapFailures(readKtap(piece.text), step.skip)
    if (failures.length > 0) wrong.unshift(...failures)
    else if (piece.exit !== right)
      wrong.unshift(`its tests passed, but it left with ${piece.exit} instead of ${right}`)
  } else if (piece.exit !== right) {
    wrong.unshift(
      `left with ${piece.exit} instead of ${right}`,
      ...printed.slice(-TAIL).map((line) => `  ${line}`),
    )
  }
  return check(title, wrong)
}

function logChecks(
  log: MarkedLog,
  boot: LabBoot,
  kernel: KernelTag,
  titleOf: (step: number) => string,
): Check[] {
  const allowed = forKernel(boot.expect?.log?.allow, kernel)
  const trouble = logTrouble(log.records, (text) => allowed.some((each) => matches(each.text, text)))
  const told = trouble.map(({ text, means }) => {
    const step = log.steps[log.records.findIndex((record) => record.text === text)] ?? null
    return `${text}  (${means}${step === null ? '' : `; during “${titleOf(step)}”`})`
  })
  const lines = log.records.map((record) => record.text)
  const checks = [check('no warning in the kernel log', told)]
  if (boot.expect?.log)
    checks.push(check('the kernel log says what it should', lookThrough(boot.expect.log, lines, kernel)))
  return checks
}

/**
 * Whether the log buffer still held all that was logged since the console went quiet, and what a quiet console had not
 * shown before: a warning that was overwritten is a warning that nobody saw.
 */
export function wholeLogCheck(boot: LabBoot, transcript: Transcript): Check {
  const lines = readDmesg(transcript.texts.get('dmesg')?.text ?? '').map(({ text }) => text)
  const whole = lines.includes('contig: began') && (boot.compare !== undefined || lines.some(isFirstLine))
  return check(
    'the kernel log is whole',
    whole
      ? []
      : [
          'so much was logged that its first lines were overwritten: give the boot a larger log_buf_len= under cmdline',
        ],
  )
}

/** Lines of /proc/iomem that are only before, or only after. */
function leftInIomem(before: string, after: string): string[] {
  const [old, fresh] = [linesOf(before), linesOf(after)]
  return [
    ...fresh.filter((line) => !old.includes(line)).map((line) => `left in /proc/iomem: ${line.trim()}`),
    ...old.filter((line) => !fresh.includes(line)).map((line) => `gone from /proc/iomem: ${line.trim()}`),
  ]
}

// What the kernel says on its way down ("reboot: Power down") is no part of its log.
const beforeDone = ({ other, done }: Transcript): readonly string[] =>
  done ? other.filter((line) => !/ reboot: (Power down|Restarting system)/.test(line)) : other

export interface Judged {
  readonly checks: readonly Check[]
  /** The report of each program, by the number of its step. */
  readonly ktap: ReadonlyMap<number, KtapReport>
  readonly log: MarkedLog
}

/** Judges one boot. What a model says of it is added later (compareCheck). */
export function judge(boot: LabBoot, kernel: KernelTag, transcript: Transcript, ending: Ending): Judged {
  const steps = boot.steps ?? []
  const titleOf = (step: number): string => (steps[step] ? stepWords(steps[step]).title : `step ${step}`)
  const checks: Check[] = [endingCheck(transcript, ending, titleOf)]
  const ktap = new Map<number, KtapReport>()
  const notRun: string[] = []
  steps.forEach((step, number) => {
    const piece = transcript.steps.get(number)
    if (!piece && number !== transcript.lastStep) {
      notRun.push(titleOf(number))
      return
    }
    if (piece && step.run !== undefined && step.ktap !== false) ktap.set(number, readKtap(piece.text))
    checks.push(stepCheck(step, titleOf(number), piece, kernel))
  })
  if (notRun.length > 0)
    checks.push(
      check(
        'every step ran',
        notRun.map((title) => `not run after what went wrong: ${title}`),
      ),
    )

  // A board that died handed no log over; what it printed on its way down is all there is.
  const dmesg = readDmesg(transcript.texts.get('dmesg')?.text ?? transcript.other.join('\n'))
  const log = markedLog(boot.compare === undefined ? dmesg : joinLogs(beforeDone(transcript), dmesg))
  if (!transcript.done) return { checks, ktap, log }
  checks.push(...logChecks(log, boot, kernel, titleOf))
  const iomem = transcript.texts.get('iomem')?.text ?? ''
  const modules = linesOf(transcript.texts.get('modules')?.text ?? '').map((line) => `still loaded: ${line}`)
  const before = transcript.texts.get('iomem-before')?.text ?? ''
  checks.push(check('nothing is left behind', [...modules, ...leftInIomem(before, iomem)]))
  if (boot.expect?.iomem) {
    checks.push(
      check('/proc/iomem says what it should', lookThrough(boot.expect.iomem, linesOf(iomem), kernel)),
    )
  }
  if (boot.trace) {
    const lost = linesOf(transcript.texts.get('trace-lost')?.text ?? 'no trace came back')
    checks.push(
      check(
        'the trace is whole',
        lost.filter((line) => line.trim() !== ''),
      ),
    )
  }
  const leaks = transcript.texts.get('kmemleak')
  if (leaks) checks.push(check('kmemleak found nothing', linesOf(leaks.text)))
  else if (kernel.name === 'debug') checks.push(check('kmemleak found nothing', ['it was not asked']))
  const torn = [...transcript.texts]
    .filter(([, piece]) => !piece.whole)
    .map(([name]) => `${name} did not arrive whole`)
  if (torn.length > 0) checks.push(check('the serial line', torn))
  return { checks, ktap, log }
}

/** What a comparison with a model found. */
export interface Compared {
  readonly compared: number
  readonly different: readonly string[]
  /** What was not compared, and why. */
  readonly notes?: readonly string[]
}

/** The check that a comparison amounts to. Nothing compared is a failure: it would pass for any kernel. */
export function compareCheck({ compared, different, notes = [] }: Compared): Check {
  if (different.length > 0) return check('the model says the same', different)
  if (compared === 0) return check('the model says the same', ['nothing was compared'])
  return {
    name: 'the model says the same',
    ok: true,
    lines: [`${compared} lines compared, 0 different`, ...notes],
  }
}

/** The check for a comparison that could not be made. */
export const compareFailed = (complaint: Complaint): Check =>
  check('the model says the same', [complaint.message])
