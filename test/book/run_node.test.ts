// SPDX-License-Identifier: MIT
import { Script } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { extractCells, rewriteOutputs } from '../../site/cells/cells.ts'
import { asScript } from '../../site/cells/early_error.ts'
import { CellMistake, findImports, rewriteImports } from '../../site/cells/imports.ts'
import { type CellRunner, openRunner } from '../../site/cells/run_node.ts'
import { checkRun } from '../../site/cells/check_run.ts'
import { en } from '../../site/text/en.ts'
import { root } from '../support/files.ts'
import { fixtureProjects, inProject } from './projects.ts'

const fixtures = fixtureProjects('cells')

describe('extractCells()', () => {
  it.each(fixtures)('extractCells() on $name: $about', async ({ files, expected }) => {
    const [[file, text] = ['', '']] = Object.entries(files)
    const { diagnostics } = extractCells(text, file)
    const found = diagnostics.map(({ line, column, rule }) => `${file}:${line}:${column} ${rule}`)
    expect(found).toEqual(expected)
  })

  it('rewriteOutputs() changes outputs alone, and widens a fence that the output would close', () => {
    const text =
      '# A\n\n- x\n\n  ```ts run id=a\n  f()\n  ```\n\n  ```output\n  old\n  ```\n\n```ts run id=b\ng()\n```\n```output\n```\nend\n'
    const fresh = rewriteOutputs(
      text,
      new Map([
        ['a', 'one\ntwo\n'],
        ['b', '```\n'],
      ]),
    )
    expect(fresh).toBe(
      '# A\n\n- x\n\n  ```ts run id=a\n  f()\n  ```\n\n  ```output\n  one\n  two\n  ```\n\n```ts run id=b\ng()\n```\n````output\n```\n````\nend\n',
    )
    expect(extractCells(fresh, 'x.md').cells.map(({ output }) => output)).toEqual(['one\ntwo\n', '```\n'])
    expect(rewriteOutputs(fresh, new Map([['a', 'one\ntwo\n']]))).toBe(fresh)
  })
})

describe('runCell()', () => {
  let runner: CellRunner
  beforeAll(async () => {
    runner = await openRunner(root)
  })
  afterAll(() => runner?.close())
  const run = (code: string, limits = {}) => runner.runCell({ id: 'test', code }, limits)

  it('runCell() runs a model by its name, types and all', async () => {
    const code = `import { EBUSY } from 'contiguous/lib/errno'\nconst busy: number = EBUSY\nconsole.log('busy', busy)`
    expect(await run(code)).toEqual({ output: 'busy 16\n', end: { kind: 'done' } })
  })

  it('runCell() ends an endless loop at its time, and keeps what was printed', async () => {
    const started = performance.now()
    const { output, end } = await run(`console.log('before')\nfor (;;) {}`, { timeoutMs: 300 })
    expect([output, end]).toEqual(['before\n', { kind: 'time', limitMs: 300 }])
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it('runCell() ends a cell that waits for ever at its time', async () => {
    const { end } = await run(`await new Promise(() => undefined)`, { timeoutMs: 200 })
    expect(end).toEqual({ kind: 'time', limitMs: 200 })
  })

  it('runCell() cuts a flood of output at the limit, between characters', async () => {
    const { output, end } = await run(`for (;;) console.log('汉字')`, { outputLimit: 1_000 })
    expect(end).toEqual({ kind: 'output', limitBytes: 1_000 })
    expect(Buffer.byteLength(output)).toBeGreaterThan(990)
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(1_000)
    expect(output).not.toContain('\ufffd')
  })

  it.each([
    ['a throw', `const a: number = 1\n\nthrow new RangeError('too far')`, 'RangeError: too far', 3],
    ['a throw in a function', `const f = (): void => {\n  throw new Error('in f')\n}\nf()`, 'Error: in f', 2],
    ['a rejection', `console.log(1)\nawait Promise.reject(new Error('late'))`, 'Error: late', 2],
    ['a syntax error', `const a = 1\nconst b = = 2`, 'SyntaxError: Unexpected token', 2],
    [
      'a name declared twice',
      `const a = 1\n\nconst a = 2`,
      "SyntaxError: Identifier 'a' has already been declared",
      3,
    ],
    ['a foreign import', `\nimport fs from 'node:fs'\nconsole.log(fs)`, 'no model is called "node:fs"', 2],
    ['a computed import', `const x = 'y'\nawait import(x)`, 'import() in a cell takes one name in quotes', 2],
    ['a fetch', `\n\nawait fetch('https://example.org/')`, 'Error: fetch is not there', 3],
    ['a look at the process', `\nconsole.log(process.env)`, 'Error: process is not there', 2],
    ['a thrown string', `throw 'plain'`, "'plain'", 0],
  ])('runCell() reports %s with the line of the cell', async (_, code, text, line) => {
    const { end } = await run(code)
    expect(end).toMatchObject({ kind: 'error', line, text: expect.stringContaining(text) as string })
  })

  it('runCell() reports a name that the model does not export', async () => {
    const { end } = await run(`\nimport { NOTHING } from 'contiguous/lib/errno'\nconsole.log(NOTHING)`)
    expect(end).toMatchObject({
      kind: 'error',
      line: 2,
      text: expect.stringContaining(
        `'contiguous/lib/errno' does not provide an export named 'NOTHING'`,
      ) as string,
    })
  })

  it('checkRun() fails a cell whose printed output differs, with file, line and a diff', async () => {
    const text =
      "# A\n\n```ts run id=two\nconsole.log('one')\nconsole.log('two')\n```\n\n```output\none\n2\n```\n"
    const [cell] = extractCells(text, 'chapters/01-x/index.md').cells
    if (!cell) throw new Error('the fixture has a cell')
    expect(checkRun(cell, await runner.runCell(cell))).toEqual({
      rule: 'cell-output',
      severity: 'error',
      file: 'chapters/01-x/index.md',
      line: 10,
      column: 1,
      text: 'cell two does not print what is recorded (- book, + run)',
      note: 'If the run is right: npm run cells:update\n  one\n- 2\n+ two\n  ',
    })
    const threw = await runner.runCell({ id: 'two', code: `\nthrow new Error('x')` })
    expect(checkRun(cell, threw)).toMatchObject({ line: 5, text: 'cell two throws Error: x' })
    expect(checkRun({ ...cell, output: 'one\ntwo\n' }, await runner.runCell(cell))).toBeNull()
  })

  it('openRunner() runs the models of the project that it is given', async () => {
    const files = {
      'code/mm/a.ts': `export class Zone {\n  pages = 4\n}\n`,
      'code/of/b.ts': `export { Zone } from '../mm/a.ts'\n`,
    }
    await inProject(files, async (folder) => {
      const own = await openRunner(folder)
      const code = `import { Zone } from 'contiguous/of/b'\nimport { Zone as Same } from 'contiguous/mm/a'\nconsole.log(new Zone(), Zone === Same)`
      expect(await own.runCell({ id: 'a', code })).toEqual({
        output: 'Zone { pages: 4 } true\n',
        end: { kind: 'done' },
      })
      own.close()
    })
  })
})

describe('rewriteImports()', () => {
  const words = en.scripts.cells
  const models = {
    names: ['contiguous/mm/memblock', 'contiguous/lib/errno'],
    addressOf: (specifier: string) =>
      specifier.startsWith('contiguous/') ? `/m/${specifier.slice(11)}.js` : null,
  }

  it('rewriteImports() leaves strings, comments, templates and regular expressions alone', () => {
    const code = [
      `import { a } from 'contiguous/mm/a' // import 'x'`,
      `import * as b from "contiguous/mm/b"`,
      `import 'contiguous/mm/c'`,
      `export { a as d } from 'contiguous/mm/a'`,
      `/* import { e } from 'e' */ const text = "import 'f'"`,
      'const t = `import "g" ${await import("contiguous/mm/g")} ${`from \'h\'`} import "i"`',
      `const r = /import 'j'/.test(text) || 4 / 2 / 1`,
      `export const from = 'k'`,
      `const o = { import: 'l', export: 'm' }; o.import`,
      `export function f() { return { from: 'n' } }`,
    ].join('\n')
    const { code: rewritten, models: found } = rewriteImports(code, models, words)
    expect(found).toEqual(['/m/mm/a.js', '/m/mm/b.js', '/m/mm/c.js', '/m/mm/g.js'])
    expect(rewritten).toBe(code.replace(/contiguous\/mm\/(\w)/g, '/m/mm/$1.js'))
  })

  it('findImports() gives the line of each, and refuses what it cannot follow', () => {
    expect(findImports(`\n\nimport { a } from 'x'`, words).map(({ line }) => line)).toEqual([3])
    expect(() => findImports('\nimport(`a`)', words)).toThrow(CellMistake)
    expect(() => rewriteImports(`import 'lodash'`, models, words)).toThrow('no model is called "lodash"')
  })

  it('rewriteImports() offers the model that was most likely meant', () => {
    expect(() => rewriteImports(`import 'mm/memblok'`, models, words)).toThrow(
      'such as contiguous/mm/memblock',
    )
    expect(() => rewriteImports(`import 'contigous/lib/errno'`, models, words)).toThrow(
      'such as contiguous/lib/errno',
    )
  })
})

describe('asScript()', () => {
  const lineOf = (module: string): string => {
    try {
      new Script(asScript(module, en.scripts.cells), { filename: 'cell' })
      return ''
    } catch (error) {
      return /^cell:(\d+)/.exec((error as Error).stack ?? '')?.[1] ?? '?'
    }
  }

  it.each([
    ["import { a } from 'x'\n\nconst b", '3'],
    ["import {\n  a,\n} from 'x'\nexport const b = 1\nreturn b\nbreak", '6'],
    ['export default function f() { await 1 }', '1'],
    ["export { a } from 'x'\nawait import('x')\nexport async function f() {}\nlet f = 010", '4'],
  ])('asScript() keeps the line of a mistake: %j', (module, line) => {
    expect(lineOf(module)).toBe(line)
  })

  it('asScript() makes a script of a module that has none', () => {
    expect(
      lineOf("import a, * as b from 'x'\nexport { a }\nexport default a\nfor await (const c of b) c()"),
    ).toBe('')
  })
})
