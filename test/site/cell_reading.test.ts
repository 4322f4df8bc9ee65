// SPDX-License-Identifier: MIT
//
// Cells on the longest page of the book: edits are kept and shared, names tell what they are, and the page answers at once.
import { deflateRawSync } from 'node:zlib'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { quickest } from '../support/interactions.ts'
import { chromiumMissing, launch } from '../support/site_pages.ts'

const address = `${inject('siteUrl')}08-remap-pfn-range/`
const missing = chromiumMissing()

describe.skipIf(missing)('cells on a page of the book', () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let cell: Locator
  let complaints: string[] = []

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
    page = await context.newPage()
    complaints = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', ({ message }) => complaints.push(message))
    await open()
  })
  afterEach(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })

  /** Opens the page, with a fragment that may be a link's; `cell` is its first. */
  async function open(fragment = ''): Promise<void> {
    await page.goto('about:blank')
    await page.goto(address + fragment)
    cell = page.locator('contig-cell').first()
    await cell.locator('.cell-run').waitFor()
  }
  const button = (name: string) => cell.getByRole('button', { name, exact: true })
  const status = () => cell.locator('.cell-status').textContent()
  const strip = () => cell.locator('.cell-versions')
  const written = async () => (await cell.locator('.cm-line').allTextContents()).join('\n')
  const printedCode = async () => (await cell.locator('.cell-code pre').textContent()) ?? ''
  const keys = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes(':cell:')))

  /** Opens the editor and writes a line at its head. */
  async function write(line: string): Promise<void> {
    await cell.locator('.cell-edit').click()
    await cell.locator('.cm-content').waitFor()
    await page.keyboard.press('Control+Home')
    await page.keyboard.insertText(`${line}\n`)
  }
  async function kept(): Promise<string> {
    await expect.poll(keys).toHaveLength(1)
    return (await keys())[0] ?? ''
  }

  it('keeps an edit for the next visit, under the printed code, and forgets it at Reset', async () => {
    const book = await printedCode()
    await write('// mine')
    expect(await kept()).toBe(`contiguous:cell:08-remap-pfn-range/${await cell.getAttribute('data-cell')}`)
    await open()
    expect(await printedCode()).toBe(book)
    expect(await cell.locator('.cell-editor').isVisible()).toBe(false)
    await button('Your edit').click()
    await expect.poll(written).toMatch(/^\/\/ mine\n/)
    expect(await strip().isVisible()).toBe(false)
    await button('Reset').click()
    expect(await keys()).toEqual([])
    expect(await button('Edit').isVisible()).toBe(true)
  })

  it('forgets an edit that is the book’s code again', async () => {
    await write('// mine')
    await kept()
    await page.keyboard.press('Control+Z')
    await expect.poll(keys).toEqual([])
  })

  it('says when the book has changed since, and offers both', async () => {
    await write('// mine')
    const key = await kept()
    await open()
    await page.evaluate((name) => {
      const edit = JSON.parse(localStorage.getItem(name) ?? '') as object
      localStorage.setItem(name, JSON.stringify({ ...edit, of: 'another' }))
    }, key)
    await page.reload()
    await button('Your edit').click()
    await expect
      .poll(() => strip().textContent())
      .toContain('The book has changed this cell since you edited it.')
    await button('The book’s').click()
    expect(await written()).not.toContain('// mine')
    await strip().getByRole('button', { name: 'Your edit' }).click()
    expect(await written()).toContain('// mine')
    expect(await strip().locator('[aria-pressed=true]').textContent()).toBe('Your edit')
  })

  it('says once that the browser keeps nothing, full or refusing, and goes on', async () => {
    await page.evaluate(() => {
      for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 2))
        for (let n = 0; n < 4; n += 1)
          try {
            localStorage.setItem(`full-${size}-${n}`, 'x'.repeat(size))
          } catch {
            break
          }
    })
    await write('// mine')
    await expect
      .poll(status)
      .toBe('The browser keeps nothing for this page: your edit lasts until you leave.')
    await button('Run').click()
    await expect.poll(status, { timeout: 20_000 }).toMatch(/^Ran in/)
    await page.keyboard.press('Tab')
    await cell.locator('.cm-content').focus()
    await page.keyboard.insertText('// more\n')
    await page.waitForTimeout(500)
    expect(await status()).toMatch(/^Ran in/)
  })

  it('lives with what somebody else left in the storage', async () => {
    const id = (await cell.getAttribute('data-cell')) ?? ''
    for (const left of ['{', '[]', '"x"', '{"code":1}', `{"code":"${'x'.repeat(70_000)}","of":""}`]) {
      await page.evaluate(
        ([key, value]) => localStorage.setItem(key!, value!),
        [`contiguous:cell:08-remap-pfn-range/${id}`, left],
      )
      await page.reload()
      await button('Edit').waitFor()
    }
  })

  it('shares an edit by a link, which opens it, runs nothing, and leaves the reader’s own alone', async () => {
    const book = await printedCode()
    await write("throw new Error('run unasked')")
    await button('Share').click()
    await expect.poll(status).toBe('The link is copied.')
    const link = await page.evaluate(() => navigator.clipboard.readText())
    await button('Reset').click()
    await write('// my own')
    await kept()
    await open(new URL(link).hash)
    await expect
      .poll(() => strip().textContent())
      .toContain('This version came with a link. It has not been run.')
    await expect.poll(written).toMatch(/^throw new Error\('run unasked'\)\n/)
    expect(await cell.getAttribute('data-state')).toBe('recorded')
    expect(
      await cell.evaluate((element) => Math.abs(element.getBoundingClientRect().top) < innerHeight),
    ).toBe(true)
    await strip().getByRole('button', { name: 'Your edit' }).click()
    expect(await written()).toMatch(/^\/\/ my own\n/)
    await button('The book’s').click()
    expect((await written()).replaceAll(/\s/g, '')).toBe(book.replaceAll(/\s/g, ''))
    await button('Reset').click()
    expect(new URL(page.url()).hash).toBe(`#${await cell.getAttribute('id')}`)
  })

  it('shares the printed cell as a plain link, and shows a link that may not be copied', async () => {
    await page.evaluate(() =>
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: () => Promise.reject(new Error()) },
      }),
    )
    await button('Share').click()
    await expect.poll(status).toContain('The browser did not let the link be copied. Here it is: http')
    expect(await status()).toMatch(/#cell-[\w-]+$/)
  })

  it('does not make a link of more than 32 KiB', async () => {
    await write(`// ${'x'.repeat(33_000)}`)
    await button('Share').click()
    await expect.poll(status).toBe('The code is longer than 32 KiB and does not fit into a link.')
  })

  const packed = (text: string | Uint8Array): string => deflateRawSync(text).toString('base64url')
  it.each([
    ['bad signs', '&code=%00*!', 'The code in the link is damaged: it cannot be read. This is the book’s.'],
    ['half a code', `&code=${packed('console.log(1)').slice(0, 6)}`, 'The code in the link is damaged'],
    ['no code', '', 'The code in the link is damaged'],
    ['a bomb', `&code=${packed(new Uint8Array(30_000_000))}`, 'The code in the link is longer than 32 KiB'],
    ['a code too long', `&code=${'A'.repeat(500_000)}`, 'The code in the link is longer than 32 KiB'],
  ])('opens a link with %s as the page, and says so at the cell', async (_, rest, said) => {
    await open(`#cell=${await cell.getAttribute('data-cell')}${rest}`)
    await expect.poll(status).toContain(said)
    expect(await cell.locator('.cell-code').isVisible()).toBe(true)
    await button('Run').click()
    await expect.poll(status, { timeout: 20_000 }).toContain('The same output as in the book.')
  })

  it('says that a link names no cell of the page, and that a version is of an older cell', async () => {
    await open('#cell=nowhere&code=x')
    const said = page.locator('.cell-note')
    await expect
      .poll(() => said.textContent())
      .toBe('The link names a cell “nowhere”, which this page does not have.')
    await page.keyboard.press('Escape')
    expect(await said.count()).toBe(0)
    await open(`#cell=${await cell.getAttribute('data-cell')}&of=wrong&code=${packed('// old')}`)
    await expect.poll(() => strip().textContent()).toContain('the book has changed the cell since')
  })

  it('tells what a name is, by keyboard and by pointer, and moves nothing', async () => {
    const code = cell.locator('.cell-code pre')
    const shape = () =>
      code.evaluate((element) => {
        const { top, width, height } = element.getBoundingClientRect()
        return [top + scrollY, width, height, element.textContent]
      })
    const before = await shape()
    await code.focus()
    await cell.locator('.told').first().waitFor()
    expect(await shape()).toEqual(before)
    expect(await cell.locator('.told[tabindex="0"]').count()).toBe(1)
    await page.keyboard.press('Tab')
    const tip = page.locator('.cell-tip')
    const first = await cell.locator('.told').first().textContent()
    expect(await tip.locator('code').textContent()).toContain(first)
    expect(await page.locator(':focus').getAttribute('aria-describedby')).toBe('cell-tip')
    await page.keyboard.press('ArrowRight')
    expect(await page.locator(':focus').textContent()).toBe(await cell.locator('.told').nth(1).textContent())
    await page.keyboard.press('Escape')
    expect(await tip.isVisible()).toBe(false)
    await cell.locator('.told').nth(2).hover()
    await expect.poll(() => tip.isVisible()).toBe(true)
    const box = await tip.boundingBox()
    expect(box!.x).toBeGreaterThanOrEqual(0)
    const { violations } = await new AxeBuilder({ page })
      .include('contig-cell')
      .include('.cell-tip')
      .analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').getAttribute('class')).not.toContain('told')
  })

  it('gives axe nothing to say with an editor, versions and a mistake on show', async () => {
    await open(`#cell=${await cell.getAttribute('data-cell')}&of=wrong&code=${packed('const b')}`)
    await strip().waitFor()
    await button('Run').click()
    await expect.poll(status, { timeout: 20_000 }).toContain('Line 1: SyntaxError: Missing initializer')
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const { violations } = await new AxeBuilder({ page }).include('contig-cell').analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
    }
  })

  it('answers Run, Edit, keys and Reset within 100 ms', { timeout: 120_000 }, async () => {
    const idle = async () => {
      await expect.poll(() => cell.getAttribute('data-state'), { timeout: 20_000 }).not.toBe('running')
    }
    const run = await quickest(page, async () => {
      await button('Run').click()
      await idle()
    })
    const edit = await quickest(page, async () => {
      await button('Reset').click()
      await cell.locator('.cell-edit').click()
      await cell.locator('.cm-content').waitFor()
    })
    const typing = await quickest(page, (turn) => page.keyboard.type(`const a${turn} = ${turn}\n`))
    const reset = await quickest(page, async () => {
      await button('Reset').click()
      await cell.locator('.cell-edit').click()
    })
    for (const [name, time] of Object.entries({ run, edit, typing, reset }))
      expect(time, name).toBeLessThan(100)
  })

  it('would be caught with a page that is slow to answer', async () => {
    await page.evaluate(() =>
      addEventListener('keydown', () => {
        for (const start = performance.now(); performance.now() - start < 120;);
      }),
    )
    expect(await quickest(page, () => page.keyboard.press('a'), 2)).toBeGreaterThan(100)
  })
})
