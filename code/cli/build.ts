// SPDX-License-Identifier: MIT
//
// contig build: the course as a folder of static files, for any host.
import type { Command } from 'commander'

export function registerBuild(program: Command): void {
  program
    .command('build')
    .description('build the course as static files')
    .option('--out <dir>', 'where to', '_site')
    .option('--no-api', 'without the API documentation')
    .option('--pdf', 'with a PDF of the whole course; needs Chromium')
    .action(async (options: { out: string; api: boolean; pdf?: boolean }) => {
      const [{ buildApi, buildPages, printPdf, projectRoot, writeOffline }, { relative, resolve }] =
        await Promise.all([import('./site_build.ts'), import('node:path')])
      const { Complaint } = await import('../lib/complaint.ts')
      const { claimFolder } = await import('./site_folder.ts')
      const root = projectRoot()
      claimFolder(resolve(options.out))
      const out = relative(root, resolve(options.out)) || '.'
      const started = performance.now()
      // The models' documentation is written while the pages are.
      const api = options.api ? buildApi(root, out) : Promise.resolve(true)
      const [, documented] = await Promise.all([buildPages(root, out, options), api])
      if (!documented) throw new Complaint({ text: 'TypeDoc did not document the models', exitCode: 1 })
      if (options.pdf) await printPdf(root, out)
      await writeOffline(root, out)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      process.stdout.write(`${options.out}/ built in ${seconds} s\n`)
    })
}
