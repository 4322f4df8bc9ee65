// SPDX-License-Identifier: MIT
//
// The loop behind `contig read`. Three things may change: what the pages are made of (Eleventy watches that), the site's
// own program (bundled again, Eleventy started anew), and the models' documentation (made once, beside the rest).
import type { ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { watch } from 'chokidar'
import { buildApi, projectRoot, rebuildTools, watchPages } from './site_build.ts'
import { claimFolder } from './site_folder.ts'
import { serveSite } from './site_server.ts'

/** Serves until it is interrupted. Rejects with a Complaint when the port is taken, before anything is built. */
export async function readCourse(options: { port: number; out: string }): Promise<void> {
  const root = projectRoot()
  const folder = resolve(options.out)
  claimFolder(folder)
  const out = relative(root, folder)
  const started = performance.now()
  mkdirSync(folder, { recursive: true })
  const server = await serveSite({ folder, port: options.port, reload: true })
  const say = (text: string): boolean => process.stdout.write(text + '\n')

  let builds = 0
  const onBuilt = (): void => {
    builds += 1
    server.reload()
    if (builds > 1) return
    say(
      `Contiguous is at ${server.url}  (${((performance.now() - started) / 1000).toFixed(1)} s; Ctrl-C ends it)`,
    )
    void buildApi(root, out).then((done) => {
      if (!done) process.stderr.write('contig: TypeDoc did not document the models; /api/ is missing\n')
    })
  }
  // A course that could not be built at first is tried again with the next edit.
  const onFailed = (): void => {
    process.stderr.write('contig: nothing was built; save a chapter to try again\n')
    const chapters = watch(join(root, 'chapters'), { ignoreInitial: true }).once('all', () => {
      void chapters.close()
      eleventy.kill()
      eleventy = begin()
    })
  }
  const begin = (): ChildProcess => watchPages(root, out, onBuilt, onFailed)
  let eleventy = begin()
  let restarting = false
  let editedMeanwhile = false
  const restart = async (): Promise<void> => {
    editedMeanwhile = true
    if (restarting) return
    restarting = true
    while (editedMeanwhile) {
      editedMeanwhile = false
      say('The site itself was edited: starting its builder anew.')
      if (!(await rebuildTools(root))) continue
      eleventy.kill()
      eleventy = begin()
    }
    restarting = false
  }
  const tools = watch(join(root, 'site'), {
    ignoreInitial: true,
    ignored: (path, stats) => stats?.isFile() === true && !/\.(ts|json)$/.test(path),
  }).on('all', (event) => {
    if (!event.endsWith('Dir')) void restart()
  })

  await new Promise<void>((done) => {
    process.once('SIGINT', done)
    process.once('SIGTERM', done)
    process.once('SIGHUP', done)
  })
  eleventy.kill()
  await Promise.all([tools.close(), server.close()])
  // TypeDoc may still be at work; `exit` ends it (site_build.ts).
  process.exit(0)
}
