// SPDX-License-Identifier: MIT
//
// Shows a lab to a person while it runs, and its result as text or as one JSON object.
import pc from 'picocolors'
import type { Progress } from './execute.ts'
import { KERNEL_NAMES } from './kernels.ts'
import type { BootResult, LabResult } from './run_lab.ts'
import type { SkippedBoot } from './ssh_boots.ts'

interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** A progress that prints a line when a step ends; on a terminal it also shows the step that runs. */
export function progressPrinter(stream: Stream): Progress {
  const clear = stream.isTTY ? '\r\u001b[K' : ''
  return ({ title, state, seconds }) => {
    if (state === 'start') {
      if (stream.isTTY)
        stream.write(`${clear}${pc.dim(`   …     ${title}`.slice(0, (stream.columns ?? 80) - 1))}`)
      return
    }
    const time = state === 'cached' ? 'cached ' : `${seconds.toFixed(1)} s`.padStart(7)
    stream.write(`${clear}${time}  ${state === 'failed' ? pc.red(`${title}: failed`) : title}\n`)
  }
}

function bootText(boot: BootResult): string[] {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0, missing: 0 }
  for (const report of boot.ktap) {
    for (const [outcome, count] of Object.entries(report.counts))
      counts[outcome as keyof typeof counts] += count
  }
  const tests = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`)
  const ktap = boot.ktap.length > 0 ? `; KTAP: ${tests.join(', ') || 'no test'}` : ''
  const head = `${boot.boot} on Linux ${boot.kernel} (${boot.origin}): ${boot.verdict}${ktap}`
  const lines = [boot.verdict === 'passed' ? pc.green(head) : pc.red(head)]
  for (const { name, ok, lines: why } of boot.checks) {
    lines.push(
      `  ${ok ? pc.green('ok    ') : pc.red('not ok')} ${name}${ok && why.length > 0 ? `: ${why.join(', ')}` : ''}`,
    )
    if (!ok) lines.push(...why.map((line) => `           ${line}`))
  }
  lines.push(`  log ${boot.log}`)
  return lines
}

/** A result of any board: a real one may skip boots, even all of them. */
export interface Reported extends Omit<LabResult, 'verdict'> {
  readonly verdict: LabResult['verdict'] | 'skipped'
  readonly skipped?: readonly SkippedBoot[]
}

function skippedText({ boot, reason, next }: SkippedBoot): string[] {
  return [pc.yellow(`${boot}: skipped: ${reason}`), ...next.map((line) => `  ${line}`)]
}

/** The result for a person. */
export function resultText(result: Reported): string {
  const skipped = (result.skipped ?? []).flatMap((each) => [...skippedText(each), ''])
  const boots = [...result.boots.flatMap((boot) => [...bootText(boot), '']), ...skipped]
  const count = `${result.boots.filter((boot) => boot.verdict === 'passed').length} of ${result.boots.length} boots passed`
  return `\n${[...boots, `${result.lab}: ${result.verdict}, ${count}, ${result.seconds.toFixed(1)} s`].join('\n')}\n`
}

/** The result for a program: everything but the bytes of the device tree and the long texts that the log has. */
export function resultJson(result: Reported): string {
  const boots = result.boots.map((each) => ({
    ...{ boot: each.boot, name: each.name, series: each.series, kernel: each.kernel, origin: each.origin },
    ...{ cmdline: each.cmdline, verdict: each.verdict, checks: each.checks, ktap: each.ktap },
    ...{ compared: each.compared, seconds: each.seconds, log: each.log },
  }))
  return `${JSON.stringify({ ...result, boots }, null, 2)}\n`
}

/** A row for each lab and boot, a column for each kernel: the seconds from QEMU's start to its end. */
export function resultsTable(results: readonly LabResult[]): string {
  const kernels = KERNEL_NAMES.filter((name) =>
    results.some(({ boots }) => boots.some((boot) => boot.name === name)),
  )
  const rows = results.flatMap(({ lab, boots }) =>
    [...new Set(boots.map(({ boot }) => boot))].map((boot) => [
      `${lab} ${boot}`,
      ...kernels.map((kernel) => {
        const found = boots.find((each) => each.boot === boot && each.name === kernel)
        return found ? `${found.seconds.toFixed(1)}${found.verdict === 'passed' ? '' : ' FAILED'}` : '–'
      }),
    ]),
  )
  const table = [['seconds', ...kernels], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  )
  const boots = results.flatMap((result) => result.boots)
  const passed = boots.filter(({ verdict }) => verdict === 'passed').length
  return `\n${lines.join('\n')}\n\n${results.length} labs, ${passed} of ${boots.length} boots passed\n`
}
