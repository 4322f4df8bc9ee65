// SPDX-License-Identifier: MIT
//
// contig conformance: the DMA API of real kernels against the model, calls by chance.
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ConformanceResult } from '../lab/conformance.ts'
import type { KernelName } from '../lab/kernels.ts'

interface Words {
  seed: number
  count: number
  kernel: 'all' | KernelName
  json?: true
}

const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (Number.isSafeInteger(value) && value >= least && value < 2 ** 32) return value
    throw new InvalidArgumentError(`Expected a whole number, at least ${least}.`)
  }

export function registerConformance(program: Command): void {
  program
    .command('conformance')
    .description('make calls by chance on real kernels and on the model, and compare every answer and event')
    .option('--seed <number>', 'of the first sequence of calls', whole(0), 1)
    .option('--count <number>', 'how many sequences, each on each kernel', whole(1), 200)
    .addOption(new Option('--kernel <name>', 'which kernel').choices(['6.1', '6.12', 'all']).default('all'))
    .option('--json', 'print the result as one JSON object')
    .action(async (words: Words) => {
      const { projectRoot } = await import('../lab/project_root.ts')
      const { findLab } = await import('../lab/lab_list.ts')
      const { runConformance } = await import('../lab/conformance.ts')
      const { progressPrinter } = await import('../lab/lab_report.ts')
      const lab = findLab(projectRoot(), 'conformance')
      const kernels = words.kernel === 'all' ? lab.kernels : [words.kernel]
      const progress = progressPrinter(process.stderr)
      const results: ConformanceResult[] = []
      for (const kernel of kernels) results.push(await runConformance(lab, kernel, words, { progress }))
      const json = (): string => `${JSON.stringify({ seed: words.seed, kernels: results }, null, 2)}\n`
      process.stdout.write(words.json ? json() : results.map(textOf).join(''))
      if (results.some(({ different }) => different > 0)) process.exitCode = 1
    })
}

function textOf({
  kernel,
  scenarios,
  calls,
  compared,
  different,
  seconds,
  notes,
  first,
}: ConformanceResult): string {
  const head =
    `\nLinux ${kernel}: ${scenarios} sequences, ${calls} calls; ` +
    `${compared} values compared, ${different} different; ${seconds.toFixed(1)} s on the board\n`
  return [head, ...[...first, ...notes].map((line) => `  ${line}\n`)].join('')
}
