// SPDX-License-Identifier: MIT
//
// <contig-cell> in Debian's Chromium, over a page of its own: served once as a static host serves it (the policy in a
// <meta>) and once as our own server does (in a header). What cells do to a page that is built is in
// cell_reading.test.ts, and what hostile ones try in hostile_cells.test.ts.
import { type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { extractCells } from '../../site/cells/cells.ts'
import { openRunner } from '../../site/cells/run_node.ts'
import type { Cell } from '../../site/cells/types.ts'
import { readChapters } from '../../site/weave/chapters.ts'
import { type CellPage, cellPage } from '../support/cell_page.ts'
import { root } from '../support/files.ts'
import { launch } from '../support/site_pages.ts'

const MARKDOWN = `
\`\`\`ts run id=busy
import { EBUSY } from 'contiguous/lib/errno'

const busy: number = EBUSY
console.log('busy', busy, [busy], { busy }, new Uint8Array(2), <const>'<&>')
\`\`\`

\`\`\`output
busy 16 [16] { busy: 16 } Uint8Array(2) [0, 0] <&>
\`\`\`

\`\`\`ts run id=other
console.log('other')
\`\`\`

\`\`\`output
recorded otherwise
\`\`\`
`

const CELLS = extractCells(MARKDOWN, 'chapters/01-fixture/index.md').cells

let browser: Browser
let site: CellPage

beforeAll(async () => {
  site = await cellPage()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  site?.remove()
})

describe.each(['meta', 'headers'] as const)('<contig-cell>, policy by %s', (how) => {
  let served: Awaited<ReturnType<CellPage['serve']>>
  let page: Page
  let complaints: string[] = []
  const requests: string[] = []

  beforeAll(async () => {
    served = await site.serve(how, CELLS, requests)
    page = await browser.newPage()
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))
    })
  })
  afterAll(async () => {
    await page.close()
    served.close()
  })
  beforeEach(async () => {
    complaints = []
    requests.length = 0
    await page.goto(served.url)
    await cell().locator('.cell-run').waitFor()
  })

  const cell = (id = 'busy') => page.locator(`#cell-${id}`)
  const text = (id = 'busy') => cell(id).locator('.cell-text').textContent()
  const status = (id = 'busy') => cell(id).locator('.cell-status').textContent()
  const settled = (id = 'busy') =>
    page.waitForFunction(
      (name) => /done|failed/.test(document.querySelector<HTMLElement>(name)?.dataset['state'] ?? ''),
      `#cell-${id}`,
    )

  /** Opens the editor, puts `code` in place of all, and runs it from the keyboard. */
  async function runEdited(code: string, wait = true): Promise<void> {
    await cell().getByRole('button', { name: 'Edit' }).click()
    const editor = cell().locator('.cm-content')
    await editor.waitFor()
    await page.keyboard.press('Control+A')
    await page.keyboard.insertText(code)
    await page.keyboard.press('Control+Enter')
    if (wait) await settled()
  }

  it('runs a cell as printed, without the editor, and says that the output is the same', async () => {
    expect(await text()).toBe('busy 16 [16] { busy: 16 } Uint8Array(2) [0, 0] <&>\n')
    await cell().getByRole('button', { name: 'Run' }).click()
    await settled()
    expect(await text()).toBe('busy 16 [16] { busy: 16 } Uint8Array(2) [0, 0] <&>\n')
    expect(await cell().locator('.cell-label').textContent()).toBe('Your run')
    expect(await status()).toMatch(/^Ran in \d+ ms\. The same output as in the book\.$/)
    expect(requests.filter((path) => /editor/.test(path))).toEqual([])
    expect(complaints).toEqual([])
  })

  it('says when the output is not that of the book, and Reset brings the recorded one back', async () => {
    await cell('other').getByRole('button', { name: 'Run' }).click()
    await settled('other')
    expect(await text('other')).toBe('other\n')
    expect(await status('other')).toContain('Not the output in the book.')
    await cell('other').getByRole('button', { name: 'Reset' }).click()
    expect(await text('other')).toBe('recorded otherwise\n')
    expect(await cell('other').locator('.cell-label').textContent()).toBe('Output')
    expect(complaints).toEqual([])
  })

  it('runs edited TypeScript from the keyboard, loads the editor once it is asked for, and resets', async () => {
    await runEdited(
      `import { ENOMEM } from 'contiguous/lib/errno'\nconst n: number = ENOMEM\nconsole.log('edited', n)`,
    )
    expect(await text()).toBe('edited 12\n')
    expect(await status()).toMatch(/^Ran in \d+ ms\.$/)
    expect(requests.some((path) => path.includes('editor'))).toBe(true)
    await page.keyboard.press('Escape')
    expect(
      await cell()
        .locator('.cell-run')
        .evaluate((button) => button === document.activeElement),
    ).toBe(true)
    await cell().getByRole('button', { name: 'Reset' }).click()
    expect(await text()).toContain('busy 16')
    expect(await cell().locator('.cell-code').isVisible()).toBe(true)
    expect(await cell().locator('.cell-editor').isVisible()).toBe(false)
    expect(complaints).toEqual([])
  })

  it.each([
    [`\n\nthrow new Error('mine')`, 'Line 3: Error: mine'],
    [`const a = 1\nconst b = = 2`, 'Line 2: SyntaxError: Unexpected token'],
    [
      `\nimport { NO } from 'contiguous/lib/errno'\nNO()`,
      `Line 2: SyntaxError: The requested module 'contiguous/lib/errno' does not provide an export named 'NO'`,
    ],
    [`import _ from 'lodash'\n_()`, 'Line 1: no model is called "lodash"'],
    [`import { EBUSI } from 'contiguous/lib/errno'\nEBUSI`, `named 'EBUSI'; the nearest is EBUSY`],
    [`import 'contiguous/lib/erno'`, 'such as contiguous/lib/errno'],
    [`const a = 1\n\nconst b`, 'Line 3: SyntaxError: Missing initializer in const declaration'],
    [
      `import 'contiguous/lib/errno'\nconst f = () => {\n  await 1\n}`,
      'Line 3: SyntaxError: await is only valid',
    ],
    [
      `const a = 1\nvoid Promise.reject(new TypeError('late'))\nawait new Promise(() => 0)`,
      'Line 2: TypeError: late',
    ],
  ])('shows the line of the reader: %j', async (code, said) => {
    await runEdited(code)
    expect(await status()).toContain(said)
    const line = /^Line (\d+)/.exec((await status()) ?? '')?.[1]
    const marked = cell().locator('.cm-line.cell-wrong')
    expect(await marked.textContent()).toBe(code.split('\n')[Number(line) - 1])
    expect(await status()).toContain(await cell().locator('.cell-mistake').textContent())
    await page.keyboard.press('x')
    expect(await marked.count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('refuses a fetch, and says so on its line', async () => {
    await runEdited(`console.log('before')\nawait fetch('/other')`)
    expect(await text()).toBe('before\n')
    expect(await status()).toContain('Line 2: Error: fetch is not there')
    expect(complaints).toEqual([])
  })

  it('would notice a breach of the policy', async () => {
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "breached"'
      document.head.append(script)
    })
    await expect.poll(() => complaints.join('\n')).toContain('script-src')
    expect(await page.title()).toBe('Cells')
  })

  it('stops when the reader presses Stop', async () => {
    await runEdited(`for (;;) {}`, false)
    // dispatched at once: click() waits for two quiet frames, which a busy machine may not give within the cell's limit
    await cell().getByRole('button', { name: 'Stop' }).dispatchEvent('click')
    await settled()
    expect(await status()).toBe('Stopped.')
    expect(complaints).toEqual([])
  })

  it('cuts a flood of output at 64 KiB', async () => {
    await runEdited(`for (let n = 0; ; n += 1) console.log('line', n)`)
    expect(await status()).toBe('Stopped: the cell printed more than 64 KiB.')
    expect((await text())?.length).toBe(64 * 1024)
    expect(complaints).toEqual([])
  })
})

/** Prints one of everything; what Node prints and what the page prints must be the same bytes. */
const PARADE = `
class Area { base = 0x7000_0000; #hidden = 1 }
const circle: { list: unknown[] } = { list: [] }
circle.list.push(circle)
const anonymous = [() => 1, class {}, function () { return 2 }]
console.log(new Area(), circle, anonymous, Area, 12n, -0, NaN, 0.1 + 0.2, 1e21, undefined, null)
console.log(new Map([[{ a: 1 }, new Set(['x'])]]), new Float64Array([1.5, -0]), new BigInt64Array(2), new Uint8Array(300))
console.log([new RangeError('far'), new Error('')], Symbol('s'), /a/g, new Date(0), [1, , 3], Promise.resolve(1))
console.log('汉字 %s', { text: "it's", 'a-b': 'tab\\t' }, Array.from({ length: 40 }, (_, n) => 'entry ' + n))
try { (null as unknown as { x: number }).x } catch (error) { console.log(error) }
try { structuredClone(() => 0) } catch (error) { console.log(error instanceof Error) }
const deep = (n: number): unknown => (n ? { in: deep(n - 1) } : [])
console.log(deep(8), console.warn('warned'), [1, 2, 3].entries(), Object.create(null), new ArrayBuffer(3))
`

describe('the same bytes', () => {
  it(
    'prints in the page what it prints in Node: every cell of every chapter, and one of everything',
    { timeout: 300_000 },
    async () => {
      const bare = { id: 'parade', file: 'fixture.md', line: 1, outputLine: 1, outputEndLine: 1, output: '' }
      const cells: Cell[] = [{ ...bare, code: PARADE }]
      for (const { markdown, file, slug } of readChapters(root).chapters) {
        for (const cell of extractCells(markdown, file).cells)
          cells.push({ ...cell, id: `${slug}-${cell.id}` })
      }
      const runner = await openRunner(root)
      const printed = new Map<string, string>()
      for (const cell of cells) {
        const { output, end } = await runner.runCell(cell)
        // A cell of the book that fails is told by test/book/cells.test.ts.
        if (end.kind === 'done') printed.set(cell.id, output)
      }
      runner.close()
      expect(printed.get('parade')?.length).toBeGreaterThan(1_000)
      const served = await site.serve('headers', cells)
      const page = await browser.newPage()
      await page.goto(served.url)
      for (const id of printed.keys()) {
        const cell = page.locator(`#cell-${id}`)
        await cell.locator('.cell-run').click()
        await expect.poll(() => cell.getAttribute('data-state'), { timeout: 20_000 }).toMatch(/done|failed/)
        expect(await cell.locator('.cell-status').textContent()).toContain('Ran in')
        expect(await cell.locator('.cell-text').textContent(), id).toBe(printed.get(id))
      }
      await page.close()
      served.close()
    },
  )
})

describe('the static cell', () => {
  it('is complete without JavaScript, and has no button that does nothing', async () => {
    const served = await site.serve('meta', CELLS)
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(served.url)
    const shown = await page.locator('#cell-busy').innerText()
    expect(shown).toContain("import { EBUSY } from 'contiguous/lib/errno'")
    expect(shown).toContain('busy 16 [16] { busy: 16 } Uint8Array(2) [0, 0] <&>')
    expect(await page.locator('button').count()).toBe(0)
    await context.close()
    served.close()
  })

  it('weighs little before it is used', () => {
    const gzip = (name: string) =>
      site.assets.files.find(({ url }) => url.includes(`cell-${name}-`))?.gzip ?? Infinity
    expect(gzip('client')).toBeLessThan(8_000)
    expect(gzip('hovers')).toBeLessThan(2_500)
    expect(gzip('share')).toBeLessThan(2_000)
    expect(gzip('worker')).toBeLessThan(4_000)
    expect(gzip('strip')).toBeLessThan(60_000)
    expect(gzip('editor')).toBeLessThan(180_000)
  })
})
