// SPDX-License-Identifier: MIT
//
// contig build: the course as a folder of static files, for any host.
import { type Command, InvalidArgumentError } from 'commander'

/** `https://host/course` → `https://host/course/`. */
function siteAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && /^https?:$/.test(url.protocol) && url.search + url.hash + url.username === '')
    return url.href.replace(/\/?$/, '/')
  throw new InvalidArgumentError(
    `got '${text}', expected the address of the folder on its host, such as https://example.org/course/.`,
  )
}

const WITHOUT_SITE =
  'No --site was given: no sitemap, feed, canonical addresses or cards; 404.html is for the top of a host.\n'

export function registerBuild(program: Command): void {
  program
    .command('build')
    .description('build the course as static files')
    .option('--out <dir>', 'where to', '_site')
    .option(
      '--site <url>',
      'the address at which it will stand: for sitemap, feed, cards and 404.html',
      siteAddress,
    )
    .option('--no-api', 'without the API documentation')
    .option('--pdf', 'with a PDF of the whole course; needs Chromium')
    .action(async (options: { out: string; site?: string; api: boolean; pdf?: boolean }) => {
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
      if (options.site === undefined) process.stdout.write(WITHOUT_SITE)
    })
}
