// SPDX-License-Identifier: MIT
//
// Styles and scripts, each one file under a name that holds its hash. Cells bring their own (site/cells/build.ts).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { build, type BuildOptions } from 'esbuild'
import { root } from './paths.ts'
import { drawnCard } from './publish/card.ts'
import { TARGET } from './targets.ts'

export interface Assets {
  readonly css: string
  /** Style sheets beside it, by name. */
  readonly sheets: Readonly<Record<(typeof SHEETS)[number], string>>
  readonly theme: string
  readonly icon: string
  /** The picture that is shown where a page is shared. */
  readonly card: string
  /** Every file that a bundle was made from, paths from the root. */
  readonly inputs: readonly string[]
  /** The modules that pages load, by the name of their entry below. */
  readonly scripts: Readonly<Record<string, string>>
}

/** What a page loads as a module. Parts of them that wait for a reader's hand are chunks, fetched then. */
const MODULES = { page: 'site/client/page.ts' }

/** Style sheets beside the one that all pages have: `print` is for paper, the others for pages that have such a thing. */
const SHEETS = ['exercises', 'front', 'movie', 'pictures', 'print', 'source'] as const

/** What widgets run beside the page: by the name that their scripts know the address by. */
const WORKERS = {
  WIDGET_WORKER: 'site/widgets/worker.ts',
  MAP_WORKER: 'site/widgets/map_worker.ts',
  MOVIE_WORKER: 'site/widgets/movie/worker.ts',
}

interface Workers {
  /** Their addresses from a file beside them, as esbuild's `define` wants it. */
  readonly define: Record<string, string>
  readonly inputs: readonly string[]
}

/** The workers, with those models that they run. A project without models (test/support/sample_site.ts) has no widgets. */
async function buildWorkers(common: BuildOptions): Promise<Workers> {
  const names = Object.entries(WORKERS)
  if (!existsSync(join(root, 'code/mm')))
    return { define: Object.fromEntries(names.map(([name]) => [name, '""'])), inputs: [] }
  const entryPoints = Object.values(WORKERS)
  const { metafile } = await build({ ...common, metafile: true, format: 'esm', splitting: true, entryPoints })
  const outputs = Object.entries(metafile.outputs)
  const addresses = names.map(([name, entry]) => {
    const file = outputs.find(([, { entryPoint }]) => entryPoint === entry)?.[0] ?? ''
    return [name, JSON.stringify(`./${basename(file)}`)] as const
  })
  return { define: Object.fromEntries(addresses), inputs: Object.keys(metafile.inputs) }
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
  const { define, inputs } = await buildWorkers(common)
  const [early, modules] = await Promise.all([
    // The theme stands before anything is painted, so it is no module.
    build({
      ...common,
      entryPoints: {
        style: 'site/css/main.css',
        // What some pages need, or paper alone, is kept out of what every page waits for.
        ...Object.fromEntries(SHEETS.map((name) => [name, `site/css/${name}.css`])),
        theme: 'site/client/theme.ts',
      },
      format: 'iife',
    }),
    // Styles of what is loaded late come with its script, as text (site/client/styles.ts).
    build({
      ...common,
      entryPoints: MODULES,
      format: 'esm',
      splitting: true,
      define,
      loader: { '.css': 'text' },
    }),
  ])
  const written = [early, modules].flatMap(({ metafile }) => Object.keys(metafile.outputs))
  const named = (start: string): string => {
    const file = written.find((path) => basename(path).startsWith(`${start}-`))
    return `/assets/${basename(file ?? '')}`
  }
  mkdirSync(join(outDir, 'assets'), { recursive: true })
  const copied = (file: string, name: string): string => {
    const bytes = readFileSync(join(root, file))
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8)
    writeFileSync(join(outDir, 'assets', `${name}-${hash}${extname(file)}`), bytes)
    return `/assets/${name}-${hash}${extname(file)}`
  }
  return {
    css: named('style'),
    sheets: {
      exercises: named('exercises'),
      front: named('front'),
      movie: named('movie'),
      pictures: named('pictures'),
      print: named('print'),
      source: named('source'),
    },
    theme: named('theme'),
    icon: copied('site/favicon.svg', 'icon'),
    card: copied(drawnCard(), 'card'),
    inputs: [...inputs, ...[early, modules].flatMap(({ metafile }) => Object.keys(metafile.inputs))],
    scripts: Object.fromEntries(Object.keys(MODULES).map((name) => [name, named(name)])),
  }
}
