// SPDX-License-Identifier: MIT
//
// The checks and questions of the book as modules for the page: the same check.ts and question.ts that `contig do` runs,
// an entry each. The models stay outside; they are the files that cells and the reader's own code load, so that a check
// and the answer see one and the same model.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { Exercise } from '../../code/exercise/catalog.ts'
import { BUNDLE } from '../cells/models.ts'
import type { CellAssets } from '../cells/types.ts'

/** Below the folder of assets. */
const FOLDER = 'exercises'

/** Model imports, by name or by file, become the addresses of the built models, seen from `FOLDER`. */
function builtModels(root: string, modules: CellAssets['modules'], assetsUrl: string): Plugin {
  const addressOf = (specifier: string): string | null => {
    const url = modules[specifier]
    return url === undefined ? null : `../${url.slice(assetsUrl.length)}`
  }
  return {
    name: 'built-models',
    setup(build) {
      build.onResolve({ filter: /^contiguous\// }, ({ path }) => {
        const address = addressOf(path)
        if (address !== null) return { path: address, external: true }
        return { path: join(root, 'code', `${path.slice('contiguous/'.length)}.ts`) }
      })
      build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer }) => {
        const file = resolve(dirname(importer), path)
        const code = join(root, 'code/')
        if (!file.startsWith(code)) return null
        const address = addressOf(`contiguous/${file.slice(code.length).replace(/\.ts$/, '')}`)
        return address === null ? null : { path: address, external: true }
      })
    },
  }
}

/** A question is asked with a seed, as code/exercise/ask.ts asks it. */
const questions: Plugin = {
  name: 'questions',
  setup(build) {
    build.onResolve({ filter: /^question:/ }, ({ path }) => ({ path: path.slice(9), namespace: 'question' }))
    build.onLoad({ filter: /.*/, namespace: 'question' }, ({ path }) => ({
      contents: `
import { ask } from ${JSON.stringify(path)}
import { createRng } from 'contiguous/lib/rng'
export const asked = (seed) => ask(createRng(seed))
`,
      resolveDir: dirname(path),
    }))
  },
}

/** Whether a page can check its answers: those of the others need a board. */
export const runsInPage = ({ kind }: Pick<Exercise, 'kind'>): boolean => kind !== 'c'

interface Checks {
  /** Exercise's id → address from the site's top. */
  readonly addresses: ReadonlyMap<string, string>
  /** Every file that they were made from, paths from the root. */
  readonly inputs: readonly string[]
}

/** Writes a module an exercise below `outDir/assets/`. */
export async function buildChecks(
  root: string,
  outDir: string,
  exercises: readonly Exercise[],
  { modules, assetsUrl = '/assets/' }: { modules: CellAssets['modules']; assetsUrl?: string },
): Promise<Checks> {
  const mine = exercises.filter(runsInPage)
  if (mine.length === 0) return { addresses: new Map(), inputs: [] }
  const outdir = resolve(outDir, 'assets')
  const { metafile } = await build({
    ...BUNDLE,
    absWorkingDir: root,
    platform: 'neutral',
    minifyWhitespace: true,
    minifySyntax: true,
    entryPoints: mine.map(({ id, kind, path }) => ({
      in: kind === 'question' ? `question:${join(path, 'question.ts')}` : join(path, 'check.ts'),
      out: join(FOLDER, id),
    })),
    entryNames: '[dir]/[name]-[hash]',
    outdir,
    plugins: [builtModels(root, modules, assetsUrl), questions],
  })
  const built = Object.keys(metafile.outputs).map((path) => resolve(root, path).slice(outdir.length + 1))
  const addresses = mine.flatMap(({ id }) => {
    const file = built.find(
      (path) => path.startsWith(`${FOLDER}/${id}-`) && HASHED.test(path.slice(FOLDER.length + id.length + 1)),
    )
    return file === undefined ? [] : [[id, `assets/${file}`] as const]
  })
  return { addresses: new Map(addresses), inputs: Object.keys(metafile.inputs) }
}

// Another exercise's id may begin with this one's.
const HASHED = /^-[0-9A-Z]{8}\.js$/

/** Writes data that a page fetches when it is asked for; its address from the site's top. */
export function writeData(outDir: string, name: string, data: unknown): string {
  const text = JSON.stringify(data)
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 10)
  const path = `assets/${FOLDER}/${name}-${hash}.json`
  mkdirSync(join(outDir, 'assets', FOLDER), { recursive: true })
  writeFileSync(join(outDir, path), text)
  return path
}
