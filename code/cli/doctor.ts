// SPDX-License-Identifier: MIT
//
// contig doctor: what a kernel will do with the reserved-memory nodes of a device tree, source or blob.
import { Argument, Option, type Command } from 'commander'
import { RESERVED_MEMORY_KERNELS, type Arch, type KernelVersion } from '../lib/kernel_version.ts'

interface Words {
  kernel: KernelVersion
  arch: Arch
  cmdline?: string
  json?: true
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say what a kernel will do with the reserved-memory nodes of a device tree')
    .addArgument(new Argument('<file>', 'a device tree: source (.dts) or blob (.dtb)'))
    .addOption(new Option('--kernel <version>', 'which').choices(RESERVED_MEMORY_KERNELS).default('6.12.117'))
    .addOption(new Option('--arch <arch>', 'which').choices(['arm', 'arm64']).default('arm64'))
    .option('--cmdline <words>', 'the kernel command line, in place of /chosen bootargs')
    .option('--json', 'print the result as one JSON object')
    .action(async (file: string, words: Words) => {
      const { examine, examinationText } = await import('./doctor_examine.ts')
      const examination = examine(file, words)
      process.stdout.write(
        words.json ? `${JSON.stringify(examination, null, 2)}\n` : examinationText(examination),
      )
      if (examination.diagnostics.length > 0) process.exitCode = 1
    })
}
