// SPDX-License-Identifier: MIT
//
// Every mechanism of the source articles has its five places, or a chapter owes them.
import { describe, expect, it } from 'vitest'
import { loadExercises } from '../../code/exercise/catalog.ts'
import { listLabs } from '../../code/lab/lab_list.ts'
import { type Diagnostic, formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { COVERAGE, type Coverage, readCoverage } from '../../site/coverage/coverage.ts'
import { readChapters } from '../../site/weave/chapters.ts'
import { checkCoverage, countPlaces, type CoverageMaterial, sectionText } from '../../verify/coverage.ts'
import { root } from '../support/files.ts'
import { inProject } from './projects.ts'

const material: CoverageMaterial = {
  root,
  chapters: readChapters(root).chapters,
  exercises: loadExercises(root),
  labs: listLabs(root),
}
const coverage = readCoverage(root)
const rules = (found: readonly Diagnostic[]): string[] => found.map(({ rule, text }) => `${rule} ${text}`)

describe('the coverage of the book', () => {
  it('has every mechanism of the design’s table', () => {
    const { mechanisms } = countPlaces(coverage)
    expect(mechanisms).toBe(52)
    expect(new Set(coverage.mechanisms.map(({ seed }) => seed)).size).toBe(5)
  })

  it('checkCoverage() finds every place that is not planned, and each is about the thing', () => {
    const found = checkCoverage(coverage, material)
    const due = found.filter(({ severity }) => severity === 'warning')
    if (due.length > 0) console.warn(due.map(formatDiagnostic).join('\n'))
    const errors = found.filter(({ severity }) => severity === 'error')
    expect(errors.map(formatDiagnostic).join('\n')).toBe('')
  })
})

describe('readCoverage()', () => {
  const read = (mechanisms: unknown): Promise<readonly Diagnostic[]> =>
    inProject(
      { [COVERAGE]: JSON.stringify({ why: 'x', mechanisms }, null, 2) },
      (folder) => readCoverage(folder).diagnostics,
    )
  const whole = {
    ...{ id: 'a', seed: '000', name: 'A', terms: ['alpha'] },
    planned: { section: '01-a', model: '01-a', module: '01-a', exercise: '01-a', lab: '01-a' },
  }

  it('readCoverage() takes a mechanism of which everything is owed', async () => {
    expect(await read([whole])).toEqual([])
  })

  it.each([
    ['an unknown key', { ...whole, chapter: 1 }, 'coverage-unknown-key'],
    ['a seed that there is not', { ...whole, seed: '005' }, 'coverage-value'],
    ['no terms', { ...whole, terms: undefined }, 'coverage-missing-key'],
    ['a place that is neither there nor owed', { ...whole, planned: {} }, 'coverage-value'],
    ['a place that is there and owed', { ...whole, exercise: 'x' }, 'coverage-value'],
    [
      'a module and an observable at once',
      { ...whole, module: { file: 'a', symbol: 'b' }, observable: { lab: 'a', text: 'b' } },
      'coverage-value',
    ],
  ])('readCoverage() refuses %s', async (_what, mechanism, rule) => {
    const found = await read([mechanism])
    expect(found.map((each) => each.rule)).toContain(rule)
    expect(found.every(({ line, file }) => line > 1 && file === COVERAGE)).toBe(true)
  })

  it('readCoverage() refuses an id used twice, and text that is no YAML', async () => {
    expect((await read([whole, whole])).map(({ rule }) => rule)).toEqual(['coverage-duplicate'])
    const broken = await inProject({ [COVERAGE]: '{ "why": [' }, (folder) => readCoverage(folder).diagnostics)
    expect(broken[0]?.rule).toBe('coverage-yaml')
  })
})

describe('checkCoverage()', () => {
  const spoilt = (id: string, change: object): string[] => {
    const mechanisms = coverage.mechanisms.filter((mechanism) => mechanism.id === id)
    expect(mechanisms).toHaveLength(1)
    const one: Coverage = { ...coverage, mechanisms: [{ ...mechanisms[0]!, ...change }] }
    return rules(checkCoverage(one, material))
  }

  it.each([
    ['a heading', { section: { chapter: '02-carving-memory-out', anchor: 'nowhere' } }],
    ['a chapter', { section: { chapter: '99-nothing', anchor: 'nowhere' } }],
    ['an export', { model: { file: 'code/of/fdt.ts', name: 'nothing_of_the_kind' } }],
    ['a model', { model: { file: 'code/cli/list.ts', name: 'registerList' } }],
    ['a symbol of a module', { module: { file: 'kernel/dts/as-found.dtso', symbol: 'nothing' } }],
    ['a file of a module', { module: { file: 'kernel/nothing.c', symbol: 'reg' } }],
    ['an exercise', { exercise: 'nothing' }],
    ['a lab', { lab: { name: 'nothing', boot: 'as-found' } }],
    ['a boot', { lab: { name: 'carving', boot: 'nothing' } }],
    ['a look of a lab', { module: undefined, observable: { lab: 'carving', text: 'nothing of the kind' } }],
  ])('checkCoverage() misses %s', (_what, change) => {
    const found = spoilt('reg', change)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^coverage-place reg: /)
  })

  it('checkCoverage() notices places that are about something else', () => {
    const found = spoilt('reg', { terms: ['a word that nobody would write'] })
    expect(found.map((line) => line.split(' ')[0])).toEqual(Array(5).fill('coverage-about'))
  })

  it('checkCoverage() asks for what a written chapter owes, and refuses a chapter that there is not', () => {
    const owed = (slug: string): string[] =>
      spoilt('reg', { exercise: undefined, planned: { exercise: slug } })
    expect(owed('02-carving-memory-out')).toEqual([
      'coverage-due reg: 02-carving-memory-out is written, and owes its exercise',
    ])
    expect(owed('99-nothing')).toEqual(['coverage-planned reg: book.json has no chapter 99-nothing'])
    const late = material.chapters.map((chapter) => ({ ...chapter, planned: true }))
    const mechanisms = coverage.mechanisms.filter(({ id }) => id === 'coherent-mask')
    expect(rules(checkCoverage({ ...coverage, mechanisms }, { ...material, chapters: late }))).toEqual([])
  })
})

describe('sectionText()', () => {
  it('sectionText() ends at the next heading of its level, and passes over fences', () => {
    const text = '## A b\n\none\n\n### C\n\ntwo\n\n```md\n## D\n```\n\n## E\n\nthree\n'
    expect(sectionText(text, 'a-b')).toContain('two')
    expect(sectionText(text, 'a-b')).not.toContain('three')
    expect(sectionText(text, 'c')).not.toContain('one')
    expect(sectionText(text, 'd')).toBeNull()
  })
})
