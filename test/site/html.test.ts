// SPDX-License-Identifier: MIT
//
// The HTML as files: valid, linked, light.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { HtmlValidate } from 'html-validate'
import { describe, expect, inject, it } from 'vitest'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { loadWeave } from '../../site/weave/weave.ts'
import { checkLinks } from '../../verify/links.ts'
import { checkSelfContained } from '../../verify/self_contained.ts'
import { root } from '../support/files.ts'
import { htmlOf, kindsOfPages, pagesOf } from '../support/site_pages.ts'

const folder = inject('siteFolder')
const LONG = process.env['CONTIG_LONG'] === '1'

describe('the HTML', () => {
  const validator = new HtmlValidate({
    extends: ['html-validate:recommended'],
    elements: [
      'html5',
      {
        'contig-cell': { flow: true, phrasing: false },
        'contig-widget': { flow: true, phrasing: false },
        'contig-movie': { flow: true, phrasing: false },
        'contig-map': { flow: true, phrasing: false },
        'contig-number': { flow: true, phrasing: true },
        'contig-exercise': { flow: true, phrasing: false },
        'contig-question': { flow: true, phrasing: false },
        'contig-progress': { flow: true, phrasing: false },
      },
    ],
    rules: {
      // Written by Eleventy and markdown-it, which write void elements and attributes their own way.
      'void-style': 'off',
      'no-trailing-whitespace': 'off',
      'doctype-style': 'off',
      // `pre` that scrolls must take the focus, and a name with it.
      'prefer-native-element': 'off',
      // Mirrors the width of code: long lines are the code's own.
      'long-title': 'off',
    },
  })

  it('is valid', { timeout: 300_000 }, async () => {
    const found: string[] = []
    // A page of a source file differs from the next in its text alone; the longest of each language stand for them.
    for (const page of LONG ? pagesOf(folder) : kindsOfPages(folder)) {
      const report = await validator.validateString(htmlOf(folder, page))
      for (const { messages } of report.results) {
        found.push(...messages.map((m) => `${page}:${m.line}:${m.column}: ${m.ruleId}: ${m.message}`))
      }
    }
    expect(found.slice(0, 20)).toEqual([])
  })

  it('carries no style attribute, no inline script, no address of another host', () => {
    const found = pagesOf(folder).filter((page) => {
      const html = htmlOf(folder, page)
      return (
        /<[^>]+\sstyle=/.test(html) ||
        /<script>|<script (?!type="application\/json")[^>]*>[^<]/.test(html) ||
        /\ssrc="(https?:)?\/\//.test(html)
      )
    })
    expect(found).toEqual([])
  })

  it('links only to what exists, anchors included', () => {
    const { diagnostics, links } = checkLinks(folder)
    expect(links).toBeGreaterThan(1000)
    expect(diagnostics.slice(0, 30).map(formatDiagnostic).join('\n')).toBe('')
  })

  it('needs nothing but its own folder, and does not know where that stands', () => {
    const { diagnostics, files } = checkSelfContained(folder)
    expect(files).toBeGreaterThan(1000)
    expect(diagnostics.slice(0, 30).map(formatDiagnostic).join('\n')).toBe('')
  })

  it('has a card in the place of a folded listing, which leads to where the region begins in its file', () => {
    const weave = loadWeave(root)
    const folded = weave.chapters.flatMap(({ slug, fences }) =>
      fences.flatMap(({ name, fold }) => (fold === null ? [] : { slug, name })),
    )
    expect(folded.length).toBeGreaterThan(40)
    for (const { slug, name } of folded) {
      const listing = weave.listing(name)
      const card = new RegExp(`<figure class="listing folded" id="listing-${name}">.*?</figure>`).exec(
        htmlOf(folder, `/${slug}/`),
      )?.[0]
      expect(card, name).toContain(`href="../source/${listing.file}/#region-${name}"`)
      expect(card, name).toMatch(new RegExp(`<span>${listing.sourceLines.length} lines?</span>`))
      expect(card, name).not.toContain('<pre')
      const rows = htmlOf(folder, `/source/${listing.file}/`).split('<tr id="L')
      const row = rows.find((each) => each.includes(` id="region-${name}"`)) ?? ''
      const first = Number.parseInt(row, 10)
      expect(first, name).toBeGreaterThan(weave.regions.get(name)!.startLine)
      expect(first, name).toBeLessThanOrEqual(listing.startLine)
    }
  })

  it('says on a page of the API in which chapter its lines are told', () => {
    expect(htmlOf(folder, '/api/code/mm/memblock/memblock_add/')).toContain(
      '<p class="told">Told in <a href="../../../../../02-carving-memory-out/#listing-memblock-add-reserve">Chapter 2',
    )
  })

  it('weighs at most 60 KB with all that reading needs, and at most 15 KB of that is JavaScript', () => {
    const zipped = (path: string): number => gzipSync(readFileSync(join(folder, path))).length
    const fromTop = (page: string, address: string): string => new URL(address, `http://site${page}`).pathname
    const withImports = (paths: readonly string[], all = new Set<string>()): string[] => {
      for (const path of paths) {
        if (all.has(path)) continue
        all.add(path)
        const imports = readFileSync(join(folder, path), 'utf8').matchAll(/(?:from|import)\s*"(\.\/[^"]+)"/g)
        withImports(
          [...imports].map((m) => fromTop(path, m[1]!)),
          all,
        )
      }
      return [...all]
    }
    const heavy: string[] = []
    for (const page of pagesOf(folder)) {
      if (page.startsWith('/source/')) continue
      const html = htmlOf(folder, page)
      const scripts = withImports(
        [...html.matchAll(/<script[^>]* src="([^"]+)"/g)].map((m) => fromTop(page, m[1]!)),
      )
      // The sheet for paper is not waited for.
      const styles = [...html.matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map((m) =>
        fromTop(page, m[1]!),
      )
      const js = scripts.reduce((sum, path) => sum + zipped(path), 0)
      const all = js + styles.reduce((sum, path) => sum + zipped(path), 0) + gzipSync(html).length
      if (all > 60_000 || js > 15_000) heavy.push(`${page}: ${all} bytes, ${js} of JavaScript`)
    }
    expect(heavy).toEqual([])
  })
})
