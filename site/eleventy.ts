// SPDX-License-Identifier: MIT
//
// Eleventy's configuration: it registers, and each concern has a file of its own in this folder. Bundled to
// dist/eleventy.js, which .eleventy.js at the top hands on.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Diagnostic, formatDiagnostic } from '../code/lib/diagnostic.ts'
import { extractCells } from './cells/cells.ts'
import { checkRun } from './cells/check_run.ts'
import { openRunner } from './cells/run_node.ts'
import type { Cell } from './cells/types.ts'
import { checkFootnotes, type Claims, readClaims } from './claims/claims.ts'
import { readCoverage } from './coverage/coverage.ts'
import { placeInBook, type PlaceInBook } from './data/book.ts'
import { type CoverageRow, coverageRows } from './data/coverage.ts'
import { checkFrontMatter } from './data/front_matter.ts'
import { glossaryOf } from './data/glossary.ts'
import { mendingOf, readMending } from './data/mending.ts'
import { sourcePages, type SourcePage } from './data/sources.ts'
import { writeEpub } from './epub/write_epub.ts'
import { type Rendition, renditionData, placeOfPage, readRenditions } from './renditions.ts'
import { strip } from './figures/strip.ts'
import { fill } from './client/fill.ts'
import { createHighlight, type Highlight } from './highlight/highlight.ts'
import { exerciseScript, inputsOf, make, type Made, stillHolds } from './made.ts'
import { createMarkdown, headingsOf, minutesOf, type SourcesIn } from './markdown/markdown.ts'
import { writeManifest } from './offline/manifest.ts'
import { PAGE_FOLDERS, root } from './paths.ts'
import { PAGE_POLICY } from './policy.ts'
import { writeAfter } from './publish/after.ts'
import { type ChangesData, changesData, type LicencesData, writeLicences } from './publish/texts.ts'
import { pageTransform, type RenderedPage } from './publish/transform.ts'
import { refuse } from './refuse.ts'
import { collect, type RenderedPage as BuiltPage } from './search/collect.ts'
import { writeGlossary, writeSearch } from './search/write.ts'
import { enMovie } from './text/en_movie.ts'
import { checkTranslation } from './translation.ts'
import { checkLoaded } from './weave/check.ts'
import { MODEL_SCENARIO } from './widgets/movie/movie_html.ts'

/** Everything that one build reads and makes before the first page is rendered. */
interface Material {
  readonly renditions: readonly [Rendition, ...Rendition[]]
  readonly sources: readonly SourcePage[]
  readonly made: Made
  readonly licences: LicencesData
  readonly changes: readonly ChangesData[]
  readonly cells: ReadonlyMap<string, readonly Cell[]>
  readonly claims: Claims
  readonly coverage: readonly CoverageRow[]
  readonly formats: Formats
}

/** What a build makes beside the pages, and the pages link. `contig read` makes none of it. */
interface Formats {
  readonly manifest: boolean
  readonly epub: boolean
  /** Made later, by `contig build --pdf`, which says so here. */
  readonly pdf: boolean
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

/** While an author edits: what the build before this one was made from, and the files that were written since. */
interface Before {
  readonly material: Material
  readonly edited: readonly string[]
}

async function gather(
  highlight: Highlight,
  outDir: string,
  watching: boolean,
  before: Before | null,
): Promise<Material> {
  const renditions = readRenditions(root)
  const [{ weave }, ...translations] = renditions
  const chapters = renditions.flatMap((rendition) => rendition.weave.chapters)
  const written = chapters.filter((chapter) => !chapter.planned)
  const extracted = written.map((chapter) => ({ chapter, ...extractCells(chapter.markdown, chapter.file) }))
  const claims = readClaims(root, weave.chapters)
  const coverage = readCoverage(root)
  const found = [
    ...checkLoaded(weave),
    ...translations.flatMap(checkTranslation),
    ...claims.diagnostics,
    ...coverage.diagnostics,
    ...checkFootnotes(chapters, claims),
    ...written.flatMap((chapter) => checkFrontMatter(chapter.file, chapter.markdown)),
    ...extracted.flatMap(({ diagnostics }) => diagnostics),
    ...(watching ? [] : await untrueCells(extracted.flatMap(({ cells }) => cells))),
  ]
  const errors = found.filter(({ severity }) => severity === 'error')
  for (const warning of found)
    if (!errors.includes(warning)) process.stderr.write(formatDiagnostic(warning) + '\n')
  if (errors.length > 0) refuse(errors)
  mkdirSync(outDir, { recursive: true })
  const cells = extracted.flatMap((each) => each.cells)
  const made =
    before && stillHolds(before.material.made, before.edited, cells)
      ? before.material.made
      : await make(outDir, highlight, cells)
  if (!watching) writeManifest(outDir)
  return {
    renditions,
    sources: sourcePages(weave, highlight),
    made,
    // Nothing that an author edits while watching changes them.
    licences: before?.material.licences ?? (await writeLicences(root, outDir, inputsOf(made))),
    changes: changesData(root),
    cells: new Map(extracted.map(({ chapter, cells }) => [chapter.file, cells])),
    claims,
    coverage: coverageRows(coverage, weave.chapters),
    formats: { manifest: !watching, epub: !watching, pdf: !watching && process.env['CONTIG_PDF'] === '1' },
  }
}

/** What finding fetches when a reader asks, a file a language. */
function writeFinding(results: readonly BuiltPage[], { renditions }: Material, outDir: string): void {
  for (const { text, top, weave, book } of renditions) {
    const glossary = glossaryOf(weave.chapters)
    const chapterAt = (address: string): string => {
      const entry = placeInBook(book, address.replace(/#.*/, ''))?.entry
      return entry?.number ? `${text.chapter} ${entry.number}, ${entry.title}` : (entry?.title ?? '')
    }
    const pages = results.filter(({ url }) => url.startsWith(top))
    writeGlossary(outDir, text.lang, glossary, chapterAt)
    writeSearch(outDir, text.lang, collect(pages, { book, glossary, files: weave.files, text }))
  }
}

/** What Eleventy says when a build begins, and with `results` when it has ended. */
interface BuildEvent {
  readonly directories: { readonly output: string }
  readonly runMode: string
  readonly results: readonly BuiltPage[]
}

/** The part of Eleventy's configuration object that is used here. */
interface EleventyConfig {
  setLibrary(name: string, library: unknown): void
  addGlobalData(name: string, data: unknown): void
  addFilter(name: string, filter: (value: never, ...more: never[]) => unknown): void
  addTemplate(path: string, content: string, data: Record<string, unknown>): void
  addWatchTarget(path: string): void
  setWatchThrottleWaitTime(ms: number): void
  setUseGitIgnore(use: boolean): void
  addTransform(name: string, transform: (this: { page: RenderedPage }, content: string) => string): void
  on(event: 'eleventy.before' | 'eleventy.after', listener: (what: BuildEvent) => unknown): void
  on(event: 'eleventy.beforeWatch', listener: (files: readonly string[]) => unknown): void
  readonly ignores: { add(path: string): void }
  readonly watchIgnores: { add(path: string): void }
}

function addPages(eleventy: EleventyConfig): void {
  const page = (name: string, layout: string, permalink: string, data: Record<string, unknown> = {}): void =>
    eleventy.addTemplate(`${name}.njk`, '', { layout, permalink, ...data })
  const ofEach = { pagination: { data: 'renditions', size: 1, alias: 'rendition' } }
  page('front', 'front.njk', '{{ rendition.top }}index.html', ofEach)
  page('not-found', 'not_found.njk', '{{ rendition.top }}404.html', ofEach)
  page('offline', 'offline.njk', '/offline/index.html')
  page('coverage', 'coverage.njk', '/coverage/index.html')
  page('licences', 'licences.njk', '/licences/index.html')
  page('changes', 'changes.njk', '/changes/index.html')
  if (existsSync(join(root, MODEL_SCENARIO))) page('movie', 'movie.njk', '/movie/index.html')
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
  // The words of scripts that only some pages load are left out where they are not named.
  eleventy.addFilter('wordsFor', (scripts: Record<string, unknown>, named: readonly string[]) =>
    Object.fromEntries(
      Object.entries(scripts).filter(
        ([name]) => !['cells', 'exercise'].includes(name) || named.includes(name),
      ),
    ),
  )
  eleventy.addFilter('headings', nestedHeadings)
  eleventy.addFilter('minutes', minutesOf)
  eleventy.addFilter('hasCells', (html: string) => html.includes('<contig-cell'))
  eleventy.addFilter('hasWidgets', (html: string) => /<contig-(widget|map)/.test(html))
  eleventy.addFilter('fill', fill)
  eleventy.addFilter('place', (url: string) => placeOfPage(material().renditions, url))
  const pagesOf = (url: string) =>
    material().made.exercises.chapters.find((each) => each.url === url)?.exercises ?? []
  eleventy.addFilter('exercisesOf', pagesOf)
  eleventy.addFilter('fromTop', (url: string) => url.replace(/^\//, ''))
  eleventy.addFilter('ids', (pages: readonly { id: string }[]) => pages.map(({ id }) => id).join(' '))
  eleventy.addFilter('frontStrip', () => strip(0.42, 23, 5))
  eleventy.addFilter('emptyStrip', () => strip(0.5, 0, 1))
  const mending = readMending(root)
  eleventy.addFilter('mending', (file: string) => mendingOf(mending, file))
  eleventy.addFilter('strip', (place: PlaceInBook | null) => strip(place?.fraction ?? 0, 7, 1))
}

export async function configure(eleventy: EleventyConfig): Promise<void> {
  const highlight = await createHighlight()
  let gathered: Material | null = null
  let edited: readonly string[] = []
  const material = (): Material => {
    if (!gathered) throw new Error('eleventy: a page was rendered before its material was gathered')
    return gathered
  }

  // Together with those of a build that was refused.
  eleventy.on('eleventy.beforeWatch', (files) => {
    edited = [...edited, ...files]
  })
  eleventy.on('eleventy.before', async ({ directories, runMode }) => {
    const before = gathered && { material: gathered, edited }
    gathered = await gather(highlight, directories.output, runMode !== 'build', before)
    edited = []
  })
  eleventy.on('eleventy.after', ({ directories, results, runMode }) => {
    const write = (): void => writeFinding(results, material(), directories.output)
    if (runMode === 'build') {
      write()
      writeEpub(directories.output, material().renditions[0].book)
    }
    // An author who edits waits for the page; the index comes a moment behind it.
    else setTimeout(write, 300)
  })
  // Under `contig read` we are a child with a channel: say when a build is done, and leave when the parent is gone.
  eleventy.on('eleventy.after', ({ directories, results }) => {
    writeAfter(
      root,
      directories.output,
      results.map(({ url }) => url),
    )
    process.send?.({ kind: 'built' })
  })
  // What a page names is there when a build is done; under `contig read` it comes seconds later, and is not waited for.
  eleventy.on('eleventy.after', ({ runMode }) => {
    const { written } = material().made.cellAssets
    if (runMode === 'build') return written
    written.catch((error: unknown) => process.stderr.write(`told types: ${String(error)}\n`))
  })
  if (process.send) process.once('disconnect', () => process.exit())

  const sources: SourcesIn = (text) => ({
    text,
    highlight,
    weave: (material().renditions.find((rendition) => rendition.text === text) ?? material().renditions[0])
      .weave,
    cellAssets: material().made.cellAssets,
    cellsOf: (file) => material().cells.get(file) ?? [],
  })
  const markdown = createMarkdown(sources, () => material().claims)
  eleventy.setLibrary('md', markdown)

  eleventy.addGlobalData('movieText', enMovie)
  eleventy.addGlobalData('movie', () => material().made.movie)
  eleventy.addGlobalData('policy', PAGE_POLICY)
  eleventy.addGlobalData('renditions', () => material().renditions)
  eleventy.addGlobalData(
    'eleventyComputed',
    renditionData(() => material().renditions),
  )
  eleventy.addGlobalData('coverage', () => material().coverage)
  eleventy.addGlobalData('exercises', () => material().made.exercises)
  eleventy.addGlobalData('formats', () => material().formats)
  eleventy.addGlobalData('sources', () => material().sources)
  eleventy.addGlobalData('licences', () => material().licences)
  eleventy.addGlobalData('changes', () => material().changes)
  eleventy.addGlobalData('assets', () => ({
    ...material().made.assets,
    cells: material().made.cellAssets.scriptUrl,
    exercise: exerciseScript(material().made),
  }))
  addFilters(eleventy, material)
  addPages(eleventy)
  eleventy.addTransform(
    'publish',
    pageTransform(() => material().made.assets.card),
  )

  eleventy.setUseGitIgnore(false)
  eleventy.ignores.add('chapters/*/exercises/**')
  for (const folder of PAGE_FOLDERS) eleventy.addWatchTarget(`./${folder}/`)
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
