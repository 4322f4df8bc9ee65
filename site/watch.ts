// SPDX-License-Identifier: MIT
//
// `node dist/watch.js <folder>`: the builder of `contig read`. Builds the pages, and again on every edit; also on those made
// between the reading of a file and the moment from which Eleventy watches it, which Eleventy itself would never see.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Eleventy } from '@11ty/eleventy'
import { PAGE_FOLDERS } from './paths.ts'

/** The files that pages are made of which were written after `time` in milliseconds. */
function writtenSince(time: number): string[] {
  return PAGE_FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ).filter((path) => {
    const stats = statSync(path, { throwIfNoEntry: false })
    return stats?.isFile() && stats.mtimeMs > time
  })
}

/** Resolves when the watcher has found every file: Eleventy's says earlier that it is ready. */
async function foundAll(watched: () => Record<string, string[]>): Promise<void> {
  const found = (): number => Object.values(watched()).flat().length
  let before = -1
  for (let same = 0; same < 3; before = found()) {
    await new Promise((done) => setTimeout(done, 100))
    same = found() === before ? same + 1 : 0
  }
}

const began = Date.now()
const eleventy = new Eleventy(undefined, process.argv[2], {
  source: 'cli',
  quietMode: true,
  runMode: 'watch',
})
// A watcher that has no more files to give out, and the like: said, and the next build is tried.
process.on('uncaughtException', (error) => eleventy.errorHandler.error(error, 'not watched'))
process.on('unhandledRejection', (error) => eleventy.errorHandler.error(error, 'not built'))
try {
  await eleventy.init()
  const edited = await eleventy.watch()
  await foundAll(() => eleventy.watcher.getWatched())
  // Not awaited one by one: several that follow each other closely are one build.
  for (const path of writtenSince(began)) void edited(path)
} catch (error) {
  eleventy.errorHandler.fatal(error, 'the course was not built')
  process.exit(1)
}
