// SPDX-License-Identifier: MIT
//
// The told types as files of the site, `assets/cell-types-<hash>.json`, one a chapter. To find them takes the compiler
// seconds: so the name is a hash of what they are made from, known before they are; a thread makes them while the pages
// are written, and `.cache/told/` keeps them until a cell of the chapter or a model changes.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import ts from 'typescript'
import { cellSource, modelFiles } from './models.ts'
import { toldTypes } from './told_types.ts'
import type { Cell } from './types.ts'

interface Chapter {
  readonly file: string
  readonly cells: readonly Cell[]
  /** Where it is kept. */
  readonly path: string
}

interface Work {
  readonly root: string
  readonly chapters: readonly Chapter[]
}

export interface ToldFiles {
  /** The file of a chapter's told types, by the chapter's file; a name in `assets/`. */
  readonly names: ReadonlyMap<string, string>
  /** When all are written; rejects with what the compiler could not do. */
  readonly written: Promise<void>
}

function keyOf(models: string, cells: readonly Cell[]): string {
  const maker = readFileSync(cellSource('told_types.ts'), 'utf8')
  const made = [ts.version, maker, models, ...cells.flatMap(({ id, code }) => [id, code])]
  return createHash('sha256').update(made.join('\0')).digest('hex').slice(0, 10)
}

/** Begins to write the told types of all chapters into `outDir/assets/`. */
export function writeTold(root: string, cells: readonly Cell[], outDir: string): ToldFiles {
  const models = [...modelFiles(root).values()]
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\0')
  const kept = join(root, '.cache/told')
  const files = [...new Set(cells.map(({ file }) => file))]
  const chapters = files.map((file): Chapter => {
    const own = cells.filter((cell) => cell.file === file)
    return { file, cells: own, path: join(kept, `cell-types-${keyOf(models, own)}.json`) }
  })
  const missing = chapters.filter(({ path }) => !existsSync(path))
  const made = missing.length > 0 ? inThread({ root, chapters: missing }) : Promise.resolve()
  const written = made.then(() => {
    const assets = join(outDir, 'assets')
    mkdirSync(assets, { recursive: true })
    for (const { path } of chapters) copyFileSync(path, join(assets, basename(path)))
  })
  return { names: new Map(chapters.map(({ file, path }) => [file, basename(path)])), written }
}

/** This very file, bundled, as a thread: see the end. */
function inThread(work: Work): Promise<void> {
  const thread = new Worker(new URL('./told_files.js', import.meta.url), { workerData: { toldTypes: work } })
  return new Promise((done, fail) => {
    thread.once('error', fail)
    thread.once('exit', (code) =>
      code === 0 ? done() : fail(new Error(`told types: the thread left with ${code}`)),
    )
  })
}

function make({ root, chapters }: Work): void {
  const told = toldTypes(
    root,
    chapters.flatMap(({ cells }) => cells),
  )
  for (const { file, path } of chapters) {
    mkdirSync(join(path, '..'), { recursive: true })
    // By a rename, so that a build beside us never reads half a file.
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(told.get(file)))
    renameSync(`${path}.${process.pid}`, path)
  }
}

const work = (workerData as { toldTypes?: Work } | null)?.toldTypes
if (!isMainThread && parentPort && work) make(work)
