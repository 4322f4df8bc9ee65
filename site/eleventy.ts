// SPDX-License-Identifier: MIT
//
// Eleventy's configuration: it registers, and each concern has a file of its own in this folder. Bundled to
// dist/eleventy.js, which .eleventy.js at the top hands on.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadExercises } from '../code/exercise/catalog.ts'
import { type Diagnostic, formatDiagnostic } from '../code/lib/diagnostic.ts'
import { buildAssets, type Assets } from './assets.ts'
import { buildCells } from './cells/build.ts'
import { extractCells } from './cells/cells.ts'
import { checkRun } from './cells/check_run.ts'
import { openRunner } from './cells/run_node.ts'
import { cellSource } from './cells/models.ts'
import type { Cell, CellAssets } from './cells/types.ts'
import { checkFootnotes, type Claims, readClaims } from './claims/claims.ts'
import { readCoverage } from './coverage/coverage.ts'
import { bookOf, placeInBook, type Book, type Entry } from './data/book.ts'
import { type CoverageRow, coverageRows } from './data/coverage.ts'
import { checkFrontMatter } from './data/front_matter.ts'
import { sourcePages, type SourcePage } from './data/sources.ts'
import { exercisePages, type ExercisePages } from './exercises/pages.ts'
import { strip } from './figures/strip.ts'
import { createHighlight, type Highlight } from './highlight/highlight.ts'
import type { FenceSources } from './markdown/fences.ts'
import { createMarkdown, headingsOf, minutesOf } from './markdown/markdown.ts'
import { root } from './paths.ts'
import { HEADERS, PAGE_POLICY } from './policy.ts'
import { refuse } from './refuse.ts'
import { en } from './text/en.ts'
import { checkLoaded } from './weave/check.ts'
import type { Weave } from './weave/types.ts'
import { loadWeave } from './weave/weave.ts'

/** Everything that one build reads and makes before the first page is rendered. */
interface Material {
  readonly weave: Weave
  readonly book: Book
  readonly sources: readonly SourcePage[]
  readonly assets: Assets
  readonly cellAssets: CellAssets
  readonly cells: ReadonlyMap<string, readonly Cell[]>
  readonly claims: Claims
  readonly coverage: readonly CoverageRow[]
  readonly exercises: ExercisePages
}

/** Cells that do not print what the book says. Run for a build that is to be published, not while an author edits. */
async function untrueCells(cells: readonly Cell[]): Promise<Diagnostic[]> {
  const runner = await openRunner(root)
  try {
    const found: Diagnostic[] = []
    for (const cell of cells) {
      const wrong = checkRun(cell, await runner.runCell(cell))
      if (wrong) found.push(wrong)
    }
    return found
  } finally {
    runner.close()
  }
}

/** What the pages of exercises load, beside the cells, of which they share the editor. */
const EXERCISES = {
  workers: { checkWorker: cellSource('../exercises/check_worker.ts') },
  clients: [cellSource('../exercises/client.ts')],
}

async function gather(highlight: Highlight, outDir: string, watching: boolean): Promise<Material> {
  const weave = loadWeave(root)
  const written = weave.chapters.filter((chapter) => !chapter.planned)
  const extracted = written.map((chapter) => ({ chapter, ...extractCells(chapter.markdown, chapter.file) }))
  const claims = readClaims(root, weave.chapters)
  const coverage = readCoverage(root)
  const found = [
    ...checkLoaded(weave),
    ...claims.diagnostics,
    ...coverage.diagnostics,
    ...checkFootnotes(weave.chapters, claims),
    ...written.flatMap((chapter) => checkFrontMatter(chapter.file, chapter.markdown)),
    ...extracted.flatMap(({ diagnostics }) => diagnostics),
    ...(watching ? [] : await untrueCells(extracted.flatMap(({ cells }) => cells))),
  ]
  const errors = found.filter(({ severity }) => severity === 'error')
  for (const warning of found)
    if (!errors.includes(warning)) process.stderr.write(formatDiagnostic(warning) + '\n')
  if (errors.length > 0) refuse(errors)
  rmSync(join(outDir, 'assets'), { recursive: true, force: true })
  mkdirSync(outDir, { recursive: true })
  writeFileSync(join(outDir, 'headers.json'), JSON.stringify(HEADERS, null, 2) + '\n')
  const [assets, cellAssets] = await Promise.all([
    buildAssets(outDir),
    buildCells(root, outDir, {
      told: extracted.flatMap(({ cells }) => cells),
      ...(loadExercises(root).length > 0 ? EXERCISES : {}),
    }),
  ])
  return {
    weave,
    book: bookOf(weave),
    sources: sourcePages(weave, highlight),
    assets,
    cellAssets,
    cells: new Map(extracted.map(({ chapter, cells }) => [chapter.file, cells])),
    claims,
    coverage: coverageRows(coverage, weave.chapters),
    exercises: await exercisePages({ root, outDir, highlight, cellAssets }),
  }
}

/** The part of Eleventy's configuration object that is used here. */
interface EleventyConfig {
  setLibrary(name: string, library: unknown): void
  addGlobalData(name: string, data: unknown): void
  addFilter(name: string, filter: (value: never) => unknown): void
  addTemplate(path: string, content: string, data: Record<string, unknown>): void
  addWatchTarget(path: string): void
  setWatchThrottleWaitTime(ms: number): void
  setUseGitIgnore(use: boolean): void
  on(event: string, listener: (what: { directories: { output: string }; runMode: string }) => unknown): void
  readonly ignores: { add(path: string): void }
  readonly watchIgnores: { add(path: string): void }
}

function addPages(eleventy: EleventyConfig): void {
  const page = (name: string, layout: string, permalink: string, data: Record<string, unknown> = {}): void =>
    eleventy.addTemplate(`${name}.njk`, '', { layout, permalink, ...data })
  page('front', 'front.njk', '/index.html')
  page('not-found', 'not_found.njk', '/404.html')
  page('coverage', 'coverage.njk', '/coverage/index.html')
  page('exercises', 'exercises.njk', '/exercises/index.html')
  page('exercise', 'exercise.njk', '{{ exercise.url }}index.html', {
    pagination: { data: 'exercises.pages', size: 1, alias: 'exercise' },
  })
  page('source-index', 'source_index.njk', '/source/index.html')
  page('source', 'source.njk', '{{ source.url }}index.html', {
    pagination: { data: 'sources', size: 1, alias: 'source' },
  })
  eleventy.addGlobalData('layout', 'chapter.njk')
}

type Headings = (ReturnType<typeof headingsOf>[number] & { inner: ReturnType<typeof headingsOf> })[]

function nestedHeadings(html: string): Headings {
  const nested: Headings = []
  for (const heading of headingsOf(html)) {
    if (heading.level === 2) nested.push({ ...heading, inner: [] })
    else nested.at(-1)?.inner.push(heading)
  }
  return nested
}

function addFilters(eleventy: EleventyConfig, material: () => Material): void {
  // Inside a <script> nothing may close it.
  eleventy.addFilter('json', (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c'))
  eleventy.addFilter('headings', nestedHeadings)
  eleventy.addFilter('minutes', minutesOf)
  eleventy.addFilter('hasCells', (html: string) => html.includes('<contig-cell'))
  eleventy.addFilter('place', (url: string) => placeInBook(material().book, url))
  eleventy.addFilter('beginWith', (entry: Entry) => en.front.begin(entry.number ?? 0, entry.title))
  const pagesOf = (url: string) =>
    material().exercises.chapters.find((each) => each.url === url)?.exercises ?? []
  eleventy.addFilter('exercisesOf', pagesOf)
  eleventy.addFilter('exerciseCount', (pages: readonly unknown[]) => en.exercises.count(pages.length))
  eleventy.addFilter('fromTop', (url: string) => url.replace(/^\//, ''))
  eleventy.addFilter('ids', (pages: readonly { id: string }[]) => pages.map(({ id }) => id).join(' '))
  eleventy.addFilter('frontStrip', () => strip(0.42, 23, 5))
  eleventy.addFilter('emptyStrip', () => strip(0.5, 0, 1))
  eleventy.addFilter('strip', (place: ReturnType<typeof placeInBook>) => {
    const { entries } = material().book
    const at = place ? entries.findIndex(({ slug }) => slug === place.entry.slug) : 0
    return strip(at / Math.max(1, entries.length - 1), 7, 1)
  })
}

export async function configure(eleventy: EleventyConfig): Promise<void> {
  const highlight = await createHighlight()
  let gathered: Material | null = null
  const material = (): Material => {
    if (!gathered) throw new Error('eleventy: a page was rendered before its material was gathered')
    return gathered
  }

  eleventy.on('eleventy.before', async ({ directories, runMode }) => {
    gathered = await gather(highlight, directories.output, runMode !== 'build')
  })
  // Under `contig read` we are a child with a channel: say when a build is done, and leave when the parent is gone.
  eleventy.on('eleventy.after', () => process.send?.({ kind: 'built' }))
  // What a page names is there when a build is done; under `contig read` it comes seconds later, and is not waited for.
  eleventy.on('eleventy.after', ({ runMode }) => {
    const { written } = material().cellAssets
    if (runMode === 'build') return written
    written.catch((error: unknown) => process.stderr.write(`told types: ${String(error)}\n`))
  })
  if (process.send) process.once('disconnect', () => process.exit())

  const sources = (): FenceSources => ({
    highlight,
    weave: material().weave,
    cellAssets: material().cellAssets,
    cellsOf: (file) => material().cells.get(file) ?? [],
  })
  const markdown = createMarkdown(sources, () => material().claims)
  eleventy.setLibrary('md', markdown)

  eleventy.addGlobalData('text', en)
  eleventy.addGlobalData('policy', PAGE_POLICY)
  eleventy.addGlobalData('book', () => material().book)
  eleventy.addGlobalData('coverage', () => material().coverage)
  eleventy.addGlobalData('exercises', () => material().exercises)
  eleventy.addGlobalData('sources', () => material().sources)
  eleventy.addGlobalData('firstChapter', () => material().book.entries.find((entry) => entry.url) ?? null)
  eleventy.addGlobalData('assets', () => ({
    ...material().assets,
    cells: material().cellAssets.scriptUrl,
    exercise: material().cellAssets.clients[EXERCISES.clients[0]!],
  }))
  addFilters(eleventy, material)
  addPages(eleventy)

  eleventy.setUseGitIgnore(false)
  eleventy.ignores.add('chapters/*/exercises/**')
  for (const folder of ['code', 'kernel', 'site', 'chapters']) eleventy.addWatchTarget(`./${folder}/`)
  // The site's own TypeScript is in the bundle that is running: `contig read` bundles it again and starts us anew.
  for (const path of ['./dist/**', './site/**/*.ts']) eleventy.watchIgnores.add(path)
  eleventy.setWatchThrottleWaitTime(60)
}

export const config = {
  dir: { input: 'chapters', includes: '../site/layouts', output: '_site' },
  templateFormats: ['md', 'njk'],
  markdownTemplateEngine: false,
  htmlTemplateEngine: false,
}
