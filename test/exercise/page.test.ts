// SPDX-License-Identifier: MIT
//
// Every answer of the book on the road that it takes in a page: the checks and questions as bundles, the reader's text
// stripped and its imports rewritten, the page's own code around it. What comes is what a terminal says.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askMany } from '../../code/exercise/ask.ts'
import { PROOF_SEEDS } from '../../code/exercise/book_check_question.ts'
import { findExercise, loadExercises, type Exercise } from '../../code/exercise/catalog.ts'
import type { CheckResult } from '../../code/exercise/check.ts'
import { judgeAnswer, seedFor, type Question } from '../../code/exercise/question.ts'
import { runExercise } from '../../code/exercise/run.ts'
import { buildCells } from '../../site/cells/build.ts'
import { prepare, resultOf } from '../../site/exercises/answer.ts'
import { buildChecks, runsInPage } from '../../site/exercises/build.ts'
import type { WorkerRequest, WorkerTold } from '../../site/exercises/types.ts'
import { slugOf } from '../../site/markdown/slug.ts'
import { root } from '../support/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'contiguous-page-'))
const exercises = loadExercises(root)
const inPage = exercises.filter(runsInPage)
const withFiles = inPage.filter(({ kind }) => kind !== 'question')
const questions = inPage.filter(({ kind }) => kind === 'question')

let worker: Worker
let checks: ReadonlyMap<string, string>
let models: Readonly<Record<string, string>>

beforeAll(async () => {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const cells = await buildCells(root, folder)
  models = cells.modules
  checks = (await buildChecks(root, folder, exercises, cells)).addresses
  await build({
    entryPoints: [join(root, 'test/support/exercise_worker.ts')],
    outfile: join(folder, 'worker.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  worker = new Worker(join(folder, 'worker.js'), { workerData: { folder } })
}, 120_000)
afterAll(async () => {
  await worker?.terminate()
  rmSync(folder, { recursive: true, force: true })
})

const fileUrl = (path: string): string => pathToFileURL(join(folder, path)).href
const addressOf = (specifier: string): string | null =>
  models[specifier] === undefined ? null : fileUrl(models[specifier])

/** Sends a request and gives the first that is told of these states. */
function told<State extends WorkerTold['state']>(
  request: WorkerRequest,
  ...states: State[]
): Promise<Extract<WorkerTold, { state: State }>> {
  return new Promise((resolve, reject) => {
    const heard = (message: WorkerTold): void => {
      if (!(states as string[]).includes(message.state)) return
      worker.off('message', heard).off('error', reject)
      resolve(message as Extract<WorkerTold, { state: State }>)
    }
    worker.on('message', heard).once('error', reject)
    worker.postMessage(request)
  })
}

/** The verdict of the page on the answer in `path`. */
async function judged(exercise: Exercise, path: string): Promise<CheckResult> {
  const name = exercise.files[0]!
  const source = readFileSync(join(exercise.path, path, name), 'utf8')
  const ready = exercise.kind === 'dts' ? { module: null, models: [] } : prepare(exercise, source, addressOf)
  if ('findings' in ready) return ready
  const context = { kind: exercise.kind as 'dts', files: { [name]: source } }
  const check = fileUrl(checks.get(exercise.id)!)
  const ended = await told({ kind: 'check', ...ready, check, context }, 'result', 'threw')
  const result = resultOf(exercise, ended, source)
  if (!result) throw new Error(`${exercise.id}: its check failed: ${JSON.stringify(ended)}`)
  return result
}

const ask = async ({ id }: Exercise, seed: number): Promise<Question> =>
  (await told({ kind: 'ask', question: fileUrl(checks.get(id)!), seed: seedFor(seed, id) }, 'asked')).question

/** The anchors of a chapter's headings. */
const anchorsOf = ({ path }: Exercise): string[] =>
  readFileSync(join(path, '../../index.md'), 'utf8')
    .split('\n')
    .flatMap((line) => /^#{2,4} (.*?)$/.exec(line)?.[1] ?? [])
    .map(slugOf)

describe('in the page', () => {
  it('there is a check or a question of every exercise but those in C', () => {
    expect([...checks.keys()]).toEqual(inPage.map(({ id }) => id))
    expect(exercises.length - inPage.length).toBe(exercises.filter(({ kind }) => kind === 'c').length)
  })

  it.each(withFiles)(
    '$id fails as shipped, its solution passes, each wrong answer gets its own diagnosis',
    async (exercise) => {
      const rules = async (path: string) => (await judged(exercise, path)).findings[0]?.rule ?? 'pass'
      const [shipped] = (await judged(exercise, '.')).findings
      expect(shipped?.rule).toBe(exercise.shipped)
      expect(anchorsOf(exercise)).toContain(slugOf(shipped?.read ?? ''))
      expect(await rules('solution')).toBe('pass')
      for (const [name, rule] of Object.entries(exercise.wrong))
        expect(await rules(`wrong/${name}`), name).toBe(rule)
    },
  )

  it.each(questions)('$id asks, takes its own answer, and tells its wrong ones apart', async (exercise) => {
    const asked: Question[] = []
    for (const seed of PROOF_SEEDS.slice(0, 6)) asked.push(await ask(exercise, seed))
    for (const question of asked) {
      expect(judgeAnswer(question, question.answer)).toBeNull()
      expect(judgeAnswer(question, '')?.rule).toBe('ex-not-answered')
      for (const { answer, rule } of question.wrong) {
        const found = judgeAnswer(question, answer)
        // For some numbers a misunderstanding gives the right answer, or another's.
        const others = question.wrong.map((each) => each.rule)
        if (found) expect(others, rule).toContain(found.rule)
        if (found) expect(anchorsOf(exercise)).toContain(slugOf(found.read ?? ''))
      }
    }
  })

  // Bundling takes a terminal longer than asking: one question of each of some chapters.
  it.each(questions.filter((_, i) => i % 7 === 0))(
    '$id asks what a terminal asks with the same seed',
    async (exercise) => {
      const seeds = PROOF_SEEDS.slice(0, 2)
      const asked = [await ask(exercise, seeds[0]!), await ask(exercise, seeds[1]!)]
      expect(asked).toEqual(await askMany(exercise, { root, seeds }))
    },
  )

  it.each(['mend-the-tree', 'read-the-cells', 'may-it-have-it'])(
    '%s is told in the words of the terminal, to the letter',
    async (id) => {
      const exercise = findExercise(exercises, id)
      for (const path of ['.', 'solution', `wrong/${Object.keys(exercise.wrong)[0]}`]) {
        const { findings, shown } = await runExercise(exercise, { root, folder: join(exercise.path, path) })
        const { findings: mine, shown: myShown } = await judged(exercise, path)
        expect({ findings: mine, shown: myShown }).toEqual({ findings, shown })
      }
    },
  )
})

describe('prepare() and resultOf()', () => {
  const exercise = findExercise(exercises, 'read-the-cells')
  const findings = (source: string) => {
    const ready = prepare(exercise, source, addressOf)
    return 'findings' in ready ? ready.findings[0] : null
  }

  it('name the line of a mistake in the syntax, and of an import that is no model', () => {
    expect(findings('const a = 1\nconst = 2\n')).toMatchObject({
      rule: 'ex-syntax',
      line: 2,
      file: 'read_reg.ts',
    })
    expect(findings("\nimport { readFileSync } from 'node:fs'\nreadFileSync('x')\n")).toMatchObject({
      rule: 'ex-import-unresolved',
      line: 2,
      text: 'Could not resolve "node:fs"',
    })
    expect(findings("import { errno } from 'contiguous/lib/errno'\n")).toBeNull()
  })

  it('say what an engine found before the first line, where the answer threw, and that it never ended', () => {
    const source = 'export const a = 1\nexport const a = 2\n'
    const early = { name: 'SyntaxError', message: "Identifier 'a' has already been declared", stack: '' }
    expect(resultOf(exercise, { state: 'threw', error: early }, source)?.findings[0]).toMatchObject({
      rule: 'ex-syntax',
      line: 2,
    })
    const late = { name: 'Error', message: 'no', stack: 'Error: no\n    at f (reader.js:7:3)\n    at check' }
    expect(resultOf(exercise, { state: 'threw', error: late }, source)?.findings[0]).toMatchObject({
      rule: 'ex-threw',
      text: 'Error: no',
      line: 7,
      column: 3,
    })
    const ours = { name: 'TypeError', message: 'ours', stack: 'TypeError: ours\n    at check.js:1:1' }
    expect(resultOf(exercise, { state: 'threw', error: ours }, source)).toBeNull()
    expect(resultOf(exercise, { state: 'time', limitMs: 3000 }, source)?.findings[0]?.rule).toBe(
      'ex-time-limit',
    )
  })

  it('take nothing for a result that is none: the answer shared a worker with its check', () => {
    const forged = { state: 'result', result: { findings: 'none' } } as never
    expect(resultOf(exercise, forged, '')?.findings[0]?.rule).toBe('ex-ended-early')
  })
})
