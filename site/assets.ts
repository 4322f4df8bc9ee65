// SPDX-License-Identifier: MIT
//
// Styles and scripts, each one file under a name that holds its hash. Cells bring their own (site/cells/build.ts).
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { readText, root } from './paths.ts'
import { TARGET } from './targets.ts'

export interface Assets {
  readonly css: string
  readonly theme: string
  readonly icon: string
  /** The modules that pages load, by the name of their entry below. */
  readonly scripts: Readonly<Record<string, string>>
}

/** What a page loads as a module. Parts of them that wait for a reader's hand are chunks, fetched then. */
const MODULES = { page: 'site/client/page.ts' }

/** Bundles into `outDir/assets/`, gives the addresses. */
export async function buildAssets(outDir: string): Promise<Assets> {
  const common = {
    absWorkingDir: root,
    bundle: true,
    minify: true,
    target: TARGET,
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[name]-[hash]',
    outdir: join(outDir, 'assets'),
    logLevel: 'warning',
    metafile: true,
  } as const
  const [early, modules] = await Promise.all([
    // The theme stands before anything is painted, so it is no module.
    build({
      ...common,
      entryPoints: { style: 'site/css/main.css', theme: 'site/client/theme.ts' },
      format: 'iife',
    }),
    build({ ...common, entryPoints: MODULES, format: 'esm', splitting: true }),
  ])
  const written = [early, modules].flatMap(({ metafile }) => Object.keys(metafile.outputs))
  const named = (start: string): string => {
    const file = written.find((path) => basename(path).startsWith(`${start}-`))
    return `/assets/${basename(file ?? '')}`
  }
  const icon = readText('site/favicon.svg')
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`
  mkdirSync(join(outDir, 'assets'), { recursive: true })
  writeFileSync(join(outDir, 'assets', iconName), icon)
  return {
    css: named('style'),
    theme: named('theme'),
    icon: `/assets/${iconName}`,
    scripts: Object.fromEntries(Object.keys(MODULES).map((name) => [name, named(name)])),
  }
}
