// SPDX-License-Identifier: MIT
//
// Exercises in the page, in Debian's Chromium: done, failed, given up, carried to a terminal and back. That every answer of
// the book is judged as at a terminal is test/exercise/page.test.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Download, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { takeUp } from '../../code/exercise/bring.ts'
import { findExercise, loadExercises } from '../../code/exercise/catalog.ts'
import { ProgressFile } from '../../code/exercise/progress.ts'
import { parseResults } from '../../code/exercise/result_file.ts'
import { checkResults } from '../../code/exercise/results_check.ts'
import { askOne } from '../../code/exercise/ask.ts'
import { root } from '../support/files.ts'
import { chromiumMissing, htmlOf, launch } from '../support/site_pages.ts'

const folder = inject('siteFolder')
const url = inject('siteUrl')
const missing = chromiumMissing()
const exercises = loadExercises(root)
const tree = findExercise(exercises, 'mend-the-tree')
const spare = findExercise(exercises, 'may-it-have-it')
const ends = findExercise(exercises, 'where-it-ends')
const pageOf = ({ id, chapter }: typeof tree): string => `${chapter.slug}/exercises/${id}/`
const textOf = (exercise: typeof tree, path: string): string =>
  readFileSync(join(exercise.path, path, exercise.files[0]!), 'utf8')

const base = mkdtempSync(join(tmpdir(), 'contiguous-exercises-'))
let browser: Browser
let context: BrowserContext
let page: Page
let complaints: string[] = []
beforeAll(async () => {
  if (missing) return
  browser = await launch()
  context = await fresh()
})
afterAll(async () => {
  await browser?.close()
  rmSync(base, { recursive: true, force: true })
})

async function fresh(script?: () => void): Promise<BrowserContext> {
  const made = await browser.newContext({ acceptDownloads: true, viewport: { width: 1300, height: 900 } })
  if (script) await made.addInitScript(script)
  page = await made.newPage()
  complaints = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  return made
}

/** Writes into the open editor as a paste would. */
async function write(text: string): Promise<void> {
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+a')
  await page.keyboard.press('Delete')
  await page.evaluate((pasted) => {
    const data = new DataTransfer()
    data.setData('text/plain', pasted)
    const editor = document.querySelector('.exercise-editor')!.shadowRoot!.querySelector('.cm-content')!
    editor.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
    )
  }, text)
}

async function check(): Promise<string> {
  await page.keyboard.press('Control+Enter')
  await page.waitForFunction(
    () =>
      document.querySelector('.exercise-verdict') !== null &&
      document.querySelector('.exercise-check')?.textContent === 'Check',
    null,
    { timeout: 30_000 },
  )
  return page.locator('.exercise-result').innerText()
}

const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).press('Enter')
const status = (): Promise<string> => page.locator('.exercise-status').innerText()
const heard = (text: RegExp): Promise<unknown> =>
  page.locator('.exercise-status').filter({ hasText: text }).waitFor({ timeout: 30_000 })
const kept = (): Promise<string | null> => page.evaluate(() => localStorage.getItem('contiguous:progress'))

async function saved(name: string): Promise<string> {
  const waiting = page.waitForEvent('download')
  await press(name)
  const download: Download = await waiting
  const file = join(base, `${Date.now()}-${download.suggestedFilename()}`)
  await download.saveAs(file)
  return file
}

describe('an exercise in the page', () => {
  it('has its task and the shipped file in the HTML, the terminal’s command, and neither hint nor solution', () => {
    const html = htmlOf(folder, `/${pageOf(tree)}`)
    expect(html).toContain('npx contig do mend-the-tree')
    expect(html).toContain('The first one hides the others')
    expect(html).not.toContain('Four slips')
    expect(html).not.toContain('Read the log of the first boot')
    const question = htmlOf(folder, `/${pageOf(ends)}`)
    expect(question).toContain('mem=')
    expect(question).not.toContain('until the limit is used up')
  })

  it('says of one in C that it runs on a board, with no check', () => {
    const c = exercises.find(({ kind }) => kind === 'c')!
    const html = htmlOf(folder, `/${pageOf(c)}`)
    expect(html).toContain(`npx contig do ${c.id}`)
    expect(html).not.toContain('data-check')
  })

  it(
    'fails as shipped, passes when mended, by keyboard, and is remembered',
    { timeout: 90_000 },
    async (test) => {
      if (missing) test.skip(missing)
      await page.goto(url + pageOf(tree))
      await page.getByRole('button', { name: 'Check', exact: true }).focus()
      await page.keyboard.press('Enter')
      await heard(/Not yet/)
      expect(await status()).toContain('the kernel ignores /reserved-memory')
      expect(await page.locator('.exercise-read a').getAttribute('href')).toMatch(
        /#three-questions-one-answer$/,
      )
      await page.locator('.exercise-where').click()
      await write(textOf(tree, 'wrong/half-the-size'))
      expect(await check()).toContain('ex-region-too-small')
      await write(textOf(tree, 'solution'))
      expect(await check()).toContain('created DMA memory pool')
      expect(JSON.parse((await kept()) ?? '{}')).toMatchObject({
        version: 2,
        exercises: { 'mend-the-tree': { runs: 3, hints: 0, passed: expect.any(String) } },
      })
      await page.reload()
      expect(await status()).toContain('You have passed')
      await press('Continue')
      expect(await page.locator('.cm-content').innerText()).toContain('memory-region')
      await page.goto(url)
      expect(await page.locator('[data-tally]').nth(1).innerText()).toBe('1 of 6 exercises done')
      expect(complaints).toEqual([])
    },
  )

  it(
    'shows hints one at a time, and our solution at once after a pass',
    { timeout: 60_000 },
    async (test) => {
      if (missing) test.skip(missing)
      await page.goto(url + pageOf(tree))
      for (const step of [1, 2, 3]) {
        await press('Hint')
        await page
          .locator('.exercise-step')
          .nth(step - 1)
          .waitFor()
        expect(await page.locator('.exercise-step').count()).toBe(step)
      }
      await press('Hint')
      await heard(/last hint/)
      expect(await page.locator('.exercise-step').count()).toBe(3)
      await press('Solution')
      await page.locator('.exercise-ours h2').waitFor()
      expect(await page.locator('.exercise-ours').innerText()).toContain('Four slips')
      expect(complaints).toEqual([])
    },
  )

  it('asks before it shows the solution of one that has not passed, and remembers it', async (test) => {
    if (missing) test.skip(missing)
    await page.goto(url + pageOf(spare))
    await press('Solution')
    await page.locator('dialog[open]').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.locator('.exercise-ours h2').count()).toBe(0)
    await press('Solution')
    await press('Show it')
    await page.locator('.exercise-ours h2').waitFor()
    expect((await kept()) ?? '').toContain('gaveUp')
  })

  it('puts the reader’s text aside and brings it back', async (test) => {
    if (missing) test.skip(missing)
    await page.goto(url + pageOf(spare))
    await press('Edit')
    await write('// mine\n')
    await press('Reset')
    expect(await page.locator('.exercise-code').innerText()).toContain('watermarkOk')
    await press('Bring mine back')
    await page.locator('.cm-content').waitFor()
    expect(await page.locator('.cm-content').innerText()).toContain('// mine')
  })
})

describe('an answer that does harm', () => {
  it.each([
    ['loops', 'export function watermarkOk() { for (;;); }', 'ex-time-limit'],
    ['floods', "export function watermarkOk() { for (;;) console.log('x'.repeat(1e4)) }", 'ex-time-limit'],
    [
      'takes all memory',
      'export function watermarkOk() { const a = []; for (;;) a.push(new Array(1e6).fill(1.5)) }',
      'ex-',
    ],
    ['throws', '\nexport function watermarkOk() { throw new Error("mine") }', 'Line 2 Error: mine'],
    ['throws what is no error', 'export function watermarkOk() { throw null }', 'ex-'],
    ['asks the network', 'export function watermarkOk() { return fetch("/") }', 'ex-threw'],
    ['is no program', 'export function (', 'ex-syntax'],
    [
      'imports the host',
      'import fs from "node:fs"\nexport const watermarkOk = fs',
      'Could not resolve "node:fs"',
    ],
    ['ends its worker', 'self.close(); postMessage({ state: "result", result: { findings: [] } })', 'ex-'],
    [
      'is no function',
      'export const watermarkOk = { get name() { return "<img src=x onerror=alert(1)>" } }',
      'ex-',
    ],
  ])('is told when it %s, and the page goes on', { timeout: 60_000 }, async (_, code, expected) => {
    if (missing) return
    await page.goto(url + pageOf(spare))
    await page.locator('.exercise-edit').click()
    await page.locator('.cm-content').waitFor()
    await write(code)
    expect(await check()).toContain(expected)
    expect(await page.locator('.exercise-verdict.failed').count()).toBe(1)
    expect(await page.locator('.exercise-result img').count()).toBe(0)
  })

  it('is stopped by the reader', { timeout: 60_000 }, async (test) => {
    if (missing) test.skip(missing)
    await write('export function watermarkOk() { for (;;); }')
    await page.keyboard.press('Control+Enter')
    await page.waitForTimeout(300)
    await press('Stop')
    await heard(/Stopped/)
  })
})

describe('a question in the page', () => {
  it(
    'is judged, drawn again with the seed of a terminal, and explained once right',
    { timeout: 90_000 },
    async (test) => {
      if (missing) test.skip(missing)
      await page.goto(url + pageOf(ends))
      const input = page.getByLabel('Your answer')
      await input.fill('twelve')
      await press('Check')
      await page.locator('.exercise-findings').waitFor({ timeout: 30_000 })
      expect(await page.locator('.exercise-findings').innerText()).toContain('ex-answer-form')
      await page.getByLabel('Seed').fill('4711')
      await page.keyboard.press('Enter')
      await heard(/seed 4711/)
      const asked = await askOne(ends, { root, seed: 4711 })
      const limit = /mem=\d+M/.exec(asked.text)![0]
      expect(await page.locator('.question-text').innerText()).toContain(limit)
      await input.fill(asked.wrong[1]!.answer)
      await page.keyboard.press('Enter')
      await page.locator('.exercise-verdict').waitFor()
      expect(await page.locator('.exercise-findings').innerText()).toContain(asked.wrong[1]!.text)
      await input.fill(asked.answer)
      await page.keyboard.press('Enter')
      await page.locator('.exercise-ours h2').waitFor()
      expect(await page.locator('.exercise-ours').innerText()).toContain(asked.answer)
      await press('Other numbers')
      await heard(/Asked with seed/)
      const seed = Number(await page.getByLabel('Seed').inputValue())
      expect(JSON.parse((await kept()) ?? '{}')).toMatchObject({ seed })
      await page.getByLabel('Seed').fill('many')
      await page.keyboard.press('Enter')
      await heard(/no seed/)
    },
  )
})

describe('progress', () => {
  const course = (name: string) => {
    const workspace = join(base, name)
    return { places: { root, workspace }, exercises, progress: new ProgressFile(workspace) }
  }

  it('goes to a terminal and back, as progress.json and as results', { timeout: 90_000 }, async (test) => {
    if (missing) test.skip(missing)
    await page.goto(`${url}exercises/`)
    const file = await saved('Save progress.json')
    const first = course('first')
    expect(takeUp(first, readFileSync(file, 'utf8'), file).fresh).toEqual(['mend-the-tree', 'where-it-ends'])
    const results = await saved('Save results for a teacher')
    const text = readFileSync(results, 'utf8')
    const checked = await checkResults('r.json', parseResults(text, 'r.json'), { root, exercises, run: true })
    expect(checked.faults).toEqual([])
    expect(checked.entries.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'where-it-ends right',
      'mend-the-tree right',
    ])
    const second = course('second')
    expect(takeUp(second, text, results).laidOut).toHaveLength(1)
    expect(takeUp(second, text, results).fresh).toEqual([])

    // Another browser takes up what the terminal has, and what was there stays.
    await context.close()
    context = await fresh()
    await page.goto(`${url}exercises/`)
    first.progress.ran(spare, { hash: '0'.repeat(64) })
    await page.setInputFiles('input[type=file]', first.progress.path)
    await heard(/3 passed there, 3 of them new here/)
    expect(await page.locator('.title [data-tally]').innerText()).toContain('3 of 110')
    await page.setInputFiles('input[type=file]', results)
    await heard(/2 passed there, 0 of them new here/)
    expect(await status()).toContain('Your texts of mend-the-tree came with it')
    expect(complaints).toEqual([])
  })

  it.each([
    ['package.json', '{ "name": "x" }', /no progress\.json and no result file/],
    ['broken.json', '{', /no progress\.json and no result file/],
    ['newer.json', '{ "version": 9, "exercises": {} }', /version 9, but this course reads version 2/],
    ['bad.json', '{ "version": 2, "exercises": { "x": { "started": 1 } } }', /exercises\.x\.started/],
    ['forged.json', '{ "format": "contiguous-results", "version": 1 }', /no result file of this course/],
  ])('is not touched by %s, and says what is wrong', async (name, text, expected) => {
    if (missing) return
    await page.goto(`${url}exercises/`)
    const before = await kept()
    writeFileSync(join(base, name), text)
    await page.setInputFiles('input[type=file]', join(base, name))
    await heard(expected)
    expect(await kept()).toBe(before)
  })

  it('that cannot be read is put aside; pages stay as they are', async (test) => {
    if (missing) test.skip(missing)
    await page.evaluate(() => localStorage.setItem('contiguous:progress', '{"exercises":'))
    await page.goto(url + pageOf(spare))
    await press('Hint')
    await page.locator('.exercise-step').waitFor()
    expect(await page.evaluate(() => localStorage.getItem('contiguous:progress:kept'))).toBe('{"exercises":')
    expect(complaints).toEqual([])
  })

  it.each([
    [
      'full',
      () =>
        (Storage.prototype.setItem = () => {
          throw new DOMException('full', 'QuotaExceededError')
        }),
    ],
    [
      'refused',
      () =>
        Object.defineProperty(window, 'localStorage', {
          get: () => {
            throw new DOMException('no', 'SecurityError')
          },
        }),
    ],
  ] as [string, () => void][])(
    'lasts as long as the page when storage is %s, which is said',
    { timeout: 60_000 },
    async (_, script) => {
      if (missing) return
      await context.close()
      context = await fresh(script)
      await page.goto(url + pageOf(tree))
      await press('Edit')
      await page.locator('.cm-content').waitFor()
      await write(textOf(tree, 'solution'))
      expect(await check()).toContain('created DMA memory pool')
      expect(await status()).toContain('storage is refused or full')
      await press('Solution')
      await page.locator('.exercise-ours h2').waitFor()
      expect(await page.locator('dialog').count()).toBe(0)
    },
  )
})
