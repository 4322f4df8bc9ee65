// SPDX-License-Identifier: MIT
//
// Reading offline, in a real browser: the built course with its worker, on a server that is stopped, started with a newer
// edition, and with a broken one.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { loadExercises } from '../../code/exercise/catalog.ts'
import { serveSite, type SiteServer } from '../../code/cli/site_server.ts'
import { listFolder } from '../../site/offline/listing.ts'
import { MANIFEST, WORKER, writeWorker } from '../../site/offline/write_worker.ts'
import { root } from '../support/files.ts'
import { chromiumMissing, launch } from '../support/site_pages.ts'

const missing = chromiumMissing()
const CHAPTER = '02-carving-memory-out/'
const OTHER = '11-cma-alloc/'
const API_PAGE = 'api/code/mm/memblock/memblock_add/'
const EXERCISE = 'find-the-place'

/**
 * What the small edition is made of, of which these tests keep several: a page of each kind and all that pages load. Of
 * exercises, sources and API it has one, or one room: the others take the same way.
 */
const PARTS = [
  /^(index\.html|404\.html|headers\.json|manifest\.webmanifest)$/,
  /^(data|glossary|movie|offline)\//,
  new RegExp(`^(${CHAPTER}|${OTHER})(index\\.html|exercises/${EXERCISE}/)`),
  new RegExp(`^assets/(?!exercises/)|^assets/exercises/${EXERCISE}-`),
  /^source\/(index\.html|code\/mm\/)/,
  /^api\/(index\.html|assets\/|code\/mm\/memblock\/memblock_add\/)/,
]

/** A folder of its own, for these tests write into it. */
const folder = mkdtempSync(join(tmpdir(), 'contiguous-offline-'))
const pageFile = join(folder, OTHER, 'index.html')

/** Makes OTHER a page of another edition. */
function retitle(title: string): void {
  const html = readFileSync(pageFile, 'utf8')
  writeFileSync(pageFile, html.replace(/<h1>.*?<\/h1>/, `<h1>${title}</h1>`))
  expect(readFileSync(pageFile, 'utf8')).not.toBe(html)
}

beforeAll(async () => {
  const whole = inject('siteFolder')
  for (const path of readdirSync(whole, { recursive: true, encoding: 'utf8' })) {
    if (!PARTS.some((part) => part.test(path)) || statSync(join(whole, path)).isDirectory()) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    copyFileSync(join(whole, path), join(folder, path))
  }
  await writeWorker(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('writeWorker()', () => {
  it('writeWorker() lists what is read and run first, sources later, and no API, worker or list', () => {
    const files = listFolder(inject('siteFolder'))
    const stageOf = (pattern: RegExp): unknown => [
      ...new Set(files.filter(({ address }) => pattern.test(address)).map(({ stage }) => stage)),
    ]
    for (const pattern of [
      /^$|^02-carving-memory-out\/$|^glossary\/$|^movie\/$|^source\/$|^offline\/$/,
      /\/exercises\/[^/]+\/$/,
      /^data\/(search|glossary)\.en\.json$/,
      /^assets\/(models\/|page-|style-|icon-|cell-types-|trace-(model|recorded)-)/,
      /^assets\/exercises\/.+-(hints|solution)-/,
      /^licences\/.*\.txt$/,
    ])
      expect(stageOf(pattern), String(pattern)).toEqual(['first'])
    expect(stageOf(/^source\/code\/mm\/cma.ts\/$/)).toEqual(['later'])
    expect(
      stageOf(
        /^(api\/|worker\.js|assets\/(edition|card)-|404|headers\.json|robots)|\.(epub|pdf|gz)$|(^|\/)[._]/,
      ),
    ).toEqual([])
    const pages = files.filter(({ address }) => /\/exercises\/[^/]+\/$/.test(address))
    expect(pages.length).toBe(loadExercises(root).length)
  })

  it('writeWorker() gives the same worker for the same folder, and another for one byte more', async () => {
    const worker = (): string => readFileSync(join(folder, WORKER), 'utf8')
    const before = worker()
    await writeWorker(folder)
    expect(worker()).toBe(before)
    const file = join(folder, 'offline/index.html')
    const page = readFileSync(file, 'utf8')
    writeFileSync(file, `${page}\n`)
    await writeWorker(folder)
    expect(worker()).not.toBe(before)
    writeFileSync(file, page)
    await writeWorker(folder)
    expect(worker()).toBe(before)
  })

  it('writeWorker() tells the manifest of the worker, by addresses that hold in any folder of a server', () => {
    const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as {
      serviceworker: { src: string }
      icons: { src: string; purpose: string }[]
    }
    expect(manifest).toMatchObject({ start_url: './', scope: './', display: 'standalone' })
    expect(manifest.serviceworker.src).toBe(WORKER)
    expect(manifest.icons.map(({ purpose }) => purpose)).toContain('maskable')
    const addresses = listFolder(folder).map(({ address }) => address)
    for (const { src } of manifest.icons) expect(addresses).toContain(src)
  })
})

describe('the course offline', () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let server: SiteServer | null = null
  let port = 0

  const serve = async (reload = false): Promise<void> => {
    server = await serveSite({ folder, port, reload })
    port = server.port
  }
  const stop = async (): Promise<void> => {
    await server?.close()
    server = null
  }
  const at = (path: string): string => `http://127.0.0.1:${port}/${path}`
  const shelves = (): Promise<number> => page.evaluate(async () => (await caches.keys()).length)

  async function runCell(where: Page): Promise<string> {
    const cell = where.locator('contig-cell').first()
    await cell.locator('.cell-run').click()
    await where.waitForFunction(() =>
      /done|failed/.test(document.querySelector<HTMLElement>('contig-cell')?.dataset['state'] ?? ''),
    )
    return (await cell.locator('.cell-status').textContent()) ?? ''
  }

  const ready = async (): Promise<void> => {
    await page.waitForFunction(() =>
      /all of it is here/.test(document.querySelector('.kept')?.textContent ?? ''),
    )
  }

  beforeAll(async () => {
    if (missing) return
    browser = await launch()
    context = await browser.newContext()
    context.setDefaultTimeout(15_000)
    page = await context.newPage()
    await serve()
  })
  afterAll(async () => {
    await browser?.close()
    await stop()
  })

  it('gives up where there is no room, and the page is as usable as before', async (test) => {
    if (missing) test.skip(missing)
    const other = await browser.newContext()
    const poor = await other.newPage()
    const session = await other.newCDPSession(poor)
    const room = { origin: new URL(at('')).origin, quotaSize: 500_000 }
    await session.send('Storage.overrideQuotaForOrigin', room)
    await poor.goto(at(CHAPTER))
    await poor.getByText('a file or the room for it was refused').waitFor()
    expect(await poor.evaluate(async () => (await caches.keys()).length)).toBe(0)
    expect(await runCell(poor)).toContain('The same output as in the book.')
    await other.close()
  })

  it('is whole after one visit: chapters, cells, sources, with the server stopped', async (test) => {
    if (missing) test.skip(missing)
    await page.goto(at(CHAPTER))
    await ready()
    await stop()
    await page.reload()
    expect(await page.locator('h1').textContent()).toBe('Carving memory out')
    expect(await runCell(page)).toContain('The same output as in the book.')
    await page.goto(at(OTHER))
    expect(await runCell(page)).toContain('The same output as in the book.')
    await page.goto(at('source/code/mm/cma.ts/#L1'))
    expect(await page.locator('h1').textContent()).toBe('code/mm/cma.ts')
    await page.goto(at('02-carving-memory-out/index.html'))
    expect(page.url()).toBe(at(CHAPTER))
  })

  it('searches, checks an exercise and plays the movie, with the server stopped', async (test) => {
    if (missing) test.skip(missing)
    const refused: string[] = []
    page.on('requestfailed', (request) => {
      // Not what the browser itself gave up when it left a page.
      const why = request.failure()?.errorText ?? ''
      if (why !== 'net::ERR_ABORTED') refused.push(`${request.url()} ${why}`)
    })
    page.on('pageerror', ({ message }) => refused.push(message))

    await page.goto(at(CHAPTER))
    await page.keyboard.press('/')
    await page.locator('#search-field').fill('a pin that lasts')
    await page.locator('#found-0').waitFor()
    expect(await page.locator('#found-0').textContent()).toContain('A pin that lasts')

    await page.goto(at(`${CHAPTER}exercises/${EXERCISE}/`))
    await page.locator('.exercise-check').click()
    await page.locator('.exercise-verdict').waitFor()
    expect(await page.locator('.exercise-result').innerText()).toMatch(/expected/i)

    await page.goto(at('movie/'))
    await page.waitForFunction(() => {
      const movie = document.querySelector('contig-movie')!
      movie.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }))
      return document.querySelector('.widget-controls span')?.textContent === '71 of 71'
    })
    expect(refused).toEqual([])
    page.removeAllListeners()
  })

  it('says so of a page that is not kept', async (test) => {
    if (missing) test.skip(missing)
    await page.goto(at('api/'))
    expect(page.url()).toBe(at('offline/'))
    expect(await page.locator('h1').textContent()).toBe('Not kept on this device')
  })

  it('keeps a page of the API that was visited', async (test) => {
    if (missing) test.skip(missing)
    await serve()
    await page.goto(at(API_PAGE))
    await page.waitForFunction(async () => (await caches.match(location.href)) !== undefined)
    await stop()
    await page.reload()
    expect(page.url()).toBe(at(API_PAGE))
    expect(await page.locator('h1').textContent()).toContain('memblock_add')
  })

  it('offers a newer edition, and leaves open pages their own until they are closed', async (test) => {
    if (missing) test.skip(missing)
    const reader = await context.newPage()
    await reader.goto(at(CHAPTER))
    // A page behind another is seldom idle, and looks for a newer edition when it is.
    await page.bringToFront()
    // The newer edition has other scripts: here, none of the parts that an editor needs.
    retitle('A newer edition')
    for (const name of readdirSync(join(folder, 'assets')))
      if (/^cell-(editor|strip)-/.test(name)) rmSync(join(folder, 'assets', name))
    await writeWorker(folder)
    await serve()
    await page.goto(at(OTHER))
    expect(await page.locator('h1').textContent()).not.toBe('A newer edition')
    await page.getByText('A newer edition of the course is here.').waitFor()
    expect(await shelves()).toBeGreaterThan(2)

    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Read it now' }).click()])
    expect(await page.locator('h1').textContent()).toBe('A newer edition')
    // Both editions are here while the other page is open, which still gets its editor.
    await reader.locator('.cell-edit').first().click()
    await reader.locator('.cell-editor:not([hidden])').waitFor()
    await reader.close()
    await page.reload()
    await page.waitForFunction(async () => (await caches.keys()).length === 2)
  })

  it('keeps the old edition when one file of a newer one cannot be had', async (test) => {
    if (missing) test.skip(missing)
    retitle('A broken edition')
    await writeWorker(folder)
    rmSync(pageFile)
    const ended = page.evaluate(
      () =>
        new Promise<string>((done) => {
          void navigator.serviceWorker.ready.then((registration) => {
            registration.addEventListener('updatefound', () => {
              const worker = registration.installing
              worker?.addEventListener('statechange', () => done(worker.state))
            })
            registration.update().catch(() => undefined)
          })
        }),
    )
    expect(await ended).toBe('redundant')
    await page.reload()
    expect(await page.locator('h1').textContent()).toBe('A newer edition')
    expect(await page.locator('.newer').count()).toBe(0)
    await page.waitForFunction(async () => (await caches.keys()).length === 2)
    expect(await page.evaluate(() => getComputedStyle(document.body).fontFamily)).toContain('Charter')
  })

  it('is taken away on request, and stays away', async (test) => {
    if (missing) test.skip(missing)
    await ready()
    await page.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('Not kept for reading offline.').waitFor()
    expect(await shelves()).toBe(0)
    await page.reload()
    await page.getByText('Not kept for reading offline.').waitFor()
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0)
  })

  it('says that nothing could be kept, and is as usable as before', async (test) => {
    if (missing) test.skip(missing)
    // A chapter is still missing: nothing can be installed.
    await page.getByRole('button', { name: 'Keep it' }).click()
    await page.getByText('a file or the room for it was refused').waitFor()
    expect(await shelves()).toBe(0)
    // A host that has the file, of another edition: as little use.
    writeFileSync(pageFile, 'Of yesterday.')
    const told = page.evaluate(
      () =>
        new Promise<(string | null)[]>((done) => {
          const line = document.querySelector('.kept span')!
          const texts: (string | null)[] = []
          new MutationObserver(() => {
            if (texts.push(line.textContent) === 2) done(texts)
          }).observe(line, { childList: true })
        }),
    )
    await page.getByRole('button', { name: 'Try again' }).click()
    expect(await told).toEqual([
      expect.stringContaining('Being kept'),
      expect.stringContaining('was refused'),
    ])
    await page.goto(at(CHAPTER))
    expect(await runCell(page)).toContain('The same output as in the book.')
  })

  it('never answers an author: contig read sends a worker away that was left at its address', async (test) => {
    if (missing) test.skip(missing)
    await writeWorker(folder)
    await page.getByRole('button', { name: 'Try again' }).click()
    await ready()
    await stop()
    await serve(true)
    writeFileSync(
      pageFile,
      '<!doctype html><html lang="en"><title>x</title><h1>Just edited</h1></body></html>',
    )
    await page.goto(at(OTHER))
    await page.getByText('Just edited').waitFor()
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0)
    expect(await shelves()).toBe(0)
  })
})
