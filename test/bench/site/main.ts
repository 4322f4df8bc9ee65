// SPDX-License-Identifier: MIT
//
// npm run bench:site: the book through our build and through four other generators in one run, cold and again after an edit
// of one chapter, with what a browser fetches for the same chapter. Peers get the plain book (plain_book.ts); ours is the
// whole course: every source file's page, every cell run, every check made.
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder } from '../../../code/lab/cache.ts'
import { DEBIANS_PYTHON, forget, isInstalled, type Peer, PEERS, writePeer } from './peers.ts'
import { type PlainPage, plainBook } from './plain_book.ts'
import { againSeconds } from './watched.ts'
import { weigh } from './weight.ts'

const CHAPTER = '12-migration-and-reclaim'
const LIMIT_MS = 480_000
const root = process.cwd()

interface Row {
  readonly name: string
  readonly cold: number
  readonly again: number
  readonly page: number
  readonly script: number
}

/** Seconds of a program that must succeed. */
function timed(folder: string, argv: readonly string[]): number {
  const [program = '', ...args] = argv
  const began = performance.now()
  const env = { ...process.env, NODE_ENV: 'production', DO_NOT_TRACK: '1', ASTRO_TELEMETRY_DISABLED: '1' }
  const { status, stderr, stdout, error } = spawnSync(program, args, { cwd: folder, env, timeout: LIMIT_MS })
  if (error || status !== 0) {
    const said = `${stdout?.toString() ?? ''}${stderr?.toString() ?? ''}`.trim().split('\n').slice(-12)
    throw new Error(`${argv.join(' ')} left with ${status ?? error?.message}\n${said.join('\n')}`)
  }
  return (performance.now() - began) / 1000
}

function install(peer: Peer, folder: string): void {
  if (isInstalled(peer, folder)) return
  process.stderr.write(`installing ${peer.name} into ${folder}\n`)
  mkdirSync(folder, { recursive: true })
  const manifest = { private: true, dependencies: peer.packages }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2))
  timed(folder, ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'])
}

/** Why a peer cannot run here, or null. */
function missing(peer: Peer): string | null {
  if (peer.name !== 'Sphinx') return null
  const there = spawnSync(DEBIANS_PYTHON, ['-c', 'import sphinx, myst_parser']).status === 0
  return there
    ? null
    : 'not installed; apt-get install --no-install-recommends python3-sphinx python3-myst-parser'
}

async function peerRow(peer: Peer, pages: readonly PlainPage[]): Promise<Row> {
  const folder = join(cacheFolder(), 'peers', peer.name.toLowerCase())
  install(peer, folder)
  writePeer(peer, folder, pages)
  forget(peer.left, folder)
  const cold = timed(folder, peer.build)
  appendFileSync(join(folder, peer.source(CHAPTER)), '\nOne more sentence.\n')
  forget(peer.stale, folder)
  const again = timed(folder, peer.build)
  const out = join(folder, peer.out)
  if (!readFileSync(join(out, peer.page(CHAPTER)), 'utf8').includes('One more sentence.'))
    throw new Error(`${peer.name}: its second build does not hold the edit`)
  const { all, script } = await weigh(out, peer.page(CHAPTER))
  return { name: peer.name, cold, again, page: all, script }
}

/** What git has of the project, with its built program: a place where a chapter may be edited. */
function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'contiguous-bench-site-'))
  const listed = spawnSync('git', ['ls-files', '-z'], { cwd: root })
    .stdout.toString()
    .split('\0')
    .filter(Boolean)
  for (const path of [...listed, 'dist']) cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

async function ourRow(): Promise<Row> {
  const copy = copyOfProject()
  try {
    const cold = timed(copy, ['node', 'dist/contig.js', 'build', '--no-api', '--out', '_site'])
    const again = await againSeconds(copy, CHAPTER)
    const { all, script } = await weigh(join(copy, '_site'), `${CHAPTER}/`)
    return { name: 'Contiguous', cold, again, page: all, script }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function print(rows: readonly Row[]): void {
  const ours = rows[0]!
  const ratio = (ours: number, theirs: number): string => `${(ours / theirs).toFixed(2)}×`
  console.log('generator     cold s   ratio   edit s   ratio   page KB gz   ratio   of it JS')
  for (const row of rows) {
    const cells = [
      row.cold.toFixed(1).padStart(6),
      ratio(ours.cold, row.cold).padStart(7),
      row.again.toFixed(1).padStart(8),
      ratio(ours.again, row.again).padStart(7),
      (row.page / 1000).toFixed(1).padStart(12),
      ratio(ours.page, row.page).padStart(7),
      (row.script / 1000).toFixed(1).padStart(10),
    ]
    console.log(`${row.name.padEnd(12)} ${cells.join(' ')}`)
  }
  console.log(
    'A ratio is ours divided by theirs. Cold: ours also makes a page for every source file and runs every cell.\n' +
      'Edit: ours until the page of `contig read` holds it, theirs another build.',
  )
}

const pages = plainBook(root)
const rows: Row[] = []
/** Keeps a row, and says what has been measured: the whole takes minutes. */
function take(row: Row): void {
  rows.push(row)
  process.stderr.write(
    `${row.name}: ${row.cold.toFixed(1)} s cold, ${row.again.toFixed(1)} s after an edit\n`,
  )
}
take(await ourRow())
for (const peer of PEERS) {
  const why = missing(peer)
  if (why === null) take(await peerRow(peer, pages))
  else console.log(`${peer.name.padEnd(12)} SKIP ${why}`)
}
print(rows)
