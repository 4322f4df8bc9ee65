// SPDX-License-Identifier: MIT
//
// contig trace: what happened in an ftrace text, of a board or of a model: its events, and each cma_alloc from start to end.
import { Argument, type Command } from 'commander'

export function registerTrace(program: Command): void {
  program
    .command('trace')
    .description('say what happened in a trace: its events, and each CMA allocation')
    .addArgument(new Argument('<file>', 'a copy of /sys/kernel/tracing/trace'))
    .option('--json', 'print the result as one JSON object')
    .action(async (file: string, words: { json?: true }) => {
      const { reportTrace, traceReportText } = await import('./trace_report.ts')
      const report = reportTrace(file)
      process.stdout.write(words.json ? `${JSON.stringify(report, null, 2)}\n` : traceReportText(report))
      if (report.diagnostics.length > 0) process.exitCode = 1
    })
}
