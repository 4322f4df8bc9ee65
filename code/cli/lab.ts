// SPDX-License-Identifier: MIT
//
// contig lab: boots a real kernel on a board, loads real modules, runs their programs and judges the outcome.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { KERNEL_NAMES, type KernelName, SERIES_NAMES } from '../lab/kernels.ts'
import type { Lab } from '../lab/lab_file.ts'
import type { LabResult, RunOptions } from '../lab/run_lab.ts'

interface Words {
  kernel?: 'all' | KernelName
  dryRun?: true
  json?: true
  timeout?: number
  keep?: true
  refresh?: true
  on: string
  headers?: string
  sshConfig?: string
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
    .addArgument(new Argument('[name]', 'the lab’s name, or a lab file, or all'))
    .addOption(
      new Option(
        '--kernel <name>',
        'which kernel: Debian’s 6.1 or 6.12, our own lab or debug, or all that the lab names (default: Debian’s)',
      ).choices([...KERNEL_NAMES, 'all']),
    )
    .option('--on <board>', 'where: qemu, or a real board: ssh:[user@]host[:port]', 'qemu')
    .option('--headers <folder>', 'for a real board: the build folder of the kernel that it runs')
    .option('--ssh-config <file>', 'for a real board: an SSH configuration in the place of yours (ssh -F)')
    .option('--dry-run', 'print the exact commands and do nothing')
    .option('--json', 'print the result as one JSON object')
    .option('--timeout <seconds>', 'how long one boot may take', seconds)
    .option('--keep', 'keep the device trees beside the log')
    .option('--refresh', 'ask Debian again which kernels it has')
    .action(async (name: string | undefined, words: Words) => {
      const { projectRoot } = await import('../lab/project_root.ts')
      const { findLab, listLabs } = await import('../lab/lab_list.ts')
      const root = projectRoot()
      if (words.on === 'qemu') await refuseSshWords(words)
      if (name === undefined) process.stdout.write(listing(listLabs(root), words.json === true))
      else if (words.on !== 'qemu') {
        const { runOverSsh } = await import('./lab_ssh.ts')
        await runOverSsh(name === 'all' ? listLabs(root) : [findLab(root, name)], words)
      } else if (name === 'all') await runAll(listLabs(root), words)
      else await runNamed(findLab(root, name), words)
    })
}

async function refuseSshWords({ headers, sshConfig }: Words): Promise<void> {
  const word = headers !== undefined ? '--headers' : sshConfig !== undefined ? '--ssh-config' : null
  if (word === null) return
  const { Complaint } = await import('../lib/complaint.ts')
  throw new Complaint({ text: `${word} is for a real board: --on ssh:user@host`, exitCode: 2 })
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
    '\nRun one: contig lab NAME; see its commands: contig lab NAME --dry-run; run them all: contig lab all\n',
  ].join('')
}

// Our own kernels take minutes to build the first time: they are for those who ask for them.
function kernelsFor(lab: Lab, asked: Words['kernel']): readonly KernelName[] {
  if (asked === 'all') return lab.kernels
  if (asked !== undefined) return lab.kernels.filter((name) => name === asked)
  const ready = lab.kernels.filter((name) => (SERIES_NAMES as readonly string[]).includes(name))
  return ready.length > 0 ? ready : lab.kernels.slice(0, 1)
}

async function runOptions(words: Words): Promise<RunOptions> {
  const { compareModel } = await import('../lab/model_beside.ts')
  const { progressPrinter } = await import('../lab/lab_report.ts')
  return {
    ...(words.timeout === undefined ? {} : { timeout: words.timeout }),
    keep: words.keep === true,
    refresh: words.refresh === true,
    // Progress goes to standard error: --json leaves one object, and nothing else, on standard output.
    progress: progressPrinter(process.stderr),
    compare: compareModel,
  }
}

async function runNamed(lab: Lab, words: Words): Promise<void> {
  const { Complaint } = await import('../lib/complaint.ts')
  if (words.dryRun && words.json)
    throw new Complaint({
      text: '--json is for results; --dry-run prints the commands as a shell script',
      exitCode: 2,
    })
  const kernels = kernelsFor(lab, words.kernel)
  if (kernels.length === 0) {
    const text = `lab ${lab.name} is for Linux ${lab.kernels.join(', ')}, not ${words.kernel}`
    throw new Complaint({ text, exitCode: 2 })
  }
  if (words.dryRun) {
    const { dryRun } = await import('../lab/plan.ts')
    const { Cache, cacheFolder } = await import('../lab/cache.ts')
    const { hostSources } = await import('../lab/debian_sources.ts')
    const choice = words.timeout === undefined ? {} : { timeout: words.timeout }
    process.stdout.write(dryRun(lab, kernels, choice, new Cache(cacheFolder(), 'by-hand'), hostSources))
    return
  }
  const { runLab } = await import('../lab/run_lab.ts')
  const { resultJson, resultText } = await import('../lab/lab_report.ts')
  const result: LabResult = await runLab(lab, { ...(await runOptions(words)), kernels })
  process.stdout.write(words.json ? resultJson(result) : resultText(result))
  if (result.verdict === 'failed') process.exitCode = 1
}

async function runAll(labs: readonly Lab[], words: Words): Promise<void> {
  const { Complaint } = await import('../lib/complaint.ts')
  if (words.dryRun)
    throw new Complaint({ text: '--dry-run is for one lab: contig lab NAME --dry-run', exitCode: 2 })
  const { runLab } = await import('../lab/run_lab.ts')
  const { resultJson, resultsTable, resultText } = await import('../lab/lab_report.ts')
  const options = await runOptions(words)
  const results: LabResult[] = []
  const left: Lab[] = []
  for (const lab of labs) {
    const kernels = kernelsFor(lab, words.kernel)
    if (kernels.length === 0) {
      left.push(lab)
      continue
    }
    const result = await runLab(lab, { ...options, kernels })
    results.push(result)
    if (!words.json && result.verdict === 'failed') process.stdout.write(resultText(result))
  }
  const json = (): string => `{"labs":[${results.map(resultJson).join(',')}]}\n`
  process.stdout.write(words.json ? json() : resultsTable(results))
  for (const { name, kernels } of words.json ? [] : left)
    process.stdout.write(`not run: ${name}, which is for the kernels ${kernels.join(', ')}\n`)
  if (results.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1
}
