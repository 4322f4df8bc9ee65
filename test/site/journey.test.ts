// SPDX-License-Identifier: MIT
//
// A newcomer's first hour, once by keyboard alone and once by finger on a phone: the only address that is typed is the
// first, and the server goes away in the middle. Each step leaves a picture in .cache/journey, to be looked at.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { askOne } from '../../code/exercise/ask.ts'
import { findExercise, loadExercises } from '../../code/exercise/catalog.ts'
import { serveSite, type SiteServer } from '../../code/cli/site_server.ts'
import { writeWorker } from '../../site/offline/write_worker.ts'
import { root } from '../support/files.ts'
import { FINGER, KEYBOARD } from '../support/hands.ts'
import { chromiumMissing, launch } from '../support/site_pages.ts'

const missing = chromiumMissing()
const exercises = loadExercises(root)
const banks = findExercise(exercises, 'two-banks')
const ends = findExercise(exercises, 'where-it-ends')
const pictures = join(root, '.cache/journey')

/** The course with its worker and without the API, which nobody visits here. */
const folder = mkdtempSync(join(tmpdir(), 'contiguous-journey-'))

beforeAll(async () => {
  const whole = inject('siteFolder')
  cpSync(whole, folder, { recursive: true, filter: (file) => file !== join(whole, 'api') })
  await writeWorker(folder)
  rmSync(pictures, { recursive: true, force: true })
  mkdirSync(pictures, { recursive: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each([KEYBOARD, FINGER])('a newcomer, by $name', { timeout: 120_000 }, (hand) => {
  let browser: Browser
  let page: Page
  let server: SiteServer | null = null
  let taken = 0
  const complaints: string[] = []

  beforeAll(async () => {
    if (missing) return
    browser = await launch()
    server = await serveSite({ folder, port: 0, reload: false })
    const permissions = ['clipboard-read', 'clipboard-write']
    const reader = await browser.newContext({ ...hand.context, permissions })
    reader.setDefaultTimeout(20_000)
    reader.on('weberror', (error) => complaints.push(error.error().message))
    reader.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page = await reader.newPage()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  // A step needs those before it: behind one that failed, none is tried.
  let stuck = ''
  const step = (name: string, act: () => Promise<void>): void =>
    it(name, async (test) => {
      if (missing) test.skip(missing)
      if (stuck) throw new Error(`not reached: ${stuck}`)
      stuck = `it failed where it ${name}`
      taken += 1
      const file = `${hand.name}-${String(taken).padStart(2, '0')}-${name.replace(/\W+/g, '-')}.png`
      try {
        await act()
      } finally {
        await page.screenshot({ path: join(pictures, file), caret: 'initial' })
      }
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(over, 'wider than the window').toBeLessThanOrEqual(0)
      stuck = ''
    })

  const cell = (): Locator => page.locator('contig-cell').first()
  const button = (name: string, within: Locator | Page = page): Locator =>
    within.getByRole('button', { name, exact: true })
  const heading = (): Promise<string | null> => page.locator('h1').textContent()
  const link = (name: string | RegExp): Locator => page.getByRole('link', { name }).first()
  /** Until the window stands still. */
  const rest = (): Promise<void> =>
    page.evaluate(async () => {
      for (let last = -1; last !== scrollY;) {
        last = scrollY
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
    })
  async function ran(): Promise<string> {
    await cell()
      .locator('.cell-status')
      .filter({ hasText: /Ran in|Line|rror/ })
      .waitFor()
    return cell().innerText()
  }
  /** Puts code before that of the open editor. */
  async function writeAbove(code: string): Promise<void> {
    const editor = cell().locator('.cm-content')
    await editor.waitFor()
    await hand.enter(editor)
    await page.keyboard.press('Control+Home')
    await page.keyboard.insertText(code)
  }

  step('opens the course', async () => {
    await page.goto(server!.url)
    expect(await heading()).toBe('Contiguous')
    await hand.press(link(/Begin with chapter 1/))
    await page.waitForURL(/01-where-memory-is\/$/)
    expect(await heading()).toBe('Where memory is')
  })

  step('reads', async () => {
    for (let windows = 0; windows < 4; windows += 1) {
      await hand.scroll(page)
      await rest()
    }
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(1200)
  })

  step('runs a cell', async () => {
    await hand.press(button('Run', cell()))
    expect(await ran()).toContain('The same output as in the book.')
  })

  step('changes it', async () => {
    await hand.press(button('Edit', cell()))
    await writeAbove("console.log('mine:', 6 * 7)\n")
    await hand.press(button('Run', cell()))
    const said = await ran()
    expect(said).toContain('mine: 42\n')
    expect(said).not.toContain('as in the book')
  })

  step('breaks it', async () => {
    await writeAbove('\nconst broken: = 1\n')
    await hand.press(button('Run', cell()))
    expect(await ran()).toMatch(/Line 2: /)
  })

  step('loops, and stops it', async () => {
    await hand.press(button('Reset', cell()))
    await hand.press(button('Edit', cell()))
    await writeAbove('for (;;);\n')
    await hand.press(button('Run', cell()))
    await hand.press(button('Stop', cell()))
    await cell().locator('.cell-status', { hasText: 'Stopped.' }).waitFor()
  })

  step('recovers', async () => {
    await hand.press(button('Reset', cell()))
    await hand.press(button('Run', cell()))
    expect(await ran()).toContain('The same output as in the book.')
  })

  step('goes to an exercise', async () => {
    const exercise = hand === KEYBOARD ? banks : ends
    await hand.press(page.locator(`a[href="exercises/${exercise.id}/"]`).first())
    await page.waitForURL(new RegExp(`exercises/${exercise.id}/$`))
    expect(await heading()).toContain(exercise.title)
  })

  step('fails, and takes a hint', async () => {
    if (hand === FINGER) {
      await hand.enter(page.getByLabel('Your answer'))
      await page.keyboard.insertText('0x1')
    }
    await hand.press(button('Check'))
    await page.locator('.exercise-verdict.failed').waitFor()
    await hand.press(button('Hint'))
    await page.locator('.exercise-step').waitFor()
    await page.locator('.exercise-step').scrollIntoViewIfNeeded()
  })

  step('does it', async () => {
    if (hand === KEYBOARD) {
      await hand.press(button('Edit'))
      const editor = page.locator('.cm-content')
      await editor.waitFor()
      await hand.enter(editor)
      await page.keyboard.press('Control+a')
      const mended = readFileSync(join(banks.path, 'solution', banks.files[0]!), 'utf8')
      await page.evaluate((text) => navigator.clipboard.writeText(text), mended)
      await page.keyboard.press('Control+v')
      await page.keyboard.press('Control+Enter')
    } else {
      const field = page.getByLabel('Your answer')
      const seed = Number(await page.getByLabel('Seed').inputValue())
      const { answer } = await askOne(ends, { root, seed })
      await hand.enter(field)
      for (let typed = (await field.inputValue()).length; typed > 0; typed -= 1) {
        await page.keyboard.press('Delete')
        await page.keyboard.press('Backspace')
      }
      await page.keyboard.insertText(answer)
      await hand.press(button('Check'))
    }
    await page.locator('.exercise-verdict.passed').waitFor()
    await page.locator('.exercise-verdict').scrollIntoViewIfNeeded()
  })

  step('loses the network, and reads on', async () => {
    await page.locator('.kept', { hasText: /can be read offline/i }).waitFor({ timeout: 60_000 })
    await server!.close()
    server = null
    await page.reload()
    expect(await page.locator('.exercise-status').innerText()).toContain('You have passed')
    await hand.press(link(/Chapter 1/))
    await page.waitForURL(/01-where-memory-is\/$/)
    await hand.press(link(/Next/))
    await page.waitForURL(/02-carving-memory-out\/$/)
    await hand.press(button('Run', cell()))
    expect(await ran()).toContain('The same output as in the book.')
  })

  step('comes back tomorrow, and goes on', async () => {
    const here = page
    page = await here.context().newPage()
    await here.close()
    await page.goto(here.url().replace(/02-.*/, ''))
    await page.locator('.went a').scrollIntoViewIfNeeded()
    expect(await page.locator('.went').innerText()).toMatch(/^Go on where you were: Carving memory out: /)
    expect(await page.locator('[data-tally]').first().innerText()).toMatch(/^1 of \d+ exercises done$/)
    await hand.press(page.locator('.went a'))
    await page.waitForURL(/02-carving-memory-out\/#./)
    const section = page.locator(new URL(page.url()).hash)
    const { top, middle } = await section.evaluate((element) => ({
      top: element.getBoundingClientRect().top,
      middle: innerHeight / 2,
    }))
    expect(Math.abs(top)).toBeLessThan(middle)
  })

  step('searches', async () => {
    await hand.search(page)
    await page.locator('.sheet.finder[open]').waitFor()
    await page.waitForFunction(() =>
      document.querySelector('.finder .status')?.textContent?.includes('Enter'),
    )
    await page.keyboard.insertText('a pin that lasts')
    await page.locator('#found-0').waitFor()
    expect(await page.locator('#found-0').innerText()).toMatch(/A pin that lasts/)
  })

  step('finds it', async () => {
    const before = page.url()
    if (hand === KEYBOARD) await page.keyboard.press('Enter')
    else await hand.press(page.locator('#found-0'))
    await page.waitForURL((address) => String(address) !== before)
    const found = page.locator(`[id="${decodeURIComponent(new URL(page.url()).hash.slice(1))}"]`)
    expect(await found.textContent()).toContain('A pin that lasts')
  })

  step('prints', async () => {
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('.bar').isVisible()).toBe(false)
    const pdf = await page.pdf({ format: 'A4' })
    const paper = join(pictures, `${hand.name}-printed.pdf`)
    writeFileSync(paper, pdf)
    const read = execFileSync('pdftotext', [paper, '-'], { encoding: 'utf8', timeout: 30_000 })
    expect(read).toContain(await heading())
    expect(read.split('\f').length).toBeGreaterThan(3)
  })

  it('and nothing went wrong unseen', (test) => {
    if (missing) test.skip(missing)
    expect(complaints).toEqual([])
  })
})
