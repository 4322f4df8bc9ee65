// SPDX-License-Identifier: MIT
//
// From a reader's save to the answer. TypeScript and questions: `contig do` against esbuild and Node alone, which bundle and
// run the same check on the same answer. C: against QEMU started by hand with the words and the image of that very run;
// each of our rounds has another comment in the file, so that it is built anew, as after a save.
//
// Targets: a second for TypeScript where esbuild and Node take a quarter of one; five for C where the bare boot of our own
// kernel, with three loads of the module, takes a little over one.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultKernel } from '../../code/exercise/board.ts'
import { findExercise, loadExercises, type Exercise } from '../../code/exercise/catalog.ts'
import { readerFolder } from '../../code/exercise/workspace.ts'
import { Cache } from '../../code/lab/cache.ts'
import { rememberedKernel } from '../../code/lab/kernel_choice.ts'
import { loadLab } from '../../code/lab/lab_file.ts'
import { planKernel } from '../../code/lab/plan.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { type BenchResult, type BenchRows, type BenchSkip, sideBySide } from './measure.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const contigJs = fileURLToPath(new URL('../dist/contig.js', import.meta.url))
const esbuild = join(root, 'node_modules/.bin/esbuild')

interface Desk {
  readonly workspace: string
  readonly exercise: (id: string) => Exercise
  contig(...words: string[]): void
}

// The solution laid out as a reader's own file.
function layOutSolution({ workspace, exercise }: Desk, id: string): string {
  const of = exercise(id)
  const file = join(readerFolder({ root, workspace }, of), of.files[0]!)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, readFileSync(join(of.path, 'solution', of.files[0]!), 'utf8'))
  return file
}

// esbuild's own program makes one file of `entry`, Node runs it.
function bundledAndRun(workspace: string, entry: string): () => void {
  const out = join(workspace, 'bundled.cjs')
  const words = ['--bundle', '--platform=node', '--target=node20', `--alias:contiguous=${join(root, 'code')}`]
  return () => {
    execFileSync(esbuild, [...words, `--outfile=${out}`, '--log-level=error'], { input: entry, cwd: root })
    execFileSync(process.execPath, [out], { stdio: 'ignore' })
  }
}

function typescript(desk: Desk): BenchResult {
  const id = 'find-the-place'
  const file = layOutSolution(desk, id)
  const check = join(desk.exercise(id).path, 'check.ts')
  const entry = `
import { check } from ${JSON.stringify(check)}
import * as module from ${JSON.stringify(file)}
check({ kind: 'typescript', files: {}, module }).then(({ findings }) => process.exit(findings.length))`
  return {
    what: `contig do ${id} --once against esbuild and Node alone with the same check`,
    limit: 4,
    ...sideBySide(9, () => desk.contig('do', id, '--once'), bundledAndRun(desk.workspace, entry)),
  }
}

function question(desk: Desk): BenchResult {
  const id = 'where-it-lands'
  const entry = `
import { ask } from ${JSON.stringify(join(desk.exercise(id).path, 'question.ts'))}
import { createRng } from 'contiguous/lib/rng'
console.log(ask(createRng(7)))`
  const ours = (): void => {
    // Not the right answer, which ends with 1.
    try {
      desk.contig('do', id, '--seed', '7', '--answer', '1')
    } catch (error) {
      if ((error as { status?: number }).status !== 1) throw error
    }
  }
  return {
    what: `contig do ${id} --answer against esbuild and Node alone with the same question`,
    limit: 4,
    ...sideBySide(9, ours, bundledAndRun(desk.workspace, entry)),
  }
}

function c(desk: Desk): BenchResult | BenchSkip {
  const id = 'let-go-in-order'
  const cache = new Cache()
  const kernel = defaultKernel(cache)
  const what = `contig do ${id} --once on Linux ${kernel}, after a save, against a bare QEMU with the same image`
  const missing = missingTools(['board'])
  if (missing.length > 0)
    return { what, skip: `${missing.map((tool) => tool.package).join(', ')} not installed` }
  const file = layOutSolution(desk, id)
  desk.contig('do', id, '--once')
  const known = rememberedKernel(cache, '', kernel, 'arm64')
  if (!known) throw new Error(`${id} ran on ${kernel}, but the cache does not remember the kernel`)
  const { path, files } = desk.exercise(id)
  const lab = loadLab(join(path, 'lab.yaml').slice(root.length), root)
  const overrides = Object.fromEntries(lab.modules.map((folder) => [`${folder}/${files[0]!}`, file]))
  const { boots } = planKernel(lab, { overrides }, cache, { ...known, apt: '' }, 'bench')
  const argv = boots.map(({ board }) => board.qemu.argv)
  return {
    what,
    limit: 4,
    limitedBy:
      'make, which compiles twice and runs modpost: two seconds of processor before the board starts',
    ...sideBySide(
      5,
      () => {
        appendFileSync(file, `/* ${Date.now()} */\n`)
        desk.contig('do', id, '--once')
      },
      () => {
        for (const [program = '', ...words] of argv) execFileSync(program, words, { stdio: 'ignore' })
      },
    ),
  }
}

export function feedbackBench(): BenchRows {
  const workspace = mkdtempSync(join(tmpdir(), 'contig-bench-'))
  const exercises = loadExercises(root)
  const desk: Desk = {
    workspace,
    exercise: (id) => findExercise(exercises, id),
    contig: (...words) => {
      const env = { ...process.env, CONTIG_WORKSPACE: workspace }
      execFileSync(process.execPath, [contigJs, ...words], { stdio: 'ignore', env })
    },
  }
  try {
    return { 'do ts': typescript(desk), 'do question': question(desk), 'do c': c(desk) }
  } finally {
    rmSync(workspace, { recursive: true, force: true })
  }
}
