// SPDX-License-Identifier: MIT
//
// What a wrong chapter is told, and what `contig read` does about an edit. Each build here is a real one, of a sample.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchPages } from '../../code/cli/site_build.ts'
import type { Cell } from '../../site/cells/types.ts'
import { type Made, stillHolds, toldOf } from '../../site/made.ts'
import { FIRST } from '../../site/languages.ts'
import { foldedHtml } from '../../site/markdown/listing.ts'
import { root } from '../support/files.ts'
import { SAMPLE_CHAPTER, sampleSite, type SampleSite } from '../support/sample_site.ts'

let sample: SampleSite
beforeAll(() => {
  sample = sampleSite()
})
afterAll(() => sample.remove())

function build(markdown: string): { status: number | null; text: string } {
  sample.write(markdown)
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ['node_modules/@11ty/eleventy/cmd.cjs', '--quiet', '--output=out'],
    { cwd: sample.folder, encoding: 'utf8', timeout: 60_000 },
  )
  return { status, text: stderr + stdout }
}

const built = (): string => readFileSync(join(sample.folder, 'out/01-sample/index.html'), 'utf8')

describe('the build', () => {
  it.for([
    [
      'an unknown key of the front matter',
      '---\ntitle: T\ndescription: Twenty letters at the least.\ncolour: red\n---\n',
      4,
      'front-matter',
    ],
    ['a description that is too short', '---\ntitle: T\ndescription: Short.\n---\n', 3, 'front-matter'],
    ['a fence of no language we know', 'Text.\n\n```cobol\nMOVE\n```\n', 7, 'fence-language'],
    [
      'a diagram that was never drawn',
      '```mermaid id=lost\nflowchart LR\n  accTitle: A\n  accDescr: B\n  a --> b\n```\n',
      5,
      'diagram-missing',
    ],
    ['a diagram without words', '```mermaid id=mute\nflowchart LR\n  a --> b\n```\n', 5, 'diagram-described'],
    [
      'a memory map of no known kind',
      '```memory-map\ntitle: T\nranges:\n  - { base: 0, size: 1 MiB, label: x, kind: soup }\n```\n',
      5,
      'memory-map',
    ],
    ['a region that is nowhere', '\n```ts weave=nowhere\n```\n', 6, 'weave-unknown'],
    ['a cell without its output', '```ts run id=mute\nconsole.log(1)\n```\n', 5, 'cell-output'],
  ] as const)('fails with file and line on %s', ([, markdown, line, rule]) => {
    const { status, text } = build(markdown)
    expect(status).not.toBe(0)
    expect(text).toContain(`${SAMPLE_CHAPTER}:${line}:`)
    expect(text).toContain(`[${rule}]`)
  })

  it('tells who to ask for a drawing that is missing', () => {
    const { text } = build('```mermaid id=lost\nflowchart LR\n  accTitle: A\n  accDescr: B\n  a --> b\n```\n')
    expect(text).toContain('npm run diagrams')
  })

  it('turns Markdown into what the chapters need', () => {
    const markdown = [
      '## `cma_alloc()` retries',
      'A claim.[^1]',
      '> [!NOTE]\n> Well.',
      '::: aside\nBeside.\n:::',
      '| a | b |\n| --- | ---: |\n| 1 | 2 |',
      '```console title="dmesg"\n# dmesg\n<cma>\n```',
      '```dts\n/ { a = <&b 0x10>; };\n```',
      '```memory-map\ntitle: RAM\nranges:\n  - { base: 0x4000_0000, size: 1 GiB, label: System RAM, kind: ram }\n```',
      '```ts run id=one\nconst x: number = 1\nconsole.log(x)\n```\n\n```output\n1\n```',
      '[^1]: `mm/cma.c`.',
    ].join('\n\n')
    const { status, text } = build(markdown)
    expect(status, text).toBe(0)
    const html = built()
    expect(html).toContain('<h2 id="cma_alloc-retries">')
    expect(html).toContain('<a href="#source-1" id="ref-1">1</a>')
    expect(html).toContain('<div class="alert note" role="note">')
    expect(html).toContain('<aside class="margin">')
    expect(html).toContain('<td class="align-right">2</td>')
    expect(html).toContain('&lt;cma&gt;')
    expect(html).toMatch(/<span class="hl-l">&amp;b\s*<\/span>/)
    expect(html).toContain('0x4000_0000')
    expect(html).toContain('<contig-cell id="cell-one"')
    expect(html.match(/<figure class="said/g)).toHaveLength(1)
    expect(html).not.toMatch(/\sstyle=/)
  })
})

describe('an appendix', () => {
  const page = (name: string): string => readFileSync(join(sample.folder, 'out', name), 'utf8')

  it('is a page between its neighbours once it is written, and until then a title without a link', () => {
    expect(build('Text.\n').status).toBe(0)
    expect(existsSync(join(sample.folder, 'out/notes/index.html'))).toBe(false)
    expect(page('index.html')).toContain('<span class="to-come">Notes</span>')
    expect(page('01-sample/index.html')).not.toContain('rel="next"')

    sample.write('## A thing\n\nIn Chinese it is 页框, a frame.\n', 'chapters/notes.md')
    const { status, text } = build('Text.\n')
    expect(status, text).toBe(0)
    const notes = page('notes/index.html')
    expect(notes).toContain('<b>Appendix</b>')
    expect(notes).toContain('In this appendix')
    expect(notes).toContain('href="../01-sample/" rel="prev"')
    expect(notes).not.toContain('rel="next"')
    expect(notes).toContain('<span lang="zh-Hans">页框</span>, a frame')
    expect(page('01-sample/index.html')).toContain('href="../notes/" rel="next"')
    expect(page('index.html')).toContain('<a href="notes/">Notes</a>')
    expect(page('index.html')).toContain('<span class="to-come">Later</span>')
    rmSync(join(sample.folder, 'chapters/notes.md'))
    rmSync(join(sample.folder, 'out/notes'), { recursive: true })
  })

  it('leads from a row of the glossary to the definition of its term', () => {
    sample.write(
      '| English | 中文 |\n| --- | --- |\n| page frame, frame | 页框 |\n| zone | 内存域 |\n',
      'chapters/glossary.md',
    )
    const { status, text } = build('A **frame** is one, and a **frame** again.\n')
    expect(status, text).toBe(0)
    expect(page('glossary/index.html')).toContain(
      '<td id="term-page-frame"><a href="../01-sample/#term-frame">page frame, frame</a></td>',
    )
    expect(page('glossary/index.html')).toContain('<td id="term-zone">zone</td>')
    expect(page('01-sample/index.html').match(/<strong id="term-frame">/g)).toHaveLength(1)
    rmSync(join(sample.folder, 'chapters/glossary.md'))
    rmSync(join(sample.folder, 'out/glossary'), { recursive: true })
  })

  it('is refused where the table of contents does not have it', () => {
    sample.write('Text.\n', 'chapters/extra/index.md')
    const { status, text } = build('Text.\n')
    expect(status).not.toBe(0)
    expect(text).toContain('chapters/extra/index.md would be a page that no check looks at')
    rmSync(join(sample.folder, 'chapters/extra'), { recursive: true })
  })
})

describe('foldedHtml()', () => {
  it('foldedHtml() sets names of C, files and paths in the font of code, and escapes the rest', () => {
    const listing = {
      ...{ region: 'a-b', file: 'code/mm/a.ts', startLine: 3, endLine: 3, lang: 'ts' as const, text: 'x' },
      ...{ sourceLines: [3], holes: [], symbols: [], chapter: null, anchor: 'listing-a-b' },
    }
    const html = foldedHtml(
      listing,
      "What kmalloc() & cma_alloc do in mm/cma.c and /proc/iomem: a < b, Tom's.",
      FIRST,
    )
    expect(html).toContain(
      '<p>What <code>kmalloc()</code> &amp; <code>cma_alloc</code> do in <code>mm/cma.c</code> and ' +
        "<code>/proc/iomem</code>: a &lt; b, Tom's.</p>",
    )
    expect(html).toContain('<span>1 line</span>')
  })
})

describe('stillHolds()', () => {
  const cell = { file: 'chapters/01-sample/index.md', id: 'one', code: 'print(1)' } as Cell
  const made = {
    assets: { inputs: ['package.json'] },
    cellAssets: { inputs: [] },
    exercises: { inputs: [] },
    told: toldOf([cell]),
  } as unknown as Made
  const after = (edited: readonly string[], before = made, code = cell.code): boolean =>
    stillHolds(before, edited, [{ ...cell, code }])

  it('is true of the texts of chapters alone', () => {
    expect(after(['./chapters/01-sample/index.md', 'chapters/notes.md'])).toBe(true)
    for (const file of [
      'chapters/01-sample/exercises/01-x/task.md',
      'chapters/01-sample/claims.yaml',
      'chapters/book.json',
      'code/mm/cma.ts',
      'site/css/main.css',
    ])
      expect([file, after(['chapters/notes.md', file])]).toEqual([file, false])
    expect(after([])).toBe(false)
  })

  it('is false when the code of a cell was edited, or a file that something was made from is gone', () => {
    expect(after(['chapters/01-sample/index.md'], made, 'print(2)')).toBe(false)
    const gone = { ...made, assets: { inputs: ['code/gone.ts'] } } as unknown as Made
    expect(after(['chapters/01-sample/index.md'], gone)).toBe(false)
  })
})

describe('watchPages()', () => {
  it(
    'builds again when a chapter is edited, be it before it watches, and ends when it is told',
    { timeout: 120_000 },
    async () => {
      sample.write('Before the edit.\n')
      let builds = 0
      const child = watchPages(sample.folder, 'out', () => (builds += 1))
      const until = async (what: () => boolean): Promise<void> => {
        const end = Date.now() + 40_000
        while (!what()) {
          if (Date.now() > end) throw new Error(`waited 40 s; ${builds} builds so far`)
          await new Promise((done) => setTimeout(done, 40))
        }
      }
      try {
        await until(() => builds > 0 && existsSync(join(sample.folder, 'out/01-sample/index.html')))
        expect(built()).toContain('Before the edit.')
        sample.write('After the edit.\n')
        await until(() => built().includes('After the edit.') && builds > 1)
        await new Promise((done) => setTimeout(done, 1500))
        sample.write('After another edit.\n')
        await until(() => built().includes('After another edit.'))
      } finally {
        const ended = new Promise((done) => child.once('exit', done))
        child.kill()
        await ended
      }
    },
  )
})

describe('contig read', () => {
  it('prints its address, and leaves nothing running on Ctrl-C', { timeout: 120_000 }, async (context) => {
    const contig = join(root, 'dist/contig.js')
    if (!existsSync(contig)) context.skip('dist/contig.js is not built: npm run build')
    const other = sampleSite()
    other.write('A page.\n')
    const child = spawn(
      process.execPath,
      [join(other.folder, 'dist/contig.js'), 'read', '--port', '0', '--out', join(other.folder, '_site')],
      {
        cwd: other.folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const address = await new Promise<string>((done, fail) => {
      let said = ''
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString()
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)
        if (found) done(found[0])
      })
      child.once('exit', () => fail(new Error(`contig read ended: ${said}`)))
    })
    expect((await fetch(address)).status).toBe(200)
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
    expect(children.length).toBeGreaterThan(0)
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    await new Promise((done) => setTimeout(done, 500))
    expect(children.filter((pid) => existsSync(`/proc/${pid}`) && !isZombie(pid))).toEqual([])
    other.remove()
  })
})

describe('contig read, of a course with a mistake', () => {
  it('says it once, in the words of the finding, and tries again', { timeout: 120_000 }, async () => {
    const other = sampleSite()
    other.write('```ts weave=no-such-region\n```\n')
    const words = [join(other.folder, 'dist/contig.js'), 'read', '--port', '0', '--out']
    const child = spawn(process.execPath, [...words, join(other.folder, '_site')], {
      cwd: other.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (said += data.toString()))
    const comes = async (words: string): Promise<void> => {
      const end = Date.now() + 40_000
      while (!said.includes(words)) {
        if (Date.now() > end || child.exitCode !== null) throw new Error(`no “${words}” in: ${said}`)
        await new Promise((done) => setTimeout(done, 40))
      }
    }
    await comes('save a chapter to try again')
    // Its watcher takes a moment.
    await new Promise((done) => setTimeout(done, 1000))
    other.write('Without it.\n')
    await comes('Contiguous is at')
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(said.match(/no file holds a region no-such-region/g)).toHaveLength(1)
    expect(said).toMatch(/^chapters\/01-sample\/index\.md:\d+:\d+: error: /m)
    expect(said).not.toMatch(/stack|\bat \S+ \(|11ty|via Complaint/)
    other.remove()
  })
})

function isZombie(pid: string): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}
