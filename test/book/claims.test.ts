// SPDX-License-Identifier: MIT
//
// Claims and footnotes. Whether what is claimed is true of a kernel's sources is asked in test/book/claims_source.test.ts.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Diagnostic, formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { checkClaims, parseClaims, readClaims } from '../../site/claims/claims.ts'
import { claimHtml, footnoteDefinitions } from '../../site/claims/footnotes.ts'
import { literalsOf, logOccurs, symbolCalled, symbolOccurs } from '../../site/claims/in_source.ts'
import { footnotesIn } from '../../site/claims/references.ts'
import { FIRST } from '../../site/languages.ts'
import { sentenceHtml } from '../../site/markdown/sentence.ts'
import { readChapters } from '../../site/weave/chapters.ts'
import { assertionsOf, checkAssertion } from '../../verify/claims.ts'
import { filesUnder, root } from '../support/files.ts'
import { fixtureProjects, inProject } from './projects.ts'

const fixtures = fixtureProjects('claims')
const told = ({ file, line, column, rule }: Diagnostic): string => `${file}:${line}:${column} ${rule}`
const check = (folder: string): Diagnostic[] => checkClaims(folder, readChapters(folder).chapters)

describe('checkClaims()', () => {
  it.each(fixtures)('checkClaims() on $name: $about', async ({ files, expected }) => {
    const found = await inProject(files, check)
    expect(found.map(told).sort(), found.map(formatDiagnostic).join('\n')).toEqual([...expected].sort())
  })

  it('checkClaims() has a fixture for every rule that it names', () => {
    const text = filesUnder('site/claims', '.ts').map((file) => readFileSync(root + file, 'utf8'))
    const rules = new Set(
      [...text.join('\n').matchAll(/`(claims-(?!path|symbol|function|log)[a-z-]+)`/g)].map(
        (match) => match[1]!,
      ),
    )
    const proved = new Set(fixtures.flatMap(({ expected }) => expected.map((line) => line.split(' ')[1]!)))
    expect(rules.size).toBeGreaterThan(7)
    expect([...rules].filter((rule) => !proved.has(rule))).toEqual([])
  })

  it('checkClaims() finds nothing wrong in the book itself', () => {
    expect(check(root).map(formatDiagnostic).join('\n')).toBe('')
    expect(readClaims(root, readChapters(root).chapters).byId.size).toBeGreaterThan(5)
  })
})

describe('footnotesIn()', () => {
  it('footnotesIn() passes over code, and tells a definition from a reference', () => {
    const text = 'A.[^a] `[^b]` [^c]: d\n\n```c\nx[^e]\n```\n\n[^a]: By hand.[^f]\n'
    const { references, definitions } = footnotesIn(text)
    expect(references.map(({ id, line, column }) => `${line}:${column} ${id}`)).toEqual([
      '1:3 a',
      '1:15 c',
      '7:15 f',
    ])
    expect(definitions.map(({ id, line }) => `${line} ${id}`)).toEqual(['7 a'])
  })
})

describe('claimHtml()', () => {
  const claim = (yaml: string) => parseClaims(`it-is-so:\n${yaml}`, 'claims.yaml').claims[0]!.claim

  it('claimHtml() prints a function with (), a macro and a type without, versions and releases', () => {
    const html = claimHtml(
      claim(`  says: '/proc/<pid>/maps and cma_alloc() and \`reg\` & more.'
  sources:
    - { path: mm/cma.c, symbol: [cma_alloc, __GFP_COMP, struct cma], name: totalcma_pages, versions: ['6.1', '6.12'] }
    - { path: mm/memblock.c, symbol: memblock_add, release: '4.12' }
    - { path: arch/arm/boot/dts/a.dtsi, symbol: dma-ranges, versions: ['6.1'] }
    - { commit: 79442ed189acb8b949662676e750eda173c06f9b, release: '3.13', title: 'a <b>' }
  logs:
    - { text: 'cma: %lu', path: mm/cma.c, versions: ['6.1'] }
`),
      FIRST,
    )
    expect(html.says).toBe(
      '<code>/proc/&lt;pid&gt;/maps</code> and <code>cma_alloc()</code> and <code>reg</code> &amp; more.',
    )
    expect(
      html.sources
        .split('<dt>')
        .slice(1)
        .map((line) => line.replace(/<[^>]*>/g, '|')),
    ).toEqual([
      '|mm/cma.c||||cma_alloc()|, |__GFP_COMP|, |struct cma|, |totalcma_pages|, 6.1 and 6.12|',
      '|mm/memblock.c||||memblock_add()|, 4.12|',
      '|arch/arm/boot/dts/a.dtsi||||dma-ranges|, 6.1|',
      'commit |79442ed189ac|||a &lt;b&gt;, 3.13|',
      'log|||cma: %lu|, |mm/cma.c|, 6.1||',
    ])
  })

  it('footnoteDefinitions() writes out each claim once, and leaves what is written by hand', async () => {
    const files = fixtures.find(({ name }) => name === 'good')!.files
    await inProject(files, (folder) => {
      const claims = readClaims(folder, readChapters(folder).chapters)
      const markdown = 'a[^top-down] b[^top-down] c[^measured]\n\n[^measured]: d\n'
      const text = footnoteDefinitions(markdown, claims, FIRST)
      expect(text.match(/^\[\^/gm)).toHaveLength(1)
      expect(text).toContain('[^top-down]: <div>It hands out the highest free range.\n    <dl>')
    })
  })

  it('sentenceHtml() sets names of C, files and paths as code, and escapes the rest', () => {
    expect(sentenceHtml("What kmalloc() & cma_alloc do in mm/cma.c, /proc/iomem: a < b, Tom's `x y`.")).toBe(
      'What <code>kmalloc()</code> &amp; <code>cma_alloc</code> do in <code>mm/cma.c</code>, ' +
        "<code>/proc/iomem</code>: a &lt; b, Tom's <code>x y</code>.",
    )
  })
})

const SOURCE = `
#define pr_fmt(fmt) "cma: " fmt
/* cma_never() is only spoken of here, "as said". */
static unsigned long cma_pages;
struct page *cma_alloc(struct cma *cma)
{
	pr_info("reserved %ld MiB at %pa "
		"on node %d\\n", size, &base, nid);
	pr_err(KERN_ERR "%s: \\"%s\\" at 0x%" PRIx64 " failed\\n", __func__, cma->name);
	return cma_pages ? NULL : "cma_string()";
}
`

describe('symbolOccurs() and symbolCalled()', () => {
  it('symbolOccurs() wants a whole word, outside comments and strings', () => {
    const has = (symbol: string): boolean => symbolOccurs(SOURCE, 'mm/cma.c', symbol)
    expect(['cma_alloc', 'struct cma', 'cma_pages', 'name'].filter(has)).toHaveLength(4)
    expect(['cma_allo', 'cma_never', 'cma_string', 'struct pages', 'MiB'].filter(has)).toEqual([])
  })

  it('symbolOccurs() takes a property as one word', () => {
    const has = (symbol: string): boolean => symbolOccurs('\tdma-ranges = <0>;\n', 'a.dtsi', symbol)
    expect([has('dma-ranges'), has('ranges'), has('dma')]).toEqual([true, false, false])
  })

  it('symbolCalled() tells a function from a variable', () => {
    expect([symbolCalled(SOURCE, 'cma_alloc'), symbolCalled(SOURCE, 'cma_pages')]).toEqual([true, false])
  })
})

describe('logOccurs()', () => {
  it('logOccurs() joins literals over lines and macros, and takes the prefix of pr_fmt()', () => {
    expect(literalsOf(SOURCE)).toContain('reserved %ld MiB at %pa on node %d\\n')
    const has = (log: string): boolean => logOccurs(SOURCE, log)
    expect(has('reserved %ld MiB at %pa on node %d')).toBe(true)
    expect(has('cma: reserved %ld MiB')).toBe(true)
    expect(has('%s: "%s" at 0x% failed')).toBe(true)
    expect(has('cma: as said')).toBe(false)
    expect(has('dma: reserved %ld MiB')).toBe(false)
    expect(has('reserved %lu MiB')).toBe(false)
    expect(has('cma: ')).toBe(false)
  })

  it('logOccurs() takes any word for KBUILD_MODNAME', () => {
    const text = '#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt\nvoid f(void) { pr_err("no memory\\n"); }\n'
    expect([logOccurs(text, 'cma_test: no memory'), logOccurs(text, 'no memory: ')]).toEqual([true, false])
  })
})

describe('checkAssertion()', () => {
  const yaml = `it-is-so:
  says: The kernel does what it does.
  sources:
    - { path: mm/cma.c, symbol: [cma_alloc, cma_gone, cma_pages], name: cma_pages, versions: ['6.12'] }
    - { path: kernel/cma.c, symbol: cma_alloc, versions: ['6.12'] }
    - { path: mm/cma.c, symbol: never_asked, release: '4.12' }
  logs:
    - { text: 'cma: reserved %ld MiB', path: mm/cma.c, versions: ['6.12'] }
    - { text: 'cma: lost %ld MiB', path: mm/cma.c, versions: ['6.12'] }
`
  it('checkAssertion() tells a path, a symbol, a function and a log that the sources do not have', () => {
    const [placed] = parseClaims(yaml, 'claims.yaml').claims
    const tree = {
      version: '6.12' as const,
      read: (path: string) => (path === 'mm/cma.c' ? SOURCE : null),
      paths: new Set(['mm/', 'mm/cma.c']),
    }
    const claims = { byId: new Map([[placed!.id, placed!]]), ids: new Set<string>(), diagnostics: [] }
    const found = assertionsOf(claims, '6.12').flatMap((assertion) => checkAssertion(assertion, tree))
    expect(found.map(told)).toEqual([
      'claims.yaml:4:33 claims-symbol',
      'claims.yaml:4:33 claims-function',
      'claims.yaml:5:15 claims-path',
      'claims.yaml:9:15 claims-log',
    ])
    expect(found[2]!.note).toBe('Is it mm/cma.c?')
    expect(assertionsOf(claims, '6.1')).toEqual([])
  })
})
