// SPDX-License-Identifier: MIT
//
// Shows a lab to a person while it runs, and its result as text or as one JSON object.
import pc from 'picocolors'
import type { Progress } from './execute.ts'
import type { BootResult, LabResult } from './run_lab.ts'

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
  const head = `${boot.boot} on Linux ${boot.kernel} (Debian ${boot.packageVersion}): ${boot.verdict}${ktap}`
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

/** The result for a person. */
export function resultText(result: LabResult): string {
  const boots = result.boots.flatMap((boot) => [...bootText(boot), ''])
  const count = `${result.boots.filter((boot) => boot.verdict === 'passed').length} of ${result.boots.length} boots passed`
  return `\n${[...boots, `${result.lab}: ${result.verdict}, ${count}, ${result.seconds.toFixed(1)} s`].join('\n')}\n`
}

/** The result for a program: everything but the bytes of the device tree and the long texts that the log has. */
export function resultJson(result: LabResult): string {
  const boots = result.boots.map(
    ({
      boot,
      series,
      kernel,
      packageVersion,
      abi,
      cmdline,
      verdict,
      checks,
      ktap,
      compared,
      seconds,
      log,
    }) => ({
      boot,
      series,
      kernel,
      packageVersion,
      abi,
      cmdline,
      verdict,
      checks,
      ktap,
      compared,
      seconds,
      log,
    }),
  )
  return `${JSON.stringify({ ...result, boots }, null, 2)}\n`
}
