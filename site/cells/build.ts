// SPDX-License-Identifier: MIT
//
// What the pages need to run cells: client, editor, stripper, worker and models, built by esbuild under names that hold
// their hash, so that they may be cached for ever. The client finds all others by paths relative to itself; the site may
// lie in any folder of a server.
//
// All models are one file, and each has a small one beside it that exports its names from there. A worker starts from
// nothing at every run, and thirty files for one boot cost it more than the few kilobytes that it does not need.
//
// Policies. The page, by header or by <meta>, needs `script-src 'self' blob:; worker-src 'self' blob:; style-src 'self';
// connect-src 'self'`: a worker starts from a blob: and so inherits that policy, on any host, and a cell is a blob: module.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import { BUNDLE, cellSource, modelBuild, modelFiles, modelOptions } from './models.ts'
import { writeTold } from './told_files.ts'
import type { SiteText } from '../languages.ts'
import type { Cell, CellAssets } from './types.ts'

interface Options {
  /** Where `outDir/assets/` will be on the server; '/assets/' unless told. */
  assetsUrl?: string
  /** Cells whose types are to be told to readers. */
  told?: readonly Cell[]
  /** Others who run code in the page: their workers, by the names that CELL_ASSETS has them under, absolute. */
  workers?: Readonly<Record<string, string>>
  /** And what pages load for them, absolute; they share the editor, the stripper and CELL_ASSETS with the cells. */
  clients?: readonly string[]
}

const NAMES = { entryNames: 'cell-[name]-[hash]', chunkNames: 'cell-[name]-[hash]', minify: true } as const

/**
 * zod makes itself faster by code that it writes, and to find out whether it may, it tries: the page's policy forbids that,
 * and Firefox tells the reader's console of it. This stands at the top of each script: before its zod, and in a worker before that of a model.
 */
export const ZOD_WRITES_NO_CODE = 'globalThis.__zod_globalConfig = { jitless: true }'

/** Builds into `outDir/assets/`. Throws esbuild's own error where a model does not compile. */
export async function buildCells(root: string, outDir: string, options: Options = {}): Promise<CellAssets> {
  const outdir = resolve(outDir, 'assets')
  const base = options.assetsUrl ?? '/assets/'
  const files = modelFiles(root)
  const metafiles: Metafile[] = []
  const outputs = new Map<string, string>()
  const keep = ({ metafile }: { metafile: Metafile }, cwd: string) => {
    metafiles.push(metafile)
    for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
      if (entryPoint) outputs.set(resolve(cwd, entryPoint), relativeTo(outdir, resolve(cwd, path)))
    }
  }

  const { models, inputs } = files.size > 0 ? await buildModels(root, outdir) : NO_MODELS
  const banner = { js: ZOD_WRITES_NO_CODE }
  const tool = { ...BUNDLE, ...NAMES, banner, absWorkingDir: root, platform: 'browser', outdir } as const
  const { workers = {}, clients = [] } = options
  const inWorkers = [cellSource('worker.ts'), ...Object.values(workers)]
  keep(await build({ ...tool, entryPoints: inWorkers }), root)

  const found = (file: string) => outputs.get(file) ?? ''
  const worker = found(cellSource('worker.ts'))
  const modules = [...models].filter(([name]) => name !== ALL)
  const manifest = {
    worker: `./${worker}`,
    modules: Object.fromEntries(modules.map(([name, path]) => [name, `./${path}`])),
    ...Object.fromEntries(Object.entries(workers).map(([name, file]) => [name, `./${found(file)}`])),
  }
  // As a string: esbuild puts an object into a file that everything then waits for.
  const define = { CELL_ASSETS: JSON.stringify(JSON.stringify(manifest)) }
  const entryPoints = [cellSource('client.ts'), ...clients]
  keep(await build({ ...tool, define, splitting: true, entryPoints }), root)

  const told = options.told ? writeTold(root, options.told, outDir) : null
  return {
    scriptUrl: base + found(cellSource('client.ts')),
    workerUrl: base + worker,
    clients: Object.fromEntries(clients.map((file) => [file, base + found(file)])),
    modules: Object.fromEntries(modules.map(([name, path]) => [name, base + path])),
    inputs: [...inputs, ...metafiles.flatMap((metafile) => Object.keys(metafile.inputs))],
    files: [...models.values(), ...outputs.values(), ...chunks(metafiles, root, outdir)]
      .filter((path, index, all) => all.indexOf(path) === index)
      .map((path) => sizeOf(path, outdir, base)),
    written: told?.written ?? Promise.resolve(),
    html: (cell, text, highlighted) => cellHtml(cell, text, told?.names.get(cell.file), highlighted),
  }
}

function relativeTo(folder: string, file: string): string {
  return file.slice(join(folder, '/').length).replaceAll('\\', '/')
}

function chunks(metafiles: readonly Metafile[], root: string, outdir: string): string[] {
  const paths = metafiles.flatMap((metafile) => Object.keys(metafile.outputs))
  return paths.map((path) => relativeTo(outdir, resolve(root, path)))
}

function sizeOf(path: string, outdir: string, base: string) {
  const bytes = readFileSync(join(outdir, path))
  return { url: base + path, bytes: bytes.length, gzip: gzipSync(bytes).length }
}

/** Under this name the map of the models holds the file that all are in. */
const ALL = ''

interface Models {
  /** Specifier → path below the folder of assets. */
  readonly models: ReadonlyMap<string, string>
  /** Every file that they were made from, paths from the root. */
  readonly inputs: readonly string[]
}

const NO_MODELS: Models = { models: new Map(), inputs: [] }

/** Writes the models. */
async function buildModels(root: string, outdir: string): Promise<Models> {
  const files = modelFiles(root)
  const exported = await exportedNames(root)
  const alias = (index: number, name: string) => `m${index}_${name}`
  const entry = [...files].map(([specifier, file], index) => {
    const names = (exported.get(file) ?? []).map((name) => `${name} as ${alias(index, name)}`)
    return `import ${JSON.stringify(`./${file}`)}\nexport { ${names.join(', ')} } from ${JSON.stringify(`./${file}`)} // ${specifier}`
  })
  const { outputFiles, metafile } = await build({
    ...modelOptions(root),
    stdin: { contents: entry.join('\n'), resolveDir: root, sourcefile: 'models.ts' },
    minifyWhitespace: true,
    minifySyntax: true,
    write: false,
  })
  const written = new Map<string, string>()
  const write = (specifier: string, path: string, text: string) => {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 10)
    const hashed = `${path}-${hash}.js`
    mkdirSync(dirname(join(outdir, hashed)), { recursive: true })
    writeFileSync(join(outdir, hashed), text)
    written.set(specifier, hashed)
    return hashed
  }
  const all = write(ALL, 'models/all', outputFiles[0]?.text ?? '')
  for (const [index, [specifier, file]] of [...files].entries()) {
    const path = specifier.replace(/^contiguous/, 'models')
    const up = relative(dirname(path), all)
    const names = (exported.get(file) ?? []).map((name) => `${alias(index, name)} as ${name}`)
    write(specifier, path, `export { ${names.join(', ')} } from '${up.startsWith('.') ? up : `./${up}`}'\n`)
  }
  return { models: written, inputs: Object.keys(metafile.inputs) }
}

/** What each model exports at run time, `export *` followed, types left out: esbuild knows. */
async function exportedNames(root: string): Promise<Map<string, string[]>> {
  const { metafile } = await build({ ...modelBuild(root), write: false, outdir: join(root, 'unwritten') })
  return new Map(
    Object.values(metafile.outputs).flatMap(({ entryPoint, exports }) =>
      entryPoint ? [[entryPoint, exports]] : [],
    ),
  )
}

function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"]/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char,
  )
}

/** In an attribute a line break is written out, so that nothing that reflows HTML can touch it. */
function attribute(text: string): string {
  return escapeHtml(text).replace(/\n/g, '&#10;').replace(/\t/g, '&#9;')
}

/** `chapters/02-x/index.md` → `02-x`, `chapters/notes.md` → `notes`: the reader's edits are kept under it. */
function chapterOf(file: string): string {
  return file.replace(/^chapters\//, '').replace(/(?:\/index)?\.md$/, '')
}

/** See `CellAssets.html`. A line break at the head of a `<pre>` is swallowed by HTML, hence one more of them. */
function cellHtml(cell: Cell, text: SiteText, types: string | undefined, highlighted?: string): string {
  const code = highlighted ?? `<pre tabindex="0"><code>${escapeHtml(cell.code)}</code></pre>`
  const data = {
    cell: cell.id,
    chapter: chapterOf(cell.file),
    ...(types ? { types } : {}),
  }
  const attributes = Object.entries(data).map(([name, value]) => `data-${name}="${attribute(value)}"`)
  return [
    `<contig-cell id="cell-${cell.id}" ${attributes.join(' ')}>`,
    `<div class="cell-code">${code}</div>`,
    `<div class="cell-output"><p class="cell-label">${escapeHtml(text.scripts.cells.output)}</p>` +
      `<pre class="cell-text" tabindex="0">\n${escapeHtml(cell.output)}</pre></div>`,
    `</contig-cell>`,
    '',
  ].join('\n')
}
