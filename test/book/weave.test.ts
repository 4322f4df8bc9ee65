// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { type Diagnostic, formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { checkWeave } from '../../site/weave/check.ts'
import { parseFenceInfo, readFences, weaveFences } from '../../site/weave/fences.ts'
import { loadWeave } from '../../site/weave/weave.ts'
import { root } from '../support/files.ts'
import { fixtureProjects, inProject } from './projects.ts'

const fixtures = fixtureProjects('weave')
const good = fixtures.find(({ name }) => name === 'good')?.files ?? {}

const told = ({ file, line, column, rule }: Diagnostic) => `${file}:${line}:${column} ${rule}`

describe('checkWeave() on fixtures', () => {
  it.each(fixtures)('checkWeave() on $name: $about', async ({ files, expected }) => {
    const found = await inProject(files, checkWeave)
    expect(found.map(told).sort(), found.map(formatDiagnostic).join('\n')).toEqual([...expected].sort())
  })

  it('checkWeave() has a fixture for every rule that the weave names', async () => {
    const { filesUnder } = await import('../support/files.ts')
    const { readFileSync } = await import('node:fs')
    const text = filesUnder('site/weave', '.ts').map((file) => readFileSync(root + file, 'utf8'))
    const rules = [...text.join('\n').matchAll(/'((?:weave|recall|region|ledger|book|fence|fold)-[a-z-]+)'/g)]
    const proved = new Set(fixtures.flatMap(({ expected }) => expected.map((line) => line.split(' ')[1])))
    const missing = rules.map(([, rule]) => rule).filter((rule) => !proved.has(rule))
    expect(rules.length).toBeGreaterThan(20)
    expect([...new Set(missing)]).toEqual([])
  })

  it('checkWeave() offers the nearest name, and says where a region is woven first', async () => {
    const texts = async (name: string) => {
      const files = fixtures.find((fixture) => fixture.name === name)?.files ?? {}
      return (await inProject(files, checkWeave)).map(formatDiagnostic).join('\n')
    }
    expect(await texts('weave-unknown')).toContain('Is it a-imports?')
    expect(await texts('weave-twice')).toContain('woven already at chapters/01-first/index.md:15')
  })
})

describe('checkWeave() on the book', () => {
  it('checkWeave() finds no error in the book itself', () => {
    const errors = checkWeave(root).filter(({ severity }) => severity === 'error')
    expect(errors.map(formatDiagnostic).join('\n')).toBe('')
  })
})

describe('loadWeave()', () => {
  it('listing() dedents, cuts markers out and leaves a hole for a nested region', async () => {
    await inProject(good, (folder) => {
      const weave = loadWeave(folder)
      const whole = weave.listing('a-whole')
      expect(whole.text).toBe('export function a(): number {\n  // ⟨a-body⟩\n}')
      expect(whole.holes).toEqual([{ line: 2, name: 'a-body' }])
      expect(whole.sourceLines).toEqual([10, 11, 14])
      expect([whole.startLine, whole.endLine, whole.lang]).toEqual([10, 14, 'ts'])
      expect(whole.symbols).toEqual(['a'])
      expect([whole.chapter?.slug, whole.anchor]).toEqual(['01-first', 'listing-a-whole'])
      expect(weave.listing('a-body').text).toBe('return b + 1')
      expect(weave.listing('m-probe').text).toBe('static int probe(void)\n{\n\treturn 0;\n}')
      expect(weave.listing('kbuild').lang).toBe('make')
      expect(() => weave.listing('a-nothing')).toThrow('a-nothing')
    })
  })

  it('placesOf() tells the innermost region of every line, and nothing of untold lines', async () => {
    await inProject(good, (folder) => {
      const places = loadWeave(folder).placesOf('code/mm/a.ts')
      expect(places.get(1)).toBeUndefined()
      expect(places.get(6)?.region).toBe('a-imports')
      expect(places.get(10)?.region).toBe('a-whole')
      expect(places.get(12)?.region).toBe('a-body')
      expect(places.get(14)?.chapter.slug).toBe('01-first')
    })
  })

  it('loadWeave() reads planned chapters and appendices in the order of the book', async () => {
    await inProject(good, (folder) => {
      const { chapters } = loadWeave(folder)
      expect(chapters.map(({ slug, planned }) => `${slug} ${planned}`)).toEqual([
        '01-first false',
        '02-second false',
        '03-later true',
        'notes true',
      ])
    })
  })
})

describe('readFences()', () => {
  it('readFences() counts lines past front matter, and takes a fence in a fence as text', () => {
    const text = '---\ntitle: x\n---\n\n````md\n```ts weave=inner\n```\n````\n\n~~~ts weave=outer\n~~~\n'
    const fences = readFences(text).map(({ line, endLine, info }) => [line, endLine, info.words.get('weave')])
    expect(fences).toEqual([
      [5, 8, undefined],
      [10, 11, 'outer'],
    ])
  })

  it('weaveFences() reads the sentence of a fold, and refuses a fold that says nothing', () => {
    const read = (info: string) => weaveFences(`\`\`\`ts ${info}\n\`\`\`\n`, 'x.md')
    const rules = (info: string) => read(info).diagnostics.map(({ rule, column }) => `${column} ${rule}`)
    expect(read('weave=a fold="All that a needs."').fences[0]).toMatchObject({
      name: 'a',
      fold: 'All that a needs.',
    })
    expect(read('weave=a').fences[0]).toMatchObject({ name: 'a', fold: null })
    expect(rules('weave=a fold="All that a needs."')).toEqual([])
    expect(rules('weave=a fold')).toEqual(['15 fold-text'])
    expect(rules('weave=a fold=""')).toEqual(['15 fold-text'])
    expect(rules('weave=a fold="   "')).toEqual(['15 fold-text'])
    expect(rules('weave=a fold=yes')).toEqual(['15 fold-text'])
    expect(rules('weave=a fold="All that a needs')).toEqual(['7 fence-syntax'])
    expect(rules('recall=a fold="All that a needs."')).toEqual(['7 fence-syntax'])
    expect(rules('weave=a fold="All that a needs." {2}')).toEqual(['7 fence-syntax'])
  })

  it('parseFenceInfo() reads highlighted lines, and says what it cannot read', () => {
    expect(parseFenceInfo('ts weave=a-b {4-5,2}').highlight).toEqual([2, 4, 5])
    expect(parseFenceInfo('ts weave=a {5-4}').unread).toEqual(['{5-4}'])
    expect(parseFenceInfo('output title="The log, of 6.12"').words.get('title')).toBe('The log, of 6.12')
    expect(parseFenceInfo('ts weave=a weave=b').unread).toEqual(['weave=b'])
  })
})
