// SPDX-License-Identifier: MIT
//
// Search, terms, keys, lines, copying and going on, in Chromium, as a reader does it: by keyboard, by hand, by touch.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { chromiumMissing, launch, shiftOf } from '../support/site_pages.ts'

const url = inject('siteUrl')
const missing = chromiumMissing()
const CHAPTER = `${url}11-cma-alloc/`
/** A term in the running text of chapter 12. */
const TERM = 'p > a[href*="glossary/#term-page-allocator"]:not(.links a)'
/** A listing of chapter 11. */
const LISTING = 'listing-bitmap-find-area'

describe('finding', () => {
  let browser: Browser
  beforeAll(async () => {
    if (!missing) browser = await launch()
  })
  afterAll(() => browser?.close())

  const reading = (
    name: string,
    look: (page: Page) => Promise<void>,
    options: BrowserContextOptions = { viewport: { width: 1300, height: 900 } },
  ): void =>
    it(name, { timeout: 120_000 }, async (context) => {
      if (missing) context.skip(missing)
      const reader = await browser.newContext({
        permissions: ['clipboard-read', 'clipboard-write'],
        ...options,
      })
      const page = await reader.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      try {
        await look(page)
      } finally {
        await reader.close()
      }
      expect(complaints).toEqual([])
    })

  const focused = (page: Page): Promise<string> =>
    page.evaluate(() => document.activeElement?.id || document.activeElement?.className || '')
  const copied = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText())
  const hash = (page: Page): string => decodeURIComponent(new URL(page.url()).hash)

  const openSearch = async (page: Page, key: string): Promise<void> => {
    await page.keyboard.press(key)
    await page.locator('.sheet.finder[open]').waitFor()
    await page.waitForFunction(() =>
      document.querySelector('.finder .status')?.textContent?.includes('Enter'),
    )
  }

  reading('search goes by keyboard alone, from a key to a section and back', async (page) => {
    await page.goto(CHAPTER)
    await openSearch(page, '/')
    expect(await focused(page)).toBe('search-field')
    await page.keyboard.type('a pin that lasts')
    const field = page.locator('#search-field')
    expect(await field.getAttribute('aria-activedescendant')).toBe('found-0')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    expect(await page.locator('[aria-selected=true] mark').first().textContent()).toMatch(/pin/i)
    await page.locator('.finder [role=status]', { hasText: 'result' }).waitFor({ state: 'attached' })
    const axe = new AxeBuilder({ page }).include('.finder')
    expect((await axe.analyze()).violations.map(({ id }) => id)).toEqual([])
    await page.keyboard.press('Enter')
    await page.waitForURL(/12-migration-and-reclaim\/#a-pin-that-lasts$/)
    await openSearch(page, 'Control+k')
    await page.keyboard.press('Escape')
    expect(await page.locator('.finder[open]').count()).toBe(0)
  })

  reading('search answers each key under 100 ms, and loads nothing before it is opened', async (page) => {
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(CHAPTER)
    await page.waitForLoadState('networkidle')
    expect(asked.filter((each) => each.includes('/data/') || each.includes('search_dialog'))).toEqual([])
    await openSearch(page, '/')
    const slow = await page.evaluate(() => {
      const field = document.querySelector<HTMLInputElement>('#search-field')!
      const took: number[] = []
      for (const query of ['cma_alloc', 'page', 'migrate_pages', 'buffer', '页']) {
        for (let end = 1; end <= query.length; end += 1) {
          field.value = query.slice(0, end)
          const started = performance.now()
          field.dispatchEvent(new InputEvent('input'))
          took.push(performance.now() - started)
        }
      }
      return took.sort((a, b) => a - b)[Math.floor(took.length * 0.75)]!
    })
    expect(slow).toBeLessThan(100)
  })

  reading('search says so when its index cannot be had, and tries again', async (page) => {
    await page.goto(CHAPTER)
    // Not a failed request, of which the browser would complain itself.
    await page.route('**/data/search.*.json', (route) => route.fulfill({ status: 200, body: 'no JSON' }))
    await page.keyboard.press('/')
    await page.getByRole('button', { name: 'Try again' }).waitFor()
    await page.unroute('**/data/search.*.json')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.waitForFunction(() =>
      document.querySelector('.finder .status')?.textContent?.includes('Enter'),
    )
  })

  reading(
    'a term shows its entry to a pointer that rests and to the keyboard, and Esc ends it',
    async (page) => {
      await page.goto(`${url}12-migration-and-reclaim/`)
      const term = page.locator(TERM)
      await term.hover()
      const popup = page.locator('.term-popup:popover-open')
      await popup.waitFor()
      expect(await popup.textContent()).toContain('页面分配器')
      await popup.hover()
      await page.waitForTimeout(400)
      expect(await popup.count()).toBe(1)
      await page.keyboard.press('Escape')
      expect(await popup.count()).toBe(0)
      await page.mouse.move(0, 0)
      // As the keyboard does it: focus that is to be seen.
      await page.keyboard.press('Tab')
      await term.focus()
      await popup.waitFor()
      expect(await term.getAttribute('aria-describedby')).toBe('term-popup-text')
      const overlaps = await page.evaluate(() => {
        const link = document.querySelector('[data-told]')!.getBoundingClientRect()
        const box = document.querySelector('.term-popup')!.getBoundingClientRect()
        return box.top < link.bottom && box.bottom > link.top
      })
      expect(overlaps).toBe(false)
      await page.keyboard.press('Tab')
      expect(await page.evaluate(() => document.activeElement?.closest('.term-popup') !== null)).toBe(true)
    },
  )

  reading(
    'a term shows its entry at the first tap, and the second goes there',
    async (page) => {
      await page.goto(`${url}12-migration-and-reclaim/`)
      const term = page.locator(TERM)
      await term.tap()
      await page.locator('.term-popup:popover-open').waitFor()
      expect(page.url()).not.toContain('glossary')
      await term.tap()
      await page.waitForURL(/glossary\/#term-page-allocator$/)
    },
    { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  )

  reading('keys go between chapters, and not while one types, and can be switched off', async (page) => {
    await page.goto(CHAPTER)
    await page.keyboard.press('n')
    await page.waitForURL(/12-migration-and-reclaim\/$/)
    await page.keyboard.press('c')
    await page.waitForFunction(() => document.activeElement?.closest('nav.contents') !== null)
    await openSearch(page, '/')
    await page.keyboard.type('n?')
    expect(await page.locator('#search-field').inputValue()).toBe('n?')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.locator('.sheet.keys[open]').waitFor()
    await page.getByRole('checkbox').uncheck()
    await page.keyboard.press('Escape')
    await page.reload()
    await page.keyboard.press('n')
    await page.keyboard.press('?')
    await page.waitForTimeout(300)
    expect(page.url()).toContain('/12-')
    expect(await page.locator('.sheet[open]').count()).toBe(0)
    await openSearch(page, 'Control+k')
    await page.keyboard.press('Escape')
    await page.locator('.shortcuts').click()
    await page.locator('.sheet.keys[open]').waitFor()
  })

  reading(
    'a line of a listing has an address, by hand and by keyboard, which marks it again',
    async (page) => {
      await page.goto(CHAPTER)
      const figure = page.locator(`#${LISTING}`)
      await figure.scrollIntoViewIfNeeded()
      const number = figure.locator('.line[data-n]').nth(1)
      const line = Number(await number.getAttribute('data-n'))
      const box = (await number.boundingBox())!
      await page.mouse.click(box.x - 20, box.y + box.height / 2)
      await page.locator('.line-band').waitFor()
      expect(hash(page)).toBe(`#${LISTING}:L${line}`)
      await figure.locator('pre').focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Shift+ArrowDown')
      expect(hash(page)).toBe(`#${LISTING}:L${line + 1}-L${line + 2}`)
      await page.keyboard.press('Enter')
      await page.locator('[role=status]', { hasText: 'copied' }).waitFor({ state: 'attached' })
      expect(decodeURIComponent(await copied(page))).toBe(decodeURIComponent(page.url()))
      const band = (await page.locator('.line-band').boundingBox())!
      expect(Math.abs(band.y - (box.y + box.height))).toBeLessThan(4)
      await page.reload()
      await page.locator('.line-band').waitFor()
      const again = (await page.locator('.line-band').boundingBox())!
      expect(again.y).toBeGreaterThan(0)
      expect(again.y).toBeLessThan(900)
      expect(again.height).toBe(band.height)
    },
  )

  reading('lines of a source page are marked from an address and with Shift', async (page) => {
    await page.goto(`${url}source/code/mm/cma.ts/#L40-L44`)
    await page.locator('tr.chosen').first().waitFor()
    const chosen = (): Promise<string[]> =>
      page.locator('tr.chosen').evaluateAll((rows) => rows.map(({ id }) => id))
    expect(await chosen()).toEqual(['L40', 'L41', 'L42', 'L43', 'L44'])
    const comes = (hash: string): Promise<unknown> =>
      page.waitForFunction((wanted) => location.hash === wanted, hash)
    await page.locator('#L46 th').click({ modifiers: ['Shift'] })
    await comes('#L40-L46')
    expect(await chosen()).toHaveLength(7)
    await page.locator('#L42 th').click()
    await comes('#L42')
    expect(await chosen()).toEqual(['L42'])
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Shift+ArrowDown')
    await comes('#L43-L44')
    await page.keyboard.press('Enter')
    await page.locator('[role=status]', { hasText: 'copied' }).waitFor({ state: 'attached' })
    expect(await copied(page)).toBe(page.url())
    await page.keyboard.press('Escape')
    expect(await chosen()).toEqual([])
    await page.reload()
    await page.locator('tr.chosen').nth(1).waitFor()
    // By keyboard alone.
    await page.goto(`${url}source/code/mm/cma.ts/`)
    await page.keyboard.press('l')
    await comes('#L1')
    expect(await focused(page)).toBe('rows')
    // Addresses that were cut off or made up mark nothing, and lines can be chosen all the same.
    for (const hash of ['#%E0%A4%A:L3', '#nowhere:L99999-L1']) {
      await page.goto('about:blank')
      await page.goto(`${url}source/code/mm/cma.ts/${hash}`, { waitUntil: 'networkidle' })
      expect(await chosen()).toEqual([])
      await page.keyboard.press('l')
      await comes('#L1')
    }
  })

  reading(
    'copies code as it stands, a nested region as a comment, commands without their prompt',
    async (page) => {
      await page.goto(CHAPTER)
      const nested = page.locator('figure.listing[id]:has(a.hole)').first()
      await nested.getByRole('button', { name: 'copy', exact: true }).click()
      await page.locator('[role=status]', { hasText: 'copied' }).waitFor({ state: 'attached' })
      expect(await copied(page)).toMatch(/^\s*(\/\/|\/\*|#) ⟨[\w-]+⟩/m)
      const transcript = page.getByRole('button', { name: 'copy commands' }).first()
      await transcript.click()
      await page.waitForFunction(async () => !(await navigator.clipboard.readText()).includes('⟨'))
      expect(await copied(page)).not.toMatch(/^[$#] /m)
      expect(await page.locator('contig-cell .copy').count()).toBe(await page.locator('contig-cell').count())
    },
  )

  for (const width of [1300, 390, 320]) {
    reading(
      `buttons cover neither code nor caption at ${width} px`,
      async (page) => {
        await page.goto(CHAPTER)
        await page.locator('figure .copy').first().waitFor()
        const covered = await page.evaluate(() => {
          const hit = (a: DOMRect, b: DOMRect): boolean =>
            a.left < b.right - 1 && a.right > b.left + 1 && a.top < b.bottom - 1 && a.bottom > b.top + 1
          return [...document.querySelectorAll('figure > .tools')].flatMap((tools) => {
            const box = tools.getBoundingClientRect()
            const figure = tools.parentElement!
            const others = [...figure.querySelectorAll('figcaption > *, pre'), figure.previousElementSibling]
            const under = others.find((other) => other && hit(box, other.getBoundingClientRect()))
            return under ? [`${figure.id || figure.className}: ${under.outerHTML.slice(0, 80)}`] : []
          })
        })
        expect(covered).toEqual([])
      },
      { viewport: { width, height: 844 } },
    )
  }

  reading(
    'the front page goes on where the reader was, moves nothing, and trusts no stored address',
    async (page) => {
      await page.goto(CHAPTER)
      await page.locator('#giving-back').scrollIntoViewIfNeeded()
      await page.evaluate(() => scrollBy(0, 400))
      await page.goto(url)
      const goOn = page.locator('.went a')
      expect(await goOn.textContent()).toContain('cma_alloc: Giving back')
      expect(await shiftOf(page)).toBeLessThan(0.001)
      await goOn.click()
      await page.waitForURL(/11-cma-alloc\/#giving-back$/)
      const bad = { address: 'javascript:alert(1)//', chapter: 'x', section: '' }
      await page.goto(url)
      await page.evaluate((place) => localStorage.setItem('contiguous:place', JSON.stringify(place)), bad)
      await page.reload()
      expect(await goOn.count()).toBe(0)
    },
  )
})
