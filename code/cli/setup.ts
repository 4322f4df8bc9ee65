// SPDX-License-Identifier: MIT
//
// contig setup: the Debian packages that labs and browser tests need, installed if we may, named if not.
import type { Command } from 'commander'

interface SetupOptions {
  readonly forTests?: boolean
}

export function registerSetup(program: Command): void {
  program
    .command('setup')
    .description('install the Debian packages that the labs and the browser tests need')
    .option('--for-tests', 'what is missing is no failure: the tests will skip and say so')
    .action(async ({ forTests = false }: SetupOptions) => {
      const { setup } = await import('./setup_packages.ts')
      await setup({ forTests })
    })
}
