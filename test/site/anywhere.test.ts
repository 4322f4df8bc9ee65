// SPDX-License-Identifier: MIT
//
// The built folder below a path that it was not built for, as a static host serves it; and what `--site` adds for one that it
// was.
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import sirv from 'sirv'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { buildPages } from '../../code/cli/site_build.ts'
import { checkLinks } from '../../verify/links.ts'
import { checkSelfContained } from '../../verify/self_contained.ts'
import { sampleSite, type SampleSite } from '../support/sample_site.ts'
import { chromiumMissing, launch } from '../support/site_pages.ts'

const BASE = '/some/deep/base/'
const missing = chromiumMissing()

describe('the folder below another path', () => {
  let server: Server
  let top: string
  beforeAll(async () => {
    const files = sirv(inject('siteFolder'), { etag: true })
    server = createServer((request, response) => {
      const notFound = (): void => void response.writeHead(404).end()
      if (!request.url?.startsWith(BASE)) return notFound()
      request.url = request.url.slice(BASE.length - 1)
      files(request, response, notFound)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    top = `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`
  })
  afterAll(() => new Promise((done) => server.close(done)))

  it('shows its pages, runs their cells and leads from one to the next', async (context) => {
    if (missing) context.skip(missing)
    const browser = await launch()
    try {
      const page = await browser.newPage()
      const complaints: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`)
      })
      page.on('requestfailed', (request) => {
        // What a page still loads when it is left is given up.
        const said = request.failure()?.errorText ?? ''
        if (said !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${said}`)
      })
      page.on('response', (response) => {
        if (response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`)
      })
      page.on('request', (request) => {
        const own = request.url().startsWith(top) || request.url().startsWith('blob:')
        if (!own) complaints.push(`${page.url()} asks ${request.url()}`)
      })
      await page.goto(top)
      await page.locator('.parts a:not(.tally)').nth(1).click()
      await page.waitForURL(`${top}02-carving-memory-out/`)
      const cell = page.locator('contig-cell').first()
      await cell.getByRole('button', { name: 'Run' }).click()
      await cell.locator('.cell-text').filter({ hasText: /\S/ }).last().waitFor()
      expect(await page.evaluate(() => getComputedStyle(document.body).fontFamily)).toContain('Charter')
      await page.locator('figure.listing a.path').first().click()
      await page.waitForURL(new RegExp(`^${top}source/`))
      await page.goto(`${top}api/code/mm/memblock/memblock_add/`)
      await page.locator('.told a').click()
      await page.waitForURL(`${top}02-carving-memory-out/#listing-memblock-add-reserve`)
      await page.goto(`${top}licences/`)
      expect((await page.request.get(new URL('contiguous-kernel.tar.gz', page.url()).href)).status()).toBe(
        200,
      )
      expect(complaints).toEqual([])
    } finally {
      await browser.close()
    }
  })
})

describe('contig build --site', () => {
  const SITE = `https://host.example${BASE}`
  let sample: SampleSite
  const built = (name: string): string => readFileSync(join(sample.folder, 'out', name), 'utf8')
  beforeAll(async () => {
    sample = sampleSite()
    sample.write('## One\n\nText.\n')
    await buildPages(sample.folder, 'out', { site: SITE })
  })
  afterAll(() => sample.remove())

  it('gives 404.html addresses that hold wherever a host shows it', () => {
    const html = built('404.html')
    expect(html).toContain(`data-root="${BASE}"`)
    expect(html).toMatch(new RegExp(`<link rel="stylesheet" href="${BASE}assets/style-\\w+\\.css">`))
    expect(html).not.toContain('rel="canonical"')
  })

  it('names pages by whole addresses where machines ask for them, and nowhere else', () => {
    expect(built('01-sample/index.html')).toContain(`<link rel="canonical" href="${SITE}01-sample/">`)
    expect(built('sitemap.xml')).toContain(`<loc>${SITE}01-sample/</loc>`)
    expect(built('sitemap.xml')).not.toContain('404')
    expect(built('feed.xml')).toContain(`<link rel="self" href="${SITE}feed.xml"/>`)
    expect(built('robots.txt')).toContain(`${SITE}sitemap.xml`)
    const card = /<meta property="og:image" content="([^"]*)"/.exec(built('index.html'))?.[1] ?? ''
    expect(existsSync(join(sample.folder, 'out', card.slice(SITE.length)))).toBe(true)
    const out = join(sample.folder, 'out')
    const withoutApi = checkLinks(out).diagnostics.filter(({ text }) => !text.includes('api/'))
    expect([...withoutApi, ...checkSelfContained(out).diagnostics]).toEqual([])
  })

  it('takes all that away again when nobody says where the folder will stand', async () => {
    await buildPages(sample.folder, 'out')
    expect(existsSync(join(sample.folder, 'out/sitemap.xml'))).toBe(false)
    expect(existsSync(join(sample.folder, 'out/feed.xml'))).toBe(false)
    expect(built('index.html')).not.toMatch(/canonical|og:/)
    expect(built('404.html')).toContain('data-root="/"')
  })
})
