// SPDX-License-Identifier: MIT
//
// contig verify: the book checks itself. The checks lean on site/, on which nothing in code/ may lean: they are a bundle
// of their own beside this one, dist/verify.js, loaded by its name.
import type { Command } from 'commander'
import type { Diagnostic } from '../lib/diagnostic.ts'

interface Report {
  readonly check: string
  readonly passed: boolean
  readonly seconds: number
  readonly diagnostics: readonly Diagnostic[]
  readonly counts: Readonly<Record<string, number>>
  readonly skipped?: readonly string[]
}

interface Context {
  readonly root: string
  readonly signal: AbortSignal
  readonly progress: (doing: string) => void
  readonly buildSite: (out: string) => Promise<void>
}

/** What dist/verify.js exports; verify/verify.ts says the same, and test/cli/verify.test.ts loads it. */
interface Checks {
  chosenChecks(only: readonly string[]): string[]
  verify(context: Context, only: readonly string[], told: (report: Report) => void): Promise<Report[]>
  chapterFigures(root: string): unknown[]
  formatFigures(figures: unknown[]): string
}

interface Words {
  only: string[]
  table?: true
  json?: true
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('check the book: weave, coverage, prose, spelling, cells, claims, links, exercises')
    .option('--only <check...>', 'some of the checks', [])
    .option('--table', 'the chapters in figures instead')
    .option('--json', 'print the result as one JSON object')
    .action(async (words: Words) => {
      const { projectRoot } = await import('./site_build.ts')
      const { interruptible } = await import('../lab/interruption.ts')
      const { formatDiagnostic } = await import('../lib/diagnostic.ts')
      const root = projectRoot()
      const checks = (await import(`${root}/dist/verify.js`)) as Checks
      if (words.table) {
        const figures = checks.chapterFigures(root)
        const text = words.json ? `${JSON.stringify({ chapters: figures }, null, 2)}\n` : null
        process.stdout.write(text ?? checks.formatFigures(figures))
        return
      }
      checks.chosenChecks(words.only)
      const progress = progressOn(process.stderr)
      const told = (report: Report): void => {
        progress('')
        if (!words.json) process.stdout.write(textOf(report, formatDiagnostic))
      }
      const reports = await interruptible((signal) =>
        checks.verify({ root, signal, progress, buildSite: buildSiteOf(root) }, words.only, told),
      )
      const passed = reports.filter((report) => report.passed).length
      const all = passed === reports.length
      const json = (): string => `${JSON.stringify({ passed: all, checks: reports }, null, 2)}\n`
      process.stdout.write(words.json ? json() : `${passed} of ${reports.length} checks passed\n`)
      if (!all) process.exitCode = 1
    })
}

const buildSiteOf =
  (root: string) =>
  async (out: string): Promise<void> => {
    const { buildApi, buildPages } = await import('./site_build.ts')
    const { Complaint } = await import('../lib/complaint.ts')
    await buildPages(root, out)
    if (!(await buildApi(root, out))) throw new Complaint({ text: 'TypeDoc did not document the models' })
  }

/** What is being done, on one line of a terminal that the next writes over; a log gets none of it. */
function progressOn(stream: NodeJS.WriteStream): (doing: string) => void {
  if (!stream.isTTY) return () => undefined
  return (doing) => stream.write(`\r\u001b[K${doing.slice(0, (stream.columns ?? 80) - 1)}`)
}

function textOf(
  { check, passed, seconds, diagnostics, counts, skipped = [] }: Report,
  format: (found: Diagnostic) => string,
): string {
  const figures = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  const head = `${passed ? 'ok  ' : 'FAIL'} ${check}: ${figures.join(', ')}; ${seconds.toFixed(1)} s\n`
  return [
    head,
    ...diagnostics.map((found) => `${format(found)}\n`),
    ...skipped.map((why) => `SKIP ${why}\n`),
  ].join('')
}
