// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { MAX_SOURCE, parseDts } from '../../code/of/dts_parser.ts'
import { cellsOf, findNode, property, stringsOf } from '../../code/of/tree.ts'
import { fixture, fixtures, told, treeOf } from './trees.ts'
import '../support/laws_seed.ts'

describe('a bad source', () => {
  // The file's name says the rule, its first line the place.
  it.each(fixtures('bad-'))('parseDts() tells what is wrong in %s, and where', (name) => {
    const source = fixture(name)
    const place = /^\/\/ expect (\d+:\d+)/.exec(source)![1]!
    const [first, ...more] = told(source)
    const [rule, at] = first!.split(' ')
    expect(name.startsWith(`bad-${rule}`), `${rule} for ${name}`).toBe(true)
    expect(at).toBe(place)
    expect(more).toEqual([])
    expect(parseDts(source, name).tree).toBeNull()
  })

  it('parseDts() says subject, found, expected and the next step', () => {
    const { diagnostics } = parseDts(fixture('bad-dts-unknown-label.dts'), 'board.dts')
    expect(diagnostics.map(formatDiagnostic)).toEqual([
      'board.dts:8:20: error: no node has the label poll; expected one that is defined [dts-unknown-label]\n' +
        '  Did you mean &pool?',
    ])
  })

  it('parseDts() goes on behind an error and tells the next one', () => {
    expect(told('/dts-v1/;\n/ {\n a = <x>;\n b = ;\n c = <1>\n d;\n};\n')).toEqual([
      'dts-syntax 3:7',
      'dts-syntax 4:6',
      'dts-syntax 6:2',
    ])
  })

  it('parseDts() gives places of the file that a line marker names', () => {
    const { diagnostics } = parseDts(
      '# 1 "board.dts"\n/dts-v1/;\n# 40 "soc.dtsi" 1\n/ {\n\ta = <&gone>;\n};\n',
      'x.i',
    )
    expect(diagnostics.map(({ file, line, column }) => [file, line, column])).toEqual([['soc.dtsi', 41, 7]])
  })

  it('parseDts() stops at 50 diagnostics', () => {
    expect(told('/dts-v1/;\n/ {\n' + 'a = <x>;\n'.repeat(1000) + '};\n')).toHaveLength(50)
  })
})

describe('a hostile source', () => {
  const deep = (levels: number) =>
    '/dts-v1/;\n/ ' + '{ a '.repeat(levels - 1) + '{' + '};'.repeat(levels) + '\n'

  it('parseDts() takes 512 levels of nodes and refuses 513', () => {
    expect(told(deep(512))).toEqual([])
    expect(told(deep(513))).toEqual(['dts-limit 2:2051'])
    expect(told(deep(200_000))).toEqual(['dts-limit 2:2051'])
  })

  it.each([
    ['parentheses', `<${'('.repeat(100_000)}`],
    ['minus signs', `<(${'-'.repeat(100_000)}1)>`],
    ['arms of ?:', `<(${'1?1:'.repeat(100_000)}1)>`],
    ['labels', 'a: '.repeat(100_000)],
    ['an open string', `"${'\\'.repeat(100_001)}`],
    ['digits', `<${'9'.repeat(100_000)}>`],
    ['a word', `<${'x'.repeat(100_000)}>`],
    ['quotes', "'".repeat(100_000)],
    ['braces', '}'.repeat(100_000)],
    ['includes', '/include/ "a" '.repeat(100_000)],
    ['an open comment', '/*'.repeat(100_000)],
    ['lines of the preprocessor', '\n#if'.repeat(100_000)],
    ['a long name', `<1>; ${'n'.repeat(100_000)};`],
  ])('parseDts() ends on 100,000 %s', (_, text) => {
    const { tree, diagnostics } = parseDts(`/dts-v1/;\n/ {\n\ta = ${text};\n};\n`, 'hostile.dts')
    expect(tree).toBeNull()
    expect(diagnostics.length).toBeGreaterThan(0)
  })

  it('parseDts() stops when short references turn into too many long paths', () => {
    const name = 'n'.repeat(250)
    const source = `/dts-v1/;\n/ {\n\ta = ${'&x,'.repeat(100_000)}&x;\n\t${name} { x: ${name} {}; };\n};\n`
    expect(told(source)[0]).toMatch(/^dts-limit 3:/)
  })

  it('parseDts() takes many labels before a node, and one before a reference, as dtc does', () => {
    expect(told('/dts-v1/;\n/ { a: b: n { }; };\nc: &a { };\n')).toEqual([])
    expect(told('/dts-v1/;\n/ { a: b: n { }; };\nc: d: &a { };\n')[0]).toMatch(/^dts-syntax 3:4/)
  })

  it('parseDts() refuses a source that is too large, without reading it', () => {
    expect(told(' '.repeat(MAX_SOURCE + 1))).toEqual(['dts-limit 0:0'])
  })

  it('parseDts() reads 20,000 nodes with references', () => {
    const nodes = Array.from(
      { length: 20_000 },
      (_, i) => `\tn${i}: node@${i} { next = <&n${(i * 7) % 20_000}>; };\n`,
    )
    const tree = treeOf(`/dts-v1/;\n/ {\n${nodes.join('')}};\n`)
    expect(tree.root.children).toHaveLength(20_000)
  })

  it('parseDts() gives a tree or a diagnostic, never throws, whatever the text', () => {
    const pieces = fixtures('').flatMap((name) =>
      fixture(name).match(/"[^"]*"|[\w,.#@-]+:?|&\S*|\/[a-z-]+\/|\s+|[^]/g)!,
    )
    const text = fc
      .array(fc.constantFrom(...new Set(pieces)), { maxLength: 40 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), fc.boolean(), (body, inside) => {
        const source = inside ? `/dts-v1/;\n/ {\n${body}\n};\n` : body
        const { tree, diagnostics } = parseDts(source, 'random.dts')
        expect(tree === null).toBe(diagnostics.length > 0)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a good source', () => {
  it('parseDts() makes the region of seed 000 reachable by its phandle (S0-1, corrected)', () => {
    const tree = treeOf(fixture('good-camera-pool.dts'))
    const buffer = findNode(tree, '/reserved-memory/buffer@c0000000')!
    expect(cellsOf(property(buffer, 'reg')!.value)).toEqual([0, 0xc000_0000, 0, 0x2000_0000])
    expect(property(buffer, 'no-map')!.value).toHaveLength(0)
    const sample = findNode(tree, '/sample')!
    expect(cellsOf(property(sample, 'memory-region')!.value)).toEqual(
      cellsOf(property(buffer, 'phandle')!.value),
    )
    expect(buffer.labels).toEqual(['sample_reserved'])
    expect(buffer.at).toEqual({ line: 22, column: 20 })
    expect(property(buffer, 'reg')!.at).toEqual({ line: 25, column: 4 })
  })

  it.each([
    ['(1 + 2 * 3)', 7],
    ['(10 - 3 - 2)', 5],
    ['(1 << 4 | 1)', 17],
    ['(-1 > 1)', 1],
    ['(1 << 64)', 0],
    ['(0 ? 2 : 1 ? 4 : 5)', 4],
    ['(~0xff & 0xffff)', 0xff00],
    ["'\\x7f'", 0x7f],
    ['017', 15],
  ])('parseDts() computes <%s>', (text, expected) => {
    expect(cellsOf(property(treeOf(`/dts-v1/; / { a = <${text}>; };`).root, 'a')!.value)).toEqual([expected])
  })

  it('parseDts() keeps a node in its first place when it is opened again or brought back', () => {
    const tree = treeOf(fixture('good-overrides.dts'))
    expect(tree.root.children.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'used', 'new'])
    expect(stringsOf(property(findNode(tree, '/b')!, 'is')!.value)).toEqual(['back'])
    expect(property(findNode(tree, '/b')!, 'was')).toBeNull()
  })

  it('parseDts() takes the boot CPU from the first node in /cpus', () => {
    expect(treeOf(fixture('good-values.dts')).bootCpuid).toBe(3)
  })

  it('parseDts() undoes escapes and writes text as UTF-8', () => {
    const value = (text: string) => [...property(treeOf(`/dts-v1/; / { a = "${text}"; };`).root, 'a')!.value]
    expect(value('\\t\\101\\x41\\q\\\\')).toEqual([9, 65, 65, 113, 92, 0])
    expect(value('é')).toEqual([0xc3, 0xa9, 0])
  })
})
