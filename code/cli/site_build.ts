// SPDX-License-Identifier: MIT
//
// Starts what builds the site: Eleventy for the pages, TypeDoc for the API. Both are programs of their own, because
// nothing in code/ may lean on site/; both end with this one, whatever ends it.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Complaint } from '../lib/complaint.ts'

/** The project's root: the nearest folder above that holds chapters/. `contig` runs from dist/. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, '.eleventy.js'))) {
    const above = dirname(folder)
    if (above === folder)
      throw new Complaint({ text: 'no folder above this program holds .eleventy.js', exitCode: 2 })
    folder = above
  }
  return folder
}

const ELEVENTY = 'node_modules/@11ty/eleventy/cmd.cjs'
const WATCH = 'dist/watch.js'
const TYPEDOC = 'node_modules/typedoc/bin/typedoc'
const API_SHEET = 'site/css/api.css'
const API_SHAPED_BY = [API_SHEET, 'typedoc.json', 'site/typedoc_told.ts', 'site/publish/api_page.ts']

const running = new Set<ChildProcess>()
let guarded = false

/** Nothing of ours outlives us. */
function keep(child: ChildProcess): void {
  running.add(child)
  child.once('exit', () => running.delete(child))
  if (guarded) return
  guarded = true
  process.once('exit', () => {
    for (const other of running) other.kill('SIGKILL')
  })
}

/** Runs a program of node_modules to its end; its complaints go to our stderr. Gives its exit code. */
function runNode(root: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', process.stderr],
  })
  keep(child)
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('exit', (code) => done(code ?? 1))
  })
}

/**
 * What Eleventy said of a failed build, once: it prints an error twice, and its own stack below each. What is no finding
 * of ours is left whole.
 */
export function findingsIn(said: string): string {
  const once = said.split('Original error stack trace')[0] ?? ''
  const lines = once
    .split('\n')
    .map((line) =>
      line
        .replace(/^\[11ty\] ?/, '')
        .replace(/^\d+\. /, '')
        .replace(/ \(via \w+\)$/, ''),
    )
    .filter((line) => !/^(Problem writing Eleventy|Having trouble rendering)|^\s*$/.test(line))
  return lines.some((line) => /: error: .* \[[a-z-]+\]$/.test(line)) ? lines.join('\n') : said.trim()
}

/** What of a build is asked for. */
export interface PagesOptions {
  /** The address at which the pages will stand, for what needs a whole one (site/publish/site_address.ts). */
  readonly site?: string | undefined
  /** With links to a PDF, which `printPdf()` makes. */
  readonly pdf?: boolean
}

/** Builds the pages and the EPUB once, quietly; a Complaint says what is wrong with a chapter. */
export async function buildPages(
  root: string,
  out: string,
  { site = '', pdf = false }: PagesOptions = {},
): Promise<void> {
  const child = spawn(process.execPath, [ELEVENTY, '--quiet', `--output=${out}`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CONTIG_SITE: site, CONTIG_PDF: pdf ? '1' : '' },
  })
  keep(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (said += data.toString()))
  const code = await new Promise<number>((done, fail) => {
    child.once('error', fail)
    child.once('close', (status) => done(status ?? 1))
  })
  if (code !== 0) throw new Complaint({ text: `the site was not built\n${findingsIn(said)}`, exitCode: 1 })
  // A listing that is too long, and the like: said, and no obstacle.
  process.stderr.write(said.replace(/^\[11ty\] Wrote .*\n/gm, ''))
}

/** After so long without a word, what the builder of `contig read` had to say of a build is whole. Unit: ms. */
const PAUSE = 150

/** Tells what a child says, a build at a time. */
function relay(child: ChildProcess): void {
  let said = ''
  let pause: NodeJS.Timeout | undefined
  const tell = (): void => {
    clearTimeout(pause)
    if (said !== '') process.stderr.write(`${findingsIn(said)}\n`)
    said = ''
  }
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) => {
      said += data.toString()
      clearTimeout(pause)
      pause = setTimeout(tell, PAUSE)
    })
  child.once('close', tell)
}

/**
 * Builds the pages and again on every edit. `onBuilt` is called after each build, `onFailed` when the first one failed,
 * which ends the child. It knows us by its channel and leaves when that closes.
 */
export function watchPages(
  root: string,
  out: string,
  onBuilt: () => void,
  onFailed: () => void = () => undefined,
): ChildProcess {
  const child = fork(join(root, WATCH), [out], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  keep(child)
  relay(child)
  child.once('close', (code) => {
    if (code) onFailed()
  })
  child.on('message', (message) => {
    if ((message as { kind?: string }).kind === 'built') onBuilt()
  })
  return child
}

/** Bundles dist/ again, after an edit of the site's own TypeScript. */
export async function rebuildTools(root: string): Promise<boolean> {
  const child = spawn('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  })
  keep(child)
  return new Promise((done) => {
    child.once('error', () => done(false))
    child.once('exit', (code) => done(code === 0))
  })
}

/** A step over a built folder: a program of the site's own, bundled into dist/. @throws Complaint (1) when it fails */
async function step(root: string, name: string, out: string): Promise<void> {
  const program = join(root, 'dist', `${name}.js`)
  const child = spawn(process.execPath, [program, resolve(root, out)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  keep(child)
  const code = await new Promise<number>((done, fail) => {
    child.once('error', fail)
    child.once('close', (status) => done(status ?? 1))
  })
  if (code !== 0) throw new Complaint({ text: `${name}: not made; the lines above say why`, exitCode: 1 })
}

/** Prints the built pages as one PDF, in Chromium. @throws Complaint (4) without Chromium */
export async function printPdf(root: string, out: string): Promise<void> {
  const { needTools } = await import('../lab/tools.ts')
  needTools(['browser'])
  await step(root, 'pdf', out)
}

/** Makes a built folder readable offline. The last step: it lists every file that is there. */
export function writeOffline(root: string, out: string): Promise<void> {
  return step(root, 'offline', out)
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  return Math.max(0, ...files.map((file) => statSync(join(folder, file)).mtimeMs))
}

/**
 * Documents the models into `out`/api/, unless what is there is newer than every model and what shapes the pages. False
 * when TypeDoc failed.
 */
export async function buildApi(root: string, out: string): Promise<boolean> {
  const api = resolve(root, out, 'api')
  const index = join(api, 'index.html')
  const shaping = API_SHAPED_BY.map(
    (file) => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  )
  const changed = Math.max(newest(join(root, 'code')), ...shaping)
  if (existsSync(index) && statSync(index).mtimeMs > changed) return true
  const code = await runNode(root, [TYPEDOC, '--logLevel', 'Error', '--out', api])
  if (code !== 0 || !existsSync(index)) return false
  adoptApiPages(api)
  // Behind TypeDoc's own, so that no page asks for one file more.
  appendFileSync(join(api, 'assets/style.css'), readFileSync(join(root, API_SHEET)))
  return true
}

/** TypeDoc writes small scripts into its pages; the site's policy allows files only, so each becomes one. */
function adoptApiPages(api: string): void {
  const scripts = new Map<string, string>()
  for (const file of readdirSync(api, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.html')) continue
    const up = '../'.repeat(file.split(/[\\/]/).length - 1)
    const page = readFileSync(join(api, file), 'utf8').replace(
      /<script>([\s\S]*?)<\/script>/g,
      (_whole, text: string) => {
        const name = scripts.get(text) ?? `inline-${scripts.size + 1}.js`
        scripts.set(text, name)
        return `<script src="${up}assets/${name}"></script>`
      },
    )
    // A member inherited from the language itself has its source in no folder of ours.
    const local = page.replace(/<a href="(?:\.\.\/)+source\/(?!code\/|")[^"]*"[^>]*>([\s\S]*?)<\/a>/g, '$1')
    writeFileSync(join(api, file), local)
  }
  for (const [text, name] of scripts) writeFileSync(join(api, 'assets', name), text)
}
