// SPDX-License-Identifier: MIT
//
// From a check.ts and the reader's file to one text that a worker can run. esbuild drops types, follows imports, finds
// syntax errors; it does not check types, an editor does. A reader may import models (`contiguous/…`) and own files.
import { SourceMap } from 'node:module'
import { isAbsolute, join, relative } from 'node:path'
import type { Message, Plugin } from 'esbuild'
import type { Finding } from './check.ts'
import { IMPORT_NOTE } from './outcome.ts'

export interface BundleRequest {
  readonly root: string
  /** Absolute path of the exercise's check.ts. */
  readonly check: string
  /** Absolute path of the reader's module, or null when the answer is not a module. */
  readonly reader: string | null
}

/** What a worker evaluates, with the map from its lines to the reader's. */
export interface CheckBundle {
  readonly code: string
  readonly map: SourceMap
}

/** `contiguous/mm/memblock` is code/mm/memblock.ts, as in the chapters' cells. */
export function models(root: string): Plugin {
  return {
    name: 'models',
    setup(build) {
      build.onResolve({ filter: /^contiguous\// }, ({ path }) => ({
        path: join(root, 'code', `${path.slice('contiguous/'.length)}.ts`),
      }))
    },
  }
}

// Runs in the worker. The console goes to the reader line by line, so that it is seen even when the answer never ends.
function glue({ root, check, reader }: BundleRequest): string {
  const load = reader ? `() => import(${JSON.stringify(reader)})` : 'null'
  return `
import { parentPort, workerData } from 'node:worker_threads'
import { format } from 'node:util'
import { perform } from ${JSON.stringify(join(root, 'code/exercise/perform.ts'))}
const tell = (told) => parentPort.postMessage(told)
const print = (...values) => tell({ state: 'printed', text: format(...values) })
globalThis.console = { ...console, log: print, info: print, warn: print, error: print, debug: print }
tell({ state: 'started' })
const check = { check: async (context) => (await import(${JSON.stringify(check)})).check(context) }
perform({ check, context: workerData, load: ${load}, tell, format })
`
}

/** Bundles the check with the reader's module. What the reader wrote wrong comes back as findings; our own faults throw. */
export async function bundleCheck(request: BundleRequest): Promise<CheckBundle | { findings: Finding[] }> {
  const { build } = await import('esbuild')
  try {
    const result = await build({
      stdin: {
        contents: glue(request),
        resolveDir: request.root,
        loader: 'js',
        sourcefile: 'contig-glue.js',
      },
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'neutral',
      external: ['node:worker_threads', 'node:util'],
      target: 'node20',
      sourcemap: 'external',
      sourcesContent: false,
      outfile: join(request.root, 'exercise.js'),
      logLevel: 'silent',
      plugins: [models(request.root)],
    })
    const [map, code] = ['.map', '.js'].map(
      (end) => result.outputFiles.find(({ path }) => path.endsWith(end))!.text,
    )
    return { code: code!, map: new SourceMap(JSON.parse(map!) as ConstructorParameters<typeof SourceMap>[0]) }
  } catch (error) {
    const messages = (error as { errors?: Message[] }).errors
    if (!messages) throw error
    const findings = messages.map((message) => toFinding(message, request))
    if (findings.some((finding) => finding === null)) throw error
    return { findings: findings.filter((finding) => finding !== null) }
  }
}

// Null for a message about a file of ours.
function toFinding(message: Message, { root, reader }: BundleRequest): Finding | null {
  const { location, text } = message
  if (!location || !reader) return null
  const path = isAbsolute(location.file) ? location.file : join(process.cwd(), location.file)
  if (path !== reader && relative(root, path) !== relative(root, reader)) return null
  const unresolved = text.startsWith('Could not resolve') || text.startsWith('No matching export')
  return {
    rule: unresolved ? 'ex-import-unresolved' : 'ex-syntax',
    severity: 'error',
    file: reader.slice(reader.lastIndexOf('/') + 1),
    line: location.line,
    column: location.column + 1,
    text,
    evidence: [location.lineText, `${' '.repeat(location.column)}^`],
    ...(unresolved ? { note: IMPORT_NOTE } : {}),
  }
}
