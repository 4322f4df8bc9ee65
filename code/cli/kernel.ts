// SPDX-License-Identifier: MIT
//
// contig kernel: our own kernels, lab and debug, built by a command. A lab builds the one it needs by itself.
import { Argument, type Command, Option } from 'commander'
import type { OwnArch, OwnKernel, OwnName } from '../lab/own_kernel.ts'

interface Words {
  arch: OwnArch
  json?: true
  refresh?: true
}

const NAMES: readonly OwnName[] = ['lab', 'debug']
const ARCHS: readonly OwnArch[] = ['arm64', 'arm']

export function registerKernel(program: Command): void {
  const kernel = program.command('kernel').description('build the kernels that the labs boot beside Debian’s')
  kernel
    .command('build')
    .description('build one, unless the cache has it: a few minutes on two cores')
    .addArgument(new Argument('<name>', 'which').choices(NAMES))
    .addOption(new Option('--arch <arch>', 'for which machines').choices(ARCHS).default('arm64'))
    .option('--json', 'print the result as one JSON object')
    .option('--refresh', 'ask Debian again which sources it has')
    .action(build)
  kernel
    .command('list')
    .description('which there are, and which of them the cache has')
    .option('--json', 'print the list as one JSON object')
    .action(list)
}

const places = ({ name, arch, version, packageVersion, key, image, headers, dtbs }: OwnKernel): object => ({
  ...{ name, arch, version, packageVersion, key, image, headers, dtbs },
})

async function build(name: OwnName, words: Words): Promise<void> {
  const { buildOwnKernel } = await import('../lab/own_kernel_build.ts')
  const { progressPrinter } = await import('../lab/lab_report.ts')
  const kernel = await buildOwnKernel(name, words.arch, {
    refresh: words.refresh === true,
    progress: progressPrinter(process.stderr),
  })
  const text = [
    `kernel ${name} for ${kernel.arch}: Linux ${kernel.version} (Debian’s sources ${kernel.packageVersion})`,
    `  boots        ${kernel.image}`,
    `  modules      make -C ${kernel.headers} ${kernel.makeWords.join(' ')} M=…`,
    `  device trees ${kernel.dtbs}`,
    '',
  ].join('\n')
  process.stdout.write(words.json ? `${JSON.stringify(places(kernel), null, 2)}\n` : text)
}

async function list(words: { json?: true }): Promise<void> {
  const { listOwnKernels } = await import('../lab/own_kernel_build.ts')
  const { Cache } = await import('../lab/cache.ts')
  const rows = listOwnKernels(new Cache())
  if (words.json) {
    const told = rows.map(({ name, arch, kernel }) => ({ name, arch, built: kernel ? places(kernel) : null }))
    process.stdout.write(`${JSON.stringify({ kernels: told }, null, 2)}\n`)
    return
  }
  for (const { name, arch, kernel } of rows) {
    const state = kernel ? kernel.folder : `not built: contig kernel build ${name} --arch ${arch}`
    process.stdout.write(`${name.padEnd(6)} ${arch.padEnd(6)} ${state}\n`)
  }
}
