// SPDX-License-Identifier: MIT
//
// Runs cells in Node, for the tests: the road of the page, with a file for the blob. `openRunner` bundles the models
// once, `runCell` starts a worker a cell, `close` removes what was written.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { en } from '../text/en.ts'
import { CellMistake, rewriteImports } from './imports.ts'
import { BUNDLE, cellSource, modelBuild, modelFiles } from './models.ts'
import { withLine } from './sandbox.ts'
import { stripTypes } from './strip.ts'
import {
  type Cell,
  CELL_LIMITS,
  type CellEnd,
  type CellLimits,
  type CellRun,
  type WorkerReport,
} from './types.ts'

const words = en.scripts.cells

export interface CellRunner {
  /** Never rejects for what a cell does: see `end`. */
  runCell(cell: Pick<Cell, 'id' | 'code'>, limits?: Partial<CellLimits>): Promise<CellRun>
  close(): void
}

/** Bundles the models of the project at `root` into a folder of its own under the system's temporary folder. */
export async function openRunner(root: string): Promise<CellRunner> {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-cells-'))
  const models = modelFiles(root)
  const outExtension = { '.js': '.mjs' }
  try {
    if (models.size > 0)
      await build({ ...modelBuild(root), outdir: join(folder, 'contiguous'), outExtension })
    await build({
      ...BUNDLE,
      entryPoints: [cellSource('node_worker.ts')],
      outdir: folder,
      outExtension,
      platform: 'node',
      entryNames: 'worker',
    })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const addressOf = (specifier: string) =>
    models.has(specifier) ? pathToFileURL(join(folder, `${specifier}.mjs`)).href : null
  let runs = 0

  return {
    async runCell(cell, limits = {}) {
      const { timeoutMs, outputLimit } = { ...CELL_LIMITS, ...limits }
      let prepared
      try {
        prepared = rewriteImports(stripTypes(cell.code), { names: [...models.keys()], addressOf }, words)
      } catch (error) {
        if (!(error instanceof CellMistake)) throw error
        return { output: '', end: { kind: 'error', text: error.message, line: error.line } }
      }
      runs += 1
      const file = join(folder, `cell-${runs}.mjs`)
      writeFileSync(file, prepared.code)
      const request = { module: pathToFileURL(file).href, models: prepared.models, outputLimit, words }
      const run = await inWorker(join(folder, 'worker.mjs'), request, timeoutMs)
      return { ...run, end: withLine(byName(run.end, folder), cell.code) }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Models by their names in an engine's message, not by the files that they were bundled to. */
function byName(end: CellEnd, folder: string): CellEnd {
  if (end.kind !== 'error') return end
  const text = end.text.replaceAll(`${pathToFileURL(folder).href}/`, '').replace(/\.mjs(?=')/g, '')
  return { ...end, text }
}

function inWorker(script: string, workerData: unknown, timeoutMs: number): Promise<CellRun> {
  return new Promise((resolve) => {
    const worker = new Worker(script, { workerData, env: {}, execArgv: [], stdin: false })
    let output = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    let ended = false
    const finish = (end: CellEnd) => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      void worker.terminate().then(() => resolve({ output, end }))
    }
    worker.on('message', (report: WorkerReport) => {
      if (ended) return
      if (report.kind === 'print') output += report.text
      else if (report.kind === 'end') finish(report.end)
      else timer = setTimeout(() => finish({ kind: 'time', limitMs: timeoutMs }), timeoutMs)
    })
    // Out of memory, or a worker that ends itself: the cell's doing, and so the cell's end.
    worker.on('error', (error) => finish({ kind: 'error', text: String(error), line: 0 }))
    worker.on('exit', () => finish({ kind: 'error', text: 'the worker ended before the cell did', line: 0 }))
  })
}
