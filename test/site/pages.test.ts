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
  pagesOf,
  shiftOf,
  withoutShorterChapters,
} from '../support/site_pages.ts'

const folder = inject('siteFolder')
const url = inject('siteUrl')
const missing = chromiumMissing()
/** Of TypeDoc's pages the first, a file's and those of an interface and a function. */
const API_PAGES = ['', 'code/mm/cma/', 'code/lib/rng/Rng/', 'code/mm/memblock/memblock_add/'].map(
  (page) => `/api/${page}`,
)
/** `npm run pages` asks axe of every page for everything. */
const LONG = process.env['CONTIG_LONG'] === '1'
/** The rules of axe that colours can break. */
const COLOURS = ['color-contrast', 'link-in-text-block']

/** What one visit to a page saw. */
interface Visit {
  readonly path: string
  /** What the browser complained of. */
  readonly complaints: readonly string[]
  /** How far its parts moved while it loaded, as the layout-shift API counts. */
  readonly shift: number
  /** How many pixels it is too wide, by the width of the window. */
  readonly over: Readonly<Record<number, number>>
  readonly printed: {
    readonly paper: string
    readonly ink: string
    readonly bar: string
    /** Blocks of code that the paper cuts. */
    readonly cut: number
  }
}

/** What JavaScript adds to a page: buttons, and all that it adds. */
const ADDED =
  '.cell-tools, .cell-editor, .tools, .went, .widget-controls, .widget-trace > *, .movie-tools, .exercise-tools, .question-desk > *, .progress-desk > *'

/** Words of the page without what JavaScript adds, white space aside. */
const wordsOf = (page: Page): Promise<string> =>
  page.evaluate((added) => {
    // In one go, of a copy: what is added later finds the page whole.
    const copy = document.body.cloneNode(true) as HTMLElement
    for (const each of copy.querySelectorAll(added)) each.remove()
    const found = [...copy.querySelectorAll('main, .title')]
    return found
      .map((e) => e.textContent ?? '')
      .join(' ')
      .replace(/\s+/g, ' ')
  }, ADDED)

async function overOf(page: Page): Promise<Record<number, number>> {
  const over: Record<number, number> = {}
  for (const width of [390, 320]) {
    await page.setViewportSize({ width, height: 844 })
    over[width] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  }
  return over
}

/** On paper, for a reader who has chosen dark colours. */
async function printedOf(page: Page): Promise<Visit['printed']> {
  await page.setViewportSize({ width: 680, height: 900 })
  await page.evaluate(() => (document.documentElement.dataset['theme'] = 'dark'))
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  return page.evaluate(() => ({
    paper: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    bar: getComputedStyle(document.querySelector('.bar')!).display,
    cut: [...document.querySelectorAll('pre')].filter((e) => e.scrollWidth > e.clientWidth + 1).length,
  }))
}

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

  /** Loads each page once and looks at it from all sides. */
  async function visitAll(paths: readonly string[]): Promise<Visit[]> {
    const visits: Visit[] = []
    for (const path of paths) {
      let seen: Omit<Visit, 'path' | 'complaints'> | undefined
      const complaints = await looking({ viewport: { width: 1400, height: 900 } }, async (page) => {
        await page.goto(url + path.slice(1), { waitUntil: 'load' })
        seen = { shift: await shiftOf(page), over: await overOf(page), printed: await printedOf(page) }
      })
      visits.push({ path, complaints, ...seen! })
    }
    return visits
  }

  let visits: Visit[] = []
  beforeAll(async () => {
    if (!missing) visits = await visitAll(kindsOfPages(folder))
  }, 300_000)

  it('print nothing to the console, break no policy, ask no other host', async (context) => {
    if (missing) context.skip(missing)
    expect(visits.length).toBeGreaterThan(5)
    const api = await looking({}, async (page) => {
      for (const path of apiPagesOf(folder).slice(0, 3))
        await page.goto(url + path.slice(1), { waitUntil: 'load' })
    })
    expect([...visits.flatMap(({ complaints }) => complaints), ...api]).toEqual([])
  })

  it('would be caught with an inline style', async (context) => {
    if (missing) context.skip(missing)
    const complaints = await looking({}, async (page) => {
      await page.goto(url)
      await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<p style="color:red">x</p>'))
      await page.waitForTimeout(50)
    })
    expect(complaints.join()).toContain('style-src')
  })

  /** What axe finds on the pages in light colours, and with `colours` what of those it finds in dark ones. */
  async function axeFinds(paths: readonly string[], { colours }: { colours: boolean }): Promise<string[]> {
    const found: string[] = []
    const ask = async (page: Page, path: string, rules: Record<string, unknown>): Promise<void> => {
      // No page has a frame, and what passed is not asked for: this halves the time.
      const axe = new AxeBuilder({ page }).setLegacyMode(true)
      const { violations } = await axe.options({ resultTypes: ['violations'], ...rules }).analyze()
      found.push(
        ...violations.flatMap(({ id, nodes }) =>
          nodes
            .slice(0, 3)
            .map((node) => `${path}: ${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
        ),
      )
    }
    await looking({ colorScheme: 'light', viewport: { width: 1400, height: 900 } }, async (page) => {
      for (const path of paths) {
        await page.emulateMedia({ colorScheme: 'light' })
        await page.goto(url + path.slice(1))
        // TypeDoc shows a page once its colours are chosen.
        await page.waitForFunction(() => getComputedStyle(document.body).display !== 'none')
        await ask(page, path, colours ? {} : { rules: { 'color-contrast': { enabled: false } } })
        if (!colours) continue
        await page.emulateMedia({ colorScheme: 'dark' })
        await page.evaluate(() =>
          Promise.allSettled(document.getAnimations().map(({ finished }) => finished)),
        )
        await ask(page, `${path} in the dark`, { runOnly: { type: 'rule', values: COLOURS } })
      }
    })
    return found
  }

  // A chapter's colours are those of the longest chapter; to look at every character of every listing takes minutes.
  const coloured = (): string[] =>
    LONG
      ? [...pagesOf(folder), ...API_PAGES]
      : [...withoutShorterChapters(folder, kindsOfPages(folder)), ...API_PAGES]

  it('give axe nothing to say, light or dark', { timeout: LONG ? 3_600_000 : 300_000 }, async (context) => {
    if (missing) context.skip(missing)
    expect(await axeFinds(coloured(), { colours: true })).toEqual([])
  })

  it('give axe nothing to say, contrast apart, in any chapter', { timeout: 300_000 }, async (context) => {
    if (missing) context.skip(missing)
    if (LONG) context.skip('asked above, of every page')
    const looked = withoutShorterChapters(folder, kindsOfPages(folder))
    const others = kindsOfPages(folder).filter((path) => !looked.includes(path))
    expect(others.length).toBeGreaterThan(10)
    expect(await axeFinds(others, { colours: false })).toEqual([])
  })

  it('never scroll sideways at 390 px, nor at 320 px', (context) => {
    if (missing) context.skip(missing)
    const wide = visits.flatMap(({ path, over }) =>
      Object.entries(over)
        .filter(([, pixels]) => pixels > 0)
        .map(([width, pixels]) => `${path} at ${width} px: ${pixels} px too wide`),
    )
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
          // Those of cells come when the browser is idle.
          if (javaScriptEnabled)
            await page.waitForFunction(() => !document.querySelector('contig-cell:not(:defined)'))
          words[path] = await wordsOf(page)
        }
      })
      texts.push(words)
    }
    expect(texts[1]).toEqual(texts[0])
    for (const text of Object.values(texts[1]!)) expect(text.length).toBeGreaterThan(10)
  })

  it('are printed in light colours, whole, without navigation', (context) => {
    if (missing) context.skip(missing)
    const wrong = visits.flatMap(({ path, printed: { paper, ink, bar, cut } }) => [
      ...(paper === 'rgb(255, 255, 255)' && /^rgb\(\d\d, \d\d, \d\d\)$/.test(ink)
        ? []
        : [`${path}: ${ink} on ${paper}`]),
      ...(bar === 'none' ? [] : [`${path}: the bar is printed`]),
      ...(cut === 0 ? [] : [`${path}: ${cut} blocks of code are cut`]),
    ])
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

  it('do not move while they load', (context) => {
    if (missing) context.skip(missing)
    expect(visits.filter(({ shift }) => shift > 0.001).map(({ path, shift }) => `${path}: ${shift}`)).toEqual(
      [],
    )
  })
})
