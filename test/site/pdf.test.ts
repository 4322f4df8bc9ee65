// SPDX-License-Identifier: MIT
//
// The PDF, printed from two chapters and the glossary of the built course: what holds for them holds for the rest.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { missingTools } from '../../code/lab/tools.ts'
import { FIRST } from '../../site/languages.ts'
import { type Book, bookOf, type Entry } from '../../site/data/book.ts'
import { PDF, printBook, type Printed } from '../../site/print/print_book.ts'
import { loadWeave } from '../../site/weave/weave.ts'
import { root } from '../support/files.ts'

const missing = missingTools(['browser', 'book'])
  .map((tool) => tool.package)
  .join(', ')
const SLUGS = ['14-choosing', '15-what-changed', 'glossary']

/** The book as if nothing but SLUGS were written. */
function shortBook(): Book {
  const book = bookOf(loadWeave(root), FIRST)
  const only = (entries: readonly Entry[]): Entry[] => entries.filter(({ slug }) => SLUGS.includes(slug))
  return {
    title: book.title,
    parts: book.parts.map((part) => ({ ...part, chapters: only(part.chapters) })),
    appendices: only(book.appendices),
    entries: only(book.entries),
  }
}

describe('the PDF', () => {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-pdf-'))
  const file = join(folder, PDF)
  let printed: Printed
  const say = (program: string, ...args: string[]): string =>
    spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout

  beforeAll(async () => {
    if (missing !== '') return
    for (const part of ['index.html', 'assets', ...SLUGS])
      cpSync(join(inject('siteFolder'), part), join(folder, part), { recursive: true })
    printed = await printBook(folder, shortBook())
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('has a title, a structure, and as many pages as were counted', (context) => {
    if (missing !== '') context.skip(`not installed: ${missing}`)
    const info = say('pdfinfo', file)
    expect(info).toMatch(/^Title: +Contiguous$/m)
    expect(info).toMatch(/^Tagged: +yes$/m)
    expect(info).toMatch(new RegExp(`^Pages: +${printed.pages}$`, 'm'))
    expect(info).toMatch(/\(A4\)/)
    expect(printed.wide).toEqual([])
  })

  it('says its language, and has headings, lists, tables, links and figures for a screen reader', (context) => {
    if (missing !== '') context.skip(`not installed: ${missing}`)
    const structure = say('pdfinfo', '-struct', file)
    for (const kind of ['H1', 'H2', 'H3', 'L', 'LI', 'Table', 'TH', 'Link', 'Figure'])
      expect(structure, kind).toMatch(new RegExp(`^ *${kind}\\b`, 'm'))
    expect(readFileSync(file, 'latin1')).toContain('/Lang (en)')
  })

  it('has an outline of parts, chapters and sections, and a table of contents that agrees with it', (context) => {
    if (missing !== '') context.skip(`not installed: ${missing}`)
    const outline = new Map(
      [
        ...say('pdftohtml', '-xml', '-i', '-stdout', file).matchAll(/<item page="(\d+)">([^<]*)<\/item>/g),
      ].map(([, page, title]) => [title, Number(page)] as const),
    )
    expect(outline.size).toBeGreaterThan(20)
    const contents = say('pdftotext', '-layout', '-f', '2', '-l', '2', file, '-').replace(/ +/g, ' ')
    for (const title of ['Choosing', 'What changed, 3.5 to today', 'Glossary, English and 中文']) {
      const line = contents.split('\n').find((each) => each.includes(title)) ?? ''
      expect(Number(/(\d+)\s*$/.exec(line)?.[1]), title).toBe(outline.get(title))
    }
  })

  it('carries the letters of its Chinese', (context) => {
    if (missing !== '') context.skip(`not installed: ${missing}`)
    expect(say('pdftotext', file, '-')).toContain('页框')
    expect(say('pdffonts', file)).not.toMatch(/ no +\w+ +\w+ +\d+ +\d+$/m)
  })
})
