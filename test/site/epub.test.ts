// SPDX-License-Identifier: MIT
//
// The EPUB that the build writes: the same bytes each time, clean by epubcheck, and the whole book in it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { describe, expect, inject, it } from 'vitest'
import { hasTool, TOOLS } from '../../code/lab/tools.ts'
import { extractCells } from '../../site/cells/cells.ts'
import { FIRST } from '../../site/languages.ts'
import { bookOf } from '../../site/data/book.ts'
import { all, hasClass, parse, textOf } from '../../site/formats/dom.ts'
import { readPages } from '../../site/formats/read_pages.ts'
import { EPUB, epubOf } from '../../site/epub/write_epub.ts'
import { loadWeave } from '../../site/weave/weave.ts'
import { root } from '../support/files.ts'

const folder = inject('siteFolder')
const file = join(folder, EPUB)
const weave = loadWeave(root)
const written = weave.chapters.filter(({ planned }) => !planned)
const inside = unzipSync(readFileSync(file))
const text = (name: string): string => strFromU8(inside[`EPUB/${name}`] ?? new Uint8Array())
const epubcheck = TOOLS.find((tool) => tool.package === 'epubcheck')!

describe('the EPUB', () => {
  it('is written from the pages alone: again, it has the same bytes', () => {
    const book = bookOf(weave, FIRST)
    const modified = new Date(/"dcterms:modified">([^<]+)</.exec(text('package.opf'))?.[1] ?? '')
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
    expect(hash(epubOf(book, readPages(folder, book), modified))).toBe(hash(readFileSync(file)))
  })

  it('begins with its kind, uncompressed, as its readers look for it', () => {
    expect(readFileSync(file).subarray(30, 58).toString('latin1')).toBe('mimetypeapplication/epub+zip')
  })

  it('is clean by epubcheck', { timeout: 300_000 }, (context) => {
    if (!hasTool(epubcheck)) context.skip('epubcheck is not installed (Debian: apt-get install epubcheck)')
    // By java: where the kernel does not start archives, `epubcheck` itself is none. It runs for seconds, so it is compiled
    // lightly: that takes half the time.
    const java = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-jar', epubcheck.files![0]!]
    const { status, stderr, stdout } = spawnSync('java', [...java, '--failonwarnings', file], {
      encoding: 'utf8',
    })
    expect(stdout + stderr).toContain('0 fatals / 0 errors / 0 warnings')
    expect(status).toBe(0)
  })

  it('has every chapter and appendix, in its table of contents and in the order of reading', () => {
    const nav = text('nav.xhtml')
    const spine = [...text('package.opf').matchAll(/<itemref idref="f-([^"]+)-xhtml"/g)].map(
      (match) => match[1],
    )
    expect(spine.slice(0, 3)).toEqual(['cover', 'title', 'nav'])
    expect(spine.slice(3)).toEqual(written.map(({ slug }) => slug))
    for (const { slug } of written) expect(nav).toContain(`href="${slug}.xhtml"`)
    for (const mark of ['cover', 'toc', 'bodymatter', 'glossary'])
      expect(nav).toContain(`epub:type="${mark}" href=`)
  })

  it('prints what each cell printed, and nothing that waits for a script', () => {
    for (const chapter of written) {
      const xhtml = text(`${chapter.slug}.xhtml`)
      expect(xhtml).not.toMatch(/<(button|script|canvas|contig-)|\sdata-types=/)
      const printed = all(parse(xhtml), (element) => hasClass(element, 'cell-text'))
      const recorded = extractCells(chapter.markdown, chapter.file).cells.map(({ output }) => output)
      expect(
        printed.map(({ children }) => textOf(children)),
        chapter.slug,
      ).toEqual(recorded)
    }
  })

  it('has a footnote for each reference, which says the number of both', () => {
    const xhtml = text('11-cma-alloc.xhtml')
    const references = [
      ...xhtml.matchAll(/<a href="#source-(\d+)" id="ref-[\d-]+" epub:type="noteref"[^>]*>(\d+)<\/a>/g),
    ]
    expect(references.length).toBeGreaterThan(10)
    for (const [, id, number] of references) {
      expect(number).toBe(id)
      expect(xhtml).toContain(
        `<aside id="source-${id}" epub:type="footnote" role="doc-footnote"><b class="number">${id}</b>`,
      )
    }
  })

  it('says on the card of a folded listing where its file is', () => {
    for (const { slug, fences } of written)
      for (const { name, fold } of fences.filter((fence) => fence.fold !== null)) {
        const card = text(`${slug}.xhtml`).split(`id="listing-${name}"`)[1]?.split('</figure>')[0] ?? ''
        expect(card.replace(/<[^>]*>/g, ''), `${name}: ${fold}`).toContain(weave.listing(name).file)
      }
  })

  it('sets no colour of text or ground but those that hold on white and on black', () => {
    const own = readFileSync(join(root, 'site/epub/book.css'), 'utf8')
    const colours = [...own.matchAll(/(?<![-\w])color: (#[0-9a-f]{6})/g)].map((match) => match[1]!)
    expect(colours.length).toBeGreaterThan(10)
    for (const colour of colours) {
      const light = luminance(colour)
      expect(1.05 / (light + 0.05), `${colour} on white`).toBeGreaterThanOrEqual(4.5)
      expect((light + 0.05) / 0.05, `${colour} on black`).toBeGreaterThanOrEqual(4.5)
    }
    expect(text('book.css')).not.toContain('var(')
  })

  it('has the styles of what its figures and widgets draw', () => {
    const css = text('book.css')
    for (const name of [
      'mm-swatch',
      'widget-stage',
      'bl-MOVABLE',
      'cb-set',
      'mp-free',
      'cl-cell',
      'pw-arrow',
      'ta-box',
    ])
      expect(css).toMatch(new RegExp(`\\.${name}\\b`))
  })

  it('is linked from the front page', () => {
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toMatch(/href="[^"]*contiguous\.epub"/)
    expect(existsSync(file)).toBe(true)
  })
})

/** As WCAG defines it. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
