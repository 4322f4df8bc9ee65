// SPDX-License-Identifier: MIT
//
// contig lab: boots a real kernel on a virtual board, loads real modules, runs their programs and judges the outcome.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { LabResult, RunOptions } from '../lab/run_lab.ts'
import type { Lab } from '../lab/lab_file.ts'
import type { Series } from '../lab/debian_kernel.ts'

interface Words {
  kernel: 'all' | Series
  dryRun?: true
  json?: true
  timeout?: number
  keep?: true
  refresh?: true
  on: 'qemu'
}

function seconds(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected whole seconds, at least 1.')
  return value
}

export function registerLab(program: Command): void {
  program
    .command('lab')
    .description('boot a real kernel and try the book’s modules on it; without a name, list the labs')
    .addArgument(new Argument('[name]', 'the lab’s name, or a lab file'))
    .addOption(new Option('--kernel <series>', 'which kernel').choices(['6.1', '6.12', 'all']).default('all'))
    .addOption(new Option('--on <board>', 'where').choices(['qemu']).default('qemu'))
    .option('--dry-run', 'print the exact commands and do nothing')
    .option('--json', 'print the result as one JSON object')
    .option('--timeout <seconds>', 'how long one boot may take', seconds)
    .option('--keep', 'keep the device trees beside the log')
    .option('--refresh', 'ask Debian again which kernels it has')
    .action(async (name: string | undefined, words: Words) => {
      const { projectRoot } = await import('../lab/project_root.ts')
      const { findLab, listLabs } = await import('../lab/lab_list.ts')
      const root = projectRoot()
      if (name === undefined) {
        process.stdout.write(listing(listLabs(root), words.json === true))
        return
      }
      const lab = findLab(root, name)
      await runNamed(lab, words)
    })
}

function listing(labs: readonly Lab[], json: boolean): string {
  if (json) {
    const rows = labs.map(({ name, title, kernels, file }) => ({ name, title, kernels, file }))
    return `${JSON.stringify({ labs: rows }, null, 2)}\n`
  }
  const width = Math.max(0, ...labs.map((lab) => lab.name.length))
  const rows = labs.map(
    (lab) => `  ${lab.name.padEnd(width)}  ${lab.title} (Linux ${lab.kernels.join(', ')})\n`,
  )
  return [
    'Labs:\n',
    ...rows,
    '\nRun one: contig lab NAME; see its commands: contig lab NAME --dry-run\n',
  ].join('')
}

async function runNamed(lab: Lab, words: Words): Promise<void> {
  const { Complaint } = await import('../lib/complaint.ts')
  const kernels = words.kernel === 'all' ? lab.kernels : [words.kernel]
  for (const series of kernels) {
    if (lab.kernels.includes(series)) continue
    const text = `lab ${lab.name} is for Linux ${lab.kernels.join(' and ')}, not ${series}`
    throw new Complaint({ text, exitCode: 2 })
  }
  const timeout = words.timeout === undefined ? {} : { timeout: words.timeout }
  if (words.dryRun) {
    const { dryRun } = await import('../lab/plan.ts')
    const { Cache, cacheFolder } = await import('../lab/cache.ts')
    const { hostSources } = await import('../lab/debian_sources.ts')
    process.stdout.write(dryRun(lab, kernels, timeout, new Cache(cacheFolder(), 'by-hand'), hostSources))
    return
  }
  const { runLab } = await import('../lab/run_lab.ts')
  const { compareModel } = await import('../lab/model_beside.ts')
  const { progressPrinter, resultJson, resultText } = await import('../lab/lab_report.ts')
  const options: RunOptions = {
    ...timeout,
    kernels,
    keep: words.keep === true,
    refresh: words.refresh === true,
    // Progress goes to standard error: --json leaves one object, and nothing else, on standard output.
    progress: progressPrinter(process.stderr),
    compare: compareModel,
  }
  const result: LabResult = await runLab(lab, options)
  process.stdout.write(words.json ? resultJson(result) : resultText(result))
  if (result.verdict === 'failed') process.exitCode = 1
}
