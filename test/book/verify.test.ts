// SPDX-License-Identifier: MIT
//
// What `contig verify` asks of the book beside weave, claims, coverage, cells and exercises, which have tests of their own:
// prose, glossary, spelling, links, and the chapters in figures.
import { describe, expect, it } from 'vitest'
import { Complaint } from '../../code/lib/complaint.ts'
import { type Diagnostic, formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { boldTerms, definitions, termKey } from '../../site/markdown/terms.ts'
import { parseGlossary, readGlossary } from '../../verify/glossary.ts'
import { checkLinks } from '../../verify/links.ts'
import { checkBold, checkProse, proseReport, WEASELS } from '../../verify/prose.ts'
import type { CheckContext } from '../../verify/report.ts'
import { checkSpelling, houseWords, proseOf, proseOfBook } from '../../verify/spelling.ts'
import { chapterFigures, formatFigures, wordsOf } from '../../verify/table.ts'
import { chosenChecks, verify } from '../../verify/verify.ts'
import { root } from '../support/files.ts'
import { fixtureProjects, inProject } from './projects.ts'

const places = (found: readonly Diagnostic[]): string[] =>
  found.map(({ line, column, rule }) => `${line}:${column} ${rule}`)
const told = (found: readonly Diagnostic[]): string => found.map(formatDiagnostic).join('\n')
const context = (folder: string): CheckContext => ({
  ...{ root: folder, signal: new AbortController().signal },
  progress: () => undefined,
  buildSite: () => Promise.reject(new Error('no test here builds a site')),
})
const good = fixtureProjects('weave').find(({ name }) => name === 'good')!.files

describe('checkProse()', () => {
  const check = (...lines: string[]): string[] => places(checkProse('x.md', lines.join('\n')))

  it('checkProse() takes one sentence a line, with code, quotes, footnotes and abbreviations in it', () => {
    const found = check(
      ...[
        '---',
        'title: One. Two.',
        '---',
        '',
        '# A heading. And more',
        '',
        'A sentence.',
        '`cma_alloc()` begins one.[^a]',
      ],
      ...[
        'He said “Stop.” and went, e.g. Tuesday, at 3.5 MiB.',
        'Is it 6.12.117?',
        'So it is:',
        '',
        '- a list. Of things',
        '  that go on',
        '',
      ],
      ...[
        '| a. B | c |',
        '| --- | --- |',
        '',
        '```c',
        'x. Y',
        '```',
        '',
        '> [!NOTE]',
        '> One thing.',
        '> Another.',
      ],
    )
    expect(found).toEqual([])
  })

  it.each([
    ['two sentences', ['One thing. Another.'], ['1:11 prose-sentence']],
    [
      'a second one that begins with code',
      ['One thing.[^a] `cma_alloc()` is another.'],
      ['1:11 prose-sentence'],
    ],
    ['two in an alert', ['> [!NOTE]', '> One thing! Another.'], ['2:11 prose-sentence']],
    ['a sentence over two lines', ['This one goes', 'on here.'], ['1:13 prose-line']],
  ])('checkProse() notices %s', (_what, lines, expected) => {
    const found = check(...lines)
    expect(found.map((place) => place.split(' ')[1])).toEqual(expected.map((place) => place.split(' ')[1]))
    expect(found[0]!.split(':')[0]).toBe(expected[0]!.split(':')[0])
  })

  it.each(WEASELS)('checkProse() notices “%s”', (weasel) => {
    expect(check(`It is ${weasel} so.`)).toEqual(['1:7 prose-weasel'])
    expect(check(`It is \`${weasel}\` so, and adjusted.`)).toEqual([])
  })
})

describe('boldTerms() and checkBold()', () => {
  const terms = boldTerms(
    'x.md',
    'A **page frame** is one.\n\n1. **Not this.** A list.\n\n**Hide.** Two **page frames**, and **zones**.\n',
  )

  it('boldTerms() reads running text alone, and takes what ends with a full stop for a heading', () => {
    expect(terms.map(({ term, line }) => `${line} ${term}`)).toEqual([
      '1 page frame',
      '5 page frames',
      '5 zones',
    ])
  })

  it('definitions() gives the place of the first definition of each term', () => {
    const chapter = {
      file: 'x.md',
      slug: '01-x',
      url: '/01-x/',
      markdown: 'A **page frame**.\nTwo **page frames** in `x`.\n',
    }
    const found = definitions([chapter, { ...chapter, slug: '02-y', url: '/02-y/' }] as unknown as Parameters<
      typeof definitions
    >[0])
    expect([...found]).toEqual([['page frame', '/01-x/#term-page-frame']])
  })

  it('checkBold() wants a term in the glossary, and bold once', () => {
    const glossary = parseGlossary('| page frame, frame | 页框 | A piece of memory. |\n')
    expect(places(checkBold(terms, glossary))).toEqual(['5:15 prose-bold-twice', '5:36 prose-bold'])
    expect(places(checkBold(terms, null))).toEqual(['5:15 prose-bold-twice'])
  })
})

describe('parseGlossary()', () => {
  it('parseGlossary() reads rows, and forms of a term', () => {
    const text =
      '---\ntitle: x\n---\n\n| English | 中文 | What it is |\n| --- | --- | --- |\n| zone | 内存域 | A range of pages. |\n'
    const { keys, terms, diagnostics } = parseGlossary(text)
    expect([terms, [...keys], diagnostics]).toEqual([1, ['zone'], []])
    expect([termKey('Page  Frames'), termKey('address'), termKey('`no-map`')]).toEqual([
      'page frame',
      'address',
      'no-map',
    ])
  })

  it('parseGlossary() notices a row without Chinese, without a sentence, a term twice, and no row at all', () => {
    const text = '| a | b | It is. |\n| a | 甲 | It is |\n| a | 甲 | It is. |\n| b, a | 乙 | It is. |\n'
    expect(places(parseGlossary(text).diagnostics)).toEqual([
      '1:1 glossary-row',
      '2:1 glossary-row',
      '4:1 glossary-twice',
    ])
    expect(places(parseGlossary('# Glossary\n').diagnostics)).toEqual(['1:1 glossary-empty'])
  })

  it('readGlossary() gives nothing while there is none, and the report says so', async () => {
    await inProject(good, (folder) => {
      expect(readGlossary(folder)).toBeNull()
      expect(proseReport(context(folder)).skipped).toHaveLength(1)
    })
  })
})

describe('checkSpelling()', () => {
  const prose = (text: string, file = 'x.md') => ({ file, text: proseOf(text), line: 1 })

  it('checkSpelling() finds a slip at its place, in the text that has it, and takes the words of the house', async () => {
    const texts = [
      prose('The colour of memblock.\n'),
      prose('A line.\n\nIt is alocated here, and memblok.\n', 'y.md'),
    ]
    const found = await checkSpelling(texts, ['memblock'])
    expect(found.map(({ file, line, column, text }) => `${file}:${line}:${column} ${text}`)).toEqual([
      'y.md:3:7 alocated',
      'y.md:3:26 memblok',
    ])
    expect(found[0]!.note).toContain('allocated')
  }, 120_000)

  it('checkSpelling() reads a book of any length to its end, and tells every finding', async () => {
    const long = { file: 'x.md', text: 'The same line of words, again and again.\n'.repeat(15_000), line: 1 }
    const slips = { file: 'y.md', text: 'memblok\n'.repeat(150), line: 1 }
    const found = await checkSpelling([long, slips], [])
    expect(found).toHaveLength(150)
    expect(found.at(-1)).toMatchObject({ file: 'y.md', line: 150, column: 1 })
  }, 120_000)

  it('proseOf() leaves out code, addresses, footnotes and HTML, and keeps the sentence of a fold in its place', () => {
    const text =
      'A [word](http://x.y/zzz)[^idd] `qqq` <xyz> a_bcd /dev/xyz.\n```ts weave=abcx fold="Held here."\n```\n'
    const [first, second] = proseOf(text).split('\n')
    expect(first!.match(/\w+/g)).toEqual(['A', 'word'])
    expect(second!.indexOf('Held here.')).toBe('```ts weave=abcx fold="'.length)
  })

  it('checkSpelling() finds nothing in the book', async () => {
    const texts = proseOfBook(root)
    expect(texts.length).toBeGreaterThan(15)
    expect(told(await checkSpelling(texts, houseWords(root)))).toBe('')
  }, 300_000)
})

describe('proseReport()', () => {
  it('proseReport() finds nothing wrong in the book', () => {
    const { diagnostics, counts } = proseReport(context(root))
    expect(counts['sentences']).toBeGreaterThan(200)
    expect(told(diagnostics)).toBe('')
  })
})

describe('checkLinks()', () => {
  it('checkLinks() follows links and anchors, and says where a broken one stands', async () => {
    const files = {
      'index.html':
        '<p id="here"></p>\n<a href="/a/#there">a</a> <a href="#here">b</a>\n<a href="/b/">c</a>\n',
      'a/index.html':
        '<p id="there"></p>\n<b id="there"></b>\n<a href="/#gone">d</a> <a href="https://x.y/">e</a> <a href="../x.css">f</a>\n',
    }
    await inProject(files, (folder) => {
      const { diagnostics, pages, links } = checkLinks(folder)
      expect(diagnostics.map(({ file, line, rule }) => `${file} ${line} ${rule}`)).toEqual([
        '/ 3 link-page',
        '/a/ 2 link-id-twice',
        '/a/ 3 link-anchor',
        '/a/ 3 link-page',
      ])
      expect([pages, links]).toEqual([2, 5])
    })
  })
})

describe('chapterFigures()', () => {
  it('chapterFigures() counts what a chapter has', async () => {
    const fold = good['chapters/01-first/index.md']!.replace(
      'weave=a-body',
      'weave=a-body fold="What it gives back."',
    )
    await inProject({ ...good, 'chapters/01-first/index.md': fold }, (folder) => {
      const [first, , third] = chapterFigures(folder)
      expect(first).toMatchObject({ words: 4, listings: 2, folded: 1, cells: 0, planned: false })
      expect(third).toMatchObject({ words: 0, listings: 0, planned: true })
      const lines = formatFigures(chapterFigures(folder)).trimEnd().split('\n')
      expect(lines[0]).toMatch(/chapter +words +listings/)
      expect(lines.at(-1)).toMatch(/^ +all +\d+/)
    })
  })

  it('chapterFigures() of chapter 2 are those of the finished chapter', () => {
    const two = chapterFigures(root).find(({ number }) => number === 2)!
    expect(two.words).toBeGreaterThan(2000)
    expect(two.folded).toBeGreaterThan(40)
    expect(two.cells).toBeGreaterThan(5)
    expect(two.labs).toBeGreaterThan(0)
    expect(two).toMatchObject({ planned: false, number: 2 })
    expect(wordsOf('---\ntitle: a b\n---\nOne `two three` [four](five) six.[^seven]\n')).toBe(4)
  })
})

describe('verify()', () => {
  it('chosenChecks() keeps the order, and offers the nearest name', () => {
    expect(chosenChecks(['prose', 'weave'])).toEqual(['weave', 'prose'])
    expect(chosenChecks([])).toHaveLength(8)
    expect(() => chosenChecks(['weav'])).toThrow(Complaint)
    try {
      chosenChecks(['weav'])
    } catch (error) {
      expect((error as Complaint).next).toEqual(['did you mean weave?'])
      expect((error as Complaint).exitCode).toBe(2)
    }
  })

  it('verify() fails a check with an error and passes one without', async () => {
    const bad = {
      ...good,
      'chapters/02-second/index.md': `${good['chapters/02-second/index.md']}\nOne. Two.\n`,
    }
    await inProject(bad, async (folder) => {
      const heard: string[] = []
      const reports = await verify(context(folder), ['weave', 'prose'], ({ check }) => heard.push(check))
      expect(heard).toEqual(['weave', 'prose'])
      expect(reports.map(({ check, passed }) => `${check} ${passed}`)).toEqual(['weave true', 'prose false'])
      expect(places(reports[1]!.diagnostics)).toEqual(['14:6 prose-sentence'])
      expect(reports[0]!.counts).toMatchObject({ 'regions told': 5, promised: 0 })
    })
  })
})
