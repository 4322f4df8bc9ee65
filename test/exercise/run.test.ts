// SPDX-License-Identifier: MIT
//
// One check of one answer: whatever the answer does, the runner returns, in time, with a finding.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Exercise } from '../../code/exercise/catalog.ts'
import { runExercise } from '../../code/exercise/run.ts'
import { root } from '../support/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'contig-run-'))
const exercise: Exercise = {
  id: 'double',
  title: 'Double a number',
  kind: 'typescript',
  minutes: 1,
  difficulty: 1,
  order: 1,
  prerequisites: [],
  files: ['double.ts'],
  shipped: 'ex-wrong',
  wrong: {},
  number: '1.1',
  chapter: { number: 1, slug: '01-chapter', title: 'Chapter' },
  folder: '01-double',
  path: join(folder, 'shipped'),
}

const CHECK = `
import { MiB } from 'contiguous/lib/units'
export async function check({ module }: { module: { double(n: number): number } }) {
  const given = module.double(MiB(1))
  if (given === MiB(2)) return { findings: [], shown: ['2 MiB'] }
  const finding = { rule: 'ex-wrong', severity: 'error', file: 'double.ts', line: 0, column: 0, text: String(given) }
  return { findings: [finding] }
}
`

let count = 0
async function answer(text: string | null, limitMs = 3000) {
  const mine = join(folder, `answer-${count++}`)
  mkdirSync(mine)
  if (text !== null) writeFileSync(join(mine, 'double.ts'), text)
  return runExercise(exercise, { root, folder: mine, limitMs })
}

beforeAll(() => {
  mkdirSync(exercise.path)
  writeFileSync(join(exercise.path, 'check.ts'), CHECK)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('runExercise()', () => {
  it('passes a right answer, with types and models in it, in under a second', async () => {
    await answer('export const double = (n: number): number => n * 2')
    const result = await answer(
      `import { MiB } from 'contiguous/lib/units'\nexport const double = (n: number): number => n + (n as typeof n) + MiB(0)`,
    )
    expect(result).toMatchObject({ passed: true, findings: [], shown: ['2 MiB'] })
    expect(result.seconds).toBeLessThan(1)
  })

  it('gives the findings of the check for a wrong one', async () => {
    const result = await answer('export const double = (n: number) => n')
    expect(result).toMatchObject({ passed: false, findings: [{ rule: 'ex-wrong', text: '1048576' }] })
  })

  it('ends an endless loop at the limit and shows what was printed before', async () => {
    const result = await answer(`export const double = () => { console.log('in', 1); for (;;); }`, 300)
    expect(result).toMatchObject({ findings: [{ rule: 'ex-time-limit' }], printed: ['in 1'] })
    expect(result.seconds).toBeLessThan(2)
  })

  it('ends an endless loop at the top of the module too, and one hidden in a value', async () => {
    expect((await answer(`for (;;);`, 300)).findings[0]?.rule).toBe('ex-time-limit')
    const waits = `export const double = () => ({ valueOf: () => { for (;;); }, toString: () => { for (;;); } })`
    expect((await answer(waits, 300)).findings[0]?.rule).toBe('ex-time-limit')
  })

  it('names the line of a throw in the reader’s own file', async () => {
    const result = await answer('\n\nexport function double(n: number) {\n  return (null as any).x + n\n}\n')
    expect(result.findings[0]).toMatchObject({ rule: 'ex-threw', file: 'double.ts', line: 4 })
    expect(result.findings[0]?.text).toContain('TypeError')
  })

  it('names line and column of a syntax error', async () => {
    const result = await answer('export const double = (n: number) => {\n  return n *\n}\n')
    expect(result.findings[0]).toMatchObject({ rule: 'ex-syntax', file: 'double.ts', line: 3, column: 1 })
  })

  it('refuses an import of the host', async () => {
    const result = await answer(
      `import { readFileSync } from 'fs'\nexport const double = () => readFileSync('/x')`,
    )
    expect(result.findings[0]).toMatchObject({ rule: 'ex-import-unresolved', line: 1 })
  })

  it('survives an answer that eats memory, one that exits', async () => {
    const greedy = `export const double = () => { const all = []; for (;;) all.push(new Array(1e6).fill(0)) }`
    expect((await answer(greedy, 20_000)).findings[0]?.rule).toBe('ex-memory-limit')
    expect(
      (await answer(`export const double = () => (globalThis as any).process.exit(0)`)).findings[0]?.rule,
    ).toBe('ex-ended-early')
  })

  it('says which file is not there and how to get it back', async () => {
    const [finding] = (await answer(null)).findings
    expect(finding).toMatchObject({ rule: 'ex-file-missing', file: 'double.ts' })
    expect(finding?.note).toContain('contig reset double')
  })

  it('stops when it is aborted', async () => {
    const mine = join(folder, 'aborted')
    mkdirSync(mine)
    writeFileSync(join(mine, 'double.ts'), 'for (;;);')
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 200)
    await expect(
      runExercise(exercise, { root, folder: mine, limitMs: 60_000, signal: controller.signal }),
    ).rejects.toThrow('enough')
  })
})
