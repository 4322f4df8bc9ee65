// SPDX-License-Identifier: MIT
//
// The verbs as a reader meets them: a bundle of their own, run by node in a workspace of its own.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { askOne } from '../../code/exercise/ask.ts'
import { loadExercises } from '../../code/exercise/catalog.ts'
import { root } from '../support/files.ts'

const out = join(root, '.cache', `exercise-cli-${process.pid}`)
const ENTRY = `
import { Command, CommanderError } from 'commander'
import { Complaint } from './code/lib/complaint.ts'
import { leaveWithReader } from './code/cli/broken_pipe.ts'
import { registerDo } from './code/cli/do.ts'
import { registerHint } from './code/cli/hint.ts'
import { registerList } from './code/cli/list.ts'
import { registerReset } from './code/cli/reset.ts'
import { registerResults } from './code/cli/results.ts'
import { registerSolution } from './code/cli/solution.ts'
leaveWithReader(process.stdout)
const program = new Command('contig').exitOverride()
for (const register of [registerDo, registerHint, registerList, registerReset, registerResults, registerSolution]) register(program)
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof Complaint) {
    console.error([error.message, ...error.next].join('\\n'))
    process.exitCode = error.exitCode
  } else throw error
}
`

let workspace = ''
let children: ChildProcess[] = []
beforeAll(async () => {
  await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: 'ts' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    outdir: out,
    entryNames: 'contig',
    logLevel: 'error',
  })
})
afterAll(() => rmSync(out, { recursive: true, force: true }))
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'contig-cli-'))
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
  rmSync(workspace, { recursive: true, force: true })
})

const environment = () => ({ ...process.env, CONTIG_WORKSPACE: workspace, NO_COLOR: '1' })

function contig(...args: string[]) {
  const run = spawnSync(process.execPath, [join(out, 'contig.js'), ...args], {
    encoding: 'utf8',
    env: environment(),
    input: '',
    timeout: 20_000,
  })
  return { code: run.status, out: run.stdout, err: run.stderr }
}

// In the order of the book, whose first chapters grow.
const exercises = loadExercises(root)
const after = (id: string) => exercises[exercises.findIndex((each) => each.id === id) + 1]!

const shipped = (path: string) => join(root, 'chapters/02-carving-memory-out/exercises', path)
const board = () => join(workspace, '02-carving-memory-out/01-mend-the-tree/board.dts')

describe('contig do', () => {
  it('begins with the first exercise of the book', () => {
    expect(contig('do', '--once').out).toContain(`${exercises[0]!.number} ${exercises[0]!.title}`)
  })

  it('lays an exercise out, says what is wrong and what to do next, and ends with 1', () => {
    const { code, out: text } = contig('do', '2.1', '--once')
    expect(code).toBe(1)
    expect(text).toContain('task.md')
    expect(text).toContain('[ex-node-ignored]')
    expect(text).toContain('Read again: chapter 2')
    expect(text).toContain('contig hint mend-the-tree')
    expect(existsSync(board())).toBe(true)
  })

  it('passes a right answer, ends with 0, and goes on to the next', () => {
    contig('do', 'mend-the-tree')
    copyFileSync(shipped('01-mend-the-tree/solution/board.dts'), board())
    const { code, out: text } = contig('do')
    expect(code).toBe(0)
    expect(text).toContain('created DMA memory pool at 0x00000000c0000000, size 512 MiB')
    expect(text).toContain('Next: contig do find-the-place')
    expect(contig('do').out).toContain('2.2 Find the place')
  })

  it('offers the nearest name and ends with 2', () => {
    const { code, err } = contig('do', 'find-the-palce')
    expect(code).toBe(2)
    expect(err).toContain('did you mean find-the-place?')
    expect(contig('do', '--kernel', '5.4').code).toBe(2)
  })

  it('prints JSON that a program can read', () => {
    const { code, out: text } = contig('do', '2.1', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(text)).toMatchObject({
      exercise: 'mend-the-tree',
      passed: false,
      findings: [{ rule: 'ex-node-ignored' }],
    })
  })

  it('keeps a reader’s work through do and reset', () => {
    contig('do', '2.1')
    writeFileSync(board(), '/* all my work */')
    expect(contig('do', '2.1').out).toContain('[ex-dts-syntax]')
    expect(readFileSync(board(), 'utf8')).toBe('/* all my work */')
    expect(contig('reset', '2.1').out).toContain('mend-the-tree-1')
    expect(readFileSync(join(workspace, '.kept/mend-the-tree-1/board.dts'), 'utf8')).toBe('/* all my work */')
    expect(contig('do', '2.1').out).toContain('[ex-node-ignored]')
  })
})

describe('contig reset', () => {
  it('puts all work and the progress aside, loses nothing, and lays nothing out', () => {
    contig('do', '2.1')
    writeFileSync(board(), 'my tree')
    contig('do', '2.2')
    const text = contig('reset', '--all').out
    expect(text).toContain('mend-the-tree-1')
    expect(text).toContain('progress-1.json')
    expect(readFileSync(join(workspace, '.kept/mend-the-tree-1/board.dts'), 'utf8')).toBe('my tree')
    expect(existsSync(join(workspace, '.kept/find-the-place-1/place_region.ts'))).toBe(true)
    expect(
      JSON.parse(readFileSync(join(workspace, '.kept/progress-1.json'), 'utf8')).exercises,
    ).toHaveProperty('mend-the-tree')
    expect(existsSync(board())).toBe(false)
    expect(contig('list', '--state', 'started').out).toContain('No exercise fits')
    expect(contig('reset', '--all').out).toContain('nothing of yours')
  })

  it('wants an exercise or --all, and has nothing to put away for a question', () => {
    expect(contig('reset').code).toBe(2)
    expect(contig('reset', '2.1', '--all').code).toBe(2)
    expect(contig('reset', 'where-it-lands').out).toContain('--seed N')
  })
})

describe('contig results', () => {
  it('exports what has passed and checks it, answers run again', async () => {
    const question = exercises.find(({ id }) => id === 'where-it-lands')!
    contig(
      'do',
      'where-it-lands',
      '--seed',
      '7',
      '--answer',
      (await askOne(question, { root, seed: 7 })).answer,
    )
    contig('do', '2.1')
    copyFileSync(shipped('01-mend-the-tree/solution/board.dts'), board())
    contig('do', '2.1')
    const file = join(workspace, 'ada.json')
    const out = contig('results', 'export', file, '--name', 'Ada', '--answers').out
    expect(out).toContain(`2 of ${exercises.length} exercises passed, Ada`)
    expect(contig('results', 'export', file).code).toBe(2)
    const check = contig('results', 'check', file)
    expect(check.code).toBe(0)
    expect(check.out).toContain('Ada, 2 of')
    expect(check.out).toContain('the right answer for seed 7')
    expect(check.out).toContain('run again, and it passes; it is our solution, letter for letter')
    expect(check.out).toContain('cannot prove')
    contig('reset', '--all')
    const taken = contig('results', 'import', file)
    expect(taken.out).toContain('2 passed there, 2 of them new here: mend-the-tree, where-it-lands.')
    expect(readFileSync(board(), 'utf8')).toBe(
      readFileSync(shipped('01-mend-the-tree/solution/board.dts'), 'utf8'),
    )
    expect(contig('results', 'import', shipped('01-mend-the-tree/board.dts')).err).toContain(
      'no progress.json',
    )
    writeFileSync(file, readFileSync(file, 'utf8').replace('"seed": 7', '"seed": 8'))
    const forged = contig('results', 'check', file, '--json')
    expect(forged.code).toBe(1)
    expect(JSON.parse(forged.out).files[0].entries.map((each: { verdict: string }) => each.verdict)).toEqual([
      'right',
      'wrong',
    ])
  })
})

describe('contig hint, solution, list', () => {
  it('show one step more each time, and the last again', () => {
    expect(contig('hint').code).toBe(2)
    const steps = [1, 2, 3, 4].map(() => contig('hint', '2.2').out.split('\n')[0])
    expect(steps.map((line) => line?.slice(0, 11))).toEqual([
      'Hint 1 of 3',
      'Hint 2 of 3',
      'Hint 3 of 3',
      'Hint 3 of 3',
    ])
  })

  it('open the solution after a pass, or when the reader gives up, which the list remembers', () => {
    const closed = contig('solution', '2.1')
    expect(closed.code).toBe(1)
    expect(closed.err).toContain('contig solution mend-the-tree --give-up')
    expect(contig('solution', '2.1', '--give-up').out).toContain('memory-region = <&camera_buffer>')
    expect(contig('list').out).toMatch(/^\? 2\.1/m)
    contig('do', '2.1')
    copyFileSync(shipped('01-mend-the-tree/solution/board.dts'), board())
    contig('do', '2.1')
    expect(contig('solution', '2.1').code).toBe(0)
    expect(contig('list').out).toMatch(/^✓ 2\.1/m)
  })

  it('list by kind, chapter, words and state, as a table and as JSON', () => {
    const ids = (...args: string[]) =>
      (JSON.parse(contig('list', '--json', ...args).out) as { exercises: { id: string }[] }).exercises.map(
        ({ id }) => id,
      )
    expect(ids('--kind', 'dts', '--chapter', '2')).toEqual(['mend-the-tree'])
    expect(ids('find', 'place')).toEqual(['find-the-place'])
    expect(ids('--done')).toEqual([])
    expect(ids('--todo', '--chapter', '2').slice(0, 3)).toEqual([
      'mend-the-tree',
      'find-the-place',
      'let-go-in-order',
    ])
    expect(contig('list', '--kind', 'cobol').code).toBe(2)
    expect(contig('list').out).toContain(`Next: contig do ${exercises[0]!.id}`)
  })

  it('list by difficulty, minutes and state', () => {
    const list = (...args: string[]) =>
      (
        JSON.parse(contig('list', '--json', '--chapter', '2', ...args).out) as {
          exercises: { id: string; difficulty: number; minutes: number }[]
        }
      ).exercises
    expect(new Set(list('--difficulty', '2').map(({ difficulty }) => difficulty))).toEqual(new Set([2]))
    expect(Math.max(...list('--minutes', '5').map(({ minutes }) => minutes))).toBe(5)
    expect(list('--kind', 'question').map(({ id }) => id)).toEqual(['where-it-lands', 'what-attach-returns'])
    contig('do', 'find-the-place')
    contig('solution', 'mend-the-tree', '--give-up')
    const states = ['started', 'seen', 'done'].map((state) => list('--state', state).map(({ id }) => id))
    expect(states).toEqual([['find-the-place'], ['mend-the-tree'], []])
    expect(list('--state', 'new').length).toBe(list().length - 2)
    expect(contig('list', '--state', 'lost').code).toBe(2)
    expect(contig('list', '--minutes', 'few').code).toBe(2)
  })

  it('leave quietly when nobody reads any more', async () => {
    const child = spawn(process.execPath, [join(out, 'contig.js'), 'do', '2.1', '--once'], {
      env: environment(),
    })
    children.push(child)
    child.stdout.destroy()
    let said = ''
    child.stderr.on('data', (data: Buffer) => (said += data.toString()))
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(141)
    expect(said).toBe('')
  })

  it('say where a damaged progress file went', () => {
    writeFileSync(join(workspace, 'progress.json'), 'oops')
    expect(contig('list').out).toContain('progress-1.json')
    expect(readFileSync(join(workspace, '.kept/progress-1.json'), 'utf8')).toBe('oops')
  })
})

describe('contig do, of a question', () => {
  const do4 = (...args: string[]) => contig('do', 'where-it-lands', ...args)
  interface Json {
    passed: boolean
    question: { seed: number; text: string }
    findings: { rule: string }[]
    why?: string
  }
  const json = (...args: string[]) => JSON.parse(do4('--json', ...args).out) as Json
  const right = async (seed: number) =>
    (
      await askOne(
        exercises.find(({ id }) => id === 'where-it-lands')!,
        { root, seed },
      )
    ).answer

  it('draws a seed for the reader once, prints it, and asks the same again', () => {
    const first = do4()
    expect(first.code).toBe(1)
    const seed = Number(/Your seed is (\d+)/.exec(first.out)?.[1])
    expect(seed).toBeGreaterThan(0)
    const again = do4()
    expect(again.out).not.toContain('Your seed')
    expect(first.out).toContain(again.out.trim())
    expect(json().question).toMatchObject({ seed })
    expect(json('--seed', '7').question.text).not.toBe(json().question.text)
    expect(json().question.seed).toBe(seed)
  })

  it('says what was misunderstood, and why once it is right; not the answer, nor why, before', async () => {
    const answer = await right(7)
    const asked = do4('--seed', '7')
    const wrong = do4('--seed', '7', '--answer', '0x6000_0000')
    expect(wrong.code).toBe(1)
    expect(wrong.out).toContain('[ex-bottom-up]')
    expect(json('--seed', '7', '--answer', '12').findings[0]?.rule).toBe('ex-other-answer')
    for (const text of [asked.out, wrong.out, do4('--json', '--seed', '7').out]) {
      expect(text).not.toContain(answer)
      expect(text).not.toContain('The size itself is never rounded')
    }
    const ok = do4('--seed', '7', '--answer', answer.toUpperCase().replace('0X', ''))
    expect(ok.code).toBe(0)
    expect(ok.out).toContain('The size itself is never rounded')
    expect(ok.out).toContain(`Next: contig do ${after('where-it-lands').id}`)
    const { exercises: records } = JSON.parse(readFileSync(join(workspace, 'progress.json'), 'utf8'))
    // The first look and what could not be read are no runs.
    expect(records['where-it-lands']).toMatchObject({ runs: 3, answer: { seed: 7 } })
  })

  it('takes a negative number, and counts nothing that cannot be read', () => {
    expect(contig('do', 'what-attach-returns', '--answer', '-12').out).toContain('[ex-attach-no-memory]')
    expect(contig('do', 'what-attach-returns', '--answer', 'no idea').out).toContain('[ex-answer-form]')
    expect(contig('do', 'what-attach-returns', '--answer', '').out).toContain('[ex-not-answered]')
    const { exercises: records } = JSON.parse(readFileSync(join(workspace, 'progress.json'), 'utf8'))
    expect(records['what-attach-returns'].runs).toBe(1)
  })

  it('refuses an answer to what is no question, and a seed that is no number', () => {
    expect(contig('do', 'mend-the-tree', '--answer', '1').code).toBe(2)
    expect(do4('--seed', 'x').code).toBe(2)
  })

  it('opens its solution after a pass: the answer and why', async () => {
    expect(contig('solution', 'where-it-lands').code).toBe(1)
    do4('--seed', '7', '--answer', await right(7))
    expect(contig('solution', 'where-it-lands').out).toContain(`Answer: ${await right(7)}`)
  })
})

describe('contig do --watch', () => {
  // Starts a watch; `until(text)` waits for the text in what came since the last wait.
  function watching(...args: string[]) {
    const child = spawn(process.execPath, [join(out, 'contig.js'), 'do', '--watch', ...args], {
      env: environment(),
    })
    children.push(child)
    let seen = ''
    let wake = (): void => undefined
    const take = (data: Buffer): void => {
      seen += data.toString()
      wake()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const until = async (text: string): Promise<void> => {
      const began = performance.now()
      while (!seen.includes(text)) {
        if (performance.now() - began > 30_000) throw new Error(`no “${text}” in: ${seen}`)
        await new Promise<void>((resolve) => {
          wake = resolve
          setTimeout(resolve, 100)
        })
      }
      seen = seen.slice(seen.indexOf(text) + text.length)
    }
    const left = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)))
    return { child, until, left }
  }

  const solution = shipped('02-find-the-place/solution/place_region.ts')
  const wrong = shipped('02-find-the-place/wrong/bottom-up/place_region.ts')
  const answer = () => join(workspace, '02-carving-memory-out/02-find-the-place/place_region.ts')

  it('checks at every save, whether the editor writes, renames or deletes first', async () => {
    const { child, until, left } = watching('find-the-place')
    await until('[ex-not-written]')
    await until('[q] quit')
    copyFileSync(wrong, answer())
    await until('[ex-bottom-up]')
    await until('[q] quit')
    // As vim does: write beside, rename over.
    copyFileSync(solution, `${answer()}~`)
    renameSync(`${answer()}~`, answer())
    await until('ok  2.2')
    await until('[q] quit')
    // As others do: move the old one away, write a new one.
    renameSync(answer(), `${answer()}.bak`)
    await new Promise((resolve) => setTimeout(resolve, 20))
    copyFileSync(wrong, answer())
    await until('[ex-bottom-up]')
    await until('[q] quit')
    copyFileSync(solution, answer())
    await until('ok  2.2')
    child.stdin.write('s')
    await until('memblock_find_in_range_node()')
    child.stdin.write('q')
    expect(await left).toBe(0)
  })

  it('watches a workspace that was not there before, and checks a save once', async () => {
    rmSync(workspace, { recursive: true })
    const { child, until, left } = watching('mend-the-tree')
    await until('[q] quit')
    copyFileSync(shipped('01-mend-the-tree/wrong/no-client/board.dts'), board())
    await until('[ex-memory-region-missing]')
    await until('[q] quit')
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.stdin.write('q')
    expect(await left).toBe(0)
    const { exercises } = JSON.parse(readFileSync(join(workspace, 'progress.json'), 'utf8'))
    expect(exercises['mend-the-tree'].runs).toBe(2)
  })

  it('answers keys: hint, run, next', async () => {
    const { child, until, left } = watching('mend-the-tree')
    await until('[q] quit')
    child.stdin.write('h')
    await until('Hint 1 of 3')
    child.stdin.write('r')
    await until('[ex-node-ignored]')
    child.stdin.write('n')
    await until('[ex-not-written]')
    child.stdin.write('q')
    expect(await left).toBe(0)
  })

  it('asks a question until it is answered, with hints, and goes on to files and back', async () => {
    const { child, until, left } = watching('where-it-lands', '--seed', '7')
    await until('[q] quit')
    child.stdin.write('h\n')
    await until('Hint 1 of 3')
    child.stdin.write('60000000\n')
    await until('[ex-bottom-up]')
    child.stdin.write('s\n')
    await until('--give-up')
    const question = exercises.find(({ id }) => id === 'where-it-lands')!
    child.stdin.write(`${(await askOne(question, { root, seed: 7 })).answer}\n`)
    await until('ok  2.4')
    await until('[s] solution')
    child.stdin.write('s\n')
    await until('Answer: ')
    child.stdin.write('q\n')
    expect(await left).toBe(0)
  })

  it('goes from files to a question and from a question to files', async () => {
    const passed = { started: '', runs: 1, hints: 0, passed: 'then' }
    const open = new Set(['where-it-lands', 'mend-the-tree'])
    const records = exercises.filter(({ id }) => !open.has(id)).map(({ id }) => [id, passed])
    writeFileSync(
      join(workspace, 'progress.json'),
      JSON.stringify({ version: 2, seed: 7, exercises: Object.fromEntries(records) }),
    )
    const { child, until, left } = watching('mend-the-tree')
    await until('[q] quit')
    child.stdin.write('n')
    await until('2.4 Where it lands')
    await until('[q] quit')
    child.stdin.write('n\n')
    await until('[ex-node-ignored]')
    await until('[q] quit')
    child.stdin.write('q')
    expect(await left).toBe(0)
  })

  it('leaves with 130 at ctrl-C, in the middle of an endless loop', async () => {
    mkdirSync(join(workspace, '02-carving-memory-out/02-find-the-place'), { recursive: true })
    writeFileSync(answer(), 'export function placeRegion() { console.log("turning"); for (;;); }')
    const { child, left } = watching('find-the-place')
    await expect.poll(() => existsSync(join(workspace, 'progress.json')), { timeout: 10_000 }).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 500))
    child.kill('SIGINT')
    expect(await left).toBe(130)
  })
})
