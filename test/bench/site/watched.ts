// SPDX-License-Identifier: MIT
//
// An edit of a chapter under `contig read`: from the write of the file until the server has a page that holds it.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LIMIT_MS = 300_000
const EDITS = 7

/** Asks until `done` says so; rejects when it takes too long. */
async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const began = performance.now()
  while (!(await done())) {
    if (performance.now() - began > LIMIT_MS) throw new Error(`${what}: not within ${LIMIT_MS / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/**
 * Seconds from an edit of the chapter to its page, under `root`, which is a copy that may be edited: the median of several,
 * of which the first meet TypeDoc at work.
 */
export async function againSeconds(root: string, slug: string): Promise<number> {
  const file = join(root, 'chapters', slug, 'index.md')
  const before = readFileSync(file, 'utf8')
  const out = mkdtempSync(join(tmpdir(), 'contiguous-bench-read-'))
  rmSync(out, { recursive: true })
  const child = spawn(process.execPath, ['dist/contig.js', 'read', '--port', '0', '--out', out], {
    cwd: root,
  })
  let said = ''
  child.stdout.on('data', (piece: Buffer) => (said += piece.toString()))
  try {
    await until('the first build of contig read', () => Promise.resolve(said.includes('http://')))
    const url = /http:\S+/.exec(said)![0]
    const holds = async (text: string): Promise<boolean> =>
      (await (await fetch(`${url}${slug}/`)).text()).includes(text)
    const taken: number[] = []
    for (let edit = 0; edit < EDITS; edit++) {
      const sentence = `One more sentence, ${edit}.`
      const began = performance.now()
      writeFileSync(file, `${before}\n${sentence}\n`)
      await until('the edited page', () => holds(sentence))
      taken.push((performance.now() - began) / 1000)
    }
    return taken.toSorted((a, b) => a - b)[EDITS >> 1]!
  } finally {
    child.kill('SIGINT')
    await new Promise((done) => child.once('exit', done))
    rmSync(out, { recursive: true, force: true })
  }
}
