// SPDX-License-Identifier: MIT
//
// contig run: a scenario on the model of a machine. Prints what each step gave and the kernel's trace of it, or the trace
// alone, or memory as a picture.
import { Argument, Option, type Command } from 'commander'

interface Words {
  kernel?: string
  trace?: true
  traceAs?: '6.1' | '6.12'
  draw?: true
  json?: true
  seed?: string
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run a scenario on a modelled machine; without a name, list the scenarios')
    .addArgument(new Argument('[scenario]', 'its name, or a file: a path with / or .yaml'))
    .option('--kernel <version>', 'one of its kernels, such as 6.1; the first when left out')
    .option('--trace', 'print the trace alone, as the kernel would')
    .addOption(
      new Option('--trace-as <series>', 'print the trace as this kernel would').choices(['6.1', '6.12']),
    )
    .option('--draw', 'draw memory as it is at the end')
    .addOption(
      new Option('--json', 'print the result as one JSON object').conflicts(['trace', 'traceAs', 'draw']),
    )
    .option('--seed <n>', 'for what it draws by lot, instead of its own seed')
    .action(async (name: string | undefined, words: Words) => {
      const { projectRoot } = await import('../lab/project_root.ts')
      const { listingText, findScenario, listScenarios } = await import('./run_list.ts')
      const root = projectRoot()
      if (name === undefined) {
        process.stdout.write(listingText(listScenarios(root), words.json === true))
        return
      }
      const { runNamed } = await import('./run_scenario.ts')
      const { text, wrong, verdict } = runNamed(findScenario(root, name), words, process.stdout.columns)
      process.stdout.write(text)
      process.stderr.write(wrong)
      if (verdict === 'failed') process.exitCode = 1
      if (verdict === 'broken') process.exitCode = 2
    })
}
