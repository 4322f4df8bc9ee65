// SPDX-License-Identifier: MIT
//
// Builds the site once for all tests of test/site, API included, into a temporary folder, and serves it as `contig read`
// would, without the reload script.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'
import { buildApi, buildPages } from '../../code/cli/site_build.ts'
import { serveSite } from '../../code/cli/site_server.ts'
import { root } from './files.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the site was built. */
    siteFolder: string
    /** Where it is served, with a slash at its end. */
    siteUrl: string
  }
}

/** Bundles Eleventy's configuration and TypeDoc's plugin as `npm run build` does, so that no test meets a stale one. */
async function bundleConfiguration(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['site/eleventy.ts', 'site/typedoc_told.ts', 'site/watch.ts', 'site/cells/told_files.ts'],
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    outdir: 'dist',
    entryNames: '[name]',
    logLevel: 'warning',
  })
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await bundleConfiguration()
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-site-'))
  const [, documented] = await Promise.all([buildPages(root, folder), buildApi(root, folder)])
  if (!documented) throw new Error('TypeDoc did not document the models')
  const server = await serveSite({ folder, port: 0, reload: false })
  project.provide('siteFolder', folder)
  project.provide('siteUrl', server.url)
  return async () => {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
