// SPDX-License-Identifier: MIT
//
// Styles and scripts, each one file under a name that holds its hash. Cells bring their own (site/cells/build.ts).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, type BuildOptions } from 'esbuild'
import { readText, root } from './paths.ts'

export interface Assets {
  readonly css: string
  /** What only the page of the movie needs beside it. */
  readonly movieCss: string
  readonly theme: string
  readonly icon: string
  /** The modules that pages load, by the name of their entry below. */
  readonly scripts: Readonly<Record<string, string>>
}

/** What a page loads as a module. Parts of them that wait for a reader's hand are chunks, fetched then. */
const MODULES = { page: 'site/client/page.ts' }

const TARGET = ['chrome123', 'firefox120', 'safari17.5']

/** What widgets run beside the page: by the name that their scripts know the address by. */
const WORKERS = {
  WIDGET_WORKER: 'site/widgets/worker.ts',
  MAP_WORKER: 'site/widgets/map_worker.ts',
  MOVIE_WORKER: 'site/widgets/movie/worker.ts',
}

/**
 * The workers, with those models that they run: their addresses from a file beside them, as esbuild's `define` wants it. A
 * project without models (test/support/sample_site.ts) has no widgets either.
 */
async function buildWorkers(common: BuildOptions): Promise<Record<string, string>> {
  const names = Object.entries(WORKERS)
  if (!existsSync(join(root, 'code/mm'))) return Object.fromEntries(names.map(([name]) => [name, '""']))
  const entryPoints = Object.values(WORKERS)
  const { metafile } = await build({ ...common, metafile: true, format: 'esm', splitting: true, entryPoints })
  const outputs = Object.entries(metafile.outputs)
  return Object.fromEntries(
    names.map(([name, entry]) => {
      const file = outputs.find(([, { entryPoint }]) => entryPoint === entry)?.[0] ?? ''
      return [name, JSON.stringify(`./${basename(file)}`)]
    }),
  )
}

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
  const define = await buildWorkers(common)
  const [early, modules] = await Promise.all([
    // The theme stands before anything is painted, so it is no module.
    build({
      ...common,
      entryPoints: {
        style: 'site/css/main.css',
        movie: 'site/css/movie.css',
        theme: 'site/client/theme.ts',
      },
      format: 'iife',
    }),
    build({
      ...common,
      entryPoints: MODULES,
      format: 'esm',
      splitting: true,
      define,
    }),
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
    movieCss: named('movie'),
    theme: named('theme'),
    icon: `/assets/${iconName}`,
    scripts: Object.fromEntries(Object.keys(MODULES).map((name) => [name, named(name)])),
  }
}
