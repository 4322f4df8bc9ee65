// SPDX-License-Identifier: MIT
//
// Room for a second language, proved with one that nobody speaks: its words are those of en.ts in Greek letters, so that a
// Latin word on one of its pages was written into a template. It is added as ARCHITECTURE.md says.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type PluginBuild } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { en } from '../../site/text/en.ts'
import { checkLinks } from '../../verify/links.ts'
import { filesUnder, root } from '../support/files.ts'
import { sampleSite, type SampleSite } from '../support/sample_site.ts'

const LETTERS = 'αβψδεφγηιξκλμνοπθρστυβωχυζ'
const greek = (text: string): string =>
  text.replace(/\{\w+\}|[a-zA-Z]/g, (found) =>
    found.startsWith('{') ? found : LETTERS[found.toLowerCase().charCodeAt(0) - 97]!,
  )

/** The words of en.ts in Greek letters. */
function inGreek(words: unknown): unknown {
  if (typeof words === 'string') return greek(words)
  if (Array.isArray(words)) return words.map(inGreek)
  return Object.fromEntries(Object.entries(words as object).map(([key, value]) => [key, inGreek(value)]))
}

const CHAPTER = `---
title: Εν δειγμα
description: Ενα κεφαλαιο που υπαρχει μονο για τις δοκιμες.
question: Τι;
---

## Πρωτον

Ενας **ορος**, και μια πηγη.[^1]

> [!WARNING]
> Προσοχη.

| α | β |
| --- | --- |
| 1 | 2 |

\`\`\`console
# dmesg
\`\`\`

\`\`\`c
int x;
\`\`\`

\`\`\`ts weave=two
\`\`\`

\`\`\`ts recall=two
\`\`\`

\`\`\`memory-map
title: Μνημη
ranges:
  - { base: 0x4000_0000, size: 1 GiB, label: Μνημη, kind: ram }
  - { base: 0x5000_0000, size: 16 MiB, label: Περιοχη, kind: no-map }
\`\`\`

[Παλι](/qx/notes/) και [το πρωτοτυπο](/01-sample/).

[^1]: Πηγη.
`

const ORIGINAL = CHAPTER.replace(
  /title: .*\ndescription: .*/,
  'title: A sample\ndescription: A chapter that exists for the tests alone.',
)

let sample: SampleSite

/** Bundles the site's program, with the sample's own list of languages in the place of ours. */
function bundle(folder: string): Promise<unknown> {
  const languages = {
    name: 'languages',
    setup: ({ onResolve }: PluginBuild) =>
      onResolve({ filter: /\/languages\.ts$/ }, () => ({ path: join(folder, 'site/languages.ts') })),
  }
  return build({
    absWorkingDir: root,
    entryPoints: ['site/eleventy.ts'],
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    outdir: join(folder, 'dist'),
    logLevel: 'warning',
    plugins: [languages],
  })
}

/** Adds the language: its words, its line in the list, its texts. */
async function addLanguage({ folder, write }: SampleSite): Promise<void> {
  const words = { ...(inGreek(en) as object), lang: 'qx', languageName: 'Ελλ' }
  writeFileSync(join(folder, 'site/text/qx.ts'), `export const qx = ${JSON.stringify(words)}\n`)
  const list = join(folder, 'site/languages.ts')
  const before = readFileSync(list, 'utf8')
  const after = before.replace('= [en]', '= [en, qx]')
  expect(after).not.toBe(before)
  writeFileSync(list, `import { qx } from './text/qx.ts'\n${after}`)
  write(CHAPTER, 'chapters/qx/01-sample/index.md')
  write(
    '---\ntitle: Σημειωσεις\ndescription: Ενα παραρτημα για τις δοκιμες.\n---\n\n## Ενα\n\nΚειμενο.\n',
    'chapters/qx/notes.md',
  )
  const appendices = [
    { slug: 'notes', title: 'Σημειωσεις' },
    { slug: 'later', title: 'Αργοτερα' },
    { slug: 'glossary', title: 'Γλωσσαριο' },
  ]
  const chapters = [{ number: 1, slug: '01-sample', title: 'Εν δειγμα' }]
  const book = { title: 'Βιβλιο', parts: [{ title: 'Μερος', chapters }], appendices }
  writeFileSync(join(folder, 'chapters/qx/book.json'), JSON.stringify(book))
  await bundle(folder)
}

function buildSample(): { status: number | null; text: string } {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ['node_modules/@11ty/eleventy/cmd.cjs', '--quiet', '--output=out'],
    { cwd: sample.folder, encoding: 'utf8', timeout: 60_000 },
  )
  return { status, text: stderr + stdout }
}

const page = (name: string): string => readFileSync(join(sample.folder, 'out', name), 'utf8')

/** What a reader of a page meets, by eye or ear: its text and the words of attributes; code and other languages apart. */
function wordsOf(html: string): string[] {
  const own = html
    .replace(/<(script|style|pre|code)\b[\s\S]*?<\/\1>/g, ' ')
    .replace(/<(\w+)[^>]* lang="en"[^>]*>[\s\S]*?<\/\1>/g, ' ')
    .replace(/<span class="(?:dir|file|region|mm-[a-z]+)">[\s\S]*?<\/span>|<tspan[\s\S]*?<\/tspan>/g, ' ')
  const attributes = [...own.matchAll(/\s(?:aria-label|title|alt|content|data-(?:light|dark))="([^"]*)"/g)]
  const said = attributes
    .map((match) => match[1]!)
    .filter((value) => !/^(?:default-src|width=|light dark)/.test(value))
  const text = [own.replace(/<[^>]*>/g, ' '), ...said].join(' ')
  return (
    text
      // Names of formats are the same in every language, as units are.
      .replace(/&\w+;|0x[\da-f_]+|-E[A-Z]+\b|\b[KMG]iB\b|\b(?:EPUB|PDF)\b|\bcode\/[\w/.]+/g, ' ')
      .match(/[A-Za-z]{2,}/g) ?? []
  )
}

beforeAll(async () => {
  sample = sampleSite()
  writeFileSync(
    join(sample.folder, 'code/lib/two.ts'),
    '// SPDX-License-Identifier: MIT\n\n// #region two\nexport const two = 2\n// #endregion two\n',
  )
  sample.write(ORIGINAL.replace('/qx/notes/', '/notes/'))
  sample.write(
    '---\ntitle: Notes\ndescription: An appendix for the tests alone.\n---\n\n## One\n\nText.\n',
    'chapters/notes.md',
  )
  sample.write('## One\n\nText.\n', 'chapters/later.md')
  await addLanguage(sample)
  const { status, text } = buildSample()
  expect(status, text).toBe(0)
})
afterAll(() => sample.remove())

describe('a second language', () => {
  const pages = ['qx/index.html', 'qx/01-sample/index.html', 'qx/notes/index.html', 'qx/404.html']

  it('has pages in its own words, with no English left in a template', () => {
    for (const name of pages) {
      expect(page(name), name).toContain('<html lang="qx"')
      expect(wordsOf(page(name)), name).toEqual([])
    }
    // The words of scripts ride along in the same language.
    expect(page(pages[0]!)).toContain(JSON.stringify(inGreek(en.scripts.copy)))
    // The same look at a page in English finds its words.
    expect(wordsOf(page('01-sample/index.html').replace('<html lang="en"', '<html')).length).toBeGreaterThan(
      50,
    )
  })

  it('links to its own pages, and to the original for what it does not have yet', () => {
    const front = page('qx/index.html')
    expect(front).toContain('<a href="01-sample/">Εν δειγμα</a>')
    expect(front).toContain(
      '<a href="../later/" hreflang="en">Αργοτερα</a><span class="state" lang="en">English</span>',
    )
    expect(front).toContain('<span class="to-come">Γλωσσαριο</span>')
    const chapter = page('qx/01-sample/index.html')
    expect(chapter).toContain('<a class="brand" href="../">')
    expect(chapter).toContain('href="../notes/" rel="next"')
    expect(chapter).toContain('<a class="recall" href="#listing-two">')
    expect(page('source/code/lib/two.ts/index.html')).toContain('href="../../../../01-sample/#listing-two"')
  })

  it('and the first name each other, on pages that both have', () => {
    for (const name of ['01-sample/index.html', 'qx/01-sample/index.html']) {
      const alternates = [...page(name).matchAll(/<link rel="alternate" hreflang="(\w+)" href="([^"]+)">/g)]
      expect(
        alternates.map(([, lang, href]) => [lang, new URL(href!, `http://site/${name}`).pathname]),
      ).toEqual([
        ['en', '/01-sample/'],
        ['qx', '/qx/01-sample/'],
      ])
    }
    expect(page('01-sample/index.html')).toContain('lang="qx">Ελλ</a>')
    expect(page('later/index.html')).not.toContain('hreflang')
  })

  it('leads nowhere that is not', () => {
    const found = checkLinks(join(sample.folder, 'out')).diagnostics.filter(
      ({ text }) => !text.includes('api/'),
    )
    expect(found.map(formatDiagnostic)).toEqual([])
  })

  it('is refused without a row for every chapter, or with a listing of nothing', () => {
    const file = join(sample.folder, 'chapters/qx/book.json')
    const book = readFileSync(file, 'utf8')
    writeFileSync(file, book.replace(/,\{"slug":"later"[^}]*\}/, ''))
    sample.write(`${CHAPTER}\n\`\`\`ts weave=three\n\`\`\`\n`, 'chapters/qx/01-sample/index.md')
    const { status, text } = buildSample()
    expect(status).not.toBe(0)
    expect(text).toContain('chapters/qx/book.json: error: no row has the slug later [translation-row]')
    expect(text).toContain('no file holds a region three')
  })
})

describe('the words', () => {
  it('of no language are imported where a page is made: they are handed down', () => {
    const importing = filesUnder('site', '.ts').filter((file) =>
      /^import (?!type\b)[^\n]*\/text\/en\.ts'/m.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(importing).toEqual(['site/languages.ts'])
  })
})
