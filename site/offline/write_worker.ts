// SPDX-License-Identifier: MIT
//
// The last step of a build: lists what is in the folder, writes the list under a name that holds its hash, and the worker
// that knows this name. So a change of any file changes a few bytes of worker.js, by which browsers notice it. The
// manifest is told of the worker (`serviceworker`): pages register what it names, and nothing when it names none.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../paths.ts'
import { TARGET } from '../targets.ts'
import type { EditionList, Stage } from './list.ts'
import { listFolder } from './listing.ts'

export const WORKER = 'worker.js'
export const MANIFEST = 'manifest.webmanifest'

interface Count {
  readonly files: number
  readonly bytes: number
}

function tellManifest(folder: string): void {
  const file = join(folder, MANIFEST)
  if (!existsSync(file)) throw new Error(`${file}: not there; is ${folder} a folder that contig build made?`)
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  manifest['serviceworker'] = { src: WORKER, scope: './' }
  writeFileSync(file, JSON.stringify(manifest, null, 2) + '\n')
}

function forgetEarlierLists(folder: string): void {
  const assets = join(folder, 'assets')
  for (const name of existsSync(assets) ? readdirSync(assets) : [])
    if (/^edition-[0-9a-f]+\.json$/.test(name)) rmSync(join(assets, name))
}

const PLACE_OF_HASH = 'hash-of-this-edition'

/** The bundled worker, with PLACE_OF_HASH where the hash goes. */
async function workerCode(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['site/offline/worker.ts'],
    bundle: true,
    minify: true,
    format: 'iife',
    target: TARGET,
    define: { EDITION: JSON.stringify(PLACE_OF_HASH) },
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0]?.text ?? ''
}

/** Writes worker.js and its list into a folder with everything else in it; gives what a reader will keep, by stage. */
export async function writeWorker(folder: string): Promise<Record<Stage, Count>> {
  forgetEarlierLists(folder)
  tellManifest(folder)
  const files = listFolder(folder)
  const list = JSON.stringify({ files } satisfies EditionList)
  const code = await workerCode()
  // Of the code too: another worker over the same files is another edition, with a shelf of its own.
  const edition = createHash('sha256').update(list).update(code).digest('hex').slice(0, 16)
  writeFileSync(join(folder, `assets/edition-${edition}.json`), list)
  writeFileSync(join(folder, WORKER), code.replace(PLACE_OF_HASH, edition))
  const count = (stage: Stage): Count => {
    const of = files.filter((file) => file.stage === stage)
    return { files: of.length, bytes: of.reduce((sum, { size }) => sum + size, 0) }
  }
  return { first: count('first'), later: count('later') }
}
