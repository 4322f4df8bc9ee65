// SPDX-License-Identifier: MIT
//
// What a soak came to, as numbers for a table: calls by what became of them, loads, reports of the kernel's checks.
import type { KtapTest } from '../../code/lab/ktap.ts'
import type { BootResult } from '../../code/lab/run_lab.ts'

export interface SoakResult {
  readonly name: string
  readonly verdict: 'passed' | 'failed'
  /** Calls that the fuzzer's processes made, without their children's. */
  readonly calls: number
  readonly seed: string
  readonly children: number
  /** Calls in which the kernel ran out of memory. */
  readonly injected: number
  /** How often the device was taken from its driver meanwhile. */
  readonly away: number
  /** By kind: how often it succeeded, and how often it was refused. */
  readonly kinds: Readonly<Record<string, { readonly ok: number; readonly refused: number }>>
  readonly cycles: number
  /** Lines of the kernel's log that tell of a mistake, and objects that kmemleak found. */
  readonly reports: readonly string[]
  /** Everything that was not as it should be. */
  readonly failures: readonly string[]
  readonly seconds: number
  readonly log: string
}

const testsOf = (boot: BootResult): KtapTest[] => boot.ktap.flatMap(({ tests }) => [...tests])

function kindsOf(lines: readonly string[]): SoakResult['kinds'] {
  const kinds: Record<string, { ok: number; refused: number }> = {}
  for (const line of lines) {
    const match = /^# outcomes: (\S+): ok (\d+)(.*)$/.exec(line)
    if (!match) continue
    const refused = [...match[3]!.matchAll(/, \S+ (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
    const before = kinds[match[1]!] ?? { ok: 0, refused: 0 }
    kinds[match[1]!] = { ok: before.ok + Number(match[2]), refused: before.refused + refused }
  }
  return kinds
}

const REPORTS = ['no warning in the kernel log', 'kmemleak found nothing']

/** The numbers of one boot. */
export function soakResult(name: string, boot: BootResult): SoakResult {
  const tests = testsOf(boot)
  const lines = tests.flatMap(({ printed }) => printed)
  const number = (pattern: RegExp): number =>
    lines.reduce((sum, line) => sum + Number(pattern.exec(line)?.[1] ?? 0), 0)
  const failed = boot.checks.filter(({ ok }) => !ok)
  return {
    name,
    verdict: boot.verdict,
    calls: number(/^# calls-made: worker \d+: (\d+) calls/),
    seed: lines.map((line) => /: seed (0x[0-9a-f]+)$/.exec(line)?.[1]).find(Boolean) ?? '-',
    children: number(/^# calls-made: (\d+) children/),
    injected: number(/children, (\d+) calls without memory$/),
    away: number(/^# calls-made: (\d+) times away$/),
    kinds: kindsOf(lines),
    cycles: number(/^# load-unload: \S+: (\d+) cycles$/),
    reports: failed.filter((check) => REPORTS.includes(check.name)).flatMap((check) => check.lines),
    failures: failed.flatMap((check) => [check.name, ...check.lines.map((line) => `  ${line}`)]),
    seconds: boot.seconds,
    log: boot.log,
  }
}

/** A table with a head, its columns as wide as they must be; numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const cell = (text: string, column: number): string =>
    /^[\d.,-]+$/.test(text) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)
  return all.map((row) => row.map(cell).join('  ').trimEnd()).join('\n')
}

/** The results as a table. */
export function soakTable(results: readonly SoakResult[]): string {
  const count = (value: number): string => value.toLocaleString('en')
  return table(
    ['device', 'seed', 'calls', 'children', 'no memory', 'away', 'loads', 'reports', 's', 'verdict'],
    results.map((each) => [
      ...[
        each.name,
        each.seed,
        count(each.calls),
        count(each.children),
        count(each.injected),
        count(each.away),
      ],
      ...[count(each.cycles), count(each.reports.length), each.seconds.toFixed(1), each.verdict],
    ]),
  )
}
