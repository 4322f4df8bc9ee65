// SPDX-License-Identifier: MIT
//
// Every page in Chromium: quiet, its own, readable by everybody.
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  apiPagesOf,
  chromiumMissing,
  kindsOfPages,
  launch,
  withoutShorterChapters,
} from '../support/site_pages.ts'

const folder = inject('siteFolder')
const url = inject('siteUrl')
const missing = chromiumMissing()
/** Of TypeDoc's pages the first, a file's and those of an interface and a function. */
const API_PAGES = ['', 'code/mm/cma/', 'code/lib/rng/Rng/', 'code/mm/memblock/memblock_add/'].map(
  (page) => `/api/${page}`,
)

/** Words of the page, white space aside. */
const wordsOf = (page: Page, selector: string): Promise<string> =>
  page.locator(selector).evaluateAll((found) =>
    found
      .map((e) => e.textContent ?? '')
      .join(' ')
      .replace(/\s+/g, ' '),
  )

describe('the pages', () => {
  let browser: Browser
  beforeAll(async () => {
    if (!missing) browser = await launch()
  })
  afterAll(() => browser?.close())

  /** Opens a context, runs `look` in a page of it, and gives what the browser complained of. */
  async function looking(
    options: BrowserContextOptions,
    look: (page: Page) => Promise<void>,
  ): Promise<string[]> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      const chromiumsOwn = message.type() === 'error' && /\/404\.html$/.test(message.location().url)
      if (['error', 'warning'].includes(message.type()) && !chromiumsOwn) {
        complaints.push(`${page.url()}: ${message.text()} ${message.location().url}`)
      }
    })
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`))
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(url)) {
        complaints.push(`${page.url()} asks ${request.url()}`)
      }
    })
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) =>
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
      )
    })
    try {
      await look(page)
    } finally {
      await context.close()
    }
    return complaints
  }

  it(
    'print nothing to the console, break no policy, ask no other host',
    { timeout: 300_000 },
    async (context) => {
      if (missing) context.skip(missing)
      const pages = [...kindsOfPages(folder), ...apiPagesOf(folder).slice(0, 3)]
      expect(pages.length).toBeGreaterThan(5)
      const complaints = await looking({ viewport: { width: 1400, height: 900 } }, async (page) => {
        for (const path of pages) await page.goto(url + path.slice(1), { waitUntil: 'load' })
      })
      expect(complaints).toEqual([])
    },
  )

  it('would be caught with an inline style', async (context) => {
    if (missing) context.skip(missing)
    const complaints = await looking({}, async (page) => {
      await page.goto(url)
      await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<p style="color:red">x</p>'))
      await page.waitForTimeout(50)
    })
    expect(complaints.join()).toContain('style-src')
  })

  /** What axe finds on the pages; `less` leaves out rules. */
  async function axeFinds(
    colorScheme: 'light' | 'dark',
    paths: readonly string[],
    less: readonly string[] = [],
  ): Promise<string[]> {
    const found: string[] = []
    await looking({ colorScheme, viewport: { width: 1400, height: 900 } }, async (page) => {
      for (const path of paths) {
        await page.goto(url + path.slice(1))
        // TypeDoc shows a page once its colours are chosen.
        await page.waitForFunction(() => getComputedStyle(document.body).display !== 'none')
        // No page has a frame, and what passed is not asked for: this halves the time.
        const axe = new AxeBuilder({ page }).setLegacyMode(true).options({
          resultTypes: ['violations'],
          rules: Object.fromEntries(less.map((id) => [id, { enabled: false }])),
        })
        const { violations } = await axe.analyze()
        found.push(
          ...violations.flatMap(({ id, nodes }) =>
            nodes
              .slice(0, 3)
              .map((node) => `${path}: ${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
          ),
        )
      }
    })
    return found
  }

  // A chapter's colours are those of the longest chapter; to look at every character of every listing takes minutes.
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`give axe nothing to say when ${colorScheme}`, { timeout: 300_000 }, async (context) => {
      if (missing) context.skip(missing)
      const pages = [...withoutShorterChapters(folder, kindsOfPages(folder)), ...API_PAGES]
      expect(await axeFinds(colorScheme, pages)).toEqual([])
    })
  }

  it('give axe nothing to say, colours apart, in any chapter', { timeout: 300_000 }, async (context) => {
    if (missing) context.skip(missing)
    const looked = withoutShorterChapters(folder, kindsOfPages(folder))
    const others = kindsOfPages(folder).filter((path) => !looked.includes(path))
    expect(others.length).toBeGreaterThan(10)
    expect(await axeFinds('light', others, ['color-contrast'])).toEqual([])
  })

  it('never scroll sideways at 390 px, nor at 320 px', { timeout: 300_000 }, async (context) => {
    if (missing) context.skip(missing)
    const wide: string[] = []
    for (const width of [390, 320]) {
      await looking({ viewport: { width, height: 844 } }, async (page) => {
        for (const path of kindsOfPages(folder)) {
          await page.goto(url + path.slice(1))
          const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          if (over > 0) wide.push(`${path} at ${width} px: ${over} px too wide`)
        }
      })
    }
    expect(wide).toEqual([])
  })

  it('say the same without JavaScript', { timeout: 300_000 }, async (context) => {
    if (missing) context.skip(missing)
    const texts: Record<string, string>[] = []
    for (const javaScriptEnabled of [true, false]) {
      const words: Record<string, string> = {}
      await looking({ javaScriptEnabled }, async (page) => {
        for (const path of kindsOfPages(folder)) {
          await page.goto(url + path.slice(1))
          // Buttons are what JavaScript adds, and all that it adds; those of cells come when the browser is idle.
          if (javaScriptEnabled) {
            await page.waitForFunction(() => !document.querySelector('contig-cell:not(:defined)'))
            await page.evaluate(() =>
              document
                .querySelectorAll(
                  '.cell-tools, .cell-editor, .tools, .went, .widget-controls, .movie-tools, .exercise-tools, .question-desk > *, .progress-desk > *',
                )
                .forEach((e) => e.remove()),
            )
          }
          words[path] = await wordsOf(page, 'main, .title')
        }
      })
      texts.push(words)
    }
    expect(texts[1]).toEqual(texts[0])
    for (const text of Object.values(texts[1]!)) expect(text.length).toBeGreaterThan(10)
  })

  it('are printed in light colours, whole, without navigation', { timeout: 120_000 }, async (context) => {
    if (missing) context.skip(missing)
    const wrong: string[] = []
    await looking({ colorScheme: 'dark', viewport: { width: 680, height: 900 } }, async (page) => {
      for (const path of kindsOfPages(folder)) {
        await page.goto(url + path.slice(1))
        await page.evaluate(() => (document.documentElement.dataset['theme'] = 'dark'))
        await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
        const seen = await page.evaluate(() => ({
          paper: getComputedStyle(document.body).backgroundColor,
          ink: getComputedStyle(document.body).color,
          bar: getComputedStyle(document.querySelector('.bar')!).display,
          cut: [...document.querySelectorAll('pre')].filter((e) => e.scrollWidth > e.clientWidth + 1).length,
        }))
        if (seen.paper !== 'rgb(255, 255, 255)' || !/^rgb\(\d\d, \d\d, \d\d\)$/.test(seen.ink)) {
          wrong.push(`${path}: ${seen.ink} on ${seen.paper}`)
        }
        if (seen.bar !== 'none') wrong.push(`${path}: the bar is printed`)
        if (seen.cut > 0) wrong.push(`${path}: ${seen.cut} blocks of code are cut`)
        await page.emulateMedia({ media: 'screen' })
      }
    })
    expect(wrong).toEqual([])
  })

  it('keep the chosen colours on the next page, and are quiet about it', async (context) => {
    if (missing) context.skip(missing)
    const complaints = await looking({ colorScheme: 'light' }, async (page) => {
      await page.goto(url)
      await page.locator('.theme').click()
      expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark')
      await page.goto(`${url}source/`)
      expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark')
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
        'rgb(16, 22, 19)',
      )
    })
    expect(complaints).toEqual([])
  })

  it('are reached by keyboard: the skip link first, and it leads to the text', async (context) => {
    if (missing) context.skip(missing)
    await looking({}, async (page) => {
      await page.goto(url)
      await page.keyboard.press('Tab')
      const focused = page.locator(':focus')
      expect(await focused.getAttribute('class')).toBe('skip')
      expect((await focused.boundingBox())!.y).toBeGreaterThanOrEqual(0)
      await page.keyboard.press('Enter')
      await page.waitForURL(/#text$/)
    })
  })
  it('do not move while they load', { timeout: 120_000 }, async (context) => {
    if (missing) context.skip(missing)
    const moved: string[] = []
    await looking({ viewport: { width: 1400, height: 900 } }, async (page) => {
      for (const path of kindsOfPages(folder)) {
        await page.goto(url + path.slice(1))
        const shift = await page.evaluate(
          () =>
            new Promise<number>((done) => {
              let sum = 0
              new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value
              }).observe({ type: 'layout-shift', buffered: true })
              setTimeout(() => done(sum), 150)
            }),
        )
        if (shift > 0.001) moved.push(`${path}: ${shift}`)
      }
    })
    expect(moved).toEqual([])
  })
})
