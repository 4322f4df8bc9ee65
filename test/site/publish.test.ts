// SPDX-License-Identifier: MIT
//
// What makes the built folder fit for any host, piece by piece; test/site/anywhere.test.ts serves it somewhere else.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { unpackTar } from 'modern-tar'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { FIRST } from '../../site/languages.ts'
import { CARD_SIZE, cardFile } from '../../site/publish/card.ts'
import { parseChangelog } from '../../site/publish/changelog.ts'
import { atomFeed } from '../../site/publish/feed.ts'
import { withHead } from '../../site/publish/head.ts'
import { hostHeaders } from '../../site/publish/headers.ts'
import { kernelSourceArchive, kernelSources } from '../../site/publish/kernel_source.ts'
import { noticeOf, packageFolders } from '../../site/publish/notices.ts'
import { mendApiPage } from '../../site/publish/api_page.ts'
import { absoluteHtml, relativeAddress, relativeHtml } from '../../site/publish/relative.ts'
import { robotsTxt, sitemapXml } from '../../site/publish/sitemap.ts'
import { checkLinks } from '../../verify/links.ts'
import { checkSelfContained } from '../../verify/self_contained.ts'
import { filesUnder, root } from '../support/files.ts'

const scratch = mkdtempSync(join(tmpdir(), 'contiguous-publish-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A folder of these files. */
function folderOf(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(scratch, name)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return folder
}

describe('relativeAddress()', () => {
  it.for([
    ['/', '/source/', 'source/'],
    ['/', '/', './'],
    ['/a/', '/', '../'],
    ['/a/', '/a/#x', '#x'],
    ['/a/', '/a/?x=1#y', './?x=1#y'],
    ['/a/b/', '/a/', '../'],
    ['/a/b/', '/a/c/#x', '../c/#x'],
    ['/a/b/', '/assets/s.css', '../../assets/s.css'],
    ['/api/code/index.html', '/source/code/x.ts/#L1', '../../source/code/x.ts/#L1'],
    ['/a/', '/a/b.txt', 'b.txt'],
  ] as const)('relativeAddress() from %s to %s is %s', ([page, address, way]) => {
    expect(relativeAddress(page, address)).toBe(way)
    expect(new URL(way, `http://host/deep/base${page}`).href).toBe(
      new URL(`/deep/base${address}`, 'http://host').href,
    )
  })
})

describe('mendApiPage()', () => {
  const mended = (html: string): string => mendApiPage(html, { course: 'Course', files: 'API' })

  it('tells headings one level below that above them, and leaves those alone that are', () => {
    expect(mended('<h1>a</h1><h4>b</h4><h5>c</h5><h4>d</h4><h2>e</h2><h3>f</h3>')).toBe(
      '<h1>a</h1><h4 aria-level="2">b</h4><h5 aria-level="3">c</h5><h4 aria-level="2">d</h4><h2>e</h2><h3>f</h3>',
    )
  })

  it('leaves a heading in a summary, and takes the link out of it', () => {
    expect(mended('<summary><h1>a<a href="#a" class="tsd-anchor-icon">#</a></h1></summary>')).toBe(
      '<summary><h1>a</h1></summary>',
    )
  })
})

describe('relativeHtml()', () => {
  const html =
    '<!doctype html><html lang="en"><a title="a > b" href="/b/#c">href="/kept"</a><a href="//host/x"></a>' +
    '<use xlink:href="/i.svg#j"/><img alt="src=" src="/k.png"><code>&lt;a href="/kept"&gt;</code></html>'

  it('relativeHtml() rewrites the addresses of tags, and no text', () => {
    expect(relativeHtml(html, '/a/')).toBe(
      html
        .replace('lang="en"', 'lang="en" data-root="../"')
        .replace('href="/b/#c"', 'href="../b/#c"')
        .replace('"/i.svg#j"', '"../i.svg#j"')
        .replace('"/k.png"', '"../k.png"'),
    )
  })

  it('absoluteHtml() puts the path of the site before them, for a page that is shown anywhere', () => {
    const rewritten = absoluteHtml(html, '/course/')
    expect(rewritten).toContain('data-root="/course/"')
    expect(rewritten).toContain('href="/course/b/#c"')
    expect(rewritten).toContain('href="//host/x"')
  })
})

describe('checkSelfContained()', () => {
  const page = (inside: string): string => `<!doctype html><html lang="en" data-root="./">${inside}</html>`

  it.for([
    ['an address at the top of the host', page('<a href="/x/">x</a>'), 'site-absolute'],
    ['a picture of another host', page('<img src="https://host/x.png" alt="">'), 'site-foreign'],
    ['a style of another host', page('<link rel="stylesheet" href="//host/x.css">'), 'site-foreign'],
    ['a picture among several sizes', page('<img srcset="x.png 1x, y.png 2x" alt="">'), 'site-missing'],
    ['a script that is not there', page('<script src="assets/x.js"></script>'), 'site-missing'],
    ['a part of a drawing', page('<svg><use href="../up.svg#a"/></svg>'), 'site-missing'],
  ] as const)('finds %s', ([name, html, rule]) => {
    const folder = folderOf(`own-${name}`, { 'index.html': html })
    expect(checkSelfContained(folder).diagnostics.map((found) => found.rule)).toContain(rule)
  })

  it('reads styles and scripts too, and lets a reader go where he likes', () => {
    const folder = folderOf('own', {
      'index.html': page('<a href="https://host/">x</a><link rel="canonical" href="https://host/">'),
      'assets/a.css':
        '@import "b.css"; p { background: url(/x.png) } q { background: url(data:image/png,x) }',
      'assets/a.js':
        'import"./b.js";import("/c.js");import{d}from"https://host/d.js";new URL("./e",import.meta.url)',
    })
    const { diagnostics } = checkSelfContained(folder)
    expect(diagnostics.map(({ file, rule, text }) => `${file} ${rule} ${text.split(' ')[0]}`).sort()).toEqual(
      [
        '/assets/a.css site-absolute /x.png',
        '/assets/a.css site-missing b.css',
        '/assets/a.js site-absolute /c.js',
        '/assets/a.js site-foreign https://host/d.js',
        '/assets/a.js site-missing ./b.js',
        '/assets/a.js site-missing ./e',
      ],
    )
  })

  it('holds 404.html to the path of the site that it names', () => {
    const missing = (top: string, link: string): string[] => {
      const html = `<!doctype html><html lang="en" data-root="${top}"><a href="${link}">x</a></html>`
      const folder = folderOf(`404${top}${link}`.replaceAll('/', '-'), {
        '404.html': html,
        'index.html': page(''),
      })
      return [...checkLinks(folder).diagnostics, ...checkSelfContained(folder).diagnostics].map(
        ({ rule }) => rule,
      )
    }
    expect(missing('/course/', '/course/')).toEqual([])
    expect(missing('/course/', '/course/nowhere/')).toEqual(['link-page'])
    expect(missing('/course/', '/')).toEqual(['link-page'])
  })
})

describe('hostHeaders()', () => {
  it('hostHeaders() never lets two rules for one address disagree', () => {
    const text = hostHeaders(['404.html', 'api', 'assets', 'index.html', 'source'], '/')
    const rules = text
      .trim()
      .split('\n\n')
      .map((rule) => rule.split('\n'))
      .map(([pattern = '', ...headers]) => ({ pattern, headers: headers.map((each) => each.trim()) }))
    const sent = (path: string, name: string): string[] =>
      rules
        .filter(({ pattern }) =>
          pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
        )
        .flatMap(({ headers }) => headers.filter((each) => each.startsWith(`${name}: `)))
    expect(sent('/assets/style-X.css', 'Cache-Control')).toEqual([
      'Cache-Control: public, max-age=31536000, immutable',
    ])
    for (const path of ['/', '/source/code/', '/api/', '/404.html', '/index.html'])
      expect(sent(path, 'Cache-Control'), path).toEqual(['Cache-Control: no-cache'])
    // Whatever a host makes of two policies, theirs are met together.
    expect(sent('/source/', 'Content-Security-Policy')).toEqual([
      "Content-Security-Policy: frame-ancestors 'none'",
    ])
    expect(sent('/api/', 'Content-Security-Policy')).toHaveLength(2)
    expect(hostHeaders(['source'], '/course/')).toContain('\n/course/source/*\n')
  })
})

describe('the feed', () => {
  const text =
    '# C\n\n## Unreleased\n\n- **One, `two`**: three\n  four <b>.\n- **One, `two`**: again.\n\n## 0.1\n\n- Old: it.\n'
  const versions = parseChangelog(text, (line) => new Date(line * 1000))

  it('parseChangelog() names entries by their bold words, and takes the date of the youngest line', () => {
    expect(versions.map(({ title, entries }) => [title, entries.map(({ id }) => id)])).toEqual([
      ['Unreleased', ['one-two', 'one-two-2']],
      ['0.1', ['old']],
    ])
    expect(versions[0]?.entries[0]?.updated).toEqual(new Date(6000))
    expect(versions[0]?.entries[0]?.markdown).toBe('**One, `two`**: three\nfour <b>.')
  })

  it('atomFeed() puts the youngest first, and escapes HTML in XML', () => {
    const entries = versions.flatMap((version) => version.entries)
    const feed = atomFeed('https://h/c/', entries, FIRST, (markdown) => `<p>${markdown}</p>`)
    expect([...feed.matchAll(/<entry>\n<title>(.*)<\/title>/g)].map((match) => match[1])).toEqual([
      'Old',
      'One, two',
      'One, two',
    ])
    expect(feed).toContain('<id>https://h/c/changes/#one-two-2</id>')
    expect(feed).toContain('four &lt;b&gt;')
  })
})

describe('the head', () => {
  it('withHead() names the page, its languages and its card by whole addresses', () => {
    const html =
      '<!doctype html><html lang="en"><head><title>T</title><meta name="description" content="D &amp; E">' +
      '<link rel="alternate" hreflang="qx" href="/qx/a/"></head></html>'
    const card = { url: '/assets/card.png', alt: 'C' }
    const head = withHead(html, { site: 'https://h/c/', url: '/a/', text: FIRST, card })
    expect(head).toContain('<link rel="canonical" href="https://h/c/a/">')
    expect(head).toContain('hreflang="qx" href="https://h/c/qx/a/"')
    expect(head).toContain('<meta property="og:description" content="D &amp; E">')
    expect(head).toContain('<meta property="og:image" content="https://h/c/assets/card.png">')
  })

  it('the card is drawn from what it says now, and has the size that is asked for', () => {
    expect(existsSync(join(root, cardFile())), 'npm run diagrams').toBe(true)
    const png = readFileSync(join(root, cardFile()))
    expect({ width: png.readUInt32BE(16), height: png.readUInt32BE(20) }).toEqual(CARD_SIZE)
  })

  it('sitemapXml() and robotsTxt() give whole addresses or none', () => {
    expect(sitemapXml('https://h/c/', ['/b/', '/'])).toContain(
      '<url><loc>https://h/c/</loc></url>\n<url><loc>https://h/c/b/</loc></url>',
    )
    expect(robotsTxt('https://h/c/')).toContain('Sitemap: https://h/c/sitemap.xml')
    expect(robotsTxt(null)).not.toContain('Sitemap')
  })
})

describe('the source offer', () => {
  it('kernelSourceArchive() holds every source of the modules, in the same bytes each time', async () => {
    const [one, two] = [await kernelSourceArchive(root), await kernelSourceArchive(root)]
    expect(one.bytes.equals(two.bytes)).toBe(true)
    const entries = await unpackTar(gunzipSync(one.bytes))
    const held = new Map(entries.map(({ header, data }) => [header.name, Buffer.from(data ?? [])]))
    const wanted = ['.c', '.h', 'Kbuild', 'Makefile', '.dts', '.dtso', '.config'].flatMap((ending) =>
      filesUnder('kernel', ending),
    )
    expect(wanted.length).toBeGreaterThan(50)
    for (const file of [...wanted, 'LICENSES/GPL-2.0-only.txt'])
      expect(held.get(`contiguous-kernel/${file}`)?.equals(readFileSync(join(root, file))), file).toBe(true)
    expect(one.files).toEqual(kernelSources(root))
  })

  it('kernelSources() leaves out what a build left behind', () => {
    const folder = folderOf('built', { 'kernel/a/a.c': '', 'kernel/a/a.ko': '', 'kernel/a/Kbuild': '' })
    expect(kernelSources(folder)).toEqual(['kernel/a/Kbuild', 'kernel/a/a.c'])
  })
})

describe('the notices', () => {
  it('packageFolders() finds the package of each input, scoped and nested ones too', () => {
    const inputs = [
      'site/a.ts',
      'node_modules/x/y/z.js',
      '../up/node_modules/@s/p/i.js',
      'node_modules/x/node_modules/w/i.js',
    ]
    expect(packageFolders('/r/p', inputs)).toEqual([
      '/r/p/node_modules/x',
      '/r/up/node_modules/@s/p',
      '/r/p/node_modules/x/node_modules/w',
      '/r/p/node_modules/typedoc',
      '/r/p/node_modules/lunr',
    ])
  })

  it('noticeOf() refuses a package without the text of its licence', () => {
    const folder = folderOf('bare', { 'package.json': '{"name":"bare","version":"1.0.0","license":"MIT"}' })
    expect(() => noticeOf(folder)).toThrow('bare 1.0.0 is bundled into the pages')
  })

  /** Every script that a page, a worker of one or the browser itself starts; the exercises' checks beside them. */
  const ENTRIES = [
    'site/client/page.ts',
    'site/client/theme.ts',
    'site/cells/client.ts',
    'site/cells/worker.ts',
    'site/exercises/client.ts',
    'site/exercises/check_worker.ts',
    'site/offline/worker.ts',
    'site/widgets/worker.ts',
    'site/widgets/map_worker.ts',
    'site/widgets/movie/worker.ts',
  ]

  it('are there for every package that a script of the pages names, and in full', async () => {
    const folder = inject('siteFolder')
    const checks = filesUnder('chapters', '.ts').filter((file) => /\/(?:check|question)\.ts$/.test(file))
    expect(checks.length).toBeGreaterThan(20)
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [...ENTRIES, ...checks],
      bundle: true,
      splitting: true,
      format: 'esm',
      packages: 'external',
      loader: { '.css': 'text' },
      outdir: scratch,
      metafile: true,
      write: false,
    })
    const named = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.flatMap(({ path, external }) =>
        external ? (/^(?:@[\w-]+\/)?[a-z][\w-]*/.exec(path)?.[0] ?? []) : [],
      ),
    )
    const packages = [...new Set(named)].filter((name) => name !== 'contiguous')
    expect(packages).toEqual(expect.arrayContaining(['@codemirror/view', 'markdown-it', 'sucrase', 'zod']))
    const text = readFileSync(join(folder, 'licences/third-party.txt'), 'utf8')
    const html = readFileSync(join(folder, 'licences/index.html'), 'utf8')
    for (const name of [...packages, 'typedoc']) {
      expect(text).toMatch(new RegExp(`^${name.replace('/', '\\/')} [\\d.]+: \\S`, 'm'))
      expect(html).toContain(`<code>${name}</code>`)
    }
    expect(text).toContain('Permission is hereby granted')
  })
})
